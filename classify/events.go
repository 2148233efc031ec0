package classify

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

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
var syncOfContainer = regexp.MustCompile(`failed to "StartContainer" for "([^"]*)" with (\w+)[^:]*: "?`)

// startSync says that a FailedSync event is about a container and not, as most are, about volumes or the sandbox.
func startSync(event *corev1.Event) bool {
	if event.Reason != "FailedSync" {
		return false
	}
	m := syncOfContainer.FindStringSubmatch(event.Message)
	return m != nil && m[1] != "POD"
}

// pullSecretEvent is about the pod, and says what a failed pull lacked.
const pullSecretEvent = "FailedToRetrieveImagePullSecret"

// eventFamily fences an event's text off by its reason (kubernetes pkg/kubelet/events/event.go). FamilyStart stands for
// any trouble of a container: the reason Failed covers pulls, creation and start.
func eventFamily(reason string) Family {
	switch reason {
	case "FailedScheduling", "NotTriggerScaleUp":
		return FamilySchedule
	case "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox", "FailedPodSandBoxStatus", "NetworkNotReady",
		"FailedSync", "CNINotReady":
		return FamilyVolume
	case "InspectFailed", "ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", pullSecretEvent:
		return FamilyImage
	case "Failed", "BackOff", "FailedPostStartHook", "FailedPreStopHook", "FailedCreate", "FailedStart", "":
		return FamilyStart
	case "Killing":
		return FamilyCrash
	case "Unhealthy", "ProbeWarning":
		return FamilyProbe
	case "Evicted", "Preempting", "Preempted", "ExceededGracePeriod", "NodeShutdown", "NodeNotReady", "TaintManagerEviction",
		"NodeAdmissionRejected":
		return FamilyPod
	}
	if _, ok := podFence(reason); ok {
		return FamilyPod
	}
	return ""
}

// eventTime is when an event was last seen. Old recorders fill lastTimestamp, new ones eventTime and series.
func eventTime(event *corev1.Event) time.Time {
	if event.Series != nil && !event.Series.LastObservedTime.IsZero() {
		return event.Series.LastObservedTime.Time
	}
	return cmp.Or(latest(event.LastTimestamp.Time, event.EventTime.Time, event.FirstTimestamp.Time), event.CreationTimestamp.Time)
}

// newerFirst orders events. Of those that were last seen in the same second the one with the later name comes first, as a name
// ends with when the event began: what is told must not depend on the order in which a cache gives them.
func newerFirst(a, b *corev1.Event) int {
	return cmp.Or(eventTime(b).Compare(eventTime(a)), cmp.Compare(b.Name, a.Name))
}

// older says that an event was last seen before a time; one that carries no time is as new as the look at it.
func older(event *corev1.Event, than time.Time) bool {
	at := eventTime(event)
	return !at.IsZero() && at.Before(than)
}

// eventFirst is when an event was first seen.
func eventFirst(event *corev1.Event) time.Time {
	return cmp.Or(event.FirstTimestamp.Time, event.EventTime.Time, event.LastTimestamp.Time, event.CreationTimestamp.Time)
}

// newest returns the latest event with one of the reasons. events are newest first.
func newest(events []*corev1.Event, reasons ...string) *corev1.Event {
	for _, event := range events {
		for _, reason := range reasons {
			if event.Reason == reason {
				return event
			}
		}
	}
	return nil
}
