package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// serveFull runs the demo until its failures are there.
func serveFull(t *testing.T, args ...string) *server {
	t.Helper()
	s := serve(t, append(args, "--demo")...)
	eventually(t, "failures", func() bool {
		code, _, body := s.get(t, "/api/v1/failures")
		return code == http.StatusOK && strings.Contains(body, `"QuotaExceeded"`) && strings.Contains(body, `"ImageOrTagNotFound"`)
	})
	return s
}

// ask reads an answer that must be JSON.
func ask[T any](t *testing.T, s *server, path string) T {
	t.Helper()
	var answer T
	code, header, body := s.get(t, path)
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusOK {
		t.Fatalf("%s: %d, %v:\n%.500s", path, code, err, body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", path, name, got, want)
		}
	}
	return answer
}

// TestFailuresFilter compares what each parameter lets through with all that fails.
func TestFailuresFilter(t *testing.T) {
	s := serveFull(t)
	all := ask[report.FailuresAnswer](t, s, "/api/v1/failures").Failures
	for query, wanted := range map[string]func(report.Entry) bool{
		"namespace=payments-full": func(e report.Entry) bool { return e.Namespace == "payments-full" },
		"namespace=payments":      func(e report.Entry) bool { return e.Namespace == "payments" },
		"family=image":            func(e report.Entry) bool { return e.Family == classify.FamilyImage },
		"cause=QuotaExceeded":     func(e report.Entry) bool { return e.Cause == classify.QuotaExceeded },
		"cause=quotaexceeded":     func(e report.Entry) bool { return e.Cause == classify.QuotaExceeded },
		"family=crash&cause=":     func(e report.Entry) bool { return e.Family == classify.FamilyCrash },
		"text=FORBIDDEN%20limits.cpu": func(e report.Entry) bool {
			return strings.Contains(e.Message, "forbidden") && strings.Contains(e.Message, "limits.cpu")
		},
		"namespace=nobody":          func(report.Entry) bool { return false },
		"family=image&cause=Killed": func(report.Entry) bool { return false },
	} {
		got := ask[report.FailuresAnswer](t, s, "/api/v1/failures?"+query).Failures
		want := slices.DeleteFunc(slices.Clone(all), func(e report.Entry) bool { return !wanted(e) })
		if got == nil || len(got) != len(want) || len(got) == len(all) {
			t.Errorf("%s: %d of %d, want %d", query, len(got), len(all), len(want))
		}
		if i := slices.IndexFunc(got, func(e report.Entry) bool { return !wanted(e) }); i >= 0 {
			t.Errorf("%s: lets %+v through", query, got[i])
		}
	}
}

func TestFailuresRefused(t *testing.T) {
	s := serveFull(t)
	for query, want := range map[string]string{
		"cause=OOMKiled":             `unknown cause "OOMKiled": did you mean OOMKilled?`,
		"family=imgae":               `unknown family "imgae": it must be one of ["create" "schedule" `,
		"famly=image":                `unknown parameter "famly": there are namespace, family, cause and text`,
		"namespace=a&namespace=b":    "namespace is given more than once",
		"text=" + long(257):          "text is too long",
		"namespace=%zz":              "the query cannot be read: invalid URL escape",
		"namespace=a;cause=b":        "the query cannot be read",
		"cause=%3Cscript%3E%0A%1B[m": `unknown cause "<script>\n\x1b[m"`,
	} {
		code, header, body := s.get(t, "/api/v1/failures?"+query)
		var answer refusal
		if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusBadRequest || !strings.Contains(answer.Error, want) {
			t.Errorf("%s: %d, %v:\n%s", query, code, err, body)
		}
		if header.Get("Content-Type") != "application/json; charset=utf-8" || header.Get("Cache-Control") != "no-store" || header.Get("ETag") != "" {
			t.Errorf("%s: %v", query, header)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// TestAPIMethods proves that only GET and HEAD answer.
func TestAPIMethods(t *testing.T) {
	s := serveFull(t)
	for _, path := range []string{"/api/v1/failures", "/api/v1/causes"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions} {
			code, header, _ := s.get(t, path, func(r *http.Request) { r.Method = method })
			if code != http.StatusMethodNotAllowed || header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d %v", method, path, code, header)
			}
		}
		code, header, body := s.get(t, path, func(r *http.Request) { r.Method = http.MethodHead })
		if code != http.StatusOK || body != "" || header.Get("ETag") == "" || len(header.Get("Content-Length")) < 4 || header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("HEAD %s: %d %v\n%s", path, code, header, body)
		}
	}
	for _, path := range []string{"/api/v1/", "/api/v1/failures/", "/api/v2/failures", "/api/v1/causes/OOMKilled"} {
		if code, _, _ := s.get(t, path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}

// TestETag asks again with what If-None-Match may hold.
func TestETag(t *testing.T) {
	s := serveFull(t)
	for _, path := range []string{"/api/v1/failures?cause=QuotaExceeded", "/api/v1/causes"} {
		_, header, whole := s.get(t, path)
		etag := header.Get("ETag")
		for match, want := range map[string]int{
			etag: http.StatusNotModified, "W/" + etag: http.StatusNotModified, `"other", W/` + etag: http.StatusNotModified, "*": http.StatusNotModified,
			`"other"`: http.StatusOK, "": http.StatusOK, strings.Trim(etag, `"`): http.StatusOK,
		} {
			code, header, body := s.get(t, path, func(r *http.Request) { r.Header.Set("If-None-Match", match) })
			if code != want || header.Get("ETag") != etag || header.Get("Cache-Control") != "no-cache" {
				t.Errorf("%s, If-None-Match %q: %d %v, want %d", path, match, code, header, want)
			}
			if rest := map[bool]string{true: "", false: whole}[want == http.StatusNotModified]; body != rest {
				t.Errorf("%s, If-None-Match %q: the body has %d bytes", path, match, len(body))
			}
		}
	}
	_, quota, _ := s.get(t, "/api/v1/failures?cause=QuotaExceeded")
	_, crash, _ := s.get(t, "/api/v1/failures?family=crash")
	if quota.Get("ETag") == crash.Get("ETag") {
		t.Error("two different answers have the same ETag")
	}
}

func TestCausesAnswer(t *testing.T) {
	s := serveFull(t, "--runbook.url=https://runbooks.example/x/")
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	got := ask[report.CausesAnswer](t, s, "/api/v1/causes?v=2").Causes
	if len(got) != len(catalogue.Pages()) {
		t.Fatalf("%d causes, want %d", len(got), len(catalogue.Pages()))
	}
	for i, page := range catalogue.Pages() {
		e := got[i]
		if e.Cause != page.Cause || e.Family != page.Family || e.WaitSeconds != int64(page.Wait.Seconds()) || !slices.Equal(e.Fix, page.Fix) {
			t.Errorf("%s: got %+v", page.Cause, e)
		}
		if e.RunbookURL != "https://runbooks.example/x/"+string(page.Cause)+".md" {
			t.Errorf("%s: its runbook is %s", page.Cause, e.RunbookURL)
		}
		for j, heading := range classify.Headings() {
			if e.Sections[j].Heading != heading || e.Sections[j].Markdown == "" || e.Sections[j].Markdown != page.Section(heading) {
				t.Errorf("%s: section %d is %+v", page.Cause, j, e.Sections[j])
			}
		}
	}
}

// TestAPIBeforeSync is a cluster that lets nobody look: what fails is not known, but the catalogue is.
func TestAPIBeforeSync(t *testing.T) {
	noCluster(t)
	kubeconfig := writeFile(t, "config", `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "`+newForbiddingAPI(t)+`"}}],
		contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}`)
	s := serve(t, "--kubeconfig", kubeconfig)
	eventually(t, "the reason", func() bool {
		code, header, body := s.get(t, "/api/v1/failures")
		var answer refusal
		if err := json.Unmarshal([]byte(body), &answer); err != nil || code != http.StatusServiceUnavailable || header.Get("ETag") != "" {
			t.Fatalf("%d, %v:\n%s", code, err, body)
		}
		return strings.Contains(answer.Error, "not synced") && slices.Contains(answer.Notes, "May not watch pods, so nothing is told.")
	})
	if code, _, _ := s.get(t, "/api/v1/failures?family=none"); code != http.StatusBadRequest {
		t.Errorf("a wrong family: %d", code)
	}
	if causes := ask[report.CausesAnswer](t, s, "/api/v1/causes").Causes; len(causes) < 100 {
		t.Errorf("%d causes", len(causes))
	}
}

// BenchmarkFailuresAnswer measures what one answer takes while it is made: it is why no more than two are made at once.
func BenchmarkFailuresAnswer(b *testing.B) {
	const failing = 2_000
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		b.Fatal(err)
	}
	var pods strings.Builder
	for i := range failing {
		pods.WriteString(strings.Replace(failingPod, `"name":"web"`, fmt.Sprintf(`"name":"web-%d"`, i), 1))
	}
	objects, err := collector.ReadObjects([]string{"-"}, strings.NewReader(pods.String()))
	if err != nil {
		b.Fatal(err)
	}
	s, err := collector.Diagnose(objects, catalogue, classify.DefaultOptions(), objects.Newest)
	if err != nil || len(s.Failures) != failing {
		b.Fatalf("%d failures, %v", len(s.Failures), err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var body bytes.Buffer
		if err := report.WriteFailures(&body, s, catalogue, nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(body.Len())/failing, "bytes/failure")
	}
}
