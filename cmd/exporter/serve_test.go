package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// output is what a program writes, to be read while it runs.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// server is the program while it serves.
type server struct {
	url  string
	log  *output
	stop func() int
}

var listening = regexp.MustCompile(`msg="Listening on" address=(\S+)`)

// serve runs the program on a free port until the test, or stop, ends it.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &server{log: &output{}}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append(args, "--web.listen-address=127.0.0.1:0"), nil, io.Discard, s.log, keepClientLog)
	}()
	s.stop = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { s.stop() })
	eventually(t, "the address in the log", func() bool {
		m := listening.FindStringSubmatch(s.log.String())
		if m != nil {
			s.url = "http://" + m[1]
		}
		return m != nil
	})
	return s
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func (s *server) get(t *testing.T, path string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

func TestServeDemo(t *testing.T) {
	begin := time.Now()
	s := serve(t, "--demo")
	eventually(t, "ready", func() bool { code, _, _ := s.get(t, "/-/ready"); return code == http.StatusOK })
	eventually(t, "full", func() bool {
		_, _, body := s.get(t, "/metrics")
		return strings.Count(body, "\npod_failure_reason{") >= 20 && strings.Contains(body, "\npod_create_failure_reason{") &&
			strings.Contains(body, "\nquota_blocked_hard{") && strings.Contains(body, "\nrollout_stalled_reason{") && strings.Contains(body, `cause="ImageOrTagNotFound"`)
	})
	t.Logf("full after %s", time.Since(begin))
	for path, want := range map[string]struct {
		code int
		kind string
		body string
	}{
		"/-/healthy":   {http.StatusOK, "text/plain", "is healthy"},
		"/-/ready":     {http.StatusOK, "text/plain", "is ready"},
		"/":            {http.StatusOK, "text/html", "QuotaRequiresResources"},
		"/metrics":     {http.StatusOK, "text/plain", "kube_failure_exporter_build_info{"},
		"/elsewhere":   {http.StatusNotFound, "text/plain", "not found"},
		"/metrics/any": {http.StatusNotFound, "text/plain", "not found"},
	} {
		code, header, body := s.get(t, path)
		if code != want.code || !strings.HasPrefix(header.Get("Content-Type"), want.kind) || !strings.Contains(body, want.body) {
			t.Errorf("%s: %d %s:\n%.500s", path, code, header.Get("Content-Type"), body)
		}
	}
	_, header, _ := s.get(t, "/")
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"} {
		if header.Get(name) == "" {
			t.Errorf("the page has no %s", name)
		}
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("exit code %d after a signal:\n%s", code, s.log)
	}
	if log := s.log.String(); !strings.Contains(log, "Stopped watching") || strings.Contains(log, "level=ERROR") {
		t.Errorf("the log:\n%s", log)
	}
}

// goMemory matches what client_golang shows of Go's memory: in OpenMetrics, a gauge and a counter of the same name.
var goMemory = regexp.MustCompile(`(?m)^(# \w+ )?go_memstats_.*\n`)

// TestServeFormats asks for the text format and for OpenMetrics.
// TestServeStopsInSpiteOfConnections proves that a client which has connected and asked nothing does not turn an end by a signal
// into a failure.
func TestServeStopsInSpiteOfConnections(t *testing.T) {
	s := serve(t, "--demo")
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if code := s.stop(); code != 0 {
		t.Errorf("ended with code %d:\n%s", code, s.log)
	}
}

func TestServeFormats(t *testing.T) {
	s := serve(t, "--demo", "--web.telemetry-path=/scrape", "--metrics.max-failures=5", "--runbook.url=https://runbooks.example/x/")
	eventually(t, "ready", func() bool { code, _, _ := s.get(t, "/-/ready"); return code == http.StatusOK })
	for format, want := range map[string]string{"text/plain;version=0.0.4": "text/plain", "application/openmetrics-text;version=1.0.0": "application/openmetrics-text; version=1.0.0"} {
		code, header, body := s.get(t, "/scrape", func(r *http.Request) { r.Header.Set("Accept", format) })
		if kind := header.Get("Content-Type"); code != http.StatusOK || !strings.HasPrefix(kind, want) {
			t.Errorf("%d %s, want %s", code, kind, want)
		}
		if whole := strings.HasSuffix(body, "\n# EOF\n"); whole != strings.Contains(want, "openmetrics") {
			t.Errorf("%s ends with # EOF: %t", want, whole)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(goMemory.ReplaceAllString(strings.TrimSuffix(body, "# EOF\n"), "")))
		if err != nil {
			t.Fatal(err)
		}
		shown := len(families["pod_failure_reason"].GetMetric()) + len(families["pod_create_failure_reason"].GetMetric()) + len(families["rollout_stalled_reason"].GetMetric())
		if shown != 5 || families["kube_failure_exporter_dropped_failures"].GetMetric()[0].GetGauge().GetValue() < 10 {
			t.Errorf("%d failures are shown, want 5", shown)
		}
		if !strings.Contains(body, `runbook_url="https://runbooks.example/x/OOMKilled.md"`) {
			t.Error("the runbooks are elsewhere")
		}
	}
	if code, _, _ := s.get(t, "/metrics"); code != http.StatusNotFound {
		t.Errorf("/metrics answers %d", code)
	}
}

// TestServeWebConfig asks with and without the password that a web.config.file demands: scrape.
func TestServeWebConfig(t *testing.T) {
	config := writeFile(t, "web.yml", "basic_auth_users:\n  prometheus: $2a$04$63JjVrq3EaWYeoKRCUU8PO5k/Y.VOFU/uiRLierAzaloEFLcw/slO\n")
	s := serve(t, "--demo", "--web.config.file="+config)
	for password, want := range map[string]int{"": http.StatusUnauthorized, "wrong": http.StatusUnauthorized, "scrape": http.StatusOK} {
		code, _, _ := s.get(t, "/-/healthy", func(r *http.Request) {
			if password != "" {
				r.SetBasicAuth("prometheus", password)
			}
		})
		if code != want {
			t.Errorf("password %q: %d, want %d", password, code, want)
		}
	}
}

// TestServeForbidden is a cluster that answers and allows nothing: alive, not ready, and it says why.
func TestServeForbidden(t *testing.T) {
	noCluster(t)
	api := newForbiddingAPI(t)
	kubeconfig := writeFile(t, "config", `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "`+api+`"}}],
		contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}`)
	s := serve(t, "--kubeconfig", kubeconfig)
	eventually(t, "the reason", func() bool {
		code, _, body := s.get(t, "/-/ready")
		return code == http.StatusServiceUnavailable && strings.Contains(body, "May not watch pods, so nothing is told.")
	})
	if code, _, _ := s.get(t, "/-/healthy"); code != http.StatusOK {
		t.Errorf("not healthy: %d", code)
	}
	if _, _, body := s.get(t, "/metrics"); !strings.Contains(body, "\nkube_failure_exporter_cache_synced 0\n") || strings.Contains(body, "pod_failure_reason") {
		t.Errorf("the metrics:\n%.1000s", body)
	}
	if _, _, body := s.get(t, "/"); !strings.Contains(body, "The caches have not synced yet") || !strings.Contains(body, "May not watch pods") {
		t.Errorf("the page:\n%s", body)
	}
	runWith(t, "", "diagnose", "--kubeconfig", kubeconfig).check(t, exitError, nil, []string{"may not read pods; grant get, list and watch on them: ", "nobody"})
	if code := s.stop(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

func newForbiddingAPI(t *testing.T) string {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"nobody may list that"}`)
	}))
	t.Cleanup(api.Close)
	return api.URL
}
