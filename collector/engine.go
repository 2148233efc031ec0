package collector

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// engine judges one object after another: it gathers what the classifier needs from the store and gives the verdict to
// the memory. It has no clock and no goroutine; whoever drives it says when it is.
type engine struct {
	store      *store
	classifier *classify.Classifier
	memory     *memory
	// unclassified is told the family of every failure that opens although no rule knew its message.
	unclassified func(classify.Family)
}

// judged is what follows from judging an object.
type judged struct {
	again time.Time // when to judge the object again, zero for never
	next  []key     // what else to judge, because it depends on this object
}

func (e *engine) judge(k key, now time.Time) judged {
	if k.Kind == "Pod" {
		return e.judgePod(k, now)
	}
	return e.judgeController(k, now)
}

func (e *engine) judgePod(k key, now time.Time) judged {
	pod, ok := e.store.pod(k.Namespace, k.Name).(*corev1.Pod)
	if !ok {
		if !e.memory.holds(k) {
			e.memory.forget(k)
			return judged{}
		}
		before := e.memory.workload(k)
		e.memory.forget(k)
		return judged{next: e.rollout(before)}
	}
	if e.memory.isHistory(k, pod.UID) {
		return judged{}
	}
	verdict := e.classifier.Pod(e.podInput(pod, now))
	w := classify.Workload{Namespace: pod.Namespace}
	w.Kind, w.Name = e.store.podWorkload(pod)
	for i := range verdict.Failures {
		verdict.Failures[i].WorkloadKind, verdict.Failures[i].Workload = w.Kind, w.Name
	}
	held := e.memory.holds(k)
	if pod.Status.Phase == corev1.PodFailed && len(verdict.Failures) == 0 && verdict.Recheck.IsZero() {
		e.memory.remember(k, pod.UID)
		return judged{next: e.rollout(w)}
	}
	again := e.observe(k, pod.UID, verdict, now)
	if !held && len(verdict.Failures) == 0 {
		return judged{again: again}
	}
	return judged{again: again, next: e.rollout(w)}
}

// podInput gathers what is known of a pod.
func (e *engine) podInput(pod *corev1.Pod, now time.Time) classify.PodInput {
	in := classify.PodInput{
		Pod: pod, Now: now, Node: e.store.node(pod.Spec.NodeName), RepositoryExists: e.store.repositoryExists,
		Events: e.store.eventsAbout(key{"Pod", pod.Namespace, pod.Name}),
	}
	if pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded {
		in.Owner = e.replacer(pod)
	}
	return in
}

// replacer is the controller that replaces a pod when it fails: for a ReplicaSet of a Deployment the Deployment.
func (e *engine) replacer(pod *corev1.Pod) *classify.Controller {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return nil
	}
	if owner.Kind == "ReplicaSet" {
		if kind, name := e.store.podWorkload(pod); kind == "Deployment" {
			return e.store.controller(kind, pod.Namespace, name)
		}
	}
	return e.store.controller(owner.Kind, pod.Namespace, owner.Name)
}

func (e *engine) judgeController(k key, now time.Time) judged {
	c := e.store.controller(k.Kind, k.Namespace, k.Name)
	if c == nil {
		w := e.memory.workload(k)
		e.memory.forget(k)
		return judged{next: e.rollout(w)}
	}
	if c.Kind == "Deployment" {
		return e.judgeRollout(k, c, now)
	}
	in := classify.ControllerInput{Controller: c, Events: e.store.eventsAbout(k), Now: now}
	if len(in.Events) > 0 && c.Missing() > 0 {
		in.NewestPod = e.store.newestPod(c)
		in.PodExists = func(name string) bool { return e.store.pod(c.Namespace, name) != nil }
	}
	verdict := e.classifier.Controller(in)
	kind, name := e.store.workloadOf(c.Kind, c.Namespace, c.Name, "")
	for i := range verdict.Failures {
		verdict.Failures[i].WorkloadKind, verdict.Failures[i].Workload = kind, name
	}
	held := e.memory.holds(k)
	again := e.observe(k, c.UID, verdict, now)
	if !held && len(verdict.Failures) == 0 {
		return judged{again: again}
	}
	return judged{again: again, next: e.rollout(classify.Workload{Namespace: c.Namespace, Kind: kind, Name: name})}
}

func (e *engine) judgeRollout(k key, c *classify.Controller, now time.Time) judged {
	var verdict classify.Verdict
	pods := e.memory.ofWorkload(classify.Workload{Namespace: k.Namespace, Kind: k.Kind, Name: k.Name})
	if f, stalled := e.classifier.Rollout(c, pods); stalled {
		verdict.Failures = []classify.Failure{f}
	}
	return judged{again: e.observe(k, c.UID, verdict, now)}
}

// rollout is what depends on the failures of a workload's pods.
func (e *engine) rollout(w classify.Workload) []key {
	if w.Kind != "Deployment" {
		return nil
	}
	k := key{w.Kind, w.Namespace, w.Name}
	if c := e.store.controller(k.Kind, k.Namespace, k.Name); c == nil || !c.Stalled() && !e.memory.holds(k) {
		return nil
	}
	return []key{k}
}

func (e *engine) observe(k key, uid types.UID, verdict classify.Verdict, now time.Time) time.Time {
	opened, again := e.memory.observe(k, uid, verdict, now)
	for i := range opened {
		if opened[i].Unclassified {
			e.unclassified(opened[i].Family)
		}
	}
	return again
}
