//go:build e2e

package cluster_test

import (
	"cmp"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// version is the newest, or what the environment says.
func version() string {
	return cmp.Or(os.Getenv("KFE_E2E_VERSION"), cluster.Newest())
}

func start(t *testing.T, options cluster.Options) (*cluster.Cluster, kubernetes.Interface) {
	t.Helper()
	if missing := cluster.Missing(options.Node); len(missing) > 0 {
		t.Skip("SKIPPED: this machine lacks what a cluster needs:\n" + strings.Join(missing, "\n"))
	}
	options.Version, options.Log = version(), os.Stderr
	c, err := cluster.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c, options.Node) })
	return c, kubernetes.NewForConfigOrDie(c.Config())
}

// stop proves that nothing is left: no process, mount, bridge or folder.
func stop(t *testing.T, c *cluster.Cluster, node bool) {
	begin := time.Now()
	ctx := context.WithoutCancel(t.Context())
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
	t.Logf("stopped after %.1fs", time.Since(begin).Seconds())
	if err := c.Stop(ctx); err != nil {
		t.Error("stopped again:", err)
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, name := range processes {
		if text, err := os.ReadFile(name); err == nil && strings.Contains(string(text), c.Dir()+"/") {
			t.Errorf("left behind: process %s: %q", name, text)
		}
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(string(mounts), c.Dir()+"/") {
		t.Errorf("left behind: mounts:\n%s", mounts)
	}
	if _, err := os.Stat(c.Dir()); !os.IsNotExist(err) {
		t.Errorf("left behind: %s: %v", c.Dir(), err)
	}
	if !node {
		return // another cluster's node may be on this machine
	}
	if _, err := net.InterfaceByName("kfe0"); err == nil {
		t.Error("left behind: the bridge kfe0")
	}
	if pods, _ := filepath.Glob("/sys/fs/cgroup/*/kubepods"); len(pods) > 0 {
		t.Error("left behind: cgroups", pods)
	}
}

func TestControlPlane(t *testing.T) {
	c, client := start(t, cluster.Options{})
	got, err := client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if got.GitVersion != "v"+version() {
		t.Errorf("the server is of version %s, want v%s", got.GitVersion, version())
	}

	if err := c.CompactEtcd(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.StopAPIServer(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := client.Discovery().ServerVersion(); err == nil {
		t.Error("the API server answers although it is stopped")
	}
	if err := c.StartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}

	path, err := c.KubeconfigFor(t.Context(), metav1.NamespaceDefault, "default")
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = kubernetes.NewForConfigOrDie(config).CoreV1().Pods("").List(t.Context(), metav1.ListOptions{})
	if err == nil || !strings.Contains(err.Error(), `"system:serviceaccount:default:default" cannot list`) {
		t.Errorf("a service account without rights gets %v, want: forbidden", err)
	}
}

func TestNode(t *testing.T) {
	c, client := start(t, cluster.Options{Node: true})
	pods := client.CoreV1().Pods(metav1.NamespaceDefault)
	images := map[string]string{
		"runs":      c.OpenRegistry() + "/pause:1",
		"cured":     c.OpenRegistry() + "/later:2",
		"platform":  c.OpenRegistry() + "/arm64only:1",
		"format":    c.OpenRegistry() + "/badexec:1",
		"password":  c.PrivateRegistry() + "/private/busybox:1",
		"hub":       "busybox:1",
		"hubtag":    "busybox:nosuchtag",
		"hubnone":   "nginxdoesntexist",
		"hublimits": "limited/app",
	}
	want := map[string]string{
		"runs":      "Running",
		"cured":     "not found",
		"platform":  "no match for platform in manifest",
		"format":    "Reason:Error",
		"password":  "authorization failed: no basic auth credentials",
		"hub":       "Running",
		"hubtag":    "docker.io/library/busybox:nosuchtag: not found",
		"hubnone":   "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
		"hublimits": "429 Too Many Requests",
	}
	for name, image := range images {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}}
		pod.Spec.Containers = []corev1.Container{{Name: "app", Image: image}}
		if name == "hub" {
			pod.Spec.Containers[0].Command = []string{"sleep", "1000"}
		}
		if _, err := pods.Create(t.Context(), pod, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	awaitStatus(t, client, "cured", want["cured"])
	if err := c.Push(t.Context(), "later:2"); err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		if name != "cured" {
			awaitStatus(t, client, name, text)
		}
	}
	awaitStatus(t, client, "cured", "Completed")
}

// awaitStatus waits until a pod's phase or its container's state says the text.
func awaitStatus(t *testing.T, client kubernetes.Interface, name, text string) {
	t.Helper()
	var status string
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(500 * time.Millisecond) {
		pod, err := client.CoreV1().Pods(metav1.NamespaceDefault).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(pod.Status.ContainerStatuses) == 0 {
			continue
		}
		state := pod.Status.ContainerStatuses[0]
		status = string(pod.Status.Phase) + " " + state.State.String() + " " + state.LastTerminationState.String()
		if strings.Contains(status, text) {
			return
		}
	}
	t.Errorf("%s: got %q, want in it %q", name, status, text)
}
