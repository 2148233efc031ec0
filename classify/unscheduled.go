package classify

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// unscheduled tells a pod that no node has taken; waits is false where a node has.
func (c *Classifier) unscheduled(p *podView) (v Verdict, waits bool) {
	condition := p.condition(corev1.PodScheduled)
	event := newest(p.all, "FailedScheduling")
	switch {
	case condition != nil && condition.Status == corev1.ConditionTrue:
		return v, false
	case condition == nil && (p.begun() || p.Pod.Spec.NodeName != "" && event == nil):
		return v, false // binding a pod writes the condition: a scheduler that says no beside a node's name has not bound it
	}
	message, since, kept := "", p.Pod.CreationTimestamp.Time, true
	switch {
	case condition != nil && condition.Reason == corev1.PodReasonSchedulingGated:
		v.Failures = append(v.Failures, p.failure(nil, FamilySchedule, SchedulingGated, "SchedulingGated", condition.Message).
			since(latest(since, condition.LastTransitionTime.Time), true))
		return v, true
	case condition != nil && c.disrupts(condition.Reason):
		cause, _ := c.tellPod(condition.Reason, condition.Message)
		v.Failures = append(v.Failures, p.failure(nil, FamilyPod, cause, podReason(cause, condition.Reason), condition.Message).
			since(latest(since, condition.LastTransitionTime.Time), true))
		return v, true
	case condition != nil && condition.Message != "":
		message, since = condition.Message, latest(since, condition.LastTransitionTime.Time)
	case event != nil:
		message = event.Message
	default:
		if event = newest(p.all, "NotTriggerScaleUp"); event != nil {
			message = event.Message
		} else if w := p.waitingFor(FamilySchedule); w != nil {
			message = w.Message
		}
	}
	if condition == nil && message == "" && (len(p.Events) > 0 && !p.fresh()) {
		return v, false // events of another kind tell more
	}
	if message == "" {
		c.noScheduler(p, &v)
		return v, true
	}
	if due := since.Add(c.opts.SchedulingGrace); p.Now.Before(due) {
		v.recheck(due)
		v.Open = append(v.Open, Stage{Family: FamilySchedule})
		return v, true
	}
	counts := c.ParseScheduling(message)
	cause := Unschedulable
	if len(counts) > 0 {
		cause = counts[0].Cause
	}
	f := p.failure(nil, FamilySchedule, cause, "Unschedulable", message).since(since, kept).unclassified(cause != Unschedulable)
	for _, count := range counts[min(1, len(counts)):] {
		f.Also = append(f.Also, count.Cause)
	}
	v.Failures = append(v.Failures, f)
	return v, true
}

// noScheduler tells a pod that no scheduler has looked at. That is proof only where nothing else holds a scheduler up
// in silence: a missing ResourceClaim, or a volume that is provisioned for its first consumer.
func (c *Classifier) noScheduler(p *podView, v *Verdict) {
	v.Open = append(v.Open, Stage{Family: FamilySchedule})
	since := p.Pod.CreationTimestamp.Time
	if due := since.Add(c.opts.CreatingTimeout); p.Now.Before(due) {
		v.recheck(due)
		return
	}
	if since.IsZero() {
		return // nobody knows how long
	}
	cause, message := SchedulerNotRunning, "no scheduler has considered the pod; schedulerName: "+p.Pod.Spec.SchedulerName
	if len(p.Pod.Spec.ResourceClaims) > 0 || hasClaims(p.Pod) || p.condition(corev1.PodScheduled) != nil {
		cause, message = Unschedulable, "the scheduler says nothing about the pod"
	}
	v.Failures = append(v.Failures, p.failure(nil, FamilySchedule, cause, "Unschedulable", message).since(since, true))
}

func hasClaims(pod *corev1.Pod) bool {
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].PersistentVolumeClaim != nil || pod.Spec.Volumes[i].Ephemeral != nil {
			return true
		}
	}
	return false
}

// begun says that some kubelet has reported a container of the pod.
func (p *podView) begun() bool {
	for i := range p.containers {
		if ctr := &p.containers[i]; ctr.status != nil && (ctr.waiting() == "" || !ctr.waitsForPod()) {
			return true
		}
	}
	return false
}

// disrupts says that a condition's reason is one of those that end a pod: some tools write them into any condition.
func (c *Classifier) disrupts(reason string) bool {
	_, ok := podFence(reason)
	return ok
}

// fresh says that no event is about anything later in a pod's life than scheduling.
func (p *podView) fresh() bool {
	for _, event := range p.all {
		switch eventFamily(event.Reason) {
		case FamilySchedule, "":
		default:
			return strings.HasPrefix(event.Reason, "Preempt")
		}
	}
	return true
}
