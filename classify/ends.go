package classify

import corev1 "k8s.io/api/core/v1"

// Ends counts how often a container has ended so far: once for each restart, and once more where it does not run now.
// It never falls while the container's pod lives, so that ends between two looks count too.
func Ends(status *corev1.ContainerStatus) int32 {
	ended := status.State.Terminated != nil || status.LastTerminationState.Terminated != nil
	if status.State.Running == nil && ended {
		return status.RestartCount + 1
	}
	return status.RestartCount
}

// LastEnd tells the cause of a container's last end; ok is false for an end that was asked for or that is how such a
// container should end.
func (c *Classifier) LastEnd(in PodInput, containerName string) (cause Cause, ok bool) {
	if in.Pod.DeletionTimestamp != nil {
		return "", false
	}
	p := walk(in)
	for i := range p.containers {
		ctr := &p.containers[i]
		if ctr.spec.Name != containerName || ctr.status == nil {
			continue
		}
		t := ctr.ended()
		if t == nil || t.ExitCode == 0 && !ctr.mustRun && t.Reason != "OOMKilled" {
			return "", false
		}
		if in.Pod.Status.Phase == corev1.PodFailed {
			if f, told := c.ofStatus(p); told {
				return f.Cause, true
			}
		}
		cause, _, _ = c.tellEnd(ended{state: t, events: ctr.events, mustRun: ctr.mustRun})
		return cause, true
	}
	return "", false
}

// EventMatters says that an event can tell something to a classifier: most kinds and reasons cannot, and need not be kept.
func EventMatters(kind, reason string) bool {
	switch kind {
	case "Pod":
		return eventFamily(reason) != "" || reason == "FailedKillPod" // which says why a deleted pod stays, and nothing of any other
	case "ReplicaSet", "StatefulSet", "DaemonSet", "Job":
		return reason == "FailedCreate"
	}
	return false
}
