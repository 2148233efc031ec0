package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Collector watches a cluster and shows what fails as metrics.
type Collector struct {
	opts      Options
	engine    *engine
	catalogue *classify.Catalogue
	self      *selfMetrics
	descs     *descriptions

	queue     workqueue.TypedDelayingInterface[key]
	informers []watching
	watches   []*watchState
	started   time.Time
	ready     atomic.Bool
}

// watching is an informer, and how its watch stands.
type watching struct {
	cache.SharedIndexInformer
	namespace string
	handled   cache.InformerSynced // whether the handlers have seen the first list
	state     *watchState
}

// New returns a collector that reads from a source once it runs. Its own metrics are registered with registerer; the
// failures are shown by the collector itself, which the caller registers.
func New(source Source, opts Options, catalogue *classify.Catalogue, registerer prometheus.Registerer) (*Collector, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	c := &Collector{
		opts: opts, catalogue: catalogue, self: newSelfMetrics(registerer), descs: newDescriptions(), started: opts.Now(),
		queue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[key]{Name: "failures"}),
	}
	c.engine = &engine{
		store: newStore(), classifier: classify.New(opts.Classify), memory: newMemory(catalogue, opts.Classify),
		unclassified: func(family classify.Family) { c.self.unclassified.WithLabelValues(string(family)).Inc() },
	}
	c.engine.memory.setStarting(true)
	for _, resource := range Resources() {
		if err := c.watch(source, resource); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// watch makes the informers of a resource: one for all namespaces, or one for each.
func (c *Collector) watch(source Source, resource Resource) error {
	state := newWatchState(resource, c.self, c.opts.Logger.With("component", "watch"))
	state.spared = resource.clusterled && len(c.opts.Namespaces) > 0
	c.watches = append(c.watches, state)
	namespaces := slices.Compact(slices.Sorted(slices.Values(c.opts.Namespaces)))
	if len(namespaces) == 0 || resource.clusterled {
		namespaces = []string{metav1.NamespaceAll}
	}
	for _, namespace := range namespaces {
		selector, err := c.selector(resource)
		if err != nil {
			return err
		}
		lw := newWatched(source.ListerWatcher(resource, namespace, selector), namespace, state, c.transform(resource))
		informer := cache.NewSharedIndexInformer(lw, resource.example, 0, indexers(resource))
		handled, err := c.prepare(informer, state)
		if err != nil {
			return fmt.Errorf("preparing the informer of %s: %w", resource.Name, err)
		}
		c.engine.store.add(resource, informer.GetIndexer())
		c.informers = append(c.informers, watching{informer, namespace, handled, state})
	}
	if resource.clusterled {
		c.engine.store.nodesKnown = func() bool { forbidden, _ := state.trouble(); return !forbidden }
	}
	return nil
}

// selector joins the resource's own selector with the namespaces to leave out.
func (c *Collector) selector(resource Resource) (fields.Selector, error) {
	selector, err := fields.ParseSelector(resource.Selector)
	if err != nil {
		return nil, fmt.Errorf("the selector of %s: %w", resource.Name, err)
	}
	if resource.clusterled {
		return selector, nil
	}
	var terms []fields.Selector
	if !selector.Empty() {
		terms = append(terms, selector)
	}
	for _, namespace := range c.opts.IgnoreNamespaces {
		terms = append(terms, fields.OneTermNotEqualSelector("metadata.namespace", namespace))
	}
	return fields.AndSelectors(terms...), nil
}

func (c *Collector) prepare(informer cache.SharedIndexInformer, state *watchState) (cache.InformerSynced, error) {
	err := errors.Join(
		informer.SetTransform(c.transform(state.resource)),
		informer.SetWatchErrorHandlerWithContext(state.broken),
	)
	registration, handlerErr := informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, initial bool) {
			state.count(1)
			c.handle(nil, object, initial)
		},
		UpdateFunc: func(old, new any) { c.handle(old, new, false) },
		DeleteFunc: func(object any) {
			if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
				object = last.Obj
			}
			state.count(-1)
			c.handle(object, nil, false)
		},
	})
	if err = errors.Join(err, handlerErr); err != nil {
		return nil, err
	}
	return registration.HasSynced, nil
}

func (c *Collector) transform(resource Resource) cache.TransformFunc {
	switch resource.Name {
	case "pods":
		return podTransform(c.engine.classifier, c.opts.Now)
	case "events":
		return eventTransform
	case "resourcequotas":
		return quotaTransform
	case "nodes":
		return nodeTransform
	}
	return controllerTransform
}

// handle marks what a change touches; the judging is done by one worker, which sees the latest state only.
func (c *Collector) handle(old, new any, initial bool) {
	for _, k := range c.engine.changed(old, new) {
		c.queue.Add(k)
	}
	pod, ok := new.(*corev1.Pod)
	if !ok || initial || old == nil && !pod.CreationTimestamp.After(c.started) {
		return
	}
	if ends := endsBetween(old, pod); len(ends) > 0 {
		c.engine.countEnds(pod, ends, c.opts.Now(), func(labels [5]string, n int32) {
			c.self.terminations.WithLabelValues(labels[:]...).Add(float64(n))
		})
	}
}

// stopWithin is how long the end of Run waits for watches to stop: while the API server cannot be reached, client-go
// sleeps up to a minute between two tries, and nothing wakes it.
const stopWithin = 2 * time.Second

// Run watches until the context is done. It returns when everything it started has stopped, or only sleeps.
func (c *Collector) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, informer := range c.informers {
		running.Go(func() { informer.RunWithContext(ctx) })
	}
	running.Go(func() {
		<-ctx.Done()
		c.queue.ShutDown()
	})
	begin := time.Now()
	if c.waitForCaches(ctx) {
		c.opts.Logger.Info("Caches have synced", "took", time.Since(begin).Round(time.Millisecond))
		c.queue.Add(key{}) // behind everything that the first lists brought
		c.work(ctx)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		running.Wait()
	}()
	select {
	case <-stopped:
	case <-time.After(stopWithin):
	}
	c.opts.Logger.Info("Stopped watching")
}

// waitForCaches waits until every resource was listed once, those aside that may not be read and need not be.
func (c *Collector) waitForCaches(ctx context.Context) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if c.synced() {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

func (c *Collector) synced() bool {
	for _, informer := range c.informers {
		if !informer.handled() && !informer.state.dispensable(informer.namespace) {
			return false
		}
	}
	return true
}

// work judges objects until the context is done; what waits in the queue then is left, since nobody will ask for it. The empty
// key comes behind everything of the first lists; the second one comes behind the rollouts that were judged again because their
// pods have told a cause.
func (c *Collector) work(ctx context.Context) {
	for marks := 0; ; {
		k, stopped := c.queue.Get()
		if stopped || ctx.Err() != nil {
			return
		}
		if k != (key{}) {
			c.judge(k)
		} else if marks++; marks < 2 {
			c.queue.Add(k)
		} else {
			c.engine.memory.setStarting(false)
			c.ready.Store(true)
		}
		c.queue.Done(k)
	}
}

func (c *Collector) judge(k key) {
	begin := time.Now()
	now := c.opts.Now()
	result := c.engine.judge(k, now)
	for _, next := range result.next {
		c.queue.Add(next)
	}
	if !result.again.IsZero() {
		c.queue.AddAfter(k, max(result.again.Sub(now), 10*time.Millisecond))
	}
	c.self.judge.Observe(time.Since(begin).Seconds())
}

// Ready says whether every cache has synced and everything in it was judged once.
func (c *Collector) Ready() bool { return c.ready.Load() }

// Notes say, in sentences for people, what may not or cannot be seen now.
func (c *Collector) Notes() []string {
	var notes []string
	for _, state := range c.watches {
		if note := state.note(); note != "" {
			notes = append(notes, note)
		}
	}
	return notes
}

// Snapshot returns what fails now, with the pods of the workloads concerned.
func (c *Collector) Snapshot() classify.Snapshot {
	return c.engine.snapshot(c.opts.Now())
}

func (e *engine) snapshot(now time.Time) classify.Snapshot {
	s := classify.Snapshot{At: now, Failures: e.memory.failures(), Workloads: map[classify.Workload]classify.Pods{}}
	for i := range s.Failures {
		w := classify.WorkloadOf(&s.Failures[i])
		if _, known := s.Workloads[w]; known {
			continue
		}
		if pods, known := e.podsOf(w); known {
			s.Workloads[w] = pods
		}
	}
	return s
}

// podsOf counts the pods of a workload. One that is ready and still failing, in a crash loop between two crashes or deleted and not
// gone, is not counted as ready (rule S2): what is asked is on how many pods the workload can rely.
func (e *engine) podsOf(w classify.Workload) (pods classify.Pods, known bool) {
	if pods, known = e.store.podsOf(w); !known || pods.Ready == 0 {
		return pods, known
	}
	for _, k := range e.memory.podsOf(w) {
		if pod, ok := e.store.pod(k.Namespace, k.Name).(*corev1.Pod); ok && isReady(pod) && countedBy(w.Kind, pod) {
			pods.Ready--
		}
	}
	pods.Ready = max(pods.Ready, 0) // the controller counts a moment later
	return pods, true
}

// countedBy says whether a workload's controller counts a pod that is ready: those of ReplicaSets and Jobs leave out what is being
// deleted, those of StatefulSets and DaemonSets do not (kubernetes pkg/controller/controller_utils.go, FilterActivePods).
func countedBy(kind string, pod *corev1.Pod) bool {
	switch kind {
	case "Deployment", "ReplicaSet", "Job":
		return pod.DeletionTimestamp == nil
	}
	return true
}

// Looked says how much is watched, for people.
func (c *Collector) Looked() string {
	counts := map[string]int64{}
	for _, state := range c.watches {
		counts[state.resource.Name] += state.objects.Load()
	}
	controllers := counts["replicasets"] + counts["statefulsets"] + counts["daemonsets"] + counts["jobs"] + counts["deployments"]
	return fmt.Sprintf("%d pods, %d controllers, %d events", counts["pods"], controllers, counts["events"])
}
