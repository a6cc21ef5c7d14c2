{{/* Names and labels. */}}

{{- define "call-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What every object of this release is called; the longest name that a Service may have is 63 characters. */}}
{{- define "call-operator.fullname" -}}
{{- $name := include "call-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The full name with a suffix, still within 63 characters: (list . "suffix"). */}}
{{- define "call-operator.suffixed" -}}
{{- $suffix := index . 1 -}}
{{- $room := int (sub 62 (len $suffix)) -}}
{{- printf "%s-%s" (include "call-operator.fullname" (index . 0) | trunc $room | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "call-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "call-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "call-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* What selects the operator's pods, and only them: the pod of `helm test` is another component. */}}
{{- define "call-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "call-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/component: controller
{{- end -}}

{{/* Labels of an object: (list . "component" further-labels). Those that select come last: nothing may replace them. */}}
{{- define "call-operator.labels" -}}
{{- $root := index . 0 -}}
{{- $standard := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/version" ($root.Chart.AppVersion | replace "+" "_" | trunc 63)
  "app.kubernetes.io/managed-by" $root.Release.Service
  "app.kubernetes.io/part-of" "call-operator"
-}}
{{- $selecting := include "call-operator.selectorLabels" $root | fromYaml -}}
{{- $component := dict "app.kubernetes.io/component" (index . 1) -}}
{{- mergeOverwrite (dict) (deepCopy $root.Values.commonLabels) (index . 2) $standard $selecting $component | toYaml -}}
{{- end -}}

{{/* What every object begins with: (dict "root" . "component" …), and where it is not as for most "name", "namespace" (""
for none), "labels", "annotations". */}}
{{- define "call-operator.metadata" -}}
{{- $namespace := hasKey . "namespace" | ternary .namespace (include "call-operator.namespace" .root) -}}
metadata:
  name: {{ default (include "call-operator.fullname" .root) .name }}
  {{- with $namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "call-operator.labels" (list .root .component (.labels | default dict)) | nindent 4 }}
  {{- with mergeOverwrite (dict) (deepCopy .root.Values.commonAnnotations) (.annotations | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* The image. A digest says exactly which one, so it goes before the tag. */}}
{{- define "call-operator.image" -}}
{{- $repository := .Values.image.repository -}}
{{- with (.Values.global).imageRegistry -}}
{{- /* The first part of a repository is a registry if it has a dot or a port, or is localhost. */ -}}
{{- $path := regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "" -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) $path -}}
{{- end -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "call-operator.imagePullSecrets" -}}
{{- with concat ((.Values.global).imagePullSecrets | default list) .Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ if kindIs "string" . }}{{ . }}{{ else }}{{ .name }}{{ end }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Namespaces in which the default Dialer is made, as JSON. */}}
{{- define "call-operator.dialerNamespaces" -}}
{{- $own := list (include "call-operator.namespace" .) -}}
{{- .Values.defaultDialer.namespaces | default .Values.scopedNamespaces | default $own | toJson -}}
{{- end -}}
