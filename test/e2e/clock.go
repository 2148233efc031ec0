package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// WrongClock returns the arguments of go build that make a program's clock run ahead, or behind: the machine's own clock
// cannot be set for one process, so the program is built with another time.Now.
func WrongClock(ctx context.Context, folder string, ahead time.Duration) (args []string, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("finding Go's source: %w", err)
	}
	source := filepath.Join(string(bytes.TrimSpace(root)), "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		return nil, fmt.Errorf("finding Go's source: %w", err)
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	if bytes.Count(text, []byte(now)) != 1 {
		return nil, fmt.Errorf("time.Now in %s is not as expected: adapt the test to this version of Go", source)
	}
	text = bytes.Replace(text, []byte(now), fmt.Appendf(nil, "%s\tsec += %d\n", now, int(ahead.Seconds())), 1)
	copied := filepath.Join(folder, fmt.Sprintf("time%+d.go", int(ahead.Seconds())))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: copied}})
	if err != nil {
		return nil, fmt.Errorf("writing the overlay: %w", err)
	}
	for name, content := range map[string][]byte{copied: text, copied + ".json": overlay} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return nil, fmt.Errorf("writing the overlay: %w", err)
		}
	}
	return []string{"-overlay=" + copied + ".json"}, nil
}
