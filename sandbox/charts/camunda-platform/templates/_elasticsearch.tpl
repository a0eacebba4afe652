{{/* The search engine comes from a subchart in the real chart: labels of its own. Take the root. */}}
{{- define "elasticsearch.matchLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ .Values.elasticsearch.nameOverride | default "elasticsearch" }}
app.kubernetes.io/component: master
{{- end }}

{{- define "elasticsearch.labels" -}}
{{- include "elasticsearch.matchLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: 8.13.2
helm.sh/chart: elasticsearch-20.0.4
{{- end }}

{{- define "elasticsearch.image" -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}:{{ .tag }}
{{- end }}

{{/* A custom probe replaces the chart's own; those look at the port, readiness asks a script of the image. */}}
{{- define "elasticsearch.probes" -}}
{{- $master := .Values.elasticsearch.master }}
{{- range $kind := list "startupProbe" "livenessProbe" "readinessProbe" }}
{{- $own := index $master $kind }}
{{- $custom := index $master (printf "custom%s" (title $kind)) }}
{{- if $custom }}
{{ $kind }}:
  {{- tpl (toYaml $custom) $ | nindent 2 }}
{{- else if $own.enabled }}
{{ $kind }}:
  {{- omit $own "enabled" | toYaml | nindent 2 }}
  {{- if eq $kind "readinessProbe" }}
  exec:
    command: [/opt/bitnami/scripts/elasticsearch/healthcheck.sh]
  {{- else }}
  tcpSocket:
    port: rest-api
  {{- end }}
{{- end }}
{{- end }}
{{- end }}
