package classify

import (
	"regexp"
	"strings"
)

// podRules returns the rules for what happens to a pod as a whole: its status' message, the message of its
// DisruptionTarget condition, and the event Evicted (kubernetes pkg/kubelet/eviction/helpers.go).
func podRules() table {
	return table{
		{
			cause:   EphemeralStorageExceeded,
			pattern: regexp.MustCompile(`ephemeral local storage usage exceeds|exceeded its local ephemeral storage limit|usage of emptydir volume .* exceeds`),
			made: []string{
				`Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.`,
				`Usage of EmptyDir volume "cache" exceeds the limit "64Mi".`,
				`Container web exceeded its local ephemeral storage limit "20Mi".`,
			},
		},
		{
			cause:   NodeDiskPressure,
			pattern: regexp.MustCompile(`low on resource: (\[?)(ephemeral-storage|nodefs|imagefs|containerfs|inodes|\S*disk)|\[.*diskpressure.*\]`),
			made: []string{
				`The node was low on resource: ephemeral-storage. Threshold quantity: 10, available: 5. Container web was using 40Ki, request is 0, has larger consumption of ephemeral-storage. `,
				`Pod was rejected: The node had condition: [DiskPressure]. `,
			},
			near: []string{`The node was low on resource: memory. Container web was using 40Ki, which exceeds its request of 0.`},
		},
		{
			cause:   NodeMemoryPressure,
			pattern: regexp.MustCompile(`low on resource: \[?memory|\[.*memorypressure.*\]|allocatablememory`),
			made: []string{
				`The node was low on resource: memory. Threshold quantity: 100Mi, available: 5Mi. Container web was using 40Ki, request is 0. `,
				`Pod was rejected: The node had condition: [MemoryPressure]. `,
			},
		},
		{
			cause:   NodePIDPressure,
			pattern: regexp.MustCompile(`low on resource: \[?pids|\[.*pidpressure.*\]`),
			made:    []string{`The node was low on resource: pids. Threshold quantity: 10, available: 5. `},
		},
		{
			cause:   NodeShutdown,
			pattern: regexp.MustCompile(`node is shutting down|imminent node shutdown|progress of shutting down|node shutdown`),
			made: []string{
				`Pod was terminated in response to imminent node shutdown.`,
				`Pod was rejected as the node is shutting down.`,
			},
		},
		{
			cause:   Preempted,
			pattern: regexp.MustCompile(`preempting to accommodate a higher priority pod|preempted in order to admit critical pod|preempted by (a )?pod|preempted by kubelet to accommodate`),
			made: []string{
				`default-scheduler: preempting to accommodate a higher priority pod`,
				`Preempted in order to admit critical pod`,
				`Pod was preempted by Kubelet to accommodate a critical pod.`,
			},
		},
		{
			cause:   DeadlineExceeded,
			pattern: regexp.MustCompile(`active on the node longer than the specified deadline`),
			made:    []string{`Pod was active on the node longer than the specified deadline`},
		},
		{
			cause:   TaintEvicted,
			pattern: regexp.MustCompile(`taint manager: deleting due to`),
			made:    []string{`Taint manager: deleting due to NoExecute taint`},
		},
		{
			cause: NodeAdmissionRejected,
			pattern: regexp.MustCompile(`predicate \S+ failed|allocate failed due to|didn't have enough (resource|capacity)|recover from admission failure|pod was rejected: |cannot enforce apparmor|unable to admit|` +
				`resources cannot be allocated with topology locality|smt alignment error: |forbidden sysctl: |generalpredicates failed due to`),
			made: []string{
				`Pod Resources cannot be allocated with Topology locality`,
				`Pod forbidden sysctl: "net.core.somaxconn" not whitelisted`,
				`Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector`,
				`Pod was rejected: Node didn't have enough resource: cpu, requested: 500, used: 3800, capacity: 4000`,
				`Pod was rejected: Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0, which is unexpected`,
			},
		},
	}
}

// podFence maps a pod's status.reason that needs no text.
func podFence(reason string) (Cause, bool) {
	switch reason {
	case "DeadlineExceeded":
		return DeadlineExceeded, true
	case "NodeLost":
		return NodeLost, true
	case "Shutdown", "NodeShutdown", "Terminated":
		return NodeShutdown, true
	case "Preempting", "Preempted", "PreemptionByScheduler", "PreemptionByKubeScheduler":
		return Preempted, true
	case "DeletionByTaintManager":
		return TaintEvicted, true
	case "DeletionByPodGC":
		return NodeLost, true
	case "MatchNodeSelector", "HostName", "HostPorts", "PodFitsHostPorts", "PodToleratesNodeTaints", "NodeUnschedulable", "SysctlForbidden",
		"NodeAffinity", "NodeName", "NodePorts", "NodeResourcesFit", "UnexpectedAdmissionError", "TaintToleration", "InvalidNodeInfo",
		"PodOSSelectorNodeLabelDoesNotMatch", "PodOSNotSupported", "TopologyAffinityError", "AppArmor", "SMTAlignmentError",
		"UnsupportedPodLevelResources", "PodFeatureUnsupported", "PodLevelResourcesNotAdmittedReason", "PodLevelResourcesNotSupported",
		"InitContainerRestartPolicyForbidden", "SupplementalGroupsPolicyNotSupported", "EmptyPodSharedPoolError", "VolumeAttachmentLimitExceeded",
		"UnexpectedPredicateFailureType":
		return NodeAdmissionRejected, true
	}
	if outOf.MatchString(reason) {
		return NodeAdmissionRejected, true
	}
	return "", false
}

// outOf matches the kubelet's rejections OutOfcpu, OutOfmemory, OutOfpods, OutOfnvidia.com/gpu and so on.
var outOf = regexp.MustCompile(`^OutOf\S+$`)

// tellPod returns the cause from a status reason and message of a pod, a condition or an event.
func (c *Classifier) tellPod(reason, message string) (Cause, bool) {
	if reason == "Evicted" || reason == "TerminationByKubelet" || reason == "Terminated" && message != "" {
		if cause, ok := c.pod.tell(unwrap(message)); ok {
			return cause, true
		}
	}
	if cause, ok := podFence(reason); ok {
		return cause, true
	}
	if reason == "TaintManagerEviction" && strings.HasPrefix(message, "Marking for deletion") {
		return TaintEvicted, true
	}
	if reason == "" && message != "" {
		return c.pod.tell(unwrap(message))
	}
	if cause, ok := c.pod.tell(message); ok && cause == NodeAdmissionRejected {
		return cause, true // the kubelet's sentence about a pod that it does not admit, whatever reason its version gives
	}
	return "", false
}
