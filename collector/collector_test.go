package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// patience is how long a test waits for what should come within a second: machines that run tests are slow at times, and
// client-go waits up to two seconds until it tries a failed list again.
const patience = 2 * time.Minute

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *logBuffer) count(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.String(), text)
}

// runner is a collector that runs.
type runner struct {
	*Collector
	registry *prometheus.Registry
	log      *logBuffer
	stop     func()
}

func start(t *testing.T, source Source, change ...func(*Options)) *runner {
	t.Helper()
	r := &runner{registry: prometheus.NewRegistry(), log: &logBuffer{}}
	opts := validOptions()
	opts.MaxFailures, opts.Logger = 10_000, slog.New(slog.NewTextHandler(r.log, nil))
	for _, c := range change {
		c(&opts)
	}
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	if r.Collector, err = New(source, opts, catalogue, r.registry); err != nil {
		t.Fatal(err)
	}
	r.registry.MustRegister(r.Collector)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.Run(ctx)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(r.stop)
	return r
}

func startReady(t *testing.T, source Source, change ...func(*Options)) *runner {
	t.Helper()
	r := start(t, source, change...)
	eventually(t, "ready", r.Ready)
	return r
}

// fails returns the causes of what fails now, by pod or controller.
func (r *runner) fails() map[string]classify.Cause {
	causes := map[string]classify.Cause{}
	for _, f := range r.Snapshot().Failures {
		causes[f.Kind+"/"+f.Namespace+"/"+f.Name] = f.Cause
	}
	return causes
}

func (r *runner) has(kind, namespace, name string, cause classify.Cause) func() bool {
	return func() bool { return r.fails()[kind+"/"+namespace+"/"+name] == cause }
}

func (r *runner) self(t *testing.T, metric, resource string) string {
	t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == metric && slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetValue() == resource }) {
				values = append(values, fmt.Sprint(m.GetGauge().GetValue()))
			}
		}
	}
	return strings.Join(values, " ")
}

// TestRun is a pod's life as it is seen.
func TestRun(t *testing.T) {
	cluster := newFakeCluster(costPod(1, false), costPod(2, true))
	r := startReady(t, cluster)
	sick, name := costPod(1, true), costPod(1, false).Name
	if causes := r.fails(); len(causes) != 1 || causes["Pod/team-2/"+costPod(2, false).Name] != classify.RegistryUnreachable {
		t.Errorf("at first fails %v", causes)
	}
	shown := r.has("Pod", "team-1", name, classify.RegistryUnreachable)
	for range 2 {
		begin := time.Now()
		cluster.happen(watch.Modified, sick)
		eventually(t, "a pod that begins to fail", shown)
		t.Logf("shown after %s", time.Since(begin))
		cluster.happen(watch.Modified, costPod(1, false))
		eventually(t, "a pod that recovers", r.has("Pod", "team-1", name, ""))
	}
	cluster.happen(watch.Modified, sick)
	eventually(t, "fails again", shown)
	cluster.happen(watch.Deleted, sick)
	eventually(t, "deleted", r.has("Pod", "team-1", name, ""))
	if r.self(t, "kube_failure_exporter_cached_objects", "pods") != "1" {
		t.Errorf("holds %s pods, want 1", r.self(t, "kube_failure_exporter_cached_objects", "pods"))
	}
	if got, want := r.Looked(), "1 pods, 0 controllers, 0 events"; got != want {
		t.Errorf("looked at %q, want %q", got, want)
	}
	if n, err := testutil.GatherAndCount(r.registry, "pod_failure_reason"); err != nil || n != 1 {
		t.Errorf("%d series, %v", n, err)
	}
}

// TestReadyMeansJudged proves that the first scrape is whole: everything was judged, and rollouts have their root causes.
func TestReadyMeansJudged(t *testing.T) {
	const pods = 3000
	cluster := newFakeCluster()
	for i := range pods {
		cluster.happen(watch.Added, costPod(i, true))
	}
	for i := range pods / 20 {
		cluster.happen(watch.Added, stalledDeployment(i))
	}
	r := startReady(t, cluster)
	failures := r.Snapshot().Failures
	if n := len(failures); n != pods+pods/20 {
		t.Errorf("%d failures when ready, want %d", n, pods+pods/20)
	}
	for _, f := range failures {
		if f.Cause != classify.RegistryUnreachable {
			t.Fatalf("%s %s has the cause %s when ready", f.Kind, f.Name, f.Cause)
		}
	}
}

// TestDeletedUnseen lists anew without a pod that went while no watch ran.
func TestDeletedUnseen(t *testing.T) {
	pod := costPod(1, true)
	cluster := newFakeCluster(pod, costPod(2, true))
	r := startReady(t, cluster)
	eventually(t, "fails", r.has("Pod", "team-1", pod.Name, classify.RegistryUnreachable))
	cluster.allow("pods", "", errors.New("connection reset by peer"))
	eventually(t, "the note", func() bool { return slices.Contains(r.Notes(), "Cannot watch pods: what is shown may be old.") })
	if !r.Ready() || r.self(t, "kube_failure_exporter_watch_up", "pods") != "0" {
		t.Error("a watch that broke must leave the rest ready, and say so")
	}
	cluster.happen(watch.Deleted, pod)
	cluster.allow("pods", "", nil)
	eventually(t, "gone", r.has("Pod", "team-1", pod.Name, ""))
	eventually(t, "works again", func() bool { return len(r.Notes()) == 0 && r.self(t, "kube_failure_exporter_watch_up", "pods") == "1" })
	if n := r.log.count("Cannot watch a resource"); n != 1 {
		t.Errorf("said %d times that pods cannot be watched, want once", n)
	}
	if len(r.fails()) != 1 || r.self(t, "kube_failure_exporter_cached_objects", "pods") != "1" {
		t.Errorf("fails %v", r.fails())
	}
}

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no right"))
}

// TestForbidden takes rights away that can be done without, and gives them back.
func TestForbidden(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true))
	lacking := []string{"events", "nodes", "resourcequotas"}
	for _, resource := range lacking {
		cluster.allow(resource, "", forbidden(resource))
	}
	r := startReady(t, cluster)
	notes := strings.Join(r.Notes(), "\n")
	for _, want := range []string{
		"May not watch events (Warning), so this is not told: causes that only events tell", "May not watch events (Killing)",
		"May not watch nodes, so this is not told: that a pod's node does not report", "May not watch resourcequotas",
	} {
		if !strings.Contains(notes, want) {
			t.Errorf("the notes do not say %q:\n%s", want, notes)
		}
	}
	for resource, want := range map[string]string{"events": "0 0", "nodes": "0", "resourcequotas": "0", "pods": "1"} {
		if got := r.self(t, "kube_failure_exporter_watch_up", resource); got != want {
			t.Errorf("watch_up of %s is %s, want %s", resource, got, want)
		}
	}
	lost := costPod(3, false)
	lost.Status.Conditions[0].Status = corev1.ConditionFalse
	cluster.happen(watch.Added, lost)
	eventually(t, "two tries of each", func() bool {
		n, err := testutil.GatherAndCount(r.registry, "kube_failure_exporter_watch_errors_total")
		return err == nil && n > 0 && testutil.ToFloat64(r.Collector.self.watchErrors.WithLabelValues("nodes", "", "forbidden")) >= 2
	})
	if n := r.log.count("May not watch a resource"); n != 4 {
		t.Errorf("said %d times what may not be watched, want 4:\n%s", n, r.log)
	}
	if r.engine.store.node("node-3") != nil {
		t.Error("a node is known that may not be read")
	}
	for _, resource := range lacking {
		cluster.allow(resource, "", nil)
	}
	cluster.happen(watch.Added, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-3"},
		Status:     corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}},
	})
	eventually(t, "the node is known", r.has("Pod", "team-3", lost.Name, classify.NodeLost))
	eventually(t, "all works", func() bool { return len(r.Notes()) == 0 })
	if n := r.log.count("Watch works again"); n != 4 {
		t.Errorf("said %d times that a watch works again, want 4:\n%s", n, r.log)
	}
}

// TestForbiddenPods proves that without pods nothing is served, and that a single look says what to grant.
func TestForbiddenPods(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true))
	cluster.allow("pods", "", forbidden("pods"))
	r := start(t, cluster)
	eventually(t, "the note", func() bool { return slices.Equal(r.Notes(), []string{"May not watch pods, so nothing is told."}) })
	eventually(t, "all else was read", func() bool {
		return !slices.ContainsFunc(r.informers, func(w watching) bool { return !w.HasSynced() && w.state.resource.Name != "pods" })
	})
	if r.Ready() {
		t.Error("ready without pods")
	}
	_, _, err := Look(t.Context(), cluster, r.catalogue, r.opts)
	if want := "may not read pods; grant get, list and watch on them: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a look: %v, want %q", err, want)
	}
	cluster.allow("pods", "", nil)
	eventually(t, "ready with the right", r.Ready)
}

func TestLook(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true), costPod(2, false))
	cluster.allow("nodes", "", forbidden("nodes"))
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	opts := validOptions()
	opts.Classify = classify.OneLookOptions()
	s, notes, err := Look(t.Context(), cluster, catalogue, opts)
	if err != nil || len(s.Failures) != 1 || s.Failures[0].Cause != classify.RegistryUnreachable || len(notes) != 1 {
		t.Errorf("looked: %v, notes %v, error %v", s.Failures, notes, err)
	}
	cluster.allow("pods", "", errors.New("no route to host"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err = Look(ctx, cluster, catalogue, opts); err == nil || !strings.Contains(err.Error(), "reading pods from the API server: no route to host") {
		t.Errorf("a look at a cluster that cannot be reached: %v", err)
	}
	opts.MaxFailures = 0
	if _, _, err = Look(t.Context(), cluster, catalogue, opts); err == nil {
		t.Error("no error with bad options")
	}
}

// TestRecheck proves that time alone opens and closes failures.
func TestRecheck(t *testing.T) {
	cluster := newFakeCluster()
	r := startReady(t, cluster, func(o *Options) {
		o.Classify.SchedulingGrace, o.Classify.CrashHold = 200*time.Millisecond, 4*time.Second
	})
	now := time.Now()
	waiting := costPod(1, false)
	waiting.Spec.NodeName, waiting.Status = "", corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable,
		Message: "0/3 nodes are available: 3 Insufficient cpu.", LastTransitionTime: metav1.NewTime(now),
	}}}
	waiting.CreationTimestamp = metav1.NewTime(now)
	looping := costPod(2, false)
	status := &looping.Status.ContainerStatuses[0]
	status.RestartCount, status.State.Running.StartedAt = 3, metav1.NewTime(now)
	status.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, StartedAt: metav1.NewTime(now), FinishedAt: metav1.NewTime(now)}
	cluster.happen(watch.Added, waiting)
	cluster.happen(watch.Added, looping)
	eventually(t, "a crash loop between two ends", r.has("Pod", "team-2", looping.Name, classify.AppError))
	eventually(t, "unschedulable for longer than the grace", r.has("Pod", "team-1", waiting.Name, classify.InsufficientCPU))
	if early := time.Since(now); early < 200*time.Millisecond {
		t.Errorf("told after %s, before the grace was over", early)
	}
	eventually(t, "stable for longer than the hold", r.has("Pod", "team-2", looping.Name, ""))
	if early := time.Since(now); early < 1500*time.Millisecond {
		t.Errorf("closed after %s, before the hold was over", early)
	}
}

// TestEvicted proves that a pod that fails before its controllers have counted the loss is not taken for one that was replaced.
func TestEvicted(t *testing.T) {
	owner := func(kind, name string) []metav1.OwnerReference {
		return []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: name, Controller: new(true)}}
	}
	deployment := func(ready int32) *appsv1.Deployment {
		return &appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-1", Name: "web"}, Spec: appsv1.DeploymentSpec{Replicas: new(int32(1))},
			Status: appsv1.DeploymentStatus{Replicas: 1, ReadyReplicas: ready},
		}
	}
	set := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-1", Name: "web-7", OwnerReferences: owner("Deployment", "web")},
		Spec:       appsv1.ReplicaSetSpec{Replicas: new(int32(1))}, Status: appsv1.ReplicaSetStatus{Replicas: 1, ReadyReplicas: 1},
	}
	pod := costPod(1, true)
	pod.Labels, pod.OwnerReferences = map[string]string{templateHash: "7"}, owner("ReplicaSet", "web-7")
	cluster := newFakeCluster(pod, set, deployment(1))
	r := startReady(t, cluster, func(o *Options) { o.Classify.ReadinessGrace = 500 * time.Millisecond })
	evicted := pod.DeepCopy()
	evicted.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory. ", Conditions: []corev1.PodCondition{{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: corev1.PodReasonTerminationByKubelet, LastTransitionTime: metav1.Now(),
	}}}
	cluster.happen(watch.Modified, evicted)
	time.Sleep(100 * time.Millisecond) // by now it was judged
	cluster.happen(watch.Modified, deployment(0))
	eventually(t, "evicted, and not replaced yet", r.has("Pod", "team-1", pod.Name, classify.NodeMemoryPressure))
	cluster.happen(watch.Modified, deployment(1))
	eventually(t, "replaced", r.has("Pod", "team-1", pod.Name, ""))
}

// TestStop proves that nothing runs on, whenever the end comes.
func TestStop(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true))
	unread := newFakeCluster()
	unread.allow("pods", "", errors.New("no route to host"))
	for name, source := range map[string]*fakeCluster{"ready": cluster, "not synced": unread} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			r := start(t, source)
			if name == "ready" {
				eventually(t, "ready", r.Ready)
			} else {
				eventually(t, "an error", func() bool { return len(r.Notes()) > 0 })
			}
			begin := time.Now()
			r.stop()
			if took := time.Since(begin); took > patience {
				t.Errorf("stopped after %s", took)
			}
			eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
			if r.log.count("Stopped watching") != 1 {
				t.Error("the log does not say that it has stopped")
			}
		})
	}
}

// TestStopLeavesTheQueue proves that a signal is not waited out by all that a large fault has put into the queue.
func TestStopLeavesTheQueue(t *testing.T) {
	const failing = 100
	c, _ := costCollector(t, 0, 0)
	for i := range failing {
		c.queue.Add(key{"Pod", "team", strconv.Itoa(i)})
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	c.queue.ShutDown()
	c.work(ctx)
	if left := c.queue.Len(); left < failing-1 {
		t.Errorf("%d of %d are left, want all but the one in hand", left, failing)
	}
}
