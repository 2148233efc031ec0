//go:build e2e

package scale

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/e2e"
)

// TestScale says what the exporter needs beside KFE_SCALE_PODS pods, 1000 by default.
func TestScale(t *testing.T) {
	if missing := cluster.Missing(false); len(missing) > 0 {
		t.Skip("SKIPPED: this machine lacks what a cluster needs:\n" + strings.Join(missing, "\n"))
	}
	n := 1000
	if text := os.Getenv("KFE_SCALE_PODS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal("KFE_SCALE_PODS: ", err)
		}
	}
	c, err := cluster.Start(t.Context(), cluster.Options{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	config := c.Config()
	config.QPS, config.Burst, config.ContentType = -1, 0, "application/vnd.kubernetes.protobuf"
	client := kubernetes.NewForConfigOrDie(config)
	if err := c.StopControllers(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	fill(t, client, n)
	t.Logf("%d pods made in %s", n, time.Since(began).Round(time.Second))
	measure(t, c, client, n)
}

// fill makes all objects.
func fill(t *testing.T, client kubernetes.Interface, n int) {
	t.Helper()
	ctx := t.Context()
	ready := corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}}
	parallel(t, (n-1)/podsOfNamespace+1, func(i int) error {
		name := namespaceOf(i * podsOfNamespace)
		if _, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}); err != nil {
			return err
		}
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default"}} // whose controller is away
		_, err := client.CoreV1().ServiceAccounts(name).Create(ctx, account, metav1.CreateOptions{})
		return err
	})
	parallel(t, (n-1)/podsOfNode+1, func(i int) error {
		_, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeOf(i * podsOfNode)}, Status: ready}, metav1.CreateOptions{})
		return err
	})
	parallel(t, (n-1)/podsOfReplicaSet+1, func(i int) error {
		deployment, replicaSet := deploymentAndReplicaSet(i * podsOfReplicaSet)
		if _, err := client.AppsV1().Deployments(deployment.Namespace).Create(ctx, deployment, metav1.CreateOptions{}); err != nil {
			return err
		}
		_, err := client.AppsV1().ReplicaSets(replicaSet.Namespace).Create(ctx, replicaSet, metav1.CreateOptions{})
		return err
	})
	now := time.Now()
	parallel(t, n, func(i int) error {
		made, err := client.CoreV1().Pods(namespaceOf(i)).Create(ctx, pod(i), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		made.Status = status(made, i, now)
		_, err = client.CoreV1().Pods(made.Namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{})
		return err
	})
}

// parallel calls f for 0 to n-1, several at once.
func parallel(t *testing.T, n int, f func(int) error) {
	t.Helper()
	if err := e2e.Parallel(n, f); err != nil {
		t.Fatal(err)
	}
}

// measure runs the exporter as its own binary, with the permissions that it ships.
func measure(t *testing.T, c *cluster.Cluster, client kubernetes.Interface, n int) {
	t.Helper()
	ctx := t.Context()
	binary := filepath.Join(t.TempDir(), "kube-failure-exporter")
	if err := e2e.BuildExporter(ctx, "../..", binary); err != nil {
		t.Fatal(err)
	}
	admin, err := e2e.NewClient(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := admin.InstallPermissions(ctx, c, "../..")
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	e, err := e2e.StartExporter(ctx, binary, kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Kill)
	if err := e.WaitReady(ctx, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	ready := time.Since(began)
	scrape, err := e.Scrape(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cpu, _ := scrape.Value("process_cpu_seconds_total")
	want := (n-1)/failingEvery + 1
	err = e2e.Poll(ctx, time.Minute, time.Second, func(ctx context.Context) error {
		if scrape, err = e.Scrape(ctx); err != nil {
			return err
		}
		if told := len(scrape.Find("pod_failure_reason")); told != want {
			return fmt.Errorf("%d failures are told, want %d", told, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	for range 21 {
		at := time.Now()
		if _, err := e2e.Fetch(ctx, e.URL+"/metrics"); err != nil {
			t.Fatal(err)
		}
		times = append(times, time.Since(at))
	}
	slices.Sort(times)
	between, err := e.Scrape(ctx)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := between.Value("process_cpu_seconds_total")
	touched := min(n, 20000)
	updates(t, client, touched)
	after, err := e.Scrape(ctx)
	if err != nil {
		t.Fatal(err)
	}
	resident, _ := after.Value("process_resident_memory_bytes")
	total, _ := after.Value("process_cpu_seconds_total")
	t.Logf("| pods | failing | ready s | CPU s to ready | peak MiB | MiB after updates | scrape kB | scrape p50 ms | CPU ms an update |")
	t.Logf("| %d | %d | %.1f | %.1f | %.0f | %.0f | %.0f | %.1f | %.2f |", n, want, ready.Seconds(), cpu, e.PeakMemory()/(1<<20), resident/(1<<20),
		float64(len(scrape.Text))/1000, float64(times[len(times)/2].Microseconds())/1000, (total-before)*1000/float64(touched))
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
}

// updates touches the first n pods once, as kubelets do.
func updates(t *testing.T, client kubernetes.Interface, n int) {
	t.Helper()
	parallel(t, n, func(i int) error {
		made := pod(i)
		made.Status = status(made, i, time.Now())
		_, err := client.CoreV1().Pods(made.Namespace).UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
		return err
	})
}
