package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/term"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// runDiagnose looks once, at files or at the cluster.
func (a *app) runDiagnose(ctx context.Context) error {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		return err
	}
	times := classify.OneLookOptions()
	times.CrashHold, times.CreatingTimeout, times.TerminatingGrace = a.times.CrashHold, a.times.CreatingTimeout, a.times.TerminatingGrace
	a.serve.maxFailures = 1 // no series are made
	watch := a.options(slog.New(slog.DiscardHandler), times, time.Now)
	if err := watch.Validate(); err != nil {
		return err // files are looked at by the same rules as a cluster
	}
	var snapshot classify.Snapshot
	options := report.Options{Colour: a.colour(), Width: a.width()}
	if len(a.diagnose.files) > 0 {
		snapshot, options.Looked, err = a.lookAtFiles(catalogue, times)
	} else {
		snapshot, options.Looked, err = a.lookAtCluster(ctx, catalogue, watch)
	}
	if err != nil {
		return err
	}
	snapshot.Failures = slices.DeleteFunc(snapshot.Failures, func(f classify.Failure) bool { return !a.wanted(f.Namespace) })
	if err := report.Write(a.stdout, a.diagnose.format, snapshot, catalogue, options); err != nil {
		return err
	}
	if len(snapshot.Failures) > 0 {
		return errFound
	}
	return nil
}

// wanted says that the namespace flags ask for a namespace.
func (a *app) wanted(namespace string) bool {
	if len(a.namespaces) > 0 {
		return slices.Contains(a.namespaces, namespace)
	}
	return !slices.Contains(a.ignored, namespace)
}

func (a *app) lookAtFiles(catalogue *classify.Catalogue, times classify.Options) (s classify.Snapshot, looked string, err error) {
	objects, err := collector.ReadObjects(a.diagnose.files, a.stdin)
	if err != nil {
		return s, "", err
	}
	a.saySkipped(objects.Skipped)
	now := objects.Newest
	if a.diagnose.now != "" {
		if now, err = time.Parse(time.RFC3339, a.diagnose.now); err != nil {
			return s, "", fmt.Errorf("--now: give a time such as %s: %w", time.Now().UTC().Format(time.RFC3339), err)
		}
	}
	pods, controllers, events := objects.Counts()
	s, err = collector.Diagnose(objects, catalogue, times, now)
	return s, fmt.Sprintf("%d pods, %d controllers, %d events", pods, controllers, events), err
}

// saySkipped tells on stderr which kinds say nothing about failures.
func (a *app) saySkipped(skipped map[string]int) {
	if len(skipped) == 0 {
		return
	}
	kinds := make([]string, 0, len(skipped))
	for _, kind := range slices.Sorted(maps.Keys(skipped)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", skipped[kind], kind))
	}
	fmt.Fprintf(a.stderr, "Skipped, as they say nothing about failures: %s\n", strings.Join(kinds, ", "))
}

func (a *app) lookAtCluster(
	ctx context.Context, catalogue *classify.Catalogue, watch collector.Options,
) (s classify.Snapshot, looked string, err error) {
	if a.diagnose.now != "" {
		return s, "", errors.New("--now is for files (-f): a cluster is looked at as it is now")
	}
	clock := collector.NewClock(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	source, err := a.source(clock)
	if err != nil {
		return s, "", withHint(err, "name one with --kubeconfig, or give files with -f")
	}
	a.clientLog(slog.New(slog.DiscardHandler)) // what cannot be seen is in the notes and the error
	ctx, cancel := context.WithTimeout(ctx, a.diagnose.timeout)
	defer cancel()
	watch.Now = clock.Now
	s, notes, err := collector.Look(ctx, source, catalogue, watch)
	for _, note := range notes {
		fmt.Fprintln(a.stderr, note)
	}
	return s, "the cluster", err
}

// runExplain shows a page of the catalogue, or the list of all.
func (a *app) runExplain(context.Context) error {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		return err
	}
	if a.explain.cause != "" {
		page, err := report.Find(catalogue, a.explain.cause)
		if err != nil {
			return err
		}
		return report.Explain(a.stdout, page, a.colour())
	}
	for _, page := range catalogue.Pages() {
		if _, err := fmt.Fprintf(a.stdout, "%-9s %-29s %s\n", page.Family, page.Cause, page.Summary); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
	return nil
}

// colour says whether the output is a terminal that shows colours, or the flag wants them.
func (a *app) colour() bool {
	switch a.diagnose.colour {
	case "always":
		return true
	case "never":
		return false
	}
	file, ok := a.stdout.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(file.Fd()))
}

// width is the terminal's, 0 where the output is none.
func (a *app) width() int {
	if file, ok := a.stdout.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}
