//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// The environment says how much is run:
//
//	KFE_E2E_VERSION   of Kubernetes; the newest by default
//	KFE_E2E_MINUTES   how long the scenarios are watched; 12 by default, enough for every expectation
//	KFE_E2E_SHORT     anything: the scenarios are watched for 4 minutes, outages are shorter, floods smaller
//	KFE_E2E_DIR       where the cluster lives; its logs stay there. A temporary folder by default
//	KFE_E2E_BUDGET    how long all may take; 25m by default
const (
	nodeName = "node"
	module   = "../.." // the exporter's
)

// suite is a run on one cluster.
type suite struct {
	t         *testing.T
	cluster   *cluster.Cluster
	version   string
	part      string // of the report's name
	client    *Client
	node      bool
	short     bool
	watching  time.Duration
	folder    string
	binary    string
	variables map[string]string
	times     classify.Options
	report    *Report
	objects   []Object // of the scenarios
	scenarios []Scenario

	// All scenarios are told by the steady exporter, those that are cured by the other one.
	steady, curing            *Exporter
	steadyTruth, curedTruth   *Truth
	steadyTracks, curedTracks *Recorder
	alerting                  *Alerting

	exporterConfig string
	rules          []rbacv1.PolicyRule // of the exporter's own role
}

// on runs a part of the suite as a test of its own.
func (s *suite) on(t *testing.T, part func(*suite, context.Context)) {
	own := *s
	own.t = t
	before := len(s.report.Violations())
	part(&own, t.Context())
	for _, violation := range s.report.Violations()[before:] {
		t.Error(violation)
	}
}

func (s *suite) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// start starts a cluster and prepares everything but the exporter.
func start(t *testing.T, node bool) *suite {
	ctx := t.Context()
	s := &suite{t: t, node: node, short: os.Getenv("KFE_E2E_SHORT") != "", folder: t.TempDir(), times: classify.DefaultOptions()}
	minutes := 12.0
	if s.short {
		minutes = 4
	}
	if text := os.Getenv("KFE_E2E_MINUTES"); text != "" {
		var err error
		minutes, err = strconv.ParseFloat(text, 64)
		s.must(err)
	}
	s.watching = time.Duration(minutes * float64(time.Minute))
	version := cmp.Or(os.Getenv("KFE_E2E_VERSION"), cluster.Newest())
	folder := os.Getenv("KFE_E2E_DIR")
	if folder != "" && !node {
		folder = filepath.Join(folder, "control")
	}
	began := time.Now()
	c, err := cluster.Start(ctx, cluster.Options{Version: version, Node: node, Dir: folder, MaxPods: 160, Log: os.Stderr})
	s.must(err)
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Errorf("stopping the cluster: %v", err)
		}
	})
	s.cluster, s.version = c, version
	s.report = &Report{Title: "End-to-end test on Kubernetes " + version}
	s.report.Note("%s, node: %t, %d CPUs, %s; scenarios watched for %s", runtime.GOARCH, node, runtime.NumCPU(),
		began.UTC().Format(time.RFC3339), s.watching)
	t.Cleanup(func() { s.finish(began, node) })
	s.client, err = NewClient(c.Config())
	s.must(err)
	s.binary = filepath.Join(s.folder, "kube-failure-exporter")
	s.must(BuildExporter(ctx, module, s.binary))
	s.variables = map[string]string{"OPEN": c.OpenRegistry(), "PRIVATE": c.PrivateRegistry(), "NODE": nodeName}
	registries, err := ServeFaultyRegistries(ctx)
	s.must(err)
	t.Cleanup(func() { _ = registries.Close() })
	s.variables["FAULTY"], s.variables["PLAIN"], s.variables["SELFSIGNED"] = registries.Faulty, registries.Plain, registries.SelfSigned
	port, err := ServeNotServing(ctx)
	s.must(err)
	s.variables["GRPC"] = strconv.Itoa(port)
	s.objects, err = ReadFolder("scenarios", s.variables)
	s.must(err)
	s.scenarios, err = Scenarios(s.objects)
	s.must(err)
	return s
}

// finish writes the report and checks what the whole took.
func (s *suite) finish(began time.Time, node bool) {
	took := time.Since(began)
	s.report.Note("all of it took %s", took.Round(time.Second))
	budget := 25 * time.Minute
	if text := os.Getenv("KFE_E2E_BUDGET"); text != "" {
		if d, err := time.ParseDuration(text); err == nil {
			budget = d
		}
	}
	if took > budget {
		s.report.Note("**that is more than %s**", budget)
	}
	name := s.version
	if !node {
		name += "-without-node"
	}
	if err := s.report.Write(filepath.Join("reports", name+s.part+".md")); err != nil {
		s.t.Error(err)
	}
	s.t.Log("\n" + s.report.String())
}

// account installs what deploy/ ships: the exporter's service account with its permissions. The kubeconfig is that account's.
func (s *suite) account(ctx context.Context) {
	var err error
	s.exporterConfig, err = s.client.InstallPermissions(ctx, s.cluster, module)
	s.must(err)
	role, err := s.client.RbacV1().ClusterRoles().Get(ctx, namespaceSelf, metav1.GetOptions{})
	s.must(err)
	s.rules = role.Rules
}

// exporter starts an exporter and waits until it is ready.
func (s *suite) exporter(ctx context.Context, kubeconfig string, args ...string) *Exporter {
	e, err := StartExporter(ctx, s.binary, kubeconfig, args...)
	s.must(err)
	s.t.Cleanup(e.Kill)
	s.must(e.WaitReady(ctx, time.Minute))
	return e
}

// applyAll applies objects: first everything that workloads need, then those that must run, then the rest.
func (s *suite) applyAll(ctx context.Context, objects []Object) {
	for _, object := range objects {
		if templateAnnotations(object.Unstructured) == nil {
			s.must(s.client.Apply(ctx, object.Unstructured))
		}
	}
	s.must(Poll(ctx, time.Minute, 200*time.Millisecond, func(ctx context.Context) error { return s.namespacesReady(ctx, objects) }))
	for _, healthy := range []bool{true, false} {
		for _, object := range objects {
			if templateAnnotations(object.Unstructured) != nil && (object.File == "healthy") == healthy {
				s.must(s.client.Apply(ctx, object.Unstructured))
			}
		}
		if healthy && s.node {
			s.must(Poll(ctx, 2*time.Minute, 500*time.Millisecond, s.healthyReady))
		}
	}
}

// namespacesReady says that controllers have done what they do in a new namespace.
func (s *suite) namespacesReady(ctx context.Context, objects []Object) error {
	for _, object := range objects {
		switch object.GetKind() {
		case "Namespace":
			if _, err := s.client.CoreV1().ServiceAccounts(object.GetName()).Get(ctx, "default", metav1.GetOptions{}); err != nil {
				return err
			}
			labels := object.GetLabels()
			if labels["policy"] == "" && labels["hook"] == "" {
				continue
			}
			if err := s.refuses(ctx, object.GetName()); err != nil {
				return err
			}
		case "PersistentVolumeClaim":
			claim, err := s.client.CoreV1().PersistentVolumeClaims(object.GetNamespace()).Get(ctx, object.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if claim.Spec.VolumeName != "" && claim.Status.Phase != corev1.ClaimBound {
				return fmt.Errorf("claim %s/%s is not bound", claim.Namespace, claim.Name)
			}
		case "ResourceQuota":
			quota, err := s.client.CoreV1().ResourceQuotas(object.GetNamespace()).Get(ctx, object.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			if len(quota.Status.Hard) == 0 {
				return fmt.Errorf("quota %s/%s has no status", quota.Namespace, quota.Name)
			}
		}
	}
	return nil
}

// refuses says whether a namespace already takes no pods: policies and webhooks work some seconds after they are there.
func (s *suite) refuses(ctx context.Context, namespace string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "probe"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.com/app:1"}}},
	}
	_, err := s.client.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err == nil {
		return fmt.Errorf("namespace %s still takes pods", namespace)
	}
	return nil
}

func (s *suite) healthyReady(ctx context.Context) error {
	d, err := s.client.AppsV1().Deployments("healthy").Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	hub, err := s.client.CoreV1().Pods("healthy").Get(ctx, "from-hub", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if d.Status.ReadyReplicas < *d.Spec.Replicas || hub.Status.Phase != corev1.PodRunning {
		return fmt.Errorf("healthy workloads are not ready: %d of %d, %s", d.Status.ReadyReplicas, *d.Spec.Replicas, hub.Status.Phase)
	}
	return nil
}

// record scrapes in the background until the function that it returns is called. current may return nil for none.
func (s *suite) record(ctx context.Context, current func() *Exporter, recorder *Recorder, interval time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			e := current()
			if e == nil {
				continue
			}
			scrape, err := e.Scrape(ctx)
			if err == nil {
				recorder.Observe(scrape, time.Now())
			} else if ctx.Err() == nil && e == current() {
				s.report.Violate(err.Error())
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// apiAddress is the API server's host:port.
func (s *suite) apiAddress() string {
	u, err := url.Parse(s.cluster.Server())
	s.must(err)
	return u.Host
}
