package classify

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestCreating(t *testing.T) {
	creating := func(edits ...edit) *corev1.Pod {
		return newPod(append(edits, web(waiting("ContainerCreating", "")))...)
	}
	sandbox := condition("PodReadyToStartContainers", corev1.ConditionTrue, "", 2*second)
	secret := func(at time.Duration) *corev1.Event {
		return podEvent("FailedMount", `MountVolume.SetUp failed for volume "s" : secret "no-such-secret" not found`, at)
	}
	summary := func(at time.Duration) *corev1.Event {
		return podEvent("FailedMount", `Unable to attach or mount volumes: unmounted volumes=[s], unattached volumes=[s]: timed out waiting for the condition`, at)
	}
	race := podEvent("FailedMount", `MountVolume.SetUp failed for volume "kube-api-access" : object "apps"/"kube-root-ca.crt" not registered`, 5*second)
	open := []Stage{{"", FamilyVolume}}
	missing := []string{"- volume/FailedMount/SecretMissing"}
	runPodCases(t, []podCase{
		{name: "just begun", at: 10 * second, pod: creating(), recheck: 31 * second, open: open},
		{name: "a warning within the grace", at: 30 * second, pod: creating(), events: []*corev1.Event{secret(5 * second)}, recheck: 31 * second, open: open},
		{name: "a warning after the grace", at: 40 * second, pod: creating(), events: []*corev1.Event{secret(5 * second)}, want: missing, since: second, recheck: 10*minute + second},
		{name: "a warning in a single look", once: true, at: 10 * second, pod: creating(), events: []*corev1.Event{secret(5 * second)}, want: missing},
		{
			name: "an old warning may have healed", at: 20 * minute, pod: creating(), events: []*corev1.Event{secret(5 * second)},
			want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"},
		},
		{
			name: "an old warning holds while there is no sandbox", at: 20 * minute, events: []*corev1.Event{secret(5 * second)}, want: missing,
			pod: creating(condition("PodReadyToStartContainers", corev1.ConditionFalse, "", 2*second)),
		},
		{name: "a race that heals by itself", at: 5 * minute, pod: creating(), events: []*corev1.Event{race}},
		{name: "a summary yields to what it sums up", at: 5 * minute, pod: creating(), events: []*corev1.Event{summary(4 * minute), secret(3 * minute)}, want: missing},
		{name: "a summary alone", at: 5 * minute, pod: creating(), events: []*corev1.Event{summary(4 * minute)}, want: []string{"- volume/FailedMount/VolumeMountFailed"}},
		{
			name: "the newest of two counts", at: 5 * minute, pod: creating(), want: []string{"- volume/FailedAttachVolume/VolumeMultiAttach"},
			events: []*corev1.Event{secret(2 * minute), podEvent("FailedAttachVolume", `Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0`, 3*minute)},
		},
		{
			name: "network", at: 5 * minute, pod: creating(), want: []string{"- volume/CNINotReady/CNINotReady"},
			events: []*corev1.Event{podEvent("NetworkNotReady", "network is not ready: cni plugin not initialized", 4*minute)},
		},
		{
			name: "sandbox, in the words of an image pull", at: 5 * minute, pod: creating(), want: []string{"- volume/FailedCreatePodSandBox/SandboxCreateFailed"},
			events: []*corev1.Event{podEvent("FailedCreatePodSandBox", `Failed to create pod sandbox: failed to get sandbox image "pause:3": failed to pull image: no such host`, 4*minute)},
		},
		{name: "the sandbox is ready: old warnings are history", at: 5 * minute, pod: creating(sandbox), events: []*corev1.Event{secret(5 * second)}},
		{name: "nothing for ten minutes", at: 10*minute + second, pod: creating(), want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"}},
		{
			name: "nothing for ten minutes, the sandbox is ready", at: 11 * minute, pod: creating(sandbox), want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"},
			message: "the pod's sandbox is ready and no container has begun: often a pull that does not end",
		},
		{
			name: "an init container has ended well, the next one is being pulled", at: 15 * minute,
			pod: newPod(sandbox, initContainer("setup", false, terminated(exit(0, "Completed", 2*second, 14*minute))), web(waiting("PodInitializing", ""))),
		},
		{
			name: "an init container has ended well, and nothing for ten minutes since", at: 25 * minute, want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"},
			pod: newPod(sandbox, initContainer("setup", false, terminated(exit(0, "Completed", 2*second, 14*minute))), web(waiting("PodInitializing", ""))), since: 14 * minute,
		},
		{
			name: "an init container has ended well: a warning from before it is history", at: 2 * minute, events: []*corev1.Event{secret(5 * second)},
			pod: newPod(initContainer("setup", false, terminated(exit(0, "Completed", 20*second, minute))), web(waiting("PodInitializing", ""))),
		},
		{
			name: "a sidecar runs, and the container after it does not begin", at: 13 * minute, since: second,
			pod:  newPod(sandbox, initContainer("proxy", true, running(2*minute, true)), web(waiting("PodInitializing", ""))),
			want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"}, message: "container web has not begun beside those that run: often a pull that does not end",
		},
		{
			name: "a sidecar has run for less than that", at: 11 * minute, recheck: 12 * minute,
			pod: newPod(sandbox, initContainer("proxy", true, running(2*minute, true)), web(waiting("PodInitializing", ""))),
		},
		{
			name: "a sidecar that has not started holds the others up", at: time.Hour,
			pod: newPod(sandbox, initContainer("proxy", true, starting(running(2*minute, false))), web(waiting("PodInitializing", ""))), want: []string{"proxy probe/Unhealthy/ProbeFailed"},
		},
		{
			name: "an init container that runs holds the others up", at: time.Hour,
			pod: newPod(sandbox, initContainer("setup", false, running(2*minute, false)), web(waiting("PodInitializing", ""))),
		},
		{
			name: "another container runs, and was started again since", at: 13 * minute, since: second, want: []string{"- volume/ContainerCreating/ContainerCreatingTimeout"},
			pod: newPod(sandbox, func(pod *corev1.Pod) {
				pod.Spec.Containers = append([]corev1.Container{{Name: "log", Image: "r.example/shop/log:1"}}, pod.Spec.Containers...)
			}, statusFor("log", after(running(12*minute, true), 1, exit(1, "Error", 2*minute, 12*minute))), web(waiting("ContainerCreating", ""))),
		},
		{name: "scheduled late: the time counts from there", at: time.Hour, pod: creating(condition(corev1.PodScheduled, corev1.ConditionTrue, "", 59*minute+50*second)), recheck: time.Hour + 20*second},
	})
}
