package alerts

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

type sample struct {
	labels map[string]string
	value  float64
}

// functions are those of Prometheus that annotations may use, since Mimir, Thanos and vmalert have them too. A query is answered
// by answers, whose names are found in its text.
func functions(answers map[string]sample) template.FuncMap {
	text := func(v any) string { return fmt.Sprint(v) }
	return template.FuncMap{
		"query": func(query string) []sample {
			for name, answer := range answers {
				if strings.Contains(query, name) {
					return []sample{answer}
				}
			}
			return nil
		},
		"first":            func(all []sample) sample { return all[0] },
		"label":            func(name string, s sample) string { return s.labels[name] },
		"value":            func(s sample) float64 { return s.value },
		"sortByLabel":      func(_ string, all []sample) []sample { return all },
		"humanizeDuration": text, "humanize": text, "humanize1024": text,
		"match": regexp.MatchString, "toLower": strings.ToLower,
	}
}

func render(t *testing.T, text string, labels map[string]string, answers map[string]sample) string {
	t.Helper()
	parsed, err := template.New("annotation").Option("missingkey=zero").Funcs(functions(answers)).
		Parse("{{ $labels := .Labels }}{{ $value := .Value }}" + text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var b strings.Builder
	data := struct {
		Labels map[string]string
		Value  float64
	}{labels, 2}
	if err := parsed.Execute(&b, data); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return b.String()
}

// TestAnnotationsRender renders every annotation without any answer: nothing may be left open or empty.
func TestAnnotationsRender(t *testing.T) {
	for _, rules := range allAlerts(t) {
		for _, r := range rules {
			for _, name := range []string{"summary", "description", "fix", "runbook_url"} {
				got := render(t, r.Annotations[name], map[string]string{"namespace": "apps", "workload_kind": "Deployment", "workload": "web"}, nil)
				if got == "" || strings.TrimSpace(got) != got || strings.Contains(got, "{{") || strings.Contains(got, "<no value>") {
					t.Errorf("%s: %s is %q", r.Alert, name, got)
				}
				if strings.Contains(got, "\n\n") || name != "description" && name != "fix" && strings.Contains(got, "\n") {
					t.Errorf("%s: %s has a line too many:\n%s", r.Alert, name, got)
				}
			}
		}
	}
}

var leftOver = regexp.MustCompile(`<[a-z_]+>`)

// TestFixIsTheCatalogues compares the steps of every alert with the catalogue's own for every kind of workload.
func TestFixIsTheCatalogues(t *testing.T) {
	pages := catalogue(t)
	for file, rules := range allAlerts(t) {
		if file == "exporter.yaml" {
			continue
		}
		for _, r := range rules {
			page := pages.Page(classify.Cause(r.Labels["cause"]))
			for _, kind := range kinds(page.Family) {
				f := &classify.Failure{Kind: "Pod", Namespace: "apps", Name: "web-1", Container: "app", Node: "node-a", WorkloadKind: kind, Workload: "web"}
				if page.Family == classify.FamilyCreate {
					f.Kind, f.Name, f.Quota = "ReplicaSet", "web-7d9c", &classify.Quota{Name: "team"}
				}
				labels := map[string]string{"namespace": "apps", "workload_kind": kind, "workload": "web", "container": "app"}
				got := render(t, r.Annotations["fix"], labels, map[string]sample{
					"workload:pod_failure_start_time:min":        {labels: map[string]string{"pod": "web-1", "node": "node-a"}},
					"workload:pod_create_failure_start_time:min": {labels: map[string]string{"controller_kind": "ReplicaSet", "controller": "web-7d9c"}},
					"quota_blocked_controller":                   {labels: map[string]string{"resourcequota": "team"}},
				})
				if want := steps(page, f); got != want {
					t.Errorf("%s for a %s:\n%s\nwant\n%s", r.Alert, kind, got, want)
				}
			}
		}
	}
}

func kinds(family classify.Family) []string {
	if family == classify.FamilyRollout {
		return []string{"Deployment"}
	}
	kinds := []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Rollout"}
	switch family {
	case classify.FamilyCreate:
		return kinds
	case classify.FamilySchedule:
		return append(kinds, "Pod")
	}
	return append(kinds, "Pod", "Node")
}

func steps(page *classify.Page, f *classify.Failure) string {
	var lines []string
	for i, step := range page.Steps(f) {
		step = leftOver.ReplaceAllStringFunc(step, func(name string) string { return strings.ToUpper(strings.Trim(name, "<>")) })
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, step))
	}
	return strings.Join(lines, "\n")
}
