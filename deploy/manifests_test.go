package deploy

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const name = "kube-failure-exporter"

// manifest is what one file of manifests/ holds, by kind.
type manifest map[string]runtime.Object

func readManifest(t *testing.T, name string) manifest {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("manifests", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m := manifest{}
	for _, object := range decode(t, text) {
		kind := object.GetObjectKind().GroupVersionKind().Kind
		if m[kind] != nil {
			t.Fatalf("%s has more than one %s", name, kind)
		}
		m[kind] = object
	}
	return m
}

// decode reads objects and refuses fields that their types do not have, or have twice.
func decode(t *testing.T, text []byte) []runtime.Object {
	t.Helper()
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		kind := kindOf(string(document))
		if kind == "" {
			continue // comments
		}
		if kind == "ServiceMonitor" || kind == "PrometheusRule" {
			object := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
				t.Fatal(err)
			}
			objects = append(objects, object)
			continue
		}
		object, _, err := decoder.Decode(document, nil, nil)
		if err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		objects = append(objects, object)
	}
	return objects
}

func get[T runtime.Object](t *testing.T, m manifest, kind string) T {
	t.Helper()
	object, ok := m[kind].(T)
	if !ok {
		t.Fatalf("no %s, but %T", kind, m[kind])
	}
	return object
}

// TestKinds proves that each manifest has what its name promises, all of it in one namespace, with one label.
func TestKinds(t *testing.T) {
	permissions := []string{"ClusterRole", "ClusterRoleBinding", "Namespace", "ServiceAccount"}
	plain := append(slices.Clone(permissions), "Deployment", "Service")
	for file, want := range map[string]struct {
		kinds     []string
		namespace string
	}{
		"rbac":                {permissions, name},
		"plain":               {plain, name},
		"prometheus-operator": {append(slices.Clone(plain), "ServiceMonitor"), name},
		"namespaced":          {[]string{"Deployment", "Role", "RoleBinding", "Service", "ServiceAccount"}, ""},
	} {
		m := readManifest(t, file)
		for kind, object := range m {
			about, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			namespace := want.namespace
			if strings.HasPrefix(kind, "Cluster") || kind == "Namespace" {
				namespace = ""
			}
			if about.GetName() != name || about.GetNamespace() != namespace || about.GetLabels()["app.kubernetes.io/name"] != name {
				t.Errorf("%s: %s is %s/%s with %v", file, kind, about.GetNamespace(), about.GetName(), about.GetLabels())
			}
			if !slices.Contains(want.kinds, kind) {
				t.Errorf("%s has a %s", file, kind)
			}
		}
		if len(m) != len(want.kinds) {
			t.Errorf("%s has %d objects, want %v", file, len(m), want.kinds)
		}
	}
}

// TestSameObjects proves that the manifests do not contradict each other where one is applied after another.
func TestSameObjects(t *testing.T) {
	plain := readManifest(t, "plain")
	for _, file := range []string{"rbac", "prometheus-operator"} {
		for kind, object := range readManifest(t, file) {
			if kind == "Service" || kind == "ServiceMonitor" {
				continue // annotations in the one, a ServiceMonitor in the other
			}
			if !equality.Semantic.DeepEqual(object, plain[kind]) {
				t.Errorf("%s has another %s than plain:\n%+v\n%+v", file, kind, object, plain[kind])
			}
		}
	}
}

// TestReferences proves that what the objects say of each other is so.
func TestReferences(t *testing.T) {
	version, err := os.ReadFile("../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"plain", "prometheus-operator", "namespaced"} {
		m := readManifest(t, file)
		d, s, a := get[*appsv1.Deployment](t, m, "Deployment"), get[*corev1.Service](t, m, "Service"), get[*corev1.ServiceAccount](t, m, "ServiceAccount")
		pod, c := &d.Spec.Template, &d.Spec.Template.Spec.Containers[0]
		if want := "ghcr.io/" + name + "/" + name + ":v" + strings.TrimSpace(string(version)); c.Image != want {
			t.Errorf("%s: the image is %s, want %s", file, c.Image, want)
		}
		for who, selector := range map[string]map[string]string{"Deployment": d.Spec.Selector.MatchLabels, "Service": s.Spec.Selector} {
			if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)) {
				t.Errorf("%s: the %s selects %v, the pod has %v", file, who, selector, pod.Labels)
			}
		}
		if s.Spec.Ports[0].Port != c.Ports[0].ContainerPort {
			t.Errorf("%s: the Service's port is %d, the container's %d", file, s.Spec.Ports[0].Port, c.Ports[0].ContainerPort)
		}
		if port := s.Annotations["prometheus.io/port"]; (port != "") != (file == "plain") || port != "" && port != strconv.Itoa(int(c.Ports[0].ContainerPort)) {
			t.Errorf("%s: annotated with port %q", file, port)
		}
		for who, port := range map[string]intstr.IntOrString{
			"Service": s.Spec.Ports[0].TargetPort, "startup": c.StartupProbe.HTTPGet.Port,
			"liveness": c.LivenessProbe.HTTPGet.Port, "readiness": c.ReadinessProbe.HTTPGet.Port,
		} {
			if port.StrVal != c.Ports[0].Name {
				t.Errorf("%s: %s uses port %q, the container has %q", file, who, port.String(), c.Ports[0].Name)
			}
		}
		// A pod that names the account must ask for its token too.
		if pod.Spec.ServiceAccountName != a.Name || *a.AutomountServiceAccountToken || !*pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s: account %q, token %v in the account, %v in the pod", file,
				pod.Spec.ServiceAccountName, *a.AutomountServiceAccountToken, *pod.Spec.AutomountServiceAccountToken)
		}
		checkBinding(t, m, a)
	}
}

func checkBinding(t *testing.T, m manifest, account *corev1.ServiceAccount) {
	t.Helper()
	var ref rbacv1.RoleRef
	var subjects []rbacv1.Subject
	switch b := cmp.Or(m["ClusterRoleBinding"], m["RoleBinding"]).(type) {
	case *rbacv1.ClusterRoleBinding:
		ref, subjects = b.RoleRef, b.Subjects
	case *rbacv1.RoleBinding:
		ref, subjects = b.RoleRef, b.Subjects
	}
	role, err := meta.Accessor(m[ref.Kind])
	if err != nil || ref.Name != role.GetName() || ref.APIGroup != rbacv1.GroupName {
		t.Errorf("bound is %v", ref)
	}
	if want := (rbacv1.Subject{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}); !slices.Equal(subjects, []rbacv1.Subject{want}) {
		t.Errorf("bound to %v, want %v", subjects, want)
	}
}
