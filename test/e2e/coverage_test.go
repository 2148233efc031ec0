package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// TestDocumentation proves that docs/testing.md lists just the causes that no real cluster brings about, and that the README names
// just the versions that are tested.
func TestDocumentation(t *testing.T) {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	unproven, err := Unproven(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, "docs", "testing.md")
	_, text, _ = strings.Cut(text, "## Causes that no cluster here brings about\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var listed []classify.Cause
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Za-z]+)` \\|").FindAllStringSubmatch(text, -1) {
		listed = append(listed, classify.Cause(row[1]))
	}
	if !slices.Equal(listed, unproven) {
		t.Errorf("docs/testing.md lists\n%v\nas proven by recorded messages only, want\n%v", listed, unproven)
	}
	readme := read(t, "README.md")
	if want := "Kubernetes " + strings.Join(cluster.Versions(), ", "); !strings.Contains(readme, want) {
		t.Errorf("the README does not say which versions are tested: %s", want)
	}
}

// TestExpectations proves that the manifests expect causes that exist, of families that they may be told in, and that each folder
// holds enough of them.
func TestExpectations(t *testing.T) {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for _, name := range []string{"OPEN", "PRIVATE", "FAULTY", "PLAIN", "SELFSIGNED", "NODE"} {
		variables[name] = "127.0.0.1:5000"
	}
	variables["GRPC"] = "5000"
	for folder, least := range map[string]int{"scenarios": 60, "recovery": 20} {
		objects, err := ReadFolder(folder, variables)
		if err != nil {
			t.Fatal(err)
		}
		scenarios, err := Scenarios(objects)
		if err != nil {
			t.Fatal(err)
		}
		failing := 0
		for i := range scenarios {
			s := &scenarios[i]
			failing += min(len(s.Expect), 1)
			for _, e := range s.Expect {
				if catalogue.Page(e.Cause) == nil {
					t.Errorf("%s: there is no cause %s", s.Workload, e.Cause)
				}
				if e.Family != "" && !slices.Contains(classify.Families(), classify.Family(e.Family)) {
					t.Errorf("%s: there is no family %s", s.Workload, e.Family)
				}
			}
			if folder == "recovery" && s.Cure == "" {
				t.Errorf("%s: nothing cures it", s.Workload)
			}
		}
		if failing < least {
			t.Errorf("%s: %d workloads fail, want at least %d", folder, failing, least)
		}
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
