package classify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestImports states what the classifier must not know, and why.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("listing what package classify needs: %v", err)
	}
	for _, rule := range []struct{ prefix, reason string }{
		{"k8s.io/client-go", "the caller gathers objects; a rule that asks the cluster cannot be replayed from files"},
		{"github.com/prometheus", "failures are plain values; metrics are made of them in package collector"},
		{"github.com/kube-failure-exporter/kube-failure-exporter/collector", "imports run from collector to classify"},
		{"github.com/kube-failure-exporter/kube-failure-exporter/report", "imports run from report to classify"},
	} {
		for name := range strings.FieldsSeq(string(out)) {
			if strings.HasPrefix(name, rule.prefix) {
				t.Errorf("package classify depends on %s: %s", name, rule.reason)
			}
		}
	}
}

// TestSource looks at the package's own files, because apimachinery itself imports net/http.
func TestSource(t *testing.T) {
	forbidden := map[string]string{
		"net/http": "the classifier does no I/O", "net": "the classifier does no I/O", "os": "the classifier does no I/O",
		"log/slog": "what is odd is told in the verdict", "math/rand": "the same input gives the same verdict",
	}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 20 {
		t.Fatalf("found %d files, %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if reason := forbidden[imported]; reason != "" {
				t.Errorf("%s imports %s: %s", name, imported, reason)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := call.X.(*ast.Ident)
			if ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "After", "Tick"}, call.Sel.Name) {
				t.Errorf("%s calls time.%s: the time comes in with the input, so that a verdict can be repeated", name, call.Sel.Name)
			}
			return true
		})
	}
}
