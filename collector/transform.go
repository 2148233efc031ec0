package collector

import (
	"maps"
	"time"
	"unique"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// podTransform reduces a healthy pod to a quietPod, and any other to what the classifier reads. What it has already
// reduced it returns as it is: informers may pass an object twice.
func podTransform(c *classify.Classifier, now func() time.Time) func(any) (any, error) {
	return func(object any) (any, error) {
		pod, ok := object.(*corev1.Pod)
		if !ok {
			return object, nil
		}
		if c.Quiet(pod, now()) {
			return quietPodOf(pod), nil
		}
		return slimPod(pod), nil
	}
}

func quietPodOf(pod *corev1.Pod) *quietPod {
	q := &quietPod{identity: identityOf(pod), created: pod.CreationTimestamp.Unix()}
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		q.ownerKind, q.ownerName = intern(owner.Kind), intern(owner.Name)
	}
	q.containers = make([]quietContainer, 0, len(pod.Status.ContainerStatuses)+len(pod.Status.InitContainerStatuses))
	eachStatus(pod, func(status *corev1.ContainerStatus) {
		q.containers = append(q.containers, quietContainer{
			name: intern(status.Name), repository: intern(pulledRepository(status)), ends: classify.Ends(status),
		})
	})
	return q
}

func eachStatus(pod *corev1.Pod, visit func(*corev1.ContainerStatus)) {
	for i := range pod.Status.InitContainerStatuses {
		visit(&pod.Status.InitContainerStatuses[i])
	}
	for i := range pod.Status.ContainerStatuses {
		visit(&pod.Status.ContainerStatuses[i])
	}
}

// pulledRepository is the repository that a container proves to exist by running, or having run, from it.
func pulledRepository(status *corev1.ContainerStatus) string {
	if status.State.Running == nil && status.State.Terminated == nil && status.LastTerminationState.Terminated == nil {
		return ""
	}
	return classify.PulledRepository(status.ImageID)
}

// slimPod copies what the classifier reads and leaves the rest to the garbage collector.
func slimPod(pod *corev1.Pod) *corev1.Pod {
	slim := &corev1.Pod{
		ObjectMeta: slimMeta(&pod.ObjectMeta),
		Spec: corev1.PodSpec{
			NodeName: intern(pod.Spec.NodeName), RestartPolicy: pod.Spec.RestartPolicy, SchedulerName: intern(pod.Spec.SchedulerName),
			ReadinessGates: pod.Spec.ReadinessGates, ResourceClaims: pod.Spec.ResourceClaims,
			InitContainers: slimContainers(pod.Spec.InitContainers), Containers: slimContainers(pod.Spec.Containers),
		},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, Reason: pod.Status.Reason, Message: pod.Status.Message, StartTime: pod.Status.StartTime,
			Conditions: pod.Status.Conditions, InitContainerStatuses: slimStatuses(pod.Status.InitContainerStatuses),
			ContainerStatuses: slimStatuses(pod.Status.ContainerStatuses),
		},
	}
	slim.OwnerReferences, slim.Finalizers = pod.OwnerReferences, pod.Finalizers
	if hash, ok := pod.Labels[templateHash]; ok {
		slim.Labels = map[string]string{templateHash: hash}
	}
	if static, ok := pod.Annotations[corev1.MirrorPodAnnotationKey]; ok {
		slim.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: static}
	}
	for i := range pod.Spec.Volumes {
		if pod.Spec.Volumes[i].PersistentVolumeClaim != nil || pod.Spec.Volumes[i].Ephemeral != nil {
			slim.Spec.Volumes = append(slim.Spec.Volumes, pod.Spec.Volumes[i])
		}
	}
	return slim
}

// templateHash is the label that a Deployment's controller puts on ReplicaSets and their pods; the ReplicaSet's name ends
// with its value.
const templateHash = "pod-template-hash"

func slimMeta(meta *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: intern(meta.Namespace), Name: meta.Name, UID: meta.UID, ResourceVersion: meta.ResourceVersion,
		CreationTimestamp: meta.CreationTimestamp, DeletionTimestamp: meta.DeletionTimestamp,
	}
}

func slimContainers(containers []corev1.Container) []corev1.Container {
	if len(containers) == 0 {
		return nil
	}
	slim := make([]corev1.Container, len(containers))
	for i := range containers {
		c := &containers[i]
		slim[i] = corev1.Container{
			Name: intern(c.Name), Image: intern(c.Image), RestartPolicy: c.RestartPolicy, RestartPolicyRules: c.RestartPolicyRules,
			ReadinessProbe: slimProbe(c.ReadinessProbe), StartupProbe: slimProbe(c.StartupProbe),
		}
	}
	return slim
}

func slimProbe(probe *corev1.Probe) *corev1.Probe {
	if probe == nil {
		return nil
	}
	return &corev1.Probe{
		InitialDelaySeconds: probe.InitialDelaySeconds, PeriodSeconds: probe.PeriodSeconds, FailureThreshold: probe.FailureThreshold,
	}
}

func slimStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	if len(statuses) == 0 {
		return nil
	}
	slim := make([]corev1.ContainerStatus, len(statuses))
	for i := range statuses {
		s := &statuses[i]
		slim[i] = corev1.ContainerStatus{
			Name: intern(s.Name), State: s.State, LastTerminationState: s.LastTerminationState, Ready: s.Ready,
			RestartCount: s.RestartCount, ImageID: intern(s.ImageID), Started: s.Started,
		}
	}
	return slim
}

// eventTransform keeps of an event what the classifier reads, and of one that can tell nothing only its existence.
func eventTransform(object any) (any, error) {
	event, ok := object.(*corev1.Event)
	if !ok {
		return object, nil
	}
	if !classify.EventMatters(event.InvolvedObject.Kind, event.Reason) {
		return &stub{identityOf(event)}, nil
	}
	return &corev1.Event{
		ObjectMeta: slimMeta(&event.ObjectMeta),
		InvolvedObject: corev1.ObjectReference{
			Kind: intern(event.InvolvedObject.Kind), Namespace: intern(event.InvolvedObject.Namespace), Name: intern(event.InvolvedObject.Name),
			UID: event.InvolvedObject.UID, FieldPath: intern(event.InvolvedObject.FieldPath),
		},
		Reason: intern(event.Reason), Message: event.Message, FirstTimestamp: event.FirstTimestamp, LastTimestamp: event.LastTimestamp,
		EventTime: event.EventTime, Series: event.Series, Count: event.Count, Type: event.Type,
	}, nil
}

func controllerTransform(object any) (any, error) {
	c, ok := classify.ControllerOf(object)
	if !ok {
		return object, nil
	}
	meta, ok := object.(metav1.Object)
	if !ok {
		return object, nil
	}
	small := &controller{identity: identityOf(meta), Controller: c}
	small.Controller.Namespace, small.OwnerKind, small.OwnerName = small.namespace, intern(c.OwnerKind), intern(c.OwnerName)
	return small, nil
}

func nodeTransform(object any) (any, error) {
	n, ok := object.(*corev1.Node)
	if !ok {
		return object, nil
	}
	return &node{identity: identityOf(n), Node: classify.NodeOf(n)}, nil
}

func quotaTransform(object any) (any, error) {
	quota, ok := object.(*corev1.ResourceQuota)
	if !ok {
		return object, nil
	}
	return &corev1.ResourceQuota{
		ObjectMeta: slimMeta(&quota.ObjectMeta),
		Status:     corev1.ResourceQuotaStatus{Hard: maps.Clone(quota.Status.Hard), Used: maps.Clone(quota.Status.Used)},
	}, nil
}

// intern lets equal strings share their bytes: thousands of pods have the same few namespaces, nodes and owners.
func intern(s string) string {
	if s == "" {
		return ""
	}
	return unique.Make(s).Value()
}
