package classify

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestQuiet lists what Quiet may pass over without a classification, and what only looks like it.
func TestQuiet(t *testing.T) {
	ended := exit(1, "Error", minute, 2*minute)
	for _, tc := range []struct {
		name string
		pod  *corev1.Pod
		at   time.Duration
		want bool
	}{
		{"healthy", healthyPod(), minute, true},
		{"completed", newPod(phase(corev1.PodSucceeded, "", "")), minute, true},
		{"healthy with a finished init container", healthyPod(initContainer("setup", false, terminated(exit(0, "Completed", second, second)))), minute, true},
		{"healthy with a sidecar", healthyPod(initContainer("proxy", true, running(second, true))), minute, true},
		{"restarted long ago", runningReady(after(running(3*minute, true), 1, ended)), 14 * minute, true},
		{"restarted lately", runningReady(after(running(3*minute, true), 1, ended)), 12 * minute, false},
		{"being deleted", healthyPod(deleted(minute)), minute, false},
		{"not ready", runningPod(web(running(minute, false))), minute, false},
		{"a sidecar is not ready", healthyPod(initContainer("proxy", true, running(second, false))), minute, false},
		{"a container has no status yet", healthyPod(func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "b"}) }), minute, false},
		{"disrupted", healthyPod(condition("DisruptionTarget", corev1.ConditionTrue, "PreemptionByScheduler", minute)), minute, false},
		{"readiness gate", healthyPod(condition(corev1.PodReady, corev1.ConditionFalse, "ReadinessGatesNotReady", minute)), minute, false},
		{"failed", evictedPod(), minute, false},
		{"pending", newPod(), minute, false},
		{"empty", &corev1.Pod{}, minute, false},
	} {
		if got := New(DefaultOptions()).Quiet(tc.pod, clock(tc.at)); got != tc.want {
			t.Errorf("%s: Quiet = %v, want %v", tc.name, got, tc.want)
		}
	}
}

func runningReady(status corev1.ContainerStatus) *corev1.Pod {
	return healthyPod(func(p *corev1.Pod) { p.Status.ContainerStatuses = []corev1.ContainerStatus{named("web", status)} })
}

// TestNothingFails holds the states through which healthy pods go.
func TestNothingFails(t *testing.T) {
	runPodCases(t, []podCase{
		{name: "running and ready", at: time.Hour, pod: healthyPod()},
		{name: "just created", at: 0, pod: newPod(unscheduledPod)},
		{name: "just bound, no status yet", at: 2 * second, pod: newPod()},
		{name: "creating", at: 10 * second, pod: newPod(web(waiting("ContainerCreating", "")))},
		{name: "running, readiness not asked yet", at: 10 * second, pod: runningPod(web(running(5*second, false)))},
		{name: "init container runs", at: 5 * minute, pod: newPod(initContainer("setup", false, running(2*second, false)), web(waiting("PodInitializing", "")))},
		{name: "completed", at: time.Hour, pod: newPod(phase(corev1.PodSucceeded, "", ""), web(terminated(exit(0, "Completed", second, minute))))},
		{name: "restarted once", at: 3 * minute, pod: runningReady(after(running(2*minute, true), 1, exit(1, "Error", second, 2*minute)))},
		{name: "warnings of its start are history", at: time.Hour, pod: healthyPod(), events: []*corev1.Event{
			podEvent("FailedScheduling", "0/3 nodes are available: 3 Insufficient cpu.", second),
			podEvent("FailedMount", `MountVolume.SetUp failed for volume "a" : secret "b" not found`, 2*second),
			event("Failed", "Failed to pull image: "+notFound, 3*second), event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", minute),
			event("BackOff", "Back-off restarting failed container web in pod web-1_apps(u1)", minute),
		}},
		{name: "events of an earlier pod of the same name", at: 10 * second, once: true, pod: newPod(web(waiting("ContainerCreating", ""))), events: []*corev1.Event{otherUID(event("Failed", "Failed to pull image: "+notFound, second))}},
	})
}

func otherUID(e *corev1.Event) *corev1.Event {
	e.InvolvedObject.UID = "u0"
	return e
}

// TestOddObjects proves that no object, however strange, stops the classifier, and that none proves what only time can.
func TestOddObjects(t *testing.T) {
	huge := strings.Repeat("x", 1<<20)
	odd := map[string]PodInput{
		"no pod":           {},
		"empty pod":        {Pod: &corev1.Pod{}},
		"only a phase":     {Pod: &corev1.Pod{Status: corev1.PodStatus{Phase: "Odd"}}},
		"only a node":      {Pod: &corev1.Pod{Spec: corev1.PodSpec{NodeName: "n"}}},
		"no creation time": {Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "web"}}}}},
		"status without spec": {Pod: &corev1.Pod{Status: corev1.PodStatus{
			Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{waiting("CrashLoopBackOff", "")},
		}}},
		"empty state":              {Pod: newPod(web(corev1.ContainerStatus{}))},
		"empty event":              {Pod: newPod(web(waiting("ErrImagePull", ""))), Events: []*corev1.Event{{}}},
		"event without any time":   {Pod: newPod(web(waiting("ImagePullBackOff", ""))), Events: []*corev1.Event{{Reason: "Failed", Message: "Failed to pull image: " + notFound}}},
		"end without times":        {Pod: runningPod(web(after(waiting("CrashLoopBackOff", ""), 0, &corev1.ContainerStateTerminated{})))},
		"waiting without a word":   {Pod: newPod(web(waiting("", "")))},
		"event's path is broken":   {Pod: newPod(web(waiting("ErrImagePull", ""))), Events: []*corev1.Event{{Reason: "Failed", InvolvedObject: corev1.ObjectReference{FieldPath: "spec.containers{"}}}},
		"a megabyte of message":    {Pod: newPod(web(waiting("ErrImagePull", huge)))},
		"a megabyte of last words": {Pod: runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, lastWords(1, huge))))},
		"not UTF-8":                {Pod: newPod(web(waiting("CreateContainerError", "a\xff\xfeb")))},
		"times in the future":      {Pod: newPod(web(running(100*time.Hour, false)))},
		"a node that has no name":  {Pod: healthyPod(), Node: &Node{}},
		"owner without a kind":     {Pod: evictedPod(), Owner: &Controller{Desired: 1}},
		"two containers of one name": {Pod: newPod(web(waiting("ErrImagePull", notFound)), func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "other"})
		})},
	}
	for name, in := range odd {
		for _, opts := range []Options{{}, DefaultOptions(), OneLookOptions()} {
			for _, now := range []time.Time{{}, clock(minute), clock(1000 * time.Hour)} {
				in.Now = now
				for _, f := range New(opts).Pod(in).Failures {
					if len(f.Message) > shown+len("…") || f.Reason == "" || f.Cause == "" || f.Family == "" {
						t.Errorf("%s: %+v", name, f)
					}
					if f.Since.IsZero() && (f.Cause == SchedulerNotRunning || f.Cause == ContainerCreatingTimeout) {
						t.Errorf("%s: %s is told, but nobody knows since when", name, f.Cause)
					}
				}
			}
		}
	}
}

// TestSameVerdictTwice proves that the order of events does not matter where their times differ.
func TestSameVerdictTwice(t *testing.T) {
	a, b := event("Failed", "Failed to pull image: "+notFound, minute), event("Failed", "Failed to pull image: toomanyrequests: slow down", 2*minute)
	c, pod := New(DefaultOptions()), newPod(web(waiting("ImagePullBackOff", backOff)))
	one := c.Pod(PodInput{Pod: pod, Events: []*corev1.Event{a, b}, Now: clock(3 * minute)})
	two := c.Pod(PodInput{Pod: pod, Events: []*corev1.Event{b, a}, Now: clock(3 * minute)})
	if one.Failures[0].Cause != RegistryRateLimited || two.Failures[0].Cause != RegistryRateLimited {
		t.Errorf("got %v and %v", told(one), told(two))
	}
}

func TestEnds(t *testing.T) {
	end := exit(1, "Error", minute, 2*minute)
	for _, tc := range []struct {
		name   string
		status corev1.ContainerStatus
		want   int32
	}{
		{"never ended", running(minute, true), 0},
		{"ended, not yet restarted", terminated(end), 1},
		{"restarted", after(running(3*minute, true), 1, end), 1},
		{"ended again", after(terminated(end), 1, end), 2},
		{"backs off", after(waiting("CrashLoopBackOff", ""), 4, end), 5},
		{"waits for its first start", waiting("ContainerCreating", ""), 0},
	} {
		if got := Ends(&tc.status); got != tc.want {
			t.Errorf("%s: Ends = %d, want %d", tc.name, got, tc.want)
		}
	}
}
