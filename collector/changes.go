package collector

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// changed returns what to judge because an object was added (old is nil), changed, or deleted (new is nil). It computes
// nothing else but the count of repositories, and for a healthy pod that stays healthy it allocates nothing.
func (e *engine) changed(old, new any) []key {
	switch o := either(old, new).(type) {
	case *quietPod, *corev1.Pod:
		return e.podChanged(old, new)
	case *corev1.Event:
		return []key{eventKey(o)}
	case *controller:
		return e.controllerChanged(old, new)
	case *node:
		return e.nodeChanged(old, new)
	}
	return nil
}

func either(old, new any) any {
	if new != nil {
		return new
	}
	return old
}

func (e *engine) podChanged(old, new any) []key {
	before, wasQuiet := old.(*quietPod)
	after, isQuiet := new.(*quietPod)
	if wasQuiet && isQuiet {
		if !slices.Equal(before.containers, after.containers) {
			e.store.countRepositories(old, -1)
			e.store.countRepositories(new, 1)
		}
		return nil
	}
	e.store.countRepositories(old, -1)
	e.store.countRepositories(new, 1)
	if isQuiet && old == nil || wasQuiet && new == nil {
		return nil
	}
	switch o := either(old, new).(type) {
	case *quietPod:
		return []key{{"Pod", o.namespace, o.name}}
	case *corev1.Pod:
		return []key{{"Pod", o.Namespace, o.Name}}
	}
	return nil
}

func (e *engine) controllerChanged(old, new any) []key {
	before, _ := old.(*controller)
	after, _ := new.(*controller)
	c := after
	if c == nil {
		c = before
	}
	k := key{c.Kind, c.identity.namespace, c.identity.name}
	var keys []key
	// What failed a moment ago may be being judged just now, before the memory holds it.
	if after == nil || fails(before) || fails(after) || e.memory.holds(k) {
		keys = append(keys, k)
	}
	if before == nil || after == nil || before.Satisfied() != after.Satisfied() {
		keys = append(keys, e.finishedPods(k)...)
	}
	return keys
}

// fails says that a controller may have a failure.
func fails(c *controller) bool { return c != nil && (c.Missing() > 0 || c.Stalled()) }

// finishedPods are the pods of a workload that may wait to be replaced.
func (e *engine) finishedPods(k key) []key {
	if k.Kind == "Deployment" {
		return e.memory.podsOf(classify.Workload{Namespace: k.Namespace, Kind: k.Kind, Name: k.Name})
	}
	return e.store.unquietPods(byOwner, k.String())
}

func (e *engine) nodeChanged(old, new any) []key {
	before, _ := old.(*node)
	after, _ := new.(*node)
	switch {
	case before != nil && after != nil && before.Silent == after.Silent:
		return nil
	case after != nil:
		return e.store.unquietPods(byNode, after.identity.name)
	default:
		return e.store.unquietPods(byNode, before.identity.name)
	}
}
