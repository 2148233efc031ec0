{{/* How the kubelet asks: dict "root" $ "path" "/-/ready" "times" (dict …). It has no password and no client certificate, so that where
they are demanded it only looks whether the port is open, unless its headers let it in. */}}
{{- define "kube-failure-exporter.probe" -}}
{{- $values := .root.Values }}
{{- if and $values.webConfig.auth (not $values.probes.httpHeaders) }}
tcpSocket:
  port: http
{{- else }}
httpGet:
  path: {{ .path }}
  port: http
  {{- if $values.webConfig.tls }}
  scheme: HTTPS
  {{- end }}
  {{- with $values.probes.httpHeaders }}
  httpHeaders:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- with .times }}
{{ toYaml . }}
{{- end }}
{{- end }}
