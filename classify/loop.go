package classify

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ofLastEnd tells a container in CrashLoopBackOff by its last end.
func (c *Classifier) ofLastEnd(p *podView, ctr *container) Failure {
	if last := ctr.status.LastTerminationState.Terminated; last != nil {
		return c.ofEnd(p, ctr, last)
	}
	if event := startEvent(ctr.events); event != nil {
		cause, known := c.tellStart("", event.Message)
		return p.loopSince(ctr, p.failure(ctr, FamilyStart, cause, "StartError", event.Message).unclassified(known))
	}
	f := p.failure(ctr, FamilyCrash, ContainerStatusUnknown, "CrashLoopBackOff", ctr.status.State.Waiting.Message).unclassified(false)
	return p.loopSince(ctr, f)
}

// ofEnd tells one end of a container. The reason is the same whatever the container does between two ends.
func (c *Classifier) ofEnd(p *podView, ctr *container, t *corev1.ContainerStateTerminated) Failure {
	cause, family, known := c.tellEnd(ended{state: t, events: ctr.events, mustRun: ctr.mustRun})
	reason := "CrashLoopBackOff"
	switch {
	case t.Reason == "StartError", t.Reason == "ContainerCannotRun":
		reason = "StartError"
	case !ctr.restarts || p.Pod.Status.Phase == corev1.PodFailed:
		reason = "Error"
		if t.Reason == "OOMKilled" {
			reason = t.Reason
		}
	}
	message := t.Message
	if event := probeTold(ctr.events, cause); event != nil {
		message = event.Message
	}
	if message == "" {
		message = endSentence(t)
	}
	f := p.failure(ctr, family, cause, reason, message).unclassified(known)
	if !ctr.restarts || p.Pod.Status.Phase == corev1.PodFailed {
		return f.since(latest(t.FinishedAt.Time, p.started()), true)
	}
	return p.loopSince(ctr, f)
}

// probeTold finds what a probe said before the kubelet killed the container for it.
func probeTold(events []*corev1.Event, cause Cause) *corev1.Event {
	for _, event := range events {
		if failedProbe(event, cause) {
			return event
		}
	}
	return nil
}

// failedProbe says that an event is what the probe said that a cause names.
func failedProbe(event *corev1.Event, cause Cause) bool {
	head := "Liveness probe"
	switch cause {
	case LivenessProbeFailed:
	case StartupProbeFailed:
		head = "Startup probe"
	default:
		return false
	}
	return event.Reason == "Unhealthy" && strings.HasPrefix(unwrap(event.Message), head)
}

// backsOff says that an event is the kubelet's word for a loop.
func backsOff(event *corev1.Event) bool {
	return event.Reason == "BackOff" && strings.HasPrefix(unwrap(event.Message), "Back-off restarting failed container")
}

// loopSince dates a loop: the events of the kubelet's back-off and kills keep the time of their first occurrence, the
// status only that of the last end.
func (p *podView) loopSince(ctr *container, f Failure) Failure {
	if f.Reason == "StartError" {
		return f.since(p.conditionSince(ctr), true) // it has never run, so the pod's conditions have not changed since
	}
	var first time.Time
	for _, event := range ctr.events {
		if at := eventFirst(event); (backsOff(event) || killer(event) != "") && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if !first.IsZero() {
		return f.since(latest(first, p.started()), true)
	}
	if ctr.status != nil {
		for _, state := range []corev1.ContainerState{ctr.status.State, ctr.status.LastTerminationState} {
			if t := state.Terminated; t != nil && !t.FinishedAt.IsZero() {
				return f.since(t.FinishedAt.Time, false)
			}
		}
	}
	return f.since(p.notReadySince(ctr), false)
}

// endSentence says an end in words where the container itself said nothing.
func endSentence(t *corev1.ContainerStateTerminated) string {
	sentence := "exit code " + itoa(t.ExitCode)
	if t.Reason != "" && t.Reason != "Error" && t.Reason != "Completed" {
		sentence = t.Reason + ", " + sentence
	}
	if t.Signal != 0 {
		sentence += ", signal " + itoa(t.Signal)
	}
	return sentence
}
