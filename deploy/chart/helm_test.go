package chart

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const name = "kube-failure-exporter"

// program is one that is built once for all tests.
type program struct {
	path string
	err  error
}

// pinned builds a tool that a module of tools/ pins, which the first time takes minutes, and returns its path.
func pinned(tool string) program {
	out, err := exec.Command("go", "tool", "-modfile=../../tools/"+tool+"/go.mod", "-n", tool).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return program{strings.TrimSpace(string(out)), err}
}

// theHelm is the pinned one, or another that KFE_HELM names.
var theHelm = sync.OnceValue(func() program {
	if path := os.Getenv("KFE_HELM"); path != "" {
		return program{path, nil}
	}
	return pinned("helm")
})

// helm returns a command that runs Helm without any cluster, repository or plugin of this machine.
func helm(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	p := theHelm()
	if p.err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no Helm: %v", p.err)
		}
		t.Skipf("THE CHART IS NOT TESTED: no Helm can be built: %v", p.err)
	}
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), p.path, args...)
	cmd.Env = []string{"HOME=" + home, "KUBECONFIG=" + filepath.Join(home, "none"), "PATH=" + os.Getenv("PATH")}
	return cmd
}

func run(t *testing.T, cmd *exec.Cmd) []byte {
	t.Helper()
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, complaint.Bytes())
	}
	return out
}

// installation is a release whose rendering is looked at.
type installation struct {
	release, namespace string
	values             string // YAML
}

// helm returns a command of Helm about the installation.
func (i installation) helm(t *testing.T, command, chart string, more ...string) *exec.Cmd {
	t.Helper()
	cmd := helm(t, append([]string{command, i.release, chart, "--namespace=" + i.namespace, "--values=-"}, more...)...)
	cmd.Stdin = strings.NewReader(i.values)
	return cmd
}

// render returns what Helm would apply.
func (i installation) render(t *testing.T) []byte {
	t.Helper()
	return run(t, i.helm(t, "template", "."))
}

// called has the names of the plain manifests.
func called(values string) installation { return installation{name, name, values} }

// valueSets are the values that are rendered into testdata/golden, by their names.
func valueSets(t *testing.T) map[string]installation {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files of values: %v", len(files), err)
	}
	sets := map[string]installation{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sets[strings.TrimSuffix(filepath.Base(file), ".yaml")] = installation{"failures", "monitoring", string(text)}
	}
	return sets
}
