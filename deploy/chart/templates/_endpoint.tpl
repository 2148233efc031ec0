{{/* An endpoint of a PodMonitor or ServiceMonitor: dict "root" $ "monitor" $.Values.podMonitor. */}}
{{- define "kube-failure-exporter.endpoint" -}}
- port: http
  # Else Prometheus puts the exporter's own namespace, pod and container in the place of those that fail.
  honorLabels: true
  {{- with .monitor.interval }}
  interval: {{ . }}
  {{- end }}
  {{- with .monitor.scrapeTimeout }}
  scrapeTimeout: {{ . }}
  {{- end }}
  scheme: {{ .monitor.scheme | default (include "kube-failure-exporter.scheme" .root) }}
  {{- with .monitor.tlsConfig }}
  tlsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .monitor.basicAuth }}
  basicAuth:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .monitor.relabelings }}
  relabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .monitor.metricRelabelings }}
  metricRelabelings:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
