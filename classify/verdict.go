package classify

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Pod tells what fails of a pod: nothing for one that runs, completes, is being deleted or is still starting.
func (c *Classifier) Pod(in PodInput) Verdict {
	if in.Pod == nil || c.Quiet(in.Pod, in.Now) && (in.Node == nil || !in.Node.Silent) {
		return Verdict{}
	}
	p := walk(in)
	if in.Pod.DeletionTimestamp != nil {
		return c.terminating(p)
	}
	if v, lost := c.lost(p); lost {
		return v
	}
	if in.Pod.Status.Phase == corev1.PodFailed || in.Pod.Status.Phase == corev1.PodSucceeded {
		return c.finished(p)
	}
	if v, waits := c.unscheduled(p); waits {
		return v
	}
	v := c.runningContainers(p)
	if len(v.Failures) == 0 {
		c.creating(p, &v)
	}
	if len(v.Failures) == 0 {
		c.gates(p, &v)
	}
	if len(v.Failures) == 0 {
		c.asAWhole(p, &v)
	}
	return v
}

// Quiet says, without an allocation, that a pod is beyond doubt fine: completed, or running with every container ready
// and none that ended within the crash hold.
func (c *Classifier) Quiet(pod *corev1.Pod, now time.Time) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for i := range pod.Status.Conditions {
		condition := &pod.Status.Conditions[i]
		switch condition.Type {
		case corev1.DisruptionTarget:
			if condition.Status == corev1.ConditionTrue {
				return false
			}
		case corev1.PodReady:
			if condition.Status != corev1.ConditionTrue && pod.Status.Phase != corev1.PodSucceeded {
				return false
			}
		}
	}
	if pod.Status.Phase == corev1.PodSucceeded {
		return true
	}
	if pod.Status.Phase != corev1.PodRunning || len(pod.Status.ContainerStatuses) < len(pod.Spec.Containers) {
		return false
	}
	for i := range pod.Status.ContainerStatuses {
		if !c.quietContainer(&pod.Status.ContainerStatuses[i], now) {
			return false
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		status := &pod.Status.InitContainerStatuses[i]
		if t := status.State.Terminated; t != nil && t.ExitCode == 0 {
			continue
		}
		if !c.quietContainer(status, now) {
			return false
		}
	}
	return true
}

func (c *Classifier) quietContainer(status *corev1.ContainerStatus, now time.Time) bool {
	if status.State.Running == nil || !status.Ready {
		return false
	}
	last := status.LastTerminationState.Terminated
	return last == nil || now.Sub(status.State.Running.StartedAt.Time) >= c.opts.CrashHold
}

// terminating tells a pod that outlives its deletion, and one that was evicted for a taint or for another pod.
func (c *Classifier) terminating(p *podView) Verdict {
	var v Verdict
	due := p.Pod.DeletionTimestamp.Add(c.opts.TerminatingGrace)
	if v, lost := c.lost(p); lost {
		return v
	}
	if !p.Now.Before(due) {
		message := "still there after its deletion grace period"
		if len(p.Pod.Finalizers) > 0 {
			message += "; finalizers: " + strings.Join(p.Pod.Finalizers, ", ")
		} else if event := newest(p.all, "ExceededGracePeriod", "FailedKillPod", "FailedPreStopHook"); event != nil {
			message = event.Message
		}
		v.Failures = append(v.Failures, p.failure(nil, FamilyPod, StuckTerminating, "Terminating", message).
			since(p.Pod.DeletionTimestamp.Time, true))
		return v
	}
	v.recheck(due)
	if event := newest(p.all, "ExceededGracePeriod"); event != nil && c.opts.OneLook {
		v.Failures = append(v.Failures, p.failure(nil, FamilyPod, StuckTerminating, "Terminating", event.Message).
			since(p.Pod.DeletionTimestamp.Time, true))
		return v
	}
	if f, ok := c.disrupted(p); ok && (f.Cause == TaintEvicted || f.Cause == Preempted) {
		v.Failures = append(v.Failures, f)
	}
	return v
}

// lost tells a pod on a node that does not report: everything else that its status says is stale (rule S6). Until the grace is over
// only that is said.
func (c *Classifier) lost(p *podView) (Verdict, bool) {
	f, lost := p.lost()
	if !lost {
		return Verdict{}, false
	}
	if due := f.Since.Add(c.opts.NodeGrace); p.Now.Before(due) {
		return Verdict{Stale: true, Recheck: due}, true
	}
	return Verdict{Failures: []Failure{f}}, true
}

// lost says that the pod's node does not report, by the node itself or, where nodes may not be read, by what else proves it.
func (p *podView) lost() (Failure, bool) {
	if phase := p.Pod.Status.Phase; phase == corev1.PodFailed || phase == corev1.PodSucceeded || p.Pod.Spec.NodeName == "" {
		return Failure{}, false
	}
	var since time.Time
	var message string
	event := newest(p.all, "NodeNotReady")
	switch ready := p.condition(corev1.PodReady); {
	case p.Node != nil && p.Node.Silent:
		since, message = p.Node.Since, "node "+p.Pod.Spec.NodeName+" does not report"
	case p.Node != nil:
		return Failure{}, false
	case p.Pod.Status.Phase == corev1.PodUnknown || p.Pod.Status.Reason == "NodeLost":
		since, message = p.notReadySince(nil), p.Pod.Status.Message
	case event != nil && ready != nil && ready.Status == corev1.ConditionFalse && ready.Reason == "" && p.is(corev1.ContainersReady):
		since, message = ready.LastTransitionTime.Time, event.Message
	default:
		return Failure{}, false
	}
	return p.failure(nil, FamilyPod, NodeLost, "NodeLost", message).since(since, true), true
}

// finished tells a pod that ended and was not meant to, until it is replaced (rule S5).
func (c *Classifier) finished(p *podView) Verdict {
	var v Verdict
	if p.Owner != nil && p.Owner.Satisfied() {
		if due := p.ended().Add(c.opts.ReadinessGrace); !c.opts.OneLook && p.Now.Before(due) {
			v.recheck(due) // the controller may not have counted the loss yet
		}
		return v
	}
	if f, ok := c.disrupted(p); ok {
		v.Failures = append(v.Failures, f)
		return v
	}
	if p.Pod.Status.Phase == corev1.PodSucceeded {
		return v
	}
	if f, ok := c.ofStatus(p); ok {
		v.Failures = append(v.Failures, f)
		return v
	}
	for i := range p.containers {
		ctr := &p.containers[i]
		if ctr.status == nil || ctr.status.State.Terminated == nil {
			continue
		}
		t := ctr.status.State.Terminated
		if t.ExitCode == 0 && t.Reason != "OOMKilled" && t.Reason != "ContainerStatusUnknown" && t.Reason != "Error" {
			continue
		}
		v.Failures = append(v.Failures, c.ofEnd(p, ctr, t))
	}
	if f, ok := c.ofPodEvents(p); ok && len(v.Failures) == 0 {
		v.Failures = append(v.Failures, f)
	}
	if len(v.Failures) == 0 {
		f := p.failure(nil, FamilyPod, ContainerStatusUnknown, OtherReason, p.Pod.Status.Message).since(p.ended(), true)
		v.Failures = append(v.Failures, f.unclassified(false))
	}
	return v
}

// ended is when the last container ended.
func (p *podView) ended() time.Time {
	at := p.started()
	for i := range p.containers {
		if status := p.containers[i].status; status != nil && status.State.Terminated != nil {
			at = latest(at, status.State.Terminated.FinishedAt.Time)
		}
	}
	if condition := p.condition(corev1.DisruptionTarget); condition != nil {
		at = latest(at, condition.LastTransitionTime.Time)
	}
	return at
}

// ofStatus reads the pod's own reason and message, and events that say the same where the status is silent.
func (c *Classifier) ofStatus(p *podView) (Failure, bool) {
	status := &p.Pod.Status
	if cause, ok := c.tellPod(status.Reason, status.Message); ok {
		return p.failure(nil, FamilyPod, cause, podReason(cause, status.Reason), status.Message).since(p.ended(), true), true
	}
	for _, event := range p.all {
		if eventFamily(event.Reason) != FamilyPod || event.Reason == "NodeNotReady" || event.Reason == "ExceededGracePeriod" {
			continue
		}
		if cause, ok := c.tellPod(event.Reason, event.Message); ok {
			return p.failure(nil, FamilyPod, cause, podReason(cause, event.Reason), event.Message).since(eventFirst(event), false), true
		}
	}
	// Providers of virtual nodes put the refusal of the real cluster into the pod's status.
	if status.Message != "" && (status.Reason == "" || status.Reason == "ProviderFailed") {
		if cause, quota, ok := c.tellCreate(status.Message); ok {
			f := p.failure(nil, FamilyCreate, cause, "FailedCreate", status.Message).since(p.started(), true)
			f.Quota = quota
			return f, true
		}
	}
	if status.Reason == "Evicted" {
		return p.failure(nil, FamilyPod, NodeAdmissionRejected, "Evicted", status.Message).since(p.ended(), true).unclassified(false), true
	}
	return Failure{}, false
}

// disrupted reads the condition DisruptionTarget, which tells why a pod was ended from outside
// (https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-conditions).
func (c *Classifier) disrupted(p *podView) (Failure, bool) {
	condition := p.condition(corev1.DisruptionTarget)
	if condition == nil || condition.Status != corev1.ConditionTrue || condition.Reason == "EvictionByEvictionAPI" {
		return Failure{}, false
	}
	cause, ok := c.tellPod(condition.Reason, condition.Message)
	message := condition.Message
	if condition.Reason == corev1.PodReasonTerminationByKubelet {
		if told, known := c.tellPod(p.Pod.Status.Reason, p.Pod.Status.Message); known {
			cause, ok, message = told, true, p.Pod.Status.Message
		}
	}
	if !ok {
		return Failure{}, false
	}
	return p.failure(nil, FamilyPod, cause, podReason(cause, p.Pod.Status.Reason), message).since(condition.LastTransitionTime.Time, true), true
}

// asAWhole tells what is left: a running pod that another actor speaks of, or a status with a reason of its own.
func (c *Classifier) asAWhole(p *podView, v *Verdict) {
	if f, ok := c.disrupted(p); ok {
		v.Failures = append(v.Failures, f)
		return
	}
	if p.is(corev1.PodReady) {
		return
	}
	if f, ok := c.ofStatus(p); ok {
		v.Failures = append(v.Failures, f)
		return
	}
	if f, ok := c.ofPodEvents(p); ok {
		v.Failures = append(v.Failures, f)
		return
	}
	if w := p.waitingFor(FamilyPod); w != nil {
		if cause, ok := c.tellPod(w.Reason, w.Message); ok {
			f := p.failure(nil, FamilyPod, cause, podReason(cause, w.Reason), w.Message)
			v.Failures = append(v.Failures, f.since(p.notReadySince(nil), true))
		}
	}
}

// ofPodEvents reads the events that tell what no status does: that the kubelet could not end the pod in time, and, in a
// single look that has not seen the node, that the node does not report.
func (c *Classifier) ofPodEvents(p *podView) (Failure, bool) {
	if event := newest(p.all, "ExceededGracePeriod"); event != nil {
		return p.failure(nil, FamilyPod, StuckTerminating, "Terminating", event.Message).since(eventFirst(event), false), true
	}
	if event := newest(p.all, "NodeNotReady"); event != nil && p.Node == nil && c.opts.OneLook {
		return p.failure(nil, FamilyPod, NodeLost, "NodeLost", event.Message).since(eventFirst(event), false), true
	}
	return Failure{}, false
}
