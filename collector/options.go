// Package collector watches a cluster and remembers what fails in it. Shared informers feed the pure classifier with
// whatever is not healthy; a memory holds the failures still while the kubelet's words change; a Prometheus collector
// shows them at scrape, so that a scrape costs as much as there are failures, whatever the number of pods.
package collector

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Options say what a collector watches and when it speaks.
type Options struct {
	// Namespaces are the ones to watch; empty means all.
	Namespaces []string
	// IgnoreNamespaces are left out where all are watched.
	IgnoreNamespaces []string
	// Classify are the graces and holds.
	Classify classify.Options
	// MaxFailures bounds the failures that have series of their own; aggregated series stay complete.
	MaxFailures int
	// RunbookURL is the base of the catalogue's pages, without a slash at its end.
	RunbookURL string
	// Logger is where the collector says what it cannot do. Required.
	Logger *slog.Logger
	// Now is the cluster's clock. Required.
	Now func() time.Time
}

// Validate returns an error that names the flag and says what is wrong with it.
func (o *Options) Validate() error {
	switch {
	case o.Logger == nil || o.Now == nil:
		return errors.New("a collector needs a logger and a clock")
	case o.MaxFailures <= 0:
		return fmt.Errorf("--metrics.max-failures must be at least 1, not %d", o.MaxFailures)
	case len(o.Namespaces) > 0 && len(o.IgnoreNamespaces) > 0:
		return errors.New("--namespace and --namespace-ignore cannot be used together: name the namespaces to watch, or those to leave out")
	}
	if slices.Contains(o.Namespaces, "") {
		return errors.New("--namespace must not be empty: leave it out to watch all namespaces")
	}
	if slices.Contains(o.IgnoreNamespaces, "") {
		return errors.New("--namespace-ignore must not be empty")
	}
	if err := errors.Join(checkNames("--namespace", o.Namespaces), checkNames("--namespace-ignore", o.IgnoreNamespaces)); err != nil {
		return err
	}
	for name, value := range map[string]time.Duration{
		"--crash.hold": o.Classify.CrashHold, "--readiness.grace": o.Classify.ReadinessGrace,
		"--scheduling.grace": o.Classify.SchedulingGrace, "--creating.grace": o.Classify.CreatingGrace,
		"--creating.timeout": o.Classify.CreatingTimeout, "--node.grace": o.Classify.NodeGrace, "--terminating.grace": o.Classify.TerminatingGrace,
	} {
		if value < 0 {
			return fmt.Errorf("%s must not be negative, not %s", name, value)
		}
	}
	return nil
}

// checkNames refuses what no namespace can be called: an API server would list nothing of it and call that no error.
func checkNames(flag string, namespaces []string) error {
	for _, name := range namespaces {
		if faults := validation.IsDNS1123Label(name); len(faults) > 0 {
			return fmt.Errorf("%s must be the name of a namespace, not %q; repeat the flag for several: %s", flag, name, strings.Join(faults, ", "))
		}
	}
	return nil
}
