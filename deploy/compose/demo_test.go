package compose

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestDemo runs what compose.yaml runs, with the same configuration, on ports of its own: the rules load, the exporter is scraped, and
// the recorded cluster's failures arrive at the receivers.
func TestDemo(t *testing.T) {
	prometheus, alertmanager := onPath(t, "prometheus"), onPath(t, "alertmanager", "prometheus-alertmanager")
	addresses := map[string]string{"exporter:9992": freeAddress(t), "alertmanager:9093": freeAddress(t)}
	own, folder := freeAddress(t), t.TempDir()

	exporter := filepath.Join(folder, "kube-failure-exporter")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exporter, "../../cmd/exporter").CombinedOutput(); err != nil {
		t.Fatalf("building the exporter: %v\n%s", err, out)
	}
	config := quick(t, folder, addresses)
	start(t, exporter, "serve", "--demo", "--web.listen-address="+addresses["exporter:9992"])
	start(t, alertmanager, "--config.file=alertmanager.yml", "--storage.path="+filepath.Join(folder, "alertmanager"),
		"--web.listen-address="+addresses["alertmanager:9093"], "--cluster.listen-address=")
	start(t, prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "prometheus"), "--web.listen-address="+own)

	var targets struct {
		Data struct{ ActiveTargets []struct{ Health string } }
	}
	eventually(t, "the exporter is scraped", func() bool {
		return ask(t.Context(), "http://"+own+"/api/v1/targets", &targets) == nil &&
			len(targets.Data.ActiveTargets) == 1 && targets.Data.ActiveTargets[0].Health == "up"
	})
	var alerts []alert
	eventually(t, "a quota's alert, of the failing namespace, wakes somebody up", func() bool {
		return ask(t.Context(), "http://"+addresses["alertmanager:9093"]+"/api/v2/alerts", &alerts) == nil && slices.ContainsFunc(alerts, func(a alert) bool {
			return a.Labels["alertname"] == "PodQuotaRequiresResources" && a.Labels["namespace"] == "payments" && a.Labels["workload"] == "nginx" &&
				len(a.Receivers) == 1 && a.Receivers[0].Name == "oncall" && strings.Contains(a.Annotations["fix"], "kubectl -n payments set resources deployment/nginx")
		})
	})
	checkRules(t, own)
}

type alert struct {
	Labels, Annotations map[string]string
	Receivers           []struct{ Name string }
}

// checkRules wants every file's rules, all of which can be evaluated.
func checkRules(t *testing.T, prometheus string) {
	t.Helper()
	var rules struct {
		Data struct {
			Groups []struct {
				File  string
				Rules []struct{ Name, Health, LastError string }
			}
		}
	}
	if err := ask(t.Context(), "http://"+prometheus+"/api/v1/rules", &rules); err != nil {
		t.Fatal(err)
	}
	files, count := map[string]bool{}, 0
	for _, group := range rules.Data.Groups {
		files[group.File] = true
		for _, rule := range group.Rules {
			count++
			if rule.Health == "err" {
				t.Errorf("%s: %s", rule.Name, rule.LastError)
			}
		}
	}
	if len(files) != 12 || count < 100 {
		t.Errorf("%d rules in %d files, want more than 100 in 12", count, len(files))
	}
}

// quick copies prometheus.yml and the rules: with other addresses, and with no time to wait.
func quick(t *testing.T, folder string, addresses map[string]string) string {
	t.Helper()
	text := read(t, "prometheus.yml")
	for name, address := range addresses {
		text = replaced(t, text, name, address)
	}
	files, err := filepath.Glob("../../alerts/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rule := regexp.MustCompile(`(?m)^(\s+)for: \w+$`)
	for _, file := range files {
		write(t, filepath.Join(folder, "alerts", filepath.Base(file)), rule.ReplaceAllString(read(t, file), "${1}for: 0s"))
	}
	config := filepath.Join(folder, "prometheus.yml")
	write(t, config, replaced(t, text, "15s", "1s"))
	return config
}

func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("prometheus.yml has no %s", old)
	}
	return strings.ReplaceAll(text, old, by)
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func onPath(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	t.Skipf("NOT TESTED: no %s on the PATH", strings.Join(names, ", "))
	return ""
}

// start runs a program until the test is over.
func start(t *testing.T, program string, arguments ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, arguments...)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatalf("starting %s: %v", program, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed on purpose
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), said.String())
		}
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func ask(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return json.Unmarshal(body, into)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so within a minute: %s", what)
		}
	}
}
