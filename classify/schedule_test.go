package classify

import (
	"fmt"
	"strings"
	"testing"
)

func writeCounts(counts []SchedulingCount) string {
	var parts []string
	for _, c := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", c.Cause, c.Nodes))
	}
	return strings.Join(parts, ", ")
}

func TestParseScheduling(t *testing.T) {
	c := New(DefaultOptions())
	for _, tc := range []struct{ name, message, want string }{
		{
			"today, with the preemption's second thoughts", `0/6 nodes are available: 2 Insufficient memory, 4 Insufficient cpu. preemption: 0/6 nodes are available: 6 No preemption victims found for incoming pod.`,
			"InsufficientCPU 4, InsufficientMemory 2",
		},
		{
			"1.26, two periods and a repeated reason", `0/3 nodes are available: 3 Insufficient nvidia.com/gpu. preemption: 0/3 nodes are available: 3 Insufficient cpu..`,
			"InsufficientResource 3",
		},
		{
			"dynamic resources in the tail", `0/2 nodes are available: 2 Too many pods. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`,
			"TooManyPods 2",
		},
		{"still not schedulable", `0/2 nodes are available: 2 Insufficient ephemeral-storage. still not schedulable, preemption: not eligible due to preemptionPolicy=Never.`, "InsufficientEphemeralStorage 2"},
		{
			"a comma inside a taint (1.18 to 1.23)", `0/5 nodes are available: 2 node(s) had taint {dedicated: db}, that the pod didn't tolerate, 3 Insufficient cpu.`,
			"InsufficientCPU 3, UntoleratedTaint 2",
		},
		{
			"only taints with commas", `0/3 nodes are available: 1 node(s) had taint {a: b}, that the pod didn't tolerate, 2 node(s) had taint {c: d}, that the pod didn't tolerate.`,
			"UntoleratedTaint 3",
		},
		{"taints since 1.24", `0/3 nodes are available: 3 node(s) had untolerated taint {dedicated: gpu}.`, "UntoleratedTaint 3"},
		{
			"the control plane's taint is set aside", `0/4 nodes are available: 1 Insufficient cpu, 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.`,
			"InsufficientCPU 1, UntoleratedTaint 3",
		},
		{
			"the master's taint is set aside", `0/4 nodes are available: 1 node(s) didn't match node selector, 3 node(s) had taint {node-role.kubernetes.io/master: }, that the pod didn't tolerate.`,
			"NodeAffinityMismatch 1, UntoleratedTaint 3",
		},
		{"nothing but the control plane", `0/1 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.`, "UntoleratedTaint 1"},
		{"taints without a name are set aside (newest)", `0/5 nodes are available: 1 Insufficient memory, 4 node(s) had untolerated taint(s).`, "InsufficientMemory 1, UntoleratedTaint 4"},
		{"taints without a name alone", `0/4 nodes are available: 4 node(s) had untolerated taint(s).`, "UntoleratedTaint 4"},
		{"taints without a name (1.17)", `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had taints that the pod didn't tolerate.`, "InsufficientCPU 1, UntoleratedTaint 2"},
		{
			"a DaemonSet's pod is pinned to one node", `0/9 nodes are available: 1 Insufficient memory, 8 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/9 nodes are available: 1 No preemption victims found for incoming pod, 8 Preemption is not helpful for scheduling.`,
			"InsufficientMemory 1, NodeAffinityMismatch 8",
		},
		{
			"counts are sorted as text, not as numbers", `0/12 nodes are available: 10 Insufficient cpu, 2 Insufficient memory.`, "InsufficientCPU 10, InsufficientMemory 2",
		},
		{"cordoned", `0/3 nodes are available: 3 node(s) were unschedulable.`, "NodesUnschedulable 3"},
		{"cordoned, as a taint", `0/3 nodes are available: 3 node(s) had untolerated taint {node.kubernetes.io/unschedulable: }.`, "NodesUnschedulable 3"},
		{"volume affinity is not node affinity", `0/3 nodes are available: 3 node(s) had volume node affinity conflict.`, "VolumeNodeAffinityConflict 3"},
		{"node affinity 1.20", `0/2 nodes are available: 2 node(s) didn't match Pod's node affinity.`, "NodeAffinityMismatch 2"},
		{"pod affinity, two sentences of one cause", `0/4 nodes are available: 2 node(s) didn't match pod affinity/anti-affinity, 2 node(s) didn't match pod anti-affinity rules.`, "PodAffinityMismatch 4"},
		{"spread", `0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label), 2 node(s) didn't match pod topology spread constraints.`, "TopologySpreadUnsatisfiable 3"},
		{"ports", `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.`, "HostPortConflict 1"},
		{"a claim that does not exist, without a count (1.26)", `0/4 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.`, "PersistentVolumeClaimMissing 0"},
		{"a claim that does not exist, with a count (1.19)", `0/4 nodes are available: 4 persistentvolumeclaim "data" not found.`, "PersistentVolumeClaimMissing 4"},
		{"an unbound claim", `0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.`, "PersistentVolumeClaimUnbound 0"},
		{"an unbound claim, repeated (1.1x)", `pod has unbound immediate PersistentVolumeClaims (repeated 3 times)`, "PersistentVolumeClaimUnbound 0"},
		{"binding timed out", `running PreBind plugin "VolumeBinding": binding volumes: timed out waiting for the condition`, "PersistentVolumeClaimUnbound 0"},
		{"no nodes", `no nodes available to schedule pods`, "NoNodes 0"},
		{"1.9: the count stands behind", `No nodes are available that match all of the predicates: Insufficient cpu (3), PodToleratesNodeTaints (1).`, "InsufficientCPU 3, UntoleratedTaint 1"},
		{"1.8", `No nodes are available that match all of the following predicates:: MatchNodeSelector (4), Insufficient memory (1).`, "NodeAffinityMismatch 4, InsufficientMemory 1"},
		{"1.5: two lines", "pod (web-1) failed to fit in any node\nfit failure summary on nodes : Insufficient cpu (2), PodFitsHostPorts (1)", "InsufficientCPU 2, HostPortConflict 1"},
		{"1.5, on one line", `pod (web-1) failed to fit in any node fit failure summary on nodes : NoVolumeZoneConflict (1)`, "VolumeNodeAffinityConflict 1"},
		{
			"1.4: a line for each node", "pod (web-1) failed to fit in any node\nfit failure on node (a): Insufficient cpu\nfit failure on node (b): Insufficient memory\nfit failure on node (c): Insufficient memory\n",
			"InsufficientMemory 2, InsufficientCPU 1",
		},
		{
			"1.3: numbers behind the reason", "pod (web-1) failed to fit in any node\n  fit failure on node (a): Node didn't have enough resource: CPU, requested: 1000, used: 1420, capacity: 2000\n", "InsufficientCPU 1",
		},
		{"the volume's own affinity (1.36)", `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match PersistentVolume's node affinity.`, "VolumeNodeAffinityConflict 2, InsufficientCPU 1"},
		{"a volume that is gone", `0/4 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv-1". preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.`, "Unschedulable 0"},
		{"a claim that is being deleted", `0/4 nodes are available: persistentvolumeclaim "data" is being deleted. preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling.`, "Unschedulable 0"},
		{"a conflict of writers while binding", `running PreBind plugin "VolumeBinding": binding volumes: Operation cannot be fulfilled on persistentvolumeclaims "data": the object has been modified`, "Unschedulable 0"},
		{"two plugins that leave no node in common", `0/3 nodes are available: node(s) didn't satisfy plugin(s) [NodeAffinity VolumeBinding] simultaneously.`, "Unschedulable 0"},
		{
			"a DaemonSet's pod is pinned to one node (1.24 to 1.26)", `0/9 nodes are available: 1 Too many pods, 8 node is filtered out by the prefilter result. preemption: 0/9 nodes are available: 9 No preemption victims found for incoming pod.`,
			"TooManyPods 1, NodeAffinityMismatch 8",
		},
		{"not every word with taint in it", `0/2 nodes are available: 2 uncertainty about the node(s).`, "Unschedulable 2"},
		{
			"Karpenter: each pool's reason", `Failed to schedule pod, incompatible with nodepool "a", daemonset overhead={"cpu":"1"}, unsatisfiable topology constraint for pod anti-affinity, key=kubernetes.io/hostname (counts = map[]); did not tolerate taint (taint=a=b:NoSchedule); incompatible with nodepool "c", incompatible requirements, label "d" does not have known values`,
			"PodAffinityMismatch 0, NodeAffinityMismatch 0, UntoleratedTaint 0",
		},
		{
			"Karpenter: the pool that got further is the one that is meant", `Failed to schedule pod, incompatible with nodepool "a", daemonset overhead={"cpu":"1"}, did not tolerate a=b:NoSchedule; incompatible with nodepool "c", daemonset overhead={"cpu":"1"}, no instance type satisfied resources {"cpu":"9"} and requirements d In [e]`,
			"Unschedulable 0, UntoleratedTaint 0",
		},
		{"Karpenter: spread", `Failed to schedule pod, unsatisfiable topology constraint for topology spread, key=topology.kubernetes.io/zone (counts = a: 1, b: 0, podDomains = c Exists)`, "TopologySpreadUnsatisfiable 0"},
		{"words that nobody knows", `0/3 nodes are available: 3 moon is in the wrong phase.`, "Unschedulable 3"},
		{"part of it is known", `0/3 nodes are available: 1 Insufficient cpu, 2 moon is in the wrong phase.`, "Unschedulable 2, InsufficientCPU 1"},
		{"the cluster autoscaler", `pod didn't trigger scale-up: 2 max node group size reached, 1 Insufficient cpu`, "Unschedulable 2, InsufficientCPU 1"},
		{"node groups that cannot grow for now", `pod didn't trigger scale-up: 3 node(s) didn't match Pod's node affinity/selector, 1 in backoff after failed scale-up`, "Unschedulable 1, NodeAffinityMismatch 3"},
		{"nothing but a tail", `0/3 nodes are available: preemption: 0/3 nodes are available: 3 No preemption victims found.`, ""},
		{"empty", ``, ""},
	} {
		if got := writeCounts(c.ParseScheduling(tc.message)); got != tc.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestNodeCountsAreBounded(t *testing.T) {
	got := New(DefaultOptions()).ParseScheduling("0/3 nodes are available: 99999999999999999999 Insufficient cpu, 99999999999999999999 Insufficient cpu.")
	if len(got) != 1 || got[0].Nodes < 0 {
		t.Errorf("got %v", got)
	}
}
