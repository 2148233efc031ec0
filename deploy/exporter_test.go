package deploy

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// exporter is the program, run as the kubelet would run a pod's container.
type exporter struct {
	url string
	cmd *exec.Cmd
	log string // a file
}

// buildExporter compiles the program.
func buildExporter(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), name)
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../cmd/exporter")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// command is the container's, with more arguments, in a namespace. Nothing of this process' environment reaches it.
func command(t *testing.T, binary string, c *corev1.Container, namespace, kubeconfig string, args ...string) *exec.Cmd {
	t.Helper()
	variables := map[string]string{}
	var env []string
	for _, e := range c.Env {
		value := expand(e.Value, variables)
		switch from := e.ValueFrom; {
		case from == nil:
		case from.FieldRef != nil && from.FieldRef.FieldPath == "metadata.namespace":
			value = namespace
		case from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
			value = countOf(c.Resources.Limits.Memory(), from.ResourceFieldRef.Divisor)
		default:
			t.Fatalf("do not know how to fill in %s", e.Name)
		}
		variables[e.Name] = value
		env = append(env, e.Name+"="+value)
	}
	for i := range c.Args {
		args = append(args, expand(c.Args[i], variables))
	}
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(env, "KUBECONFIG="+kubeconfig)
	return cmd
}

// expand fills in $(NAME) of variables that stand before.
func expand(text string, variables map[string]string) string {
	return regexp.MustCompile(`\$\((\w+)\)`).ReplaceAllStringFunc(text, func(match string) string {
		if value, ok := variables[match[2:len(match)-1]]; ok {
			return value
		}
		return match
	})
}

// countOf rounds up, as the kubelet does.
func countOf(q *resource.Quantity, divisor resource.Quantity) string {
	return strconv.FormatInt((q.Value()+divisor.Value()-1)/divisor.Value(), 10)
}

func start(t *testing.T, cmd *exec.Cmd) *exporter {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	e := &exporter{cmd: cmd, log: log.Name()}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(e.said())
		}
	})
	listening := regexp.MustCompile(`msg="Listening on" address=(\S+)`)
	eventually(t, "it listens", func() bool {
		m := listening.FindStringSubmatch(e.said())
		if m != nil {
			e.url = "http://" + m[1]
		}
		return m != nil
	})
	return e
}

func (e *exporter) said() string {
	text, _ := os.ReadFile(e.log)
	return string(text)
}

func (e *exporter) get(t *testing.T, path string) (code int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// value is that of the one series of a metric.
func (e *exporter) value(t *testing.T, metric string) float64 {
	t.Helper()
	_, body := e.get(t, "/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), metric+" "); ok {
			value, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("no %s", metric)
	return 0
}

// stop ends it as the kubelet does, and returns how long that took.
func (e *exporter) stop(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
	return time.Since(begin)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
