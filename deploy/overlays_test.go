package deploy

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
)

// kustomize renders a kustomization with the kustomize that renders the manifests.
func kustomize(t *testing.T, folder string) []runtime.Object {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../tools/kustomize/go.mod", "kustomize", "build", folder).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("%v: %s", err, failed.Stderr)
		}
		t.Fatal(err)
	}
	return decode(t, out)
}

// TestOverlayHasRules proves that the overlay is the manifest and the rules, each of them, as alerts/ has them.
func TestOverlayHasRules(t *testing.T) {
	text, err := os.ReadFile("../alerts/prometheusrule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	key := func(object runtime.Object) string {
		about, err := meta.Accessor(object)
		if err != nil {
			t.Fatal(err)
		}
		return object.GetObjectKind().GroupVersionKind().Kind + "/" + about.GetNamespace() + "/" + about.GetName()
	}
	want := map[string]runtime.Object{}
	for _, object := range decode(t, text) {
		want[key(object)] = object
	}
	for _, object := range readManifest(t, "prometheus-operator") {
		want[key(object)] = object
	}
	got := kustomize(t, "kustomize/overlays/prometheus-operator")
	for _, object := range got {
		if !equality.Semantic.DeepEqual(object, want[key(object)]) {
			t.Errorf("%s is another one", key(object))
		}
	}
	if len(got) != len(want) || len(want) < 18 {
		t.Errorf("%d objects, want %d", len(got), len(want))
	}
}

// TestOverlayOfOnesOwn proves that the README's example does what it says: one line moves all to another namespace, the subjects of the
// bindings included, and another names the image's tag.
func TestOverlayOfOnesOwn(t *testing.T) {
	for _, overlay := range []string{"plain", "prometheus-operator", "namespaced"} {
		folder := t.TempDir()
		text := "resources: [" + fromFolder(t, folder, "kustomize/overlays/"+overlay) + "]\n" +
			"namespace: payments\nimages: [{name: ghcr.io/" + name + "/" + name + ", newTag: v9}]\n"
		if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, object := range kustomize(t, folder) {
			for _, namespace := range namespaces(t, object) {
				if namespace != "payments" {
					t.Errorf("%s: %T is in, or for, %q", overlay, object, namespace)
				}
			}
			if d, ok := object.(*appsv1.Deployment); ok && d.Spec.Template.Spec.Containers[0].Image != "ghcr.io/"+name+"/"+name+":v9" {
				t.Errorf("%s: the image is %s", overlay, d.Spec.Template.Spec.Containers[0].Image)
			}
		}
	}
}

// fromFolder is the way from a folder to another: kustomize takes no absolute path.
func fromFolder(t *testing.T, folder, to string) string {
	t.Helper()
	to, err := filepath.Abs(to)
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(folder, to)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// namespaces are those that an object names.
func namespaces(t *testing.T, object runtime.Object) []string {
	t.Helper()
	switch o := object.(type) {
	case *corev1.Namespace:
		return []string{o.Name}
	case *rbacv1.ClusterRole:
		return nil
	case *rbacv1.ClusterRoleBinding:
		return []string{o.Subjects[0].Namespace}
	case *rbacv1.RoleBinding:
		return []string{o.Namespace, o.Subjects[0].Namespace}
	}
	about, err := meta.Accessor(object)
	if err != nil {
		t.Fatal(err)
	}
	return []string{about.GetNamespace()}
}
