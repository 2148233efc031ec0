package classify

// OtherReason stands for any word that Reason does not know, so that the label stays a closed list.
const OtherReason = "Other"

// Reasons returns every value that a failure's reason can have, without those of one family twice.
func Reasons() []string {
	return []string{
		"CNINotReady", "ContainerCreating", "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError",
		"DeadlineExceeded", "ErrImageNeverPull", "Error", "Evicted", "FailedAttachVolume", "FailedCreate", "FailedCreatePodSandBox",
		"FailedMount", "ImageInspectError", "ImagePullBackOff", "InvalidImageName", "NodeAdmission", "NodeLost", "NodeShutdown",
		"OOMKilled", "Preempted", "ProgressDeadlineExceeded", "ReadinessGatesNotReady", "RunContainerError", "SchedulingGated",
		"StartError", "TaintManagerEviction", "Terminating", "Unhealthy", "Unschedulable", OtherReason,
	}
}

// imageReason folds the two words between which the kubelet changes at every attempt into one (rule S1).
func imageReason(reason string) string {
	switch reason {
	case "InvalidImageName", "ErrImageNeverPull", "ImageInspectError":
		return reason
	case "InspectFailed":
		return "InvalidImageName"
	}
	return "ImagePullBackOff" // ErrImagePull, RegistryUnavailable, SignatureValidationFailed
}

// podReason folds the many words for a pod that failed as a whole.
func podReason(cause Cause, reason string) string {
	switch cause {
	case NodeMemoryPressure, NodeDiskPressure, NodePIDPressure, EphemeralStorageExceeded:
		return "Evicted"
	case NodeShutdown, NodeLost, Preempted, DeadlineExceeded:
		return string(cause)
	case TaintEvicted:
		return "TaintManagerEviction"
	case NodeAdmissionRejected:
		if reason == "Evicted" {
			return reason
		}
		return "NodeAdmission"
	case StuckTerminating:
		return "Terminating"
	}
	return OtherReason
}
