{{- define "kube-failure-exporter.env" -}}
{{- if .Values.goMemLimit -}}
- name: GOMEMLIMIT
  value: {{ .Values.goMemLimit | quote }}
{{- else if ((.Values.resources).limits).memory -}}
- name: MEMORY_LIMIT_MEBIBYTES
  valueFrom:
    resourceFieldRef:
      resource: limits.memory
      divisor: 1Mi
# As many megabytes as the limit has mebibytes, which is 5 % less.
- name: GOMEMLIMIT
  value: $(MEMORY_LIMIT_MEBIBYTES)000000
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
