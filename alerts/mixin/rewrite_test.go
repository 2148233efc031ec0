package mixin

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// queries are the PromQL texts of a rule: its expression, and what its annotations ask.
func (r rule) queries() []string {
	texts := []string{r.Expr}
	for _, annotation := range r.Annotations {
		for _, match := range regexp.MustCompile("printf `([^`]*)`").FindAllStringSubmatch(annotation, -1) {
			texts = append(texts, match[1])
		}
	}
	return texts
}

var word = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

func TestSelectorIsInEverySeries(t *testing.T) {
	const selector = `job="kube-failure-exporter", team=~"a|b"`
	names := []string{"kube_failure_exporter_build_info"}
	for _, metric := range collector.Metrics() {
		names = append(names, metric.Name)
	}
	got := with(t, "{ selector: '"+selector+"' }")
	promtoolAccepts(t, got)
	stripped, selected := got.all(), 0
	for name, rule := range stripped {
		for _, text := range rule.queries() {
			for _, at := range word.FindAllStringIndex(text, -1) {
				isOurs := slices.Contains(names, text[at[0]:at[1]])
				has := strings.HasPrefix(text[at[1]:], "{"+selector)
				if isOurs != has {
					t.Errorf("%s: selector at %s: %t, want %t, in\n%s", name, text[at[0]:at[1]], has, isOurs, text)
				}
				if has {
					selected++
				}
			}
		}
		stripped[name] = rule.without(selector)
	}
	if selected < 500 {
		t.Errorf("only %d series have the selector", selected)
	}
	same(t, stripped, plain(t).all())
}

// without takes a selector out again.
func (r rule) without(selector string) rule {
	strip := strings.NewReplacer("{"+selector+"}", "", selector+", ", "").Replace
	r.Expr = strip(r.Expr)
	for name, text := range r.Annotations {
		r.Annotations[name] = strip(text)
	}
	return r
}

// A percent sign would be a verb of printf in an annotation.
func TestSelectorWithPercent(t *testing.T) {
	got := with(t, `{ selector: 'job="50%"' }`)
	promtoolAccepts(t, got)
	for name, rule := range got.all() {
		for i, text := range rule.queries() {
			if want := map[bool]string{true: `job="50%"`, false: `job="50%%"`}[i == 0]; strings.Contains(text, "job=") && !strings.Contains(text, want) {
				t.Errorf("%s: no %s in\n%s", name, want, text)
			}
		}
	}
}

func TestSelectCases(t *testing.T) {
	for text, want := range map[string]string{
		`pod_failure_reason`:                       `pod_failure_reason{a="b"}`,
		`pod_failure_reason{}`:                     `pod_failure_reason{a="b"}`,
		`pod_failure_reason{cause="X"}`:            `pod_failure_reason{a="b", cause="X"}`,
		`sum(workload_ready_pods[5m])`:             `sum(workload_ready_pods{a="b"}[5m])`,
		`workload_desired_pods > 0`:                `workload_desired_pods{a="b"} > 0`,
		`workload:pod_failure:severity`:            `workload:pod_failure:severity`,
		`workload:pod_failure_reason:sum`:          `workload:pod_failure_reason:sum`,
		`my_pod_failure_reason`:                    `my_pod_failure_reason`,
		`pod_failure_reasons`:                      `pod_failure_reasons`,
		`x{y="pod_failure_reason"}`:                `x{y="pod_failure_reason"}`,
		`pod_failure_reason or pod_failure_reason`: `pod_failure_reason{a="b"} or pod_failure_reason{a="b"}`,
		`pod_failure_reasonpod_failure_reason`:     `pod_failure_reasonpod_failure_reason`,
	} {
		out, err := jsonnet(t, "-S", "-A", "text="+text, "-e", `function(text) (import 'promql.libsonnet').select(text, 'a="b"')`)
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s becomes %s, want %s (%v)", text, got, want, err)
		}
	}
}

func TestSeveritiesAreRenamed(t *testing.T) {
	got := with(t, "{ severities+: { critical: 'page', warning: 'ticket' } }")
	promtoolAccepts(t, got)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	renamed := strings.NewReplacer(`severity=\"page\"`, `severity=\"critical\"`, `severity=\"ticket\"`, `severity=\"warning\"`,
		`"severity":"page"`, `"severity":"critical"`, `"severity":"ticket"`, `"severity":"warning"`).Replace(string(text))
	if renamed == string(text) {
		t.Error("nothing was renamed")
	}
	for _, old := range []string{`severity=\"critical\"`, `severity=\"warning\"`, `"severity":"critical"`, `"severity":"warning"`} {
		if strings.Contains(string(text), old) {
			t.Errorf("%s is still there", old)
		}
	}
	var back rules
	if err := json.Unmarshal([]byte(renamed), &back); err != nil {
		t.Fatal(err)
	}
	same(t, back.all(), plain(t).all())
}

// TestAlertsFireWithAnySeverities has one workload that is down and one that is degraded, and asks with which severity each one's alert
// fires. A new name may be another's old one.
func TestAlertsFireWithAnySeverities(t *testing.T) {
	for _, c := range []struct{ critical, warning, info string }{
		{"page", "ticket", "note"},
		{"warning", "info", "none"},
		{"info", "critical", "warning"},
	} {
		got := with(t, fmt.Sprintf("{ severities: { critical: '%s', warning: '%s', info: '%s' } }", c.critical, c.warning, c.info))
		promtoolPasses(t, got, fmt.Sprintf(`
rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'workload_desired_pods{namespace="a", workload_kind="Deployment", workload="down"}', values: 2x10}
      - {series: 'workload_ready_pods{namespace="a", workload_kind="Deployment", workload="down"}', values: 0x10}
      - {series: 'pod_failure_reason{namespace="a", pod="down-1", workload_kind="Deployment", workload="down", cause="OOMKilled"}', values: 1x10}
      - {series: 'workload_desired_pods{namespace="a", workload_kind="Deployment", workload="degraded"}', values: 2x10}
      - {series: 'workload_ready_pods{namespace="a", workload_kind="Deployment", workload="degraded"}', values: 1x10}
      - {series: 'pod_failure_reason{namespace="a", pod="degraded-1", workload_kind="Deployment", workload="degraded", cause="OOMKilled"}', values: 1x10}
    promql_expr_test:
      - expr: count by (workload, severity) (ALERTS{alertname="PodOOMKilled", alertstate="firing"})
        eval_time: 8m
        exp_samples:
          - {labels: '{workload="down", severity="%s"}', value: 1}
          - {labels: '{workload="degraded", severity="%s"}', value: 1}
`, c.critical, c.warning))
	}
}

func TestClusterLabelIsRenamed(t *testing.T) {
	got, want := with(t, "{ clusterLabel: 'k8s_cluster' }"), plain(t).all()
	promtoolAccepts(t, got)
	for name, rule := range got.all() {
		for _, text := range rule.queries() {
			if slices.Contains(word.FindAllString(text, -1), "cluster") {
				t.Errorf("%s: the old label in\n%s", name, text)
			}
		}
		for _, text := range rule.Annotations {
			if strings.Contains(text, "$labels.cluster") {
				t.Errorf("%s: the old label in\n%s", name, text)
			}
		}
		if renamed, original := fmt.Sprintf("%+v", rule), fmt.Sprintf("%+v", want[name]); strings.ReplaceAll(renamed, "k8s_cluster", "cluster") != original {
			t.Errorf("%s has another difference:\n%s\nof\n%s", name, renamed, original)
		}
	}
}

func TestCausesAreDisabledAndWaitLonger(t *testing.T) {
	got := with(t, "{ disabledCauses: ['OOMKilled', 'ProgressDeadlineExceeded'], forByCause: { RegistryRateLimited: '15m' } }")
	want := plain(t).all()
	delete(want, "kube-failure-exporter-crash/PodOOMKilled/")
	delete(want, "kube-failure-exporter-rollout/PodProgressDeadlineExceeded/")
	limited := want["kube-failure-exporter-image/PodRegistryRateLimited/"]
	limited.For = "15m"
	want["kube-failure-exporter-image/PodRegistryRateLimited/"] = limited
	same(t, got.all(), want)
	for _, g := range got.Groups {
		if len(g.Rules) == 0 {
			t.Errorf("group %s is empty", g.Name)
		}
	}
}

func TestUnknownCausesAreRefused(t *testing.T) {
	for _, config := range []string{"{ disabledCauses: ['OOMKiled'] }", "{ forByCause: { OOMKiled: '1m' } }", "{ selector: 'a=`b`' }"} {
		if out, err := jsonnet(t, "-e", "((import 'mixin.libsonnet') + { _config+:: "+config+" }).prometheusAlerts"); err == nil {
			t.Errorf("%s is taken: %.80s", config, out)
		}
	}
}

func TestBasesOfLinksAreChanged(t *testing.T) {
	got := with(t, "{ runbookURL: 'https://wiki/causes', troubleshootingURL: 'https://wiki/exporter', dashboardURL: 'https://graphs/base' }")
	for name, rule := range got.all() {
		if rule.Alert == "" {
			continue
		}
		runbook := "https://wiki/causes/" + rule.Labels["cause"] + ".md"
		if rule.Labels["cause"] == "" {
			runbook = "https://wiki/exporter#" + strings.ToLower(rule.Alert)
		}
		if rule.Annotations["runbook_url"] != runbook {
			t.Errorf("%s: runbook %s, want %s", name, rule.Annotations["runbook_url"], runbook)
		}
		if url, ok := rule.Annotations["dashboard_url"]; ok && !strings.HasPrefix(url, "https://graphs/base/d/kube-failure-exporter-") {
			t.Errorf("%s: dashboard %s", name, url)
		}
	}
}
