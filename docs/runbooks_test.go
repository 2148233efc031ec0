package docs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

func catalogue(t *testing.T) *classify.Catalogue {
	t.Helper()
	c, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRunbooks proves that each cause has a fresh page, and that there is no other.
func TestRunbooks(t *testing.T) {
	c := catalogue(t)
	var want []string
	for _, page := range c.Pages() {
		name := string(page.Cause) + ".md"
		want = append(want, name)
		got, err := os.ReadFile(filepath.Join("causes", name))
		if err != nil {
			t.Errorf("make generate writes it: %v", err)
			continue
		}
		var fresh bytes.Buffer
		if err := report.Runbook(&fresh, c, page); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, fresh.Bytes()) {
			t.Errorf("causes/%s is not what make generate writes", name)
		}
		if headings := headingsOf(string(got)); !slices.Equal(headings, classify.Headings()) {
			t.Errorf("causes/%s has the headings %q", name, headings)
		}
	}
	files, err := filepath.Glob("causes/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !slices.Contains(want, filepath.Base(file)) {
			t.Errorf("%s belongs to no cause", file)
		}
	}
}

func headingsOf(markdown string) []string {
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(codeBlock.ReplaceAllString(markdown, ""), -1) {
		headings = append(headings, m[1])
	}
	return headings
}

// TestRunbooksShowPlaceholders proves that nothing that is not code looks like HTML, which GitHub would hide.
func TestRunbooksShowPlaceholders(t *testing.T) {
	pages, err := filepath.Glob("causes/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	for _, page := range append(pages, "causes.md") {
		_, body, _ := strings.Cut(read(t, page), "-->")
		if strings.Contains(inlineCode.ReplaceAllString(codeBlock.ReplaceAllString(body, ""), ""), "<") {
			t.Errorf("%s: a placeholder outside of code", page)
		}
	}
}

// rules are what the test reads of a file of rules: Prometheus' own, or a PrometheusRule with the same inside.
type rules struct {
	Groups []struct {
		Rules []struct {
			Alert       string            `json:"alert"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
	Spec *rules `json:"spec"`
}

// TestAlertsHaveRunbooks proves that the address in each alert leads to a file of this folder, and to a heading in it.
func TestAlertsHaveRunbooks(t *testing.T) {
	const folder = "../alerts"
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		t.Skip("there are no alerts")
	}
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(report.RunbookBase, "causes")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		alerts := 0
		for _, document := range strings.Split("\n"+string(text), "\n---\n") {
			var parsed rules
			if err := yaml.Unmarshal([]byte(document), &parsed); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if parsed.Spec != nil {
				parsed = *parsed.Spec
			}
			for _, group := range parsed.Groups {
				for _, rule := range group.Rules {
					if rule.Alert != "" {
						alerts++
						checkRunbook(t, file+": "+rule.Alert, rule.Annotations["runbook_url"], base)
					}
				}
			}
		}
		if found := strings.Count(string(text), "alert: "); alerts != found {
			t.Errorf("%s: %d alerts were read of %d", file, alerts, found)
		}
	}
}

func checkRunbook(t *testing.T, alert, url, base string) {
	t.Helper()
	rest, ours := strings.CutPrefix(url, base)
	if !ours {
		t.Errorf("%s: runbook_url %q is not below %s", alert, url, base)
		return
	}
	file, anchor, anchored := strings.Cut(rest, "#")
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Errorf("%s: %v", alert, err)
		return
	}
	if anchored && !slices.ContainsFunc(headingsOf(string(text)), func(heading string) bool { return anchorOf(heading) == anchor }) {
		t.Errorf("%s: %s has no heading #%s", alert, file, anchor)
	}
}

// anchorOf names a heading as GitHub does.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^\w\- ]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}
