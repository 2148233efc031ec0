package collector

import (
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Names of the indexes.
const (
	byNamespace = cache.NamespaceIndex
	byNode      = "node"   // pods that are not quiet, by their node
	byOwner     = "owner"  // pods that are not quiet, by Kind/namespace/name of their controller
	byObject    = "object" // events, by Kind/namespace/name of what they are about
)

// store joins the caches of all watches. Every lookup is by namespace or by an index, never over everything.
type store struct {
	pods, events, controllers, quotas, nodes []cache.Indexer
	// nodesKnown is false while nodes may not be read: then rule S6 is off.
	nodesKnown func() bool

	mu           sync.RWMutex
	repositories map[string]int // registry/repository → containers that run an image pulled from there
}

func newStore() *store {
	return &store{repositories: map[string]int{}, nodesKnown: func() bool { return true }}
}

// indexers returns the indexes that the cache of a resource has.
func indexers(resource Resource) cache.Indexers {
	switch resource.Name {
	case "pods":
		return cache.Indexers{byNamespace: cache.MetaNamespaceIndexFunc, byNode: podNode, byOwner: podOwner}
	case "events":
		return cache.Indexers{byObject: eventObject}
	}
	return cache.Indexers{}
}

func podNode(object any) ([]string, error) {
	if pod, ok := object.(*corev1.Pod); ok && pod.Spec.NodeName != "" {
		return []string{pod.Spec.NodeName}, nil
	}
	return nil, nil
}

func podOwner(object any) ([]string, error) {
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return nil, nil
	}
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		return []string{key{owner.Kind, pod.Namespace, owner.Name}.String()}, nil
	}
	return nil, nil
}

func eventObject(object any) ([]string, error) {
	if event, ok := object.(*corev1.Event); ok {
		return []string{eventKey(event).String()}, nil
	}
	return nil, nil
}

func eventKey(event *corev1.Event) key {
	about := &event.InvolvedObject
	return key{Kind: about.Kind, Namespace: about.Namespace, Name: about.Name}
}

// add puts a cache of a resource into the store.
func (s *store) add(resource Resource, indexer cache.Indexer) {
	switch resource.Name {
	case "pods":
		s.pods = append(s.pods, indexer)
	case "events":
		s.events = append(s.events, indexer)
	case "resourcequotas":
		s.quotas = append(s.quotas, indexer)
	case "nodes":
		s.nodes = append(s.nodes, indexer)
	default:
		s.controllers = append(s.controllers, indexer)
	}
}

// pod returns what the cache holds for a pod: a *corev1.Pod, a *quietPod, or nil.
func (s *store) pod(namespace, name string) any {
	for _, indexer := range s.pods {
		if object, exists, err := indexer.GetByKey(namespace + "/" + name); err == nil && exists {
			return object
		}
	}
	return nil
}

// controller returns a ReplicaSet, Deployment, StatefulSet, DaemonSet or Job, nil where it is not known.
func (s *store) controller(kind, namespace, name string) *classify.Controller {
	for _, indexer := range s.controllers {
		if object, exists, err := indexer.GetByKey(namespace + "/" + name); err == nil && exists {
			if c, ok := object.(*controller); ok && c.Kind == kind {
				return &c.Controller
			}
		}
	}
	return nil
}

// eventsAbout returns the events about an object.
func (s *store) eventsAbout(k key) []*corev1.Event {
	var events []*corev1.Event
	for _, indexer := range s.events {
		objects, err := indexer.ByIndex(byObject, k.String())
		if err != nil {
			continue
		}
		for _, object := range objects {
			if event, ok := object.(*corev1.Event); ok {
				events = append(events, event)
			}
		}
	}
	return events
}

// node returns a node's readiness, nil where nodes may not be read or the node is not there.
func (s *store) node(name string) *classify.Node {
	if name == "" || !s.nodesKnown() {
		return nil
	}
	for _, indexer := range s.nodes {
		if object, exists, err := indexer.GetByKey(name); err == nil && exists {
			if n, ok := object.(*node); ok {
				return &n.Node
			}
		}
	}
	return nil
}

// podsOf counts the pods of a workload; a pod that nobody made is a workload of one.
func (s *store) podsOf(w classify.Workload) (pods classify.Pods, known bool) {
	if w.Kind != "Pod" {
		c := s.controller(w.Kind, w.Namespace, w.Name)
		if c == nil {
			return pods, false
		}
		return classify.Pods{Desired: c.Desired, Ready: c.Ready}, true
	}
	pods.Desired = 1
	switch pod := s.pod(w.Namespace, w.Name).(type) {
	case *quietPod:
		pods.Ready = 1
	case *corev1.Pod:
		if isReady(pod) {
			pods.Ready = 1
		}
	default:
		return pods, false
	}
	return pods, true
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// unquietPods returns the keys of the pods in an index that are not fine.
func (s *store) unquietPods(index, value string) []key {
	var keys []key
	for _, indexer := range s.pods {
		objects, err := indexer.ByIndex(index, value)
		if err != nil {
			continue
		}
		for _, object := range objects {
			if pod, ok := object.(*corev1.Pod); ok {
				keys = append(keys, key{"Pod", pod.Namespace, pod.Name})
			}
		}
	}
	return keys
}

// newestPod is when the newest pod of a controller was created. It looks through a namespace, so it is asked only for
// controllers with a refused pod.
func (s *store) newestPod(c *classify.Controller) time.Time {
	var newest time.Time
	for _, indexer := range s.pods {
		objects, err := indexer.ByIndex(byNamespace, c.Namespace)
		if err != nil {
			continue
		}
		for _, object := range objects {
			if at, ok := createdBy(object, c); ok && at.After(newest) {
				newest = at
			}
		}
	}
	return newest
}

func createdBy(object any, c *classify.Controller) (time.Time, bool) {
	switch pod := object.(type) {
	case *quietPod:
		return time.Unix(pod.created, 0), pod.ownerKind == c.Kind && pod.ownerName == c.Name
	case *corev1.Pod:
		owner := metav1.GetControllerOfNoCopy(pod)
		return pod.CreationTimestamp.Time, owner != nil && owner.Kind == c.Kind && owner.Name == c.Name
	}
	return time.Time{}, false
}

// resourceQuotas visits all quotas.
func (s *store) resourceQuotas(visit func(*corev1.ResourceQuota)) {
	for _, indexer := range s.quotas {
		for _, object := range indexer.List() {
			if quota, ok := object.(*corev1.ResourceQuota); ok {
				visit(quota)
			}
		}
	}
}

// repositoryExists says that some container runs an image that was pulled from registry/repository.
func (s *store) repositoryExists(repository string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.repositories[repository] > 0
}

// countRepositories adds (by 1) or takes away (by -1) the repositories that a pod's containers prove.
func (s *store) countRepositories(object any, by int) {
	count := func(repository string) {
		if repository == "" {
			return
		}
		if s.repositories[repository] += by; s.repositories[repository] <= 0 {
			delete(s.repositories, repository)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch pod := object.(type) {
	case *quietPod:
		for i := range pod.containers {
			count(pod.containers[i].repository)
		}
	case *corev1.Pod:
		eachStatus(pod, func(status *corev1.ContainerStatus) { count(pulledRepository(status)) })
	}
}

// workloadOf finds what a person edits above a controller: the Deployment above a ReplicaSet, the CronJob above a Job.
func (s *store) workloadOf(kind, namespace, name, hash string) (workloadKind, workload string) {
	switch kind {
	case "ReplicaSet", "Job":
		if c := s.controller(kind, namespace, name); c != nil {
			if c.OwnerKind != "" {
				return c.OwnerKind, c.OwnerName
			}
			return kind, name
		}
	}
	if kind == "ReplicaSet" && hash != "" {
		// The ReplicaSet is not known (yet, or for lack of a right): its name is the Deployment's with the hash behind it.
		if deployment, ok := strings.CutSuffix(name, "-"+hash); ok {
			return "Deployment", deployment
		}
	}
	return kind, name
}

// podWorkload finds the workload of a pod.
func (s *store) podWorkload(pod *corev1.Pod) (kind, name string) {
	owner := metav1.GetControllerOfNoCopy(pod)
	if owner == nil {
		return "Pod", pod.Name
	}
	return s.workloadOf(owner.Kind, pod.Namespace, owner.Name, pod.Labels[templateHash])
}
