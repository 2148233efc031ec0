package collector

import (
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Family describes one metric: its name, what it means, and its labels.
type Family struct {
	Name, Type, Help string
	Labels           []string
	// Lifetime says in a sentence when the series exist.
	Lifetime string
}

// descriptions are the metrics of the contract. Their order is that of the documentation.
type descriptions struct {
	failure, start, initContainer, create, createStart, missing, quotaBlocked, quotaController, quotaRequested, quotaUsed, quotaHard,
	rollout, desired, ready, cause, synced, held, dropped *prometheus.Desc
	families []Family
}

func newDescriptions() *descriptions {
	d := &descriptions{}
	add := func(name, help, lifetime string, labels ...string) *prometheus.Desc {
		d.families = append(d.families, Family{Name: name, Type: "gauge", Help: help, Labels: labels, Lifetime: lifetime})
		return prometheus.NewDesc(name, help, labels, nil)
	}
	d.failure = add("pod_failure_reason", "Why a container, or with an empty container a pod as a whole, does not run or is not ready. Always 1.",
		"While the container fails. One cause a container; the labels stay the same until another cause is told.",
		"namespace", "pod", "container", "node", "workload_kind", "workload", "family", "reason", "cause")
	d.start = add("pod_failure_start_time_seconds", "Since when the container or pod fails, in seconds since the epoch.",
		"As pod_failure_reason.", "namespace", "pod", "container")
	d.initContainer = add("pod_failure_init_container",
		"Which failing containers stand in the pod's list of init containers: commands that change them must name it. Always 1.",
		"While an init container, or a sidecar among them, fails.", "namespace", "pod", "container")
	d.create = add("pod_create_failure_reason", "Why a controller cannot create its pods. Always 1.",
		"While pods are missing: from the first refusal until the controller has its pods, is scaled down, or is gone.",
		"namespace", "controller_kind", "controller", "workload_kind", "workload", "reason", "cause")
	d.createStart = add("pod_create_failure_start_time_seconds", "Since when a controller cannot create its pods, in seconds since the epoch.",
		"As pod_create_failure_reason.", "namespace", "controller_kind", "controller")
	d.missing = add("pod_create_failure_missing_pods", "Pods that a controller wants and cannot create.",
		"As pod_create_failure_reason.", "namespace", "controller_kind", "controller")
	d.quotaBlocked = add("quota_blocked_replicasets", "ReplicaSets that a ResourceQuota keeps from creating pods.",
		"Always, for every ResourceQuota; 0 for one that blocks none.", "namespace", "resourcequota")
	d.quotaController = add("quota_blocked_controller",
		"Which ResourceQuota keeps a controller from creating its pods: it has no room, or demands what they do not say. Always 1.",
		"As pod_create_failure_reason, while the quota is why.", "namespace", "resourcequota", "controller_kind", "controller", "workload_kind", "workload")
	d.quotaRequested = add("quota_blocked_requested", "What one more pod asks of a resource that a quota refuses, in base units (cores, bytes).",
		"As quota_blocked_controller.", "namespace", "resourcequota", "resource", "controller_kind", "controller")
	d.quotaUsed = add("quota_blocked_used", "What is taken of a resource that a quota refuses, in base units (cores, bytes).",
		"While the quota blocks any controller.", "namespace", "resourcequota", "resource")
	d.quotaHard = add("quota_blocked_hard", "What a quota allows of a resource that it refuses, in base units (cores, bytes).",
		"While the quota blocks any controller.", "namespace", "resourcequota", "resource")
	d.rollout = add("rollout_stalled_reason",
		"Why a Deployment's rollout exceeded its progress deadline: the root cause of its pods where one is known. Always 1.",
		"From the deadline until the rollout makes progress again.", "namespace", "workload_kind", "workload", "reason", "cause")
	d.desired = add("workload_desired_pods", "Pods that a workload with a failure wants.", "While a failure of the workload has series.",
		"namespace", "workload_kind", "workload")
	d.ready = add("workload_ready_pods",
		"Ready pods of a workload with a failure, those aside that fail all the same: in a crash loop between two crashes, or deleted and not gone.",
		"As workload_desired_pods.",
		"namespace", "workload_kind", "workload")
	d.cause = add("pod_failure_cause_info", "What is known of a cause, for joins in dashboards. Always 1.", "Always, one for each cause.",
		"cause", "family", "severity", "summary", "fix", "runbook_url")
	d.synced = add("kube_failure_exporter_cache_synced",
		"Whether every cache has synced and was judged once. Nothing about failures is served before.", "Always.")
	d.held = add("kube_failure_exporter_failures", "Failures that are held now, those that the limit drops included.", "Once synced.")
	d.dropped = add("kube_failure_exporter_dropped_failures", "Failures without series of their own because of --metrics.max-failures.", "Once synced.")
	return d
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		c.descs.failure, c.descs.start, c.descs.initContainer, c.descs.create, c.descs.createStart, c.descs.missing, c.descs.quotaBlocked,
		c.descs.quotaController, c.descs.quotaRequested, c.descs.quotaUsed, c.descs.quotaHard, c.descs.rollout, c.descs.desired, c.descs.ready,
		c.descs.cause, c.descs.synced, c.descs.held, c.descs.dropped,
	} {
		ch <- desc
	}
}

// scrape writes the series of one scrape.
type scrape struct {
	d  *descriptions
	ch chan<- prometheus.Metric
}

func (s *scrape) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	for i, label := range labels {
		labels[i] = strings.ToValidUTF8(label, "\ufffd") // anything else is a panic at scrape
	}
	s.ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// Collect implements prometheus.Collector: const metrics from what fails now, so that no series outlives its failure.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := &scrape{d: c.descs, ch: ch}
	c.collectCauses(s)
	if !c.Ready() {
		s.gauge(c.descs.synced, 0)
		return
	}
	s.gauge(c.descs.synced, 1)
	snapshot := c.Snapshot()
	shown := snapshot.Failures[:min(len(snapshot.Failures), c.opts.MaxFailures)]
	s.gauge(c.descs.held, float64(len(snapshot.Failures)))
	s.gauge(c.descs.dropped, float64(len(snapshot.Failures)-len(shown)))
	for i := range shown {
		s.failure(&shown[i])
	}
	s.workloads(shown, snapshot.Workloads)
	s.quotas(snapshot.Failures, c.engine.store)
}

// workloads writes the pods of the workloads whose failures are shown: those of bare pods and Jobs are as many as the failures are.
func (s *scrape) workloads(shown []classify.Failure, pods map[classify.Workload]classify.Pods) {
	written := map[classify.Workload]bool{}
	for i := range shown {
		w := classify.WorkloadOf(&shown[i])
		of, known := pods[w]
		if !known || written[w] {
			continue
		}
		written[w] = true
		s.gauge(s.d.desired, float64(of.Desired), w.Namespace, w.Kind, w.Name)
		s.gauge(s.d.ready, float64(of.Ready), w.Namespace, w.Kind, w.Name)
	}
}

func (s *scrape) failure(f *classify.Failure) {
	since := float64(f.Since.UnixMilli()) / 1000
	switch {
	case f.Kind == "Pod":
		s.gauge(s.d.failure, 1, f.Namespace, f.Name, f.Container, f.Node, f.WorkloadKind, f.Workload, string(f.Family), f.Reason, string(f.Cause))
		s.gauge(s.d.start, since, f.Namespace, f.Name, f.Container)
		if f.Init {
			s.gauge(s.d.initContainer, 1, f.Namespace, f.Name, f.Container)
		}
	case f.Family == classify.FamilyRollout:
		s.gauge(s.d.rollout, 1, f.Namespace, f.WorkloadKind, f.Workload, f.Reason, string(f.Cause))
	default:
		s.gauge(s.d.create, 1, f.Namespace, f.Kind, f.Name, f.WorkloadKind, f.Workload, f.Reason, string(f.Cause))
		s.gauge(s.d.createStart, since, f.Namespace, f.Kind, f.Name)
		s.gauge(s.d.missing, float64(f.MissingPods), f.Namespace, f.Kind, f.Name)
		s.refusal(f)
	}
}

// refusal writes which quota refuses a controller's pods, and what one of them asks.
func (s *scrape) refusal(f *classify.Failure) {
	if !refusedByQuota(f) {
		return
	}
	s.gauge(s.d.quotaController, 1, f.Namespace, f.Quota.Name, f.Kind, f.Name, f.WorkloadKind, f.Workload)
	for _, r := range f.Quota.Resources {
		if r.Requested != nil && utf8.ValidString(r.Resource) {
			s.gauge(s.d.quotaRequested, r.Requested.AsApproximateFloat64(), f.Namespace, f.Quota.Name, r.Resource, f.Kind, f.Name)
		}
	}
}

// refusedByQuota says that a quota which has a name refuses a controller's pods.
func refusedByQuota(f *classify.Failure) bool {
	return f.Quota != nil && f.Quota.Name != "" && f.Kind != "Pod" && utf8.ValidString(f.Quota.Name)
}

func (c *Collector) collectCauses(s *scrape) {
	for _, page := range c.catalogue.Pages() {
		fix := ""
		if len(page.Fix) > 0 {
			fix = page.Fix[0]
		}
		s.gauge(c.descs.cause, 1, string(page.Cause), string(page.Family), page.Severity, page.Summary, fix, c.opts.RunbookURL+"/"+string(page.Cause)+".md")
	}
}

// quotaResource names one resource of a quota.
type quotaResource struct{ namespace, quota, resource string }

// figures are what a quota says of one resource.
type figures struct{ used, hard *resource.Quantity }

// quotas writes what quotas block, counted over all failures. Used and hard are the quota's own where it may be read, else the message's.
func (s *scrape) quotas(failures []classify.Failure, store *store) {
	type quotaKey struct{ namespace, name string }
	blocked := map[quotaKey]int{}
	refused := map[quotaResource]figures{}
	store.resourceQuotas(func(quota *corev1.ResourceQuota) { blocked[quotaKey{quota.Namespace, quota.Name}] += 0 })
	for i := range failures {
		f := &failures[i]
		if !refusedByQuota(f) {
			continue
		}
		if f.Kind == "ReplicaSet" {
			blocked[quotaKey{f.Namespace, f.Quota.Name}]++
		}
		for _, r := range f.Quota.Resources {
			if utf8.ValidString(r.Resource) {
				refused[quotaResource{f.Namespace, f.Quota.Name, r.Resource}] = figures{used: r.Used, hard: r.Hard}
			}
		}
	}
	for k, count := range blocked {
		s.gauge(s.d.quotaBlocked, float64(count), k.namespace, k.name)
	}
	store.resourceQuotas(func(quota *corev1.ResourceQuota) { quotaFigures(quota, refused) })
	for k, figure := range refused {
		if figure.used != nil {
			s.gauge(s.d.quotaUsed, figure.used.AsApproximateFloat64(), k.namespace, k.quota, k.resource)
		}
		if figure.hard != nil {
			s.gauge(s.d.quotaHard, figure.hard.AsApproximateFloat64(), k.namespace, k.quota, k.resource)
		}
	}
}

func quotaFigures(quota *corev1.ResourceQuota, refused map[quotaResource]figures) {
	for name, hard := range quota.Status.Hard {
		k := quotaResource{quota.Namespace, quota.Name, string(name)}
		if figure, ok := refused[k]; ok {
			figure.hard = &hard
			if used, ok := quota.Status.Used[name]; ok {
				figure.used = &used
			}
			refused[k] = figure
		}
	}
}

// Metrics returns the description of every metric, for the documentation.
func Metrics() []Family {
	return append(append(newDescriptions().families, selfFamilies()...), clockFamily())
}
