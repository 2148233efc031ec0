package classify

import (
	"regexp"
	"strings"
	"time"

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

// backOffWrap is what newer kubelets (1.32) put before the last error while they back off.
const backOffWrap = ": ErrImagePull: "

// unpulled tells a failed pull (rule S1: both words of the kubelet are one failure).
func (c *Classifier) unpulled(p *podView, ctr *container, reason, message string, v *Verdict) (Failure, bool) {
	if _, detail, ok := strings.Cut(message, backOffWrap); ok && strings.HasPrefix(message, "Back-off pulling image") {
		message = detail
	}
	if event := pullEvent(ctr.events); event != nil && vaguePull(message) {
		message = event.Message
	}
	if reason == "InvalidImageName" && strings.HasPrefix(unwrap(message), "Failed to inspect image") {
		reason = "ImageInspectError" // the kubelet has got past the name
	}
	since := p.notReadySince(ctr)
	if strings.Contains(message, "pull QPS exceeded") {
		if due := since.Add(c.opts.CreatingGrace); p.Now.Before(due) {
			v.recheck(due)
			v.Open = append(v.Open, Stage{ctr.spec.Name, FamilyImage})
			return Failure{}, false
		}
	}
	cause, known := c.tellImage(reason, unwrap(message), ctr.spec.Image, p.RepositoryExists)
	if secret := newest(p.events, pullSecretEvent); secret != nil && lacksRight(cause) {
		cause, known, message = ImagePullSecretMissing, true, secret.Message
	}
	f := p.failure(ctr, FamilyImage, cause, imageReason(reason), message).since(since, true)
	return f.unclassified(known || vaguePull(message)), true
}

// lacksRight says that a missing pull secret explains the cause.
func lacksRight(cause Cause) bool {
	switch cause {
	case ImagePullUnauthorized, ImageNotFoundOrAccessDenied, ImagePullFailed:
		return true
	}
	return false
}

// vaguePull says that a message holds no more than the fact that the pull failed.
func vaguePull(message string) bool {
	message = unwrap(message)
	return message == "" || message == "ErrImagePull" || message == "ImagePullBackOff" || message == "InvalidImageName" ||
		strings.HasPrefix(message, "Back-off pulling image") && !strings.Contains(message, backOffWrap)
}

// pullEvent returns the newest event that says why a pull failed.
func pullEvent(events []*corev1.Event) *corev1.Event {
	for _, event := range events {
		switch event.Reason {
		case "Failed", "InspectFailed", "ErrImageNeverPull", "":
			if !vaguePull(event.Message) && isPull(event) {
				return event
			}
		}
	}
	return nil
}

func isPull(event *corev1.Event) bool {
	switch event.Reason {
	case "Failed", "BackOff", "":
	default:
		return eventFamily(event.Reason) == FamilyImage
	}
	message := unwrap(event.Message)
	for _, head := range []string{"Failed to pull image", "Failed to inspect image", "pulling image", "Failed to apply default image"} {
		if strings.HasPrefix(message, head) {
			return true
		}
	}
	return vaguePull(message) || pullWords(message)
}

// pullWords says that a message that does not begin like a pull's is one all the same.
func pullWords(message string) bool { return pullPhrase.MatchString(message) }

// pullPhrase matches what only a runtime that pulls says.
var pullPhrase = regexp.MustCompile(`failed to pull and unpack image|unable to pull image|Back-off pulling image|pull QPS exceeded|pull image|` +
	`failed to resolve (reference|image)|[Rr]eading manifest|pinging (container|docker) registry|initializing source docker://|` +
	`pull access denied|manifest for \S+ not found|no matching manifest|error pulling image|failed to register layer|(writing|reading) blob`)

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
	head := map[Cause]string{LivenessProbeFailed: "Liveness probe", StartupProbeFailed: "Startup probe"}[cause]
	if head == "" {
		return nil
	}
	for _, event := range events {
		if event.Reason == "Unhealthy" && strings.HasPrefix(unwrap(event.Message), head) {
			return event
		}
	}
	return nil
}

// loopSince dates a loop: the events of the kubelet's back-off and kills keep the time of their first occurrence, the
// status only that of the last end.
func (p *podView) loopSince(ctr *container, f Failure) Failure {
	var first time.Time
	for _, event := range ctr.events {
		loop := event.Reason == "BackOff" && strings.HasPrefix(unwrap(event.Message), "Back-off restarting failed container")
		if at := eventFirst(event); (loop || killer(event) != "") && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if !first.IsZero() {
		return f.since(latest(first, p.started()), true)
	}
	if last := ctr.status.LastTerminationState.Terminated; last != nil && !last.FinishedAt.IsZero() {
		return f.since(last.FinishedAt.Time, false)
	}
	if t := ctr.status.State.Terminated; t != nil && !t.FinishedAt.IsZero() {
		return f.since(t.FinishedAt.Time, false)
	}
	return f.since(p.notReadySince(ctr), false)
}

// startEvent returns the newest event that says why a container did not start.
func startEvent(events []*corev1.Event) *corev1.Event {
	for _, event := range events {
		if event.Reason == "Failed" && !isPull(event) {
			return event
		}
	}
	return nil
}

// ofContainerEvents tells a container that waits without saying why by its newest telling event.
func (c *Classifier) ofContainerEvents(p *podView, ctr *container, v *Verdict) (Failure, bool) {
	after := time.Time{}
	if ctr.status != nil && ctr.status.LastTerminationState.Terminated != nil {
		after = ctr.status.LastTerminationState.Terminated.FinishedAt.Time
	}
	var vague *corev1.Event
	for _, event := range ctr.events {
		if eventTime(event).Before(after) {
			break
		}
		switch family := eventFamily(event.Reason); {
		case family == FamilyImage, family == FamilyStart && isPull(event):
			if vaguePull(event.Message) {
				vague = event
				continue
			}
			return c.unpulled(p, ctr, event.Reason, event.Message, v)
		case event.Reason == "FailedPostStartHook":
			return c.unstarted(p, ctr, "PostStartHookError", event.Message), true
		case event.Reason == "Failed" || event.Reason == "" && family == FamilyStart:
			return c.ofFailedEvent(p, ctr, event), true
		case startSync(event):
			_, detail, _ := strings.Cut(event.Message, ": ")
			switch word := syncOfContainer.FindStringSubmatch(event.Message)[2]; word {
			case "ErrImagePull", "ImagePullBackOff":
				return c.unpulled(p, ctr, word, strings.Trim(detail, `"`), v)
			case "CrashLoopBackOff": // says no more than the status does
			default:
				return c.ofFailedEvent(p, ctr, event), true
			}
		case family == FamilyProbe:
			return c.ofProbeEvent(p, ctr, event, p.notReadySince(ctr)), true
		}
	}
	secret := newest(p.events, pullSecretEvent)
	if vague == nil && c.opts.OneLook {
		vague = secret
	}
	if vague == nil {
		return Failure{}, false
	}
	return c.unpulled(p, ctr, vague.Reason, vague.Message, v)
}

// ofFailedEvent tells an event Failed that is not about a pull: it may be about creation or start.
func (c *Classifier) ofFailedEvent(p *podView, ctr *container, event *corev1.Event) Failure {
	text := unescape(unwrap(event.Message))
	if cause, ok := c.config.tell(text); ok {
		return p.failure(ctr, FamilyConfig, cause, "CreateContainerConfigError", event.Message).since(p.notReadySince(ctr), true)
	}
	if cause, ok := c.start.tell(text); ok {
		return p.failure(ctr, FamilyStart, cause, "StartError", event.Message).since(p.notReadySince(ctr), true)
	}
	return c.uncreated(p, ctr, "", event.Message)
}

// neverStarted matches what runtimes say of a container that they have created and cannot start, in any of its layers.
var neverStarted = regexp.MustCompile(`(?i)start(ing)? (the )?container|failed to start|cannot start|create containerd task|shim`)

// syncOfContainer matches what kubelets up to 1.8 say of a container under FailedSync, the reason for everything that
// keeps a pod from its desired state.
var syncOfContainer = regexp.MustCompile(`failed to "StartContainer" for "([^"]*)" with (\w+): "?`)

// startSync says that a FailedSync event is about a container and not, as most are, about volumes or the sandbox.
func startSync(event *corev1.Event) bool {
	if event.Reason != "FailedSync" {
		return false
	}
	m := syncOfContainer.FindStringSubmatch(event.Message)
	return m != nil && m[1] != "POD"
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
