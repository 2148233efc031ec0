package collector

import (
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// What costs are measured with: a cluster of ReplicaSets' pods, some of which cannot pull their image.

var costTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// costPod is pod number i as an API server sends it, healthy or failing.
func costPod(i int, failing bool) *corev1.Pod {
	set := "web-" + strconv.Itoa(i/20) + "-7d9c5b4f8"
	yes := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team-" + strconv.Itoa(i%50), Name: fmt.Sprintf("%s-%05x", set, i), UID: types.UID(fmt.Sprintf("e4897ec5-76a9-43b6-ac19-%012d", i)),
			ResourceVersion: strconv.Itoa(1000 + i), CreationTimestamp: metav1.NewTime(costTime.Add(-time.Hour)),
			Labels: map[string]string{templateHash: "7d9c5b4f8", "app": "web"},
			OwnerReferences: []metav1.OwnerReference{{
				Kind: "ReplicaSet", Name: set, UID: "3f", Controller: &yes,
			}},
		},
		Spec: corev1.PodSpec{
			NodeName: "node-" + strconv.Itoa(i%100), RestartPolicy: corev1.RestartPolicyAlways,
			Containers: []corev1.Container{{Name: "app", Image: "registry.example/team/web:1.2.3"}, {Name: "proxy", Image: "registry.example/proxy:2"}},
		},
		Status: corev1.PodStatus{
			Phase: corev1.PodRunning, StartTime: &metav1.Time{Time: costTime.Add(-time.Hour)},
			Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(costTime.Add(-time.Hour))},
				{Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
			},
		},
	}
	for _, ctr := range pod.Spec.Containers {
		pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
			Name: ctr.Name, Ready: true, Image: ctr.Image,
			ImageID: "registry.example/team/web@sha256:cd4e09f3d8fe6b42fb603ecf4b7440f5fd2ba4d670a6e537d56a87b4c0765896",
			State:   corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(costTime.Add(-time.Hour))}},
		})
	}
	if failing {
		pod.Status.Phase = corev1.PodPending
		pod.Status.Conditions[0].Status, pod.Status.Conditions[1].Status = corev1.ConditionFalse, corev1.ConditionFalse
		pod.Status.ContainerStatuses[0] = corev1.ContainerStatus{Name: "app", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: `Back-off pulling image "registry.example/team/web:1.2.3": ErrImagePull: failed to pull and unpack image "registry.example/team/web:1.2.3": ` +
				`failed to resolve image: failed to do request: Head "https://registry.example/v2/team/web/manifests/1.2.3": dial tcp 10.0.0.9:443: connect: connection refused`,
		}}}
	}
	return pod
}

// costCollector returns a ready collector with some pods in its cache, the first of which fail.
func costCollector(tb testing.TB, pods, failing int) (*Collector, *prometheus.Registry) {
	tb.Helper()
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		tb.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	c, err := New(emptySource{}, Options{
		Classify: classify.DefaultOptions(), MaxFailures: 200_000, RunbookURL: "https://runbooks.example", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return costTime },
	}, catalogue, registry)
	if err != nil {
		tb.Fatal(err)
	}
	registry.MustRegister(c)
	transform := podTransform(c.engine.classifier, c.opts.Now)
	for i := range pods {
		object, err := transform(costPod(i, i < failing))
		if err != nil {
			tb.Fatal(err)
		}
		if err := c.engine.store.pods[0].Add(object); err != nil {
			tb.Fatal(err)
		}
		for _, k := range c.engine.changed(nil, object) {
			c.judge(k)
		}
	}
	c.ready.Store(true)
	return c, registry
}

func BenchmarkScrape(b *testing.B) {
	for _, pods := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("failing=1000/pods=%d", pods), func(b *testing.B) {
			_, registry := costCollector(b, pods, 1_000)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := registry.Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestScrapeCost proves that a scrape costs what the failures cost, whatever the number of pods.
func TestScrapeCost(t *testing.T) {
	allocs := func(pods int) float64 {
		_, registry := costCollector(t, pods, 100)
		return testing.AllocsPerRun(5, func() {
			if _, err := registry.Gather(); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := allocs(500), allocs(5_000)
	if many > few*1.05 {
		t.Errorf("a scrape of 100 failures allocates %.0f times with 500 pods and %.0f times with 5000", few, many)
	}
}

func BenchmarkJudge(b *testing.B) {
	c, _ := costCollector(b, 1, 1)
	k := key{"Pod", "team-0", costPod(0, true).Name}
	b.ReportAllocs()
	for b.Loop() {
		c.engine.judge(k, costTime)
	}
}

// BenchmarkHealthyUpdate is all that the update of a healthy pod costs beyond the informer.
func BenchmarkHealthyUpdate(b *testing.B) {
	e := newEngine(b, classify.DefaultOptions())
	old, updated := quietPodOf(costPod(1, false)), quietPodOf(costPod(1, false))
	b.ReportAllocs()
	for b.Loop() {
		e.changed(old, updated)
	}
}

func TestHealthyUpdateAllocates(t *testing.T) {
	e := newEngine(t, classify.DefaultOptions())
	var old, updated any = quietPodOf(costPod(1, false)), quietPodOf(costPod(1, false))
	if allocs := testing.AllocsPerRun(100, func() { e.changed(old, updated) }); allocs != 0 {
		t.Errorf("the update of a healthy pod allocates %v times, want 0", allocs)
	}
}

func BenchmarkTransformHealthy(b *testing.B) {
	transform := podTransform(classify.New(classify.DefaultOptions()), func() time.Time { return costTime })
	pod := costPod(1, false)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := transform(pod); err != nil {
			b.Fatal(err)
		}
	}
}

// TestHealthyPodSize measures what a healthy pod costs in the cache: object, key and indexes.
func TestHealthyPodSize(t *testing.T) {
	const pods, limit = 20_000, 700
	transform := podTransform(classify.New(classify.DefaultOptions()), func() time.Time { return costTime })
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers(Resources()[0]))
	before := heap()
	for i := range pods {
		object, err := transform(costPod(i, false))
		if err != nil {
			t.Fatal(err)
		}
		if err := indexer.Add(object); err != nil {
			t.Fatal(err)
		}
	}
	each := float64(heap()-before) / pods
	t.Logf("a healthy pod with two containers costs %.0f bytes in the cache", each)
	if each > limit {
		t.Errorf("a healthy pod costs %.0f bytes in the cache, the limit is %d", each, limit)
	}
	runtime.KeepAlive(indexer)
}

// TestFailingPodSize measures what a failing pod costs in caches and memory, which docs/scale.md and the chart's values tell: what an
// exporter needs depends on how many pods fail.
func TestFailingPodSize(t *testing.T) {
	const pods = 5_000
	for events, limit := range map[int]float64{0: 7_000, 3: 11_000} {
		before := heap()
		c := probedCollector(t, pods, events)
		each := float64(heap()-before) / pods
		t.Logf("a failing pod with two containers and %d events costs %.0f bytes", events, each)
		if each > limit {
			t.Errorf("a failing pod with %d events costs %.0f bytes, the limit is %.0f", events, each, limit)
		}
		runtime.KeepAlive(c)
	}
}

// probedCollector returns a collector that holds pods in a loop of their liveness probe, each with some of its events.
func probedCollector(t *testing.T, pods, events int) *Collector {
	t.Helper()
	c, _ := costCollector(t, 0, 0)
	objects := &Objects{}
	for i := range pods {
		in := probedPod(i)
		objects.Pods = append(objects.Pods, in.Pod)
		for j, event := range in.Events[:events] {
			event.Namespace, event.Name = in.Pod.Namespace, fmt.Sprintf("%s.%016x", in.Pod.Name, i*10+j)
			event.UID, event.ResourceVersion = types.UID(fmt.Sprintf("0b7b0b8e-5e3c-4d0f-9f5b-%012d", i*10+j)), strconv.Itoa(5000+i*10+j)
			objects.Events = append(objects.Events, event)
		}
	}
	keys, err := c.engine.fill(objects, costTime)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		c.judge(k)
	}
	if n := len(c.engine.memory.failures()); n != pods {
		t.Fatalf("%d pods fail, want %d", n, pods)
	}
	return c
}

func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// probedPod is pod number i in a loop of its liveness probe, with all the events that a failure shows.
func probedPod(i int) classify.PodInput {
	pod := costPod(i, true)
	at := func(ago time.Duration) metav1.Time { return metav1.NewTime(costTime.Add(-ago)) }
	pod.Status.Phase = corev1.PodRunning
	pod.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		Name: "app", RestartCount: 7, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 137, Reason: "Error", StartedAt: at(5 * time.Minute), FinishedAt: at(4 * time.Minute),
		}},
	}
	in := classify.PodInput{Pod: pod, Now: costTime}
	for reason, message := range map[string]string{
		"Killing":   "Container app failed liveness probe, will be restarted",
		"Unhealthy": fmt.Sprintf(`Liveness probe failed: Get "http://10.0.%d.%d:8080/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, i/250, i%250),
		"BackOff":   fmt.Sprintf("Back-off restarting failed container app in pod %s_%s(%s)", pod.Name, pod.Namespace, pod.UID),
	} {
		in.Events = append(in.Events, &corev1.Event{
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, FieldPath: "spec.containers{app}"},
			Reason:         reason, Message: message, Type: "Warning", Count: 9, FirstTimestamp: at(time.Hour), LastTimestamp: at(4 * time.Minute),
		})
	}
	return in
}

// TestProofSize measures what the memory holds of a failure whose pod and events are gone from the cache, with its evidence
// and without.
func TestProofSize(t *testing.T) {
	const pods, limit = 5_000, 1_000
	classifier := classify.New(classify.DefaultOptions())
	size := func(proof bool) float64 {
		m := newTestMemory(t)
		before := heap()
		for i := range pods {
			in := probedPod(i)
			verdict := classifier.Pod(in)
			if len(verdict.Failures) != 1 || len(verdict.Failures[0].Events) != 3 || verdict.Failures[0].LastEnd == nil {
				t.Fatalf("told %+v", verdict)
			}
			if !proof {
				verdict.Failures[0].Events, verdict.Failures[0].LastEnd = nil, nil
			}
			m.observe(key{"Pod", in.Pod.Namespace, in.Pod.Name}, in.Pod.UID, verdict, costTime)
		}
		each := float64(heap()-before) / pods
		runtime.KeepAlive(m)
		return each
	}
	with, without := size(true), size(false)
	t.Logf("a failure costs %.0f bytes in the memory, %.0f of them for three events and a container's end", with, with-without)
	if with-without > limit {
		t.Errorf("its evidence costs %.0f bytes, the limit is %d", with-without, limit)
	}
}
