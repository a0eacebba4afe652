{{/* Labels that select: they never change between upgrades. Takes root and component. */}}
{{- define "camunda.matchLabels" -}}
{{- toYaml .root.Values.global.labels }}
app.kubernetes.io/name: camunda-platform
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: camunda-platform
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* All labels. Takes root, component and the component's values. */}}
{{- define "camunda.labels" -}}
{{- include "camunda.matchLabels" . }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .values.image.tag | default .root.Values.global.image.tag | quote }}
{{- end }}

{{/* The name of a component's objects, which users may change. Takes root, component and the component's values. */}}
{{- define "camunda.componentName" -}}
{{- $name := .values.nameOverride | default .component -}}
{{- $full := ternary .root.Release.Name (printf "%s-%s" .root.Release.Name $name) (contains $name .root.Release.Name) -}}
{{- .values.fullnameOverride | default $full | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{/* The image of a component. Takes root and the component's values. */}}
{{- define "camunda.image" -}}
{{- $registry := .values.image.registry | default .root.Values.global.image.registry -}}
{{- $tag := .values.image.tag | default .root.Values.global.image.tag -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .values.image.repository }}:{{ $tag }}
{{- end }}

{{/* A component's service account: its object and its name. Take name and values; the object root and component too. */}}
{{- define "camunda.serviceAccountName" -}}
{{- .values.serviceAccount.name | default (ternary .name "default" .values.serviceAccount.enabled) -}}
{{- end }}

{{- define "camunda.serviceAccount" -}}
{{- if .values.serviceAccount.enabled }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "camunda.serviceAccountName" . }}
  labels:
    {{- include "camunda.labels" . | nindent 4 }}
  {{- with .values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: {{ .values.serviceAccount.automountServiceAccountToken }}
---
{{- end }}
{{- end }}

{{/* A component's disruption budget, if it has one. Takes root, component, name and values. */}}
{{- define "camunda.disruptionBudget" -}}
{{- with .values.podDisruptionBudget }}
{{- if .enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $.name }}
  labels:
    {{- include "camunda.labels" $ | nindent 4 }}
spec:
  {{- if .minAvailable }}
  minAvailable: {{ .minAvailable }}
  {{- else }}
  maxUnavailable: {{ .maxUnavailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "camunda.matchLabels" $ | nindent 6 }}
---
{{- end }}
{{- end }}
{{- end }}

{{/* The three HTTP probes of a container, those that are enabled. Takes values and port. */}}
{{- define "camunda.probes" -}}
{{- range $kind := list "startupProbe" "readinessProbe" "livenessProbe" }}
{{- with index $.values $kind }}
{{- if .enabled }}
{{ $kind }}:
  httpGet:
    path: {{ trimSuffix "/" $.values.contextPath }}{{ .probePath }}
    scheme: {{ .scheme }}
    port: {{ $.port }}
  {{- omit . "enabled" "probePath" "scheme" | toYaml | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* What every pod spec may carry besides its containers. Takes values. */}}
{{- define "camunda.podOptions" -}}
{{- with .values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "camunda.clusterName" -}}
{{- tpl .Values.global.zeebeClusterName . -}}
{{- end }}

{{- define "camunda.elasticsearchHost" -}}
{{- tpl .Values.global.elasticsearch.url.host . -}}
{{- end }}

{{- define "camunda.elasticsearchURL" -}}
{{- with .Values.global.elasticsearch.url }}{{ .protocol }}://{{ include "camunda.elasticsearchHost" $ }}:{{ .port }}{{ end -}}
{{- end }}

{{/* Whether the chart itself configures an exporter: "true" or nothing. A dual region brings its own two. */}}
{{- define "camunda.ownExporter" -}}
{{- with .Values.global.elasticsearch }}{{ if and .enabled (not .disableExporter) }}true{{ end }}{{ end -}}
{{- end }}

{{/* How this installation takes part in a failover: up to chart 11 only, later ones know no such kinds. */}}
{{- define "camunda.installationType" -}}
{{- if semverCompare "<12.0.0-0" .Chart.Version }}{{ .Values.global.multiregion.installationType }}{{ end -}}
{{- end }}
