package classify

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const lowMemory = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 5Mi. Container web was using 40Ki, request is 0. "

func evictedPod(edits ...edit) *corev1.Pod {
	return newPod(append([]edit{
		phase(corev1.PodFailed, "Evicted", lowMemory), web(terminated(exit(137, "ContainerStatusUnknown", second, 5*minute))),
		condition("DisruptionTarget", corev1.ConditionTrue, "TerminationByKubelet", 5*minute), saying("DisruptionTarget", lowMemory),
	}, edits...)...)
}

func TestFinishedPod(t *testing.T) {
	deployment := func(ready int32) *Controller {
		return &Controller{Kind: "Deployment", Name: "web", Desired: 2, Current: 2, Ready: ready}
	}
	evicted := []string{"- pod/Evicted/NodeMemoryPressure"}
	attempt := func(policy corev1.RestartPolicy) *corev1.Pod {
		return newPod(phase(corev1.PodFailed, "", ""), restart(policy), web(terminated(exit(2, "Error", minute, 2*minute))))
	}
	runPodCases(t, []podCase{
		{name: "evicted, its Deployment is whole again", at: time.Hour, pod: evictedPod(), owner: deployment(2)},
		{name: "evicted, its Deployment still counts it", at: 5*minute + 29*second, pod: evictedPod(), owner: deployment(2), recheck: 5*minute + 30*second},
		{name: "evicted, its Deployment lacks a pod", at: time.Hour, pod: evictedPod(), owner: deployment(1), want: evicted, since: 5 * minute},
		{name: "evicted, no controller replaces it", at: 100 * time.Hour, pod: evictedPod(), want: evicted},
		{name: "evicted, the workload was scaled down", at: time.Hour, pod: evictedPod(), owner: &Controller{Kind: "StatefulSet"}},
		{
			name: "evicted by older kubelets, without a condition", at: time.Hour, want: evicted,
			pod: newPod(phase(corev1.PodFailed, "Evicted", lowMemory), web(terminated(exit(137, "Error", second, 5*minute)))),
		},
		{
			name: "evicted, no status message, the event tells", at: time.Hour, want: evicted,
			pod: newPod(phase(corev1.PodFailed, "Evicted", "")), events: []*corev1.Event{podEvent("Evicted", lowMemory, 5*minute)},
		},
		{
			name: "evicted, its container ended well and the phase says so", at: time.Hour, want: []string{"- pod/Evicted/NodeMemoryPressure"},
			pod: evictedPod(phase(corev1.PodSucceeded, "", "")),
		},
		{
			name: "evicted through the API by a person", at: time.Hour, want: nil, owner: deployment(2),
			pod: evictedPod(phase(corev1.PodFailed, "", ""), condition("DisruptionTarget", corev1.ConditionTrue, "EvictionByEvictionAPI", 5*minute)),
		},
		{name: "a Job's attempt, the Job tries on", at: time.Hour, pod: attempt("Never"), owner: &Controller{Kind: "Job", Desired: 1}, want: []string{"web crash/Error/AppError"}, since: 2 * minute},
		{name: "a Job's attempt, the Job is complete", at: time.Hour, pod: attempt("Never"), owner: &Controller{Kind: "Job", Done: true, Complete: true}},
		{name: "a Job's attempt, the Job has given up", at: time.Hour, pod: attempt("OnFailure"), owner: &Controller{Kind: "Job", Done: true}, want: []string{"web crash/Error/AppError"}},
		{
			name: "a Job's deadline", at: time.Hour, want: []string{"- pod/DeadlineExceeded/DeadlineExceeded"},
			pod: newPod(phase(corev1.PodFailed, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")),
		},
		{
			name: "refused by the node", at: time.Hour, want: []string{"- pod/NodeAdmission/NodeAdmissionRejected"},
			pod: newPod(phase(corev1.PodFailed, "OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000")),
		},
		{
			name: "node shutdown", at: time.Hour, want: []string{"- pod/NodeShutdown/NodeShutdown"},
			pod: newPod(phase(corev1.PodFailed, "Terminated", "Pod was terminated in response to imminent node shutdown.")),
		},
		{
			name: "only one of two containers failed", at: time.Hour, want: []string{"web crash/Error/AppError"},
			pod: newPod(phase(corev1.PodFailed, "", ""), restart("Never"), web(terminated(exit(2, "Error", minute, 2*minute))),
				another("log", terminated(exit(0, "Completed", minute, 2*minute)))),
		},
		{name: "completed", at: time.Hour, pod: newPod(phase(corev1.PodSucceeded, "", ""), web(terminated(exit(0, "Completed", minute, 2*minute))))},
		{
			name: "completed, although an attempt before failed", at: time.Hour,
			pod: newPod(phase(corev1.PodSucceeded, "", ""), restart("OnFailure"), web(after(terminated(exit(0, "Completed", minute, 2*minute)), 3, exit(1, "Error", second, minute)))),
		},
		{
			name: "failed, and nothing says why", at: time.Hour, pod: newPod(phase(corev1.PodFailed, "", "the pod has gone")),
			want: []string{"- pod/Other/ContainerStatusUnknown"},
		},
	})
}

func TestLostNode(t *testing.T) {
	lost := &Node{Name: "node-a", Silent: true, Since: clock(30 * minute)}
	back := &Node{Name: "node-a", Since: clock(40 * minute)}
	stale := condition(corev1.PodReady, corev1.ConditionFalse, "", 31*minute)
	notReady := podEvent("NodeNotReady", "Node is not ready", 31*minute)
	want := []string{"- pod/NodeLost/NodeLost"}
	runPodCases(t, []podCase{
		{name: "within the grace", at: 32*minute - second, node: lost, pod: healthyPod(stale), recheck: 32 * minute},
		{name: "within the grace, being deleted", at: 31 * minute, node: lost, pod: healthyPod(deleted(31 * minute)), recheck: 32 * minute},
		{name: "one look waits for nothing", at: 31 * minute, once: true, node: lost, pod: healthyPod(stale), want: want},
		{
			name: "back, and what the node controller wrote is not corrected yet", at: 40*minute + 29*second, node: back,
			pod: runningPod(web(running(minute, false)), stale), events: []*corev1.Event{notReady}, recheck: 40*minute + 30*second,
		},
		{name: "a pod that looks healthy", at: 32 * minute, node: lost, pod: healthyPod(), want: want, since: 30 * minute},
		{name: "a pod whose probe failed", at: 32 * minute, node: lost, pod: runningPod(web(running(minute, false))), want: want},
		{name: "a pod in a crash loop", at: 32 * minute, node: lost, pod: runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, exit(1, "Error", minute, 2*minute)))), want: want},
		{name: "a pod that completed before", at: 32 * minute, node: lost, pod: newPod(phase(corev1.PodSucceeded, "", ""))},
		{name: "a pod being deleted", at: 37 * minute, node: lost, pod: healthyPod(deleted(36 * minute)), want: want},
		{name: "nodes may not be read: the event proves it", at: 33 * minute, pod: healthyPod(stale), events: []*corev1.Event{notReady}, want: want, since: 31 * minute},
		{name: "nodes may not be read: phase Unknown", at: 32 * minute, pod: healthyPod(stale, phase(corev1.PodUnknown, "NodeLost", "Node node-a which was running pod web-1 is unresponsive")), want: want},
		{name: "the node is ready again", at: 41 * minute, node: back, pod: healthyPod(), events: []*corev1.Event{notReady}},
		{name: "the node is ready and the pod is not: its own cause", at: 41 * minute, node: back, pod: runningPod(web(running(minute, false))), events: []*corev1.Event{notReady}, want: []string{"web probe/Unhealthy/ProbeFailed"}},
		{name: "an old event and a pod that is ready", at: 50 * minute, pod: healthyPod(), events: []*corev1.Event{notReady}},
	})
}

func TestNodeOf(t *testing.T) {
	node := func(conditions ...corev1.NodeCondition) *corev1.Node {
		n := &corev1.Node{Status: corev1.NodeStatus{Conditions: conditions}}
		n.Name = "node-a"
		return n
	}
	for _, tc := range []struct {
		name string
		node *corev1.Node
		want Node
	}{
		{"no condition yet", node(), Node{Name: "node-a"}},
		{"other conditions", node(corev1.NodeCondition{Type: corev1.NodeMemoryPressure, Status: corev1.ConditionTrue}), Node{Name: "node-a"}},
		{"ready", node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: stamp(minute)}), Node{"node-a", false, clock(minute)}},
		{"not ready by its own word", node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionFalse, LastTransitionTime: stamp(minute)}), Node{"node-a", false, clock(minute)}},
		{"unknown", node(corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionUnknown, LastTransitionTime: stamp(minute)}), Node{"node-a", true, clock(minute)}},
	} {
		if got := NodeOf(tc.node); got.Name != tc.want.Name || got.Silent != tc.want.Silent || !got.Since.Equal(tc.want.Since) {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestDeletion(t *testing.T) {
	stuck := []string{"- pod/Terminating/StuckTerminating"}
	taint := []edit{
		deleted(10 * minute), condition("DisruptionTarget", corev1.ConditionTrue, "DeletionByTaintManager", 9*minute),
		saying("DisruptionTarget", "Taint manager: deleting due to NoExecute taint"),
	}
	runPodCases(t, []podCase{
		{name: "normal, within its grace period", at: 9 * minute, pod: healthyPod(deleted(10 * minute)), recheck: 15 * minute},
		{name: "a crash loop that is being deleted", at: 9 * minute, pod: runningPod(deleted(10*minute), web(after(waiting("CrashLoopBackOff", ""), 3, exit(1, "Error", minute, 2*minute))))},
		{name: "a pod that was never scheduled is being deleted", at: 9 * minute, pod: newPod(unscheduledPod, deleted(10*minute))},
		{name: "shortly overdue", at: 14 * minute, pod: healthyPod(deleted(10 * minute)), recheck: 15 * minute},
		{name: "overdue", at: 15 * minute, pod: healthyPod(deleted(10 * minute)), want: stuck, since: 10 * minute},
		{
			name: "overdue for a finalizer", at: time.Hour, want: stuck, message: "still there after its deletion grace period; finalizers: example.org/hold",
			pod: healthyPod(deleted(10*minute), func(pod *corev1.Pod) { pod.Finalizers = []string{"example.org/hold"} }),
		},
		{
			name: "overdue, and the kubelet says why", at: time.Hour, want: stuck, message: "error killing pod: context deadline exceeded",
			pod: healthyPod(deleted(10 * minute)), events: []*corev1.Event{podEvent("FailedKillPod", "error killing pod: context deadline exceeded", 20*minute)},
		},
		{name: "evicted for a taint", at: 9*minute + second, pod: healthyPod(taint...), want: []string{"- pod/TaintManagerEviction/TaintEvicted"}, since: 9 * minute},
		{name: "evicted for a taint, and overdue", at: time.Hour, pod: healthyPod(taint...), want: stuck},
		{
			name: "preempted", at: 9*minute + second, want: []string{"- pod/Preempted/Preempted"},
			pod: healthyPod(deleted(10*minute), condition("DisruptionTarget", corev1.ConditionTrue, "PreemptionByScheduler", 9*minute),
				saying("DisruptionTarget", "default-scheduler: preempting to accommodate a higher priority pod")),
		},
		{
			name: "drained", at: 9*minute + second,
			pod: healthyPod(deleted(10*minute), condition("DisruptionTarget", corev1.ConditionTrue, "EvictionByEvictionAPI", 9*minute), saying("DisruptionTarget", "Eviction API: evicting")),
		},
	})
}
