package chart

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// object is one that Helm would apply.
type object struct {
	runtime.Object
	text []byte
	meta metav1.ObjectMeta
	kind string
}

func (o object) String() string { return o.kind + " " + o.meta.Namespace + "/" + o.meta.Name }

// decode reads objects and refuses fields that their types do not have, or have twice.
func decode(t *testing.T, text []byte) []object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []object
	for _, document := range bytes.Split(text, []byte("---\n")) {
		var about struct {
			metav1.TypeMeta
			metav1.ObjectMeta `json:"metadata"`
		}
		if err := yaml.Unmarshal(document, &about); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		if about.Kind == "" {
			continue // comments
		}
		o := object{text: document, meta: about.ObjectMeta, kind: about.Kind}
		var err error
		if like := operators(about.TypeMeta); like != nil {
			o.Object, err = like, yaml.UnmarshalStrict(document, like)
		} else {
			o.Object, _, err = decoder.Decode(document, nil, nil)
		}
		if err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		objects = append(objects, o)
	}
	return objects
}

// operators returns what the objects of the operators may hold, of those fields that the chart uses.
func operators(about metav1.TypeMeta) runtime.Object {
	switch about.APIVersion + "/" + about.Kind {
	case "monitoring.coreos.com/v1/PodMonitor", "monitoring.coreos.com/v1/ServiceMonitor":
		return &monitor{}
	case "monitoring.coreos.com/v1/PrometheusRule":
		return &prometheusRule{}
	case "grafana.integreatly.org/v1beta1/GrafanaDashboard":
		return &grafanaDashboard{}
	}
	return nil
}

type operated struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
}

func (o *operated) DeepCopyObject() runtime.Object { panic("nobody copies it") }

type monitor struct {
	operated
	Spec struct {
		JobLabel          string `json:"jobLabel"`
		NamespaceSelector struct {
			MatchNames []string `json:"matchNames"`
		} `json:"namespaceSelector"`
		Selector            metav1.LabelSelector `json:"selector"`
		PodMetricsEndpoints []endpoint           `json:"podMetricsEndpoints"`
		Endpoints           []endpoint           `json:"endpoints"`
	} `json:"spec"`
}

type endpoint struct {
	Port              string           `json:"port"`
	Scheme            string           `json:"scheme"`
	HonorLabels       bool             `json:"honorLabels"`
	Interval          string           `json:"interval"`
	ScrapeTimeout     string           `json:"scrapeTimeout"`
	TLSConfig         map[string]any   `json:"tlsConfig"`
	BasicAuth         map[string]any   `json:"basicAuth"`
	Relabelings       []map[string]any `json:"relabelings"`
	MetricRelabelings []map[string]any `json:"metricRelabelings"`
}

type prometheusRule struct {
	operated
	Spec struct {
		Groups []group `json:"groups"`
	} `json:"spec"`
}

type grafanaDashboard struct {
	operated
	Spec struct {
		InstanceSelector          metav1.LabelSelector `json:"instanceSelector"`
		AllowCrossNamespaceImport bool                 `json:"allowCrossNamespaceImport"`
		ResyncPeriod              string               `json:"resyncPeriod"`
		Folder                    string               `json:"folder"`
		JSON                      string               `json:"json"`
	} `json:"spec"`
}

// all returns the objects of one type.
func all[T runtime.Object](objects []object) []T {
	var found []T
	for _, o := range objects {
		if one, ok := o.Object.(T); ok {
			found = append(found, one)
		}
	}
	return found
}

// only returns the one object of a type.
func only[T runtime.Object](t *testing.T, objects []object) T {
	t.Helper()
	found := all[T](objects)
	if len(found) != 1 {
		t.Fatalf("%d of %T in %v", len(found), *new(T), objects)
	}
	return found[0]
}

func container(t *testing.T, objects []object) (*corev1.PodSpec, *corev1.Container) {
	t.Helper()
	pod := &only[*appsv1.Deployment](t, objects).Spec.Template.Spec
	if len(pod.Containers) != 1 || len(pod.InitContainers) > 0 {
		t.Fatalf("%d containers", len(pod.Containers))
	}
	return pod, &pod.Containers[0]
}

// kinds counts the objects by their kinds: "Deployment 1, Service 1".
func kinds(objects []object) string {
	var order []string
	count := map[string]int{}
	for _, o := range objects {
		if count[o.kind]++; count[o.kind] == 1 {
			order = append(order, o.kind)
		}
	}
	for i, kind := range order {
		order[i] = fmt.Sprintf("%s %d", kind, count[kind])
	}
	return strings.Join(order, ", ")
}
