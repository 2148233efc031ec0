package main

import (
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// causesOf returns the runbooks that the metrics name.
func causesOf(t *testing.T, s *server) []string {
	t.Helper()
	_, _, body := s.get(t, "/metrics")
	var urls []string
	for _, m := range regexp.MustCompile(`(?m)^pod_failure_cause_info\{.*runbook_url="([^"]*)"`).FindAllStringSubmatch(body, -1) {
		urls = append(urls, m[1])
	}
	if len(urls) < 100 {
		t.Fatalf("only %d runbooks on /metrics", len(urls))
	}
	return urls
}

// TestRunbooksResolve follows each runbook_url: to a file of docs, and to a page of the exporter itself.
func TestRunbooksResolve(t *testing.T) {
	s := serve(t, "--demo")
	eventually(t, "ready", func() bool { code, _, _ := s.get(t, "/-/ready"); return code == http.StatusOK })
	for _, url := range causesOf(t, s) {
		name, ours := strings.CutPrefix(url, report.RunbookBase+"/")
		if !ours {
			t.Errorf("%s is not below %s", url, report.RunbookBase)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "docs", "causes", name)); err != nil {
			t.Error(err)
		}
		_, _, want := s.get(t, "/causes/"+strings.TrimSuffix(name, ".md"))
		code, header, body := s.get(t, "/causes/"+name)
		if code != http.StatusOK || !strings.Contains(body, "<h1>"+strings.TrimSuffix(name, ".md")+"</h1>") || header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d\n%.500s", name, code, body)
		}
		if asOf := regexp.MustCompile(`<time.*?</time>`); asOf.ReplaceAllString(body, "") != asOf.ReplaceAllString(want, "") {
			t.Errorf("%s is not the page without .md", name)
		}
	}
}

// TestOwnRunbooks has the exporter's own address as the base of the runbooks.
func TestOwnRunbooks(t *testing.T) {
	s := serve(t, "--demo", "--runbook.url=https://exporter.example/causes/")
	for _, url := range causesOf(t, s)[:5] {
		page := strings.TrimPrefix(url, "https://exporter.example")
		if code, _, _ := s.get(t, page); code != http.StatusOK || path.Dir(page) != "/causes" {
			t.Errorf("%s: %d", page, code)
		}
	}
}

func TestCausePages(t *testing.T) {
	s := serve(t, "--demo")
	eventually(t, "failures", func() bool {
		_, _, body := s.get(t, "/causes/QuotaExceeded")
		return strings.Contains(body, "payments-full/api (Deployment)")
	})
	for _, test := range []struct {
		method, path string
		code         int
		body         string
	}{
		{http.MethodGet, "/", http.StatusOK, `<a href="causes/QuotaExceeded">More on QuotaExceeded</a>`},
		{http.MethodGet, "/causes/", http.StatusOK, " causes. "},
		{http.MethodGet, "/causes", http.StatusOK, " causes. "}, // by a redirect
		{http.MethodGet, "/causes/QuotaExceeded", http.StatusOK, "kubectl -n payments-full describe resourcequota compute-resources"},
		{http.MethodGet, "/causes/quotaexceeded", http.StatusOK, "<h1>QuotaExceeded</h1>"},
		{http.MethodGet, "/causes/NoNodes", http.StatusOK, "No workload fails for this now."},
		{http.MethodGet, "/causes/OOMKiled", http.StatusNotFound, `unknown cause "OOMKiled": did you mean OOMKilled?`},
		{http.MethodGet, "/causes/Xyzzyplugh.md", http.StatusNotFound, "/causes/ lists all causes."},
		{http.MethodGet, "/causes/%3Cscript%3E", http.StatusNotFound, `unknown cause "<script>"`}, // as plain text
		{http.MethodGet, "/causes/OOMKilled/more", http.StatusNotFound, ""},
		{http.MethodHead, "/causes/OOMKilled", http.StatusOK, ""},
		{http.MethodPost, "/causes/OOMKilled", http.StatusMethodNotAllowed, ""},
		{http.MethodDelete, "/causes/", http.StatusMethodNotAllowed, ""},
	} {
		code, header, body := s.get(t, test.path, func(r *http.Request) { r.Method = test.method })
		if code != test.code || !strings.Contains(body, test.body) {
			t.Errorf("%s %s: %d\n%.500s", test.method, test.path, code, body)
		}
		if html := strings.HasPrefix(header.Get("Content-Type"), "text/html"); html != (code == http.StatusOK) || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %s", test.method, test.path, header)
		}
	}
}

// TestLandingPages asks for what fails in all the ways that a link can ask.
func TestLandingPages(t *testing.T) {
	s := serve(t, "--demo")
	eventually(t, "failures", func() bool {
		_, _, body := s.get(t, "/failures/payments-full/Deployment/api")
		return strings.Contains(body, "50m too much")
	})
	for _, test := range []struct {
		path string
		code int
		body string
	}{
		{"/", http.StatusOK, `<a href="?cause=QuotaExceeded">`},
		{"/", http.StatusOK, `<a href="failures/payments-full/Deployment/api">`},
		{"/?cause=QuotaExceeded&colour=red", http.StatusOK, "failing workloads</h2>"},
		{"/?cause=QuotaExceeded&namespace=payments-full", http.StatusOK, `id="w/payments-full/Deployment/api"`},
		{"/?cause=QuotaExceeded&page=7", http.StatusOK, `id="w/payments-full/Deployment/api"`},
		{"/?text=%3Cscript%3Ealert(1)", http.StatusOK, "Nothing that fails matches the filter."},
		{"/?text=" + strings.Repeat("x", 257), http.StatusBadRequest, "text is too long: give at most 256 characters"},
		{"/?cause=quotaexceeded&namespace=payments-full", http.StatusOK, `id="w/payments-full/Deployment/api"`},
		{"/?cause=quotaexceeded&namespace=payments-full", http.StatusOK, `<option selected>QuotaExceeded</option>`},
		{"/?cause=Xyzzyplugh", http.StatusOK, "cause <strong>Xyzzyplugh</strong>"},
		{"/?namespace=a%zz", http.StatusBadRequest, "the query cannot be read: invalid URL escape &#34;%zz&#34;"},
		{"/?%zz&text=compute-resources", http.StatusBadRequest, "the query cannot be read"},
		{"/?text=a;text=b", http.StatusBadRequest, "the query cannot be read"},
		{"/failures/payments-full/Deployment/api", http.StatusOK, "50m too much"},
		{"/failures/payments-full/deployment/api", http.StatusOK, "kubectl -n payments-full describe resourcequota compute-resources"},
		{"/failures/payments-full/Deployment/other", http.StatusNotFound, "Nothing fails of it now."},
		{"/failures/a%2Fb/%3Cscript%3E/..%2F", http.StatusNotFound, "Nothing fails of it now."},
	} {
		code, header, body := s.get(t, test.path)
		if code != test.code || !strings.Contains(body, test.body) || strings.Count(body, "<script>") > 1 {
			t.Errorf("%s: %d\n%s", test.path, code, body[strings.Index(body, "<body>")+1:])
		}
		if !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(header.Get("Content-Security-Policy"), "connect-src 'self'; form-action 'self'") {
			t.Errorf("%s: %s", test.path, header)
		}
	}
	for _, path := range []string{"/failures", "/failures/", "/failures/a", "/failures/a/Pod", "/failures/a/Pod/b/c"} {
		if code, _, _ := s.get(t, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// TestCauseBeforeSync is a cluster that lets nobody look.
func TestCauseBeforeSync(t *testing.T) {
	noCluster(t)
	kubeconfig := writeFile(t, "config", `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "`+newForbiddingAPI(t)+`"}}],
		contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}`)
	s := serve(t, "--kubeconfig", kubeconfig)
	for _, page := range []string{"/", "/?cause=OOMKilled", "/failures/a/Pod/b", "/causes/", "/causes/OOMKilled"} {
		code, _, body := s.get(t, page)
		if code != http.StatusOK || !strings.Contains(body, "The caches have not synced yet") || strings.Contains(body, "fails for this now") || strings.Contains(body, "Nothing fails") {
			t.Errorf("%s: %d\n%s", page, code, body)
		}
	}
}
