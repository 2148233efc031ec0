package collector

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// end is a number of ends of one container between two states of its pod.
type end struct {
	container string
	count     int32
}

// endsBetween compares a pod with what was known of it before (nil: it is new). Ends are counted by restart counts, so
// that those between two watch events, or while the watch was broken, count too, unless the pod has been fine for longer than the
// crash hold when it is seen again: of such a pod no end is kept that could tell a cause. It allocates only where there are any.
func endsBetween(before any, pod *corev1.Pod) []end {
	var ends []end
	eachStatus(pod, func(status *corev1.ContainerStatus) {
		if n := classify.Ends(status) - endsBefore(before, status.Name, string(pod.UID)); n > 0 {
			ends = append(ends, end{container: status.Name, count: n})
		}
	})
	return ends
}

func endsBefore(before any, container, uid string) int32 {
	switch old := before.(type) {
	case *quietPod:
		if string(old.uid) != uid {
			return 0
		}
		for i := range old.containers {
			if old.containers[i].name == container {
				return old.containers[i].ends
			}
		}
	case *corev1.Pod:
		if string(old.UID) != uid {
			return 0
		}
		count := int32(0)
		eachStatus(old, func(status *corev1.ContainerStatus) {
			if status.Name == container {
				count = classify.Ends(status)
			}
		})
		return count
	}
	return 0
}

// countEnds adds the ends of a pod's containers to the counter. Where several ends came at once, the cause of the last
// is taken for all: the API keeps no other.
func (e *engine) countEnds(pod *corev1.Pod, ends []end, now time.Time, add func(labels [5]string, n int32)) {
	in := e.podInput(pod, now)
	kind, name := e.store.podWorkload(pod)
	for _, end := range ends {
		if cause, ok := e.classifier.LastEnd(in, end.container); ok {
			add([5]string{pod.Namespace, kind, name, end.container, string(cause)}, end.count)
		}
	}
}
