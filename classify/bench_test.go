package classify

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestQuietAllocates proves that a healthy pod costs no allocation: a large cluster has a hundred thousand of them, and
// each of their updates comes through here.
func TestQuietAllocates(t *testing.T) {
	c := New(DefaultOptions())
	for name, pod := range map[string]*corev1.Pod{
		"running":   healthyPod(),
		"sidecar":   healthyPod(initContainer("proxy", true, running(second, true))),
		"completed": newPod(phase(corev1.PodSucceeded, "", "")),
	} {
		in := PodInput{Pod: pod, Now: clock(minute)}
		if n := testing.AllocsPerRun(100, func() { c.Pod(in) }); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

func BenchmarkQuiet(b *testing.B) {
	c, in := New(DefaultOptions()), PodInput{Pod: healthyPod(), Now: clock(minute)}
	b.ReportAllocs()
	for b.Loop() {
		c.Pod(in)
	}
}

func BenchmarkPod(b *testing.B) {
	refused := event("Unhealthy", "Readiness probe failed: dial tcp 10.0.0.4:8080: connect: connection refused", 4*minute)
	secret := podEvent("FailedMount", `MountVolume.SetUp failed for volume "s" : secret "no-such-secret" not found`, 4*minute)
	for _, bc := range []struct {
		family Family
		pod    *corev1.Pod
		events []*corev1.Event
	}{
		{FamilySchedule, unschedulable("0/6 nodes are available: 2 Insufficient memory, 4 Insufficient cpu. preemption: 0/6 nodes are available: 6 No preemption victims found."), nil},
		{FamilyVolume, newPod(web(waiting("ContainerCreating", ""))), []*corev1.Event{secret}},
		{FamilyImage, newPod(web(waiting("ImagePullBackOff", backOff+": ErrImagePull: "+notFound))), nil},
		{FamilyConfig, newPod(web(waiting("CreateContainerConfigError", `secret "api" not found`))), nil},
		{FamilyStart, newPod(web(waiting("RunContainerError", `exec: "/run.sh": permission denied: unknown`))), nil},
		{FamilyCrash, runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, exit(1, "Error", minute, 2*minute)))), nil},
		{FamilyProbe, runningPod(web(running(minute, false))), []*corev1.Event{refused}},
		{FamilyPod, evictedPod(), nil},
	} {
		b.Run(string(bc.family), func(b *testing.B) {
			c, in := New(DefaultOptions()), PodInput{Pod: bc.pod, Events: bc.events, Now: clock(10 * minute)}
			if v := c.Pod(in); len(v.Failures) != 1 || v.Failures[0].Family != bc.family {
				b.Fatalf("got %v, want one of family %s", told(v), bc.family)
			}
			b.ReportAllocs()
			for b.Loop() {
				c.Pod(in)
			}
		})
	}
}

// BenchmarkLoop is a failure with all the events that one shows.
func BenchmarkLoop(b *testing.B) {
	in := PodInput{
		Pod: runningPod(web(after(waiting("CrashLoopBackOff", ""), 3, exit(137, "Error", 3*minute, 4*minute)))), Now: clock(10 * minute),
		Events: []*corev1.Event{
			event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 3*minute),
			event("Killing", "Container web failed liveness probe, will be restarted", 4*minute),
			event("BackOff", "Back-off restarting failed container web in pod web-1_apps(u1)", 5*minute),
		},
	}
	c := New(DefaultOptions())
	if v := c.Pod(in); len(v.Failures) != 1 || v.Failures[0].Cause != LivenessProbeFailed {
		b.Fatalf("got %v", told(v))
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Pod(in)
	}
}

func BenchmarkController(b *testing.B) {
	c, in := New(DefaultOptions()), ControllerInput{Controller: short("ReplicaSet", replicaFailure(overQuota, minute)), Now: clock(2 * minute)}
	b.ReportAllocs()
	for b.Loop() {
		c.Controller(in)
	}
}
