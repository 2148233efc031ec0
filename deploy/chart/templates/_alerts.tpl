{{/*
What prometheusrules.yaml does with the rules of files/rules. They come out of fromYaml as they are and are never given to tpl: what stands
between braces in their annotations is for Prometheus. alerts/mixin does the same in Jsonnet, and a test compares the two.
*/}}

{{/* All causes that have an alert, by name: of list of groups. */}}
{{- define "kube-failure-exporter.alertCauses" -}}
{{- range . }}
{{- range .rules }}
{{- with (.labels).cause }}
{{ . }}: true
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* A misspelt cause would else be a wish that nobody grants: dict "known" (dict …) "option" "disabledCauses" "causes" (list …). */}}
{{- define "kube-failure-exporter.checkCauses" -}}
{{- $about := . }}
{{- range .causes }}
{{- if not (hasKey $about.known .) }}
{{- fail (printf "prometheusRule.%s: no alert has the cause %s" $about.option .) }}
{{- end }}
{{- end }}
{{- end }}

{{/* PromQL with your severities, and with your selector in each series of the exporter: dict "root" $ "text" "…" "selector" "…". A new
name may be the old one of another severity, so that all are marked first, by what no PromQL has. */}}
{{- define "kube-failure-exporter.promql" -}}
{{- $text := .text }}
{{- range $name, $_ := .root.Values.prometheusRule.severities }}
{{- $text = $text | replace (printf "severity=%q" $name) (printf "severity=<%s>" $name) }}
{{- end }}
{{- range $name, $yours := .root.Values.prometheusRule.severities }}
{{- $text = $text | replace (printf "severity=<%s>" $name) (printf "severity=%q" $yours) }}
{{- end }}
{{- with .selector }}
{{- $series := $.root.Files.Get "files/series.json" | fromJsonArray | join "|" }}
{{- $text = regexReplaceAll (printf "\\b(%s)\\b" $series) $text (printf "${1}{%s}" (replace "$" "$$" .)) }}
{{- $text = $text | replace (printf "{%s}{}" .) (printf "{%s}" .) | replace (printf "{%s}{" .) (printf "{%s, " .) }}
{{- end }}
{{- $text }}
{{- end }}

{{/* A template of Prometheus, in which only what stands between backquotes after printf is PromQL: dict "root" $ "text" "…". */}}
{{- define "kube-failure-exporter.template" -}}
{{- $text := .text }}
{{- $selector := (.root.Values.prometheusRule.selector | default "") | replace "%" "%%" }}
{{- range regexFindAll "printf `[^`]*`" .text -1 | uniq }}
{{- $text = $text | replace . (include "kube-failure-exporter.promql" (dict "root" $.root "text" . "selector" $selector)) }}
{{- end }}
{{- $text }}
{{- end }}

{{/* An annotation with your links, and with the exporter's own names: dict "root" $ "name" "runbook_url" "text" "…". */}}
{{- define "kube-failure-exporter.annotation" -}}
{{- $values := .root.Values }}
{{- $rest := regexReplaceAll "^.*/" .text "" }}
{{- if and (eq .name "runbook_url") (contains "#" .text) }}
{{- with $values.prometheusRule.troubleshootingUrl }}
{{- print (trimSuffix "/" .) "#" (regexReplaceAll "^.*#" $rest "") }}
{{- else }}
{{- .text }}
{{- end }}
{{- else if eq .name "runbook_url" }}
{{- with $values.runbookUrl }}
{{- print (trimSuffix "/" .) "/" $rest }}
{{- else }}
{{- .text }}
{{- end }}
{{- else if eq .name "dashboard_url" }}
{{- print (trimSuffix "/" $values.prometheusRule.dashboardUrl) (regexReplaceAll "^https://[^/]*" .text "") }}
{{- else }}
{{- $own := dict "namespace" (include "kube-failure-exporter.namespace" .root) "name" (include "kube-failure-exporter.fullname" .root) }}
{{- include "kube-failure-exporter.template" . | replace "-n kube-failure-exporter " (printf "-n %s " $own.namespace)
  | replace "deployment/kube-failure-exporter" (print "deployment/" $own.name) }}
{{- end }}
{{- end }}

{{/* A rule as you want it, as YAML: dict "root" $ "rule" (dict …). Nothing comes out if you do not want it. */}}
{{- define "kube-failure-exporter.rule" -}}
{{- $values := .root.Values.prometheusRule }}
{{- $rule := .rule }}
{{- $labels := $rule.labels | default dict }}
{{- $cause := $labels.cause | default "" }}
{{- if not (has $cause ($values.disabledCauses | default list)) }}
{{- $_ := set $rule "expr" (include "kube-failure-exporter.promql" (dict "root" .root "text" $rule.expr "selector" $values.selector)) }}
{{- with $labels.severity }}
{{- $_ := set $labels "severity" (get $values.severities .) }}
{{- end }}
{{- if $cause }}
{{- $_ := set $rule "for" (get ($values.forByCause | default dict) $cause | default $values.for | default $rule.for) }}
{{- end }}
{{- if $rule.alert }}
{{- $_ := set $rule "labels" (merge $labels ($values.additionalRuleLabels | default dict)) }}
{{- $annotations := dict }}
{{- range $name, $text := $rule.annotations }}
{{- if or $values.dashboardUrl (ne $name "dashboard_url") }}
{{- $_ := set $annotations $name (include "kube-failure-exporter.annotation" (dict "root" $.root "name" $name "text" $text)) }}
{{- end }}
{{- end }}
{{- $_ := set $rule "annotations" $annotations }}
{{- end }}
{{- toYaml (list $rule) }}
{{- end }}
{{- end }}
