package classify

import (
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const (
	notFound = `rpc error: code = NotFound desc = failed to pull and unpack image "r.example/shop/web:1": failed to resolve image: r.example/shop/web:1: not found`
	deniedTo = `failed to resolve reference "r.example/shop/web:1": pull access denied, repository does not exist or may require authorization: authorization failed`
	backOff  = `Back-off pulling image "r.example/shop/web:1"`
	qps      = "pull QPS exceeded"
)

func TestPullIsOneFailure(t *testing.T) {
	c := New(DefaultOptions())
	look := func(status corev1.ContainerStatus, at time.Duration, events ...*corev1.Event) Failure {
		t.Helper()
		v := c.Pod(PodInput{Pod: newPod(web(status)), Events: events, Now: clock(at)})
		if len(v.Failures) != 1 {
			t.Fatalf("failures = %v", told(v))
		}
		f := v.Failures[0]
		f.Message, f.Events = "", nil
		return f
	}
	want := look(waiting("ErrImagePull", notFound), minute)
	if want.Reason != "ImagePullBackOff" || want.Cause != ImageOrTagNotFound || !want.Since.Equal(clock(second)) || !want.SinceKept {
		t.Fatalf("first look: %+v", want)
	}
	pulled := event("Failed", `Failed to pull image "r.example/shop/web:1": `+notFound, minute)
	for name, got := range map[string]Failure{
		"back-off of newer kubelets": look(waiting("ImagePullBackOff", backOff+": ErrImagePull: "+notFound), 2*minute),
		"back-off of older kubelets": look(waiting("ImagePullBackOff", backOff), 2*minute, pulled, event("Failed", "Error: ErrImagePull", minute),
			event("Failed", "Error: ImagePullBackOff", 2*minute), event("BackOff", backOff, 2*minute)),
		"an hour later":         look(waiting("ErrImagePull", notFound), time.Hour),
		"message in the status": look(waiting("ErrImagePull", notFound), 2*minute, event("Failed", "Failed to pull image \"x\": "+deniedTo, minute)),
	} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, want)
		}
	}
}

func TestPull(t *testing.T) {
	secret := podEvent("FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.", minute)
	pull := func(message string) *corev1.Pod { return newPod(web(waiting("ErrImagePull", message))) }
	runPodCases(t, []podCase{
		{
			name: "bare back-off takes the event's words", at: 2 * minute, pod: newPod(web(waiting("ImagePullBackOff", backOff))),
			events: []*corev1.Event{event("Failed", `Failed to pull image "r.example/shop/web:1": `+notFound, minute)},
			want:   []string{"web image/ImagePullBackOff/ImageOrTagNotFound"}, message: `Failed to pull image "r.example/shop/web:1": ` + notFound,
		},
		{
			name: "of two events the newer counts", at: 5 * minute, pod: newPod(web(waiting("ImagePullBackOff", backOff))),
			events: []*corev1.Event{
				event("Failed", `Failed to pull image "r.example/shop/web:1": dial tcp 10.0.0.9:443: connect: connection refused`, minute),
				event("Failed", `Failed to pull image "r.example/shop/web:1": `+notFound, 4*minute),
			},
			want: []string{"web image/ImagePullBackOff/ImageOrTagNotFound"},
		},
		{
			name: "bare back-off and nothing else", at: minute, pod: newPod(web(waiting("ImagePullBackOff", backOff))),
			want: []string{"web image/ImagePullBackOff/ImagePullFailed"},
		},
		{
			name: "another container's event is not taken", at: 2 * minute, pod: newPod(web(waiting("ImagePullBackOff", backOff)), another("log", running(minute, true))),
			events: []*corev1.Event{podEvent("Failed", "Error: configmap \"x\" not found", minute)},
			want:   []string{"web image/ImagePullBackOff/ImagePullFailed"},
		},
		{
			name: "repository is proven, so the tag is missing", at: minute, pod: pull(notFound), exists: "r.example/shop/web",
			want: []string{"web image/ImagePullBackOff/ImageTagNotFound"},
		},
		{
			name: "another repository proves nothing", at: minute, pod: pull(notFound), exists: "r.example/shop/worker",
			want: []string{"web image/ImagePullBackOff/ImageOrTagNotFound"},
		},
		{name: "denied", at: minute, pod: pull(deniedTo), want: []string{"web image/ImagePullBackOff/ImageNotFoundOrAccessDenied"}},
		{
			name: "repository is proven, so the right is missing", at: minute, pod: pull(deniedTo), exists: "r.example/shop/web",
			want: []string{"web image/ImagePullBackOff/ImagePullUnauthorized"},
		},
		{
			name: "denied, and the pull secret is missing", at: 2 * minute, pod: pull(deniedTo), events: []*corev1.Event{secret},
			want: []string{"web image/ImagePullBackOff/ImagePullSecretMissing"}, message: secret.Message,
		},
		{
			name: "a missing pull secret does not explain a runtime that does not answer", at: 2 * minute, events: []*corev1.Event{secret},
			pod:  pull(`failed to pull image: rpc error: code = Unavailable desc = dial unix /run/containerd/containerd.sock: connect: connection refused`),
			want: []string{"web image/ImagePullBackOff/ImagePullFailed"},
		},
		{
			name: "a missing pull secret explains a pull of which nothing else is known", at: 2 * minute, pod: pull(backOff), events: []*corev1.Event{secret},
			want: []string{"web image/ImagePullBackOff/ImagePullSecretMissing"},
		},
		{
			name: "a missing pull secret does not explain a missing tag", at: 2 * minute, pod: pull(notFound), events: []*corev1.Event{secret},
			want: []string{"web image/ImagePullBackOff/ImageOrTagNotFound"},
		},
		{
			name: "a missing pull secret of a pod that runs is nothing", at: time.Hour, events: []*corev1.Event{secret}, pod: healthyPod(),
		},
		{name: "pull limit of the kubelet, within the grace", at: 20 * second, pod: pull(qps), recheck: 31 * second, open: []Stage{{"web", FamilyImage}}},
		{name: "pull limit of the kubelet, after the grace", at: minute, pod: pull(qps), want: []string{"web image/ImagePullBackOff/ImagePullFailed"}},
		{
			name: "name that does not parse", at: minute, pod: newPod(web(waiting("InvalidImageName", `couldn't parse image name "A": invalid reference format`))),
			want: []string{"web image/InvalidImageName/InvalidImageName"},
		},
		{
			name: "policy never", at: minute, pod: newPod(web(waiting("ErrImageNeverPull", `Container image "a" is not present with pull policy of Never`))),
			want: []string{"web image/ErrImageNeverPull/ImageNotPresent"},
		},
		{
			name: "registry unavailable", at: minute, pod: newPod(web(waiting("RegistryUnavailable", "image pull failed for a because the registry is unavailable"))),
			want: []string{"web image/ImagePullBackOff/RegistryUnreachable"},
		},
		{
			name: "between two pulls the status is silent: the event waits for it, what was seen before lasts", at: 10 * second,
			pod: newPod(web(waiting("ContainerCreating", ""))), events: []*corev1.Event{event("Failed", "Failed to pull image: "+notFound, 5*second)},
			open: []Stage{{"web", FamilyImage}},
		},
		{
			name: "the status is silent, in a single look", once: true, at: minute, pod: newPod(web(waiting("ContainerCreating", ""))),
			events: []*corev1.Event{event("Failed", "Failed to pull image: "+notFound, 5*second)},
			want:   []string{"web image/ImagePullBackOff/ImageOrTagNotFound"},
		},
		{
			name: "init container cannot be pulled, the rest waits for it", at: minute,
			pod: newPod(initContainer("setup", false, waiting("ErrImagePull", notFound)), web(waiting("PodInitializing", ""))),
			want: []string{
				"setup image/ImagePullBackOff/ImageOrTagNotFound",
			},
		},
		{
			name: "two containers cannot be pulled", at: minute,
			pod: newPod(web(waiting("ErrImagePull", notFound)), another("log", waiting("ImagePullBackOff", backOff+": ErrImagePull: toomanyrequests: slow down"))),
			want: []string{
				"web image/ImagePullBackOff/ImageOrTagNotFound", "log image/ImagePullBackOff/RegistryRateLimited",
			},
		},
	})
}

// TestPullThroughEvents runs every message of a failed pull as the kubelet writes it into waiting messages and events.
func TestPullThroughEvents(t *testing.T) {
	c := New(DefaultOptions())
	for _, r := range c.image {
		for _, m := range r.made {
			want, _ := c.tellImage("ErrImagePull", m, "", nil)
			for name, in := range map[string]PodInput{
				"ErrImagePull":     {Pod: newPod(image(""), web(waiting("ErrImagePull", m)))},
				"ImagePullBackOff": {Pod: newPod(image(""), web(waiting("ImagePullBackOff", `Back-off pulling image "x": ErrImagePull: `+m)))},
				"event": {
					Pod:    newPod(image(""), web(waiting("ImagePullBackOff", `Back-off pulling image "x"`))),
					Events: []*corev1.Event{event("Failed", "Failed to pull image: "+m, minute)},
				},
			} {
				in.Now = clock(2 * minute)
				v := c.Pod(in)
				if len(v.Failures) != 1 || v.Failures[0].Cause != want {
					t.Errorf("%s: got %v, want %s for\n\t%s", name, told(v), want, m)
				}
			}
		}
	}
}
