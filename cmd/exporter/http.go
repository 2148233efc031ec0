package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// The endpoints beside the metrics.
const (
	pathHealthy = "/-/healthy"
	pathReady   = "/-/ready"
)

// plainPath matches paths without anything that http.ServeMux takes for a pattern, or that no URL holds as it is.
var plainPath = regexp.MustCompile(`^/[\w.~/-]*[\w.~-]$`)

// checkMetricsPath refuses what newHandler cannot serve.
func checkMetricsPath(metrics string) error {
	switch {
	case !plainPath.MatchString(metrics) || path.Clean(metrics) != metrics:
		return fmt.Errorf("--web.telemetry-path must be a path such as /metrics, not %q", metrics)
	case metrics == pathHealthy || metrics == pathReady:
		return fmt.Errorf("--web.telemetry-path must not be %s: something else is served there", metrics)
	}
	return nil
}

// newHandler returns the endpoints.
func newHandler(
	c *collector.Collector, catalogue *classify.Catalogue, registry *prometheus.Registry, metricsPath string, logger *slog.Logger,
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
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		page := report.Page{
			Version: version.Version, Catalogue: catalogue, Notes: c.Notes(), MetricsPath: metricsPath, Snapshot: c.Snapshot(), Looked: c.Looked(),
		}
		if !c.Ready() {
			page.Notes = append([]string{"The caches have not synced yet: what fails is shown in a moment."}, page.Notes...)
		}
		servePage(w, &page, logger)
	})
	return mux
}

// servePage writes the page as a whole, or an error and no half of it.
func servePage(w http.ResponseWriter, page *report.Page, logger *slog.Logger) {
	var body bytes.Buffer
	if err := page.Write(&body); err != nil {
		logger.Error("Cannot render the page", "err", err)
		http.Error(w, "cannot render the page; see the log", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", report.ContentSecurityPolicy())
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	_, _ = w.Write(body.Bytes()) // a reader who has left needs no page
}
