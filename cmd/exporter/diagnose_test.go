package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	healthyPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"fine","namespace":"shop","creationTimestamp":"2026-01-01T10:00:00Z"},
"spec":{"containers":[{"name":"app","image":"registry.example/app:1"}]},"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}],
"containerStatuses":[{"name":"app","ready":true,"state":{"running":{"startedAt":"2026-01-01T10:00:00Z"}}}]}}
`
	failingPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","creationTimestamp":"2026-01-01T10:00:00Z"},
"spec":{"nodeName":"node-1","containers":[{"name":"app","image":"docker.io/library/nginx:9.9"}]},
"status":{"phase":"Pending","startTime":"2026-01-01T10:00:00Z","conditions":[{"type":"PodScheduled","status":"True","lastTransitionTime":"2026-01-01T10:00:00Z"}],
"containerStatuses":[{"name":"app","state":{"waiting":{"reason":"ErrImagePull","message":"failed to resolve reference \"docker.io/library/nginx:9.9\": docker.io/library/nginx:9.9: not found"}}}]}}
`
	gatherless = `{"apiVersion":"v1","kind":"ConfigMap"}{"apiVersion":"v1","kind":"ConfigMap"}{"apiVersion":"example.com/v1","kind":"Widget"}`
)

// waitingPod waits for a scheduler for as long as the time of the look says.
const waitingPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"waits","namespace":"shop","creationTimestamp":"2026-01-01T10:00:00Z"},
"spec":{"schedulerName":"mine","containers":[{"name":"app","image":"a"}]},"status":{"phase":"Pending"}}`

func TestDiagnoseFiles(t *testing.T) {
	healthy, failing := writeFile(t, "healthy.json", healthyPod), writeFile(t, "failing.json", failingPod)
	broken := writeFile(t, "broken.json", healthyPod+"{\n\n  nonsense")
	folder := filepath.Dir(writeFile(t, "pods.json", failingPod))
	if err := os.WriteFile(filepath.Join(folder, "README.txt"), []byte("no objects"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args   []string
		stdin  string
		code   int
		stdout []string
		stderr []string
	}{
		"healthy":     {args: []string{"-f", healthy}, code: exitOK, stdout: []string{"Nothing fails. Looked at 1 pods, 0 controllers, 0 events."}},
		"failing":     {args: []string{"-f", failing}, code: exitFailed, stdout: []string{"shop/web", "ImageTagNotFound", "kubectl -n shop", "not found"}},
		"both":        {args: []string{"-f", healthy, "-f", failing}, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"folder":      {args: []string{"--filename", folder}, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"broken":      {args: []string{"-f", broken}, code: exitError, stderr: []string{broken, "line 6"}},
		"missing":     {args: []string{"-f", "/no/such/file"}, code: exitError, stderr: []string{"/no/such/file: no such file or directory"}},
		"empty name":  {args: []string{"-f", ""}, code: exitError, stderr: []string{"no such file or directory"}},
		"stdin":       {args: []string{"-f", "-"}, stdin: failingPod, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"stdin, =":    {args: []string{"-f=-"}, stdin: failingPod, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"stdin, bare": {args: []string{"-f-"}, stdin: failingPod, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"stdin, long": {args: []string{"--filename=-"}, stdin: failingPod, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"stdin broken": {
			args: []string{"-f", "-"}, stdin: "kind: Pod\napiVersion: v1\nmetadata: {name: [", code: exitError, stderr: []string{"line 3"},
		},
		"skipped": {
			args: []string{"-f", "-"}, stdin: healthyPod + gatherless, code: exitOK, stdout: []string{"Nothing fails"},
			stderr: []string{"Skipped, as they say nothing about failures: 2 ConfigMap, 1 Widget.example.com\n"},
		},
		"yaml":            {args: []string{"-f", failing, "-o", "yaml"}, code: exitFailed, stdout: []string{"failures:\n", "cause: ImageTagNotFound"}},
		"colour":          {args: []string{"-f", failing, "--color=always"}, code: exitFailed, stdout: []string{"\x1b["}},
		"another's":       {args: []string{"-f", failing, "-n", "other"}, code: exitOK, stdout: []string{"Nothing fails"}},
		"its namespace":   {args: []string{"-f", failing, "-n=other", "-n=shop"}, code: exitFailed, stdout: []string{"ImageTagNotFound"}},
		"ignored":         {args: []string{"-f", failing, "--namespace-ignore", "shop"}, code: exitOK, stdout: []string{"Nothing fails"}},
		"newest time":     {args: []string{"-f", "-"}, stdin: waitingPod, code: exitOK, stdout: []string{"Nothing fails"}},
		"now":             {args: []string{"-f", "-", "--now=2026-01-01T11:00:00Z"}, stdin: waitingPod, code: exitFailed, stdout: []string{"SchedulerNotRunning"}},
		"now with a zone": {args: []string{"-f", "-", "--now=2026-01-01T11:05:00+01:00"}, stdin: waitingPod, code: exitOK, stdout: []string{"Nothing fails"}},
		"negative time":   {args: []string{"-f", failing, "--crash.hold=-5m"}, code: exitError, stderr: []string{"--crash.hold must not be negative, not -5m"}},
		"both lists": {
			args: []string{"-f", failing, "--namespace=a", "--namespace-ignore=b"}, code: exitError, stderr: []string{"--namespace and --namespace-ignore cannot be used together"},
		},
		"no namespace":    {args: []string{"-f", failing, "--namespace="}, code: exitError, stderr: []string{"--namespace must not be empty"}},
		"two namespaces":  {args: []string{"-f", failing, "--namespace=shop,other"}, code: exitError, stderr: []string{`not "shop,other"; repeat the flag for several`}},
		"before any file": {args: []string{"-f", "/no/such/file", "--namespace=*"}, code: exitError, stderr: []string{`--namespace must be the name of a namespace, not "*"`}},
		"now is no time":  {args: []string{"-f", "-", "--now=noon"}, stdin: waitingPod, code: exitError, stderr: []string{"--now: give a time such as 20"}},
	} {
		t.Run(name, func(t *testing.T) {
			runWith(t, test.stdin, append([]string{"diagnose"}, test.args...)...).check(t, test.code, test.stdout, test.stderr)
		})
	}
}

func TestDiagnoseJSON(t *testing.T) {
	r := runWith(t, healthyPod+failingPod, "diagnose", "-f", "-", "-o=json")
	var document struct {
		Failures []struct{ Kind, Namespace, Name, Container, Cause, Since string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &document); err != nil || r.code != exitFailed {
		t.Fatalf("exit code %d, %v:\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	if n := len(document.Failures); n != 1 {
		t.Fatalf("%d failures, want 1", n)
	}
	if f := document.Failures[0]; f.Kind+f.Namespace+f.Name+f.Container+f.Cause+f.Since != "PodshopwebappImageTagNotFound2026-01-01T10:00:00Z" {
		t.Errorf("got %+v", f)
	}
	empty := runWith(t, healthyPod, "diagnose", "-f", "-", "-o=json")
	if empty.code != exitOK || strings.TrimSpace(empty.stdout) != "{\n  \"failures\": []\n}" {
		t.Errorf("exit code %d:\n%s", empty.code, empty.stdout)
	}
}

// TestDiagnoseUnreachable asks an API server that does not listen, and one that never answers.
func TestDiagnoseUnreachable(t *testing.T) {
	noCluster(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, test := range map[string]struct{ server, want string }{
		"refused": {"127.0.0.1:1", "reading pods from the API server: Get \"http://127.0.0.1:1/"},
		"silent":  {silent.Addr().String(), "the API server did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			kubeconfig := writeFile(t, "config", `{apiVersion: v1, kind: Config, clusters: [{name: c, cluster: {server: "http://`+test.server+`"}}],
				contexts: [{name: c, context: {cluster: c, user: u}}], users: [{name: u, user: {}}], current-context: c}`)
			begin := time.Now()
			r := runWith(t, "", "diagnose", "--kubeconfig", kubeconfig, "--timeout", "1s")
			r.check(t, exitError, nil, []string{test.want})
			if name == "refused" && !strings.Contains(r.stderr, "connection refused") {
				t.Errorf("does not say that it was refused: %s", r.stderr)
			}
			if lines := strings.Count(r.stderr, "\n"); lines != 1 {
				t.Errorf("says it in %d lines:\n%s", lines, r.stderr)
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("took %s with a timeout of 1s", took)
			}
		})
	}
}
