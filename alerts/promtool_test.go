package alerts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// promtool returns a command that runs promtool: the one on the PATH, else the one that tools/promtool pins, which the
// first time takes minutes to build.
func promtool(t *testing.T, folder string) func(args ...string) *exec.Cmd {
	t.Helper()
	pinned, err := filepath.Abs("../tools/promtool/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) *exec.Cmd {
		var cmd *exec.Cmd
		if path, err := exec.LookPath("promtool"); err == nil {
			cmd = exec.CommandContext(t.Context(), path, args...)
		} else {
			cmd = exec.CommandContext(t.Context(), "go", append([]string{"tool", "-modfile=" + pinned, "promtool"}, args...)...)
			cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -tags=remove_all_sd"))
		}
		cmd.Dir = folder
		return cmd
	}
	if out, err := command("--version").CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no promtool, on the PATH or built: %v\n%s", err, out)
		}
		t.Skipf("THE RULES ARE NOT TESTED: no promtool on the PATH, and none can be built: %v\n%s", err, out)
	}
	return command
}

func TestPromtoolChecksRules(t *testing.T) {
	if out, err := promtool(t, ".")(append([]string{"check", "rules"}, ruleFiles(t)...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPromtoolTestsRules(t *testing.T) {
	files, err := filepath.Glob("tests/*_test.yaml")
	if err != nil || len(files) != len(ruleFiles(t)) {
		t.Fatalf("%d files of tests for %d of rules: %v", len(files), len(ruleFiles(t)), err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	if out, err := promtool(t, "tests")(append([]string{"test", "rules"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPromtoolReadsDocs has promtool parse every query that the documentation shows as one.
func TestPromtoolReadsDocs(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var rules strings.Builder
	rules.WriteString("groups:\n- name: docs\n  rules:\n")
	queries := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			queries++
			name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(page), ".md"), "-", "_")
			fmt.Fprintf(&rules, "  - record: %s:%d\n    expr: |\n      %s\n", name, queries, strings.ReplaceAll(m[1], "\n", "\n      "))
		}
	}
	if queries == 0 {
		t.Error("the documentation shows no queries")
	}
	file := filepath.Join(t.TempDir(), "docs.yaml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := promtool(t, ".")("check", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
