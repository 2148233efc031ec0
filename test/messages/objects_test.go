package messages

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// seen is when everything happened.
var seen = time.Date(2026, time.March, 3, 9, 0, 0, 0, time.UTC)

const containerName = "app"

// objects are what a record stands in: a pod or a controller, and the events about it.
type objects struct {
	pod         *corev1.Pod
	replicaSet  *appsv1.ReplicaSet
	statefulSet *appsv1.StatefulSet
	event       *corev1.Event
}

// status is the pod's only container status, nil where it has none.
func (o *objects) status() *corev1.ContainerStatus {
	if o.pod == nil || len(o.pod.Status.ContainerStatuses) == 0 {
		return nil
	}
	return &o.pod.Status.ContainerStatuses[0]
}

func (o *objects) waiting() *corev1.ContainerStateWaiting {
	if status := o.status(); status != nil {
		return status.State.Waiting
	}
	return nil
}

func (o *objects) terminated() *corev1.ContainerStateTerminated {
	if status := o.status(); status != nil {
		return status.State.Terminated
	}
	return nil
}

func (o *objects) all() []runtime.Object {
	var out []runtime.Object
	if o.pod != nil {
		out = append(out, o.pod)
	}
	if o.replicaSet != nil {
		out = append(out, o.replicaSet)
	}
	if o.statefulSet != nil {
		out = append(out, o.statefulSet)
	}
	if o.event != nil {
		out = append(out, o.event)
	}
	return out
}

// makeObjects makes a record's objects as a cluster would hold them, in a namespace of its own.
func makeObjects(r *record) *objects {
	if r.Family == classify.FamilyCreate && r.Field != "status" {
		return refusedController(r)
	}
	o := &objects{pod: newPod(r)}
	switch r.Field {
	case "waiting":
		wait(o.pod, r.Reason, r.Message)
	case "terminated":
		end(o.pod, r)
	case "status":
		o.pod.Status = corev1.PodStatus{Phase: corev1.PodFailed, Reason: r.Reason, Message: r.Message, StartTime: at(seen)}
	case "condition":
		setCondition(o.pod, r)
	default:
		stage(o.pod, r)
		o.event = newEvent(r, "Pod", "v1", o.pod)
		switch r.Family {
		case classify.FamilyImage, classify.FamilyConfig, classify.FamilyStart, classify.FamilyCrash, classify.FamilyProbe:
			if r.Reason != "FailedToRetrieveImagePullSecret" {
				o.event.InvolvedObject.FieldPath = "spec.containers{" + containerName + "}"
			}
		}
	}
	return o
}

func meta(r *record, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace(r), UID: types.UID(r.ID + "-" + name), CreationTimestamp: *at(seen.Add(-2 * time.Minute))}
}

func at(when time.Time) *metav1.Time {
	stamp := metav1.NewTime(when)
	return &stamp
}

func newPod(r *record) *corev1.Pod {
	pod := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: meta(r, "web-5d9c7b9f4-x2x7k"),
		Spec: corev1.PodSpec{
			NodeName:   "node-1",
			Containers: []corev1.Container{{Name: containerName, Image: r.Image}},
		},
		Status: corev1.PodStatus{Phase: corev1.PodPending, StartTime: at(seen.Add(-2 * time.Minute))},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled} {
		condition := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: *at(seen.Add(-2 * time.Minute))}
		if kind == corev1.PodReady || kind == corev1.ContainersReady {
			condition.Status, condition.Reason, condition.Message = corev1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]"
		}
		pod.Status.Conditions = append(pod.Status.Conditions, condition)
	}
	return pod
}

// stage puts the pod of an event where the event finds it.
func stage(pod *corev1.Pod, r *record) {
	switch r.Family {
	case classify.FamilySchedule:
		pod.Spec.NodeName = ""
		pod.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: r.Message,
			LastTransitionTime: *at(seen.Add(-2 * time.Minute)),
		}}}
		if r.Reason != "FailedScheduling" {
			pod.Status.Conditions[0].Message = ""
		}
	case classify.FamilyImage:
		switch r.Reason {
		case "InspectFailed":
			wait(pod, "InvalidImageName", "")
		case "ErrImageNeverPull":
			wait(pod, r.Reason, r.Message)
		default:
			wait(pod, "ImagePullBackOff", `Back-off pulling image "`+r.Image+`"`)
		}
	case classify.FamilyConfig:
		wait(pod, "CreateContainerConfigError", strings.TrimPrefix(r.Message, "Error: "))
	case classify.FamilyStart:
		wait(pod, "RunContainerError", strings.TrimPrefix(r.Message, "Error: "))
	case classify.FamilyVolume:
		wait(pod, "ContainerCreating", "")
	case classify.FamilyProbe:
		run(pod)
	case classify.FamilyPod:
		pod.Status.Phase, pod.Status.Reason = corev1.PodFailed, r.Reason
		if r.Reason == "ExceededGracePeriod" {
			run(pod)
			pod.Status.Reason = ""
		}
	}
}

func wait(pod *corev1.Pod, reason, message string) {
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: containerName, Image: pod.Spec.Containers[0].Image,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}
}

func run(pod *corev1.Pod) {
	started := true
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: containerName, Image: pod.Spec.Containers[0].Image, Started: &started,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: *at(seen.Add(-time.Minute))}},
	}}
}

// end makes a container that has ended; an exit code that is not known is the one that its reason always has.
func end(pod *corev1.Pod, r *record) {
	code := int32(1)
	if r.ExitCode != nil {
		code = *r.ExitCode
	} else if r.Reason == "StartError" {
		code = 128
	}
	if r.FromLogs {
		pod.Spec.Containers[0].TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: containerName, Image: pod.Spec.Containers[0].Image, RestartCount: 3,
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: r.Reason, Message: r.Message, StartedAt: *at(seen.Add(-30 * time.Second)), FinishedAt: *at(seen),
		}},
	}}
}

func setCondition(pod *corev1.Pod, r *record) {
	if r.Family == classify.FamilySchedule {
		pod.Spec.NodeName = ""
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: r.Reason, Message: r.Message, LastTransitionTime: *at(seen),
		}}
		return
	}
	pod.Status.Phase = corev1.PodFailed
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: r.Reason, Message: r.Message, LastTransitionTime: *at(seen),
	})
}

var inStatefulSet = regexp.MustCompile(` in StatefulSet (\S+) failed error: `)

// refusedController makes the controller of a pod that could not be created, with a condition or an event.
func refusedController(r *record) *objects {
	var o objects
	one := int32(1)
	if m := inStatefulSet.FindStringSubmatch(r.Message); m != nil {
		o.statefulSet = &appsv1.StatefulSet{
			TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"}, ObjectMeta: meta(r, m[1]),
			Spec: appsv1.StatefulSetSpec{Replicas: &one},
		}
		o.event = newEvent(r, "StatefulSet", "apps/v1", o.statefulSet)
		return &o
	}
	o.replicaSet = &appsv1.ReplicaSet{
		TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ReplicaSet"}, ObjectMeta: meta(r, "web-5d9c7b9f4"),
		Spec: appsv1.ReplicaSetSpec{Replicas: &one},
	}
	if r.Field == "condition" {
		o.replicaSet.Status.Conditions = []appsv1.ReplicaSetCondition{{
			Type: appsv1.ReplicaSetReplicaFailure, Status: corev1.ConditionTrue, Reason: r.Reason, Message: r.Message, LastTransitionTime: *at(seen),
		}}
		return &o
	}
	o.event = newEvent(r, "ReplicaSet", "apps/v1", o.replicaSet)
	return &o
}

func newEvent(r *record, kind, apiVersion string, about metav1.Object) *corev1.Event {
	return &corev1.Event{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Event"},
		ObjectMeta: meta(r, about.GetName()+".186f1c2d3e4f5a6b"),
		InvolvedObject: corev1.ObjectReference{
			Kind: kind, APIVersion: apiVersion, Namespace: about.GetNamespace(), Name: about.GetName(), UID: about.GetUID(),
		},
		Reason: r.Reason, Message: r.Message, Type: corev1.EventTypeWarning, Count: 4,
		FirstTimestamp: *at(seen.Add(-time.Minute)), LastTimestamp: *at(seen),
		Source: corev1.EventSource{Component: "kubelet", Host: "node-1"},
	}
}

// listOf writes objects as "kubectl get -o json" does.
func listOf(t *testing.T, items []runtime.Object) []byte {
	t.Helper()
	list := struct {
		APIVersion string           `json:"apiVersion"`
		Kind       string           `json:"kind"`
		Items      []runtime.Object `json:"items"`
	}{"v1", "List", items}
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatalf("writing objects: %v", err)
	}
	return text
}
