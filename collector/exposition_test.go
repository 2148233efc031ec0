package collector

import (
	"bytes"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

var update = flag.Bool("update", false, "write the golden files")

// exposed returns a ready collector that has seen the objects of some files, and the registry that it is in.
func exposed(t *testing.T, maxFailures int, paths ...string) (*Collector, *prometheus.Registry) {
	t.Helper()
	objects, err := ReadObjects(paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects.Skipped) > 0 {
		t.Fatalf("skipped %v", objects.Skipped)
	}
	c, registry := costCollector(t, 0, 0)
	c.opts.MaxFailures = maxFailures
	keys, err := c.engine.fill(objects, costTime)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(keys) > 0; keys = keys[1:] {
		keys = append(keys, c.engine.judge(keys[0], costTime).next...)
	}
	return c, registry
}

// aboutFailures are the families that failures make: the catalogue's and those about the exporter have tests of their own.
func aboutFailures(t *testing.T, registry *prometheus.Registry) []*dto.MetricFamily {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(families, func(family *dto.MetricFamily) bool {
		switch name := family.GetName(); name {
		case "pod_failure_cause_info":
			return true
		case "kube_failure_exporter_failures", "kube_failure_exporter_dropped_failures", "kube_failure_exporter_cache_synced":
			return false
		default:
			return strings.HasPrefix(name, "kube_failure_exporter_")
		}
	})
}

func exposition(t *testing.T, families []*dto.MetricFamily) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&b, family); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestExposition takes the objects of each testdata/exposition/*.yaml and compares the text of /metrics with *.txt.
func TestExposition(t *testing.T) {
	inputs, err := filepath.Glob("testdata/exposition/*.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		t.Run(strings.TrimSuffix(filepath.Base(input), ".yaml"), func(t *testing.T) {
			_, registry := exposed(t, 100, input)
			got := exposition(t, aboutFailures(t, registry))
			golden := strings.TrimSuffix(input, "yaml") + "txt"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	goldens, err := filepath.Glob("testdata/exposition/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, golden := range goldens {
		if !slices.Contains(inputs, strings.TrimSuffix(golden, "txt")+"yaml") {
			t.Errorf("%s belongs to no input: remove it", golden)
		}
	}
}

// TestContract proves that every metric that the documentation names is shown with just those labels, and that it is well formed.
func TestContract(t *testing.T) {
	c, registry := exposed(t, 100, "testdata/exposition")
	c.self.terminations.WithLabelValues("shop", "Deployment", "web", "app", "OOMKilled").Inc()
	NewClock(registry, slog.New(slog.DiscardHandler))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]*dto.MetricFamily{}
	for _, family := range families {
		shown[family.GetName()] = family
	}
	for _, want := range Metrics() {
		family := shown[want.Name]
		if family == nil {
			t.Errorf("%s is not shown", want.Name)
			continue
		}
		delete(shown, want.Name)
		if got := strings.ToLower(family.GetType().String()); got != want.Type || family.GetHelp() != want.Help {
			t.Errorf("%s is a %s: %s", want.Name, got, family.GetHelp())
		}
		var labels []string
		for _, pair := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, pair.GetName())
		}
		if sorted := slices.Sorted(slices.Values(want.Labels)); !slices.Equal(labels, sorted) {
			t.Errorf("%s has the labels %v, want %v", want.Name, labels, sorted)
		}
	}
	for name := range shown {
		t.Errorf("%s is shown and in no documentation", name)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

// TestNotReady proves that nothing about failures is served before everything was judged once.
func TestNotReady(t *testing.T) {
	c, registry := exposed(t, 100, "testdata/exposition")
	c.ready.Store(false)
	const want = "# HELP kube_failure_exporter_cache_synced Whether every cache has synced and was judged once. Nothing about failures is served before.\n" +
		"# TYPE kube_failure_exporter_cache_synced gauge\nkube_failure_exporter_cache_synced 0\n"
	if got := string(exposition(t, aboutFailures(t, registry))); got != want {
		t.Errorf("got:\n%s", got)
	}
	if n, err := testutil.GatherAndCount(registry, "pod_failure_cause_info"); err != nil || n != len(classify.Causes()) {
		t.Errorf("%d causes, want %d: %v", n, len(classify.Causes()), err)
	}
}

// seriesOf returns the series of a metric, without its head.
func seriesOf(t *testing.T, registry *prometheus.Registry, prefixes ...string) []string {
	t.Helper()
	var series []string
	for line := range strings.Lines(string(exposition(t, aboutFailures(t, registry)))) {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(line, prefix) }) {
			series = append(series, strings.TrimSpace(line))
		}
	}
	return series
}

// TestLimit proves that a limit drops the latest failures, says so, and leaves what is counted over all failures as it is.
func TestLimit(t *testing.T) {
	_, all := exposed(t, 100, "testdata/exposition")
	c, few := exposed(t, 3, "testdata/exposition")
	const failures = 12
	if got, want := seriesOf(t, few, "kube_failure_exporter_"), []string{
		"kube_failure_exporter_cache_synced 1", fmt.Sprintf("kube_failure_exporter_dropped_failures %d", failures-3), fmt.Sprintf("kube_failure_exporter_failures %d", failures),
	}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	counted := []string{"quota_blocked_replicasets{", "quota_blocked_used{", "quota_blocked_hard{"}
	if got, want := seriesOf(t, few, counted...), seriesOf(t, all, counted...); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("aggregates with a limit:\n%s\nwithout:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	own := []string{"pod_failure_reason{", "pod_create_failure_reason{", "rollout_stalled_reason{"}
	before := seriesOf(t, few, own...)
	if len(before) != 3 {
		t.Errorf("%d failures have series, want 3", len(before))
	}
	f := classify.Failure{Kind: "Pod", Namespace: "a", Name: "a", Container: "a", WorkloadKind: "Pod", Workload: "a", Family: classify.FamilyCrash, Cause: classify.AppError}
	c.engine.memory.observe(key{"Pod", "a", "a"}, "1", classify.Verdict{Failures: []classify.Failure{f}}, costTime)
	if after := seriesOf(t, few, own...); !slices.Equal(after, before) {
		t.Errorf("a failure that opened has driven out:\n%s", strings.Join(minus(before, after), "\n"))
	}
	if got := seriesOf(t, few, "kube_failure_exporter_dropped"); got[0] != fmt.Sprintf("kube_failure_exporter_dropped_failures %d", failures-2) {
		t.Errorf("got %v", got)
	}
}

// valuesOf returns what the series of some metrics have for values of some labels.
func valuesOf(families []*dto.MetricFamily, labels []string, names ...string) map[string]bool {
	found := map[string]bool{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			values := make([]string, len(labels))
			for _, pair := range m.GetLabel() {
				if i := slices.Index(labels, pair.GetName()); i >= 0 {
					values[i] = pair.GetValue()
				}
			}
			if slices.Contains(names, family.GetName()) {
				found[strings.Join(values, "/")] = true
			}
		}
	}
	return found
}

// TestLimitBounds proves that a limit bounds what is told of the workloads and controllers that fail, too, and that what is shown has all
// that the alerts join with it.
func TestLimitBounds(t *testing.T) {
	_, all := exposed(t, 100, "testdata/exposition")
	whole := aboutFailures(t, all)
	workload, controller := []string{"namespace", "workload_kind", "workload"}, []string{"namespace", "controller_kind", "controller"}
	refused := 0
	for limit := 1; limit <= 12; limit++ {
		_, registry := exposed(t, limit, "testdata/exposition")
		few := aboutFailures(t, registry)
		for name, test := range map[string]struct{ labels, of []string }{
			"workload_desired_pods":    {workload, []string{"pod_failure_reason", "pod_create_failure_reason", "rollout_stalled_reason"}},
			"workload_ready_pods":      {workload, []string{"pod_failure_reason", "pod_create_failure_reason", "rollout_stalled_reason"}},
			"quota_blocked_controller": {controller, []string{"pod_create_failure_reason"}},
			"quota_blocked_requested":  {controller, []string{"pod_create_failure_reason"}},
		} {
			shown := valuesOf(few, test.labels, test.of...)
			want := valuesOf(whole, test.labels, name)
			maps.DeleteFunc(want, func(values string, _ bool) bool { return !shown[values] })
			if got := valuesOf(few, test.labels, name); !maps.Equal(got, want) {
				t.Errorf("%d failures are shown: %s is there for %v, want %v", limit, name, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			if name == "quota_blocked_requested" {
				refused += len(want)
			}
		}
	}
	if refused == 0 {
		t.Error("no controller that a quota refuses was ever shown")
	}
}

// TestHostile puts text that is no text wherever a cluster's users may put any.
func TestHostile(t *testing.T) {
	hostile := "a\xff\"\n\\\x00{}" + strings.Repeat("x", 5000)
	c, registry := costCollector(t, 0, 0)
	yes := true
	pod := costPod(1, true)
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: hostile, Name: hostile, Controller: &yes}}
	pod.Spec.NodeName, pod.Spec.Containers[0].Image = hostile, hostile
	pod.Status.ContainerStatuses[0].State.Waiting = &corev1.ContainerStateWaiting{Reason: hostile, Message: hostile}
	pod.Status.Reason, pod.Status.Message = hostile, hostile
	for i := range pod.Status.Conditions {
		pod.Status.Conditions[i].Reason, pod.Status.Conditions[i].Message = hostile, hostile
	}
	objects := &Objects{
		Pods: []*corev1.Pod{pod},
		Controllers: []classify.Controller{{Kind: "StatefulSet", Namespace: "team-1", Name: "db", Desired: 3, Conditions: []classify.ControllerCondition{{
			Type: "ReplicaFailure", True: true, Since: costTime,
			Message: "exceeded quota: q\xff, requested: a\xff=1,a\xfe=2,cpu=1e99999, used: a\xff=1,a\xfe=2, limited: a\xff=1,a\xfe=2",
		}}}, {Kind: "ReplicaSet", Namespace: "team-1", Name: "rs", Desired: 3, Conditions: []classify.ControllerCondition{{
			Type: "ReplicaFailure", True: true, Since: costTime,
			Message: "exceeded quota: q, requested: a\xff=1,a\xfe=2,b=1,b=3, used: a\xff=1,a\xfe=2,b=x, limited: a\xff=1,a\xfe=2",
		}}}},
	}
	keys, err := c.engine.fill(objects, costTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{costTime, costTime.Add(time.Hour)} {
		for _, k := range keys {
			c.engine.judge(k, at)
		}
	}
	text := exposition(t, aboutFailures(t, registry))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(bytes.NewReader(text)); err != nil {
		t.Error(err)
	}
	if n := len(c.engine.memory.failures()); n != 3 {
		t.Errorf("%d failures, want 3", n)
	}
	for _, closed := range []string{`reason="Other"`, `cause="QuotaExceeded"`, `quota_blocked_replicasets{namespace="team-1",resourcequota="q"} 1`} {
		if !bytes.Contains(text, []byte(closed)) {
			t.Errorf("no %s in:\n%.3000s", closed, text)
		}
	}
}
