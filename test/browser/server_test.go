//go:build browser

package browser

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/e2e"
)

// startDemo builds the exporter, runs its demo until the test ends, and waits for the last of its failures.
func startDemo(t *testing.T) (address string) {
	t.Helper()
	if *origin != "" {
		return *origin
	}
	binary := filepath.Join(t.TempDir(), "exporter")
	if err := e2e.BuildExporter(t.Context(), "../..", binary); err != nil {
		t.Fatal(err)
	}
	exporter, err := e2e.StartExporter(t.Context(), binary, "", "--demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(exporter.Kill)
	err = e2e.Poll(t.Context(), time.Minute, 100*time.Millisecond, func(ctx context.Context) error {
		text, err := e2e.Fetch(ctx, exporter.URL+"/api/v1/failures")
		if err == nil && (!strings.Contains(string(text), `"QuotaExceeded"`) || !strings.Contains(string(text), `"ImageOrTagNotFound"`)) {
			err = errors.New("failures are missing")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return exporter.URL
}

// cluster serves the pages of a snapshot that the test makes and changes, as the exporter would.
type cluster struct {
	*httptest.Server

	mu   sync.Mutex
	page report.Page
	down bool
}

func newCluster(t *testing.T, failures []classify.Failure) *cluster {
	t.Helper()
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{page: report.Page{Version: "test", Catalogue: catalogue, Looked: "20000 pods, 900 controllers, 40 events"}}
	c.set(failures)
	c.Server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(c.Close)
	return c
}

// set replaces what fails.
func (c *cluster) set(failures []classify.Failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.page.Snapshot = classify.Snapshot{At: time.Now(), Failures: failures, Workloads: map[classify.Workload]classify.Pods{}}
	for i := range failures {
		w := classify.WorkloadOf(&failures[i])
		pods := c.page.Snapshot.Workloads[w]
		pods.Desired++
		c.page.Snapshot.Workloads[w] = pods
	}
}

// fail has the server answer with nothing but errors, or no longer.
func (c *cluster) fail(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = down
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	current, down := c.page, c.down
	c.mu.Unlock()
	if down || r.URL.Path != "/" {
		http.Error(w, "no page", http.StatusServiceUnavailable)
		return
	}
	filter, err := report.ParseFilter(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	current.Filter, current.Number = filter, report.ParsePage(r.URL.Query())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", report.ContentSecurityPolicy())
	_ = current.Write(io.Writer(w))
}

// failing makes n failing pods, five to a workload, in 40 namespaces, for four causes.
func failing(n int) []classify.Failure {
	kinds := []classify.Failure{
		{Family: classify.FamilyImage, Reason: "ImagePullBackOff", Cause: classify.ImageTagNotFound, Message: "registry.example/shop/api:1.2.4: not found"},
		{Family: classify.FamilyCrash, Reason: "CrashLoopBackOff", Cause: classify.OOMKilled, Message: "the container ended with exit code 137 (OOMKilled)"},
		{Family: classify.FamilySchedule, Reason: "Unschedulable", Cause: classify.InsufficientMemory, Message: "0/3 nodes are available: 3 Insufficient memory."},
		{Family: classify.FamilyProbe, Reason: "Unhealthy", Cause: classify.ProbeHTTPStatus, Message: "Readiness probe failed: HTTP probe failed with statuscode: 503"},
	}
	failures := make([]classify.Failure, n)
	for i := range failures {
		workload := i / 5
		f := kinds[workload%len(kinds)]
		f.Kind, f.Namespace, f.WorkloadKind, f.Workload = "Pod", fmt.Sprintf("team-%02d", workload%40), "Deployment", fmt.Sprintf("app-%04d", workload)
		f.Name, f.Container, f.Node = fmt.Sprintf("%s-7f9d8c-%d", f.Workload, i%5), "app", fmt.Sprintf("node-%d", i%50)
		f.Since = time.Now().Add(-time.Duration(n-i) * time.Second)
		f.Events = []classify.Event{{Type: "Warning", Reason: "Failed", Message: f.Message, Count: int32(i + 1), First: f.Since, Last: time.Now()}}
		if f.Family == classify.FamilyCrash {
			f.LastEnd = &classify.End{ExitCode: 137, Reason: "OOMKilled", At: time.Now(), Restarts: int32(i)}
			for _, reason := range []string{"BackOff", "Killing"} {
				f.Events = append(f.Events, classify.Event{Type: "Warning", Reason: reason, Message: reason + " of " + f.Name, Count: 2, First: f.Since, Last: f.Since})
			}
		}
		failures[i] = f
	}
	return failures
}
