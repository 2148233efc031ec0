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
	registry := prometheus.NewRegistry()
	source, now, err := a.serveSource(ctx, registry, logger)
	if err != nil {
		return err
	}
	options := a.options(logger, a.times, now)
	c, err := collector.New(source, options, catalogue, registry)
	if err != nil {
		return err
	}
	registry.MustRegister(c, versioncollector.NewCollector("kube_failure_exporter"),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	logger.Info("Starting kube-failure-exporter", "version", version.Info(), "build_context", version.BuildContext())
	handler := newHandler(c, catalogue, registry, a.serve.metricsPath, options.RunbookURL, logger)
	return a.serveUntilDone(ctx, c, handler, logger)
}

// serveSource is the cluster, or the recorded one of the demo, and its clock.
func (a *app) serveSource(
	ctx context.Context, registerer prometheus.Registerer, logger *slog.Logger,
) (source collector.Source, now func() time.Time, err error) {
	if a.serve.demo {
		if len(a.namespaces) > 0 || len(a.ignored) > 0 {
			return nil, nil, errors.New("--demo shows all of a recorded cluster: leave --namespace and --namespace-ignore out")
		}
		demo, err := collector.NewDemo(ctx, time.Now())
		if err != nil {
			return nil, nil, err
		}
		return demo, demo.Now, nil
	}
	clock := collector.NewClock(registerer, logger.With("component", "clock"))
	if source, err = a.source(clock); err != nil {
		return nil, nil, withHint(err, "name one with --kubeconfig, or try --demo, which needs no cluster")
	}
	return source, clock.Now, nil
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
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: newServerLog(logger)}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		logger.Info("Stopping")
		stopped <- shutDown(context.WithoutCancel(ctx), server)
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

// shutDown lets what is being scraped end; new scrapes go to the next instance. A connection on which nobody has asked anything, or
// does not read the answer, must not keep a pod from ending well.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, release := context.WithTimeout(ctx, 5*time.Second)
	defer release()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}
