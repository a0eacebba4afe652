{{- define "engine.matchLabels" -}}
common.k8s.elastic.co/type: elasticsearch
elasticsearch.k8s.elastic.co/cluster-name: elasticsearch
elasticsearch.k8s.elastic.co/statefulset-name: elasticsearch-es-masters
{{- end }}

{{/* The password of the user elastic: a new one for each installation, which upgrades keep. */}}
{{- define "engine.password" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "elasticsearch-es-elastic-user" }}
{{- if $kept }}{{ $kept.data.elastic }}{{ else }}{{ randAlphaNum 24 | b64enc }}{{ end -}}
{{- end }}
