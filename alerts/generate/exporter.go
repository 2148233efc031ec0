package main

import (
	"fmt"
	"strings"
)

// exporterAlert is an alert about the exporter itself. Its meaning and its fix stand in docs/troubleshooting.md.
type exporterAlert struct {
	Name, Expr, For, Severity string
	// Summary and Detail are templates: one line, and what the labels and the value tell.
	Summary, Detail string
}

// Of a watch that is down, forbidden parts what a permission mends from all else.
const (
	watchDown = `min by (cluster, resource, selector) (kube_failure_exporter_watch_up) == 0`
	forbidden = `on (cluster, resource, selector)
increase(kube_failure_exporter_watch_errors_total{reason="forbidden"}[5m]) > 0`
)

// An exporter tells something once it has read its cluster. One that is only scraped, or that dies again and again before it has
// read, is as silent as none, so that both are down; and each cluster has one of its own, known by what was seen within a day.
const (
	telling = `group by (cluster) (kube_failure_exporter_cache_synced == 1)`
	down    = `group by (cluster) (last_over_time(kube_failure_exporter_build_info[1d]))
unless
` + telling + `
or
group by (cluster) (absent_over_time(kube_failure_exporter_build_info[1d]))`
	// Where no other exporter has read the cluster, it is down.
	unsynced = `min by (cluster, instance) (kube_failure_exporter_cache_synced) == 0
and on (cluster)
` + telling
)

func exporterAlerts() []exporterAlert {
	return []exporterAlert{
		{
			Name: "KubeFailureExporterDown", Expr: down, For: "5m", Severity: "critical",
			Summary: "No kube-failure-exporter that has read the cluster{{ with $labels.cluster }} {{ . }}{{ end }} is scraped: " +
				"nobody is told why pods fail.",
		},
		{
			Name: "KubeFailureExporterNotSynced", Expr: unsynced, For: "10m", Severity: "warning",
			Summary: "kube-failure-exporter {{ $labels.instance }} has not read the cluster, though another has: it tells nothing.",
		},
		{
			Name: "KubeFailureExporterWatchBroken", For: "10m", Severity: "warning",
			Expr:    watchDown + "\nunless " + forbidden,
			Summary: "kube-failure-exporter cannot watch {{ $labels.resource }}: what it tells of them is old.",
			Detail:  "Resource: {{ $labels.resource }}{{ with $labels.selector }} ({{ . }}){{ end }}.",
		},
		{
			// Not the errors alone: a permission that was taken away for a moment is missed no more.
			Name: "KubeFailureExporterPermissionsMissing", For: "5m", Severity: "warning",
			Expr:    watchDown + "\nand " + forbidden,
			Summary: "kube-failure-exporter may not read {{ $labels.resource }}.",
			Detail:  "Resource: {{ $labels.resource }}{{ with $labels.selector }} ({{ . }}){{ end }}.",
		},
		{
			Name: "KubeFailureExporterUnclassifiedMessages", Severity: "info",
			Expr:    "max by (cluster, family) (increase(kube_failure_exporter_unclassified_messages_total[1h])) > 0",
			Summary: "kube-failure-exporter has met a message of family {{ $labels.family }} that no rule knows.",
			Detail:  "Family: {{ $labels.family }}.",
		},
		{
			Name: "KubeFailureExporterSeriesLimit", For: "5m", Severity: "warning",
			Expr:    "max by (cluster) (kube_failure_exporter_dropped_failures) > 0",
			Summary: `kube-failure-exporter leaves out {{ printf "%.0f" $value }} failures: there are more than it may have series for.`,
			Detail:  `Failures without series: {{ printf "%.0f" $value }}.`,
		},
		{
			Name: "KubeFailureExporterClockSkew", For: "15m", Severity: "warning",
			Expr:    "max by (cluster, instance) (kube_failure_exporter_clock_skew_seconds) != 0",
			Summary: `The clock of kube-failure-exporter {{ $labels.instance }} is off by {{ printf "%.0f" $value }} s.`,
			Detail:  `Behind the API server by {{ printf "%.0f" $value }} s.`,
		},
	}
}

func exporterGroup(page string, o options) (group, error) {
	g := group{Name: "exporter"}
	for _, a := range exporterAlerts() {
		meaning, fix, err := troubleshooting(page, a.Name)
		if err != nil {
			return g, err
		}
		description := literal(meaning)
		if a.Detail != "" {
			description = a.Detail + " " + description
		}
		g.Rules = append(g.Rules, rule{
			Alert: a.Name, Expr: a.Expr, For: a.For, Labels: []pair{{"severity", a.Severity}},
			Annotations: []pair{
				{"summary", a.Summary}, {"description", description}, {"fix", literal(fix)},
				{"runbook_url", runbookOf(a.Name, o)},
			},
		})
	}
	return g, nil
}

// runbookOf is the alert's section, as GitHub names it.
func runbookOf(alert string, o options) string {
	return o.TroubleshootingURL + "#" + strings.ToLower(alert)
}

// troubleshooting returns what the page says under an alert's name.
func troubleshooting(page, alert string) (meaning, fix string, err error) {
	_, after, ok := strings.Cut(page, "\n## "+alert+"\n")
	if !ok {
		return "", "", fmt.Errorf("docs/troubleshooting.md has no section %s: write one with Meaning, Diagnosis and Fix", alert)
	}
	section, _, _ := strings.Cut(after, "\n## ")
	meaning, rest, ok := strings.Cut(section, "\n### Diagnosis\n")
	_, fix, closed := strings.Cut(rest, "\n### Fix\n")
	meaning, opened := strings.CutPrefix(strings.TrimSpace(meaning), "### Meaning\n")
	if !ok || !closed || !opened {
		return "", "", fmt.Errorf("docs/troubleshooting.md, section %s: want the headings Meaning, Diagnosis and Fix, in this order", alert)
	}
	return oneLine(meaning), strings.TrimSpace(fix), nil
}
