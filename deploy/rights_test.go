package deploy

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/yaml"
)

// nodes are in no namespace: the exporter asks for them with --namespace too, and goes on where it may not read them.
const nodes = "nodes"

// TestRights runs the program as each manifest does, against an API server that grants what the manifest grants, and compares
// what it asked for with every role in deploy/: nothing is missing, nothing is more than is used.
func TestRights(t *testing.T) {
	binary := buildExporter(t)
	cluster := asksInstalled(t, binary, "plain", "")
	namespaced := asksInstalled(t, binary, "namespaced", "payments")
	for _, a := range cluster {
		if a.namespace != "" {
			t.Errorf("asks for one namespace only: %v", a)
		}
	}
	namespaced = slices.DeleteFunc(namespaced, func(a access) bool { return a.resource == nodes && a.namespace == "" })
	for _, a := range namespaced {
		if a.namespace != "payments" {
			t.Errorf("asks for more than its namespace: %v", a)
		}
	}
	roles := 0
	for file, text := range installed(t) {
		for document := range strings.SplitSeq("\n"+text, "\n---\n") {
			switch kindOf(document) {
			case "ClusterRole":
				compareRights(t, file, document, cluster)
				roles++
			case "Role":
				compareRights(t, file, document, namespaced)
				roles++
			}
		}
	}
	if roles < 6 {
		t.Errorf("only %d roles in deploy/", roles)
	}
}

// installed are the files that kubectl or kustomize apply, and what Helm makes of the chart in that one's tests.
func installed(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == "templates":
			return filepath.SkipDir // no YAML before Helm has filled them in
		case filepath.Ext(path) == ".yaml" && entry.Name() != "kustomization.yaml":
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// kindOf is empty for comments, and for what Helm says to people.
func kindOf(document string) string {
	if m := regexp.MustCompile(`(?m)^kind: (\w+)$`).FindStringSubmatch(document); m != nil {
		return m[1]
	}
	return ""
}

// compareRights compares both ways. To get one object is asked for by nobody; it shows nothing that a list does not.
func compareRights(t *testing.T, file, document string, asked []access) {
	t.Helper()
	var role rbacv1.Role // a ClusterRole has the same fields, and one more that must not be used
	if err := yaml.UnmarshalStrict([]byte(document), &role); err != nil {
		t.Errorf("%s: %v", file, err)
	}
	granted := rightsOf(role.Rules)
	for _, rule := range role.Rules {
		if len(rule.NonResourceURLs) > 0 || len(rule.ResourceNames) > 0 {
			t.Errorf("%s grants paths or single objects: %v", file, rule)
		}
	}
	for _, r := range granted {
		needed := r
		if r.verb == "get" {
			needed.verb = "list"
		}
		if !slices.ContainsFunc(asked, func(a access) bool { return a.right == needed }) {
			t.Errorf("%s grants %v, which is never asked for", file, r)
		}
	}
	for _, a := range asked {
		if !slices.Contains(granted, a.right) {
			t.Errorf("%s does not grant %v, which is asked for", file, a.right)
		}
	}
}

// asksInstalled runs the program with what a manifest says, in a namespace, until it has asked for all it may, and returns what it asked.
func asksInstalled(t *testing.T, binary, file, namespace string) []access {
	t.Helper()
	m := readManifest(t, file)
	d := get[*appsv1.Deployment](t, m, "Deployment")
	c := &d.Spec.Template.Spec.Containers[0]
	var rights []right
	if role, ok := m["ClusterRole"].(*rbacv1.ClusterRole); ok {
		rights = rightsOf(role.Rules)
	} else {
		rights = rightsOf(get[*rbacv1.Role](t, m, "Role").Rules)
	}
	server := newAPIServer(t, rights, namespace)
	kubeconfig := writeKubeconfig(t, server.URL)
	if out, err := command(t, binary, c, namespace, kubeconfig, "diagnose").CombinedOutput(); err != nil {
		t.Errorf("diagnose: %v\n%s", err, out)
	}
	if out, err := command(t, binary, c, namespace, kubeconfig, "--help").Output(); err != nil ||
		!strings.Contains(string(out), fmt.Sprintf("--web.listen-address=:%d ", c.Ports[0].ContainerPort)) {
		t.Errorf("without a flag it does not listen on the container's port %d (%v):\n%s", c.Ports[0].ContainerPort, err, out)
	}
	e := start(t, command(t, binary, c, namespace, kubeconfig, "--web.listen-address=127.0.0.1:0"))
	for _, probe := range []string{c.StartupProbe.HTTPGet.Path, c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path} {
		eventually(t, probe, func() bool { code, _ := e.get(t, probe); return code == http.StatusOK })
	}
	for _, path := range []string{"/", "/metrics", "/api/v1/failures"} {
		if code, body := e.get(t, path); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	limit := c.Resources.Limits.Memory().AsApproximateFloat64()
	if soft := e.value(t, "go_gc_gomemlimit_bytes"); soft < 0.9*limit || soft > 0.97*limit {
		t.Errorf("the Go runtime keeps to %.0f bytes of %.0f", soft, limit)
	}
	eventually(t, "what was listed is watched", func() bool {
		asked, _ := server.asks()
		return !slices.ContainsFunc(asked, func(a access) bool {
			a.verb = "watch"
			return !slices.Contains(asked, a)
		})
	})
	if took, grace := e.stop(t), time.Duration(*d.Spec.Template.Spec.TerminationGracePeriodSeconds)*time.Second; took > grace {
		t.Errorf("took %s to stop, and would be killed after %s", took, grace)
	}
	asked, strange := server.asks()
	if len(strange) > 0 {
		t.Errorf("asked for what no list and no watch is: %q", strange)
	}
	return asked
}

func writeKubeconfig(t *testing.T, url string) string {
	t.Helper()
	config := api.NewConfig()
	config.Clusters["c"] = &api.Cluster{Server: url}
	config.AuthInfos["u"] = &api.AuthInfo{}
	config.Contexts["x"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	config.CurrentContext = "x"
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	return file
}
