package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// result is what a run of the program leaves behind.
type result struct {
	code           int
	stdout, stderr string
}

// keepClientLog leaves client-go's logger alone: of one test something may still run while the next one begins.
func keepClientLog(*slog.Logger) {}

func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr, keepClientLog)
	return result{code, stdout.String(), stderr.String()}
}

// noCluster takes away whatever names a cluster on the machine that runs the test.
func noCluster(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		t.Setenv(name, "")
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (r result) check(t *testing.T, code int, stdout, stderr []string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, want := range stdout {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("stdout does not say %q:\n%s", want, r.stdout)
		}
	}
	for _, want := range stderr {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, r.stderr)
		}
	}
	if len(stdout) == 0 && r.stdout != "" {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	if len(stderr) == 0 && r.stderr != "" {
		t.Errorf("stderr:\n%s", r.stderr)
	}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
		not  string
	}{
		"no command": {[]string{"--help"}, []string{
			"usage: kube-failure-exporter [<flags>] [<command>]", "Flags of serve, the default:", "--web.listen-address=:9992", "--[no-]demo", "diagnose", "--kubeconfig",
		}, "--filename"},
		"short":    {[]string{"-h"}, []string{"--[no-]demo"}, "--filename"},
		"command":  {[]string{"help"}, []string{"--[no-]demo"}, "--filename"},
		"serve":    {[]string{"serve", "--help"}, []string{"usage: kube-failure-exporter serve", "--[no-]demo", "--kubeconfig"}, "--filename"},
		"diagnose": {[]string{"diagnose", "--help"}, []string{"-f, --filename", "-o, --output=table", "--now", "--kubeconfig"}, "--[no-]demo"},
		"explain":  {[]string{"explain", "--help"}, []string{"[<cause>]", "ImageTagNotFound"}, "--[no-]demo"},
		"version":  {[]string{"--version"}, []string{"kube-failure-exporter, version", "go version:"}, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, "", test.args...)
			r.check(t, exitOK, test.want, nil)
			if strings.Contains(r.stdout, test.not) {
				t.Errorf("says %q:\n%s", test.not, r.stdout)
			}
		})
	}
	help := runWith(t, "", "--help").stdout
	const firstPage = 40
	if before, _, found := strings.Cut(help, "--[no-]demo"); !found || strings.Count(before, "\n") > firstPage {
		t.Errorf("--demo is not on the first page:\n%s", help)
	}
}

func TestBadFlags(t *testing.T) {
	noCluster(t)
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":      {[]string{"--no-such"}, "unknown long flag '--no-such' (try --help)"},
		"unknown command":   {[]string{"watch"}, "unexpected watch (try --help)"},
		"number":            {[]string{"--metrics.max-failures=many"}, "many"},
		"duration":          {[]string{"--crash.hold=long"}, `invalid duration "long"`},
		"negative duration": {[]string{"--demo", "--crash.hold=-1s"}, "--crash.hold must not be negative"},
		"no failures":       {[]string{"--demo", "--metrics.max-failures=0"}, "--metrics.max-failures must be at least 1, not 0"},
		"log level":         {[]string{"--log.level=loud"}, "loud"},
		"output":            {[]string{"diagnose", "-o", "xml"}, "must be one of table,json,yaml"},
		"another's flag":    {[]string{"diagnose", "--demo"}, "unknown long flag '--demo'"},
		"relative path":     {[]string{"--demo", "--web.telemetry-path=metrics"}, `--web.telemetry-path must be a path such as /metrics, not "metrics"`},
		"landing page":      {[]string{"--demo", "--web.telemetry-path=/"}, "--web.telemetry-path must be a path"},
		"no path":           {[]string{"--demo", "--web.telemetry-path="}, "--web.telemetry-path must be a path"},
		"pattern":           {[]string{"--demo", "--web.telemetry-path=/{x}"}, "--web.telemetry-path must be a path"},
		"unclean path":      {[]string{"--demo", "--web.telemetry-path=/a//b"}, "--web.telemetry-path must be a path"},
		"taken path":        {[]string{"--demo", "--web.telemetry-path=/-/ready"}, "--web.telemetry-path must not be /-/ready"},
		"causes' path":      {[]string{"--demo", "--web.telemetry-path=/causes/metrics"}, "--web.telemetry-path must not be /causes/metrics"},
		"API's path":        {[]string{"--demo", "--web.telemetry-path=/api/v1/failures"}, "--web.telemetry-path must not be /api/v1/failures"},
		"demo of a part":    {[]string{"--demo", "--namespace", "shop"}, "--demo shows all of a recorded cluster"},
		"demo without":      {[]string{"--demo", "--namespace-ignore", "shop"}, "--demo shows all of a recorded cluster"},
		"address":           {[]string{"--demo", "--web.listen-address=nowhere:x"}, "serving: listen tcp"},
		"web config":        {[]string{"--demo", "--web.listen-address=127.0.0.1:0", "--web.config.file=/no/such.yml"}, "/no/such.yml"},
		"no cluster":        {nil, "no cluster found: KUBECONFIG is not set"},
		"no cluster, hint":  {[]string{"serve"}, "name one with --kubeconfig, or try --demo, which needs no cluster"},
		"no cluster, look":  {[]string{"diagnose"}, "or give files with -f"},
		"no kubeconfig":     {[]string{"--kubeconfig=/no/such/config"}, "stat /no/such/config: no such file or directory"},
		"no such context":   {[]string{"diagnose", "--context=elsewhere"}, `context "elsewhere" does not exist`},
		"unknown cause":     {[]string{"explain", "OOMKiled"}, `unknown cause "OOMKiled": did you mean OOMKilled`},
		"no cause at all":   {[]string{"explain", "zzzzzzzzzz"}, `unknown cause "zzzzzzzzzz"`},
		"no namespace":      {[]string{"diagnose", "--namespace=a,b"}, `--namespace must be the name of a namespace, not "a,b"`},
		"now of a cluster":  {[]string{"diagnose", "--now=2026-01-01T00:00:00Z"}, "--now is for files (-f)"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runWith(t, "", test.args...)
			r.check(t, exitError, nil, []string{"kube-failure-exporter: ", test.want})
		})
	}
}

func TestExplain(t *testing.T) {
	page := runWith(t, "", "explain", "imagetagnotfound")
	page.check(t, exitOK, []string{"ImageTagNotFound", "image", "kubectl"}, nil)
	if strings.Contains(page.stdout, "\x1b") {
		t.Error("escape sequences in what is no terminal")
	}
	runWith(t, "", "explain").check(t, exitOK, []string{"create    QuotaExceeded ", "image     ImageTagNotFound ", "rollout   ProgressDeadlineExceeded "}, nil)
}

func TestKubectlFlags(t *testing.T) {
	for name, test := range map[string]struct{ args, want []string }{
		"stdin":            {[]string{"diagnose", "-f", "-", "-o", "json"}, []string{"diagnose", "--filename=-", "-o", "json"}},
		"stdin, long":      {[]string{"--filename", "-"}, []string{"--filename=-"}},
		"stdin, equals":    {[]string{"-f=-"}, []string{"-f-"}},
		"equals":           {[]string{"-o=json", "-n=a=b"}, []string{"-ojson", "-na=b"}},
		"long equals":      {[]string{"--filename=-", "--now=x"}, []string{"--filename=-", "--now=x"}},
		"empty":            {[]string{"-f", "", "-f="}, []string{"-f", "", "-f="}},
		"dash elsewhere":   {[]string{"explain", "-"}, []string{"explain", "-"}},
		"behind the end":   {[]string{"explain", "--", "-f=-", "-"}, []string{"explain", "--", "-f=-", "-"}},
		"nothing":          {nil, nil},
		"first dash alone": {[]string{"-"}, []string{"-"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := kubectlFlags(test.args); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestServeCancelled is a signal that comes before anything was served.
func TestServeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if code := run(ctx, []string{"--demo", "--web.listen-address=127.0.0.1:0"}, nil, &stdout, &stderr, keepClientLog); code != exitOK {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
