package e2e

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// The metrics that say that something fails.
const (
	metricPod     = "pod_failure_reason"
	metricStart   = "pod_failure_start_time_seconds"
	metricCreate  = "pod_create_failure_reason"
	metricRollout = "rollout_stalled_reason"
)

// The annotations of the manifests.
const (
	annotationExpect  = "expect"         // the cause to be told, of the pods or, on a controller, of their creation; empty: nothing
	annotationFamily  = "expect-family"  // beside expect
	annotationAfter   = "expect-after"   // how long it takes Kubernetes, or the exporter's graces, to get there
	annotationRollout = "expect-rollout" // the cause of the stalled rollout
	annotationQuota   = "expect-quota"   // NAME RESOURCE=REQUESTED/USED/HARD
	annotationDelete  = "delete"         // the runner deletes the object once it runs
	annotationCure    = "cure"           // see recovery/
)

// Workload names what a person edits, as the series do.
type Workload struct{ Namespace, Kind, Name string }

// String returns namespace/Kind/name.
func (w Workload) String() string { return w.Namespace + "/" + w.Kind + "/" + w.Name }

// Expectation is one thing that must be told of a workload.
type Expectation struct {
	Metric string
	Cause  classify.Cause
	Family string
	After  time.Duration
	May    bool // it may be told, and need not be
}

// Scenario is a workload and everything that must be told of it; all else is false.
type Scenario struct {
	Workload
	File   string
	Expect []Expectation
	Quota  *QuotaFigures
	Delete bool
	Cure   string
}

// QuotaFigures are the series of a quota that a workload exceeds.
type QuotaFigures struct {
	Quota, Resource       string
	Requested, Used, Hard float64
}

// Scenarios finds the workloads among the objects, in their order.
func Scenarios(objects []Object) ([]Scenario, error) {
	var scenarios []Scenario
	for _, object := range objects {
		template := templateAnnotations(object.Unstructured)
		if template == nil {
			continue
		}
		s := Scenario{
			Workload: Workload{object.GetNamespace(), object.GetKind(), object.GetName()}, File: object.File,
			Delete: object.GetAnnotations()[annotationDelete] != "", Cure: object.GetAnnotations()[annotationCure],
		}
		if err := s.read(object.GetAnnotations(), template); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", object.File, s.Workload, err)
		}
		scenarios = append(scenarios, s)
	}
	return scenarios, nil
}

// templateAnnotations are those of the pods that an object is, or makes; nil for an object of another kind.
func templateAnnotations(object *unstructured.Unstructured) map[string]string {
	path := []string{"spec", "template"}
	switch object.GetKind() {
	case "Pod":
		path = nil
	case "CronJob":
		path = []string{"spec", "jobTemplate", "spec", "template"}
	case "Deployment", "StatefulSet", "DaemonSet", "Job":
	default:
		return nil
	}
	annotations, _, _ := unstructured.NestedStringMap(object.Object, append(path, "metadata", "annotations")...)
	if annotations == nil {
		annotations = map[string]string{}
	}
	return annotations
}

func (s *Scenario) read(own, template map[string]string) error {
	expect := func(metric, cause string, annotations map[string]string) error {
		if cause == "" {
			return nil
		}
		after, err := time.ParseDuration(cmp.Or(annotations[annotationAfter], "0s"))
		if err != nil {
			return fmt.Errorf("annotation %s: %w", annotationAfter, err)
		}
		s.Expect = append(s.Expect, Expectation{Metric: metric, Cause: classify.Cause(cause), Family: annotations[annotationFamily], After: after})
		return nil
	}
	if err := expect(metricPod, template[annotationExpect], template); err != nil {
		return err
	}
	if s.Kind == "Pod" {
		return nil
	}
	if err := expect(metricCreate, own[annotationExpect], own); err != nil {
		return err
	}
	s.expectRollout(own[annotationRollout])
	if text := own[annotationQuota]; text != "" {
		quota, err := readQuota(text)
		if err != nil {
			return fmt.Errorf("annotation %s: %w", annotationQuota, err)
		}
		s.Quota = quota
	}
	return nil
}

// expectRollout adds that a Deployment's rollout stalls: for the cause that its manifest gives, whose deadline is a minute, or
// else for that of its pods after the ten minutes that Kubernetes allows by default. A pod that is ready between its crashes is
// progress enough for Kubernetes.
func (s *Scenario) expectRollout(cause string) {
	switch {
	case cause != "":
		s.Expect = append(s.Expect, Expectation{Metric: metricRollout, Cause: classify.Cause(cause), After: 90 * time.Second})
	case s.Kind == "Deployment" && len(s.Expect) > 0:
		s.Expect = append(s.Expect, Expectation{Metric: metricRollout, Cause: s.Expect[0].Cause, After: 11 * time.Minute, May: s.File == "crash"})
	}
}

// readQuota reads NAME RESOURCE=REQUESTED/USED/HARD.
func readQuota(text string) (*QuotaFigures, error) {
	name, rest, _ := strings.Cut(text, " ")
	resourceName, figures, _ := strings.Cut(rest, "=")
	parts := strings.Split(figures, "/")
	if len(parts) != 3 {
		return nil, fmt.Errorf("want NAME RESOURCE=REQUESTED/USED/HARD, not %q", text)
	}
	var values [3]float64
	for i, part := range parts {
		quantity, err := resource.ParseQuantity(part)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		values[i] = quantity.AsApproximateFloat64()
	}
	return &QuotaFigures{Quota: name, Resource: resourceName, Requested: values[0], Used: values[1], Hard: values[2]}, nil
}

// Expected returns what must be told of a workload in a metric.
func (s *Scenario) Expected(metric string) *Expectation {
	i := slices.IndexFunc(s.Expect, func(e Expectation) bool { return e.Metric == metric })
	if i < 0 {
		return nil
	}
	return &s.Expect[i]
}

// NeedsNode says that a control plane alone does not get to what must be told.
func (s *Scenario) NeedsNode() bool {
	return s.File != "create" || s.Kind == "DaemonSet" || s.Kind == "Pod" || s.Quota != nil
}
