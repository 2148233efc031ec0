package classify

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SchedulingCount is one cause in a scheduler's message, with the nodes that it rules out. Nodes is 0 where the message
// speaks of the pod and not of nodes.
type SchedulingCount struct {
	Cause Cause
	Nodes int
}

// schedulePhrase tells the cause of one part of a scheduler's message. made are real parts, of several versions.
type schedulePhrase struct {
	cause   Cause
	pattern *regexp.Regexp
	made    []string
}

// schedulePhrases returns the phrases of the scheduler's plugins since Kubernetes 1.5 (pkg/scheduler/framework/plugins
// and, before 1.19, pkg/scheduler/algorithm/predicates), of Karpenter, Volcano and the cluster autoscaler.
// The first that matches counts: "volume node affinity" stands before "node affinity". A claim whose volume is gone or
// that is being deleted has no phrase: it is not waiting for a volume, and there may be data to save.
func schedulePhrases() []schedulePhrase {
	phrase := func(cause Cause, pattern string, made ...string) schedulePhrase {
		return schedulePhrase{cause: cause, pattern: regexp.MustCompile(`(?i)` + pattern), made: made}
	}
	return []schedulePhrase{
		phrase(NoNodes, `^no nodes available`, "no nodes available to schedule pods"),
		phrase(PersistentVolumeClaimMissing, `persistentvolumeclaims? "[^"]*" not found|persistentvolumeclaim is not found|could not find v1\.persistentvolumeclaim "|controller to create the persistentvolumeclaim`,
			`persistentvolumeclaim "data" not found`, `persistentvolumeclaims "data" not found`,
			`SchedulerPredicates failed due to PersistentVolumeClaim is not found: "data"`, `waiting for ephemeral volume controller to create the persistentvolumeclaim "a-b"`,
			`running PreFilter plugin "VolumeBinding": error getting PVC "shop/data": could not find v1.PersistentVolumeClaim "shop/data"`),
		phrase(VolumeNodeAffinityConflict, `volume node affinity conflict|persistentvolume's node affinity|pv "[^"]*" node affinity doesn't match node|`+
			`plugin(\(s\))? \[?volumebinding\]?$|no available volume zone|NoVolumeZoneConflict|NoVolumeNodeConflict|^VolumeNodeAffinityConflict$`,
			"node(s) had volume node affinity conflict", "node(s) didn't match PersistentVolume's node affinity", "node(s) had no available volume zone",
			`running PreBind plugin "VolumeBinding": binding volumes: pv "a" node affinity doesn't match node "b": no matching NodeSelectorTerms`,
			"node(s) didn't satisfy plugin(s) [VolumeBinding]", "node(s) didn't satisfy plugin VolumeBinding", "VolumeNodeAffinityConflict"),
		phrase(PersistentVolumeClaimUnbound, `unbound immediate|is not bound|^VolumeBindingNoMatch$|find available persistent volumes to bind|`+
			`unbound persistentvolumeclaim|binding volumes: (context deadline exceeded|timed out|provisioning failed)|pvc \S+ not bound`,
			"pod has unbound immediate PersistentVolumeClaims", "node(s) didn't find available persistent volumes to bind",
			"pod has unbound PersistentVolumeClaims", `PersistentVolumeClaim is not bound: "data"`, "VolumeBindingNoMatch",
			`running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded`,
			"Pod not supported on Fargate: volumes not supported: data not supported because: PVC data-0 not bound"),
		phrase(VolumeLimitReached, `max volume count|Max\w*VolumeCount`,
			"node(s) exceed max volume count", "MaxCSIVolumeCount", "MaxVolumeCount"),
		phrase(TooManyPods, `too many pods|insufficient pods\b|enough resource: pods\b|PodExceedsMaxPodNumber`, "Too many pods", "Insufficient pods"),
		phrase(InsufficientEphemeralStorage, `insufficient ephemeral-storage`, "Insufficient ephemeral-storage"),
		phrase(InsufficientCPU, `insufficient cpu\b|enough resource: cpu\b|PodExceedsFreeCPU`, "Insufficient cpu",
			"Node didn't have enough resource: CPU, requested: 100, used: 950, capacity: 1000", "PodExceedsFreeCPU"),
		phrase(InsufficientMemory, `insufficient memory\b|enough resource: memory\b|PodExceedsFreeMemory`, "Insufficient memory",
			"Node didn't have enough resource: Memory, requested: 100, used: 950, capacity: 1000", "PodExceedsFreeMemory"),
		phrase(InsufficientResource, `(^|failed )insufficient (\S+$|gpu )`, "Insufficient nvidia.com/gpu", "Insufficient hugepages-2Mi", "Insufficient GPU Memory in one device"),
		phrase(TopologySpreadUnsatisfiable, `topology spread|EvenPodsSpread`,
			"node(s) didn't match pod topology spread constraints", "node(s) didn't match pod topology spread constraints (missing required label)"),
		phrase(NodeAffinityMismatch, `^pod affinity terms conflict`, "pod affinity terms conflict"), // of its node affinity with its node selector
		phrase(PodAffinityMismatch, `pod affinity|pod anti-?affinity|pods anti-affinity|anti-affinity rules|MatchInterPodAffinity|ExistingPodsAntiAffinity|PodAffinityRules`,
			"node(s) didn't match pod affinity/anti-affinity rules", "node(s) didn't satisfy existing pods anti-affinity rules",
			"MatchInterPodAffinity", "node(s) didn't match pod anti-affinity rules"),
		phrase(HostPortConflict, `free ports for the requested|PodFits(Host)?Ports\b`,
			"node(s) didn't have free ports for the requested pod ports", "PodFitsHostPorts", "PodFitsPorts"),
		phrase(NodesUnschedulable, `were unschedulable|^NodeUnschedulable$|taint \{node\.kubernetes\.io/unschedulable`,
			"node(s) were unschedulable", "NodeUnschedulable", "node(s) had untolerated taint {node.kubernetes.io/unschedulable: }"),
		phrase(UntoleratedTaint, `\btaint|did not tolerate|PodToleratesNodeTaints`,
			"node(s) had taint {a: b}, that the pod didn't tolerate", "node(s) had untolerated taint {a: }", "node(s) had untolerated taint(s)",
			"node(s) had taints that the pod didn't tolerate", "PodToleratesNodeTaints"),
		phrase(NodeAffinityMismatch, `node selector|node affinity|plugin(\(s\))? \[?NodeAffinity\]?$|filtered out by the prefilter result|`+
			`MatchNodeSelector|PodFitsHost\b|^HostName$|requested (node name|hostname)`,
			"node(s) didn't match Pod's node affinity/selector", "node(s) didn't match node selector",
			"node(s) didn't satisfy plugin(s) [NodeAffinity]", "node(s) didn't satisfy plugin NodeAffinity", "node is filtered out by the prefilter result",
			"MatchNodeSelector", "HostName", "node(s) didn't match the requested node name", "node(s) didn't match the requested hostname"),
	}
}

// setAside matches reasons that say little where anything else blocks nodes too: control-plane taints, which few pods are
// meant to tolerate; taints whose key is not named (before 1.18, and again in the newest schedulers), which may be the
// control plane's; and nodes that a DaemonSet's pod was never meant for.
var setAside = regexp.MustCompile(`(?i)taint \{node-role\.kubernetes\.io/(master|control-plane|controlplane|etcd)|untolerated taint\(s\)|` +
	`had taints that the pod|PodToleratesNodeTaints|didn't satisfy plugin\(s\) \[NodeAffinity\]|filtered out by the prefilter result`)

// groupLimit is the cluster autoscaler's word for a node group that may not grow, or cannot for now.
var groupLimit = regexp.MustCompile(`(?i)max node group size reached|max limit reached|max cluster .* limit reached|` +
	`in backoff after failed scale-up|not ready for scale-up`)

var (
	// schedulingTail is where the scheduler's second thoughts begin (preemption, dynamic resources): they repeat reasons.
	schedulingTail = regexp.MustCompile(`(?i)(\. |, |^)?(preemption: |no new claims to deallocate|still not schedulable)`)
	schedulingHead = regexp.MustCompile(`(?i)^(\d+)/(\d+) nodes are (available|unavailable):\s*`)
	noPredicates   = regexp.MustCompile(`(?i)^no nodes are available that match all of the (following )?predicates:*\s*`)
	noScaleUp      = regexp.MustCompile(`(?i)^pod didn't trigger scale-up( \(it wouldn't fit if a new node is added\))?:\s*`)
	nodeLine       = regexp.MustCompile(`(?m)^\s*fit failure on node \([^)\n]*\): (.+)$`) // before 1.5: a line for each node
	karpenterHead  = regexp.MustCompile(`(?i)^(failed to|could not) schedule pod, `)
	topologyLimit  = regexp.MustCompile(`(?i)unsatisfiable topology constraint for (topology spread|pod (anti-)?affinity)`)
	countBefore    = regexp.MustCompile(`^(\d+) (.+)$`)
	countAfter     = regexp.MustCompile(`^(.+) \((\d+)\)$`)
	betweenParts   = regexp.MustCompile(`, (?:\d+ |\w[^,{}]*\(\d+\)|$)`)
)

// ParseScheduling reads a scheduler's message: every cause with its nodes, the one to look at first in front. What no
// phrase knows counts as Unschedulable. It returns nil for an empty text, and never fails on odd input.
func (c *Classifier) ParseScheduling(message string) []SchedulingCount {
	message = unwrap(message)
	blocked, aside := map[Cause]int{}, map[Cause]int{}
	for _, part := range schedulingParts(message) {
		nodes, text := partCount(part)
		cause := c.schedulePhrase(text)
		if setAside.MatchString(text) {
			aside[cause] += nodes
		} else {
			blocked[cause] += nodes
		}
	}
	if len(blocked) == 0 {
		return orderScheduling(aside)
	}
	for cause := range blocked {
		if nodes, both := aside[cause]; both && cause != UntoleratedTaint {
			blocked[cause] += nodes
			delete(aside, cause)
		}
	}
	out := orderScheduling(blocked)
	if groupLimit.MatchString(message) {
		// The numbers are node groups: those that do not match never will, those at their limit would have fitted.
		slices.SortStableFunc(out, func(a, b SchedulingCount) int { return cmp.Compare(isNot(a), isNot(b)) })
	}
	for _, count := range orderScheduling(aside) {
		if i := slices.IndexFunc(out, func(o SchedulingCount) bool { return o.Cause == count.Cause }); i >= 0 {
			out[i].Nodes += count.Nodes
		} else {
			out = append(out, count)
		}
	}
	return out
}

func isNot(c SchedulingCount) int {
	if c.Cause == Unschedulable {
		return 0
	}
	return 1
}

// orderScheduling puts the cause that blocks most nodes first.
func orderScheduling(counts map[Cause]int) []SchedulingCount {
	var out []SchedulingCount
	for cause, nodes := range counts {
		out = append(out, SchedulingCount{Cause: cause, Nodes: nodes})
	}
	slices.SortFunc(out, func(a, b SchedulingCount) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), cmp.Compare(scheduleRank(a.Cause), scheduleRank(b.Cause)),
			cmp.Compare(a.Cause, b.Cause))
	})
	return out
}

// scheduleRank orders causes with equally many nodes: what a person can change in the pod or the cluster first.
func scheduleRank(cause Cause) int {
	switch cause {
	case Unschedulable:
		return 3
	case UntoleratedTaint, NodesUnschedulable:
		return 2
	case NodeAffinityMismatch:
		return 1
	}
	return 0
}

func (c *Classifier) schedulePhrase(text string) Cause {
	for i := range c.sched {
		if c.sched[i].pattern.MatchString(text) {
			return c.sched[i].cause
		}
	}
	return Unschedulable
}

// schedulingParts cuts the message into its reasons. A comma alone does not part them: old taints hold one.
func schedulingParts(message string) []string {
	if _, summary, ok := strings.Cut(message, "fit failure summary on nodes : "); ok {
		message = summary
	}
	if lines := nodeLine.FindAllStringSubmatch(message, -1); len(lines) > 0 {
		var parts []string
		for _, line := range lines {
			parts = append(parts, "1 "+line[1])
		}
		return parts
	}
	head := schedulingHead.FindString(message)
	message = message[len(head):]
	if cut := schedulingTail.FindStringIndex(message); cut != nil && (cut[0] > 0 || head != "") {
		message = message[:cut[0]]
	}
	message = noPredicates.ReplaceAllString(message, "")
	message = noScaleUp.ReplaceAllString(message, "")
	message = strings.TrimRight(strings.TrimSpace(message), ". ,")
	if head == "" && karpenterHead.MatchString(message) {
		return karpenterParts(message)
	}
	var parts []string
	for message != "" {
		at := betweenParts.FindStringIndex(message)
		if at == nil {
			parts = append(parts, message)
			break
		}
		parts = append(parts, message[:at[0]])
		message = message[at[0]+2:]
	}
	return parts
}

// karpenterParts cuts Karpenter's message: the words after the pools' overhead tell, "no instance type" does not.
// Karpenter looks at a pool's taints first, then its labels, its topology and its instance types: a pool that fails early
// is not the one that is meant for the pod where another got further. Those parts get the words that are set aside.
func karpenterParts(message string) []string {
	var parts []string
	for pool := range strings.SplitSeq(message, "; ") {
		switch topology := topologyLimit.FindStringSubmatch(pool); {
		case strings.Contains(pool, "did not tolerate "):
			pool = "node(s) had untolerated taint(s)"
		case topology != nil:
			pool = topology[1]
		case strings.Contains(pool, "incompatible requirements"):
			pool = "node(s) didn't satisfy plugin(s) [NodeAffinity]"
		default:
			pool = "no instance type"
		}
		parts = append(parts, pool)
	}
	return parts
}

// partCount reads "12 node(s) …", which new schedulers write, and "Reason (12)", which those before 1.10 wrote.
func partCount(part string) (nodes int, text string) {
	if m := countBefore.FindStringSubmatch(part); m != nil {
		return nodeCount(m[1]), m[2]
	}
	if m := countAfter.FindStringSubmatch(part); m != nil {
		return nodeCount(m[2]), m[1]
	}
	return 0, part
}

// nodeCount reads a number of nodes; no cluster has more than a million, whatever a text says.
func nodeCount(digits string) int {
	const most = 1_000_000
	n, err := strconv.Atoi(digits)
	if err != nil {
		return most
	}
	return min(n, most)
}
