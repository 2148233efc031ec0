package mixin

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

// rule is one rule, whatever its file's form.
type rule struct {
	Alert       string            `json:"alert,omitempty"`
	Record      string            `json:"record,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Keep        string            `json:"keep_firing_for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

type rules struct {
	Groups []group `json:"groups"`
}

// all are the rules by name; the parts of a recording rule that share one name are told apart by their severity.
func (r rules) all() map[string]rule {
	all := map[string]rule{}
	for _, g := range r.Groups {
		for _, rule := range g.Rules {
			all[g.Name+"/"+rule.Alert+rule.Record+"/"+rule.Labels["severity"]] = rule
		}
	}
	return all
}

func jsonnet(t *testing.T, arguments ...string) ([]byte, error) {
	t.Helper()
	arguments = append([]string{"tool", "-modfile=../../tools/jsonnet/go.mod", "jsonnet"}, arguments...)
	cmd := exec.CommandContext(t.Context(), "go", arguments...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Logf("jsonnet: %s", complaint.String())
	}
	return out, err
}

// with renders alerts and recording rules with a _config.
func with(t *testing.T, config string) rules {
	t.Helper()
	out, err := jsonnet(t, "-e", "local m = (import 'mixin.libsonnet') + { _config+:: "+config+" };"+
		"{ groups: m.prometheusAlerts.groups + m.prometheusRules.groups }")
	if err != nil {
		t.Fatalf("rendering with %s: %v", config, err)
	}
	var r rules
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// plain reads what the mixin is made from: every file of rules but the one that holds them all again.
func plain(t *testing.T) rules {
	t.Helper()
	files, err := filepath.Glob("../*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var r rules
	for _, file := range files {
		if filepath.Base(file) == "prometheusrule.yaml" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var one rules
		if err := yaml.UnmarshalStrict(text, &one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		r.Groups = append(r.Groups, one.Groups...)
	}
	if len(r.Groups) < 12 {
		t.Fatalf("only %d groups of rules in %v", len(r.Groups), files)
	}
	return r
}

// promtoolAccepts has Prometheus parse every expression and template.
func promtoolAccepts(t *testing.T, r rules) {
	t.Helper()
	promtool(t, "check", r, "rules.yaml", "")
}

// promtoolPasses has Prometheus run tests of the rules, which name them rules.yaml.
func promtoolPasses(t *testing.T, r rules, tests string) {
	t.Helper()
	promtool(t, "test", r, "tests.yaml", tests)
}

func promtool(t *testing.T, verb string, r rules, file, tests string) {
	t.Helper()
	text, err := yaml.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"rules.yaml": string(text), "tests.yaml": tests} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := []string{"promtool"}
	if _, err := exec.LookPath("promtool"); err != nil {
		command = []string{"go", "tool", "-modfile=../../tools/promtool/go.mod", "promtool"}
	}
	command = append(command, verb, "rules", filepath.Join(folder, file))
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -tags=remove_all_sd")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func same(t *testing.T, got, want map[string]rule) {
	t.Helper()
	for name, rule := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		} else if !reflect.DeepEqual(got[name], rule) {
			t.Errorf("%s is\n%+v\nwant\n%+v", name, got[name], rule)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is too much", name)
		}
	}
}

func TestDefaultsGiveThePlainFiles(t *testing.T) {
	same(t, with(t, "{}").all(), plain(t).all())
}

func TestEntryPoints(t *testing.T) {
	for _, file := range []string{"alerts.jsonnet", "rules.jsonnet"} {
		out, err := jsonnet(t, "-S", file)
		if err != nil {
			t.Fatal(err)
		}
		var r rules
		if err := yaml.UnmarshalStrict(out, &r); err != nil || len(r.Groups) == 0 {
			t.Errorf("%s gives %d groups: %v", file, len(r.Groups), err)
		}
	}
	if _, err := jsonnet(t, "-m", t.TempDir(), "dashboards.jsonnet"); err != nil {
		t.Errorf("dashboards.jsonnet: %v", err)
	}
}
