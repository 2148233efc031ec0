package classify

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// unschedulable is a pod that the scheduler has looked at.
func unschedulable(message string, edits ...edit) *corev1.Pod {
	return newPod(append([]edit{
		unscheduledPod, condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", second), saying(corev1.PodScheduled, message),
	}, edits...)...)
}

func TestUnscheduled(t *testing.T) {
	const cpu = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
	open := []Stage{{"", FamilySchedule}}
	gated := unschedulable("Scheduling is blocked due to non-empty scheduling gates", condition(corev1.PodScheduled, corev1.ConditionFalse, "SchedulingGated", 0),
		saying(corev1.PodScheduled, "Scheduling is blocked due to non-empty scheduling gates"))
	claim := func(pod *corev1.Pod) { pod.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "gpu"}} }
	volume := func(pod *corev1.Pod) {
		pod.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}
	runPodCases(t, []podCase{
		{name: "held by a gate, at once", at: second, pod: gated, want: []string{"- schedule/SchedulingGated/SchedulingGated"}},
		{name: "within the grace", at: 5 * second, pod: unschedulable(cpu), recheck: 11 * second, open: open},
		{name: "after the grace", at: 11 * second, pod: unschedulable(cpu), want: []string{"- schedule/Unschedulable/InsufficientCPU"}, since: second, message: cpu},
		{name: "at once in a single look", once: true, at: second, pod: unschedulable(cpu), want: []string{"- schedule/Unschedulable/InsufficientCPU"}},
		{name: "in words that nobody knows", at: minute, pod: unschedulable("0/3 nodes are available: 3 moon is in the wrong phase."), want: []string{"- schedule/Unschedulable/Unschedulable"}},
		{
			name: "only an event", at: minute, pod: newPod(unscheduledPod), events: []*corev1.Event{podEvent("FailedScheduling", "0/3 nodes are available: 3 Too many pods.", second)},
			want: []string{"- schedule/Unschedulable/TooManyPods"},
		},
		{
			name: "the scheduler before the autoscaler", at: minute, pod: newPod(unscheduledPod), want: []string{"- schedule/Unschedulable/InsufficientCPU"},
			events: []*corev1.Event{podEvent("NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached", 50*second), podEvent("FailedScheduling", cpu, second)},
		},
		{name: "no scheduler has looked, within the time", at: 9 * minute, pod: newPod(unscheduledPod), recheck: 10 * minute, open: open},
		{name: "no scheduler has looked for ten minutes", at: 10 * minute, pod: newPod(unscheduledPod), want: []string{"- schedule/Unschedulable/SchedulerNotRunning"}},
		{name: "no scheduler has looked, but a ResourceClaim may hold it up", at: 10 * minute, pod: newPod(unscheduledPod, claim), want: []string{"- schedule/Unschedulable/Unschedulable"}},
		{name: "no scheduler has looked, but a volume may hold it up", at: 10 * minute, pod: newPod(unscheduledPod, volume), want: []string{"- schedule/Unschedulable/Unschedulable"}},
		{name: "scheduled", at: 2 * second, pod: newPod(), recheck: 31 * second},
		{
			name: "scheduled after a long wait", at: time.Hour + 2*second, events: []*corev1.Event{podEvent("FailedScheduling", cpu, 59*minute)},
			pod: newPod(condition(corev1.PodScheduled, corev1.ConditionTrue, "", time.Hour)),
		},
	})
}

func TestUnscheduledNamesAllCauses(t *testing.T) {
	v := New(DefaultOptions()).Pod(PodInput{
		Pod: unschedulable("0/6 nodes are available: 1 node(s) were unschedulable, 2 Insufficient memory, 3 Insufficient cpu."), Now: clock(minute),
	})
	want := []Cause{InsufficientMemory, NodesUnschedulable}
	if len(v.Failures) != 1 || v.Failures[0].Cause != InsufficientCPU || !slices.Equal(v.Failures[0].Also, want) {
		t.Errorf("got %+v, want InsufficientCPU, also %v", v.Failures, want)
	}
}
