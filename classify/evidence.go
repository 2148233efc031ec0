package classify

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// PodInput is all that is known of one pod. Nothing in it is changed.
type PodInput struct {
	Pod *corev1.Pod
	// Events are those whose involvedObject is the pod, in any order.
	Events []*corev1.Event
	// Node is the pod's node, nil where nodes may not be read or the pod has none.
	Node *Node
	// Owner is the controller that replaces the pod when it fails (for a ReplicaSet of a Deployment the Deployment),
	// nil for a bare pod or where the controller may not be read.
	Owner *Controller
	// RepositoryExists says whether some container runs an image that was pulled from registry/repository. It may be nil.
	RepositoryExists func(repository string) bool
	// Now is the time of the look.
	Now time.Time
}

// Node is what the classifier wants to know of a node.
type Node struct {
	Name string
	// Silent says that the kubelet does not report any more. A node that is not ready by its kubelet's own word is not silent: what
	// that kubelet says of its pods is news (kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go writes Unknown).
	Silent bool
	// Since is when the condition Ready last changed.
	Since time.Time
}

// NodeOf reduces a node. A node without a Ready condition is not silent: its kubelet has not spoken yet.
func NodeOf(node *corev1.Node) Node {
	n := Node{Name: node.Name}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			n.Silent = condition.Status == corev1.ConditionUnknown
			n.Since = condition.LastTransitionTime.Time
		}
	}
	return n
}

// Verdict is what a look at a pod or a controller tells.
type Verdict struct {
	// Failures has at most one entry for a container, and for the pod as a whole.
	Failures []Failure
	// Open names what shows no failure now although it has not got past the stage where one began: a failure that was
	// seen there before lasts, whatever became of its events.
	Open []Stage
	// Stale says that the object's status is old news: what was told before is neither confirmed nor over.
	Stale bool
	// Recheck is when the verdict may change although no object changes; zero for never.
	Recheck time.Time
}

// Stage is a container (empty for the pod) and the family of failures that belong to where it stands.
type Stage struct {
	Container string
	Family    Family
}

func (v *Verdict) recheck(at time.Time) {
	if v.Recheck.IsZero() || at.Before(v.Recheck) {
		v.Recheck = at
	}
}

// container is one container of the pod's spec with its status and its events. Ephemeral containers are left out: they
// are a person's debugging, and nobody waits for them.
type container struct {
	spec   *corev1.Container
	status *corev1.ContainerStatus // nil before the kubelet has said anything
	// path is what events call it: spec.containers{name}.
	path   string
	isInit bool // runs to its end before the next one; a restartable init container (sidecar) is not
	// restarts says that the kubelet starts it again after a failed end, mustRun after any end.
	restarts, mustRun bool
	events            []*corev1.Event // newest first
}

// podView is the one walk over a pod: its containers in the order in which they start, and its events.
type podView struct {
	PodInput
	containers []container
	events     []*corev1.Event // those about the pod as a whole, newest first
	all        []*corev1.Event // all, newest first
}

// walk joins specs, statuses and events of a pod.
func walk(in PodInput) *podView {
	p := &podView{PodInput: in}
	spec, status := &in.Pod.Spec, &in.Pod.Status
	p.containers = make([]container, 0, len(spec.InitContainers)+len(spec.Containers))
	for i := range spec.InitContainers {
		ctr := &spec.InitContainers[i]
		sidecar, policy := isSidecar(ctr), restartPolicy(spec, ctr)
		p.containers = append(p.containers, container{
			spec: ctr, status: statusOf(status.InitContainerStatuses, ctr.Name), path: "spec.initContainers{" + ctr.Name + "}",
			isInit: !sidecar, restarts: policy != corev1.RestartPolicyNever || len(ctr.RestartPolicyRules) > 0, mustRun: sidecar,
		})
	}
	for i := range spec.Containers {
		ctr := &spec.Containers[i]
		policy := restartPolicy(spec, ctr)
		p.containers = append(p.containers, container{
			spec: ctr, status: statusOf(status.ContainerStatuses, ctr.Name), path: "spec.containers{" + ctr.Name + "}",
			restarts: policy != corev1.RestartPolicyNever || len(ctr.RestartPolicyRules) > 0,
			mustRun:  policy == corev1.RestartPolicyAlways || policy == "",
		})
	}
	p.joinEvents()
	return p
}

// isSidecar says that an init container goes on to run beside the others.
func isSidecar(ctr *corev1.Container) bool {
	return ctr.RestartPolicy != nil && *ctr.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// restartPolicy is the container's own restart policy where it has one (since Kubernetes 1.34; kubernetes
// pkg/api/v1/pod/util.go), the pod's otherwise.
func restartPolicy(spec *corev1.PodSpec, ctr *corev1.Container) corev1.RestartPolicy {
	if ctr.RestartPolicy != nil {
		return corev1.RestartPolicy(*ctr.RestartPolicy)
	}
	return spec.RestartPolicy
}

func (p *podView) joinEvents() {
	if len(p.Events) == 0 {
		return
	}
	p.all = make([]*corev1.Event, 0, len(p.Events))
	for _, event := range p.Events {
		if p.concerns(event) {
			p.all = append(p.all, event)
		}
	}
	slices.SortStableFunc(p.all, newerFirst)
	for _, event := range p.all {
		if i := p.containerOf(event); i >= 0 {
			p.containers[i].events = append(p.containers[i].events, event)
		} else {
			p.events = append(p.events, event)
		}
	}
}

// concerns says that an event is about this pod and not about an earlier one of its name. The kubelet knows a static pod by the hash
// of its file, which the API server's copy of the pod keeps (kubernetes pkg/kubelet/config/common.go).
func (p *podView) concerns(event *corev1.Event) bool {
	uid := event.InvolvedObject.UID
	return uid == "" || p.Pod.UID == "" || uid == p.Pod.UID || string(uid) == p.Pod.Annotations[corev1.MirrorPodAnnotationKey]
}

// containerOf finds the container that an event is about. Some tools drop fieldPath: then the only container of a pod
// is meant, where the event speaks of a container at all.
func (p *podView) containerOf(event *corev1.Event) int {
	path := event.InvolvedObject.FieldPath
	if path == "" {
		if len(p.containers) == 1 && (aboutContainer(event.Reason) || startSync(event)) {
			return 0
		}
		return -1
	}
	return slices.IndexFunc(p.containers, func(ctr container) bool { return ctr.path == path })
}

func aboutContainer(reason string) bool {
	switch eventFamily(reason) {
	case FamilyImage, FamilyStart, FamilyProbe, FamilyCrash:
		return reason != pullSecretEvent
	}
	return false
}

func statusOf(statuses []corev1.ContainerStatus, name string) *corev1.ContainerStatus {
	for i := range statuses {
		if statuses[i].Name == name {
			return &statuses[i]
		}
	}
	return nil
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, t := range times {
		if t.After(last) {
			last = t
		}
	}
	return last
}

func (p *podView) condition(kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Pod.Status.Conditions {
		if p.Pod.Status.Conditions[i].Type == kind {
			return &p.Pod.Status.Conditions[i]
		}
	}
	return nil
}

func (p *podView) is(kind corev1.PodConditionType) bool {
	condition := p.condition(kind)
	return condition != nil && condition.Status == corev1.ConditionTrue
}

// notReadySince is since when the pod is kept from running, as its conditions tell, or the container's last end: for as
// long as it lasts the API keeps this time.
func (p *podView) notReadySince(ctr *container) time.Time {
	since := p.conditionSince(ctr)
	if ctr != nil && ctr.status != nil && ctr.status.LastTerminationState.Terminated != nil {
		since = latest(since, ctr.status.LastTerminationState.Terminated.FinishedAt.Time)
	}
	return since
}

// conditionSince is since when the pod's conditions say that a container keeps it from running.
func (p *podView) conditionSince(ctr *container) time.Time {
	kind := corev1.ContainersReady
	if ctr != nil && ctr.isInit {
		kind = corev1.PodInitialized
	}
	since := p.started()
	if condition := p.condition(kind); condition != nil && condition.Status != corev1.ConditionTrue {
		since = latest(since, condition.LastTransitionTime.Time)
	}
	return since
}

// started is when the kubelet took the pod, or when it was created.
func (p *podView) started() time.Time {
	if p.Pod.Status.StartTime != nil && !p.Pod.Status.StartTime.IsZero() {
		return p.Pod.Status.StartTime.Time
	}
	return p.Pod.CreationTimestamp.Time
}

// scheduledAt is when a node took the pod.
func (p *podView) scheduledAt() time.Time {
	if condition := p.condition(corev1.PodScheduled); condition != nil && condition.Status == corev1.ConditionTrue {
		return latest(condition.LastTransitionTime.Time, p.Pod.CreationTimestamp.Time)
	}
	return p.started()
}

// amongInit says that the container is an init container of the spec, a sidecar included.
func (c *container) amongInit() bool { return strings.HasPrefix(c.path, "spec.initContainers") }

// waiting is the container's waiting reason, "" where it does not wait.
func (c *container) waiting() string {
	if c.status == nil || c.status.State.Waiting == nil {
		return ""
	}
	return c.status.State.Waiting.Reason
}

// notBegun says that the kubelet has nothing to report about the container yet.
func (c *container) notBegun() bool {
	if c.status == nil || c.status.State == (corev1.ContainerState{}) {
		return true
	}
	switch c.waiting() {
	case "ContainerCreating", "PodInitializing", "Pending":
		return true
	}
	return c.status.State.Waiting != nil && (c.waiting() == "" || c.waitsForPod())
}

// waitsForPod says that the container waits with a word that belongs to its pod as a whole: no kubelet writes one, but
// tools that make pods from events do.
func (c *container) waitsForPod() bool {
	switch eventFamily(c.waiting()) {
	case FamilySchedule, FamilyVolume, FamilyPod:
		return true
	}
	return false
}

// waitingFor returns the first container that waits with a word of the family.
func (p *podView) waitingFor(family Family) *corev1.ContainerStateWaiting {
	for i := range p.containers {
		if ctr := &p.containers[i]; ctr.waiting() != "" && eventFamily(ctr.waiting()) == family {
			return ctr.status.State.Waiting
		}
	}
	return nil
}

// failure begins a failure of this pod.
func (p *podView) failure(ctr *container, family Family, cause Cause, reason, message string) Failure {
	f := Failure{
		Kind: "Pod", Namespace: p.Pod.Namespace, Name: p.Pod.Name, UID: p.Pod.UID, Node: p.Pod.Spec.NodeName,
		Family: family, Cause: cause, Reason: reason, Message: Redact(strings.TrimSpace(message)),
	}
	if ctr != nil {
		f.Container, f.Image = ctr.spec.Name, ctr.spec.Image
		f.Init, f.LastEnd = ctr.amongInit(), ctr.lastEnd()
	}
	f.Events = p.proof(ctr, &f, message)
	return f
}

func (f Failure) since(at time.Time, kept bool) Failure {
	f.Since, f.SinceKept = at, kept
	return f
}

func (f Failure) unclassified(known bool) Failure {
	f.Unclassified = !known
	return f
}
