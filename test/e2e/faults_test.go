//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

const namespaceFaults = "faults"

// faults is an exporter that reaches the API server through a proxy, while workloads fail.
type faults struct {
	*suite
	proxy    *cluster.Forwarder
	config   string
	exporter atomic.Pointer[Exporter]
	news     int
	shaken   bool // the node may be not ready for a while
}

// testFaults breaks one thing after another and demands that the same is told.
func (s *suite) testFaults(ctx context.Context) {
	proxy, err := cluster.Forward(ctx, "127.0.0.1:0", s.apiAddress())
	s.must(err)
	s.t.Cleanup(func() { _ = proxy.Close() })
	f := &faults{suite: s, proxy: proxy, config: filepath.Join(s.folder, "proxied.conf")}
	s.must(Through(s.exporterConfig, proxy.Address(), f.config))
	meta := metav1.ObjectMeta{Name: namespaceFaults}
	_, err = s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: meta}, metav1.CreateOptions{})
	s.must(err)
	if s.node { // outages make the node not ready, so that it takes no new pods for a while, and rightly so
		s.must(s.client.Patch(ctx, "CronJob", "healthy", "every-minute", `{"spec":{"suspend":true}}`))
	}
	f.exporter.Store(s.exporter(ctx, f.config, withoutCured()...))
	s.t.Cleanup(func() {
		if e := f.exporter.Load(); e != nil {
			e.Kill()
		}
	})
	time.Sleep(5 * time.Second) // what waits for a better word has had its time
	for _, fault := range []struct {
		name   string
		run    func(context.Context) (outcome string)
		shakes bool // the node is not ready for a while
	}{
		{"Killed", f.killed, false},
		{"ClockAhead", func(ctx context.Context) string { return f.clockWrong(ctx, 10*time.Minute) }, false},
		{"ClockBehind", func(ctx context.Context) string { return f.clockWrong(ctx, -10*time.Minute) }, false},
		{"WatchesCut", f.watchesCut, false},
		{"WatchesHeldHalfOpen", f.watchesHeld, false},
		{"EventsDeleted", f.eventsDeleted, false},
		{"EventsForbidden", func(ctx context.Context) string { return f.forbidden(ctx, "events", 2) }, false},
		{"QuotasForbidden", func(ctx context.Context) string { return f.forbidden(ctx, "resourcequotas", 1) }, false},
		{"EventFlood", f.eventFlood, false},
		{"PodFlood", f.podFlood, false},
		{"HostileStrings", f.hostile, false},
		// Last, because client-go waits longer and longer between tries, and forgets that only after two quiet minutes.
		{"APIServerStopped", f.apiServerStopped, true},
		{"EtcdCompacted", f.etcdCompacted, true},
	} {
		s.t.Run(fault.name, func(t *testing.T) {
			s.on(t, func(own *suite, ctx context.Context) {
				f.suite, f.shaken = own, fault.shakes
				f.fault(ctx, fault.name, fault.run)
			})
		})
	}
	s.must(f.exporter.Load().Stop())
}

// fault runs one and compares what was told before with what is told after.
func (f *faults) fault(ctx context.Context, name string, run func(context.Context) string) {
	known := len(f.report.Violations())
	began := time.Now()
	before := f.failing(ctx, f.exporter.Load())
	recorder := NewRecorder()
	stop := f.record(ctx, f.exporter.Load, recorder, 500*time.Millisecond)
	if f.shaken && f.alerting != nil && f.alerting.Shaken.IsZero() {
		f.alerting.Shaken = began
	}
	outcome := run(ctx)
	f.nodeReady(ctx)
	err := Poll(ctx, time.Minute, time.Second, func(ctx context.Context) error { return f.same(ctx, f.exporter.Load(), before) })
	stop()
	if err != nil {
		f.violate("%s: %v", name, err)
	}
	for _, track := range recorder.Tracks() {
		for _, change := range track.Changes {
			if !f.mayEnd(track.Metric, track.Workload.Kind) {
				f.violate("%s: %s: %s", name, &track, change)
			}
		}
		if track.Workload.Namespace != namespaceFaults && !f.expects(&track) {
			f.violate("%s: false series: %s", name, track.Labels)
		}
	}
	f.report.Add(Fault{Name: name, Outcome: outcome, Took: time.Since(began), Violations: len(f.report.Violations()) - known})
}

// nodeReady waits until the kubelet has reported again: after an outage of the API server it tries less and less often.
func (f *faults) nodeReady(ctx context.Context) {
	if !f.node || !f.shaken {
		return
	}
	f.must(Poll(ctx, 3*time.Minute, time.Second, f.cluster.NodeReady))
}

// mayEnd says that Kubernetes itself ends a failure for a while: a DaemonSet wants no pod of a node that is not ready, and pods
// that get ready again are progress of their rollout.
func (f *faults) mayEnd(metric, kind string) bool {
	return f.shaken && (metric == metricRollout || metric == metricCreate && kind == "DaemonSet")
}

func (f *faults) violate(format string, args ...any) { f.report.Violate(fmt.Sprintf(format, args...)) }

// expects says that a scenario wants just this to be told.
func (s *suite) expects(track *Track) bool {
	i := slices.IndexFunc(s.scenarios, func(sc Scenario) bool { return sc.Workload == track.Workload })
	if i < 0 {
		return false
	}
	want := s.scenarios[i].Expected(track.Metric)
	return want != nil && want.Cause == track.Cause
}

// failing returns the series of what fails, with their starts; those of Jobs come and go by themselves.
func (f *faults) failing(ctx context.Context, e *Exporter) map[subject]string {
	scrape, err := e.Scrape(ctx)
	f.must(err)
	failing := map[subject]string{}
	for _, sample := range scrape.Samples {
		kind := sample.Labels["workload_kind"]
		ours := sample.Metric == metricPod || sample.Metric == metricCreate || sample.Metric == metricRollout
		if !ours || kind == "CronJob" || sample.Labels["namespace"] == namespaceFaults || f.mayEnd(sample.Metric, kind) {
			continue
		}
		key := subjectOf(sample)
		failing[key] = sample.String()
		if start, ok := scrape.Value(metricStart, "namespace", key.Namespace, "pod", key.Name, "container", key.Container); ok && key.Kind == "Pod" {
			failing[key] += fmt.Sprintf(" since %.0f", start)
		}
	}
	return failing
}

// same says whether everything that failed before fails in the same words, and nothing else does.
func (f *faults) same(ctx context.Context, e *Exporter, before map[subject]string) error {
	after := f.failing(ctx, e)
	var wrong []string
	for key, series := range before {
		if after[key] != series && !f.gone(ctx, key) {
			wrong = append(wrong, fmt.Sprintf("was %s, is %q", series, after[key]))
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		return fmt.Errorf("%d of %d series differ: %s", len(wrong), len(before), strings.Join(wrong, "; "))
	}
	return nil
}

func (f *faults) gone(ctx context.Context, s subject) bool {
	if s.Kind != "Pod" {
		return false
	}
	_, err := f.client.CoreV1().Pods(s.Namespace).Get(ctx, s.Name, metav1.GetOptions{})
	return err != nil
}

// newFailure makes a ReplicaSet fail and returns how long after its status that was told.
func (f *faults) newFailure(ctx context.Context, patience time.Duration) time.Duration {
	f.news++
	name := fmt.Sprintf("new-%d", f.news)
	labels := map[string]string{"app": name}
	_, err := f.client.AppsV1().ReplicaSets(namespaceFaults).Create(ctx, &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.ReplicaSetSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{
					ServiceAccountName: "no-such-account", Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1"}},
				},
			},
		},
	}, metav1.CreateOptions{})
	f.must(err)
	f.must(Poll(ctx, 3*time.Minute, 50*time.Millisecond, func(ctx context.Context) error { // after an outage controllers take their time
		rs, err := f.client.AppsV1().ReplicaSets(namespaceFaults).Get(ctx, name, metav1.GetOptions{})
		if err == nil && len(rs.Status.Conditions) == 0 {
			err = fmt.Errorf("%s has no condition", name)
		}
		return err
	}))
	began := time.Now()
	err = Poll(ctx, patience, 100*time.Millisecond, func(ctx context.Context) error {
		scrape, err := f.exporter.Load().Scrape(ctx)
		if err == nil && len(scrape.Find(metricCreate, "controller", name, "cause", "ServiceAccountMissing")) != 1 {
			err = fmt.Errorf("the new failure %s is not told", name)
		}
		return err
	})
	if err != nil {
		f.violate("after %s: %v", patience, err)
	}
	return time.Since(began)
}

// lastGone deletes the newest failure of newFailure and demands that its series ends.
func (f *faults) lastGone(ctx context.Context, patience time.Duration) {
	name := fmt.Sprintf("new-%d", f.news)
	f.must(f.client.AppsV1().ReplicaSets(namespaceFaults).Delete(ctx, name, metav1.DeleteOptions{}))
	f.told(ctx, patience, "the failure of a deleted object", func(s *Scrape) bool { return len(s.Find(metricCreate, "controller", name)) == 0 })
}

// told waits until a scrape is as demanded, and returns how long that took.
func (f *faults) told(ctx context.Context, patience time.Duration, what string, as func(*Scrape) bool) time.Duration {
	began := time.Now()
	err := Poll(ctx, patience, 200*time.Millisecond, func(ctx context.Context) error {
		scrape, err := f.exporter.Load().Scrape(ctx)
		if err == nil && !as(scrape) {
			err = fmt.Errorf("not so: %s", what)
		}
		return err
	})
	if err != nil {
		f.violate("after %s: %v", patience, err)
	}
	return time.Since(began)
}

// watchesUp waits until all watches work.
func (f *faults) watchesUp(ctx context.Context, patience time.Duration) time.Duration {
	return f.told(ctx, patience, "all watches are up", func(s *Scrape) bool {
		return !slices.ContainsFunc(s.Find("kube_failure_exporter_watch_up"), func(s Sample) bool { return s.Value != 1 })
	})
}
