{{/* What the operator may do: each fact once, for cluster roles and roles. */}}

{{/* Read its own kinds and write their status; make, update and delete the calls of a series; write events. */}}
{{- define "call-operator.rules" -}}
- apiGroups: [call-operator.dev]
  resources: [scheduledcalls, recurringcalls, dialers, businesscalendars]
  verbs: [get, list, watch]
- apiGroups: [call-operator.dev]
  resources: [scheduledcalls/status, recurringcalls/status, dialers/status, businesscalendars/status]
  verbs: [update]
- apiGroups: [call-operator.dev]
  resources: [scheduledcalls]
  verbs: [create, update, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* Read a Secret that a Dialer names; it uses only those labelled call-operator.dev/dialer: "true". Never list. */}}
{{- define "call-operator.secretRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end -}}

{{/* (list . name namespace kind-of-role) */}}
{{- define "call-operator.binding" -}}
{{- $root := index . 0 -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 2 }}
  name: {{ index . 1 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "call-operator.serviceAccountName" $root }}
    namespace: {{ include "call-operator.namespace" $root }}
{{- end -}}

{{/* A Role with a RoleBinding: (dict "root" . "name" … "namespace" … "rules" …). */}}
{{- define "call-operator.role" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "call-operator.metadata" (dict "root" .root "name" .name "namespace" .namespace "component" "rbac") }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "call-operator.metadata" (dict "root" .root "name" .name "namespace" .namespace "component" "rbac") }}
{{ include "call-operator.binding" (list .root .name "Role") }}
{{- end -}}
