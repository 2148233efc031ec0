package chart

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

type rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Keep        string            `json:"keep_firing_for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// rendered returns the groups of an installation's PrometheusRules by their names.
func (i installation) rules(t *testing.T) map[string][]rule {
	t.Helper()
	return rulesIn(t, decode(t, i.render(t)))
}

func rulesIn(t *testing.T, objects []object) map[string][]rule {
	t.Helper()
	groups := map[string][]rule{}
	for _, o := range all[*prometheusRule](objects) {
		for _, g := range o.Spec.Groups {
			if groups[g.Name] != nil || len(g.Rules) == 0 {
				t.Errorf("group %s is there twice, or empty", g.Name)
			}
			groups[g.Name] = g.Rules
		}
	}
	return groups
}

func withRules(values string) installation {
	return called("prometheusRule: {enabled: true, " + values + "}")
}

// same compares rule by rule, so that it can be read which one differs.
func same(t *testing.T, got, want map[string][]rule) {
	t.Helper()
	for name, rules := range want {
		if len(got[name]) != len(rules) {
			t.Errorf("group %s has %d rules, want %d", name, len(got[name]), len(rules))
			continue
		}
		for i, r := range rules {
			if !reflect.DeepEqual(got[name][i], r) {
				t.Errorf("%s, rule %d is\n%+v\nwant\n%+v", name, i, got[name][i], r)
			}
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("group %s is too much", name)
		}
	}
}

// TestRulesAreThePlainOnes proves that the defaults change nothing.
func TestRulesAreThePlainOnes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../alerts/prometheusrule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := withRules("").rules(t)
	same(t, got, rulesIn(t, decode(t, text)))
	if len(got) < 12 {
		t.Errorf("only %d groups", len(got))
	}
	promtoolAccepts(t, got)
}

// TestRulesAreTheMixins changes the same in the chart and in the mixin, which are written in two languages.
func TestRulesAreTheMixins(t *testing.T) {
	jsonnet := pinned("jsonnet")
	if jsonnet.err != nil {
		t.Fatal(jsonnet.err)
	}
	for _, c := range []struct{ name, values, config string }{
		{"signs", `selector: 'job=~"50% of $1 ${2} \\d", team=~"a|b"'`, `selector: 'job=~"50% of $1 ${2} \\\\d", team=~"a|b"'`},
		{"severities", `severities: {critical: page, warning: ticket}`, `severities+: { critical: 'page', warning: 'ticket' }`},
		// The mixin's own test asks Prometheus which alerts fire then.
		{"chained severities", `severities: {critical: warning, warning: info}`, `severities+: { critical: 'warning', warning: 'info' }`},
		{"swapped severities", `severities: {critical: warning, warning: critical}`, `severities+: { critical: 'warning', warning: 'critical' }`},
		{
			"causes", `disabledCauses: [OOMKilled, ProgressDeadlineExceeded], forByCause: {RegistryRateLimited: 15m}`,
			`disabledCauses: ['OOMKilled', 'ProgressDeadlineExceeded'], forByCause: { RegistryRateLimited: '15m' }`,
		},
		{
			"links", `troubleshootingUrl: 'https://wiki/exporter', dashboardUrl: 'https://graphs/base/'}` + "\n" + `runbookUrl: 'https://wiki/causes/'` + "\nglobal: {",
			`runbookURL: 'https://wiki/causes', troubleshootingURL: 'https://wiki/exporter', dashboardURL: 'https://graphs/base'`,
		},
		{
			"all", `selector: 'a="b"', severities: {critical: P1, warning: P2}, disabledCauses: [UnexpectedExit], dashboardUrl: 'https://graphs'`,
			`selector: 'a="b"', severities+: { critical: 'P1', warning: 'P2' }, disabledCauses: ['UnexpectedExit'], dashboardURL: 'https://graphs'`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out := run(t, exec.CommandContext(t.Context(), jsonnet.path, "-e", "local m = (import '../../alerts/mixin/mixin.libsonnet') + { _config+:: { "+
				c.config+" } }; m.prometheusAlerts.groups + m.prometheusRules.groups"))
			var groups []group
			if err := json.Unmarshal(out, &groups); err != nil {
				t.Fatal(err)
			}
			want := map[string][]rule{}
			for _, g := range groups {
				want[g.Name] = g.Rules
			}
			got := withRules(c.values).rules(t)
			same(t, got, want)
			promtoolAccepts(t, got)
		})
	}
}

// promtoolAccepts has Prometheus parse every expression and template.
func promtoolAccepts(t *testing.T, rules map[string][]rule) {
	t.Helper()
	var file struct {
		Groups []group `json:"groups"`
	}
	for name, r := range rules {
		file.Groups = append(file.Groups, group{name, r})
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	write(t, path, string(text))
	command := []string{"promtool"}
	if _, err := exec.LookPath("promtool"); err != nil {
		command = []string{"go", "tool", "-modfile=../../tools/promtool/go.mod", "promtool"}
	}
	command = append(command, "check", "rules", path)
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags=remove_all_sd"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

// TestRulesOfTheChart proves what the mixin cannot do.
func TestRulesOfTheChart(t *testing.T) {
	plain := withRules("").rules(t)
	for name, c := range map[string]struct {
		values string
		change func(group string, r *rule) (kept bool)
	}{
		"for": {"for: 10m, forByCause: {OOMKilled: 1m}", func(_ string, r *rule) bool {
			switch r.Labels["cause"] {
			case "":
			case "OOMKilled":
				r.For = "1m"
			default:
				r.For = "10m"
			}
			return true
		}},
		"labels": {"additionalRuleLabels: {team: platform, 'yes': '1'}", func(_ string, r *rule) bool {
			if r.Alert != "" {
				if r.Labels == nil {
					r.Labels = map[string]string{}
				}
				r.Labels["team"], r.Labels["yes"] = "platform", "1"
			}
			return true
		}},
		"no dashboards": {"dashboardUrl: ''", func(_ string, r *rule) bool { delete(r.Annotations, "dashboard_url"); return true }},
		"no exporter":   {"exporterAlerts: false", func(group string, _ *rule) bool { return group != name+"-exporter" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string][]rule{}
			for group, rules := range plain {
				for _, r := range rules {
					copied := r.copied()
					if c.change(group, &copied) {
						want[group] = append(want[group], copied)
					}
				}
			}
			same(t, withRules(c.values).rules(t), want)
		})
	}
}

func (r rule) copied() rule {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	var copied rule
	if err := json.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	return copied
}

// TestCommandsNameTheRelease proves that what the alerts about the exporter tell to type fits what was installed.
func TestCommandsNameTheRelease(t *testing.T) {
	t.Parallel()
	got := installation{"failures", "monitoring", "prometheusRule: {enabled: true}"}.rules(t)
	plain := withRules("").rules(t)
	text := strings.NewReplacer("-n monitoring ", "-n kube-failure-exporter ", "deployment/failures-kube-failure-exporter", "deployment/kube-failure-exporter")
	back, named := map[string][]rule{}, 0
	for name, rules := range got {
		for _, r := range rules {
			for key, annotation := range r.Annotations {
				if strings.Contains(annotation, "-n kube-failure-exporter ") || strings.Contains(annotation, "deployment/kube-failure-exporter") {
					t.Errorf("%s: %s", r.Alert, annotation)
				}
				if r.Annotations[key] = text.Replace(annotation); r.Annotations[key] != annotation {
					named++
				}
			}
			back[name] = append(back[name], r)
		}
	}
	same(t, back, plain)
	if named < 4 {
		t.Errorf("only %d annotations name the release", named)
	}
}
