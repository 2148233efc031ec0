package collector

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// terminationTest drives the handler of pods as an informer does and counts what it counts.
type terminationTest struct {
	*Collector
	registry *prometheus.Registry
	last     any
}

func newTerminationTest(t *testing.T) *terminationTest {
	t.Helper()
	c, registry := costCollector(t, 0, 0)
	c.started = costTime.Add(-2 * time.Hour) // the pods below were created after the exporter began
	return &terminationTest{Collector: c, registry: registry}
}

// see hands over a pod (nil: it is deleted) as the informer's cache would hold it.
func (s *terminationTest) see(t *testing.T, pod *corev1.Pod, initial bool) {
	t.Helper()
	if pod == nil {
		s.handle(s.last, nil, false)
		s.last = nil
		return
	}
	object, err := podTransform(s.engine.classifier, s.opts.Now)(pod)
	if err != nil {
		t.Fatal(err)
	}
	s.handle(s.last, object, initial)
	s.last = object
}

// counted returns what container_terminations_total says, by container and cause.
func (s *terminationTest) counted(t *testing.T) map[string]float64 {
	t.Helper()
	families, err := s.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]float64{}
	for _, family := range families {
		if family.GetName() != "container_terminations_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range m.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["namespace"] != "team-1" || labels["workload_kind"] != "Deployment" || labels["workload"] != "web-0" {
				t.Errorf("counted under %v", labels)
			}
			counts[labels["container"]+" "+labels["cause"]] = m.GetCounter().GetValue()
		}
	}
	return counts
}

func endedBy(reason string, code int32) *corev1.ContainerStateTerminated {
	return &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, StartedAt: metav1.NewTime(costTime.Add(-2 * time.Minute)), FinishedAt: metav1.NewTime(costTime.Add(-time.Minute)),
	}
}

// podWith is pod 1 with another status of its first container.
func podWith(restarts int32, state corev1.ContainerState, last *corev1.ContainerStateTerminated) *corev1.Pod {
	pod := costPod(1, false)
	status := &pod.Status.ContainerStatuses[0]
	status.RestartCount, status.State, status.LastTerminationState.Terminated = restarts, state, last
	if status.Ready = state.Running != nil; !status.Ready {
		pod.Status.Conditions[0].Status = corev1.ConditionFalse
	}
	return pod
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(costTime.Add(-30 * time.Second))}}
}

func ended(t *corev1.ContainerStateTerminated) corev1.ContainerState {
	return corev1.ContainerState{Terminated: t}
}

func backOff() corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}}
}

func job(pod *corev1.Pod) *corev1.Pod {
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	return pod
}

func changedPod(pod *corev1.Pod, change func(*corev1.Pod)) *corev1.Pod {
	change(pod)
	return pod
}

func TestTerminations(t *testing.T) {
	oom, failed, done := endedBy("OOMKilled", 137), endedBy("Error", 1), endedBy("Completed", 0)
	healthy := costPod(1, false)
	for name, test := range map[string]struct {
		pods []*corev1.Pod
		want map[string]float64
	}{
		"restarts between two events count all": {
			[]*corev1.Pod{healthy, podWith(3, running(), oom)}, map[string]float64{"app OOMKilled": 3},
		},
		"each end counts once": {
			[]*corev1.Pod{
				healthy, podWith(0, ended(failed), nil), podWith(0, backOff(), failed), podWith(1, running(), failed), podWith(1, ended(failed), failed),
				podWith(1, backOff(), failed), podWith(1, backOff(), failed), podWith(2, running(), failed),
			}, map[string]float64{"app AppError": 2},
		},
		"causes are told apart": {
			[]*corev1.Pod{healthy, podWith(0, ended(oom), nil), podWith(1, running(), oom), podWith(1, ended(failed), oom)},
			map[string]float64{"app OOMKilled": 1, "app AppError": 1},
		},
		"a pod that is new with ends": {[]*corev1.Pod{podWith(2, running(), oom)}, map[string]float64{"app OOMKilled": 2}},
		"a pod of the same name": {
			[]*corev1.Pod{podWith(5, running(), oom), changedPod(podWith(1, running(), failed), func(p *corev1.Pod) { p.UID = "another" })},
			map[string]float64{"app OOMKilled": 5, "app AppError": 1},
		},
		"a healthy pod of the same name, which fails": {
			[]*corev1.Pod{healthy, changedPod(podWith(1, running(), failed), func(p *corev1.Pod) { p.UID = "another" })}, map[string]float64{"app AppError": 1},
		},
		"deletion is asked for": {
			[]*corev1.Pod{healthy, changedPod(podWith(0, ended(endedBy("Error", 143)), nil), func(p *corev1.Pod) {
				p.DeletionTimestamp = &metav1.Time{Time: costTime}
			}), nil}, map[string]float64{},
		},
		"a Job's container that completes": {
			[]*corev1.Pod{job(podWith(0, running(), nil)), job(podWith(0, ended(done), nil))}, map[string]float64{},
		},
		"a Job's container that fails": {
			[]*corev1.Pod{job(podWith(0, running(), nil)), job(podWith(0, ended(failed), nil))}, map[string]float64{"app AppError": 1},
		},
		"a healthy pod": {[]*corev1.Pod{healthy, healthy, nil, healthy}, map[string]float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTerminationTest(t)
			for _, pod := range test.pods {
				s.see(t, pod, false)
			}
			if got := s.counted(t); !maps.Equal(got, test.want) {
				t.Errorf("counted %v, want %v", got, test.want)
			}
		})
	}
}

// TestTerminationsBefore proves that what ended before the exporter began is not counted, and what ends after is.
func TestTerminationsBefore(t *testing.T) {
	failed := endedBy("Error", 1)
	for name, initial := range map[string]bool{"in the first list": true, "an old pod that comes late": false} {
		t.Run(name, func(t *testing.T) {
			s := newTerminationTest(t)
			s.started = costTime
			s.see(t, podWith(7, running(), failed), initial)
			if got := s.counted(t); len(got) > 0 {
				t.Errorf("counted %v", got)
			}
			s.see(t, podWith(8, running(), failed), false)
			if got, want := s.counted(t), map[string]float64{"app AppError": 1}; !maps.Equal(got, want) {
				t.Errorf("counted %v, want %v", got, want)
			}
		})
	}
}

func TestEndsBetween(t *testing.T) {
	failed := endedBy("Error", 1)
	withInit := func(restarts int32) *corev1.Pod {
		return changedPod(podWith(1, running(), failed), func(p *corev1.Pod) {
			p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "prepare", RestartCount: restarts}}
		})
	}
	quiet := quietPodOf(costPod(1, false))
	for name, test := range map[string]struct {
		before any
		pod    *corev1.Pod
		want   string
	}{
		"quiet pod":             {quiet, podWith(2, running(), failed), "[{app 2}]"},
		"new":                   {nil, podWith(2, running(), failed), "[{app 2}]"},
		"same":                  {podWith(2, running(), failed), podWith(2, running(), failed), "[]"},
		"init container too":    {withInit(0), withInit(2), "[{prepare 2}]"},
		"counts never run back": {podWith(5, running(), failed), podWith(2, running(), failed), "[]"},
		"container was unknown": {&quietPod{identity: quiet.identity}, podWith(1, running(), failed), "[{app 1}]"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.ReplaceAll(fmt.Sprint(endsBetween(test.before, test.pod)), "  ", " "); got != test.want {
				t.Errorf("ends %s, want %s", got, test.want)
			}
		})
	}
	before, after := podWith(2, running(), failed), podWith(2, running(), failed)
	if allocs := testing.AllocsPerRun(100, func() { endsBetween(before, after) }); allocs > 0 {
		t.Errorf("an update without ends allocates %v times", allocs)
	}
	if n := classify.Ends(&podWith(0, backOff(), failed).Status.ContainerStatuses[0]); n != 1 {
		t.Errorf("a container in its first back-off ended %d times, want 1", n)
	}
}
