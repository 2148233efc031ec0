package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/kube-failure-exporter/kube-failure-exporter/test/e2e"
)

// judge holds answers against the contract, and remembers which of its responses it has seen.
type judge struct {
	router routers.Router
	seen   map[string]bool
}

func newJudge(t *testing.T) *judge {
	t.Helper()
	doc := contract(t)
	doc.Servers = nil // the exporter under test is elsewhere
	closed := false
	for _, schema := range doc.Components.Schemas {
		if schema.Value.Type.Is(openapi3.TypeObject) {
			schema.Value.AdditionalProperties.Has = &closed // clients must bear new keys; the exporter must not send any that are not described
		}
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &judge{router: router, seen: map[string]bool{}}
}

// ask sends a request and returns the answer's headers, after all of it was held against the contract.
func (j *judge) ask(t *testing.T, method, url string, want int, header http.Header) http.Header {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
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
	what := fmt.Sprintf("%s %s: %d", method, request.URL.Path, response.StatusCode)
	if response.StatusCode != want {
		t.Errorf("%s, want %d:\n%.500s", what, want, body)
	}
	described := request.Clone(t.Context())
	if response.StatusCode == http.StatusMethodNotAllowed {
		described.Method = http.MethodGet // which describes what all other methods get
	}
	route, parameters, err := j.router.FindRoute(described)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	responses := route.Operation.Responses
	described.Method = http.MethodGet // the validator looks at no answer to HEAD
	input := &openapi3filter.RequestValidationInput{Request: described, PathParams: parameters, Route: route}
	if err := openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	}); err != nil {
		t.Errorf("%s is not as described: %v", what, err)
	}
	if documented := responses.Status(response.StatusCode); documented != nil {
		for name, h := range documented.Value.Headers {
			if value := response.Header.Get(name); h.Value.Schema.Value.VisitJSON(value) != nil {
				t.Errorf("%s: %s is %q", what, name, value)
			}
		}
	}
	if kind := response.Header.Get("Content-Type"); len(body) > 0 && !strings.HasSuffix(kind, "; charset=utf-8") {
		t.Errorf("%s: Content-Type %q", what, kind)
	}
	j.seen[fmt.Sprintf("%s %s %d", route.Method, route.Path, response.StatusCode)] = true
	return response.Header
}

// start runs the exporter until the test ends.
func start(t *testing.T, binary, kubeconfig string, args ...string) *e2e.Exporter {
	t.Helper()
	exporter, err := e2e.StartExporter(t.Context(), binary, kubeconfig, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(exporter.Kill)
	return exporter
}

// TestAnswers provokes every response that the file describes, of the real program.
func TestAnswers(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "exporter")
	if err := e2e.BuildExporter(t.Context(), "../..", binary); err != nil {
		t.Fatal(err)
	}
	j := newJudge(t)
	demo := start(t, binary, "", "--demo")
	if err := demo.WaitReady(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/failures", "/api/v1/causes"} {
		url := demo.URL + path
		etag := j.ask(t, http.MethodGet, url, http.StatusOK, nil).Get("ETag")
		j.ask(t, http.MethodHead, url, http.StatusOK, nil)
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			j.ask(t, method, url, http.StatusNotModified, http.Header{"If-None-Match": {"*"}})
		}
		j.ask(t, http.MethodPost, url, http.StatusMethodNotAllowed, nil)
		if path == "/api/v1/causes" {
			j.ask(t, http.MethodGet, url, http.StatusNotModified, http.Header{"If-None-Match": {etag}})
		}
	}
	for path, want := range documented(t) {
		j.ask(t, http.MethodGet, demo.URL+path, want, nil)
	}
	for _, query := range []string{"family=create", "cause=OOMKilled", "text=quota", "namespace=nobody"} {
		j.ask(t, http.MethodGet, demo.URL+"/api/v1/failures?"+query, http.StatusOK, nil)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		j.ask(t, method, demo.URL+"/api/v1/failures?family=none", http.StatusBadRequest, nil)
	}
	blind := start(t, binary, forbidden(t))
	protected := start(t, binary, "", "--demo", "--web.config.file="+write(t, "web.yml", "basic_auth_users: {a: $2a$04$63JjVrq3EaWYeoKRCUU8PO5k/Y.VOFU/uiRLierAzaloEFLcw/slO}"))
	for _, exporter := range []*e2e.Exporter{blind, protected} {
		if err := e2e.Poll(t.Context(), time.Minute, 50*time.Millisecond, func(ctx context.Context) error {
			connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(exporter.URL, "http://"))
			if err == nil {
				err = connection.Close()
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		j.ask(t, method, blind.URL+"/api/v1/failures", http.StatusServiceUnavailable, nil)
		j.ask(t, method, protected.URL+"/api/v1/failures", http.StatusUnauthorized, nil)
		j.ask(t, method, protected.URL+"/api/v1/causes", http.StatusUnauthorized, nil)
	}
	for path, item := range contract(t).Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if key := method + " " + path + " " + status; !j.seen[key] && status != "500" { // which nothing brings about
					t.Errorf("never seen: %s", key)
				}
			}
		}
	}
}

// documented returns the paths that the examples of docs/api.md ask for, and the status that each must get.
func documented(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]int{}
	for _, m := range regexp.MustCompile(`localhost:9992(/[^ ';]*)[^\n]*\n(?s:(.*?))\n`+"```").FindAllStringSubmatch(string(text), -1) {
		paths[m[1]] = http.StatusOK
		if strings.Contains(m[2], `"error":`) {
			paths[m[1]] = http.StatusBadRequest
		}
	}
	if len(paths) < 4 {
		t.Fatalf("docs/api.md has too few examples: %v", paths)
	}
	return paths
}

// forbidden is a kubeconfig of an API server that lets nobody see anything.
func forbidden(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403}`)
	}))
	t.Cleanup(server.Close)
	return write(t, "config", `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "`+server.URL+`"}}],
		contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}`)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
