package classify

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Controller is what the classifier wants to know of anything that creates pods, or of a Deployment.
type Controller struct {
	Kind, Namespace, Name string
	UID                   types.UID
	// OwnerKind and OwnerName name the controller above: a ReplicaSet's Deployment, a Job's CronJob.
	OwnerKind, OwnerName string
	// Desired, Current and Ready count pods: wanted, existing and ready ones. Of a Job, Desired is what should run or
	// have succeeded, and Ready what does.
	Desired, Current, Ready int32
	// Done is true for a Job that is complete, suspended or out of tries, so that it wants no more pods, and for a
	// CronJob; Complete only for a Job that has succeeded.
	Done, Complete bool
	Deleting       bool
	// Conditions are those of the kinds ReplicaFailure and Progressing.
	Conditions []ControllerCondition
}

// ControllerCondition is a condition of a ReplicaSet or Deployment.
type ControllerCondition struct {
	Type    string
	True    bool
	Reason  string
	Message string
	Since   time.Time
}

// ControllerOf reduces a ReplicaSet, Deployment, StatefulSet, DaemonSet, Job or CronJob; ok is false for anything else.
func ControllerOf(object any) (c Controller, ok bool) {
	switch o := object.(type) {
	case *appsv1.ReplicaSet:
		c = controllerOf("ReplicaSet", o)
		c.Desired, c.Current, c.Ready = replicas(o.Spec.Replicas), o.Status.Replicas, o.Status.ReadyReplicas
		for _, condition := range o.Status.Conditions {
			c.add(string(condition.Type), condition.Status, condition.Reason, condition.Message, condition.LastTransitionTime.Time)
		}
	case *appsv1.Deployment:
		c = controllerOf("Deployment", o)
		c.Desired, c.Current, c.Ready = replicas(o.Spec.Replicas), o.Status.Replicas, o.Status.ReadyReplicas
		for _, condition := range o.Status.Conditions {
			c.add(string(condition.Type), condition.Status, condition.Reason, condition.Message, condition.LastTransitionTime.Time)
		}
	case *appsv1.StatefulSet:
		c = controllerOf("StatefulSet", o)
		c.Desired, c.Current, c.Ready = replicas(o.Spec.Replicas), o.Status.Replicas, o.Status.ReadyReplicas
	case *appsv1.DaemonSet:
		c = controllerOf("DaemonSet", o)
		c.Desired, c.Current, c.Ready = o.Status.DesiredNumberScheduled, o.Status.CurrentNumberScheduled, o.Status.NumberReady
	case *batchv1.Job:
		c = jobOf(o)
	case *batchv1.CronJob:
		c = controllerOf("CronJob", o)
		c.Done = true
	default:
		return Controller{}, false
	}
	return c, true
}

func controllerOf(kind string, o metav1.Object) Controller {
	c := Controller{Kind: kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID(), Deleting: o.GetDeletionTimestamp() != nil}
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		c.OwnerKind, c.OwnerName = owner.Kind, owner.Name
	}
	return c
}

func jobOf(o *batchv1.Job) Controller {
	c := controllerOf("Job", o)
	parallelism := replicas(o.Spec.Parallelism)
	c.Desired = parallelism
	if o.Spec.Completions != nil {
		c.Desired = min(parallelism, max(*o.Spec.Completions-o.Status.Succeeded, 0))
	} else if o.Status.Succeeded > 0 {
		c.Desired = o.Status.Active // a work queue: once one has succeeded no more are made
	}
	c.Current = o.Status.Active
	if o.Status.Ready != nil {
		c.Ready = *o.Status.Ready
	}
	c.Done = o.Spec.Suspend != nil && *o.Spec.Suspend
	for _, condition := range o.Status.Conditions {
		if condition.Status != corev1.ConditionTrue {
			continue
		}
		switch condition.Type {
		case batchv1.JobComplete, batchv1.JobSuccessCriteriaMet:
			c.Done, c.Complete = true, true
		case batchv1.JobFailed, batchv1.JobFailureTarget, batchv1.JobSuspended:
			c.Done = true
		}
	}
	return c
}

func replicas(n *int32) int32 {
	if n == nil {
		return 1
	}
	return *n
}

func (c *Controller) add(kind string, status corev1.ConditionStatus, reason, message string, since time.Time) {
	if kind == "ReplicaFailure" || kind == "Progressing" {
		c.Conditions = append(c.Conditions, ControllerCondition{
			Type: kind, True: status == corev1.ConditionTrue, Reason: reason, Message: message, Since: since,
		})
	}
}

// Missing is how many pods the controller wants and does not have.
func (c *Controller) Missing() int32 {
	if c.Done || c.Deleting {
		return 0
	}
	return max(c.Desired-c.Current, 0)
}

// Satisfied says that the workload no longer needs a pod that failed: it has all the ready pods it wants, or is complete.
func (c *Controller) Satisfied() bool {
	if c.Kind == "Job" {
		return c.Complete
	}
	return c.Kind != "CronJob" && c.Ready >= c.Desired
}

func (c *Controller) condition(kind string) *ControllerCondition {
	for i := range c.Conditions {
		if c.Conditions[i].Type == kind {
			return &c.Conditions[i]
		}
	}
	return nil
}

// ControllerInput is all that is known of one controller.
type ControllerInput struct {
	Controller *Controller
	// Events are those whose involvedObject is the controller, in any order.
	Events []*corev1.Event
	// NewestPod is when the newest pod of the controller was created, zero where it has none.
	NewestPod time.Time
	// PodExists says whether a pod of the namespace exists. It may be nil.
	PodExists func(name string) bool
	Now       time.Time
}

// recentEvent is how long a ReplicaSet's event counts without its condition: the condition follows within a second.
const recentEvent = time.Minute

// Controller tells why a ReplicaSet, StatefulSet, DaemonSet or Job cannot create its pods (rule S3).
func (c *Classifier) Controller(in ControllerInput) Verdict {
	var v Verdict
	ctl := in.Controller
	if ctl == nil || ctl.Kind == "Deployment" || ctl.Kind == "CronJob" || ctl.Missing() == 0 {
		return v
	}
	condition := ctl.condition("ReplicaFailure")
	if condition != nil && (!condition.True || condition.Reason == "FailedDelete") {
		condition = nil
	}
	event, first := refusedEvent(in)
	if condition == nil && event != nil && ctl.Kind == "ReplicaSet" && !c.opts.OneLook && older(event, in.Now.Add(-recentEvent)) {
		event = nil
	}
	v.Open = append(v.Open, Stage{Family: FamilyCreate})
	if condition == nil && event == nil {
		if in.NewestPod.IsZero() || ctl.Kind == "ReplicaSet" {
			return v
		}
		if newest(newestFirst(in.Events), "FailedCreate") != nil {
			v.Open = nil // pods were created after the last refusal
		}
		return v
	}
	message, since := "", first
	if condition != nil {
		message, since = condition.Message, condition.Since
	}
	if event != nil && (condition == nil || eventTime(event).After(condition.Since)) {
		message = event.Message
	}
	cause, quota, known := c.tellCreate(message)
	f := Failure{
		Kind: ctl.Kind, Namespace: ctl.Namespace, Name: ctl.Name, UID: ctl.UID, Family: FamilyCreate, Cause: cause, Reason: "FailedCreate",
		Since: since, SinceKept: condition != nil, Message: Redact(refusal(message)), MissingPods: ctl.Missing(), Quota: quota, Unclassified: !known,
	}
	if event != nil {
		f.Events = []Event{eventOf(event, Redact(strings.TrimSpace(event.Message)))}
	}
	v.Failures = append(v.Failures, f)
	return v
}

// statefulPod is the pod that a StatefulSet's event names.
var statefulPod = regexp.MustCompile(`(?i)^create (?:pod|claim \S+(?: for)? pod) (\S+) in statefulset`)

// refusedEvent returns the newest FailedCreate that still holds, and when the first of those that hold was first seen.
// A pod that was created later, or the very pod that an event names, says that the refusal is over.
func refusedEvent(in ControllerInput) (*corev1.Event, time.Time) {
	var last *corev1.Event
	var first time.Time
	for _, event := range newestFirst(in.Events) {
		if !strings.EqualFold(event.Reason, "FailedCreate") || older(event, in.NewestPod) {
			continue
		}
		if m := statefulPod.FindStringSubmatch(unwrap(event.Message)); m != nil && in.PodExists != nil && in.PodExists(m[1]) {
			continue
		}
		if last == nil {
			last = event
		}
		if at := eventFirst(event); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return last, first
}

func newestFirst(events []*corev1.Event) []*corev1.Event {
	out := slices.Clone(events)
	slices.SortStableFunc(out, newerFirst)
	return out
}

// Rollout tells a Deployment whose rollout has stalled. pods are the failures of its pods and ReplicaSets; where there
// are any, the rollout has the cause of the most of them. The failure's family stays rollout.
func (c *Classifier) Rollout(deployment *Controller, pods []Failure) (Failure, bool) {
	condition := deployment.condition("Progressing")
	if condition == nil || condition.True || condition.Reason != "ProgressDeadlineExceeded" || deployment.Deleting || deployment.Desired == 0 {
		return Failure{}, false
	}
	f := Failure{
		Kind: "Deployment", Namespace: deployment.Namespace, Name: deployment.Name, UID: deployment.UID, Family: FamilyRollout,
		WorkloadKind: "Deployment", Workload: deployment.Name,
		Cause: ProgressDeadlineExceeded, Reason: "ProgressDeadlineExceeded", Since: condition.Since, SinceKept: true, Message: Redact(condition.Message),
	}
	if root, ok := mostFrequent(pods); ok {
		f.Cause, f.Message = root.Cause, root.Message
	}
	return f, true
}

// mostFrequent returns the failure whose cause most pods share, those that were never created among them; of equals the
// one that comes first in a pod's life.
func mostFrequent(failures []Failure) (Failure, bool) {
	if len(failures) == 0 {
		return Failure{}, false
	}
	counts, families := map[Cause]int32{}, Families()
	for _, f := range failures {
		counts[f.Cause] += max(f.MissingPods, 1)
	}
	return slices.MinFunc(failures, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(counts[b.Cause], counts[a.Cause]), cmp.Compare(slices.Index(families, a.Family), slices.Index(families, b.Family)),
			cmp.Compare(a.Cause, b.Cause))
	}), true
}

// Stalled says that a Deployment's rollout makes no progress.
func (c *Controller) Stalled() bool {
	condition := c.condition("Progressing")
	return condition != nil && !condition.True && condition.Reason == "ProgressDeadlineExceeded"
}
