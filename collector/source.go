package collector

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// Resource is one thing that is watched. Watching it needs the rights get, list and watch on it and nothing else.
type Resource struct {
	// Group and Name are those of the API: apps, replicasets.
	Group, Name string
	// Selector picks objects by their fields; empty for all. Two watches may have the same resource.
	Selector string
	// Required resources must be readable; without one of the others the exporter tells less, and says so.
	Required bool
	// Lost says what is not told without the resource.
	Lost string

	example    runtime.Object
	clusterled bool
}

// Resources returns everything that is watched. The RBAC rules and the documentation are made from this list.
func Resources() []Resource {
	return []Resource{
		{Name: "pods", Required: true, example: &corev1.Pod{}},
		{Name: "events", Selector: "type=Warning", example: &corev1.Event{},
			Lost: "causes that only events tell: probes, volumes, and creation failures of StatefulSets, DaemonSets and Jobs"},
		{Name: "events", Selector: "reason=Killing", example: &corev1.Event{}, Lost: "that a probe killed a container"},
		{Group: "apps", Name: "replicasets", example: &appsv1.ReplicaSet{}, Lost: "creation failures, and which Deployment a pod belongs to"},
		{Group: "apps", Name: "deployments", example: &appsv1.Deployment{}, Lost: "stalled rollouts, and how many pods a Deployment wants"},
		{Group: "apps", Name: "statefulsets", example: &appsv1.StatefulSet{}, Lost: "creation failures of StatefulSets"},
		{Group: "apps", Name: "daemonsets", example: &appsv1.DaemonSet{}, Lost: "creation failures of DaemonSets"},
		{Group: "batch", Name: "jobs", example: &batchv1.Job{}, Lost: "creation failures of Jobs, and which CronJob a pod belongs to"},
		{Name: "resourcequotas", example: &corev1.ResourceQuota{}, Lost: "what a quota holds now"},
		{Name: "nodes", example: &corev1.Node{}, clusterled: true, Lost: "that a pod's node does not report (rule S6)"},
	}
}

// Label names the watch in metrics and logs.
func (r Resource) Label() string {
	switch r.Selector {
	case "":
		return r.Name
	case "reason=Killing":
		return r.Name + " (Killing)"
	}
	return r.Name + " (Warning)"
}

// Source gives what informers need to list and watch a resource in a namespace; empty means all.
type Source interface {
	ListerWatcher(resource Resource, namespace string, selector fields.Selector) cache.ListerWatcher
}

// Cluster is the source that reads a Kubernetes API server.
type Cluster struct{ client kubernetes.Interface }

// NewCluster returns the source for a cluster, whose answers set the clock. It asks for protobuf, which costs a fraction of JSON.
func NewCluster(config *rest.Config, clock *Clock) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.Wrap(clock.Follow)
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return &Cluster{client: client}, nil
}

// ListerWatcher implements Source. Lists are streamed where the API server can (WatchList), so that no list is held whole; else
// client-go asks for a plain one, which watched.paged takes in pages.
func (c *Cluster) ListerWatcher(resource Resource, namespace string, selector fields.Selector) cache.ListerWatcher {
	client := c.client.CoreV1().RESTClient()
	switch resource.Group {
	case "apps":
		client = c.client.AppsV1().RESTClient()
	case "batch":
		client = c.client.BatchV1().RESTClient()
	}
	lw := cache.NewFilteredListWatchFromClient(brief{client}, resource.Name, namespace, selectFields(selector))
	return cache.ToListWatcherWithWatchListSemantics(lw, c.client)
}

// retries is how often a request is sent again where the API server asks for that, or the connection breaks. client-go does so ten
// times, each after up to half a minute, and tells nobody; an informer tries again by itself.
const retries = 3

// brief is a client whose reads give up after a few retries, so that what is wrong is soon known.
type brief struct{ rest.Interface }

// Get implements cache.Getter.
func (b brief) Get() *rest.Request { return b.Interface.Get().MaxRetries(retries) }
