package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

const exporterName = "kube-failure-exporter"

// group is one group of rules, which is one file.
type group struct {
	// Name is the last part of the group's name, and of the file's.
	Name  string
	Rules []rule
}

func (g group) file() string { return g.Name + ".yaml" }

// rule is an alert, or with a Record a recording rule.
type rule struct {
	Comment             string
	Alert, Record       string
	Expr, For, Keep     string
	Labels, Annotations []pair
}

// pair is one line of a map, so that maps keep an order that reads well.
type pair struct{ Key, Value string }

// alertName is the alert of a cause.
func alertName(cause classify.Cause) string {
	if strings.HasPrefix(string(cause), "Pod") {
		return string(cause)
	}
	return "Pod" + string(cause)
}

// alerted says whether a cause has an alert: a pod that waits for its scheduling gate does what it was told.
func alerted(page *classify.Page) bool { return page.Severity != "info" }

func causeGroups(catalogue *classify.Catalogue, o options) []group {
	var groups []group
	for _, page := range catalogue.Pages() {
		if len(groups) == 0 || groups[len(groups)-1].Name != string(page.Family) {
			groups = append(groups, group{Name: string(page.Family)})
		}
		if last := &groups[len(groups)-1]; alerted(page) {
			last.Rules = append(last.Rules, causeRule(page, o))
		}
	}
	return groups
}

// atLeastKept is longer than a scrape or two that fail and a restart of the exporter, in which all series end at once: an alert
// that ended with them would be told as over, and then anew.
const atLeastKept = 3 * time.Minute

// kept is how long an alert outlives its failure. Not shorter than the wait: where a severity changes, the alert of the old one
// stays until that of the new one has waited.
func kept(page *classify.Page) time.Duration { return max(atLeastKept, page.Wait) }

func causeRule(page *classify.Page, o options) rule {
	return rule{
		Comment: page.WaitReason,
		Alert:   alertName(page.Cause),
		Expr:    failing(page) + bySeverity,
		For:     duration(page.Wait),
		Keep:    duration(kept(page)),
		Labels:  []pair{{"cause", string(page.Cause)}, {"family", string(page.Family)}},
		Annotations: []pair{
			{"summary", summary(page)},
			{"description", description(page)},
			{"fix", fix(page)},
			{"runbook_url", fmt.Sprintf("%s/%s.md", o.RunbookURL, page.Cause)},
			{"dashboard_url", o.DashboardURL + "/d/kube-failure-exporter-workload?var-namespace={{ $labels.namespace }}" +
				"&var-workload_kind={{ $labels.workload_kind }}&var-workload={{ $labels.workload }}" +
				"{{ with $labels.cluster }}&var-cluster={{ . }}{{ end }}"},
		},
	}
}

// The labels that rules group by. Exporters that run twice tell everything twice, under other names of their own: whatever
// is counted is first made one by these.
const (
	workloadLabels   = "cluster, namespace, workload_kind, workload"
	controllerLabels = "cluster, namespace, controller_kind, controller"
)

// bySeverity gives each workload the severity that is recorded for it. A workload may have both for a moment (while it
// changes, or after a restart of Prometheus): then it is critical, where a plain join would fail for every workload.
const bySeverity = `
* on (cluster, namespace, workload_kind, workload) group_left (severity) (
    workload:pod_failure:severity{severity="critical"}
  or on (cluster, namespace, workload_kind, workload)
    workload:pod_failure:severity{severity="warning"}
)`

// failing counts the pods that fail for a cause, by workload.
func failing(page *classify.Page) string {
	switch page.Family {
	case classify.FamilyCreate:
		return fmt.Sprintf(`sum by (%[1]s) (
    max by (%[2]s, workload_kind, workload) (pod_create_failure_reason{cause="%[3]s"})
  * on (%[2]s) group_left ()
    max by (%[2]s) (pod_create_failure_missing_pods)
)`, workloadLabels, controllerLabels, page.Cause)
	case classify.FamilyRollout:
		return fmt.Sprintf(`max by (%s) (rollout_stalled_reason{cause="%s"})`, workloadLabels, page.Cause)
	}
	return fmt.Sprintf(`count by (%[1]s, container) (
  max by (%[1]s, container, pod) (pod_failure_reason{cause="%[2]s"})
)`, workloadLabels, page.Cause)
}
