package manifests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"
	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// each calls with every object of a kind in files, and returns how many there were.
func each[T any](t *testing.T, pattern, kind string, do func(file string, object *T)) int {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	count := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var about metav1.TypeMeta
			if err := yaml.Unmarshal(document, &about); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if about.Kind != kind {
				continue
			}
			object := new(T)
			if err := yaml.UnmarshalStrict(document, object); err != nil {
				t.Errorf("%s: %s: %v", file, kind, err)
			}
			do(file, object)
			count++
		}
	}
	return count
}

const installed = "../../deploy/manifests/*.yaml"

// TestRestricted proves that the pods may run where the strictest of the pod security standards is enforced.
func TestRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	refuse := func(d *appsv1.Deployment) []string {
		var refused []string
		for _, result := range evaluator.EvaluatePod(restricted, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec) {
			if !result.Allowed {
				refused = append(refused, result.ForbiddenReason+": "+result.ForbiddenDetail)
			}
		}
		return refused
	}
	count := each(t, installed, "Deployment", func(file string, d *appsv1.Deployment) {
		if refused := refuse(d); len(refused) > 0 {
			t.Errorf("%s: %q", file, refused)
		}
		if c := d.Spec.Template.Spec.Containers[0].SecurityContext; !*c.ReadOnlyRootFilesystem {
			t.Errorf("%s: the root file system can be written", file) // which the standard leaves open
		}
		d.Spec.Template.Spec.SecurityContext = nil
		if refused := refuse(d); len(refused) != 2 {
			t.Errorf("%s: without a security context it is refused for %q, want two reasons", file, refused)
		}
	})
	if count < 3 {
		t.Errorf("only %d Deployments", count)
	}
}

// TestServiceMonitor proves that it finds the Service, and lets the exporter say which namespace fails.
func TestServiceMonitor(t *testing.T) {
	const file = "../../deploy/manifests/prometheus-operator.yaml"
	var service corev1.Service
	each(t, file, "Service", func(_ string, s *corev1.Service) { service = *s })
	count := each(t, file, "ServiceMonitor", func(_ string, m *monitoringv1.ServiceMonitor) {
		selector, err := metav1.LabelSelectorAsSelector(&m.Spec.Selector)
		if err != nil || selector.Empty() || !selector.Matches(labels.Set(service.Labels)) || m.Namespace != service.Namespace {
			t.Errorf("it selects %v in %s, the Service has %v (%v)", selector, m.Namespace, service.Labels, err)
		}
		if m.APIVersion != monitoringv1.SchemeGroupVersion.String() || m.Kind != monitoringv1.ServiceMonitorsKind || len(m.Spec.Endpoints) != 1 {
			t.Fatalf("%s %s with %d endpoints", m.APIVersion, m.Kind, len(m.Spec.Endpoints))
		}
		if e := m.Spec.Endpoints[0]; e.Port != service.Spec.Ports[0].Name || !e.HonorLabels || e.Interval != "30s" || e.Path != "" {
			t.Errorf("endpoint %+v", e)
		}
	})
	if count != 1 {
		t.Errorf("%d ServiceMonitors", count)
	}
}

// TestPrometheusRules proves that the operator reads all of them.
func TestPrometheusRules(t *testing.T) {
	count := each(t, "../../alerts/prometheusrule.yaml", "PrometheusRule", func(file string, r *monitoringv1.PrometheusRule) {
		if r.APIVersion != monitoring.GroupName+"/v1" || len(r.Spec.Groups) == 0 || !strings.HasPrefix(r.Name, "kube-failure-exporter-") {
			t.Errorf("%s: %s %s with %d groups", file, r.APIVersion, r.Name, len(r.Spec.Groups))
		}
	})
	if count < 12 {
		t.Errorf("only %d PrometheusRules", count)
	}
}
