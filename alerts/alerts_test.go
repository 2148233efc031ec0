package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

type rule struct {
	Alert, Record, Expr, For string
	Keep                     string `json:"keep_firing_for"`
	Labels, Annotations      map[string]string
}

type group struct {
	Name  string
	Rules []rule
}

type groups struct{ Groups []group }

// ruleFiles are the files that Prometheus reads.
func ruleFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return name == "prometheusrule.yaml" })
	if want := len(classify.Families()) + 2; len(files) != want {
		t.Fatalf("%d rule files, want %d: one for each family, rules.yaml and exporter.yaml: %v", len(files), want, files)
	}
	return files
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// allAlerts are the alerts of all files, by file.
func allAlerts(t *testing.T) map[string][]rule {
	t.Helper()
	alerts := map[string][]rule{}
	for _, file := range ruleFiles(t) {
		var g groups
		read(t, file, &g)
		for _, group := range g.Groups {
			for _, r := range group.Rules {
				if r.Alert != "" {
					alerts[file] = append(alerts[file], r)
				}
			}
		}
	}
	return alerts
}

func catalogue(t *testing.T) *classify.Catalogue {
	t.Helper()
	c, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFresh(t *testing.T) {
	out := t.TempDir()
	if text, err := exec.CommandContext(t.Context(), "go", "run", "./generate", "--out", out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, pattern := range []string{"*.yaml", "tests/*.yaml"} {
		want, _ := filepath.Glob(filepath.Join(out, pattern))
		have, _ := filepath.Glob(pattern)
		have = slices.DeleteFunc(have, func(name string) bool { return name == filepath.Join("tests", "rules_test.yaml") }) // by hand
		if len(want) == 0 || len(want) != len(have) {
			t.Errorf("%s: %d files are generated, %d are here", pattern, len(want), len(have))
		}
		for _, file := range want {
			name, _ := filepath.Rel(out, file)
			fresh, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if committed, err := os.ReadFile(name); err != nil || string(committed) != string(fresh) {
				t.Errorf("%s is not what the catalogue says: run make generate (%v)", name, err)
			}
		}
	}
}

func TestEveryCauseHasOneAlert(t *testing.T) {
	byCause := map[string][]rule{}
	for file, rules := range allAlerts(t) {
		for _, r := range rules {
			if file == "exporter.yaml" {
				if r.Labels["severity"] == "" || r.Labels["cause"] != "" {
					t.Errorf("%s has the labels %v", r.Alert, r.Labels)
				}
				continue
			}
			byCause[r.Labels["cause"]] = append(byCause[r.Labels["cause"]], r)
			if want := r.Labels["family"] + ".yaml"; file != want {
				t.Errorf("%s stands in %s, want %s", r.Alert, file, want)
			}
		}
	}
	for _, page := range catalogue(t).Pages() {
		rules := byCause[string(page.Cause)]
		delete(byCause, string(page.Cause))
		if page.Cause == classify.SchedulingGated {
			if len(rules) > 0 {
				t.Error("SchedulingGated has an alert; it is no fault")
			}
			continue
		}
		if len(rules) != 1 {
			t.Errorf("%s has %d alerts, want one", page.Cause, len(rules))
			continue
		}
		checkAlert(t, page, rules[0])
	}
	for cause := range byCause {
		t.Errorf("an alert for %s, which is no cause", cause)
	}
}

func checkAlert(t *testing.T, page *classify.Page, r rule) {
	t.Helper()
	if name := string(page.Cause); r.Alert != "Pod"+name && (r.Alert != name || !strings.HasPrefix(name, "Pod")) {
		t.Errorf("%s has the alert %s", page.Cause, r.Alert)
	}
	if wait, err := time.ParseDuration(r.For); err != nil || wait != page.Wait {
		t.Errorf("%s waits %s, its page says %v", r.Alert, r.For, page.Wait)
	}
	if kept, err := time.ParseDuration(r.Keep); err != nil || kept < page.Wait || kept < 3*time.Minute {
		t.Errorf("%s outlives its failure by %q, and waits %v", r.Alert, r.Keep, page.Wait)
	}
	if r.Labels["family"] != string(page.Family) || len(r.Labels) != 2 {
		t.Errorf("%s has the labels %v", r.Alert, r.Labels)
	}
	if !strings.Contains(r.Expr, `{cause="`+string(page.Cause)+`"}`) || !strings.Contains(r.Expr, "group_left (severity)") {
		t.Errorf("%s: expression without its cause or without severity:\n%s", r.Alert, r.Expr)
	}
}

type promTests struct {
	RuleFiles []string `json:"rule_files"`
	Tests     []struct {
		Name           string
		AlertRuleTests []struct {
			Alertname string
			ExpAlerts *[]any `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

// TestEveryAlertHasTests proves what promtool does not ask for: it passes an empty expectation under a misspelt name.
func TestEveryAlertHasTests(t *testing.T) {
	for file, rules := range allAlerts(t) {
		name := filepath.Join("tests", strings.TrimSuffix(file, ".yaml")+"_test.yaml")
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var tests promTests
		if err := yaml.Unmarshal(text, &tests); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Contains(tests.RuleFiles, "../"+file) {
			t.Errorf("%s does not test %s", name, file)
		}
		fires, silent := map[string]int{}, map[string]int{}
		for _, test := range tests.Tests {
			for _, c := range test.AlertRuleTests {
				switch {
				case !slices.ContainsFunc(rules, func(r rule) bool { return r.Alert == c.Alertname }):
					t.Errorf("%s, test %s: %q is no alert of %s", name, test.Name, c.Alertname, file)
				case c.ExpAlerts == nil:
					t.Errorf("%s, test %s: %s has no exp_alerts", name, test.Name, c.Alertname)
				case len(*c.ExpAlerts) == 0:
					silent[c.Alertname]++
				default:
					fires[c.Alertname]++
				}
			}
		}
		for _, r := range rules {
			if fires[r.Alert] == 0 || silent[r.Alert] < 2 {
				t.Errorf("%s: %s has %d tests that fire and %d that are silent, want at least 1 and 2", name, r.Alert, fires[r.Alert], silent[r.Alert])
			}
		}
	}
}

// The limit of what kubectl apply keeps of an object in an annotation.
const applyLimit = 262144

func TestPrometheusRule(t *testing.T) {
	text, err := os.ReadFile("prometheusrule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")[1:]
	files := ruleFiles(t)
	if len(documents) != len(files) {
		t.Errorf("%d objects for %d files", len(documents), len(files))
	}
	for _, document := range documents {
		var object struct {
			APIVersion, Kind string
			Metadata         struct {
				Name, Namespace string
				Labels          map[string]string
			}
			Spec groups
		}
		if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.APIVersion != "monitoring.coreos.com/v1" || object.Kind != "PrometheusRule" || len(object.Spec.Groups) != 1 {
			t.Fatalf("%s is a %s %s with %d groups", object.Metadata.Name, object.APIVersion, object.Kind, len(object.Spec.Groups))
		}
		if len(document) > applyLimit*9/10 {
			t.Errorf("%s has %d bytes: too many for kubectl apply", object.Metadata.Name, len(document))
		}
		var want groups
		read(t, strings.TrimPrefix(object.Metadata.Name, "kube-failure-exporter-")+".yaml", &want)
		if got, _ := yaml.Marshal(object.Spec); string(got) != marshalled(want) {
			t.Errorf("%s differs from its file", object.Metadata.Name)
		}
	}
}

func marshalled(g groups) string {
	text, _ := yaml.Marshal(g)
	return string(text)
}
