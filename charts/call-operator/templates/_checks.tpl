{{/* What values.schema.json cannot say: values that do not go together. */}}

{{- define "call-operator.checks" -}}
{{- if and (hasPrefix "http://" .Values.callbacks.url) (not .Values.dialer.allowHttp) -}}
{{- fail (printf "callbacks.url %s: plain http needs dialer.allowHttp; use https" .Values.callbacks.url) -}}
{{- end -}}
{{- if and .Values.callbacks.ingress.enabled (not .Values.callbacks.url) -}}
{{- fail "callbacks.ingress.enabled: set callbacks.url as well; its host is that of the Ingress" -}}
{{- end -}}
{{- if and .Values.callbacks.ingress.enabled (urlParse .Values.callbacks.url).path -}}
{{- fail (printf "callbacks.url %s: has a path, which an Ingress does not take away; leave it out, or make an Ingress of your own with extraObjects" .Values.callbacks.url) -}}
{{- end -}}
{{- with .Values.leaderElection -}}
{{- if and .enabled (le (int .leaseDurationSeconds) (int .renewDeadlineSeconds)) -}}
{{- fail (printf "leaderElection.renewDeadlineSeconds %d: must be less than leaseDurationSeconds, which is %d" (int .renewDeadlineSeconds) (int .leaseDurationSeconds)) -}}
{{- end -}}
{{- if and .enabled (gt (mul 2 (int .retryPeriodSeconds)) (int .renewDeadlineSeconds)) -}}
{{- fail (printf "leaderElection.retryPeriodSeconds %d: must be at most half of renewDeadlineSeconds, which is %d" (int .retryPeriodSeconds) (int .renewDeadlineSeconds)) -}}
{{- end -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.podMonitor.enabled) (not .Values.metrics.enabled) -}}
{{- fail "serviceMonitor, podMonitor: there is nothing to scrape while metrics.enabled is false" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled .Values.podMonitor.enabled -}}
{{- fail "serviceMonitor.enabled, podMonitor.enabled: choose one; with both every figure would be counted twice" -}}
{{- end -}}
{{- end -}}
