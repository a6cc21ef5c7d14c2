{{/* The command line of the operator: one flag for each value, `call-operator controller --help` explains them. */}}

{{- define "call-operator.arguments" -}}
- controller
{{- range .Values.scopedNamespaces }}
- --namespace={{ . }}
{{- end }}
{{- with .Values.defaults }}
- --default-time-zone={{ .timeZone }}
- --business-hours-start={{ .businessHours.start }}
- --business-hours-end={{ .businessHours.end }}
- --business-days={{ join "," .businessHours.daysOfWeek }}
- --retry-max-attempts={{ .retry.maxAttempts | int }}
- --retry-initial-delay-seconds={{ .retry.initialDelaySeconds | int }}
{{- if not (kindIs "invalid" .ttlSecondsAfterCompleted) }}
- --ttl-completed={{ .ttlSecondsAfterCompleted | int64 }}
{{- end }}
{{- if not (kindIs "invalid" .ttlSecondsAfterFailed) }}
- --ttl-failed={{ .ttlSecondsAfterFailed | int64 }}
{{- end }}
{{- end }}
{{- if .Values.suspendAll }}
- --suspend-all=true
{{- end }}
- --max-claim-lead={{ .Values.maxClaimLeadSeconds }}
{{- if .Values.dialer.allowHttp }}
- --dialer-allow-http=true
{{- end }}
{{- if .Values.dialer.allowPrivateAddresses }}
- --dialer-allow-private-addresses=true
{{- end }}
{{- if .Values.journal.enabled }}
- --journal-dir={{ include "call-operator.journalDirectory" . }}
{{- end }}
{{- include "call-operator.leaseArguments" . }}
- --metrics-address={{ .Values.metrics.enabled | ternary (include "call-operator.listen" (list . 8080)) "none" }}
- --health-address={{ include "call-operator.listen" (list . 8081) }}
- --callback-address={{ .Values.callbacks.url | empty | ternary "none" (include "call-operator.listen" (list . 8082)) }}
{{- with .Values.callbacks.url }}
- --callback-url={{ . }}
{{- end }}
- --log-format={{ .Values.log.format }}
- --log-level={{ .Values.log.level }}
{{- end -}}

{{- define "call-operator.leaseArguments" -}}
{{- with .Values.leaderElection }}
- --leader-elect={{ .enabled }}
{{- if .enabled }}
- --lease-namespace={{ include "call-operator.namespace" $ }}
- --lease-name={{ include "call-operator.leaseName" $ }}
- --lease-duration={{ .leaseDurationSeconds | int }}
- --lease-renew-deadline={{ .renewDeadlineSeconds | int }}
- --lease-retry-period={{ .retryPeriodSeconds | int }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "call-operator.leaseName" -}}
{{- default (include "call-operator.fullname" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "call-operator.journalDirectory" -}}
/var/lib/call-operator
{{- end -}}

{{/* An address to listen at: (list . port). */}}
{{- define "call-operator.listen" -}}
{{- $address := (index . 0).Values.listenAddress -}}
{{- printf "%s:%d" (contains ":" $address | ternary (printf "[%s]" $address) $address) (index . 1) -}}
{{- end -}}
