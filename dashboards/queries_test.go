package dashboards

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

func allQueries(t *testing.T) []Query {
	t.Helper()
	queries, err := Queries()
	if err != nil {
		t.Fatal(err)
	}
	const atLeast = 80
	if len(queries) < atLeast {
		t.Fatalf("only %d queries", len(queries))
	}
	return queries
}

func (q Query) name() string { return q.Dashboard + "/" + q.Panel + "/" + q.RefID }

// TestNoVariableIsLeft finds misspelt variables, and those that a dashboard does not define.
func TestNoVariableIsLeft(t *testing.T) {
	for _, q := range allQueries(t) {
		if strings.Contains(q.Expr, "$") {
			t.Errorf("%s: a variable is left in\n%s", q.name(), q.Expr)
		}
	}
}

// TestPromtoolParsesQueries gives every query to Prometheus' own parser, as a recording rule.
func TestPromtoolParsesQueries(t *testing.T) {
	type rule struct {
		Record string            `json:"record"`
		Expr   string            `json:"expr"`
		Labels map[string]string `json:"labels"`
	}
	var rules []rule
	for _, q := range allQueries(t) {
		rules = append(rules, rule{"query", q.Expr, map[string]string{"panel": q.name()}})
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "queries", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := promtool(t)("check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// promtool is the one on the PATH, else the one that tools/promtool pins, which the first time takes minutes to build.
func promtool(t *testing.T) func(args ...string) *exec.Cmd {
	t.Helper()
	command := func(args ...string) *exec.Cmd {
		if path, err := exec.LookPath("promtool"); err == nil {
			return exec.CommandContext(t.Context(), path, args...)
		}
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=../tools/promtool/go.mod", "promtool"}, args...)...)
		cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags=remove_all_sd"))
		return cmd
	}
	if out, err := command("--version").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no promtool, on the PATH or built: %v\n%s", err, out)
		}
		t.Skipf("THE QUERIES ARE NOT PARSED: no promtool on the PATH, and none can be built: %v\n%s", err, out)
	}
	return command
}

// TestMetricsExist finds series that nobody serves. Recorded ones are not among them: the dashboards need no rules.
func TestMetricsExist(t *testing.T) {
	known := []string{
		"kube_failure_exporter_build_info", "up", "scrape_duration_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total",
	}
	for _, family := range collector.Metrics() {
		known = append(known, family.Name)
		if family.Type == "histogram" {
			known = append(known, family.Name+"_bucket", family.Name+"_count", family.Name+"_sum")
		}
	}
	selected := map[string]bool{}
	byName := regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{`)
	for _, q := range allQueries(t) {
		var names []string
		for _, m := range byName.FindAllStringSubmatch(q.Expr, -1) {
			names = append(names, m[1])
		}
		for _, m := range regexp.MustCompile(`__name__=~"([^"]+)"`).FindAllStringSubmatch(q.Expr, -1) {
			names = append(names, strings.Split(m[1], "|")...)
		}
		// The variable of the clusters selects all series of a name.
		if m := regexp.MustCompile(`\((\w+)\)$`).FindStringSubmatch(q.Expr); strings.HasPrefix(q.Panel, "$") && m != nil {
			names = append(names, m[1])
		}
		if len(names) == 0 {
			t.Errorf("%s selects nothing:\n%s", q.name(), q.Expr)
		}
		for _, name := range names {
			selected[name] = true
			if !slices.Contains(known, name) {
				t.Errorf("%s selects %s, which does not exist", q.name(), name)
			}
		}
	}
	shownNowhere := map[string]string{
		"pod_failure_init_container":                          "which list of the pod a container is in matters to commands only, and the fix is the catalogue's",
		"kube_failure_exporter_classify_duration_seconds":     "a histogram: its parts are",
		"kube_failure_exporter_classify_duration_seconds_sum": "the quantiles say more than an average",
	}
	for _, name := range known {
		if reason, exempt := shownNowhere[name]; selected[name] == exempt {
			t.Errorf("%s: shown on a dashboard is %v, although exempt is %v (%s)", name, selected[name], exempt, reason)
		}
	}
}

// TestEveryExporterCountsOnce: two exporters of one cluster tell everything twice, so a series of theirs may only be met by an
// aggregation that does not add, or by one that tells instances apart.
func TestEveryExporterCountsOnce(t *testing.T) {
	harmless := regexp.MustCompile(`(max|min|group|avg|max by \([^)]*\)|min by \([^)]*\)|group by \([^)]*\)) \($`)
	failure := regexp.MustCompile(`\b(pod_\w+|quota_\w+|rollout_\w+|workload_(desired|ready)_pods|container_terminations_total)\{`)
	for _, q := range allQueries(t) {
		for _, at := range failure.FindAllStringIndex(q.Expr, -1) {
			before := strings.TrimSuffix(strings.TrimSuffix(q.Expr[:at[0]], "quantile_over_time(0.5, "), "last_over_time(")
			bare := strings.HasSuffix(q.Expr[:at[0]], "max(") || strings.Contains(before, "unless on () (")
			if !harmless.MatchString(before) && !bare {
				t.Errorf("%s counts %s as often as there are exporters:\n%s", q.name(), q.Expr[at[0]:at[1]-1], q.Expr)
			}
		}
	}
}

// TestEmptyWhenWell: a reason is for a query that exists.
func TestEmptyWhenWell(t *testing.T) {
	reasons := emptyWhenWell()
	for _, q := range allQueries(t) {
		delete(reasons, q.name())
	}
	for name, reason := range reasons {
		t.Errorf("%s may be empty (%s), but does not exist", name, reason)
	}
}

func TestLabelValues(t *testing.T) {
	got, err := labelValues([]byte(`{"query": "label_values(up{job=~\"a, b\"}, instance)"}`))
	if want := `group by (instance) (up{job=~"a, b"})`; err != nil || got != want {
		t.Errorf("got %s, want %s: %v", got, want, err)
	}
	if _, err := labelValues([]byte(`{"query": "query_result(up)"}`)); err == nil {
		t.Error("another form is taken")
	}
}
