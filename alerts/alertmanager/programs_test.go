package alertmanager

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// By default a program on the PATH is preferred: Debian's is years older than the pinned one, and both must agree.
var pinned = flag.Bool("pinned", false, "use the pinned amtool and alertmanager even where others are on the PATH")

// built holds the files of pinned tools, so that a run asks for each once.
var built sync.Map

// program returns the file of the first name that is on the PATH, else that of the pinned tool, which takes minutes to build once.
func program(t *testing.T, tool string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if file, err := exec.LookPath(name); err == nil && !*pinned {
			return file
		}
	}
	if file, ok := built.Load(tool); ok {
		return file.(string)
	}
	// -n builds the tool and names its file, so that a daemon can be ended without a `go` in between.
	out, err := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools/alertmanager/go.mod", "-n", tool).Output()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no %s, on the PATH or built: %v", tool, err)
		}
		t.Skipf("NOT TESTED: no %s on the PATH, and none can be built: %v", strings.Join(names, ", "), err)
	}
	file := strings.TrimSpace(string(out))
	built.Store(tool, file)
	return file
}

func amtool(t *testing.T, arguments ...string) string {
	t.Helper()
	var complaint strings.Builder
	cmd := exec.CommandContext(t.Context(), program(t, "amtool", "amtool"), arguments...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("amtool %s: %v\n%s%s", strings.Join(arguments, " "), err, out, complaint.String())
	}
	return string(out)
}
