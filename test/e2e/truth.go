package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// subject is what a series is about: a container, a pod as a whole (no container), or a controller.
type subject struct{ Namespace, Kind, Name, Container string }

// proof is the stage of a subject's life that a failure's family belongs to.
type proof struct {
	subject
	family classify.Family
}

// Truth watches the cluster beside the exporter and notes when the API server acknowledged what proves a failure, or
// that it is over.
type Truth struct {
	times   classify.Options
	factory informers.SharedInformerFactory
	stop    context.CancelFunc

	mu     sync.Mutex
	due    map[proof]time.Time // from when on the exporter must tell, its graces included
	seen   map[proof]time.Time // when the cluster first said so
	mended map[proof]time.Time // since when nothing is wrong any more
	gone   map[subject]time.Time
}

// Watch starts to watch a cluster. times are the exporter's graces.
func Watch(ctx context.Context, client *Client, times classify.Options) (*Truth, error) {
	ctx, stop := context.WithCancel(ctx)
	t := &Truth{
		times: times, factory: informers.NewSharedInformerFactory(client, 0), stop: stop,
		due: map[proof]time.Time{}, seen: map[proof]time.Time{}, mended: map[proof]time.Time{}, gone: map[subject]time.Time{},
	}
	apps := t.factory.Apps().V1()
	core := t.factory.Core().V1()
	var errs []error
	for _, informer := range []cache.SharedIndexInformer{
		core.Pods().Informer(), core.Events().Informer(), apps.ReplicaSets().Informer(), apps.StatefulSets().Informer(),
		apps.DaemonSets().Informer(), t.factory.Batch().V1().Jobs().Informer(),
	} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    t.saw,
			UpdateFunc: func(_, object any) { t.saw(object) },
			DeleteFunc: t.lost,
		})
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		stop()
		return nil, fmt.Errorf("watching the cluster: %w", err)
	}
	t.factory.StartWithContext(ctx)
	t.factory.WaitForCacheSync(ctx.Done())
	return t, nil
}

// Stop ends the watches.
func (t *Truth) Stop() { t.stop() }

// Due is when the exporter must tell a failure of a family, zero where nothing has proved one.
func (t *Truth) Due(s subject, family classify.Family) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.due[proof{s, family}]
}

// Seen is when the cluster first said that something fails. What only the passing of time proves, and what is not ready for as
// long as its probe allows, is no failure before it is due.
func (t *Truth) Seen(s subject, family classify.Family) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := proof{s, family}
	if at, ok := t.seen[p]; ok && family != classify.FamilyProbe && !t.due[p].After(at.Add(time.Minute)) {
		return at
	}
	return t.due[p]
}

// Over is when a failure of a family was over: the subject got past that stage, or was deleted. Zero while it is not.
func (t *Truth) Over(s subject, family classify.Family) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	whole := s
	whole.Container = ""
	if at := t.gone[whole]; !at.IsZero() {
		return at
	}
	return t.mended[proof{s, family}]
}

// Pods returns the keys of all pods, namespace/name.
func (t *Truth) Pods() map[string]bool {
	pods := map[string]bool{}
	for _, key := range t.factory.Core().V1().Pods().Informer().GetStore().ListKeys() {
		pods[key] = true
	}
	return pods
}

func (t *Truth) saw(object any) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	switch o := object.(type) {
	case *corev1.Pod:
		t.sawPod(o, now)
	case *corev1.Event:
		t.sawEvent(o, now)
	default:
		t.sawController(object, now)
	}
}

func (t *Truth) lost(object any) {
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	kind := "Pod"
	o, ok := object.(metav1.Object)
	if c, isController := classify.ControllerOf(object); isController {
		kind = c.Kind
	} else if _, isEvent := object.(*corev1.Event); isEvent || !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := (subject{o.GetNamespace(), kind, o.GetName(), ""}); t.gone[s].IsZero() {
		t.gone[s] = time.Now()
	}
}

// prove notes the first proof of a failure.
func (t *Truth) prove(s subject, at time.Time, families ...classify.Family) {
	for _, family := range families {
		p := proof{s, family}
		if t.due[p].IsZero() || at.Before(t.due[p]) {
			t.due[p] = at
		}
		if t.seen[p].IsZero() {
			t.seen[p] = time.Now()
		}
		delete(t.mended, p)
	}
}

// mend notes since when nothing of a family is wrong.
func (t *Truth) mend(s subject, at time.Time, families ...classify.Family) {
	for _, family := range families {
		if p := (proof{s, family}); t.mended[p].IsZero() {
			t.mended[p] = at
		}
	}
}

func (t *Truth) sawController(object any, now time.Time) {
	c, ok := classify.ControllerOf(object)
	if !ok {
		return
	}
	s := subject{c.Namespace, c.Kind, c.Name, ""}
	delete(t.gone, s)
	if rs, ok := object.(*appsv1.ReplicaSet); ok {
		for _, condition := range rs.Status.Conditions {
			if condition.Type == appsv1.ReplicaSetReplicaFailure && condition.Status == corev1.ConditionTrue {
				t.prove(s, now, classify.FamilyCreate)
			}
		}
	}
	if c.Missing() == 0 {
		t.mend(s, now, classify.FamilyCreate)
	} else {
		delete(t.mended, proof{s, classify.FamilyCreate})
	}
}

func (t *Truth) sawEvent(event *corev1.Event, now time.Time) {
	s := subject{event.InvolvedObject.Namespace, event.InvolvedObject.Kind, event.InvolvedObject.Name, ""}
	switch event.Reason {
	case "FailedCreate":
		t.prove(s, now, classify.FamilyCreate)
	case "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox":
		pod, err := t.factory.Core().V1().Pods().Lister().Pods(s.Namespace).Get(s.Name)
		if err == nil {
			grace := since(pod, corev1.PodScheduled).Add(t.times.CreatingGrace)
			t.prove(s, later(now, grace), classify.FamilyVolume)
		}
	case "Unhealthy":
		_, rest, _ := strings.Cut(event.InvolvedObject.FieldPath, "{")
		s.Container = strings.TrimSuffix(rest, "}")
		if strings.HasPrefix(event.Message, "Readiness") {
			t.prove(s, now, "unhealthy")
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
