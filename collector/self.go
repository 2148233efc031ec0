package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// selfMetrics are counted while the collector works: about itself, and the ends of containers.
type selfMetrics struct {
	terminations *prometheus.CounterVec
	watchErrors  *prometheus.CounterVec
	watchUp      *prometheus.GaugeVec
	objects      *prometheus.GaugeVec
	unclassified *prometheus.CounterVec
	judge        prometheus.Histogram
}

// selfFamilies describes selfMetrics, in the order of the struct.
func selfFamilies() []Family {
	return []Family{
		{
			Name: "container_terminations_total", Type: "counter", Lifetime: "From the first such end that the exporter saw.",
			Help:   "Ends of containers that nobody asked for, counted by restart counts so that none is lost between scrapes.",
			Labels: []string{"namespace", "workload_kind", "workload", "container", "cause"},
		},
		{
			Name: "kube_failure_exporter_watch_errors_total", Type: "counter", Lifetime: "Always.",
			Help:   "Lists and watches that failed, by reason. Expired ones cost a new list and lose nothing.",
			Labels: []string{"resource", "selector", "reason"},
		},
		{
			Name: "kube_failure_exporter_watch_up", Type: "gauge", Lifetime: "Always. With --namespace, that of nodes only where they may be read.",
			Help: "Whether a resource can be listed and watched. 0 means that less is told, or old news. " +
				"Throttling counts once it has lasted half a minute.",
			Labels: []string{"resource", "selector"},
		},
		{
			Name: "kube_failure_exporter_cached_objects", Type: "gauge", Lifetime: "Always.",
			Help: "Objects in the caches.", Labels: []string{"resource", "selector"},
		},
		{
			Name: "kube_failure_exporter_unclassified_messages_total", Type: "counter", Lifetime: "Always, for every family.",
			Help: "Failures that opened with a message which no rule knows.", Labels: []string{"family"},
		},
		{
			Name: "kube_failure_exporter_classify_duration_seconds", Type: "histogram", Lifetime: "Always.",
			Help: "Time to judge one object that is not healthy, or that was not.",
		},
	}
}

// newSelfMetrics registers the metrics. Children of closed label sets exist from the start.
func newSelfMetrics(registerer prometheus.Registerer) *selfMetrics {
	factory, families := promauto.With(registerer), selfFamilies()
	counter := func(f Family) *prometheus.CounterVec {
		return factory.NewCounterVec(prometheus.CounterOpts{Name: f.Name, Help: f.Help}, f.Labels)
	}
	gauge := func(f Family) *prometheus.GaugeVec {
		return factory.NewGaugeVec(prometheus.GaugeOpts{Name: f.Name, Help: f.Help}, f.Labels)
	}
	m := &selfMetrics{
		terminations: counter(families[0]), watchErrors: counter(families[1]), watchUp: gauge(families[2]), objects: gauge(families[3]),
		unclassified: counter(families[4]),
		judge: factory.NewHistogram(prometheus.HistogramOpts{
			Name: families[5].Name, Help: families[5].Help, Buckets: []float64{1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1},
		}),
	}
	for _, resource := range Resources() {
		m.watchUp.WithLabelValues(resource.Name, resource.Selector)
		m.objects.WithLabelValues(resource.Name, resource.Selector)
		for _, reason := range errorReasons() {
			m.watchErrors.WithLabelValues(resource.Name, resource.Selector, reason)
		}
	}
	for _, family := range classify.Families() {
		m.unclassified.WithLabelValues(string(family))
	}
	return m
}
