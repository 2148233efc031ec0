package classify

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// proofOf looks at a pod with one failure and returns it.
func proofOf(t *testing.T, opts Options, pod *corev1.Pod, at time.Duration, events ...*corev1.Event) Failure {
	t.Helper()
	in := PodInput{Pod: pod, Events: events, Now: clock(at)}
	v := New(opts).Pod(in)
	checkVerdict(t, mustCatalogue(t), v, in.Now)
	if len(v.Failures) != 1 {
		t.Fatalf("told %q", told(v))
	}
	slices.Reverse(events)
	if again := New(opts).Pod(in); !reflect.DeepEqual(again, v) {
		t.Errorf("in another order the events give\n%+v\nbefore\n%+v", again, v)
	}
	return v.Failures[0]
}

func TestLastEnd(t *testing.T) {
	oom := exit(137, "OOMKilled", 3*minute, 4*minute)
	signalled := exit(137, "Error", 3*minute, 4*minute)
	signalled.Signal = 9
	for name, tc := range map[string]struct {
		pod  *corev1.Pod
		want *End
	}{
		"waits after an end": {
			runningPod(web(after(waiting("CrashLoopBackOff", ""), 7, oom))),
			&End{ExitCode: 137, Reason: "OOMKilled", At: clock(4 * minute), Restarts: 7},
		},
		"the end that is going on is newer than the last one": {
			runningPod(web(after(terminated(exit(2, "Error", 3*minute, 5*minute)), 1, exit(1, "Error", minute, 2*minute)))),
			&End{ExitCode: 2, Reason: "Error", At: clock(5 * minute), Restarts: 1},
		},
		"an exit code of 0 is one too": {
			runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, exit(0, "Completed", 3*minute, 4*minute)))),
			&End{Reason: "Completed", At: clock(4 * minute), Restarts: 3},
		},
		"a runtime that tells the signal apart": {
			runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, signalled))),
			&End{ExitCode: 137, Signal: 9, Reason: "Error", At: clock(4 * minute), Restarts: 3},
		},
		"a probe of a container that has run before": {
			runningPod(web(after(running(5*minute, false), 1, exit(143, "Error", minute, 2*minute)))),
			&End{ExitCode: 143, Reason: "Error", At: clock(2 * minute), Restarts: 1},
		},
		"no time": {
			newPod(phase(corev1.PodFailed, "", ""), restart(corev1.RestartPolicyNever), web(terminated(&corev1.ContainerStateTerminated{ExitCode: 1}))),
			&End{ExitCode: 1},
		},
		"a runtime that has lost the container": {
			runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, &corev1.ContainerStateTerminated{
				ExitCode: 255, Reason: "Unknown", StartedAt: metav1.NewTime(time.Unix(0, 0)), FinishedAt: metav1.NewTime(time.Unix(0, 0)),
			}))),
			&End{ExitCode: 255, Reason: "Unknown", Restarts: 3},
		},
		"never ran":          {newPod(web(waiting("ErrImagePull", notFound))), nil},
		"the pod as a whole": {evictedPod(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := proofOf(t, DefaultOptions(), tc.pod, 10*minute).LastEnd; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestProof names the events that failures show, of all those that their pods have.
func TestProof(t *testing.T) {
	loop := func(code int32) *corev1.Pod {
		return runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, exit(code, "Error", 3*minute, 4*minute))))
	}
	pulled := event("Failed", `Failed to pull image "r.example/shop/web:1": `+notFound, minute)
	liveness := event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 3*minute)
	readiness := event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 5*minute)
	killed := event("Killing", "Container web failed liveness probe, will be restarted", 4*minute)
	killedBefore := event("Killing", "Container web failed startup probe, will be restarted", 2*minute)
	restarting := event("BackOff", "Back-off restarting failed container web in pod web-1_apps(u1)", 5*minute)
	creating := newPod(web(waiting("ContainerCreating", "")))
	secret := podEvent("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred)", minute)
	for name, tc := range map[string]struct {
		pod    *corev1.Pod
		once   bool
		late   bool
		events []*corev1.Event
		want   []string
	}{
		"a loop, without what was before it": {
			pod: loop(1), events: []*corev1.Event{restarting, pulled, readiness, killedBefore, podEvent("FailedScheduling", "0/1 nodes are available", 0)},
			want: []string{"BackOff Back-off restarting"},
		},
		"a loop of a probe": {
			pod: loop(137), events: []*corev1.Event{liveness, readiness, killed, restarting},
			want: []string{"BackOff Back-off restarting", "Killing Container web", "Unhealthy Liveness probe"},
		},
		"readiness, without what an earlier run said": {
			pod:    runningPod(web(after(running(4*minute, false), 1, exit(1, "Error", minute, 2*minute)))),
			events: []*corev1.Event{liveness, readiness, killed}, want: []string{"Unhealthy Readiness probe"},
		},
		"no event says why it is not ready": {pod: runningPod(web(running(4*minute, false))), events: []*corev1.Event{liveness}},
		"a pull: the telling event, and that it backs off": {
			pod: newPod(web(waiting("ImagePullBackOff", backOff))),
			events: []*corev1.Event{
				pulled, event("Failed", "Error: ErrImagePull", 2*minute), event("Failed", "Error: ImagePullBackOff", 3*minute), event("BackOff", backOff, 3*minute),
				secret, restarting,
			},
			want: []string{"BackOff Back-off pulling", "Failed Failed to"},
		},
		"a pull that lacks its secret": {
			pod:    newPod(web(waiting("ErrImagePull", deniedTo))),
			events: []*corev1.Event{secret, event("Failed", `Failed to pull image "r.example/shop/web:1": `+deniedTo, 2*minute)},
			want:   []string{"Failed Failed to", "FailedToRetrieveImagePullSecret Unable to"},
		},
		"a container that cannot be created": {
			pod:    newPod(web(waiting("CreateContainerConfigError", `secret "api" not found`))),
			events: []*corev1.Event{pulled, event("Failed", `Error: secret "api" not found`, 2*minute)}, want: []string{"Failed Error: secret"},
		},
		"volumes: the newest of a reason, and the one that the message is": {
			pod: creating, events: []*corev1.Event{
				podEvent("FailedMount", `MountVolume.SetUp failed for volume "s" : secret "api" not found`, 2*minute),
				podEvent("FailedMount", `Unable to attach or mount volumes: unmounted volumes=[s], unattached volumes=[s]: timed out waiting for the condition`, 4*minute),
				podEvent("FailedAttachVolume", `AttachVolume.Attach failed for volume "d" : x`, minute), restarting,
			},
			want: []string{"FailedMount MountVolume.SetUp failed", "FailedAttachVolume AttachVolume.Attach failed"},
		},
		"no event says why it is not created": {
			pod: newPod(web(waiting("ContainerCreating", "")), condition(corev1.PodReadyToStartContainers, corev1.ConditionTrue, "", 2*second)), late: true,
			events: []*corev1.Event{podEvent("FailedMount", `MountVolume.SetUp failed for volume "s" : secret "api" not found`, second)},
		},
		"scheduling": {
			pod:    unschedulable("0/6 nodes are available: 6 Insufficient cpu."),
			events: []*corev1.Event{podEvent("FailedScheduling", "0/6 nodes are available: 6 Insufficient cpu.", minute), podEvent("NotTriggerScaleUp", "pod didn't trigger scale-up: ", 2*minute)},
			want:   []string{"NotTriggerScaleUp pod didn't", "FailedScheduling 0/6 nodes"},
		},
		"the pod as a whole": {
			pod: evictedPod(), events: []*corev1.Event{podEvent("Evicted", "The node was low on resource: memory.", minute), podEvent("NodeNotReady", "Node is not ready", 2*minute), readiness},
			want: []string{"Evicted The node"},
		},
		"a lost node": {
			pod: runningPod(phase(corev1.PodUnknown, "NodeLost", "Node node-a which was running pod web-1 is unresponsive")), once: true,
			events: []*corev1.Event{podEvent("NodeNotReady", "Node is not ready", 2*minute), readiness}, want: []string{"NodeNotReady Node is"},
		},
		"an old kubelet's start": {
			pod: newPod(web(waiting("ContainerCreating", ""))), once: true,
			events: []*corev1.Event{event("FailedSync", `Error syncing pod, skipping: failed to "StartContainer" for "web" with RunContainerError: "exec format error"`, minute)},
			want:   []string{"FailedSync Error syncing"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts := DefaultOptions()
			if tc.once {
				opts = OneLookOptions()
			}
			at := 8 * minute
			if tc.late {
				at = 15 * minute
			}
			var got []string
			for _, e := range proofOf(t, opts, tc.pod, at, tc.events...).Events {
				got = append(got, e.Reason+" "+strings.Join(strings.Fields(e.Message)[:2], " "))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

// TestEventFigures reads both forms in which recorders count.
func TestEventFigures(t *testing.T) {
	pod := runningPod(web(running(minute, false)))
	const message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
	old := repeated(event("Unhealthy", message, 9*minute), 2*minute)
	old.Type = "Warning"
	fresh := event("Unhealthy", message, 0)
	fresh.Count, fresh.FirstTimestamp, fresh.LastTimestamp, fresh.EventTime = 0, metav1.Time{}, metav1.Time{}, metav1.NewMicroTime(clock(2*minute))
	series := fresh.DeepCopy()
	series.Series = &corev1.EventSeries{Count: 8, LastObservedTime: metav1.NewMicroTime(clock(7 * minute))}
	for name, tc := range map[string]struct {
		event *corev1.Event
		want  Event
	}{
		"an old recorder":      {old, Event{Type: "Warning", Reason: "Unhealthy", Message: message, Count: 5, First: clock(2 * minute), Last: clock(9 * minute)}},
		"a new one, once":      {fresh, Event{Reason: "Unhealthy", Message: message, Count: 1, First: clock(2 * minute), Last: clock(2 * minute)}},
		"a new one, in series": {series, Event{Reason: "Unhealthy", Message: message, Count: 8, First: clock(2 * minute), Last: clock(7 * minute)}},
	} {
		got := proofOf(t, DefaultOptions(), pod, 10*minute, tc.event).Events
		if !reflect.DeepEqual(got, []Event{tc.want}) {
			t.Errorf("%s: got %+v\nwant %+v", name, got, tc.want)
		}
	}
}

// TestProofIsBounded has whoever may write events and statuses write a lot, with credentials in it.
func TestProofIsBounded(t *testing.T) {
	const secret = "hunter2hunter2"
	long := strings.Repeat("é", 3000)
	var events []*corev1.Event
	for i := range 200 {
		e := podEvent(fmt.Sprint("OutOf", i, strings.Repeat("x", i*10)), fmt.Sprintf("%d PASSWORD=%s \xff%s", i, secret, long), time.Duration(i)*time.Second)
		e.Type, e.Name = long, strconv.Itoa(i)
		events = append(events, e)
	}
	f := proofOf(t, DefaultOptions(), evictedPod(), 10*minute, events...)
	if len(f.Events) != shownEvents || !strings.Contains(f.Events[0].Message, "PASSWORD="+redacted) {
		t.Errorf("got %+v", f.Events)
	}
	// A credential across the cut must be gone before the cut is made.
	e := event("BackOff", "Back-off restarting failed container "+strings.Repeat("x", shownNote-len("Back-off restarting failed container ")-len(" PASSWORD=hunter"))+" PASSWORD="+secret, 5*minute)
	end := exit(1, long, minute, 2*minute)
	looping := proofOf(t, DefaultOptions(), runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, end))), 10*minute, e)
	if len(looping.LastEnd.Reason) > shownWord+len("…") || len(looping.Events) != 1 {
		t.Errorf("got %+v", looping)
	}
	if shown := fmt.Sprintf("%+v %+v", f.Events, looping.Events); strings.Contains(shown, "hunter") {
		t.Errorf("a credential is shown: %.2000s", shown)
	}
}

// TestControllerProof looks at the event of a pod that was refused.
func TestControllerProof(t *testing.T) {
	refusal := repeated(podEvent("FailedCreate", `Error creating: `+overQuota+` PASSWORD=hunter2`, 5*minute), minute)
	refusal.Type = "Warning"
	for name, tc := range map[string]struct {
		controller *Controller
		events     []*corev1.Event
		want       int
	}{
		"event alone":         {short("StatefulSet"), []*corev1.Event{refusal}, 1},
		"condition and event": {short("ReplicaSet", replicaFailure(overQuota, minute)), []*corev1.Event{refusal}, 1},
		"condition alone":     {short("ReplicaSet", replicaFailure(overQuota, minute)), nil, 0},
	} {
		v := New(DefaultOptions()).Controller(ControllerInput{Controller: tc.controller, Events: tc.events, Now: clock(6 * minute)})
		if len(v.Failures) != 1 || len(v.Failures[0].Events) != tc.want || v.Failures[0].LastEnd != nil {
			t.Errorf("%s: got %+v", name, v.Failures)
			continue
		}
		for _, e := range v.Failures[0].Events {
			want := Event{Type: "Warning", Reason: "FailedCreate", Message: "Error creating: " + overQuota + " PASSWORD=" + redacted, Count: 5, First: clock(minute), Last: clock(5 * minute)}
			if e != want {
				t.Errorf("%s: got %+v\nwant %+v", name, e, want)
			}
		}
	}
}
