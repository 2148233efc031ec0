//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/cert"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// installation is what a person has who installs the exporter: kubectl, helm, and the image.
type installation struct {
	*suite
	kubectl, helm string
	applied       time.Time // when the scenarios were
}

// TestInstall installs the exporter in each way that deploy/ has. It runs as a pod then, with its own account, where only restricted pods are
// let in, and must tell the scenarios.
func TestInstall(t *testing.T) {
	if missing := cluster.Missing(true); len(missing) > 0 {
		t.Skipf("!!! NOTHING IS INSTALLED: there is no node on this machine, because it lacks:\n%s", strings.Join(missing, "\n"))
	}
	s := start(t, true)
	s.part, s.report.Title = "-install", "Installation on Kubernetes "+s.version
	i := &installation{suite: s}
	i.prepare(t.Context())
	i.applied = time.Now()
	s.applyAll(t.Context(), s.objects)
	for _, way := range []struct {
		name string
		run  func(*installation, context.Context)
	}{
		{"Chart", (*installation).chart},
		{"ChartNamespaced", (*installation).chartNamespaced},
		{"ChartTLS", (*installation).chartTLS},
		{"KustomizePlain", func(i *installation, ctx context.Context) { i.overlay(ctx, "plain") }},
		{"KustomizePrometheusOperator", func(i *installation, ctx context.Context) { i.overlay(ctx, "prometheus-operator") }},
		{"KustomizeNamespaced", (*installation).overlayNamespaced},
		{"Manifest", (*installation).manifest},
	} {
		t.Run(way.name, func(t *testing.T) {
			s.on(t, func(own *suite, ctx context.Context) {
				copied := *i
				copied.suite = own
				began := time.Now()
				way.run(&copied, ctx)
				own.report.Note("%s: installed, told everything and removed in %.0f s", way.name, time.Since(began).Seconds())
			})
		})
	}
}

// prepare gets what a person would install or download.
func (i *installation) prepare(ctx context.Context) {
	var err error
	i.kubectl, err = cluster.BuildClient(ctx, i.version, "kubectl", os.Stderr)
	i.must(err)
	path, err := i.output(ctx, "go", "tool", "-modfile="+filepath.Join(module, "tools", "helm", "go.mod"), "-n", "helm")
	i.must(err)
	i.helm = strings.TrimSpace(path)
	i.run(ctx, "make", "--no-print-directory", "-C", module, "image")
	i.must(i.cluster.Import(ctx, filepath.Join(module, "dist", "image-linux-"+runtime.GOARCH+".tar")))
	for _, name := range operatorCRDs {
		i.run(ctx, i.kubectl, "create", "-f", filepath.Join(i.moduleFolder(ctx, name.module), name.file))
	}
}

// operatorCRDs are what the objects of others' operators are checked against.
var operatorCRDs = []struct{ module, file string }{
	{prometheusOperator, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"},
	{prometheusOperator, "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"},
	{prometheusOperator, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"},
	{grafanaOperator, "config/crd/bases/grafana.integreatly.org_grafanadashboards.yaml"},
}

const (
	prometheusOperator = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
	grafanaOperator    = "github.com/grafana/grafana-operator/v5@v5.18.0"
)

// moduleFolder downloads a Go module, which is how others' files can be had here.
func (i *installation) moduleFolder(ctx context.Context, module string) string {
	out, err := i.output(ctx, "go", "mod", "download", "-json", module)
	i.must(err)
	_, rest, _ := strings.Cut(out, `"Dir": "`)
	folder, _, _ := strings.Cut(rest, `"`)
	return folder
}

// output runs a program as a person would, whose kubeconfig is the cluster's.
func (i *installation) output(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+i.cluster.Kubeconfig(), "HELM_CACHE_HOME="+i.folder, "HELM_CONFIG_HOME="+i.folder, "HELM_DATA_HOME="+i.folder)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s%s", strings.Join(cmd.Args, " "), err, out, stderr.String())
	}
	return string(out), nil
}

func (i *installation) run(ctx context.Context, program string, args ...string) string {
	i.t.Helper()
	out, err := i.output(ctx, program, args...)
	i.must(err)
	return out
}

// restrictedNamespace is one that lets in what PodSecurity calls restricted, and nothing else.
func (i *installation) restrictedNamespace(ctx context.Context, name string) {
	_, err := i.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}, metav1.CreateOptions{})
	i.must(err)
	i.t.Cleanup(func() {
		_ = i.client.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{}) // the cluster goes too
	})
}

// address waits until the exporter's pod is ready and returns where it serves.
func (i *installation) address(ctx context.Context, namespace string) string {
	i.t.Helper()
	var address string
	err := Poll(ctx, time.Minute, 200*time.Millisecond, func(ctx context.Context) error {
		pods, err := i.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=kube-failure-exporter"})
		if err != nil {
			return err
		}
		pods.Items = slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return p.DeletionTimestamp != nil })
		if len(pods.Items) != 1 || !podReady(&pods.Items[0]) {
			return fmt.Errorf("%d pods of the exporter: %s", len(pods.Items), statuses(pods.Items))
		}
		address = pods.Items[0].Status.PodIP + ":9992"
		return nil
	})
	i.must(err)
	return address
}

func podReady(p *corev1.Pod) bool {
	ready := conditionOf(p, corev1.PodReady)
	return ready != nil && ready.Status == corev1.ConditionTrue
}

func statuses(pods []corev1.Pod) string {
	var all []string
	for n := range pods {
		all = append(all, pods[n].Status.String())
	}
	return strings.Join(all, "\n")
}

// plain scrapes what serves at an address.
func plain(address string) func(context.Context) ([]byte, error) {
	return func(ctx context.Context) ([]byte, error) { return Fetch(ctx, "http://"+address+"/metrics") }
}

// tells demands that what is scraped tells these scenarios and nothing else.
func (i *installation) tells(ctx context.Context, fetch func(context.Context) ([]byte, error), scenarios []Scenario) {
	i.t.Helper()
	deleted := map[Workload]bool{}
	notTimed := func(subject, classify.Family) time.Time { return time.Time{} }
	err := Poll(ctx, 90*time.Second, time.Second, func(ctx context.Context) error {
		i.deleteRunning(ctx, deleted)
		text, err := fetch(ctx)
		if err != nil {
			return err
		}
		scrape, err := ParseScrape(text)
		if err != nil {
			return err
		}
		recorder := NewRecorder()
		recorder.Observe(scrape, time.Now())
		_, violations := Judge(scenarios, recorder.Tracks(), notTimed, time.Since(i.applied))
		if len(violations) > 0 {
			return errors.New(strings.Join(violations, "\n"))
		}
		return nil
	})
	if err != nil {
		i.report.Violate(fmt.Sprintf("%s: %v", i.t.Name(), err))
	}
}

// confined looks at the exporter's process as the node sees it.
func (i *installation) confined() {
	i.t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	i.must(err)
	found := 0
	for _, exe := range exes {
		if target, err := os.Readlink(exe); err != nil || target != "/kube-failure-exporter" {
			continue
		}
		found++
		folder := filepath.Dir(exe)
		status, err := os.ReadFile(filepath.Join(folder, "status"))
		i.must(err)
		for _, want := range []string{
			"\nUid:\t65532\t65532\t65532\t65532\n", "\nGid:\t65532\t65532\t65532\t65532\n", "\nCapEff:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nSeccomp:\t2\n",
		} {
			if !strings.Contains(string(status), want) {
				i.t.Errorf("the process' status has no line %q:\n%s", want, status)
			}
		}
		mounts, err := os.ReadFile(filepath.Join(folder, "mountinfo"))
		i.must(err)
		if !strings.Contains(string(mounts), " / / ro,") {
			i.t.Errorf("the root file system is not read-only:\n%s", mounts)
		}
	}
	if found != 1 {
		i.t.Errorf("%d processes of the exporter on the node, want 1", found)
	}
}

// quiet demands a log without complaints.
func (i *installation) quiet(ctx context.Context, namespace string) {
	i.t.Helper()
	log := i.run(ctx, i.kubectl, "-n", namespace, "logs", "-l", "app.kubernetes.io/name=kube-failure-exporter", "--tail=-1")
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
			i.t.Errorf("the log complains: %s", line)
		}
	}
	if log == "" {
		i.t.Error("the log is empty")
	}
}

// mayOnlyRead demands that an account has no right but to look at what is watched.
func (i *installation) mayOnlyRead(ctx context.Context, namespace, account string) {
	i.t.Helper()
	as := "--as=system:serviceaccount:" + namespace + ":" + account
	for _, question := range [][]string{
		{"get", "secrets"}, {"list", "configmaps"}, {"get", "pods", "--subresource=log"}, {"create", "pods", "--subresource=exec"}, {"delete", "pods"}, {"create", "events"}, {"patch", "deployments"},
	} {
		if out, err := i.output(ctx, i.kubectl, append([]string{"auth", "can-i", as, "-n", namespace}, question...)...); err == nil {
			i.t.Errorf("%s may %s: %s", account, strings.Join(question, " "), out)
		}
	}
}

// nothingLeft demands that an uninstallation has left nothing that is the cluster's.
func (i *installation) nothingLeft(ctx context.Context) {
	i.t.Helper()
	out := i.run(ctx, i.kubectl, "get", "clusterroles,clusterrolebindings", "-l", "app.kubernetes.io/name=kube-failure-exporter", "-o", "name")
	if out != "" {
		i.t.Errorf("left behind: %s", out)
	}
}

const chartFolder = module + "/deploy/chart"

// chart installs the chart with all that it has, changes it, and removes it.
func (i *installation) chart(ctx context.Context) {
	const namespace = "by-chart"
	i.restrictedNamespace(ctx, namespace)
	all := []string{
		"-n", namespace, "--set=podMonitor.enabled=true,prometheusRule.enabled=true,dashboards.enabled=true,networkPolicy.enabled=true", "--wait", "--timeout=2m",
	}
	i.run(ctx, i.helm, append([]string{"install", "failures", chartFolder}, all...)...)
	i.tells(ctx, plain(i.address(ctx, namespace)), i.scenarios)
	i.confined()
	i.quiet(ctx, namespace)
	i.mayOnlyRead(ctx, namespace, "failures-kube-failure-exporter")
	rules := i.run(ctx, i.kubectl, "-n", namespace, "get", "prometheusrules,podmonitors,configmaps,networkpolicies", "-l", "app.kubernetes.io/instance=failures", "-o", "name")
	if n := len(strings.Fields(rules)); n < 15 {
		i.t.Errorf("only %d objects beside the exporter:\n%s", n, rules)
	}
	i.run(ctx, i.helm, append([]string{"upgrade", "failures", chartFolder, "--set=logFormat=json,dashboards.grafanaOperator.enabled=true,serviceMonitor.enabled=true"}, all...)...)
	i.tells(ctx, plain(i.address(ctx, namespace)), i.scenarios)
	i.run(ctx, i.helm, "uninstall", "failures", "-n", namespace, "--wait")
	i.nothingLeft(ctx)
}

// chartNamespaced installs the chart for some namespaces, with no right beyond them.
func (i *installation) chartNamespaced(ctx context.Context) {
	const namespace = "by-chart-namespaced"
	// What runs in healthy proves that the repository exists whose tag is wrong in the other one.
	watched := []string{i.failingIn("create"), i.failingIn("image"), "healthy"}
	i.restrictedNamespace(ctx, namespace)
	i.run(ctx, i.helm, "install", "some", chartFolder, "-n", namespace, "--set=namespaces={"+strings.Join(watched, ",")+"}", "--wait", "--timeout=2m")
	i.nothingLeft(ctx)
	i.tells(ctx, plain(i.address(ctx, namespace)), i.scenariosOf(watched))
	i.run(ctx, i.helm, "uninstall", "some", "-n", namespace, "--wait")
	out := i.run(ctx, i.kubectl, "get", "roles,rolebindings", "-A", "-l", "app.kubernetes.io/instance=some", "-o", "name")
	if out != "" {
		i.t.Errorf("left behind: %s", out)
	}
}

// failingIn is a namespace with failures from a file of scenarios.
func (i *installation) failingIn(file string) string {
	n := slices.IndexFunc(i.scenarios, func(s Scenario) bool { return s.File == file && len(s.Expect) > 0 })
	return i.scenarios[n].Namespace
}

func (i *installation) scenariosOf(namespaces []string) []Scenario {
	return slices.DeleteFunc(slices.Clone(i.scenarios), func(s Scenario) bool { return !slices.Contains(namespaces, s.Namespace) })
}

// chartTLS installs the chart with TLS and a password, from Secrets that are there. The kubelet has none, and its probes must pass all the same.
func (i *installation) chartTLS(ctx context.Context) {
	const (
		namespace = "by-chart-tls"
		web       = "tls_server_config: {cert_file: /etc/kube-failure-exporter/tls/tls.crt, key_file: /etc/kube-failure-exporter/tls/tls.key}\n" +
			"basic_auth_users: {prometheus: $2a$05$JP0cQIb3mrmsYecGN9HhGuxl7tPQrzvpi8Fr3nqsYzB7o4q6EGo2u}\n" // swordfish
	)
	i.restrictedNamespace(ctx, namespace)
	crt, key, err := cert.GenerateSelfSignedCertKey("localhost", nil, nil)
	i.must(err)
	for _, secret := range []*corev1.Secret{
		{ObjectMeta: metav1.ObjectMeta{Name: "web"}, StringData: map[string]string{"web.yml": web}},
		{ObjectMeta: metav1.ObjectMeta{Name: "certificate"}, Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.crt": crt, "tls.key": key}},
	} {
		_, err := i.client.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{})
		i.must(err)
	}
	i.run(ctx, i.helm, "install", "safe", chartFolder, "-n", namespace, "--wait", "--timeout=2m",
		"--set=webConfig.existingSecret=web,webConfig.certificateSecret=certificate,webConfig.tls=true,webConfig.auth=true")
	url := "https://" + i.address(ctx, namespace) + "/metrics"
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(crt)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}}}
	if _, err := fetchBy(ctx, client, url); err == nil || !strings.Contains(err.Error(), "401") {
		i.t.Errorf("without a password: %v, want 401", err)
	}
	password := "Basic " + base64.StdEncoding.EncodeToString([]byte("prometheus:swordfish"))
	i.tells(ctx, func(ctx context.Context) ([]byte, error) { return fetchBy(ctx, client, url, "Authorization", password) }, i.scenarios)
	i.run(ctx, i.helm, "uninstall", "safe", "-n", namespace, "--wait")
}

// overlay installs an overlay by kubectl alone.
func (i *installation) overlay(ctx context.Context, name string) {
	folder := filepath.Join(module, "deploy", "kustomize", "overlays", name)
	i.run(ctx, i.kubectl, "apply", "-k", folder)
	i.judgeManifests(ctx, i.scenarios)
	i.run(ctx, i.kubectl, "delete", "--wait", "-k", folder)
	i.nothingLeft(ctx)
}

// overlayNamespaced installs in a namespace with failures, and for it.
func (i *installation) overlayNamespaced(ctx context.Context) {
	folder := filepath.Join(module, "deploy", "kustomize", "overlays", "namespaced")
	namespace := i.failingIn("crash")
	i.run(ctx, i.kubectl, "-n", namespace, "apply", "-k", folder)
	i.nothingLeft(ctx)
	i.tells(ctx, plain(i.address(ctx, namespace)), i.scenariosOf([]string{namespace}))
	i.confined()
	i.run(ctx, i.kubectl, "-n", namespace, "delete", "--wait", "-k", folder)
}

// manifest installs the file that needs nothing but kubectl.
func (i *installation) manifest(ctx context.Context) {
	file := filepath.Join(module, "deploy", "manifests", "plain.yaml")
	i.run(ctx, i.kubectl, "apply", "-f", file)
	i.run(ctx, i.kubectl, "-n", namespaceSelf, "rollout", "status", "deployment/kube-failure-exporter", "--timeout=1m")
	i.judgeManifests(ctx, i.scenarios)
	i.forwarded(ctx)
	i.run(ctx, i.kubectl, "delete", "--wait", "-f", file)
	i.nothingLeft(ctx)
}

// forwarded opens the page as the documentation says, through the API server.
func (i *installation) forwarded(ctx context.Context) {
	i.t.Helper()
	address, err := freeAddress(ctx)
	i.must(err)
	_, port, _ := strings.Cut(address, ":")
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, i.kubectl, "-n", namespaceSelf, "port-forward", "deployment/kube-failure-exporter", port+":9992")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+i.cluster.Kubeconfig())
	i.must(cmd.Start())
	defer func() {
		cancel()
		_ = cmd.Wait() // it was killed
	}()
	err = Poll(ctx, 20*time.Second, 200*time.Millisecond, func(ctx context.Context) error {
		page, err := Fetch(ctx, "http://"+address+"/")
		if err == nil && !strings.Contains(string(page), "By workload, the worst first") {
			err = fmt.Errorf("no page: %.200s", page)
		}
		return err
	})
	if err != nil {
		i.t.Errorf("kubectl port-forward: %v", err)
	}
}

// judgeManifests looks at what the manifests have installed in the namespace that they make.
func (i *installation) judgeManifests(ctx context.Context, scenarios []Scenario) {
	i.t.Helper()
	i.tells(ctx, plain(i.address(ctx, namespaceSelf)), scenarios)
	i.confined()
	i.quiet(ctx, namespaceSelf)
	i.mayOnlyRead(ctx, namespaceSelf, namespaceSelf)
}
