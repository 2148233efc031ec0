package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// runServe watches the cluster and serves until the context is done.
func (a *app) runServe(ctx context.Context) error {
	logger, err := a.logger()
	if err != nil {
		return err
	}
	a.clientLog(logger.With("component", "client-go"))
	if err := checkMetricsPath(a.serve.metricsPath); err != nil {
		return err
	}
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		return err
	}
	opts := a.options(logger, a.times)
	source, err := a.serveSource(ctx, &opts)
	if err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	c, err := collector.New(source, opts, catalogue, registry)
	if err != nil {
		return err
	}
	registry.MustRegister(c, versioncollector.NewCollector("kube_failure_exporter"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	logger.Info("Starting kube-failure-exporter", "version", version.Info(), "build_context", version.BuildContext())
	return a.serveUntilDone(ctx, c, newHandler(c, catalogue, registry, a.serve.metricsPath, logger), logger)
}

// serveSource is the cluster, or the recorded one of the demo.
func (a *app) serveSource(ctx context.Context, opts *collector.Options) (collector.Source, error) {
	if a.serve.demo {
		if len(a.namespaces) > 0 || len(a.ignored) > 0 {
			return nil, errors.New("--demo shows all of a recorded cluster: leave --namespace and --namespace-ignore out")
		}
		demo, err := collector.NewDemo(ctx, time.Now())
		if err != nil {
			return nil, err
		}
		opts.Now = demo.Now
		return demo, nil
	}
	source, err := a.source()
	if err != nil {
		return nil, withHint(err, "name one with --kubeconfig, or try --demo, which needs no cluster")
	}
	return source, nil
}

// withHint adds to an error what to do.
func withHint(err error, hint string) error { return fmt.Errorf("%w; %s", err, hint) }

// serveUntilDone runs the collector and the HTTP server, and stops both.
func (a *app) serveUntilDone(ctx context.Context, c *collector.Collector, handler http.Handler, logger *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		c.Run(ctx)
	}()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		logger.Info("Stopping")
		// What is being scraped may end; new scrapes go to the next instance.
		deadline, release := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer release()
		stopped <- server.Shutdown(deadline)
	}()
	err := web.ListenAndServe(server, a.serve.web, logger)
	cancel()
	<-watched
	if shutdownErr := <-stopped; errors.Is(err, http.ErrServerClosed) {
		err = shutdownErr
	}
	if err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
