{{/*
Operate and Tasklist: here only switched on and off. The real chart makes them alike but for a few paths.
Takes root, component, name and values; mounts: where the image looks for its configuration.
*/}}
{{- define "camunda.webAppConfiguration" -}}
{{- if .values.configuration }}
{{- .values.configuration }}
{{- else -}}
camunda.{{ .component }}:
  elasticsearch: &engine
    url: {{ include "camunda.elasticsearchURL" .root }}
  zeebeElasticsearch:
    <<: *engine
    prefix: {{ .root.Values.global.elasticsearch.prefix }}
  zeebe:
    gatewayAddress: {{ include "camunda.clusterName" .root }}-gateway:26500
{{- end }}
{{- end }}

{{- define "camunda.webApp" -}}
{{- $values := .values }}
{{- $root := .root }}
{{- $configuration := include "camunda.webAppConfiguration" . }}
{{- $mounts := list }}
{{- range .mounts }}
{{- $mounts = dict "name" "config" "mountPath" . "subPath" "application.yml" | append $mounts }}
{{- end }}
{{- range list "tmp" "camunda" }}
{{- $mounts = dict "name" . "mountPath" (print "/" .) | append $mounts }}
{{- end }}
{{- $mounts = concat $mounts $values.extraVolumeMounts }}
{{- include "camunda.serviceAccount" . }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .name }}-configuration
  labels:
    {{- include "camunda.labels" . | nindent 4 }}
data:
  application.yml: |
    {{- $configuration | nindent 4 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .name }}
  labels:
    {{- include "camunda.labels" . | nindent 4 }}
  annotations:
    {{- toYaml $values.service.annotations | nindent 4 }}
spec:
  type: {{ $values.service.type }}
  ports:
    - {name: http, port: {{ $values.service.port }}, targetPort: 8080, protocol: TCP}
  selector:
    {{- include "camunda.matchLabels" . | nindent 4 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  labels:
    {{- include "camunda.labels" . | nindent 4 }}
  annotations:
    {{- toYaml $root.Values.global.annotations | nindent 4 }}
spec:
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- include "camunda.matchLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "camunda.labels" . | nindent 8 }}
        {{- with $values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ $configuration | sha256sum }}
        {{- with $values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "camunda.serviceAccountName" . }}
      imagePullSecrets:
        {{- $values.image.pullSecrets | default $root.Values.global.image.pullSecrets | toYaml | nindent 8 }}
      initContainers:
        {{- with $values.initContainers }}
        {{- tpl (toYaml .) $root | nindent 8 }}
        {{- end }}
        {{- if $values.migration.enabled }}
        - name: migration
          image: {{ include "camunda.image" . }}
          command: [/bin/sh, /usr/local/{{ .component }}/bin/migrate]
          securityContext:
            {{- toYaml $values.containerSecurityContext | nindent 12 }}
          env:
            - name: CAMUNDA_{{ upper .component }}_ELASTICSEARCH_HOST
              value: {{ include "camunda.elasticsearchHost" $root | quote }}
            - name: CAMUNDA_{{ upper .component }}_ELASTICSEARCH_HTTP_PORT
              value: {{ $root.Values.global.elasticsearch.url.port | quote }}
            {{- with concat $values.env $values.migration.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          resources:
            {{- toYaml $values.migration.resources | nindent 12 }}
          volumeMounts:
            {{- toYaml $mounts | nindent 12 }}
        {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "camunda.image" . }}
          imagePullPolicy: {{ $root.Values.global.image.pullPolicy }}
          securityContext:
            {{- toYaml $values.containerSecurityContext | nindent 12 }}
          {{- with $values.command }}
          command:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          env:
            - name: ZEEBE_CLIENT_CONFIG_PATH
              value: /tmp/zeebe_auth_cache
            {{- with $values.env }}
            {{- tpl (toYaml .) $root | nindent 12 }}
            {{- end }}
          {{- with $values.envFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: http, containerPort: 8080, protocol: TCP}
          {{- include "camunda.probes" (dict "values" $values "port" "http") | trim | nindent 10 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          volumeMounts:
            {{- toYaml $mounts | nindent 12 }}
      volumes:
        - name: config
          configMap:
            name: {{ .name }}-configuration
            defaultMode: {{ $values.configMap.defaultMode }}
        - {name: tmp, emptyDir: {}}
        - {name: camunda, emptyDir: {}}
        {{- with $values.extraVolumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- include "camunda.podOptions" . | trim | nindent 6 }}
{{- end }}
