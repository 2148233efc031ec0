package mixin

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// dashboards renders them with a _config.
func dashboards(t *testing.T, config string) map[string]map[string]any {
	t.Helper()
	out, err := jsonnet(t, "-e", "((import 'mixin.libsonnet') + { _config+:: "+config+" }).grafanaDashboards")
	if err != nil {
		t.Fatalf("rendering with %s: %v", config, err)
	}
	var all map[string]map[string]any
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d dashboards", len(all))
	}
	return all
}

// strings of a key, wherever they are.
func values(node any, key string) (found []string) {
	switch n := node.(type) {
	case map[string]any:
		for name, child := range n {
			if text, ok := child.(string); ok && name == key {
				found = append(found, text)
			}
			found = append(found, values(child, key)...)
		}
	case []any:
		for _, child := range n {
			found = append(found, values(child, key)...)
		}
	}
	return found
}

func TestDefaultsGiveThePlainDashboards(t *testing.T) {
	for file, got := range dashboards(t, "{}") {
		text, err := os.ReadFile("../../dashboards/" + file)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s differs from the plain file", file)
		}
	}
}

// TestDashboardsAreRewritten looks at every selector of the exporter's series, and has Prometheus parse all expressions.
func TestDashboardsAreRewritten(t *testing.T) {
	all := dashboards(t, `{ selector: 'app="kfe"', clusterLabel: 'k8s' }`)
	text, err := os.ReadFile("metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	var metrics []string
	if err := json.Unmarshal(text, &metrics); err != nil {
		t.Fatal(err)
	}
	ours := regexp.MustCompile(`\b(` + strings.Join(metrics, "|") + `)(\{[^}]*\}|\b)`)
	inQuotes := regexp.MustCompile(`"[^"]*"`)
	var parsed []rule
	for file, dashboard := range all {
		for _, expr := range append(values(dashboard, "expr"), values(dashboard, "query")...) {
			bare := inQuotes.ReplaceAllString(expr, `""`)
			for _, selection := range ours.FindAllString(bare, -1) {
				if !strings.Contains(selection, `{app=""`) {
					t.Errorf("%s selects %s without the selector:\n%s", file, selection, expr)
				}
			}
			if strings.Contains(bare, "__name__") && !strings.Contains(bare, `{app="", __name__`) {
				t.Errorf("%s asks for more than the selector:\n%s", file, expr)
			}
			if regexp.MustCompile(`\bcluster\b`).MatchString(bare) || strings.Contains(expr, "$k8s") {
				t.Errorf("%s has cluster for a label, or k8s for a variable:\n%s", file, expr)
			}
		}
		for _, expr := range values(dashboard, "expr") {
			expr = strings.NewReplacer("$__rate_interval", "1m", "$__interval", "1m").Replace(expr)
			parsed = append(parsed, rule{Record: "query", Expr: expr, Labels: map[string]string{"expr": expr}})
		}
	}
	promtoolAccepts(t, rules{Groups: []group{{Name: "dashboards", Rules: parsed}}})
}
