package classify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What a failure keeps of its proof is bounded, as it is held for as long as the failure lasts. The lengths are those that
// the API server holds the events of new recorders to (kubernetes pkg/apis/core/validation/events.go); old ones may be longer.
const (
	shownEvents = 3
	shownNote   = 1 << 10
	shownWord   = 128
)

// End is how a container ended.
type End struct {
	// ExitCode is what the container's process said. Signal is 0 unless the runtime tells it apart, which most do not: they
	// write 128 + signal as the exit code.
	ExitCode, Signal int32
	// Reason is the kubelet's word: Error, Completed, OOMKilled, StartError …
	Reason string
	// At is zero where the status does not say when.
	At time.Time
	// Restarts is how often the container had been started again by then.
	Restarts int32
}

// Event is an event about a failure.
type Event struct {
	Type, Reason string
	// Message has its credentials removed.
	Message string
	// Count is how often it was seen, First and Last when.
	Count       int32
	First, Last time.Time
}

// ended returns the container's last end, nil where it has not ended yet.
func (c *container) ended() *corev1.ContainerStateTerminated {
	if c.status == nil {
		return nil
	}
	return cmp.Or(c.status.State.Terminated, c.status.LastTerminationState.Terminated)
}

func (c *container) lastEnd() *End {
	t := c.ended()
	if t == nil {
		return nil
	}
	e := &End{ExitCode: t.ExitCode, Signal: t.Signal, Reason: bounded(t.Reason, shownWord), Restarts: c.status.RestartCount}
	if t.FinishedAt.Unix() > 0 { // runtimes that do not know say 1970
		e.At = t.FinishedAt.Time
	}
	return e
}

// proof returns the events about a failure of this pod. message is what the failure says, before anything was removed.
func (p *podView) proof(ctr *container, f *Failure, message string) []Event {
	events, since := p.all, time.Time{}
	if ctr != nil {
		events, since = ctr.events, ctr.stageSince(f.Family)
	}
	if ctr != nil && f.Cause == ImagePullSecretMissing {
		events = slices.Concat(events, p.events) // it is told of the pod and not of the container
	}
	picked := pick(events, message, func(event *corev1.Event) bool { return !older(event, since) && isAbout(event, f) })
	if len(picked) == 0 {
		return nil
	}
	out := make([]Event, len(picked))
	for i, event := range picked {
		text := f.Message // most often the same words, which need no second look and no second copy
		if event.Message != message {
			text = Redact(strings.TrimSpace(event.Message))
		}
		out[i] = eventOf(event, text)
	}
	return out
}

// stageSince is since when events can be about what a container does now, zero for ever.
func (c *container) stageSince(family Family) time.Time {
	if c.status == nil || family == FamilyCrash || family == FamilyStart {
		return time.Time{} // those of a loop are about all of its runs
	}
	if running := c.status.State.Running; running != nil {
		return running.StartedAt.Add(-time.Second)
	}
	if t := c.ended(); t != nil {
		return t.FinishedAt.Time
	}
	return time.Time{}
}

// isAbout says that an event can be evidence of a failure: it is about the same stage of the pod's life, and about no other
// cause where it names one.
func isAbout(event *corev1.Event, f *Failure) bool {
	of := eventFamily(event.Reason)
	switch f.Family {
	case FamilySchedule:
		return of == FamilySchedule
	case FamilyVolume:
		return of == FamilyVolume && !startSync(event) && f.Cause != ContainerCreatingTimeout // whose point is that no event says why
	case FamilyImage:
		return isPull(event) && (event.Reason != "Failed" || !vaguePull(event.Message)) || startSync(event)
	case FamilyConfig, FamilyStart:
		return of == FamilyStart && !isPull(event) && event.Reason != "FailedPreStopHook" || startSync(event) || killer(event) == f.Cause
	case FamilyCrash:
		return backsOff(event) || killer(event) == f.Cause || failedProbe(event, f.Cause)
	case FamilyProbe:
		return of == FamilyProbe && f.Container != "" // a readiness gate has no probe
	case FamilyPod:
		switch event.Reason {
		case "NodeNotReady":
			return f.Cause == NodeLost
		case "ExceededGracePeriod", "FailedKillPod", "FailedPreStopHook":
			return f.Cause == StuckTerminating
		}
		return of == FamilyPod
	}
	return false
}

// pick takes the event whose words are the failure's message, and of each other reason the newest one. Events come newest
// first, and go so.
func pick(events []*corev1.Event, message string, fits func(*corev1.Event) bool) []*corev1.Event {
	var picked []*corev1.Event
	if i := slices.IndexFunc(events, func(event *corev1.Event) bool { return event.Message == message && fits(event) }); i >= 0 {
		picked = append(picked, events[i])
	}
	for _, event := range events {
		same := func(other *corev1.Event) bool { return other.Reason == event.Reason }
		if len(picked) < shownEvents && fits(event) && !slices.ContainsFunc(picked, same) {
			picked = append(picked, event)
		}
	}
	slices.SortStableFunc(picked, newerFirst)
	return picked
}

// eventOf is an event with its text, of which the credentials have been removed: before it is cut, as half a credential is
// known by nothing.
func eventOf(event *corev1.Event, text string) Event {
	return Event{
		Type: bounded(event.Type, shownWord), Reason: bounded(event.Reason, shownWord), Message: bounded(text, shownNote),
		Count: occurrences(event), First: eventFirst(event), Last: eventTime(event),
	}
}

// occurrences is how often an event was seen. Old recorders count themselves, new ones in a series from the second time on.
func occurrences(event *corev1.Event) int32 {
	if event.Series != nil {
		return max(event.Series.Count, 1)
	}
	return max(event.Count, 1)
}

// bounded cuts what is longer than anything that is meant well.
func bounded(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
