package scale

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Of every hundred pods one fails; a ReplicaSet has twenty, a namespace a thousand, a node a hundred.
const (
	failingEvery     = 100
	podsOfReplicaSet = 20
	podsOfNamespace  = 1000
	podsOfNode       = 100
)

func namespaceOf(i int) string  { return fmt.Sprintf("team-%03d", i/podsOfNamespace) }
func replicaSetOf(i int) string { return fmt.Sprintf("service-%05d-6f947d4dbc", i/podsOfReplicaSet) }
func nodeOf(i int) string       { return fmt.Sprintf("worker-%04d", i/podsOfNode) }

// deploymentAndReplicaSet are those above the pods from i on.
func deploymentAndReplicaSet(i int) (*appsv1.Deployment, *appsv1.ReplicaSet) {
	name := fmt.Sprintf("service-%05d", i/podsOfReplicaSet)
	replicas, yes := int32(podsOfReplicaSet), true
	labels := map[string]string{"app": name}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespaceOf(i), Labels: labels},
		Spec:       appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template(labels)},
	}
	replicaSet := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name: replicaSetOf(i), Namespace: namespaceOf(i), Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "Deployment", Name: name, UID: types.UID("deployment-" + name), Controller: &yes,
			}},
		},
		Spec: appsv1.ReplicaSetSpec{Replicas: &replicas, Selector: selector, Template: template(labels)},
	}
	return deployment, replicaSet
}

// template is as large as those of real services: settings, probes, limits, volumes and a sidecar.
func template(labels map[string]string) corev1.PodTemplateSpec {
	app := corev1.Container{
		Name: "app", Image: "registry.example.com/team/service:v1.42.7",
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {Name: "metrics", ContainerPort: 9090}},
		Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("128Mi")},
			Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("256Mi")},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/etc/service"}, {Name: "tmp", MountPath: "/tmp"}},
	}
	for i := range 25 {
		app.Env = append(app.Env, corev1.EnvVar{Name: fmt.Sprintf("SERVICE_SETTING_%02d", i), Value: "https://other.example.svc.cluster.local:8443/v1"})
	}
	sidecar := *app.DeepCopy()
	sidecar.Name, sidecar.Image, sidecar.Ports = "proxy", "registry.example.com/mesh/proxy:1.29.1", nil
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"checksum/config": "0f343b0931126a20f133d67c2b018a3b0f343b09"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{app, sidecar},
			Volumes: []corev1.Volume{
				{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
					LocalObjectReference: corev1.LocalObjectReference{Name: "service"},
				}}},
				{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
			},
		},
	}
}

// pod is the i-th pod as its ReplicaSet makes it and the scheduler binds it.
func pod(i int) *corev1.Pod {
	yes := true
	owner := replicaSetOf(i)
	from := template(map[string]string{"app": fmt.Sprintf("service-%05d", i/podsOfReplicaSet), "pod-template-hash": "6f947d4dbc"})
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s-%05d", owner, i), Namespace: namespaceOf(i), Labels: from.Labels, Annotations: from.Annotations,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "apps/v1", Kind: "ReplicaSet", Name: owner, UID: types.UID("replicaset-" + owner), Controller: &yes, BlockOwnerDeletion: &yes,
			}},
		},
		Spec: from.Spec,
	}
	p.Spec.NodeName = nodeOf(i)
	return p
}

// status is what the kubelet says of the i-th pod.
func status(p *corev1.Pod, i int, now time.Time) corev1.PodStatus {
	at := metav1.NewTime(now.Add(-time.Hour).Truncate(time.Second))
	condition := func(kind corev1.PodConditionType, ready bool) corev1.PodCondition {
		c := corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: at}
		if !ready {
			c.Status, c.Reason, c.Message = corev1.ConditionFalse, "ContainersNotReady", "containers with unready status: [app]"
		}
		return c
	}
	fails := i%failingEvery == 0
	s := corev1.PodStatus{
		Phase: corev1.PodRunning, QOSClass: corev1.PodQOSBurstable, StartTime: &at, HostIP: "10.0.0.1", PodIP: "10.1.2.3",
		HostIPs: []corev1.HostIP{{IP: "10.0.0.1"}}, PodIPs: []corev1.PodIP{{IP: "10.1.2.3"}},
		Conditions: []corev1.PodCondition{
			condition(corev1.PodReadyToStartContainers, true), condition(corev1.PodInitialized, true), condition(corev1.PodReady, !fails),
			condition(corev1.ContainersReady, !fails), condition(corev1.PodScheduled, true),
		},
	}
	for n := range p.Spec.Containers {
		container := &p.Spec.Containers[n]
		yes := true
		cs := corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Ready: true, Started: &yes,
			ImageID:     container.Image + "@sha256:9b2a3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809",
			ContainerID: fmt.Sprintf("containerd://%064d", i), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: at}},
		}
		if fails && n == 0 {
			fail(&cs, i, at)
		}
		s.ContainerStatuses = append(s.ContainerStatuses, cs)
	}
	return s
}

// fail makes every other failing container one that cannot be pulled, the rest one that is out of memory again and again.
func fail(cs *corev1.ContainerStatus, i int, at metav1.Time) {
	no := false
	cs.Ready, cs.Started = false, &no
	if i%(2*failingEvery) == 0 {
		cs.ImageID, cs.ContainerID = "", ""
		cs.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: fmt.Sprintf(
			`Back-off pulling image %[1]q: ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image %[1]q: `+
				`failed to resolve reference %[1]q: %[1]s: not found`, cs.Image)}}
		return
	}
	cs.RestartCount = 12
	cs.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
		Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container=app",
	}}
	cs.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "OOMKilled", StartedAt: at, FinishedAt: at, ContainerID: cs.ContainerID,
	}}
}
