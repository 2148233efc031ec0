package e2e

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// familiesOf are the families that one of the kubelet's waiting reasons may belong to.
func familiesOf(reason string) []classify.Family {
	switch reason {
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable":
		return []classify.Family{classify.FamilyImage}
	case "CreateContainerConfigError", "CreateContainerError":
		return []classify.Family{classify.FamilyConfig, classify.FamilyStart}
	case "RunContainerError", "StartError", "PostStartHookError", "CrashLoopBackOff":
		return []classify.Family{classify.FamilyStart, classify.FamilyCrash}
	}
	return nil
}

func (t *Truth) sawPod(pod *corev1.Pod, now time.Time) {
	whole := subject{pod.Namespace, "Pod", pod.Name, ""}
	if pod.DeletionTimestamp == nil {
		delete(t.gone, whole)
	}
	condition := conditionOf(pod, corev1.PodScheduled)
	switch {
	case condition == nil:
		t.prove(whole, pod.CreationTimestamp.Add(t.times.CreatingTimeout), classify.FamilySchedule)
	case condition.Status == corev1.ConditionTrue:
		t.mend(whole, now, classify.FamilySchedule)
	case condition.Reason == corev1.PodReasonSchedulingGated:
		t.prove(whole, now, classify.FamilySchedule)
	default:
		delete(t.due, proof{whole, classify.FamilySchedule})
		t.prove(whole, condition.LastTransitionTime.Add(t.times.SchedulingGrace), classify.FamilySchedule)
	}
	if pod.Status.Phase == corev1.PodFailed {
		t.prove(whole, now, classify.FamilyPod)
	}
	if pod.DeletionTimestamp != nil {
		if t.gone[whole].IsZero() {
			t.gone[whole] = now // who is asked to go need not be well any more
		}
		// The kubelet's own, last deletion moves the time to when the containers had ended, where that took longer than it was to.
		if p := (proof{whole, classify.FamilyPod}); t.due[p].After(now) {
			delete(t.due, p)
		}
		t.prove(whole, pod.DeletionTimestamp.Add(t.times.TerminatingGrace), classify.FamilyPod)
	}
	if ready := conditionOf(pod, corev1.PodReady); ready != nil && ready.Reason == "ReadinessGatesNotReady" {
		began := later(ready.LastTransitionTime.Time, since(pod, corev1.ContainersReady))
		delete(t.due, proof{whole, classify.FamilyProbe})
		t.prove(whole, began.Add(t.times.ReadinessGrace), classify.FamilyProbe)
	}
	for i, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		statuses := pod.Status.InitContainerStatuses
		if i == 1 {
			statuses = pod.Status.ContainerStatuses
		}
		for j := range statuses {
			k := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == statuses[j].Name })
			if k >= 0 {
				t.sawContainer(pod, &containers[k], &statuses[j], now)
			}
		}
	}
}

func (t *Truth) sawContainer(pod *corev1.Pod, container *corev1.Container, status *corev1.ContainerStatus, now time.Time) {
	s := subject{pod.Namespace, "Pod", pod.Name, container.Name}
	switch state := status.State; {
	case state.Waiting != nil:
		t.prove(s, now, familiesOf(state.Waiting.Reason)...)
	case state.Terminated != nil:
		again := status.RestartCount > 0 || pod.Spec.RestartPolicy == corev1.RestartPolicyNever
		if again && state.Terminated.ExitCode != 0 || state.Terminated.Reason == "StartError" {
			t.prove(s, now, classify.FamilyStart, classify.FamilyCrash)
		}
	case state.Running != nil:
		t.sawRunning(pod, container, status, now)
	}
	if state := status.State; state.Running != nil || state.Terminated != nil && state.Terminated.ExitCode == 0 {
		whole := s
		whole.Container = ""
		t.mend(s, now, classify.FamilyImage, classify.FamilyConfig)
		t.mend(whole, now, classify.FamilyVolume)
	}
}

func (t *Truth) sawRunning(pod *corev1.Pod, container *corev1.Container, status *corev1.ContainerStatus, now time.Time) {
	s := subject{pod.Namespace, "Pod", pod.Name, container.Name}
	if status.Ready {
		t.mend(s, now, classify.FamilyProbe)
	}
	if status.RestartCount > 0 {
		// Each run begins anew: only the last one may last.
		held := status.State.Running.StartedAt.Add(t.times.CrashHold)
		for _, family := range []classify.Family{classify.FamilyCrash, classify.FamilyStart} {
			t.mended[proof{s, family}] = held
		}
	}
	if status.Ready || container.ReadinessProbe == nil {
		return
	}
	probe := container.ReadinessProbe
	budget := time.Duration(probe.InitialDelaySeconds+probe.PeriodSeconds*probe.FailureThreshold) * time.Second
	began := later(status.State.Running.StartedAt.Time, since(pod, corev1.PodReady))
	t.prove(s, began.Add(max(budget, t.times.ReadinessGrace)), classify.FamilyProbe)
}

func conditionOf(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// since is when a condition took its status, zero where there is none.
func since(pod *corev1.Pod, kind corev1.PodConditionType) time.Time {
	if condition := conditionOf(pod, kind); condition != nil {
		return condition.LastTransitionTime.Time
	}
	return time.Time{}
}
