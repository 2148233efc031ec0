package classify

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func TestCrashLoop(t *testing.T) {
	failed := func(from, to time.Duration) *corev1.ContainerStateTerminated { return exit(1, "Error", from, to) }
	backOffRestart := repeated(event("BackOff", "Back-off restarting failed container web in pod web-1_apps(u1)", 9*minute), 3*minute)
	crashing := waiting("CrashLoopBackOff", "back-off 40s restarting failed container=web pod=web-1_apps(u1)")
	loop := []string{"web crash/CrashLoopBackOff/AppError"}
	runPodCases(t, []podCase{
		{
			name: "first end is nothing yet", at: 2 * minute, pod: runningPod(web(terminated(failed(minute, 2*minute)))),
			open: []Stage{{"web", FamilyCrash}},
		},
		{
			name: "first end, in a single look", once: true, at: 2 * minute, pod: runningPod(web(terminated(failed(minute, 2*minute)))), want: loop,
		},
		{
			name: "runs again after its first end", at: 3 * minute, pod: runningPod(web(after(running(2*minute, true), 1, failed(minute, 2*minute)))),
			recheck: 12 * minute,
		},
		{
			name: "second end within ten minutes", at: 4 * minute,
			pod: runningPod(web(after(terminated(failed(2*minute, 4*minute)), 1, failed(minute, 2*minute)))), want: loop,
		},
		{
			name: "second end after half an hour", at: 32 * minute,
			pod: runningPod(web(after(terminated(failed(2*minute, 32*minute)), 1, failed(minute, 2*minute)))),
		},
		{
			name: "back-off", at: 5 * minute, pod: runningPod(web(after(crashing, 2, failed(3*minute, 4*minute)))), want: loop, message: "exit code 1", since: 4 * minute,
		},
		{
			name: "back-off is dated by its event's first time", at: 9 * minute, pod: runningPod(web(after(crashing, 5, failed(7*minute, 8*minute)))),
			events: []*corev1.Event{backOffRestart}, want: loop, since: 3 * minute,
		},
		{
			name: "runs between two crashes", at: 6 * minute, pod: runningPod(web(after(running(5*minute, false), 3, failed(3*minute, 4*minute)))),
			want: loop, recheck: 15 * minute,
		},
		{
			name: "ready between two crashes", at: 6 * minute,
			pod: healthyPod(func(p *corev1.Pod) {
				p.Status.ContainerStatuses[0] = named("web", after(running(5*minute, true), 3, failed(3*minute, 4*minute)))
			}),
			want: loop,
		},
		{
			name: "has run for ten minutes", at: 15 * minute, pod: healthyPod(func(p *corev1.Pod) {
				p.Status.ContainerStatuses[0] = named("web", after(running(5*minute, true), 3, failed(3*minute, 4*minute)))
			}),
		},
		{
			name: "one crash after months of running, with many older restarts", at: 50*time.Hour + minute,
			pod: runningPod(web(after(running(50*time.Hour, true), 7, failed(minute, 50*time.Hour)))),
		},
		{
			name: "back-off without a last end", at: 5 * minute, pod: runningPod(web(crashing)),
			want: []string{"web crash/CrashLoopBackOff/ContainerStatusUnknown"},
		},
		{
			name: "back-off without a last end, an event says why", at: 5 * minute, pod: runningPod(web(crashing)),
			events: []*corev1.Event{event("Failed", `Error: failed to start container "web": exec: "app": executable file not found in $PATH: unknown`, 4*minute)},
			want:   []string{"web start/StartError/CommandNotFound"},
		},
	})
}

func named(name string, status corev1.ContainerStatus) corev1.ContainerStatus {
	status.Name = name
	return status
}

func TestEndOfContainer(t *testing.T) {
	crash := func(last *corev1.ContainerStateTerminated) *corev1.Pod {
		return runningPod(web(after(waiting("CrashLoopBackOff", "back-off 10s"), 2, last)))
	}
	want := func(cause Cause) []string { return []string{"web crash/CrashLoopBackOff/" + string(cause)} }
	for _, tc := range []struct {
		name string
		last *corev1.ContainerStateTerminated
		want Cause
	}{
		{"out of memory, exit 137", exit(137, "OOMKilled", minute, 2*minute), OOMKilled},
		{"out of memory, a child was killed and the process gave up", exit(1, "OOMKilled", minute, 2*minute), OOMKilled},
		{"out of memory, exit 0", exit(0, "OOMKilled", minute, 2*minute), OOMKilled},
		{"exit 137 alone is not said to be memory", exit(137, "Error", minute, 2*minute), Killed},
		{"exit 143", exit(143, "Error", minute, 2*minute), Terminated},
		{"exit 139", exit(139, "Error", minute, 2*minute), SegmentationFault},
		{"exit 134", exit(134, "Error", minute, 2*minute), Aborted},
		{"exit 127", exit(127, "Error", minute, 2*minute), CommandNotFound},
		{"exit 126", exit(126, "Error", minute, 2*minute), CommandNotExecutable},
		{"exit 1", exit(1, "Error", minute, 2*minute), AppError},
		{"exit 255", exit(255, "Error", minute, 2*minute), AppError},
		{"exit 0 of what must run", exit(0, "Completed", minute, 2*minute), UnexpectedExit},
		{"the kubelet lost sight of it", exit(137, "ContainerStatusUnknown", minute, 2*minute), ContainerStatusUnknown},
		{"last words: a file is missing", lastWords(1, "loading\nError: ENOENT: no such file or directory, open '/etc/app/config.yaml'"), AppFileMissing},
		{"last words: a folder may not be written", lastWords(1, "sh: can't create /data/x: Permission denied\n"), AppPermissionDenied},
		{"last words: the application's own affair", lastWords(1, "panic: index out of range"), AppError},
		{"last words that are not the last", lastWords(1, "open x: permission denied\n"+manyLines+"panic: boom"), AppError},
		{"last words: a warning about a file, then an error", lastWords(1, "[dotenv] ENOENT: no such file or directory, open '/app/.env'\nError: connect ECONNREFUSED 10.0.0.5:5432\n    at app.js:3"), AppError},
		{"last words: a warning about a folder, then an error", lastWords(1, "nginx: [warn] open() \"/var/log/x\" failed (13: Permission denied)\nnginx: [emerg] host not found in upstream \"api\""), AppError},
		{"last words: an error about a file and its trace", lastWords(1, "Error: ENOENT: no such file or directory, open '/etc/a'\n    at Object.open (node:fs:601:3) {\n  errno: -2,\n  code: 'ENOENT'\n}\n\nNode.js v22"), AppFileMissing},
		{"last words do not explain a signal", lastWords(137, "open /x: permission denied"), Killed},
		{"database's own permission", lastWords(1, "FATAL: pq: permission denied for table users"), AppError},
	} {
		runPodCases(t, []podCase{{name: tc.name, pod: crash(tc.last), at: 3 * minute, want: want(tc.want)}})
	}
	runPodCases(t, []podCase{
		{
			name: "the runtime's words in the container's output", at: 3 * minute, pod: crash(lastWords(1, "exec /app: exec format error")),
			want: []string{"web start/CrashLoopBackOff/ExecFormatError"},
		},
		{
			name: "start error", at: 3 * minute, want: []string{"web start/StartError/CommandNotFound"},
			pod: crash(&corev1.ContainerStateTerminated{
				ExitCode: 128, Reason: "StartError", StartedAt: stamp(minute), FinishedAt: stamp(2 * minute),
				Message: `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "app": executable file not found in $PATH: unknown`,
			}),
		},
	})
}

const manyLines = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n"

func TestKilledByProbe(t *testing.T) {
	crash := runningPod(web(after(waiting("CrashLoopBackOff", "back-off 10s"), 3, exit(137, "Error", 5*minute, 7*minute))))
	liveness := func(at time.Duration) *corev1.Event {
		return event("Killing", "Container web failed liveness probe, will be restarted", at)
	}
	said := event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 6*minute)
	want := []string{"web crash/CrashLoopBackOff/LivenessProbeFailed"}
	runPodCases(t, []podCase{
		{name: "liveness probe, and what it said", at: 8 * minute, pod: crash, events: []*corev1.Event{liveness(6 * minute), said}, want: want, message: said.Message},
		{
			name: "liveness probe of a static pod, which the kubelet knows by the hash of its file", at: 8 * minute, want: want,
			pod:    runningPod(mirror("0badcafe"), web(after(waiting("CrashLoopBackOff", "back-off 10s"), 3, exit(137, "Error", 5*minute, 7*minute)))),
			events: []*corev1.Event{about("0badcafe", liveness(6*minute))},
		},
		{
			name: "liveness probe of an earlier pod of that name", at: 8 * minute, want: []string{"web crash/CrashLoopBackOff/Killed"},
			pod:    runningPod(mirror("0badcafe"), web(after(waiting("CrashLoopBackOff", "back-off 10s"), 3, exit(137, "Error", 5*minute, 7*minute)))),
			events: []*corev1.Event{about("0therone", liveness(6*minute))},
		},
		{
			name: "startup probe", at: 8 * minute, pod: crash, events: []*corev1.Event{event("Killing", "Container web failed startup probe, will be restarted", 6*minute)},
			want: []string{"web crash/CrashLoopBackOff/StartupProbeFailed"},
		},
		{
			// The kubelet's events are rationed: of a long loop only the first kills have one.
			name: "an earlier run was killed, and this one ended by a signal too", at: 8 * minute, pod: crash, events: []*corev1.Event{liveness(2 * minute)}, want: want,
		},
		{
			name: "an earlier run was killed, this one gave up by itself", at: 8 * minute, events: []*corev1.Event{liveness(2 * minute)},
			pod:  runningPod(web(after(waiting("CrashLoopBackOff", "back-off 10s"), 3, exit(1, "Error", 5*minute, 7*minute)))),
			want: []string{"web crash/CrashLoopBackOff/AppError"},
		},
		{
			name: "killed for another reason", at: 8 * minute, pod: crash, events: []*corev1.Event{event("Killing", "Stopping container web", 6*minute)},
			want: []string{"web crash/CrashLoopBackOff/Killed"},
		},
		{
			name: "hook after start", at: 8 * minute, pod: crash, events: []*corev1.Event{event("FailedPostStartHook", "PostStartHook failed", 6*minute)},
			want: []string{"web start/CrashLoopBackOff/PostStartHookFailed"},
		},
	})
}

// TestKilledAgain is about the seconds between a kill and the end of what is killed.
func TestKilledAgain(t *testing.T) {
	again := event("Killing", "Container web failed liveness probe, will be restarted", 9*minute)
	runPodCases(t, []podCase{{
		// The event's last time is already the next kill's, while the status still has the end before.
		name: "the event has moved on", at: 9 * minute,
		pod:    runningPod(web(after(running(7*minute, false), 3, exit(143, "Error", 5*minute, 7*minute)))),
		events: []*corev1.Event{repeated(again, 3*minute)}, want: []string{"web crash/CrashLoopBackOff/LivenessProbeFailed"},
	}})
}

func TestKindsOfContainers(t *testing.T) {
	crashing := after(waiting("CrashLoopBackOff", "back-off 10s"), 3, exit(1, "Error", minute, 2*minute))
	done := terminated(exit(0, "Completed", 2*second, 3*second))
	runPodCases(t, []podCase{
		{
			name: "init container crashes", at: 3 * minute, pod: newPod(initContainer("setup", false, crashing), web(waiting("PodInitializing", ""))),
			want: []string{"setup crash/CrashLoopBackOff/AppError"},
		},
		{name: "init container has ended well", at: 3 * minute, pod: healthyPod(initContainer("setup", false, done))},
		{name: "init container runs for an hour", at: time.Hour, pod: newPod(initContainer("setup", false, running(minute, false)), web(waiting("PodInitializing", "")))},
		{
			name: "sidecar crashes", at: 3 * minute, pod: newPod(initContainer("proxy", true, crashing), web(waiting("PodInitializing", ""))),
			want: []string{"proxy crash/CrashLoopBackOff/AppError"},
		},
		{
			name: "sidecar that ends well must run", at: 3 * minute, pod: runningPod(web(running(minute, true)),
				initContainer("proxy", true, after(waiting("CrashLoopBackOff", ""), 3, exit(0, "Completed", minute, 2*minute)))),
			want: []string{"proxy crash/CrashLoopBackOff/UnexpectedExit"},
		},
		{
			name: "sidecar is not ready", at: 5 * minute, pod: runningPod(initContainer("proxy", true, running(minute, false)), web(running(minute, true))),
			want: []string{"proxy probe/Unhealthy/ProbeFailed"},
		},
		{
			name: "never restarted", at: 3 * minute, pod: runningPod(restart(corev1.RestartPolicyNever), web(terminated(exit(3, "Error", minute, 2*minute))), another("log", running(minute, true))),
			want: []string{"web crash/Error/AppError"}, since: 2 * minute,
		},
		{
			name: "never restarted and out of memory", at: 3 * minute,
			pod:  runningPod(restart(corev1.RestartPolicyNever), web(terminated(exit(137, "OOMKilled", minute, 2*minute))), another("log", running(minute, true))),
			want: []string{"web crash/OOMKilled/OOMKilled"},
		},
		{
			name: "never restarted and ended well", at: 3 * minute,
			pod: runningPod(restart(corev1.RestartPolicyNever), web(terminated(exit(0, "Completed", minute, 2*minute))), another("log", running(minute, true))),
		},
		{
			name: "restarted on failure and ended well", at: 3 * minute,
			pod: runningPod(restart(corev1.RestartPolicyOnFailure), web(terminated(exit(0, "Completed", minute, 2*minute))), another("log", running(minute, true))),
		},
		{
			name: "its own policy: never restarted, although its pod restarts", at: 24 * time.Hour, want: []string{"web crash/Error/AppError"},
			pod: runningPod(ownPolicy(corev1.ContainerRestartPolicyNever), web(terminated(exit(1, "Error", minute, 2*minute))), another("log", running(minute, true))),
		},
		{
			name: "its own policy: ended well for good", at: 3 * minute,
			pod: runningPod(ownPolicy(corev1.ContainerRestartPolicyNever), web(terminated(exit(0, "Completed", minute, 2*minute))), another("log", running(minute, true))),
		},
		{
			name: "its own policy: restarted, although its pod does not", at: 2*minute + second,
			pod: runningPod(restart(corev1.RestartPolicyNever), ownPolicy(corev1.ContainerRestartPolicyAlways), web(terminated(exit(1, "Error", minute, 2*minute)))),
		},
		{
			name: "its own policy: must run, although its pod need not", at: 3 * minute, want: []string{"web crash/CrashLoopBackOff/UnexpectedExit"},
			pod: runningPod(restart(corev1.RestartPolicyNever), ownPolicy(corev1.ContainerRestartPolicyAlways),
				web(after(waiting("CrashLoopBackOff", ""), 3, exit(0, "Completed", minute, 2*minute)))),
		},
		{name: "ephemeral container that failed is nobody's business", at: time.Hour, pod: healthyPod(func(p *corev1.Pod) {
			p.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{named("debug", terminated(exit(1, "Error", minute, 2*minute)))}
		})},
		{
			name: "event of an ephemeral container", at: time.Hour, pod: newPod(web(waiting("ImagePullBackOff", backOff))),
			events: []*corev1.Event{func() *corev1.Event {
				e := event("Failed", "Failed to pull image \"busybox\": no such host", minute)
				e.InvolvedObject.FieldPath = "spec.ephemeralContainers{debug}"
				return e
			}()},
			want: []string{"web image/ImagePullBackOff/ImagePullFailed"},
		},
	})
}

func TestCreateAndStart(t *testing.T) {
	runPodCases(t, []podCase{
		{
			name: "config: secret", at: minute, pod: newPod(web(waiting("CreateContainerConfigError", `secret "api" not found`))),
			want: []string{"web config/CreateContainerConfigError/SecretMissing"},
		},
		{
			name: "config: nothing known", at: minute, pod: newPod(web(waiting("CreateContainerError", `context deadline exceeded`))),
			want: []string{"web config/CreateContainerError/ContainerCreateFailed"},
		},
		{
			name: "create: a start error of CRI-O", at: minute,
			pod:  newPod(web(waiting("CreateContainerError", "container create failed: executable file `app` not found in $PATH: No such file or directory"))),
			want: []string{"web start/CreateContainerError/CommandNotFound"},
		},
		{
			name: "start", at: minute, pod: newPod(web(waiting("RunContainerError", `exec: "/run.sh": permission denied: unknown`))),
			want: []string{"web start/StartError/CommandNotExecutable"},
		},
		{
			name: "start: nothing known", at: minute, pod: newPod(web(waiting("RunContainerError", `something broke`))),
			want: []string{"web start/StartError/ContainerStartFailed"},
		},
		{
			name: "hook", at: minute, pod: newPod(web(waiting("PostStartHookError", `command '/bin/false' exited with 1: `))),
			want: []string{"web start/CrashLoopBackOff/PostStartHookFailed"},
		},
		{
			name: "a waiting reason that no kubelet is known to write", at: minute, pod: newPod(web(waiting("SomethingNew", `configmap "app" not found`))),
			want: []string{"web config/Other/ConfigMapMissing"},
		},
		{
			name: "a waiting reason and text that nobody knows", at: minute, pod: newPod(web(waiting("SomethingNew", `what is this`))),
			want: []string{"web start/Other/ContainerStartFailed"},
		},
	})
}
