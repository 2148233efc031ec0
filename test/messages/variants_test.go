package messages

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// variant is one way in which tools, kubelets of other versions and people who cut objects down change a record's objects.
type variant struct {
	name string
	// change is applied to the objects as a cluster would hold them.
	change func(o *objects, r *record)
}

// bare names the variant whose objects hold nothing but what the record says.
const bare = "bare: nothing but what the record says"

// variants returns every shape of the objects that must give the same answers.
func variants() []variant {
	return []variant{
		{"as a cluster holds them", func(*objects, *record) {}},
		{"waiting without a message", func(o *objects, r *record) { o.say(r, "", "") }},
		{"waiting with the message", func(o *objects, r *record) { o.say(r, "", r.Message) }},
		{"waiting for the event's reason", func(o *objects, r *record) { o.say(r, r.Reason, "") }},
		{"waiting for the event's reason with the message", func(o *objects, r *record) { o.say(r, r.Reason, r.Message) }},
		{"ErrImagePull without a message", func(o *objects, r *record) { o.pulling(r, "ErrImagePull", "") }},
		{"ErrImagePull with the message", func(o *objects, r *record) { o.pulling(r, "ErrImagePull", r.Message) }},
		{"ImagePullBackOff with the error behind it", func(o *objects, r *record) {
			o.pulling(r, "ImagePullBackOff", `Back-off pulling image "`+r.Image+`": ErrImagePull: `+strings.TrimPrefix(r.Message, `Failed to pull image "`+r.Image+`": `))
		}},
		{"CrashLoopBackOff", func(o *objects, r *record) {
			if r.Family == classify.FamilyStart {
				o.say(r, "CrashLoopBackOff", "back-off 10s restarting failed container=app pod=web")
			}
		}},
		{"CreateContainerError", func(o *objects, r *record) {
			if r.Family == classify.FamilyStart || r.Family == classify.FamilyConfig {
				o.say(r, "CreateContainerError", r.Message)
			}
		}},
		{"ContainerCreating", creating},
		{"waiting without a reason", func(o *objects, _ *record) {
			if w := o.waiting(); w != nil && o.event != nil {
				*w = corev1.ContainerStateWaiting{}
			}
		}},
		{"no container status", noStatus},
		{"no container status, no node", func(o *objects, r *record) {
			noStatus(o, r)
			noNode(o, r)
			noConditions(o, r)
		}},
		{"no node", noNode},
		{"no conditions", noConditions},
		{"no field path", noFieldPath},
		{"no uid", noUID},
		{"no times", noTimes},
		{"only the event's last time", func(o *objects, r *record) {
			noTimes(o, r)
			if o.event != nil {
				o.event.LastTimestamp = *at(seen)
			}
		}},
		{"only creation times", func(o *objects, r *record) {
			noTimes(o, r)
			for _, object := range o.all() {
				object.(metav1.Object).SetCreationTimestamp(*at(seen))
			}
		}},
		{"only the event's time of the new API", func(o *objects, _ *record) {
			if o.event != nil {
				o.event.FirstTimestamp, o.event.LastTimestamp = metav1.Time{}, metav1.Time{}
				o.event.EventTime = metav1.NewMicroTime(seen)
				o.event.ReportingController, o.event.Source = "kubelet", corev1.EventSource{}
			}
		}},
		{"no type, count and source", noTypeAndCount},
		{"phase Pending", func(o *objects, r *record) { o.phase(r, corev1.PodPending) }},
		{"phase Running", func(o *objects, r *record) { o.phase(r, corev1.PodRunning) }},
		{"no phase", func(o *objects, r *record) { o.phase(r, "") }},
		{"probes in the spec", func(o *objects, r *record) {
			if r.Family == classify.FamilyProbe {
				probe := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}, PeriodSeconds: 10, FailureThreshold: 3}
				o.pod.Spec.Containers[0].ReadinessProbe, o.pod.Spec.Containers[0].LivenessProbe = probe, probe
			}
		}},
		{"an image that only stands in for an unknown one", func(o *objects, r *record) {
			if r.Image == "" && o.pod != nil {
				o.pod.Spec.Containers[0].Image = "registry.example.com/team/app:1.0"
			}
		}},
		{"ended for good", func(o *objects, _ *record) {
			if o.terminated() != nil {
				o.pod.Spec.RestartPolicy, o.pod.Status.Phase = corev1.RestartPolicyNever, corev1.PodFailed
			}
		}},
		{"first end", func(o *objects, _ *record) {
			if o.terminated() != nil {
				o.status().RestartCount = 0
			}
		}},
		{"crash loop", loop},
		{"unknown exit code 128", func(o *objects, r *record) {
			if t := o.terminated(); t != nil && r.ExitCode == nil {
				t.ExitCode = 128
			}
		}},
		{"unknown exit code 1", func(o *objects, r *record) {
			if t := o.terminated(); t != nil && r.ExitCode == nil {
				t.ExitCode = 1
			}
		}},
		{"scheduling by event alone", func(o *objects, r *record) {
			if r.Family == classify.FamilySchedule && o.event != nil {
				o.pod.Status.Conditions = nil
			}
		}},
		{"scheduling by condition and event, no words", func(o *objects, r *record) {
			if r.Family == classify.FamilySchedule && o.event != nil {
				o.pod.Status.Conditions[0].Message = ""
			}
		}},
		{"refusal in a condition", refusalInCondition},
		{"refusal in the condition of a pod that waits", func(o *objects, r *record) {
			if r.Field == "status" && r.Family == classify.FamilyCreate {
				o.pod.Status.Phase = corev1.PodPending
			}
		}},
		{"disruption in the scheduling condition", func(o *objects, r *record) {
			if r.Field == "condition" && r.Family == classify.FamilyPod {
				o.pod.Spec.NodeName = ""
				o.pod.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{
					Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: r.Reason, Message: r.Message,
				}}}
			}
		}},
		{"event of a pod beside a waiting container", func(o *objects, r *record) {
			if r.Family == classify.FamilyPod && o.event != nil {
				o.pod.Status.Phase, o.pod.Status.Reason = corev1.PodPending, ""
				wait(o.pod, r.Reason, "")
			}
		}},
		{bare, func(o *objects, r *record) {
			o.say(r, r.Reason, "")
			for _, change := range []func(*objects, *record){noNode, noConditions, noFieldPath, noUID, noTimes, noTypeAndCount} {
				change(o, r)
			}
		}},
	}
}

// say changes what the container of an event's pod waits for; a probe's container runs.
func (o *objects) say(r *record, reason, message string) {
	if o.event == nil || o.pod == nil || r.Family == classify.FamilySchedule && reason == "" {
		return
	}
	if o.waiting() == nil && reason != "" {
		wait(o.pod, reason, message)
		if o.pod.Status.Phase == corev1.PodRunning {
			o.pod.Status.Phase = corev1.PodPending
		}
		return
	}
	if w := o.waiting(); w != nil {
		if reason != "" {
			w.Reason = reason
		}
		w.Message = message
	}
}

func (o *objects) pulling(r *record, reason, message string) {
	if r.Family == classify.FamilyImage && o.event != nil && r.Reason == "Failed" {
		wait(o.pod, reason, message)
	}
}

func (o *objects) phase(r *record, phase corev1.PodPhase) {
	if o.pod != nil && r.Field != "status" && r.Family != classify.FamilyPod {
		o.pod.Status.Phase = phase
	}
}

func creating(o *objects, r *record) {
	if o.event != nil && o.pod != nil && r.Family != classify.FamilySchedule && r.Family != classify.FamilyPod {
		wait(o.pod, "ContainerCreating", "")
		o.pod.Status.Phase = corev1.PodPending
	}
}

func noStatus(o *objects, _ *record) {
	if o.event != nil && o.pod != nil {
		o.pod.Status.ContainerStatuses = nil
		if o.pod.Status.Phase == corev1.PodRunning {
			o.pod.Status.Phase = corev1.PodPending
		}
	}
}

func noNode(o *objects, _ *record) {
	if o.pod != nil {
		o.pod.Spec.NodeName = ""
	}
}

func noConditions(o *objects, r *record) {
	if o.pod != nil && r.Field != "condition" {
		o.pod.Status.Conditions = nil
	}
}

func noFieldPath(o *objects, _ *record) {
	if o.event != nil {
		o.event.InvolvedObject.FieldPath = ""
	}
}

func noUID(o *objects, _ *record) {
	for _, object := range o.all() {
		object.(metav1.Object).SetUID("")
	}
	if o.event != nil {
		o.event.InvolvedObject.UID = ""
	}
}

func noTimes(o *objects, _ *record) {
	for _, object := range o.all() {
		object.(metav1.Object).SetCreationTimestamp(metav1.Time{})
	}
	if o.event != nil {
		o.event.FirstTimestamp, o.event.LastTimestamp = metav1.Time{}, metav1.Time{}
	}
	if o.replicaSet != nil {
		for i := range o.replicaSet.Status.Conditions {
			o.replicaSet.Status.Conditions[i].LastTransitionTime = metav1.Time{}
		}
	}
	if o.pod == nil {
		return
	}
	o.pod.Status.StartTime = nil
	for i := range o.pod.Status.Conditions {
		o.pod.Status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	if status := o.status(); status != nil && status.State.Running != nil {
		status.State.Running.StartedAt = metav1.Time{}
	}
	if t := o.terminated(); t != nil {
		t.StartedAt, t.FinishedAt = metav1.Time{}, metav1.Time{}
	}
}

func noTypeAndCount(o *objects, _ *record) {
	if o.event != nil {
		o.event.Type, o.event.Count, o.event.Source = "", 0, corev1.EventSource{}
	}
}

func loop(o *objects, _ *record) {
	if t := o.terminated(); t != nil {
		status := o.status()
		status.LastTerminationState.Terminated = t
		status.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "CrashLoopBackOff", Message: "back-off 40s restarting failed container=app pod=web-5d9c7b9f4-x2x7k",
		}}
	}
}

// refusalInCondition moves a create failure's words into a ReplicaSet's condition, where the controller puts them too.
func refusalInCondition(o *objects, r *record) {
	if r.Family != classify.FamilyCreate || o.statefulSet != nil {
		return
	}
	moved := *r
	moved.Field, moved.Reason = "condition", "FailedCreate"
	moved.Message = strings.TrimPrefix(r.Message, "Error creating: ")
	*o = *refusedController(&moved)
	o.replicaSet.CreationTimestamp = *at(seen.Add(-time.Hour))
}
