//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
)

// flood calls a function n times, several at once, and returns how long that took.
func (f *faults) flood(ctx context.Context, n int, create func(context.Context, int) error) time.Duration {
	began := time.Now()
	if err := Parallel(n, func(i int) error { return create(ctx, i) }); err != nil {
		f.violate("flood: %v", err)
	}
	return time.Since(began)
}

func (f *faults) value(ctx context.Context, metric string, labels ...string) float64 {
	scrape, err := f.exporter.Load().Scrape(ctx)
	f.must(err)
	value, ok := scrape.Value(metric, labels...)
	if !ok {
		f.violate("no %s%v", metric, labels)
	}
	return value
}

func (f *faults) memory(ctx context.Context) float64 {
	return f.value(ctx, "process_resident_memory_bytes") / (1 << 20)
}

// eventFlood writes events of every kind about pods that are fine and pods that are not there.
func (f *faults) eventFlood(ctx context.Context) string {
	n := 50000
	if f.short {
		n = 5000
	}
	before := f.memory(ctx)
	about := []corev1.ObjectReference{{Kind: "Pod", Namespace: namespaceFaults, Name: "not-there", UID: "0"}}
	if f.node {
		pods, err := f.client.CoreV1().Pods("healthy").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		f.must(err)
		for i := range pods.Items {
			about = append(about, corev1.ObjectReference{
				Kind: "Pod", Namespace: "healthy", Name: pods.Items[i].Name, UID: pods.Items[i].UID, FieldPath: "spec.containers{app}",
			})
		}
	}
	reasons := []string{"Unhealthy", "BackOff", "FailedMount", "FailedScheduling", "Killing", "FailedCreatePodSandBox", "Whatever"}
	took := f.flood(ctx, n, func(ctx context.Context, i int) error {
		involved := about[i%len(about)]
		_, err := f.client.CoreV1().Events(involved.Namespace).Create(ctx, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: fmt.Sprintf("flood-%d", i), Labels: map[string]string{"flood": "yes"}},
			InvolvedObject: involved, Reason: reasons[i%len(reasons)], Type: corev1.EventTypeWarning,
			Message:        fmt.Sprintf("Readiness probe failed: number %d of a flood", i),
			FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 1, Source: corev1.EventSource{Component: "kubelet"},
		}, metav1.CreateOptions{})
		return err
	})
	fresh := f.newFailure(ctx, 10*time.Second)
	if fresh > latest {
		f.violate("right after a flood a new failure was told after %.1f s", fresh.Seconds())
	}
	held, after := f.value(ctx, "kube_failure_exporter_cached_objects", "resource", "events", "selector", "type=Warning"), f.memory(ctx)
	for _, namespace := range []string{namespaceFaults, "healthy"} {
		f.must(Poll(ctx, 5*time.Minute, time.Second, func(ctx context.Context) error { // the API server gives up on one request after a minute
			return f.client.CoreV1().Events(namespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "flood=yes"})
		}))
	}
	f.told(ctx, time.Minute, "the deleted events are forgotten", func(s *Scrape) bool {
		value, _ := s.Value("kube_failure_exporter_cached_objects", "resource", "events", "selector", "type=Warning")
		return value < held-float64(n)/2
	})
	return fmt.Sprintf("%d events in %.0f s; a new failure was told after %.1f s; %.0f events held; memory %.0f → %.0f MiB",
		n, took.Seconds(), fresh.Seconds(), held, before, after)
}

// podFlood creates pods that no scheduler looks at, and deletes them.
func (f *faults) podFlood(ctx context.Context) string {
	n := 5000
	if f.short {
		n = 1000
	}
	before, memory := f.value(ctx, "kube_failure_exporter_cached_objects", "resource", "pods"), f.memory(ctx)
	pods := f.client.CoreV1().Pods(namespaceFaults)
	grace := int64(0)
	began := time.Now()
	created := f.flood(ctx, n, func(ctx context.Context, i int) error {
		_, err := pods.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("flood-%d", i), Labels: map[string]string{"flood": "yes"}},
			Spec: corev1.PodSpec{
				SchedulerName: "nobody", TerminationGracePeriodSeconds: &grace,
				Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1"}},
			},
		}, metav1.CreateOptions{})
		return err
	})
	most := f.memory(ctx)
	fresh := f.newFailure(ctx, 10*time.Second)
	f.must(pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &grace}, metav1.ListOptions{LabelSelector: "flood=yes"}))
	took := time.Since(began)
	f.told(ctx, time.Minute, "the deleted pods are forgotten", func(s *Scrape) bool {
		value, _ := s.Value("kube_failure_exporter_cached_objects", "resource", "pods")
		return value < before+float64(n)/10
	})
	return fmt.Sprintf("%d pods in %.0f s, gone after %.0f s; a new failure was told after %.1f s; memory %.0f → %.0f MiB",
		n, created.Seconds(), took.Seconds(), fresh.Seconds(), memory, most)
}

// hostile puts odd strings wherever the API server takes them, and demands that none comes out.
func (f *faults) hostile(ctx context.Context) string {
	const marker = "h0stile"
	odd := marker + "\n# TYPE pod_failure_reason counter\npod_failure_reason{pod=\"x\"} 2\r\x00\x1b[2J\"}\\<script>alert(1)</script>\u202e{{.}}%s"
	var said []string
	took := func(what string, err error) {
		if err != nil {
			what += " refused"
		}
		said = append(said, what)
	}
	config := f.cluster.Config()
	config.ContentType = runtime.ContentTypeProtobuf // JSON cannot hold what is not UTF-8
	binary, err := kubernetes.NewForConfig(config)
	f.must(err)
	f.newFailure(ctx, 10*time.Second)
	about := corev1.ObjectReference{Kind: "ReplicaSet", Namespace: namespaceFaults, Name: fmt.Sprintf("new-%d", f.news)}
	for what, message := range map[string]string{
		"1 MiB":         strings.Repeat(odd, 1<<20/len(odd)),
		"invalid UTF-8": odd + "\xff\xfe\xc3\x28",
		"quota": `pods "x" is forbidden: exceeded quota: ` + marker + "\"{}\xff" +
			`, requested: a="b\n=1e999999999,limits.cpu=1, used: limits.cpu=x, limited: ,,,=`,
	} {
		_, err := binary.CoreV1().Events(namespaceFaults).Create(ctx, &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "hostile-"}, InvolvedObject: about, Reason: "FailedCreate", Type: corev1.EventTypeWarning,
			Message: message, FirstTimestamp: metav1.Now(), LastTimestamp: metav1.Now(), Count: 1,
		}, metav1.CreateOptions{})
		took(what, err)
	}
	for what, waiting := range map[string]corev1.ContainerStateWaiting{
		"reason": {Reason: odd, Message: odd}, "message": {Reason: "ErrImagePull", Message: odd + strings.Repeat(odd, 1<<16/len(odd))},
	} {
		pods := binary.CoreV1().Pods(namespaceFaults)
		pod, err := pods.Create(ctx, &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "hostile-" + what, Annotations: map[string]string{"note": odd}},
			Spec:       corev1.PodSpec{SchedulerName: "nobody", Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1"}}},
		}, metav1.CreateOptions{})
		f.must(err)
		pod.Status.Reason, pod.Status.Message = odd, odd+"\xff"
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, Reason: odd, Message: odd}}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{
			{Name: "app", Image: odd, State: corev1.ContainerState{Waiting: &waiting}}, {Name: odd + "\xff", State: corev1.ContainerState{Waiting: &waiting}},
		}
		_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
		took(what, err)
		time.Sleep(3 * time.Second)
		f.harmless(ctx, marker)
		f.must(pods.Delete(ctx, pod.Name, metav1.DeleteOptions{}))
	}
	f.newFailure(ctx, 10*time.Second)
	return "given: " + strings.Join(said, ", ")
}

// harmless looks at everything that is served.
func (f *faults) harmless(ctx context.Context, marker string) {
	e := f.exporter.Load()
	scrape, err := e.Scrape(ctx)
	if err != nil {
		f.violate("hostile strings: %v", err)
		return
	}
	if strings.Contains(string(scrape.Text), marker) {
		f.violate("hostile strings stand in the metrics")
	}
	page, err := Fetch(ctx, e.URL+"/")
	if err != nil {
		f.violate("hostile strings: %v", err)
	}
	if strings.Contains(string(page), "<script>alert") {
		f.violate("hostile strings stand in the page as they are")
	}
	if err := CheckOpenMetrics(ctx, e.URL); err != nil {
		f.violate("hostile strings: %v", err)
	}
}
