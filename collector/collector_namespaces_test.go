package collector

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// stalledDeployment is the Deployment of the failing pods with the number 20*i and the nineteen behind it, which are in
// as many namespaces: it stands in the first one's.
func stalledDeployment(i int) *appsv1.Deployment {
	replicas := int32(20)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-" + strconv.Itoa(i*20%50), Name: "web-" + strconv.Itoa(i)},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas},
		Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
			LastTransitionTime: metav1.NewTime(costTime), Message: "has timed out progressing",
		}}},
	}
}

// TestNamespaces watches two namespaces, each on its own.
func TestNamespaces(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true), costPod(2, true), costPod(3, true))
	r := startReady(t, cluster, func(o *Options) { o.Namespaces = []string{"team-3", "team-1", "team-3"} })
	if causes := r.fails(); len(causes) != 2 || causes["Pod/team-2/"+costPod(2, true).Name] != "" {
		t.Errorf("fails %v", causes)
	}
	for resource, want := range map[string][]string{
		"pods": {"team-1 ", "team-3 "}, "jobs": {"team-1 ", "team-3 "}, "nodes": {" "},
		"events": {"team-1 reason=Killing", "team-1 type=Warning", "team-3 reason=Killing", "team-3 type=Warning"},
	} {
		if got := cluster.wasAsked(resource); !slices.Equal(got, want) {
			t.Errorf("asked for %s of %q, want %q", resource, got, want)
		}
	}
	if got := r.self(t, "kube_failure_exporter_cached_objects", "pods"); got != "2" {
		t.Errorf("holds %s pods, want 2", got)
	}
}

// TestNamespaceForbidden proves that what may not be read in one namespace is told in the other, and said once.
func TestNamespaceForbidden(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true), costPod(2, true))
	cluster.allow("events", "team-2", forbidden("events"))
	r := startReady(t, cluster, func(o *Options) { o.Namespaces = []string{"team-1", "team-2"} })
	if n := len(r.fails()); n != 2 {
		t.Errorf("%d pods fail, want 2", n)
	}
	state := r.watches[1]
	for range 3 {
		state.done("team-1", nil) // the other namespace's watch begins anew
		state.done("team-2", forbidden("events"))
	}
	if up := r.self(t, "kube_failure_exporter_watch_up", "events"); up != "0 0" {
		t.Errorf("watch_up of events is %s, want 0 0", up)
	}
	if said, again := r.log.count("May not watch a resource"), r.log.count("Watch works again"); said != 2 || again != 0 {
		t.Errorf("said %d times that events may not be watched, and %d times that they are again:\n%s", said, again, r.log)
	}
	if !strings.Contains(r.log.String(), "namespace=team-2") {
		t.Errorf("the log does not name the namespace:\n%s", r.log)
	}
	if notes := r.Notes(); len(notes) != 2 {
		t.Errorf("notes %q", notes)
	}
}

func TestIgnoreNamespaces(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true), costPod(2, true), costPod(3, true))
	r := startReady(t, cluster, func(o *Options) { o.IgnoreNamespaces = []string{"team-2", "team-3"} })
	if causes := r.fails(); len(causes) != 1 || causes["Pod/team-1/"+costPod(1, true).Name] == "" {
		t.Errorf("fails %v", causes)
	}
	const without = "metadata.namespace!=team-2,metadata.namespace!=team-3"
	for resource, want := range map[string][]string{
		"pods": {" " + without}, "nodes": {" "}, "events": {" reason=Killing," + without, " type=Warning," + without},
	} {
		if got := cluster.wasAsked(resource); !slices.Equal(got, want) {
			t.Errorf("asked for %s of %q, want %q", resource, got, want)
		}
	}
}

// TestScaledDownWhileJudged is a controller that is satisfied just while its failure is being told.
func TestScaledDownWhileJudged(t *testing.T) {
	e := newEngine(t, classify.DefaultOptions())
	set := func(current int32) *controller {
		return &controller{identity{namespace: "shop", name: "db"}, classify.Controller{Kind: "StatefulSet", Namespace: "shop", Name: "db", Desired: 1, Current: current}}
	}
	if keys := e.changed(set(0), set(1)); !slices.Contains(keys, key{"StatefulSet", "shop", "db"}) {
		t.Errorf("to judge: %v", keys)
	}
	if keys := e.changed(set(1), set(1)); len(keys) > 0 {
		t.Errorf("to judge of a controller that is and was fine: %v", keys)
	}
}

// TestFailedPodStuck is a pod that failed, whose deletion hangs: it is not history as long as it may yet be told.
func TestFailedPodStuck(t *testing.T) {
	p := newPlayer(t, classify.DefaultOptions())
	p.now = costTime
	pod := costPod(1, false)
	pod.Status.Phase, pod.DeletionTimestamp, pod.Finalizers = corev1.PodFailed, &metav1.Time{Time: costTime}, []string{"example.com/keep"}
	p.apply(t, taped{kind: "ADDED", resource: "pods", object: pod})
	if failures := p.memory.failures(); len(failures) > 0 {
		t.Errorf("fails at once: %v", failures)
	}
	p.until(costTime.Add(10 * time.Minute))
	if failures := p.memory.failures(); len(failures) != 1 || failures[0].Cause != classify.StuckTerminating {
		t.Errorf("fails %v, want StuckTerminating", failures)
	}
}

// TestNodesSpared proves that a Role is enough for --namespace: that it cannot grant nodes is said once, and no alert is made of it.
func TestNodesSpared(t *testing.T) {
	cluster := newFakeCluster(costPod(1, true))
	cluster.allow("nodes", "", forbidden("nodes"))
	r := startReady(t, cluster, func(o *Options) { o.Namespaces = []string{"team-1"} })
	state := r.watches[len(r.watches)-1]
	for range 3 {
		state.done("", forbidden("nodes"))
	}
	if n := testutil.ToFloat64(r.Collector.self.watchErrors.WithLabelValues("nodes", "", "forbidden")); n != 0 {
		t.Errorf("counted %v errors", n)
	}
	if up := r.self(t, "kube_failure_exporter_watch_up", "nodes"); up != "" {
		t.Errorf("watch_up of nodes is %q, want none", up)
	}
	if n := r.log.count("level=INFO msg=\"May not watch a resource that is in no namespace\""); n != 1 {
		t.Errorf("said %d times that nodes may not be watched:\n%s", n, r.log)
	}
	if notes := strings.Join(r.Notes(), "\n"); !strings.Contains(notes, "May not watch nodes") || r.engine.store.node("node-1") != nil {
		t.Errorf("notes %q", notes)
	}
	cluster.allow("nodes", "", nil)
	eventually(t, "nodes are watched", func() bool { return r.self(t, "kube_failure_exporter_watch_up", "nodes") == "1" && len(r.Notes()) == 0 })
}
