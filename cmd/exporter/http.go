package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// The endpoints beside the metrics.
const (
	pathHealthy = "/-/healthy"
	pathReady   = "/-/ready"
	pathCauses  = "/causes/"
	pathAPI     = "/api/v1/"
	// pathFailures has the pages of the workloads: namespace, kind and name follow.
	pathFailures = "/failures/"
)

// plainPath matches paths without anything that http.ServeMux takes for a pattern, or that no URL holds as it is.
var plainPath = regexp.MustCompile(`^/[\w.~/-]*[\w.~-]$`)

// checkMetricsPath refuses what newHandler cannot serve.
func checkMetricsPath(metrics string) error {
	switch {
	case !plainPath.MatchString(metrics) || path.Clean(metrics) != metrics:
		return fmt.Errorf("--web.telemetry-path must be a path such as /metrics, not %q", metrics)
	case metrics == pathHealthy || metrics == pathReady || strings.HasPrefix(metrics+"/", pathCauses),
		strings.HasPrefix(metrics+"/", pathFailures), strings.HasPrefix(metrics+"/", pathAPI):
		return fmt.Errorf("--web.telemetry-path must not be %s: something else is served there", metrics)
	}
	return nil
}

// newHandler returns the endpoints.
func newHandler(
	c *collector.Collector, catalogue *classify.Catalogue, registry *prometheus.Registry, metricsPath, runbookURL string, logger *slog.Logger,
) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, EnableOpenMetricsTextCreatedSamples: true, MaxRequestsInFlight: 5, Registry: registry,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelError), ErrorHandling: promhttp.HTTPErrorOnError,
	}))
	mux.HandleFunc("GET "+pathHealthy, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "kube-failure-exporter is healthy.")
	})
	mux.HandleFunc("GET "+pathReady, func(w http.ResponseWriter, _ *http.Request) {
		if !c.Ready() {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, "kube-failure-exporter is not ready: its caches have not synced.")
			for _, note := range c.Notes() {
				fmt.Fprintln(w, note)
			}
			return
		}
		fmt.Fprintln(w, "kube-failure-exporter is ready.")
	})
	large := make(turns, atOnce)
	p := pages{collector: c, catalogue: catalogue, metricsPath: metricsPath, logger: logger}
	for pattern, page := range map[string]http.HandlerFunc{
		"/{$}": p.landing, pathFailures + "{namespace}/{kind}/{workload}": p.workload, pathCauses + "{$}": p.causes, pathCauses + "{cause}": p.cause,
	} {
		mux.HandleFunc("GET "+pattern, large.limit(page, p.busy))
	}
	programs := api{collector: c, catalogue: catalogue, runbookURL: runbookURL, logger: logger}
	mux.HandleFunc("GET "+pathAPI+"failures", large.limit(programs.failures, programs.busy))
	mux.HandleFunc("GET "+pathAPI+"causes", programs.causes)
	return mux
}
