package chart

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// TestObjects proves of each set of values which objects there are, and of each object what must hold of all.
func TestObjects(t *testing.T) {
	base := "Service 1, Deployment 1"
	cluster := "ServiceAccount 1, ClusterRole 1, ClusterRoleBinding 1, " + base
	want := map[string]string{
		"default":          cluster,
		"operator":         "ServiceAccount 1, ConfigMap 4, ClusterRole 1, ClusterRoleBinding 1, " + base + ", PodMonitor 1, PrometheusRule 11",
		"namespaced":       "ServiceAccount 1, Role 2, RoleBinding 2, " + base,
		"web":              cluster + ", ServiceMonitor 1",
		"headers":          "NetworkPolicy 1, " + cluster,
		"grafana-operator": cluster + ", GrafanaDashboard 4",
		"least":            "Deployment 1, PodMonitor 1",
		"all":              "NetworkPolicy 1, ServiceAccount 1, ConfigMap 2, ClusterRole 1, ClusterRoleBinding 1, " + base,
	}
	sets := valueSets(t)
	if len(sets) != len(want) {
		t.Errorf("%d sets of values, %d are checked", len(sets), len(want))
	}
	for name, i := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := decode(t, i.render(t))
			if got := kinds(objects); got != want[name] {
				t.Errorf("got %s\nwant %s", got, want[name])
			}
			seen := map[string]bool{}
			for _, o := range objects {
				if seen[o.String()] {
					t.Errorf("%v is there twice", o)
				}
				seen[o.String()] = true
				checkObject(t, o)
			}
			checkSelectors(t, objects)
			checkRestricted(t, objects)
			checkRights(t, objects)
		})
	}
}

// checkObject looks at names, labels and size. An object of less than 256 KiB can be applied by kubectl from the client's side too.
func checkObject(t *testing.T, o object) {
	t.Helper()
	bad := validation.IsDNS1123Subdomain(o.meta.Name)
	if o.kind == "Service" {
		bad = validation.IsDNS1035Label(o.meta.Name)
	}
	for _, all := range []map[string]string{o.meta.Labels, o.podLabels()} {
		for key, value := range all {
			bad = append(bad, validation.IsQualifiedName(key)...)
			bad = append(bad, validation.IsValidLabelValue(value)...)
		}
	}
	for key := range o.meta.Annotations {
		bad = append(bad, validation.IsQualifiedName(strings.ToLower(key))...)
	}
	if len(bad) > 0 {
		t.Errorf("%v: %s", o, strings.Join(bad, "\n"))
	}
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 256<<10 {
		t.Errorf("%v has %d bytes", o, len(text))
	}
}

func (o object) podLabels() map[string]string {
	if d, ok := o.Object.(*appsv1.Deployment); ok {
		return d.Spec.Template.Labels
	}
	return nil
}

// checkSelectors proves that what selects pods, ports or Services by name finds them.
func checkSelectors(t *testing.T, objects []object) {
	t.Helper()
	d := only[*appsv1.Deployment](t, objects)
	_, c := container(t, objects)
	if len(c.Ports) != 1 || c.Ports[0].Name != "http" || c.Ports[0].ContainerPort != 9992 {
		t.Fatalf("ports %v", c.Ports)
	}
	matches := func(who string, selector *metav1.LabelSelector, set map[string]string) {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(labels.Set(set)) {
			t.Errorf("%s selects %v of %v: %v", who, selector, set, err)
		}
	}
	matches("the Deployment", d.Spec.Selector, d.Spec.Template.Labels)
	for _, s := range all[*corev1.Service](objects) {
		matches("the Service", &metav1.LabelSelector{MatchLabels: s.Spec.Selector}, d.Spec.Template.Labels)
		if s.Spec.Ports[0].Name != "http" || s.Spec.Ports[0].TargetPort.String() != "http" || s.Namespace != d.Namespace {
			t.Errorf("the Service has port %v in %s", s.Spec.Ports, s.Namespace)
		}
	}
	for _, n := range all[*networkingv1.NetworkPolicy](objects) {
		matches("the NetworkPolicy", &n.Spec.PodSelector, d.Spec.Template.Labels)
		if n.Spec.Ingress[0].Ports[0].Port.String() != "http" || n.Namespace != d.Namespace {
			t.Errorf("the NetworkPolicy lets in %v in %s", n.Spec.Ingress, n.Namespace)
		}
	}
	for _, m := range all[*monitor](objects) {
		set, endpoints := d.Spec.Template.Labels, m.Spec.PodMetricsEndpoints
		if m.Kind == "ServiceMonitor" {
			set, endpoints = only[*corev1.Service](t, objects).Labels, m.Spec.Endpoints
		}
		matches(m.Kind, &m.Spec.Selector, set)
		if len(endpoints) != 1 || endpoints[0].Port != "http" || !endpoints[0].HonorLabels || !slices.Equal(m.Spec.NamespaceSelector.MatchNames, []string{d.Namespace}) {
			t.Errorf("%s scrapes %+v", m.Kind, m.Spec)
		}
		if m.Spec.JobLabel != "" && set[m.Spec.JobLabel] == "" {
			t.Errorf("%s takes the job from %s, which is not there", m.Kind, m.Spec.JobLabel)
		}
	}
}

// checkRestricted proves what PodSecurity asks of a pod at its level restricted, and that the file system is read-only.
func checkRestricted(t *testing.T, objects []object) {
	t.Helper()
	pod, c := container(t, objects)
	of, ofContainer := pod.SecurityContext, c.SecurityContext
	holds := map[string]bool{
		"no namespace of the host": !pod.HostNetwork && !pod.HostPID && !pod.HostIPC && c.Ports[0].HostPort == 0,
		"not as root":              *of.RunAsNonRoot && (of.RunAsUser == nil || *of.RunAsUser != 0) && ofContainer.RunAsUser == nil,
		"seccomp":                  of.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault,
		"no escalation":            !*ofContainer.AllowPrivilegeEscalation && ofContainer.Privileged == nil,
		"no capabilities":          slices.Equal(ofContainer.Capabilities.Drop, []corev1.Capability{"ALL"}) && ofContainer.Capabilities.Add == nil,
		"read-only":                *ofContainer.ReadOnlyRootFilesystem,
		"one pod":                  *only[*appsv1.Deployment](t, objects).Spec.Replicas == 1,
	}
	for what, ok := range holds {
		if !ok {
			t.Errorf("does not hold: %s", what)
		}
	}
	mounted := map[string]bool{}
	for _, m := range c.VolumeMounts {
		mounted[m.Name] = m.ReadOnly
	}
	for _, v := range pod.Volumes {
		if v.Secret == nil && v.Projected == nil || !mounted[v.Name] {
			t.Errorf("volume %+v, mounted read-only: %t", v, mounted[v.Name])
		}
	}
	if len(mounted) != len(pod.Volumes) {
		t.Errorf("mounts %v of volumes %v", c.VolumeMounts, pod.Volumes)
	}
}

// checkRights proves that who is bound is the pod's account, and that it may only look at what is watched.
func checkRights(t *testing.T, objects []object) {
	t.Helper()
	pod, _ := container(t, objects)
	account := rbacv1.Subject{Kind: "ServiceAccount", Name: pod.ServiceAccountName, Namespace: only[*appsv1.Deployment](t, objects).Namespace}
	bound := func(about metav1.ObjectMeta, subjects []rbacv1.Subject, ref rbacv1.RoleRef, kind string) {
		if !slices.Equal(subjects, []rbacv1.Subject{account}) || ref != (rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: about.Name}) {
			t.Errorf("%s binds %v to %v", about.Name, ref, subjects)
		}
	}
	for _, b := range all[*rbacv1.ClusterRoleBinding](objects) {
		bound(b.ObjectMeta, b.Subjects, b.RoleRef, "ClusterRole")
	}
	for _, b := range all[*rbacv1.RoleBinding](objects) {
		bound(b.ObjectMeta, b.Subjects, b.RoleRef, "Role")
	}
	var rules []rbacv1.PolicyRule
	for _, r := range all[*rbacv1.ClusterRole](objects) {
		rules = append(rules, r.Rules...)
	}
	for _, r := range all[*rbacv1.Role](objects) {
		rules = append(rules, r.Rules...)
	}
	for _, r := range rules {
		if !slices.Equal(r.Verbs, []string{"get", "list", "watch"}) || len(r.NonResourceURLs) > 0 ||
			slices.Contains(r.Resources, "secrets") || slices.Contains(r.Resources, "configmaps") || strings.Contains(fmt.Sprint(r), "*") {
			t.Errorf("may %v", r)
		}
	}
	for _, a := range all[*corev1.ServiceAccount](objects) {
		if a.Name != account.Name || a.Namespace != account.Namespace || *a.AutomountServiceAccountToken {
			t.Errorf("account %v, the pod has %v", a, account)
		}
	}
}

// TestRightsOfManifests proves that the chart grants what the plain manifests grant, which are tested against what the exporter asks for.
func TestRightsOfManifests(t *testing.T) {
	rendered := decode(t, called("").render(t))
	for file, objects := range map[string][]object{"plain": rendered, "namespaced": decode(t, called("namespaces: [payments]").render(t))} {
		text, err := os.ReadFile("../manifests/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := rulesOf(objects), rulesOf(decode(t, text)); len(want) == 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: may %v, want %v", file, got, want)
		}
	}
	if got := kinds(decode(t, called("namespaces: [a, b]").render(t))); strings.Contains(got, "Cluster") || !strings.Contains(got, "Role 2, RoleBinding 2") {
		t.Errorf("for two namespaces: %s", got)
	}
}

func rulesOf(objects []object) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, r := range all[*rbacv1.ClusterRole](objects) {
		rules = append(rules, r.Rules...)
	}
	for _, r := range all[*rbacv1.Role](objects) {
		rules = append(rules, r.Rules...)
	}
	return rules
}

// TestImage proves that registry, name, and tag or digest come together as a reference.
func TestImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	for values, want := range map[string]string{
		"image: {tag: v1}":                                                     "ghcr.io/kube-failure-exporter/kube-failure-exporter:v1",
		"image: {registry: '', tag: v1}":                                       "kube-failure-exporter/kube-failure-exporter:v1",
		"image: {registry: '', digest: '" + digest + "'}":                      "kube-failure-exporter/kube-failure-exporter@" + digest,
		"image: {registry: '', repository: 'a.example:5000/b/c', tag: v1}":     "a.example:5000/b/c:v1",
		"image: {registry: '', tag: v1}\nglobal: {imageRegistry: 'a.example'}": "a.example/kube-failure-exporter/kube-failure-exporter:v1",
	} {
		if _, c := container(t, decode(t, called(values).render(t))); c.Image != want {
			t.Errorf("%s: %s, want %s", values, c.Image, want)
		}
	}
}

// TestLongNames renders names that are too long for a label, or have what no name of a Service may have.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("long-name-", 6) + "end"
	for _, i := range []installation{
		{strings.Repeat("release.", 6) + "abcde", strings.Repeat("n", 63), ""},
		{strings.Repeat("r", 53), name, "nameOverride: " + long},
		{"r", name, "fullnameOverride: " + long},
		{"a" + strings.Repeat("-1", 26), "1234", "namespaceOverride: '5678'"},
		{name + "-2", name, ""},
	} {
		i.values += "\npodMonitor: {enabled: true}\nserviceMonitor: {enabled: true}\nprometheusRule: {enabled: true}\ndashboards: {enabled: true}\nnetworkPolicy: {enabled: true}\n"
		objects := decode(t, i.render(t))
		for _, o := range objects {
			checkObject(t, o)
		}
		checkSelectors(t, objects)
	}
}

// TestDashboardsAreTheFiles proves that both ways to load the dashboards give Grafana what is in dashboards/.
func TestDashboardsAreTheFiles(t *testing.T) {
	files, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%v: %v", files, err)
	}
	want := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want[strings.TrimSuffix(filepath.Base(file), ".json")] = strings.TrimSpace(string(text))
	}
	got := map[string]string{}
	for _, o := range all[*grafanaDashboard](decode(t, called("dashboards: {enabled: true, grafanaOperator: {enabled: true}}").render(t))) {
		got[strings.TrimPrefix(o.Name, name+"-dashboard-")] = o.Spec.JSON
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the GrafanaDashboards are not the files")
	}
	clear(got)
	for _, o := range all[*corev1.ConfigMap](decode(t, called("dashboards: {enabled: true}").render(t))) {
		part := strings.TrimPrefix(o.Name, name+"-dashboard-")
		got[part] = o.Data[name+"-"+part+".json"]
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the ConfigMaps are not the files")
	}
}

// TestReadme renders what README.md shows as values.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	for _, found := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
		if example := string(found[1]); !strings.HasPrefix(example, "# web.yml\n") {
			examples++
			decode(t, called(example).render(t))
		}
	}
	if examples < 3 {
		t.Errorf("only %d examples", examples)
	}
}
