package main

import "github.com/kube-failure-exporter/kube-failure-exporter/classify"

// quotas has a line for each quota that blocks the workload: its figures, or for one that demands values its name.
func quotas(cause classify.Cause) string {
	switch cause {
	case classify.QuotaRequiresResources:
		return ranged("(printf `max by (resourcequota) (quota_blocked_controller{%s})` $workload) | sortByLabel \"resourcequota\"",
			`Quota {{ label "resourcequota" . }} demands what the pods do not say.`)
	case classify.QuotaExceeded:
		return ranged("(printf `max by (resourcequota, resource) ("+quotaRequested+"{%s})` $workload) | sortByLabel \"resource\"",
			`{{ $quota := label "resourcequota" . }}{{ $resource := label "resource" . -}}
{{ $figures := printf `+"`cluster=%q, namespace=%q, resourcequota=%q, resource=%q` $labels.cluster $labels.namespace $quota $resource -}}\n"+
				`Quota {{ $quota }}: {{ $resource }} requested `+quantity("value .")+"\n"+figure("used")+"\n"+figure("hard")+".")
	}
	return ""
}

// ranged repeats a line for each answer of a query.
func ranged(query, line string) string {
	return "{{ range query " + query + " -}}\n" + line + "\n{{ end -}}\n"
}

func figure(name string) string {
	return trimmed(with("(printf `max(quota_blocked_"+name+"{%s})` $figures)", ", "+name+" "+quantity(". | first | value")))
}

// quantity shows a number as Kubernetes writes it: memory and storage in powers of 1024, everything else in powers of 1000.
func quantity(value string) string {
	return `{{ if match "(memory|storage)$|hugepages" $resource }}{{ ` + value + ` | humanize1024 }}{{ else }}{{ ` + value + ` | humanize }}{{ end }}`
}
