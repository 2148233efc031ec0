package alerts

import (
	"os"
	"os/exec"
	"path/filepath"
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
