// Package classify tells why pods do not run. It is pure: plain objects and a time go in, failures come out; it has
// no clock, does no I/O, and knows neither client-go nor Prometheus. Each family of causes is one file, which holds
// its rules beside the messages they were made for; catalogue.go reads the pages in causes/.
package classify

import "time"

//go:generate go run ./causes

// Options are the times that separate a failure from a normal start. The zero value waits for nothing.
type Options struct {
	// CrashHold is how long a container must run after a crash loop before it counts as recovered. The kubelet itself
	// forgets its back-off after ten minutes (kubernetes pkg/kubelet/kubelet.go, backOffPeriod and MaxCrashLoopBackOff).
	CrashHold time.Duration
	// ReadinessGrace is the least time that a running container may be not ready; its probe's own
	// initialDelaySeconds + periodSeconds × failureThreshold counts where that is longer.
	ReadinessGrace time.Duration
	// SchedulingGrace is how long a pod may be unschedulable before that is a failure.
	SchedulingGrace time.Duration
	// CreatingGrace is how long a pod may wait for volumes and network, or for the kubelet's own pull limit, before the
	// warnings about them are a failure: many of them heal within seconds.
	CreatingGrace time.Duration
	// CreatingTimeout is how long a pod may be ContainerCreating without any warning, and how long it may be pending
	// without any scheduler having looked at it.
	CreatingTimeout time.Duration
	// NodeGrace is how long a node may be not ready before its pods are lost. Until then nothing new is told of them: their
	// status is stale, and after an outage of the API server every node is not ready until its kubelet has reported again,
	// which takes a minute and more.
	NodeGrace time.Duration
	// TerminatingGrace is how long a pod may outlive its deletion grace period.
	TerminatingGrace time.Duration
	// OneLook is for a single look at a cluster: what the objects say is told at once, because nobody comes back to
	// look again. Only what has no evidence but the passing of time still waits.
	OneLook bool
}

// DefaultOptions returns the times that the exporter uses unless flags say otherwise.
func DefaultOptions() Options {
	return Options{
		CrashHold:        10 * time.Minute,
		ReadinessGrace:   30 * time.Second,
		SchedulingGrace:  10 * time.Second,
		CreatingGrace:    30 * time.Second,
		CreatingTimeout:  10 * time.Minute,
		NodeGrace:        2 * time.Minute,
		TerminatingGrace: 5 * time.Minute,
	}
}

// OneLookOptions returns the times for a single look at a cluster.
func OneLookOptions() Options {
	o := DefaultOptions()
	o.SchedulingGrace, o.CreatingGrace, o.ReadinessGrace, o.NodeGrace, o.OneLook = 0, 0, 0, 0, true
	return o
}

// Classifier holds the rules of all families. It is safe for concurrent use: nothing in it changes.
type Classifier struct {
	opts   Options
	image  []imageRule
	create table
	sched  []schedulePhrase
	volume table
	config table
	start  table
	words  table // an application's own last words
	probe  table
	pod    table
}

// New returns a classifier with the given times.
func New(opts Options) *Classifier {
	return &Classifier{
		opts:   opts,
		image:  imageRules(),
		create: createRules(),
		sched:  schedulePhrases(),
		volume: volumeRules(),
		config: configRules(),
		start:  startRules(),
		words:  wordsRules(),
		probe:  probeRules(),
		pod:    podRules(),
	}
}
