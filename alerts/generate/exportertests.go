package main

import (
	"slices"
	"strings"
	"time"
)

// exporterCase is what makes one of the exporter's own alerts fire, and what must not.
type exporterCase struct {
	Alert string
	// When is empty where the alert has one case alone.
	When string
	// Firing and Silent are the series of two tests; At is when the alert fires first.
	Firing, Silent []series
	At             time.Duration
	// Ends is true where the series end the alert a minute later.
	Ends bool
	// Once is true where no minute until the twentieth may be without an alert, or have two.
	Once            bool
	Labels          []pair
	Summary, Detail string
}

const (
	target = `instance="10.0.0.1:9992"`
	other  = `instance="10.0.0.2:9992"`
	pods   = `resource="pods", selector=""`
	nodes  = `resource="nodes", selector=""`
	events = `resource="events", selector="type=Warning"`
)

// up is an exporter that runs.
func up() series { return series{"kube_failure_exporter_build_info{" + target + "}", "1x30"} }

// synced says whether an exporter has read its cluster.
func synced(labels, values string) series {
	return series{"kube_failure_exporter_cache_synced{" + labels + "}", values}
}

// downCases are those where nobody tells anything of a cluster.
func downCases() []exporterCase {
	const (
		name    = "KubeFailureExporterDown"
		summary = "No kube-failure-exporter that has read the cluster is scraped: nobody is told why pods fail."
		// The kubelet waits up to five minutes before it starts a container again.
		loop = "1 stale _x3 1 stale _x3 1 stale _x3 1 stale _x3 1 stale _x3"
	)
	severity := pair{"severity", "critical"}
	info := func(labels, values string) series {
		return series{"kube_failure_exporter_build_info{" + labels + "}", values}
	}
	return []exporterCase{
		{
			Alert: name, At: 5 * time.Minute, Ends: true, Labels: []pair{severity}, Summary: summary,
			Firing: []series{info(target, "_x6 1x10"), synced(target, "_x6 1x10")},
			Silent: []series{up(), synced(target, "1x30")},
		},
		{
			Alert: name, When: "dies before it has read", At: 5 * time.Minute, Once: true, Labels: []pair{severity}, Summary: summary,
			Firing: []series{info(target, loop), synced(target, strings.ReplaceAll(loop, "1", "0"))},
			Silent: []series{info(target, "1x15 stale _ 1x13"), synced(target, "1x15 stale _ 0 1x12")},
		},
		{
			Alert: name, When: "does not read", At: 5 * time.Minute, Once: true, Labels: []pair{severity}, Summary: summary,
			Firing: []series{up(), synced(target, "0x30")},
			Silent: []series{up(), synced(target, "0x30"), synced(other, "1x30")},
		},
		{
			Alert: name, When: "is lost in one cluster of two", At: 8 * time.Minute, Labels: []pair{{"cluster", "eu-1"}, severity},
			Summary: "No kube-failure-exporter that has read the cluster eu-1 is scraped: nobody is told why pods fail.",
			Firing: []series{
				info(`cluster="eu-1"`, "1x2 stale"), synced(`cluster="eu-1"`, "1x2 stale"),
				info(`cluster="eu-2"`, "1x30"), synced(`cluster="eu-2"`, "1x30"),
			},
			Silent: []series{
				info(`cluster="eu-1"`, "1x30"), synced(`cluster="eu-1"`, "1x30"),
				info(`cluster="eu-2"`, "1x30"), synced(`cluster="eu-2"`, "1x30"),
			},
		},
	}
}

// blindCases are those where failures are not seen, limitedCases those where less is told of them.
func blindCases() []exporterCase {
	return []exporterCase{
		{
			Alert: "KubeFailureExporterNotSynced", At: 10 * time.Minute, Ends: true,
			Firing:  []series{up(), synced(target, "0x10 1x5"), synced(other, "1x30")},
			Silent:  []series{up(), synced(target, "0x30")}, // alone it is down
			Labels:  []pair{{"instance", "10.0.0.1:9992"}, {"severity", "warning"}},
			Summary: "kube-failure-exporter 10.0.0.1:9992 has not read the cluster, though another has: it tells nothing.",
		},
		{
			Alert: "KubeFailureExporterWatchBroken", At: 10 * time.Minute, Ends: true,
			Firing: []series{
				up(), {"kube_failure_exporter_watch_up{" + pods + "}", "0x10 1x5"},
				{"kube_failure_exporter_watch_errors_total{" + pods + `, reason="forbidden"}`, "0x30"},
				{"kube_failure_exporter_watch_errors_total{" + pods + `, reason="timeout"}`, "0+1x30"},
			},
			Silent: []series{ // what is forbidden has an alert of its own
				up(), {"kube_failure_exporter_watch_up{" + nodes + "}", "0x30"},
				{"kube_failure_exporter_watch_errors_total{" + nodes + `, reason="forbidden"}`, "0+1x30"},
			},
			Labels:  []pair{{"resource", "pods"}, {"severity", "warning"}},
			Summary: "kube-failure-exporter cannot watch pods: what it tells of them is old.",
			Detail:  "Resource: pods. ",
		},
	}
}

func limitedCases() []exporterCase {
	return []exporterCase{
		{
			Alert: "KubeFailureExporterPermissionsMissing", At: 6 * time.Minute,
			Firing: []series{
				up(), {"kube_failure_exporter_watch_up{" + events + "}", "1 0x30"},
				{"kube_failure_exporter_watch_errors_total{" + events + `, reason="forbidden"}`, "0+1x30"},
			},
			Silent: []series{ // a broken watch, and a permission that was missing for a moment
				up(), {"kube_failure_exporter_watch_up{" + pods + "}", "0x30"},
				{"kube_failure_exporter_watch_errors_total{" + pods + `, reason="forbidden"}`, "0x30"},
				{"kube_failure_exporter_watch_errors_total{" + pods + `, reason="timeout"}`, "0+1x30"},
				{"kube_failure_exporter_watch_up{" + events + "}", "1x9 0 1x20"},
				{"kube_failure_exporter_watch_errors_total{" + events + `, reason="forbidden"}`, "0x9 2x20"},
			},
			Labels:  []pair{{"resource", "events"}, {"selector", "type=Warning"}, {"severity", "warning"}},
			Summary: "kube-failure-exporter may not read events.",
			Detail:  "Resource: events (type=Warning). ",
		},
		{
			Alert: "KubeFailureExporterUnclassifiedMessages", At: time.Minute,
			Firing:  []series{up(), {`kube_failure_exporter_unclassified_messages_total{family="image"}`, "0 1x30"}},
			Silent:  []series{up(), {`kube_failure_exporter_unclassified_messages_total{family="image"}`, "7x30"}},
			Labels:  []pair{{"family", "image"}, {"severity", "info"}},
			Summary: "kube-failure-exporter has met a message of family image that no rule knows.",
			Detail:  "Family: image. ",
		},
		{
			Alert: "KubeFailureExporterSeriesLimit", At: 5 * time.Minute, Ends: true,
			Firing:  []series{up(), {"kube_failure_exporter_dropped_failures{" + target + "}", "250x5 0x5"}},
			Silent:  []series{up(), {"kube_failure_exporter_dropped_failures{" + target + "}", "0x30"}},
			Labels:  []pair{{"severity", "warning"}},
			Summary: "kube-failure-exporter leaves out 250 failures: there are more than it may have series for.",
			Detail:  "Failures without series: 250. ",
		},
		{
			Alert: "KubeFailureExporterClockSkew", At: 15 * time.Minute, Ends: true,
			Firing:  []series{up(), {"kube_failure_exporter_clock_skew_seconds{" + target + "}", "-90x15 0x5"}},
			Silent:  []series{up(), {"kube_failure_exporter_clock_skew_seconds{" + target + "}", "0x30"}},
			Labels:  []pair{{"instance", "10.0.0.1:9992"}, {"severity", "warning"}},
			Summary: "The clock of kube-failure-exporter 10.0.0.1:9992 is off by -90 s.",
			Detail:  "Behind the API server by -90 s. ",
		},
	}
}

// exporterTests takes the long texts from the page; they have no template in them.
func exporterTests(page string, o options) ([]promTest, error) {
	var tests []promTest
	for _, c := range slices.Concat(downCases(), blindCases(), limitedCases()) {
		meaning, fix, err := troubleshooting(page, c.Alert)
		if err != nil {
			return nil, err
		}
		fire := firing{Labels: c.Labels, Annotations: []pair{
			{"summary", c.Summary}, {"description", c.Detail + meaning}, {"fix", fix}, {"runbook_url", runbookOf(c.Alert, o)},
		}}
		checks := []check{{c.At - time.Second, c.Alert, nil}, {c.At, c.Alert, []firing{fire}}}
		if c.Ends {
			checks = append(checks, check{c.At + time.Minute, c.Alert, nil})
		}
		fires := promTest{Name: strings.TrimSpace(c.Alert + " " + c.When), Series: c.Firing, Checks: checks}
		if c.Once {
			fires.Always = []always{{20 * time.Minute, `count(ALERTS{alertstate="firing"}) or vector(0)`}}
		}
		tests = append(tests, fires,
			promTest{Name: fires.Name + " is silent", Series: c.Silent, Checks: []check{{20 * time.Minute, c.Alert, nil}}})
	}
	return tests, nil
}
