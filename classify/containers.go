package classify

import (
	corev1 "k8s.io/api/core/v1"
)

// runningContainers tells each container of a pod that a node has taken.
func (c *Classifier) runningContainers(p *podView) Verdict {
	var v Verdict
	for i := range p.containers {
		ctr := &p.containers[i]
		if f, ok := c.container(p, ctr, &v); ok {
			v.Failures = append(v.Failures, f)
		}
		if ctr.isInit && !ctr.done() {
			break // the containers after it have not had their turn
		}
	}
	return v
}

// done says that an init container has ended well.
func (c *container) done() bool {
	return c.status != nil && c.status.State.Terminated != nil && c.status.State.Terminated.ExitCode == 0
}

// container tells one container. The status comes first; events tell only where it is silent.
func (c *Classifier) container(p *podView, ctr *container, v *Verdict) (Failure, bool) {
	if ctr.notBegun() {
		v.Open = append(v.Open, Stage{ctr.spec.Name, FamilyImage}, Stage{ctr.spec.Name, FamilyConfig}, Stage{ctr.spec.Name, FamilyStart},
			Stage{ctr.spec.Name, FamilyCrash})
		if !c.opts.OneLook {
			return Failure{}, false // the status follows within seconds, and beats events
		}
		return c.ofContainerEvents(p, ctr, v)
	}
	state := &ctr.status.State
	switch {
	case state.Waiting != nil:
		return c.waiting(p, ctr, state.Waiting, v)
	case state.Terminated != nil:
		return c.terminated(p, ctr, state.Terminated, v)
	default:
		return c.running(p, ctr, state.Running, v)
	}
}

// waiting tells a container by its waiting reason, which fences the family off.
func (c *Classifier) waiting(p *podView, ctr *container, w *corev1.ContainerStateWaiting, v *Verdict) (Failure, bool) {
	switch w.Reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable",
		"SignatureValidationFailed":
		return c.unpulled(p, ctr, w.Reason, w.Message, v)
	case "CreateContainerConfigError", "CreateContainerError":
		if event := startEvent(ctr.events); event != nil && w.Message == "" {
			return c.uncreated(p, ctr, w.Reason, event.Message), true
		}
		return c.uncreated(p, ctr, w.Reason, w.Message), true
	case "RunContainerError", "StartError", "ContainerCannotRun", "PostStartHookError":
		if last := ctr.status.LastTerminationState.Terminated; last != nil && w.Message == "" {
			return c.ofEnd(p, ctr, last), true
		}
		if event := startEvent(ctr.events); event != nil && w.Message == "" {
			return c.unstarted(p, ctr, w.Reason, event.Message), true
		}
		return c.unstarted(p, ctr, w.Reason, w.Message), true
	case "CrashLoopBackOff":
		return c.ofLastEnd(p, ctr), true
	}
	if f, ok := c.ofContainerEvents(p, ctr, v); ok {
		return f, true
	}
	return c.unknownWait(p, ctr, w)
}

// unknownWait tries every family's rules on a waiting reason that no kubelet is known to write.
func (c *Classifier) unknownWait(p *podView, ctr *container, w *corev1.ContainerStateWaiting) (Failure, bool) {
	since := p.notReadySince(ctr)
	text := unescape(unwrap(w.Message))
	if isPull(&corev1.Event{Message: text}) && text != "" {
		cause, known := c.tellImage("", text, ctr.spec.Image, p.RepositoryExists)
		return p.failure(ctr, FamilyImage, cause, OtherReason, w.Message).since(since, true).unclassified(known), true
	}
	if cause, ok := c.config.tell(text); ok {
		return p.failure(ctr, FamilyConfig, cause, OtherReason, w.Message).since(since, true), true
	}
	cause, known := c.tellStart("", w.Message)
	return p.failure(ctr, FamilyStart, cause, OtherReason, w.Message).since(since, true).unclassified(known), true
}

// uncreated tells a container that the kubelet could not create. Runtimes write some start errors at this point too.
func (c *Classifier) uncreated(p *podView, ctr *container, reason, message string) Failure {
	since := p.notReadySince(ctr)
	text := unescape(unwrap(message))
	if reason == "" {
		reason = "CreateContainerError"
	}
	if cause, ok := c.config.tell(text); ok {
		return p.failure(ctr, FamilyConfig, cause, reason, message).since(since, true)
	}
	if cause, ok := c.start.tell(text); ok {
		return p.failure(ctr, FamilyStart, cause, reason, message).since(since, true)
	}
	if neverStarted.MatchString(text) {
		return p.failure(ctr, FamilyStart, ContainerStartFailed, reason, message).since(since, true).unclassified(false)
	}
	return p.failure(ctr, FamilyConfig, ContainerCreateFailed, reason, message).since(since, true).unclassified(false)
}

// unstarted tells a container that could not be started.
func (c *Classifier) unstarted(p *podView, ctr *container, reason, message string) Failure {
	cause, known := c.tellStart(reason, message)
	f := p.failure(ctr, FamilyStart, cause, "StartError", message).unclassified(known)
	if cause == PostStartHookFailed {
		f.Reason = "CrashLoopBackOff"
	}
	return p.loopSince(ctr, f)
}

// tellStart returns the cause of a failed start.
func (c *Classifier) tellStart(reason, message string) (Cause, bool) {
	if reason == "PostStartHookError" {
		return PostStartHookFailed, true
	}
	text := unescape(unwrap(message))
	if cause, ok := c.start.tell(text); ok {
		return cause, true
	}
	if cause, ok := c.config.tell(text); ok {
		return cause, true
	}
	return ContainerStartFailed, false
}

// terminated tells a container that has ended and not yet been started again.
func (c *Classifier) terminated(p *podView, ctr *container, t *corev1.ContainerStateTerminated, v *Verdict) (Failure, bool) {
	abnormal := t.ExitCode != 0 || ctr.mustRun || t.Reason == "OOMKilled"
	if !abnormal {
		return Failure{}, false
	}
	if !ctr.restarts && t.ExitCode != 0 {
		return c.ofEnd(p, ctr, t), true
	}
	if t.Reason == "StartError" || t.Reason == "ContainerCannotRun" {
		return c.ofEnd(p, ctr, t), true
	}
	before := ctr.status.LastTerminationState.Terminated
	if ctr.status.RestartCount > 0 && before != nil && t.FinishedAt.Sub(before.FinishedAt.Time) < c.opts.CrashHold {
		return c.ofEnd(p, ctr, t), true // the second end within the hold (rule S2)
	}
	v.Open = append(v.Open, Stage{ctr.spec.Name, FamilyCrash}, Stage{ctr.spec.Name, FamilyStart})
	if c.opts.OneLook {
		return c.ofEnd(p, ctr, t), true
	}
	return Failure{}, false
}

// running tells a container that runs: still in a crash loop (rule S2), or not ready (rule S4).
func (c *Classifier) running(p *podView, ctr *container, r *corev1.ContainerStateRunning, v *Verdict) (Failure, bool) {
	if last := ctr.status.LastTerminationState.Terminated; last != nil {
		stable := r.StartedAt.Add(c.opts.CrashHold)
		if p.Now.Before(stable) {
			v.recheck(stable)
			if f, ok := c.betweenCrashes(p, ctr, last); ok {
				return f, true
			}
		}
	}
	if ctr.status.Ready || ctr.isInit {
		return Failure{}, false
	}
	return c.unready(p, ctr, r, v)
}

// betweenCrashes tells a container that runs between two ends of a loop: at least two ends, the last run shorter than
// the hold.
func (c *Classifier) betweenCrashes(p *podView, ctr *container, last *corev1.ContainerStateTerminated) (Failure, bool) {
	if ctr.status.RestartCount < 2 && last.Reason != "StartError" || last.ExitCode == 0 && !ctr.mustRun && last.Reason != "OOMKilled" {
		return Failure{}, false
	}
	if last.FinishedAt.Sub(last.StartedAt.Time) >= c.opts.CrashHold {
		return Failure{}, false
	}
	return c.ofEnd(p, ctr, last), true
}

// startEvent returns the newest event that says why a container did not start.
func startEvent(events []*corev1.Event) *corev1.Event {
	for _, event := range events {
		if event.Reason == "Failed" && !isPull(event) || event.Reason == "FailedPostStartHook" || startSync(event) {
			return event
		}
	}
	return nil
}
