package collector

import (
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestReadyPods proves that a pod which is ready and fails is taken off what its controller counts, and that one which the
// controller does not count is not taken off once more.
func TestReadyPods(t *testing.T) {
	const three = int32(3)
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "web"}
	replicas, ready := three, three
	loops := func(pod *corev1.Pod) {
		now := metav1.Now()
		pod.Status.ContainerStatuses[0].RestartCount, pod.Status.ContainerStatuses[0].State.Running.StartedAt = 3, now
		pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, StartedAt: now, FinishedAt: now}
	}
	stays := func(pod *corev1.Pod) { pod.DeletionTimestamp = &metav1.Time{Time: time.Now().Add(-time.Hour)} }
	replicaSet := &appsv1.ReplicaSet{
		ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: &replicas}, Status: appsv1.ReplicaSetStatus{Replicas: three, ReadyReplicas: three},
	}
	statefulSet := &appsv1.StatefulSet{
		ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Replicas: &replicas}, Status: appsv1.StatefulSetStatus{Replicas: three, ReadyReplicas: three},
	}
	daemonSet := &appsv1.DaemonSet{
		ObjectMeta: meta, Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: three, CurrentNumberScheduled: three, NumberReady: three},
	}
	job := &batchv1.Job{ObjectMeta: meta, Spec: batchv1.JobSpec{Parallelism: &replicas}, Status: batchv1.JobStatus{Active: three, Ready: &ready}}
	for name, test := range map[string]struct {
		owner runtime.Object
		fails func(*corev1.Pod)
		want  classify.Pods
	}{
		"ReplicaSet, between two crashes":  {replicaSet, loops, classify.Pods{Desired: 3, Ready: 2}},
		"ReplicaSet, deleted and stays":    {replicaSet, stays, classify.Pods{Desired: 3, Ready: 3}},
		"StatefulSet, between two crashes": {statefulSet, loops, classify.Pods{Desired: 3, Ready: 2}},
		"StatefulSet, deleted and stays":   {statefulSet, stays, classify.Pods{Desired: 3, Ready: 2}},
		"DaemonSet, deleted and stays":     {daemonSet, stays, classify.Pods{Desired: 3, Ready: 2}},
		"Job, deleted and stays":           {job, stays, classify.Pods{Desired: 3, Ready: 3}},
		"a pod alone, deleted and stays":   {nil, stays, classify.Pods{Desired: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			pod := costPod(1, false)
			pod.Namespace, pod.Name, pod.OwnerReferences, pod.Labels = "shop", "web-1", nil, nil
			w := classify.Workload{Namespace: "shop", Kind: "Pod", Name: "web-1"}
			objects := []runtime.Object{pod}
			if test.owner != nil {
				yes := true
				w.Kind, w.Name = kindOf(test.owner), "web"
				pod.OwnerReferences = []metav1.OwnerReference{{Kind: w.Kind, Name: w.Name, Controller: &yes}}
				objects = append(objects, test.owner)
			}
			test.fails(pod)
			s := startReady(t, newFakeCluster(objects...)).Snapshot()
			if got, known := s.Workloads[w]; !known || got != test.want {
				t.Errorf("%v has %+v (known: %t), want %+v; failures: %v", w, got, known, test.want, s.Failures)
			}
		})
	}
}
