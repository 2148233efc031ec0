package classify

import (
	"math"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// probed gives the container web its probes, by initial delay, period and threshold.
func probed(readiness, startup *corev1.Probe) edit {
	return func(pod *corev1.Pod) {
		pod.Spec.Containers[0].ReadinessProbe, pod.Spec.Containers[0].StartupProbe = readiness, startup
	}
}

func probe(delay, period, threshold int32) *corev1.Probe {
	return &corev1.Probe{InitialDelaySeconds: delay, PeriodSeconds: period, FailureThreshold: threshold}
}

func TestNotReady(t *testing.T) {
	refused := func(at time.Duration) *corev1.Event {
		return event("Unhealthy", `Readiness probe failed: dial tcp 10.0.0.4:8080: connect: connection refused`, at)
	}
	unready := func(edits ...edit) *corev1.Pod { return runningPod(append(edits, web(running(minute, false)))...) }
	starting := func(edits ...edit) *corev1.Pod {
		status := running(minute, false)
		status.Started = new(false)
		return runningPod(append(edits, web(status))...)
	}
	open := []Stage{{"web", FamilyProbe}}
	runPodCases(t, []podCase{
		{name: "within the least grace", at: 80 * second, pod: unready(), events: []*corev1.Event{refused(70 * second)}, recheck: 90 * second, open: open},
		{
			name: "after the least grace", at: 90 * second, pod: unready(), events: []*corev1.Event{refused(80 * second)},
			want: []string{"web probe/Unhealthy/ProbeConnectionRefused"}, since: minute,
		},
		{
			name: "within the probe's own time", at: 3 * minute, pod: unready(probed(probe(60, 20, 6), nil)), events: []*corev1.Event{refused(2 * minute)},
			recheck: 4 * minute, open: open,
		},
		{
			name: "after the probe's own time", at: 4 * minute, pod: unready(probed(probe(60, 20, 6), nil)), events: []*corev1.Event{refused(2 * minute)},
			want: []string{"web probe/Unhealthy/ProbeConnectionRefused"},
		},
		{name: "the API's defaults: 3 times 10 seconds", at: 89 * second, pod: unready(probed(&corev1.Probe{}, nil)), recheck: 90 * second},
		{
			name: "in a single look an event is enough", once: true, at: 61 * second, pod: unready(probed(probe(60, 20, 6), nil)), events: []*corev1.Event{refused(61 * second)},
			want: []string{"web probe/Unhealthy/ProbeConnectionRefused"},
		},
		{name: "in a single look nothing but the time must still pass", once: true, at: 65 * second, pod: unready(probed(probe(0, 10, 3), nil))},
		{name: "no event says why", at: 10 * minute, pod: unready(), want: []string{"web probe/Unhealthy/ProbeFailed"}},
		{
			name: "an event of the run before tells nothing", at: 10 * minute, pod: unready(), events: []*corev1.Event{refused(30 * second)},
			want: []string{"web probe/Unhealthy/ProbeFailed"},
		},
		{
			name: "readiness before liveness, whichever is newer", at: 10 * minute, pod: unready(),
			events: []*corev1.Event{event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 9*minute), refused(8 * minute)},
			want:   []string{"web probe/Unhealthy/ProbeConnectionRefused"},
		},
		{
			name: "an answer that nobody knows", at: 10 * minute, pod: unready(), events: []*corev1.Event{event("Unhealthy", "Readiness probe failed: still warming up", 9*minute)},
			want: []string{"web probe/Unhealthy/ProbeCommandFailed"},
		},
		{name: "ready again", at: 10 * minute, pod: healthyPod(), events: []*corev1.Event{refused(9 * minute)}},
		{
			name: "not ready again counts from then on", at: 61 * minute, pod: unready(condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", time.Hour)),
			events: []*corev1.Event{refused(60*minute + 30*second)}, want: []string{"web probe/Unhealthy/ProbeConnectionRefused"}, since: time.Hour,
		},
		{
			name: "still starting, within the startup probe's time", at: 5 * minute, pod: starting(probed(probe(0, 10, 3), probe(0, 10, 30))),
			events:  []*corev1.Event{event("Unhealthy", "Startup probe failed: dial tcp 10.0.0.4:80: connect: connection refused", 4*minute)},
			recheck: 6 * minute,
		},
		{
			name: "has just started after a long start: readiness has its own time", at: 5 * minute, pod: unready(probed(probe(0, 10, 3), probe(0, 10, 30))),
			recheck: 6*minute + 30*second,
		},
		{
			name: "started quickly and readiness fails since then", at: 2 * minute, pod: unready(probed(probe(0, 10, 3), probe(0, 10, 30))),
			events: []*corev1.Event{repeated(refused(115*second), 70*second)}, want: []string{"web probe/Unhealthy/ProbeConnectionRefused"},
		},
		{
			name: "one of two containers", at: 5 * minute, pod: unready(another("log", running(minute, true))), events: []*corev1.Event{refused(4 * minute)},
			want: []string{"web probe/Unhealthy/ProbeConnectionRefused"},
		},
	})
}

func TestReadinessGates(t *testing.T) {
	gated := func(edits ...edit) *corev1.Pod {
		return healthyPod(append([]edit{
			condition(corev1.PodReady, corev1.ConditionFalse, "ReadinessGatesNotReady", minute), saying(corev1.PodReady, `the status of pod readiness gate "lb.example/registered" is not "True", but False`),
			func(pod *corev1.Pod) {
				pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "lb.example/registered"}}
			},
		}, edits...)...)
	}
	runPodCases(t, []podCase{
		{name: "within the grace", at: 80 * second, pod: gated(), recheck: 90 * second, open: []Stage{{"", FamilyProbe}}},
		{name: "after the grace", at: 2 * minute, pod: gated(), want: []string{"- probe/ReadinessGatesNotReady/ReadinessGateUnmet"}, since: minute},
		{name: "met", at: 2 * minute, pod: gated(condition(corev1.PodReady, corev1.ConditionTrue, "", minute))},
		{
			name: "a container is not ready either", at: 5 * minute, want: []string{"web probe/Unhealthy/ProbeFailed"},
			pod: gated(condition(corev1.ContainersReady, corev1.ConditionFalse, "ContainersNotReady", minute), func(pod *corev1.Pod) {
				pod.Status.ContainerStatuses = []corev1.ContainerStatus{named("web", running(minute, false))}
			}),
		},
	})
}

func TestProbeBudget(t *testing.T) {
	for _, tc := range []struct {
		probe *corev1.Probe
		want  time.Duration
	}{
		{nil, 0}, {&corev1.Probe{}, 30 * second}, {probe(5, 0, 0), 35 * second}, {probe(0, 1, 1), second}, {probe(10, 20, 6), 130 * second},
		{probe(math.MaxInt32, math.MaxInt32, math.MaxInt32), math.MaxInt64 / second * second},
	} {
		if got := probeBudget(tc.probe); got != tc.want {
			t.Errorf("probeBudget(%+v) = %v, want %v", tc.probe, got, tc.want)
		}
	}
}
