{{/* Whether the chart is of 8.9 or later: "true" or nothing. */}}
{{- define "orchestration.isLater" -}}
{{- if semverCompare ">=14.0.0-0" .Chart.Version }}true{{ end -}}
{{- end }}

{{/* The name of the brokers' StatefulSet and of their headless Service. */}}
{{- define "orchestration.name" -}}
{{- include "camunda.componentName" (dict "root" . "component" "zeebe" "values" .Values.orchestration) -}}
{{- end }}

{{- define "orchestration.configurationName" -}}
{{- include "orchestration.name" . }}-configuration{{ if not (include "orchestration.isLater" .) }}-unified{{ end -}}
{{- end }}

{{- define "orchestration.authMethod" -}}
{{- .Values.orchestration.security.authentication.method | default .Values.global.security.authentication.method | default "none" -}}
{{- end }}

{{/* The profiles that are on, in the order of their names, and the one of the log-in. */}}
{{- define "orchestration.profiles" -}}
{{- $on := list }}
{{- range $name, $isOn := .Values.orchestration.profiles }}
{{- if eq $isOn true }}{{ $on = append $on $name }}{{ end }}
{{- end }}
{{- $on = join "," $on }}
{{- if eq (include "orchestration.authMethod" .) "none" }}
{{- $on | replace (ternary "admin" "identity" (eq (include "orchestration.isLater" .) "true")) "auth" -}}
{{- else -}}
{{- $on }},consolidated-auth
{{- end -}}
{{- end }}

{{/* Where documents are kept; a chart of 8.9 or later must be told. */}}
{{- define "orchestration.secondaryStorage" -}}
{{- $type := .Values.orchestration.data.secondaryStorage.type }}
{{- if $type }}{{ $type -}}
{{- else if .Values.global.elasticsearch.enabled }}elasticsearch
{{- else }}
{{- fail "Please configure an expected secondary storage type under `orchestration.data.secondaryStorage.type`" }}
{{- end }}
{{- end }}

{{/* The log-in of this installation's search engine, as a map: of the component, else of all. */}}
{{- define "orchestration.engineAuth" -}}
{{- $own := .Values.orchestration.data.secondaryStorage.elasticsearch.auth }}
{{- ternary $own .Values.global.elasticsearch.auth (ne $own.secret.existingSecret "") | toYaml -}}
{{- end }}

{{/* application.yaml of the brokers. */}}
{{- define "orchestration.application" -}}
{{- $values := .Values.orchestration }}
{{- $service := $values.service }}
{{- $isLater := eq (include "orchestration.isLater" .) "true" }}
{{- $storage := include "orchestration.secondaryStorage" . }}
{{- $url := $values.data.secondaryStorage.elasticsearch.url | default (include "camunda.elasticsearchURL" .) }}
{{- $auth := include "orchestration.engineAuth" . | fromYaml }}
spring:
  profiles:
    active: {{ include "orchestration.profiles" . | quote }}

server:
  address: 0.0.0.0
  port: {{ $service.httpPort }}
  {{- with $values.contextPath }}
  servlet:
    context-path: {{ . | quote }}
  {{- end }}

management:
  server:
    address: 0.0.0.0
    port: {{ $service.managementPort }}
    base-path: {{ $values.contextPath | default "/" | quote }}

camunda:
  system:
    cpu-thread-count: {{ $values.cpuThreadCount }}
    io-thread-count: {{ $values.ioThreadCount }}
  cluster:
    node-id: "${VALUES_ORCHESTRATION_NODE_ID:}"
    size: {{ $values.clusterSize | quote }}
    replication-factor: {{ $values.replicationFactor | quote }}
    partition-count: {{ $values.partitionCount | quote }}
    {{- if and $isLater (le (int .Values.global.multiregion.regions) 1) }}
    initial-contact-points:
      {{- include "orchestration.contactPoints" . | trim | nindent 6 }}
    {{- end }}
  api:
    grpc:
      address: 0.0.0.0
      port: {{ $service.grpcPort }}
  data:
    snapshot-period: {{ $values.data.snapshotPeriod | quote }}
    primary-storage:
      disk:
        free-space: {{ toJson $values.data.disk.freeSpace }}
    secondary-storage:
      autoconfigure-camunda-exporter: {{ $values.exporters.camunda.enabled }}
      type: {{ $storage | quote }}
      elasticsearch:
        url: {{ $url | quote }}
        username: {{ $auth.username | quote }}
        password: "${VALUES_ELASTICSEARCH_PASSWORD:}"
        index-prefix: {{ $values.index.prefix | quote }}
  security:
    authentication:
      method: {{ include "orchestration.authMethod" . | quote }}
      unprotectedApi: {{ $values.security.authentication.unprotectedApi }}

zeebe:
  host: 0.0.0.0
  log:
    level: {{ $values.logLevel | quote }}
  broker:
    gateway:
      enable: true
    network:
      advertisedHost: "${K8S_NAME}.${K8S_SERVICE_NAME}{{ if gt (int .Values.global.multiregion.regions) 1 }}.${K8S_NAMESPACE}.svc{{ end }}"
      host: 0.0.0.0
      commandApi:
        port: {{ $service.commandPort }}
      internalApi:
        port: {{ $service.internalPort }}
    cluster:
      {{- if not $isLater }}
      initialContactPoints:
        {{- include "orchestration.contactPoints" . | trim | nindent 8 }}
      {{- end }}
      clusterName: {{ include "camunda.clusterName" . }}
    {{- if or $values.exporters.zeebe.enabled $values.exporters.camunda.enabled }}
    exporters:
      {{- if $values.exporters.zeebe.enabled }}
      elasticsearch:
        className: io.camunda.zeebe.exporter.ElasticsearchExporter
        args:
          url: {{ $url | quote }}
          index:
            prefix: {{ .Values.global.elasticsearch.prefix | quote }}
          {{- include "orchestration.retention" $values.retention | nindent 10 }}
      {{- end }}
      {{- if $values.exporters.camunda.enabled }}
      camundaexporter:
        className: io.camunda.exporter.CamundaExporter
        args:
          connect:
            type: {{ $storage | quote }}
            {{- if not $isLater }}
            url: {{ $url | quote }}
            {{- end }}
          history:
            {{- omit $values.history "retention" | toYaml | nindent 12 }}
            {{- include "orchestration.retention" $values.history.retention | nindent 12 }}
      {{- end }}
    {{- end }}
{{- end }}

{{- define "orchestration.contactPoints" -}}
{{- range until (int .Values.orchestration.clusterSize) }}
- {{ include "orchestration.name" $ }}-{{ . }}.${K8S_SERVICE_NAME}:{{ $.Values.orchestration.service.internalPort }}
{{- end }}
{{- end }}

{{/* How long something is kept, if that is limited. Takes the values of it. */}}
{{- define "orchestration.retention" -}}
{{- if .enabled }}
retention:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
