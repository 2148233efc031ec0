package classify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// creating tells a pod that has a node and none of whose containers has begun: it waits for volumes, network or a pull.
func (c *Classifier) creating(p *podView, v *Verdict) {
	if !p.allWait() {
		c.stalled(p, v)
		return
	}
	sandbox := p.is(corev1.PodReadyToStartContainers)
	if !sandbox {
		v.Open = append(v.Open, Stage{Family: FamilyVolume})
	}
	since := p.creatingSince()
	due, timeout := since.Add(c.opts.CreatingGrace), since.Add(c.opts.CreatingTimeout)
	if p.Now.Before(due) {
		v.recheck(due)
		return
	}
	if p.Now.Before(timeout) {
		v.recheck(timeout)
	}
	if !sandbox {
		if f, ok := c.ofVolumeEvents(p, p.Now.Before(timeout)); ok {
			v.Failures = append(v.Failures, f.since(since, true))
			return
		}
		if w := p.waitingFor(FamilyVolume); w != nil && w.Message != "" {
			cause, known := c.tellVolume(w.Reason, w.Message)
			f := p.failure(nil, FamilyVolume, cause, volumeReason(w.Reason), w.Message)
			v.Failures = append(v.Failures, f.since(since, true).unclassified(known))
			return
		}
	}
	if since.IsZero() || p.Now.Before(timeout) || !p.begun() && len(p.Events) > 0 {
		return
	}
	message := "no container has begun and no event says why"
	if sandbox {
		message = "the pod's sandbox is ready and no container has begun: often a pull that does not end"
	}
	v.Failures = append(v.Failures, p.tooSlow(message))
}

// stalled tells a pod one of whose containers has not begun although others run and its turn has come: the kubelet starts them one
// after another (kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go, SyncPod), and says nothing of a pull that does not end.
func (c *Classifier) stalled(p *podView, v *Verdict) {
	turn := p.creatingSince()
	for i := range p.containers {
		ctr := &p.containers[i]
		switch {
		case ctr.status == nil, ctr.isInit && !ctr.done() && !ctr.notBegun(), ctr.isStarting():
			return
		case ctr.notBegun():
			if due := turn.Add(c.opts.CreatingTimeout); p.Now.Before(due) {
				v.recheck(due)
				return
			}
			message := "container " + ctr.spec.Name + " has not begun beside those that run: often a pull that does not end"
			v.Failures = append(v.Failures, p.tooSlow(message))
			return
		case ctr.status.RestartCount == 0 && ctr.status.State.Running != nil: // a later run is not what the others waited for
			turn = latest(turn, ctr.status.State.Running.StartedAt.Time)
		}
	}
}

// creatingSince is since when a pod has waited for its containers: a node took it, or its last init container ended well.
func (p *podView) creatingSince() time.Time { return latest(p.scheduledAt(), p.initEnded()) }

// tooSlow tells a pod that has waited for its containers for too long.
func (p *podView) tooSlow(message string) Failure {
	return p.failure(nil, FamilyVolume, ContainerCreatingTimeout, "ContainerCreating", message).since(p.creatingSince(), true)
}

// isStarting says that the container is a sidecar whose startup probe, or first readiness, the next containers wait for.
func (c *container) isStarting() bool {
	started := c.status.Started
	return c.amongInit() && !c.isInit && !c.notBegun() && (started == nil || !*started)
}

// allWait says that no container has begun, those that have ended well (init containers) aside.
func (p *podView) allWait() bool {
	for i := range p.containers {
		if ctr := &p.containers[i]; !ctr.notBegun() && (!ctr.isInit || !ctr.done()) {
			return false
		}
	}
	return true
}

// initEnded is when the last init container ended well, zero before: since then volumes and sandbox are there.
func (p *podView) initEnded() time.Time {
	var at time.Time
	for i := range p.containers {
		if ctr := &p.containers[i]; ctr.isInit && ctr.done() {
			at = latest(at, ctr.status.State.Terminated.FinishedAt.Time)
		}
	}
	return at
}

// ofVolumeEvents tells volumes and sandbox by the pod's events. Of several the newest counts, unless it only sums up or
// is one of those that heal by themselves.
func (c *Classifier) ofVolumeEvents(p *podView, early bool) (Failure, bool) {
	var told []*corev1.Event
	since := p.initEnded()
	if !p.noSandbox() {
		since = latest(since, p.Now.Add(-c.opts.CreatingTimeout)) // what was said long ago may have healed
	}
	for _, event := range p.all {
		if eventFamily(event.Reason) != FamilyVolume || startSync(event) || older(event, since) {
			continue
		}
		if early && !c.opts.OneLook && healsByItself.MatchString(event.Message) {
			continue
		}
		told = append(told, event)
	}
	if len(told) == 0 {
		return Failure{}, false
	}
	event := slices.MinFunc(told, func(a, b *corev1.Event) int { return cmp.Compare(vagueness(a), vagueness(b)) })
	cause, known := c.tellVolume(event.Reason, event.Message)
	return p.failure(nil, FamilyVolume, cause, volumeReason(event.Reason), event.Message).unclassified(known), true
}

// noSandbox says that the kubelet itself reports that volumes and sandbox are not there yet (since Kubernetes 1.29). Then
// the last word about them holds, however old: event recorders drop most of what a long failure repeats.
func (p *podView) noSandbox() bool {
	condition := p.condition(corev1.PodReadyToStartContainers)
	return condition != nil && condition.Status == corev1.ConditionFalse
}

// vagueness puts summaries behind what they sum up, and what heals by itself behind what does not.
func vagueness(event *corev1.Event) int {
	switch {
	case healsByItself.MatchString(event.Message):
		return 2
	case volumeSummary.MatchString(unwrap(event.Message)) && !strings.Contains(event.Message, " not found"):
		return 1
	}
	return 0
}

// tellVolume returns the cause that an event about volumes or the sandbox tells.
func (c *Classifier) tellVolume(reason, message string) (Cause, bool) {
	lower := strings.ToLower(unescape(unwrap(message)))
	for i := range c.volume {
		if rule := &c.volume[i]; sayable(reason, rule.cause) && rule.matches(lower) {
			return rule.cause, true
		}
	}
	switch reason {
	case "FailedCreatePodSandBox", "FailedPodSandBoxStatus":
		return SandboxCreateFailed, true
	case "NetworkNotReady", "CNINotReady":
		return CNINotReady, true
	case "FailedAttachVolume":
		return VolumeAttachFailed, true
	}
	return VolumeMountFailed, reason == "FailedMount" || reason == "FailedMapVolume"
}

func sandboxCause(cause Cause) bool {
	return cause == CNINotReady || cause == PodIPExhausted || cause == SandboxCreateFailed || cause == OOMKilledAtStart
}

func volumeReason(reason string) string {
	switch reason {
	case "FailedCreatePodSandBox", "FailedAttachVolume":
		return reason
	case "NetworkNotReady":
		return "CNINotReady"
	case "FailedPodSandBoxStatus":
		return "FailedCreatePodSandBox"
	}
	return "FailedMount"
}
