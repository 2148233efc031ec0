package classify

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// unready tells a container that runs and is not ready for longer than its probe allows (rule S4).
func (c *Classifier) unready(p *podView, ctr *container, r *corev1.ContainerStateRunning, v *Verdict) (Failure, bool) {
	since := r.StartedAt.Time
	if condition := p.condition(corev1.PodReady); condition != nil && condition.Status != corev1.ConditionTrue {
		since = latest(since, condition.LastTransitionTime.Time)
	}
	v.Open = append(v.Open, Stage{ctr.spec.Name, FamilyProbe})
	event := c.unhealthy(ctr, r.StartedAt.Time)
	grace := max(readyBudget(ctr, event, since), c.opts.ReadinessGrace)
	if c.opts.OneLook && event != nil {
		grace = 0
	}
	if due := latest(since.Add(grace), c.nodeBack(p)); p.Now.Before(due) {
		v.recheck(due)
		return Failure{}, false
	}
	if event == nil && c.opts.OneLook && p.speaksOfPod() {
		return Failure{}, false // the pod is on its way out: that comes before a probe that nobody has seen fail
	}
	if event == nil {
		f := p.failure(ctr, FamilyProbe, ProbeFailed, "Unhealthy", "running, not ready, and no event says why").since(since, true)
		return f.unclassified(true), true
	}
	return c.ofProbeEvent(p, ctr, event, since), true
}

// nodeBack is until when the kubelet of a node that reports again may take to correct what was written in its absence: the
// node controller calls every pod of a node that is silent not ready. Zero where nodes may not be read.
func (c *Classifier) nodeBack(p *podView) time.Time {
	if p.Node == nil || p.Node.Silent {
		return time.Time{}
	}
	return p.Node.Since.Add(c.opts.ReadinessGrace)
}

// unhealthy returns the newest event about a failed probe of this run. Readiness comes before liveness: it is what
// keeps a running container from being ready.
func (c *Classifier) unhealthy(ctr *container, started time.Time) *corev1.Event {
	var other *corev1.Event
	for _, event := range ctr.events {
		if eventFamily(event.Reason) != FamilyProbe || older(event, started.Add(-time.Second)) {
			continue
		}
		if !strings.Contains(event.Message, "Liveness probe") {
			return event
		}
		if other == nil {
			other = event
		}
	}
	return other
}

// speaksOfPod says that an event tells what becomes of the pod as a whole.
func (p *podView) speaksOfPod() bool {
	return slices.ContainsFunc(p.events, func(event *corev1.Event) bool {
		return eventFamily(event.Reason) == FamilyPod && event.Reason != "NodeNotReady"
	})
}

func (c *Classifier) ofProbeEvent(p *podView, ctr *container, event *corev1.Event, since time.Time) Failure {
	cause, known := c.tellProbe(event.Message)
	return p.failure(ctr, FamilyProbe, cause, "Unhealthy", event.Message).since(since, true).unclassified(known)
}

// tellProbe returns the cause that a probe's sentence tells. An exec probe's command that ends with any word of its own
// has failed as a command.
func (c *Classifier) tellProbe(message string) (Cause, bool) {
	text := unescape(unwrap(message))
	if cause, ok := c.probe.tell(text); ok {
		return cause, true
	}
	m := probeEvent.FindStringIndex(text)
	if m != nil && strings.HasPrefix(text[m[1]-len("failed"):], "failed: ") && strings.TrimSpace(text[m[1]+1:]) != "" {
		return ProbeCommandFailed, true
	}
	return ProbeFailed, false
}

// readyBudget is how long after since a container may be not ready. While it starts its startup probe's time counts. The
// API does not say when that probe was passed: readiness has its own time from the first sign that it is asked, or
// from the end of the startup probe's.
func readyBudget(ctr *container, event *corev1.Event, since time.Time) time.Duration {
	startup, readiness := probeBudget(ctr.spec.StartupProbe), probeBudget(ctr.spec.ReadinessProbe)
	switch {
	case startup == 0:
		return readiness
	case ctr.status.Started != nil && !*ctr.status.Started:
		return startup
	}
	if event != nil && strings.Contains(event.Message, "Readiness probe") && !older(event, since) {
		if asked := eventFirst(event).Sub(since); asked >= 0 {
			startup = min(startup, asked)
		}
	}
	return startup + min(readiness, math.MaxInt64-startup)
}

// probeBudget is how long a probe may fail before it counts, with the API's defaults
// (https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/#configure-probes).
func probeBudget(probe *corev1.Probe) time.Duration {
	if probe == nil {
		return 0
	}
	period, threshold := probe.PeriodSeconds, probe.FailureThreshold
	if period <= 0 {
		period = 10
	}
	if threshold <= 0 {
		threshold = 3
	}
	seconds := int64(probe.InitialDelaySeconds) + int64(period)*int64(threshold)
	return time.Duration(min(seconds, math.MaxInt64/int64(time.Second))) * time.Second
}

// gates tells a pod whose containers are all ready and which waits for a readiness gate.
func (c *Classifier) gates(p *podView, v *Verdict) {
	ready := p.condition(corev1.PodReady)
	if ready == nil || ready.Status == corev1.ConditionTrue || !p.is(corev1.ContainersReady) {
		return
	}
	if ready.Reason != "ReadinessGatesNotReady" && len(p.Pod.Spec.ReadinessGates) == 0 {
		return
	}
	v.Open = append(v.Open, Stage{Family: FamilyProbe})
	since := ready.LastTransitionTime.Time
	if at := p.condition(corev1.ContainersReady); at != nil {
		since = latest(since, at.LastTransitionTime.Time)
	}
	if due := latest(since.Add(c.opts.ReadinessGrace), c.nodeBack(p)); p.Now.Before(due) {
		v.recheck(due)
		return
	}
	v.Failures = append(v.Failures, p.failure(nil, FamilyProbe, ReadinessGateUnmet, "ReadinessGatesNotReady", ready.Message).since(since, true))
}

func itoa(n int32) string { return strconv.FormatInt(int64(n), 10) }
