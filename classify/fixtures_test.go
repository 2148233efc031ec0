package classify

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	second = time.Second
	minute = time.Minute
)

// clock is the time so long after the pods of these tests were created.
func clock(after time.Duration) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(after)
}

func stamp(after time.Duration) metav1.Time { return metav1.NewTime(clock(after)) }

type edit func(*corev1.Pod)

// newPod returns a pod with one container, web, that a node took a second after its creation; edits change it.
func newPod(edits ...edit) *corev1.Pod {
	start := stamp(second)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "web-1", UID: "u1", CreationTimestamp: stamp(0)},
		Spec: corev1.PodSpec{
			NodeName:   "node-a",
			Containers: []corev1.Container{{Name: "web", Image: "r.example/shop/web:1"}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, StartTime: &start},
	}
	for _, change := range append([]edit{
		condition(corev1.PodScheduled, corev1.ConditionTrue, "", second),
		condition(corev1.ContainersReady, corev1.ConditionFalse, "ContainersNotReady", second),
		condition(corev1.PodReady, corev1.ConditionFalse, "ContainersNotReady", second),
	}, edits...) {
		change(pod)
	}
	return pod
}

// condition sets a condition, or replaces it.
func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string, since time.Duration) edit {
	return func(pod *corev1.Pod) {
		all := slices.DeleteFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
		pod.Status.Conditions = append(all, corev1.PodCondition{Type: kind, Status: status, Reason: reason, LastTransitionTime: stamp(since)})
	}
}

// saying gives a condition its message.
func saying(kind corev1.PodConditionType, message string) edit {
	return func(pod *corev1.Pod) {
		for i := range pod.Status.Conditions {
			if pod.Status.Conditions[i].Type == kind {
				pod.Status.Conditions[i].Message = message
			}
		}
	}
}

// phase sets the pod's phase, reason and message.
func phase(phase corev1.PodPhase, reason, message string) edit {
	return func(pod *corev1.Pod) {
		pod.Status.Phase, pod.Status.Reason, pod.Status.Message = phase, reason, message
	}
}

func restart(policy corev1.RestartPolicy) edit {
	return func(pod *corev1.Pod) { pod.Spec.RestartPolicy = policy }
}

// ownPolicy gives the container web a restart policy of its own.
func ownPolicy(policy corev1.ContainerRestartPolicy) edit {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].RestartPolicy = &policy }
}

// mirror makes the pod the API server's copy of a static pod.
func mirror(hash string) edit {
	return func(pod *corev1.Pod) { pod.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: hash} }
}

// about lets an event be about the pod with another UID.
func about(uid types.UID, event *corev1.Event) *corev1.Event {
	event.InvolvedObject.UID = uid
	return event
}

func image(name string) edit {
	return func(pod *corev1.Pod) { pod.Spec.Containers[0].Image = name }
}

// unscheduledPod takes the pod's node away.
func unscheduledPod(pod *corev1.Pod) {
	pod.Spec.NodeName, pod.Status.StartTime, pod.Status.Conditions = "", nil, nil
}

func deleted(at time.Duration) edit {
	return func(pod *corev1.Pod) {
		t := stamp(at)
		pod.DeletionTimestamp = &t
	}
}

// web gives the container web its status.
func web(status corev1.ContainerStatus) edit { return statusFor("web", status) }

// statusFor gives a container of the pod its status.
func statusFor(name string, status corev1.ContainerStatus) edit {
	status.Name = name
	return func(pod *corev1.Pod) { pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, status) }
}

// another adds a second container with its status.
func another(name string, status corev1.ContainerStatus) edit {
	return func(pod *corev1.Pod) {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: name, Image: "r.example/shop/" + name + ":1"})
		statusFor(name, status)(pod)
	}
}

// initContainer adds an init container with its status; it is a sidecar where it restarts always.
func initContainer(name string, sidecar bool, status corev1.ContainerStatus) edit {
	status.Name = name
	return func(pod *corev1.Pod) {
		ctr := corev1.Container{Name: name, Image: "r.example/shop/" + name + ":1"}
		if sidecar {
			always := corev1.ContainerRestartPolicyAlways
			ctr.RestartPolicy = &always
		}
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, ctr)
		pod.Status.InitContainerStatuses = append(pod.Status.InitContainerStatuses, status)
	}
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}
}

func running(since time.Duration, ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Ready: ready, Started: new(true),
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: stamp(since)}},
	}
}

// starting says that a container's startup probe has not succeeded yet.
func starting(status corev1.ContainerStatus) corev1.ContainerStatus {
	status.Started = new(false)
	return status
}

func terminated(end *corev1.ContainerStateTerminated) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: end}}
}

// after says what became of the container's last run.
func after(status corev1.ContainerStatus, restarts int32, last *corev1.ContainerStateTerminated) corev1.ContainerStatus {
	status.RestartCount, status.LastTerminationState.Terminated = restarts, last
	return status
}

// exit is a run that ended.
func exit(code int32, reason string, from, to time.Duration) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason, StartedAt: stamp(from), FinishedAt: stamp(to)}
}

// lastWords is a run that ended with a message.
func lastWords(code int32, message string) *corev1.ContainerStateTerminated {
	end := exit(code, "Error", minute, 2*minute)
	end.Message = message
	return end
}

// event is about the container web.
func event(reason, message string, at time.Duration) *corev1.Event {
	e := podEvent(reason, message, at)
	e.InvolvedObject.FieldPath = "spec.containers{web}"
	return e
}

// podEvent is about the pod as a whole.
func podEvent(reason, message string, at time.Duration) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "apps", Name: "web-1", UID: "u1"},
		Reason:         reason, Message: message, Count: 1, FirstTimestamp: stamp(at), LastTimestamp: stamp(at),
	}
}

// repeated is an event that was seen more than once, first at an earlier time.
func repeated(e *corev1.Event, first time.Duration) *corev1.Event {
	e.Count, e.FirstTimestamp = 5, stamp(first)
	return e
}

// podCase is one state of a pod and what is told of it.
type podCase struct {
	name   string
	pod    *corev1.Pod
	events []*corev1.Event
	node   *Node
	owner  *Controller
	exists string // the repository that another container runs from
	once   bool   // with the options of a single look
	at     time.Duration

	want []string // container, family/reason/cause; the pod as a whole is -
	// The following are compared where they are not zero.
	recheck, since time.Duration
	message        string
	open           []Stage
}

func runPodCases(t *testing.T, cases []podCase) {
	t.Helper()
	catalogue := mustCatalogue(t)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			opts := DefaultOptions()
			if tc.once {
				opts = OneLookOptions()
			}
			// What does not matter never gets here.
			kept := slices.DeleteFunc(slices.Clone(tc.events), func(event *corev1.Event) bool { return !EventMatters("Pod", event.Reason) })
			in := PodInput{Pod: tc.pod, Events: kept, Node: tc.node, Owner: tc.owner, Now: clock(tc.at)}
			if tc.exists != "" {
				in.RepositoryExists = func(repository string) bool { return repository == tc.exists }
			}
			before := tc.pod.DeepCopy()
			v := New(opts).Pod(in)
			if !reflect.DeepEqual(before, tc.pod) {
				t.Error("the pod was changed; objects of a cache are read-only")
			}
			if got := told(v); !slices.Equal(got, tc.want) {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
			checkVerdict(t, catalogue, v, in.Now)
			tc.compare(t, v)
		})
	}
}

func (tc *podCase) compare(t *testing.T, v Verdict) {
	t.Helper()
	if want := clock(tc.recheck); tc.recheck != 0 && !v.Recheck.Equal(want) {
		t.Errorf("Recheck = %v, want %v", v.Recheck, want)
	}
	for _, stage := range tc.open {
		if !slices.Contains(v.Open, stage) {
			t.Errorf("Open = %v, want %v in it", v.Open, stage)
		}
	}
	if len(v.Failures) == 0 {
		return
	}
	if want := clock(tc.since); tc.since != 0 && !v.Failures[0].Since.Equal(want) {
		t.Errorf("Since = %v, want %v", v.Failures[0].Since, want)
	}
	if tc.message != "" && v.Failures[0].Message != tc.message {
		t.Errorf("Message = %q\nwant      %q", v.Failures[0].Message, tc.message)
	}
}

// told writes each failure as container, family/reason/cause.
func told(v Verdict) []string {
	var out []string
	for _, f := range v.Failures {
		name := f.Container
		if name == "" {
			name = "-"
		}
		out = append(out, name+" "+string(f.Family)+"/"+f.Reason+"/"+string(f.Cause))
	}
	return out
}

// checkVerdict asserts what holds for every verdict.
func checkVerdict(t *testing.T, catalogue *Catalogue, v Verdict, now time.Time) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range v.Failures {
		if seen[f.Container] {
			t.Errorf("container %q has two failures", f.Container)
		}
		seen[f.Container] = true
		if !slices.Contains(Reasons(), f.Reason) {
			t.Errorf("reason %q is not in Reasons()", f.Reason)
		}
		if catalogue.Page(f.Cause) == nil {
			t.Errorf("cause %q has no page", f.Cause)
		}
		if !slices.Contains(Families(), f.Family) {
			t.Errorf("family %q is not in Families()", f.Family)
		}
		if f.Since.After(now) {
			t.Errorf("Since %v is after now %v", f.Since, now)
		}
		if !utf8.ValidString(f.Message) || len(f.Message) > shown+len("…") || strings.TrimSpace(f.Message) == "" {
			t.Errorf("message %q is empty, too long or not UTF-8", f.Message)
		}
		checkEvents(t, f.Events)
	}
	if !v.Recheck.IsZero() && !v.Recheck.After(now) {
		t.Errorf("Recheck %v is not after now %v: the caller would loop", v.Recheck, now)
	}
}

// checkEvents asserts what holds for the events of every failure.
func checkEvents(t *testing.T, events []Event) {
	t.Helper()
	if len(events) > shownEvents {
		t.Errorf("%d events, at most %d are kept", len(events), shownEvents)
	}
	reasons := map[string]bool{}
	for i, e := range events {
		for text, most := range map[string]int{e.Message: shownNote, e.Reason: shownWord, e.Type: shownWord} {
			if !utf8.ValidString(text) || len(text) > most+len("…") {
				t.Errorf("event %+v: %q is too long or not UTF-8", e, text)
			}
		}
		if reasons[e.Reason] || e.Count < 1 || e.First.After(e.Last) || i > 0 && e.Last.After(events[i-1].Last) {
			t.Errorf("event %d of %+v has a reason that is there twice, no count, or is not in order", i, events)
		}
		reasons[e.Reason] = true
	}
}

func mustCatalogue(t testing.TB) *Catalogue {
	t.Helper()
	catalogue, err := LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return catalogue
}

// healthyPod runs, and all its containers are ready.
func healthyPod(edits ...edit) *corev1.Pod {
	return newPod(append([]edit{
		phase(corev1.PodRunning, "", ""), condition(corev1.ContainersReady, corev1.ConditionTrue, "", 3*second),
		condition(corev1.PodReady, corev1.ConditionTrue, "", 3*second), web(running(2*second, true)),
	}, edits...)...)
}

// runningPod runs, and some container is not ready.
func runningPod(edits ...edit) *corev1.Pod {
	return newPod(append([]edit{phase(corev1.PodRunning, "", "")}, edits...)...)
}
