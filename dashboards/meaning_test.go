package dashboards

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// evaluation is one of promtool's own tests: series in, what expressions give out.
type evaluation struct {
	Interval string              `json:"interval"`
	Series   []map[string]string `json:"input_series"`
	Exprs    []expectation       `json:"promql_expr_test"`
}

type expectation struct {
	Expr    string   `json:"expr"`
	At      string   `json:"eval_time"`
	Samples []sample `json:"exp_samples"`
}

type sample struct {
	Labels string  `json:"labels"`
	Value  float64 `json:"value"`
}

func gives(value float64) []sample { return []sample{{"{}", value}} }

// seriesOf writes a cluster's series for twelve minutes, a line each: the selector, and the value that it keeps.
func seriesOf(lines string) []map[string]string {
	var all []map[string]string
	for line := range strings.Lines(lines) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok {
			all = append(all, map[string]string{"series": name + "}", "values": value + "+0x12"})
		}
	}
	return all
}

func evaluate(t *testing.T, lines string, exprs []expectation) {
	t.Helper()
	evaluateSeries(t, seriesOf(lines), exprs)
}

func evaluateSeries(t *testing.T, series []map[string]string, exprs []expectation) {
	t.Helper()
	rules, err := filepath.Abs("../alerts/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i := range exprs {
		exprs[i].At = "12m"
	}
	text, err := yaml.Marshal(map[string]any{
		"rule_files": []string{rules}, "evaluation_interval": "1m",
		"tests": []evaluation{{Interval: "1m", Series: series, Exprs: exprs}},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "test.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := promtool(t)("test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// expr is the expression of one query, in parentheses.
func expr(t *testing.T, name string) string {
	t.Helper()
	for _, q := range allQueries(t) {
		if q.name() == name {
			return "(" + q.Expr + ")"
		}
	}
	t.Fatalf("there is no query %s", name)
	return ""
}

// zeroes are the numbers that say that nothing fails, and at which an alert receiver looks first.
func zeroes() []string {
	return []string{
		"overview.json/Down/A", "overview.json/Degraded/A", "overview.json/Failing pods/A", "overview.json/Missing pods/A",
		"overview.json/Began in the last hour/A", "overview.json/Failing workloads/A", "overview.json/Failing workloads/B",
		"overview.json/Pods/A", "overview.json/Pods/B", "overview.json/Causes over time/B", "overview.json/Namespaces over time/B",
		"quotas.json/Blocked controllers/A", "quotas.json/Missing pods/A", "quotas.json/Quotas that block/A",
		"workload.json/Failing or missing/A", "workload.json/Rollout/A", "workload.json/Causes over time/D",
	}
}

// TestNothingFails: where all is well, a panel says so with a 0 of its own.
func TestNothingFails(t *testing.T) {
	exprs := []expectation{{Expr: expr(t, "workload.json/State/A"), Samples: gives(-1)}}
	for _, name := range zeroes() {
		exprs = append(exprs, expectation{Expr: expr(t, name), Samples: gives(0)})
	}
	evaluate(t, "kube_failure_exporter_cache_synced{} 1", exprs)
}

// TestNobodyKnows: without an exporter that has read the cluster nothing says that all is well.
func TestNobodyKnows(t *testing.T) {
	for _, series := range []string{"up{} 0", "kube_failure_exporter_cache_synced{} 0"} {
		exprs := []expectation{{Expr: expr(t, "workload.json/State/A")}}
		for _, name := range zeroes() {
			exprs = append(exprs, expectation{Expr: expr(t, name)})
		}
		evaluate(t, series, exprs)
	}
}

// broken is a small cluster as one exporter tells it: web is down with two pods, of which one has two failing containers; api is
// degraded, blocked by a quota and stalled; a CronJob's pod fails; a rollout stalls that no pod explains.
const broken = `kube_failure_exporter_cache_synced{%[1]s} 1
pod_failure_reason{%[1]snamespace="shop",pod="web-1",container="app",node="n1",workload_kind="Deployment",workload="web",family="image",reason="ImagePullBackOff",cause="ImageTagNotFound"} 1
pod_failure_reason{%[1]snamespace="shop",pod="web-1",container="proxy",node="n1",workload_kind="Deployment",workload="web",family="crash",reason="CrashLoopBackOff",cause="OOMKilled"} 1
pod_failure_reason{%[1]snamespace="shop",pod="web-2",container="app",node="n2",workload_kind="Deployment",workload="web",family="image",reason="ImagePullBackOff",cause="ImageTagNotFound"} 1
pod_failure_start_time_seconds{%[1]snamespace="shop",pod="web-1",container="app"} 500
pod_failure_start_time_seconds{%[1]snamespace="shop",pod="web-1",container="proxy"} 600
pod_failure_start_time_seconds{%[1]snamespace="shop",pod="web-2",container="app"} 400
workload_desired_pods{%[1]snamespace="shop",workload_kind="Deployment",workload="web"} 2
workload_ready_pods{%[1]snamespace="shop",workload_kind="Deployment",workload="web"} 0
pod_create_failure_reason{%[1]snamespace="shop",controller_kind="ReplicaSet",controller="api-1",workload_kind="Deployment",workload="api",reason="FailedCreate",cause="QuotaExceeded"} 1
pod_create_failure_start_time_seconds{%[1]snamespace="shop",controller_kind="ReplicaSet",controller="api-1"} 300
pod_create_failure_missing_pods{%[1]snamespace="shop",controller_kind="ReplicaSet",controller="api-1"} 3
rollout_stalled_reason{%[1]snamespace="shop",workload_kind="Deployment",workload="api",reason="ProgressDeadlineExceeded",cause="QuotaExceeded"} 1
workload_desired_pods{%[1]snamespace="shop",workload_kind="Deployment",workload="api"} 5
workload_ready_pods{%[1]snamespace="shop",workload_kind="Deployment",workload="api"} 2
quota_blocked_replicasets{%[1]snamespace="shop",resourcequota="compute"} 1
quota_blocked_replicasets{%[1]snamespace="bank",resourcequota="compute"} 0
quota_blocked_controller{%[1]snamespace="shop",resourcequota="compute",controller_kind="ReplicaSet",controller="api-1",workload_kind="Deployment",workload="api"} 1
quota_blocked_requested{%[1]snamespace="shop",resourcequota="compute",resource="requests.cpu",controller_kind="ReplicaSet",controller="api-1"} 0.5
quota_blocked_used{%[1]snamespace="shop",resourcequota="compute",resource="requests.cpu"} 1.5
quota_blocked_hard{%[1]snamespace="shop",resourcequota="compute",resource="requests.cpu"} 2
quota_blocked_requested{%[1]snamespace="shop",resourcequota="compute",resource="pods",controller_kind="ReplicaSet",controller="api-1"} 1
quota_blocked_hard{%[1]snamespace="shop",resourcequota="compute",resource="pods"} 0
quota_blocked_used{%[1]snamespace="shop",resourcequota="compute",resource="pods"} 0
quota_blocked_hard{%[1]snamespace="shop",resourcequota="compute",resource="services.loadbalancers"} 4
quota_blocked_used{%[1]snamespace="shop",resourcequota="compute",resource="services.loadbalancers"} 0
pod_failure_start_time_seconds{%[1]snamespace="bank",pod="sum-1",container="app"} 100
pod_failure_reason{%[1]snamespace="bank",pod="sum-1",container="app",node="n1",workload_kind="CronJob",workload="sum",family="crash",reason="CrashLoopBackOff",cause="OOMKilled"} 1
rollout_stalled_reason{%[1]snamespace="bank",workload_kind="Deployment",workload="ui",reason="ProgressDeadlineExceeded",cause="ProgressDeadlineExceeded"} 1
`

// twice is what two exporters tell of one cluster while an update of theirs is under way: the texts of a cause differ.
func twice(cluster string) string {
	var text strings.Builder
	for i, fix := range []string{"Do this.", "Do that."} {
		labels := fmt.Sprintf(`%sinstance="i%d",job="kfe",`, cluster, i)
		fmt.Fprintf(&text, broken, labels)
		for _, cause := range []string{"ImageTagNotFound", "OOMKilled", "QuotaExceeded", "ProgressDeadlineExceeded"} {
			fmt.Fprintf(&text, "pod_failure_cause_info{%scause=%q,family=\"f\",severity=\"s\",summary=\"%s\",fix=%q,runbook_url=\"u\"} 1\n", labels, cause, cause, fix)
		}
	}
	return text.String()
}

// TestTwoExportersCountOnce has every number of the broken cluster, without and with the label cluster.
func TestTwoExportersCountOnce(t *testing.T) {
	query := func(name string) string { return expr(t, name) }
	rows := func(name string) string { return "count(" + expr(t, name) + ")" }
	total := func(name string) string { return "sum(" + expr(t, name) + ")" }
	want := map[string]float64{
		query("overview.json/Down/A"): 1, query("overview.json/Degraded/A"): 3,
		query("overview.json/Failing pods/A"): 3, query("overview.json/Missing pods/A"): 3,
		query("overview.json/Began in the last hour/A"): 4,
		// One row for each workload and cause; a CronJob's pods are not counted, and a stalled rollout has neither pods nor a start.
		rows("overview.json/What fails, and the fix/A"): 5, rows("overview.json/What fails, and the fix/B"): 4,
		rows("overview.json/What fails, and the fix/C"): 4, rows("overview.json/What fails, and the fix/D"): 3,
		rows("overview.json/What fails, and the fix/E"): 3, rows("overview.json/What fails, and the fix/F"): 5,
		total("overview.json/What fails, and the fix/B"): 7, total("overview.json/What fails, and the fix/F"): 2,
		"min" + query("overview.json/What fails, and the fix/C"): 100000, "max" + query("overview.json/What fails, and the fix/C"): 600000,
		rows("overview.json/Workloads by cause/A"): 4, total("overview.json/Workloads by cause/A"): 5,
		rows("overview.json/Workloads by namespace/A"): 2, total("overview.json/Workloads by namespace/A"): 4,
		"max" + query("overview.json/Top workloads/A"): 3, total("overview.json/Top workloads/A"): 6,
		rows("overview.json/New in the last hour/A"): 4,
		rows("workload.json/Why/A"):                  4, total("workload.json/Why/A"): 7, rows("workload.json/Why/B"): 4, rows("workload.json/The fix/A"): 4,
		query("workload.json/Ready/A"): 2, query("workload.json/Desired/A"): 7, query("workload.json/Failing or missing/A"): 6,
		query("workload.json/Rollout/A"): 1, query("workload.json/State/A"): 1, rows("workload.json/Failing pods/A"): 4,
		query("quotas.json/Blocked controllers/A"): 1, query("quotas.json/Blocked ReplicaSets/A"): 1, query("quotas.json/Quotas/A"): 2,
		query("quotas.json/Missing pods/A"): 3, query("quotas.json/Quotas that block/A"): 1,
		rows("quotas.json/Blocked by a quota/A"): 1, total("quotas.json/Blocked by a quota/B"): 3,
		total("quotas.json/Blocked by a quota/C"): 300000,
		total("quotas.json/CPU and objects/C"):    4.5,
		// A quota of nothing is full, and a pod more is far above it.
		total("quotas.json/CPU and objects/E"): 1.75, total("quotas.json/Used of the quota/A"): 1.75, "min" + query("quotas.json/Used of the quota/A"): 0,
		rows("quotas.json/With one more pod/A"): 2, "min" + query("quotas.json/With one more pod/A"): 1, "max" + query("quotas.json/With one more pod/A"): 10,
		// What the rules record is the same.
		`count(workload:pod_failure:severity{severity="critical"}) - ` + query("overview.json/Down/A"):    0,
		`count(workload:pod_failure:severity{severity="warning"}) - ` + query("overview.json/Degraded/A"): 0,
		`sum(workload:failing_pods:count) - ` + total("overview.json/What fails, and the fix/B"):          0,
		`sum(cause:failing_workloads:count) - ` + total("overview.json/Workloads by cause/A"):             0,
		`sum(namespace:missing_pods:sum) - ` + query("overview.json/Missing pods/A"):                      0,
	}
	var exprs []expectation
	for expression, value := range want {
		exprs = append(exprs, expectation{Expr: expression, Samples: gives(value)})
	}
	for _, cluster := range []string{"", `cluster="eu",`} {
		evaluate(t, twice(cluster), exprs)
	}
}

// TestBytesAreShownAsBytes: a table has one unit, and a count of claims is no size although the name of its resource has storage in it.
func TestBytesAreShownAsBytes(t *testing.T) {
	var text strings.Builder
	want := map[string][]sample{}
	for panel, resources := range map[string][]string{
		"CPU and objects": {
			"gold.storageclass.storage.k8s.io/persistentvolumeclaims", "persistentvolumeclaims", "count/volumeattachments.storage.k8s.io", "requests.cpu", "pods",
		},
		"Memory and storage": {
			"gold.storageclass.storage.k8s.io/requests.storage", "requests.storage", "limits.ephemeral-storage", "memory", "requests.hugepages-2Mi",
		},
	} {
		for _, resource := range resources {
			fmt.Fprintf(&text, "quota_blocked_hard{resource=%q} 2\n", resource)
			want[panel] = append(want[panel], sample{fmt.Sprintf("{resource=%q}", resource), 2})
		}
	}
	var exprs []expectation
	for panel, samples := range want {
		exprs = append(exprs, expectation{Expr: expr(t, "quotas.json/"+panel+"/A"), Samples: samples})
	}
	evaluate(t, text.String(), exprs)
}

// TestFirstEndIsSeen: a counter begins with its first end, which increase() never sees.
func TestFirstEndIsSeen(t *testing.T) {
	series := []map[string]string{
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="OOMKilled"}`, "values": "_x12 1"},
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="AppError"}`, "values": "4+0x11 6"},
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="AppError",instance="restarted"}`, "values": "0+0x11 2"},
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="Killed"}`, "values": "9+0x11 1"},
		// An exporter that took another's place counts from its own start.
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="ProbeFailed",instance="old"}`, "values": "9x8 stale"},
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="ProbeFailed",instance="new"}`, "values": "_x11 1 2"},
		// A scrape that failed has made these stale for a step: what had been counted before it has not happened again.
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="ProbeTimeout"}`, "values": "7x10 stale 7"},
		{"series": `container_terminations_total{namespace="shop",workload="web",cause="LivenessProbeFailed"}`, "values": "7x10 stale 8"},
	}
	evaluateSeries(t, series, []expectation{{Expr: expr(t, "workload.json/Ends of containers by cause/A"), Samples: []sample{
		{`{cause="OOMKilled"}`, 1}, {`{cause="AppError"}`, 2}, {`{cause="Killed"}`, 0}, {`{cause="ProbeTimeout"}`, 0}, {`{cause="LivenessProbeFailed"}`, 1},
		{`{cause="ProbeFailed"}`, 1},
	}}})
}

// TestOnlyExportersAreShown has other targets beside two exporters of two clusters, of which one cannot be scraped any more. What
// Prometheus says of every target has no cluster, unless the exporter's own series lend theirs.
func TestOnlyExportersAreShown(t *testing.T) {
	var series []map[string]string
	add := func(name, job, instance, values string) {
		series = append(series, map[string]string{"series": fmt.Sprintf("%s{job=%q,instance=%q}", name, job, instance), "values": values})
	}
	for _, target := range []struct{ job, instance, up, rest string }{
		{"kfe", "a", "1x12", "1x12"}, {"kfe", "b", "1x9 0x2", "1x9 stale"}, {"node", "a", "0x12", "9x12"}, {"node", "c", "0x12", "9x12"},
	} {
		add("up", target.job, target.instance, target.up)
		add("scrape_duration_seconds", target.job, target.instance, strings.ReplaceAll(target.up, "0x2", "1x2"))
		add("process_resident_memory_bytes", target.job, target.instance, target.rest)
		add("process_cpu_seconds_total", target.job, target.instance, "0+60x12")
	}
	series = append(series,
		map[string]string{"series": `kube_failure_exporter_build_info{cluster="eu",job="kfe",instance="a"}`, "values": "1x12"},
		map[string]string{"series": `kube_failure_exporter_build_info{cluster="us",job="kfe",instance="b"}`, "values": "1x9 stale"})
	up, costs := expr(t, "exporter.json/Up/A"), map[string][]sample{
		"exporter.json/Scrape duration/A": {{`{instance="a"}`, 1}, {`{instance="b"}`, 1}},
		"exporter.json/Memory/A":          {{`{instance="a"}`, 1}},
		"exporter.json/CPU/A":             {{`{instance="a"}`, 1}, {`{instance="b"}`, 1}},
	}
	chosen := func(expr string) string { return strings.ReplaceAll(expr, `cluster=~".*"`, `cluster="eu"`) }
	exprs := []expectation{{Expr: up, Samples: gives(0.5)}, {Expr: chosen(up), Samples: gives(1)}}
	for name, samples := range costs {
		query := strings.ReplaceAll(expr(t, name), "[1m]", "[2m]") // a rate needs two samples, which Prometheus 3 finds in no single minute
		exprs = append(exprs, expectation{Expr: query, Samples: samples}, expectation{Expr: chosen(query), Samples: samples[:1]})
	}
	evaluateSeries(t, series, exprs)
}
