{{/* Names and labels that the objects share. */}}

{{- define "kube-failure-exporter.name" -}}
{{- include "kube-failure-exporter.trim" (.Values.nameOverride | default .Chart.Name) }}
{{- end }}

{{- define "kube-failure-exporter.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name }}
{{- $both := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- include "kube-failure-exporter.trim" (.Values.fullnameOverride | default $both) }}
{{- end }}

{{/* A Service's name and a label's value have at most 63 characters; a release may have a dot in its name, a Service may not. */}}
{{- define "kube-failure-exporter.trim" -}}
{{- regexReplaceAll "-+$" (. | replace "." "-" | trunc 63) "" }}
{{- end }}

{{- define "kube-failure-exporter.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "kube-failure-exporter.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kube-failure-exporter.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Labels of an object: those that are asked for must not take the place of those that select. */}}
{{- define "kube-failure-exporter.labels" -}}
{{- $own := include "kube-failure-exporter.selectorLabels" .root | fromYaml }}
{{- $own = merge $own (dict
  "app.kubernetes.io/version" (.root.Chart.AppVersion | replace "+" "_")
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
) }}
{{- merge $own (.labels | default dict) (.root.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{- define "kube-failure-exporter.podLabels" -}}
{{- $own := include "kube-failure-exporter.selectorLabels" . | fromYaml }}
{{- $own = set $own "app.kubernetes.io/version" (.Chart.AppVersion | replace "+" "_") }}
{{- merge $own (.Values.podLabels | default dict) (.Values.commonLabels | default dict) | toYaml }}
{{- end }}

{{/* What stands under metadata: of dict "root" $, and where they differ "name", "namespace", "labels", "annotations". It goes through toYaml,
which puts in quotes what YAML would take for a number. */}}
{{- define "kube-failure-exporter.metadata" -}}
{{- $metadata := dict "name" (.name | default (include "kube-failure-exporter.fullname" .root)) }}
{{- $_ := set $metadata "labels" (include "kube-failure-exporter.labels" . | fromYaml) }}
{{- if not .clusterwide }}
{{- $_ := set $metadata "namespace" (.namespace | default (include "kube-failure-exporter.namespace" .root)) }}
{{- end }}
{{- with .annotations }}
{{- $_ := set $metadata "annotations" . }}
{{- end }}
{{- toYaml $metadata }}
{{- end }}

{{- define "kube-failure-exporter.serviceAccountName" -}}
{{- $made := .Values.serviceAccount.create | ternary (include "kube-failure-exporter.fullname" .) "default" }}
{{- .Values.serviceAccount.name | default $made }}
{{- end }}

{{- define "kube-failure-exporter.image" -}}
{{- $registry := .Values.global.imageRegistry | default .Values.image.registry }}
{{- $image := list $registry .Values.image.repository | compact | join "/" }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $image .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $image (.Values.image.tag | default (print "v" .Chart.AppVersion)) }}
{{- end }}
{{- end }}

{{/* Names, and objects with a name, as both are common. */}}
{{- define "kube-failure-exporter.imagePullSecrets" -}}
{{- $secrets := list }}
{{- range concat (.Values.imagePullSecrets | default list) (.Values.global.imagePullSecrets | default list) }}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) }}
{{- end }}
{{- with uniq $secrets }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "kube-failure-exporter.scheme" -}}
{{- .Values.webConfig.tls | ternary "https" "http" }}
{{- end }}
