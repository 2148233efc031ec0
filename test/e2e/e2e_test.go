//go:build e2e

package e2e

import (
	"context"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// TestCluster runs everything that this machine can: without root or a container runtime the control plane alone.
func TestCluster(t *testing.T) {
	t.Parallel()
	missing := cluster.Missing(true)
	if len(missing) > 0 {
		t.Logf("!!! NO NODE ON THIS MACHINE: only what a control plane does alone is tested, because it lacks:\n%s", strings.Join(missing, "\n"))
	}
	s := start(t, len(missing) == 0)
	s.startWatching(t.Context())
	if s.node {
		s.startAlerting(t.Context())
	}
	t.Run("Watched", func(t *testing.T) { // side by side: both mostly wait
		t.Run("Scenarios", func(t *testing.T) {
			t.Parallel()
			s.on(t, (*suite).testScenarios)
		})
		if s.node {
			t.Run("Recovery", func(t *testing.T) {
				t.Parallel()
				s.on(t, (*suite).testRecovery)
			})
		}
	})
	if s.node {
		t.Run("Browser", func(t *testing.T) { s.on(t, (*suite).testBrowser) })
	}
	t.Run("Faults", func(t *testing.T) { s.on(t, (*suite).testFaults) })
	if s.node {
		t.Run("Alerts", func(t *testing.T) { s.on(t, (*suite).testAlerts) })
	}
	s.stopWatching()
	if s.node {
		t.Run("Node", func(t *testing.T) { s.on(t, (*suite).testNode) })
	}
}

// TestWithoutNode runs what only a cluster without any node shows.
func TestWithoutNode(t *testing.T) {
	t.Parallel() // while TestCluster mostly waits
	if missing := cluster.Missing(false); len(missing) > 0 {
		t.Skipf("!!! NO CLUSTER ON THIS MACHINE: it lacks:\n%s", strings.Join(missing, "\n"))
	}
	if len(cluster.Missing(true)) > 0 {
		t.Skip("TestCluster has done that")
	}
	s := start(t, false)
	s.watching = time.Minute
	s.startWatching(t.Context())
	t.Run("Scenarios", func(t *testing.T) { s.on(t, (*suite).testScenarios) })
	s.stopWatching()
}

// startWatching starts the exporters and what looks at them: one that all scenarios are told by, and one, with a crash hold that
// can be waited for, for those that are cured.
func (s *suite) startWatching(ctx context.Context) {
	s.account(ctx)
	if !s.node {
		s.objects, s.scenarios = withoutNode(s.objects, s.scenarios)
	}
	curedTimes := s.times
	curedTimes.CrashHold = crashHold
	var err error
	s.steadyTruth, err = Watch(ctx, s.client, s.times)
	s.must(err)
	s.curedTruth, err = Watch(ctx, s.client, curedTimes)
	s.must(err)
	s.steady = s.exporter(ctx, s.exporterConfig, withoutCured()...)
	s.curing = s.exporter(ctx, s.exporterConfig, "--crash.hold="+crashHold.String())
	s.steadyTracks, s.curedTracks = NewRecorder(), NewRecorder()
}

// stopWatching ends the exporters, which must go in peace.
func (s *suite) stopWatching() {
	s.steadyTruth.Stop()
	s.curedTruth.Stop()
	s.must(s.steady.Stop())
	s.must(s.curing.Stop())
}

// testScenarios applies all scenarios and watches them.
func (s *suite) testScenarios(ctx context.Context) {
	e, truth, recorder := s.steady, s.steadyTruth, s.steadyTracks
	prometheus := s.prometheus(ctx, e)
	began := time.Now()
	recording := s.record(ctx, func() *Exporter { return e }, recorder, 250*time.Millisecond)
	s.applyAll(ctx, s.objects)
	deleted := map[Workload]bool{}
	for time.Since(began) < s.watching {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		s.deleteRunning(ctx, deleted)
	}
	if prometheus != nil {
		s.checkPrometheus(ctx, prometheus, e, time.Since(began))
	}
	recording()
	scrape, scrapes := recorder.Last()
	results, violations := Judge(s.scenarios, recorder.Tracks(), truth.Due, time.Since(began))
	s.report.Violate(violations...)
	if s.node {
		s.report.Violate(JudgeQuota(s.scenarios, scrape)...)
	}
	causes := map[classify.Cause]bool{}
	for _, result := range results {
		s.report.Add(result)
		causes[result.Expectation.Cause] = true
	}
	s.report.Note("%d workloads, %d expectations, %d causes, %d scrapes", len(s.scenarios), len(results), len(causes), scrapes)
	s.noteLatencies(results)
	settled := 0
	for _, track := range recorder.Tracks() {
		if track.Settled {
			settled++
		}
	}
	s.report.Note("crash loops whose start was dated anew within %s of being told, by the event of the back-off: %d", settling, settled)
	if resident, ok := scrape.Value("process_resident_memory_bytes"); ok {
		s.report.Note("the exporter's memory after the scenarios: %.0f MiB", resident/(1<<20))
	}
}

func withoutNode(objects []Object, scenarios []Scenario) ([]Object, []Scenario) {
	scenarios = slices.DeleteFunc(scenarios, func(sc Scenario) bool { return sc.NeedsNode() })
	kept := map[Workload]bool{}
	for i := range scenarios {
		kept[scenarios[i].Workload] = true
	}
	objects = slices.DeleteFunc(objects, func(o Object) bool {
		return o.GetKind() == "CSINode" || templateAnnotations(o.Unstructured) != nil && !kept[Workload{o.GetNamespace(), o.GetKind(), o.GetName()}]
	})
	extra, err := ReadObjects([]byte(noNodes), nil)
	if err != nil {
		panic(err) // it is a constant
	}
	objects = append(objects, Object{extra[0], "schedule"})
	scenarios = append(scenarios, Scenario{
		Workload: Workload{"default", "Pod", "no-nodes"}, File: "schedule",
		Expect: []Expectation{{Metric: metricPod, Cause: classify.NoNodes, Family: string(classify.FamilySchedule)}},
	})
	return objects, scenarios
}

const noNodes = `
apiVersion: v1
kind: Pod
metadata: {name: no-nodes, namespace: default}
spec: {containers: [{name: app, image: "example.com/app:1"}]}
`

// deleteRunning deletes the pods whose manifest says so, once they run.
func (s *suite) deleteRunning(ctx context.Context, deleted map[Workload]bool) {
	for i := range s.scenarios {
		sc := &s.scenarios[i]
		if !sc.Delete || deleted[sc.Workload] {
			continue
		}
		pod, err := s.client.CoreV1().Pods(sc.Namespace).Get(ctx, sc.Name, metav1.GetOptions{})
		if err == nil && pod.Status.Phase == corev1.PodRunning {
			s.must(s.client.Delete(ctx, "Pod", sc.Namespace, sc.Name))
			deleted[sc.Workload] = true
		}
	}
}

func (s *suite) noteLatencies(results []Result) {
	var all []time.Duration
	for _, result := range results {
		if result.Latency >= 0 {
			all = append(all, result.Latency)
		}
	}
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	s.report.Note("status (and grace) to series, slowest of each workload, scraped four times a second: median %s s, 95 %% %s s, max %s s of %d",
		seconds(all[len(all)/2]), seconds(all[len(all)*95/100]), seconds(all[len(all)-1]), len(all))
}

// prometheus starts a real Prometheus, or says loudly that there is none.
func (s *suite) prometheus(ctx context.Context, e *Exporter) *Prometheus {
	for _, program := range []string{"prometheus", "promtool"} {
		if _, err := exec.LookPath(program); err != nil {
			s.report.Note("**no %s on PATH: nothing was scraped by a real Prometheus**", program)
			s.t.Logf("!!! NO %s ON PATH: the exporter is not scraped by a real Prometheus (apt-get install prometheus)", strings.ToUpper(program))
			return nil
		}
	}
	p, err := StartPrometheus(ctx, s.folder, e.URL)
	s.must(err)
	s.t.Cleanup(p.Stop)
	return p
}

func (s *suite) checkPrometheus(ctx context.Context, p *Prometheus, e *Exporter, since time.Duration) {
	var absent []string
	if !s.node {
		absent = []string{
			metricPod, metricStart, "pod_failure_init_container", "quota_blocked_requested", "quota_blocked_used", "quota_blocked_hard", "container_terminations_total",
			metricRollout, "workload_ready_pods", "workload_desired_pods",
		}
	}
	violations, err := p.Check(ctx, since, absent...)
	s.must(err)
	s.report.Violate(violations...)
	scrape, err := e.Scrape(ctx)
	s.must(err)
	if err := CheckMetrics(ctx, scrape.Text); err != nil {
		s.report.Violate(err.Error())
	}
	if err := CheckOpenMetrics(ctx, e.URL); err != nil {
		s.report.Violate(err.Error())
	}
	s.report.Note("a real Prometheus scraped it every 2 s and gave every metric back: %d violations", len(violations))
}
