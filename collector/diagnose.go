package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Diagnose tells what fails among objects that were read from files, at one time, with the rules that a running exporter
// uses.
func Diagnose(objects *Objects, catalogue *classify.Catalogue, opts classify.Options, now time.Time) (classify.Snapshot, error) {
	e := &engine{
		store: newStore(), classifier: classify.New(opts), memory: newMemory(catalogue, opts), unclassified: func(classify.Family) {},
	}
	keys, err := e.fill(objects, now)
	if err != nil {
		return classify.Snapshot{}, err
	}
	for _, k := range keys {
		for next := []key{k}; len(next) > 0; next = next[1:] {
			next = append(next, e.judge(next[0], now).next...)
		}
	}
	return e.snapshot(now), nil
}

// fill puts objects into caches as informers would, and returns what to judge: pods and controllers before the
// Deployments whose rollouts they explain.
func (e *engine) fill(objects *Objects, now time.Time) ([]key, error) {
	caches := map[string]cache.Indexer{}
	for _, resource := range Resources() {
		if caches[resource.Name] == nil {
			caches[resource.Name] = cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers(resource))
			e.store.add(resource, caches[resource.Name])
		}
	}
	var errs []error
	put := func(resource string, object any, transform func(any) (any, error)) {
		small, err := transform(object)
		if err == nil {
			err = caches[resource].Add(small)
		}
		errs = append(errs, err)
		e.store.countRepositories(small, 1)
	}
	var keys, deployments []key
	for _, pod := range objects.Pods {
		put("pods", pod, podTransform(e.classifier, func() time.Time { return now }))
		keys = append(keys, key{"Pod", pod.Namespace, pod.Name})
	}
	for _, event := range objects.Events {
		put("events", event, eventTransform)
	}
	for i := range objects.Controllers {
		c := objects.Controllers[i]
		put(controllerResource(c.Kind), &controller{identity: identity{namespace: c.Namespace, name: c.Name, uid: c.UID}, Controller: c}, keep)
		if k := (key{c.Kind, c.Namespace, c.Name}); c.Kind == "Deployment" {
			deployments = append(deployments, k)
		} else {
			keys = append(keys, k)
		}
	}
	for _, n := range objects.Nodes {
		put("nodes", n, nodeTransform)
	}
	for _, quota := range objects.Quotas {
		put("resourcequotas", quota, quotaTransform)
	}
	return append(keys, deployments...), errors.Join(errs...)
}

func keep(object any) (any, error) { return object, nil }

func controllerResource(kind string) string {
	switch kind {
	case "ReplicaSet":
		return "replicasets"
	case "Deployment":
		return "deployments"
	case "StatefulSet":
		return "statefulsets"
	case "DaemonSet":
		return "daemonsets"
	}
	return "jobs"
}

// Look tells what fails in a cluster now: it watches until everything was read and judged once. Notes say what it could
// not see. Pods that cannot be read are an error, whose text says what to grant.
func Look(ctx context.Context, source Source, catalogue *classify.Catalogue, opts Options) (s classify.Snapshot, notes []string, err error) {
	opts.Logger = slog.New(slog.DiscardHandler) // what cannot be seen is in the notes and the error
	c, err := New(source, opts, catalogue, prometheus.NewRegistry())
	if err != nil {
		return s, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(ctx)
	}()
	defer func() {
		cancel()
		<-done
	}()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !c.Ready() {
		select {
		case <-ctx.Done():
			return s, nil, c.notRead(ctx.Err())
		case <-tick.C:
			if forbidden, err := c.watches[0].trouble(); forbidden {
				return s, nil, fmt.Errorf("may not read pods; grant get, list and watch on them: %w", err)
			}
		}
	}
	return c.Snapshot(), c.Notes(), nil
}

// notRead says why the caches did not fill in time.
func (c *Collector) notRead(err error) error {
	for _, state := range c.watches {
		if last := state.unread(); last != nil {
			return fmt.Errorf("reading %s from the API server: %w", state.resource.Name, last)
		}
	}
	return fmt.Errorf("the API server did not answer in time: %w", err)
}

// Counts says how much was read, by the plural names of the kinds.
func (o *Objects) Counts() (pods, controllers, events int) {
	return len(o.Pods), len(o.Controllers), len(o.Events)
}
