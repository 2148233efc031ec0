package collector

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The newest time of the input is about when it was taken, so that a file that is read a week later shows the ages of
// its own day. Times that lie ahead, such as the end of a deletion's grace, do not count.

func (in *input) seeTime(times ...time.Time) {
	for _, t := range times {
		if t.After(in.objects.Newest) {
			in.objects.Newest = t
		}
	}
}

func (in *input) seeOptional(t *metav1.Time) {
	if t != nil {
		in.seeTime(t.Time)
	}
}

func (in *input) podTimes(pod *corev1.Pod) {
	in.seeOptional(pod.Status.StartTime)
	for i := range pod.Status.Conditions {
		in.seeTime(pod.Status.Conditions[i].LastTransitionTime.Time, pod.Status.Conditions[i].LastProbeTime.Time)
	}
	for _, statuses := range [][]corev1.ContainerStatus{
		pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for i := range statuses {
			in.stateTimes(&statuses[i].State)
			in.stateTimes(&statuses[i].LastTerminationState)
		}
	}
}

func (in *input) stateTimes(state *corev1.ContainerState) {
	if state.Running != nil {
		in.seeTime(state.Running.StartedAt.Time)
	}
	if state.Terminated != nil {
		in.seeTime(state.Terminated.StartedAt.Time, state.Terminated.FinishedAt.Time)
	}
}

func (in *input) eventTimes(event *corev1.Event) {
	in.seeTime(event.CreationTimestamp.Time, event.FirstTimestamp.Time, event.LastTimestamp.Time, event.EventTime.Time)
	if event.Series != nil {
		in.seeTime(event.Series.LastObservedTime.Time)
	}
}

func (in *input) nodeTimes(node *corev1.Node) {
	for i := range node.Status.Conditions {
		in.seeTime(node.Status.Conditions[i].LastTransitionTime.Time, node.Status.Conditions[i].LastHeartbeatTime.Time)
	}
}

func (in *input) namespaceTimes(namespace *corev1.Namespace) {
	for i := range namespace.Status.Conditions {
		in.seeTime(namespace.Status.Conditions[i].LastTransitionTime.Time)
	}
}

func (in *input) replicaSetTimes(set *appsv1.ReplicaSet) {
	for i := range set.Status.Conditions {
		in.seeTime(set.Status.Conditions[i].LastTransitionTime.Time)
	}
}

func (in *input) deploymentTimes(deployment *appsv1.Deployment) {
	for i := range deployment.Status.Conditions {
		in.seeTime(deployment.Status.Conditions[i].LastTransitionTime.Time, deployment.Status.Conditions[i].LastUpdateTime.Time)
	}
}

func (in *input) jobTimes(job *batchv1.Job) {
	in.seeOptional(job.Status.StartTime)
	in.seeOptional(job.Status.CompletionTime)
	for i := range job.Status.Conditions {
		in.seeTime(job.Status.Conditions[i].LastTransitionTime.Time)
	}
}

func (in *input) cronJobTimes(job *batchv1.CronJob) {
	in.seeOptional(job.Status.LastScheduleTime)
	in.seeOptional(job.Status.LastSuccessfulTime)
}
