package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFresh generates into an empty folder and compares with what is committed.
func TestFresh(t *testing.T) {
	folder := t.TempDir()
	values, err := os.ReadFile("../values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := write(folder, map[string][]byte{"values.yaml": values}); err != nil {
		t.Fatal(err)
	}
	if err := generate("../../..", folder); err != nil {
		t.Fatal(err)
	}
	generated := files(t, folder)
	for name, text := range generated {
		committed, err := os.ReadFile(filepath.Join("..", name))
		if err != nil || !bytes.Equal(text, committed) {
			t.Errorf("deploy/chart/%s is not fresh: make generate. %v", name, err)
		}
	}
	for name := range files(t, "../files") {
		if generated["files/"+name] == nil {
			t.Errorf("deploy/chart/files/%s comes from nowhere: make generate", name)
		}
	}
	if len(generated) < 20 {
		t.Errorf("only %d files are generated", len(generated))
	}
}

func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found[path], err = os.ReadFile(filepath.Join(folder, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestParseValues(t *testing.T) {
	v, err := parseValues(`# About the file.

# | size | memory |
# |---|---|
#
# -- Said in
# two lines, with a | in it.
# | not of a table |
one: {a: 1}
# About the group.
group:
  # -- Two.
  two: []
  inner:
    # -- Three.
    three:
      four: 4
  # -- Five.
  five: ""
# -- Six.
six: true
`)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, one := range v.list {
		got.WriteString(one.path + " (" + one.description + ") ")
	}
	want := "one (Said in two lines, with a | in it. | not of a table |) group () group.two (Two.) group.inner () group.inner.three (Three.) group.five (Five.) six (Six.) "
	if got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}
	if sizes := strings.Join(v.sizes, "\n"); sizes != "| size | memory |\n|---|---|" {
		t.Errorf("sizes: %s", sizes)
	}
	if row := "| `one` | object | `{\"a\":1}` | Said in two lines, with a \\| in it. \\| not of a table \\| |\n"; !strings.Contains(v.table(), row) {
		t.Errorf("no row %s in\n%s", row, v.table())
	}
}

// TestIncompleteValues proves that a key cannot be left without a description, and not be overlooked.
func TestIncompleteValues(t *testing.T) {
	for text, words := range map[string]string{
		"one: 1\n":                          "one has no description",
		"one: {}\n":                         "one has no description",
		"one:\n  two: 2\n":                  "one.two has no description",
		"one:\n    # -- Two.\n    two: 2\n": "indented otherwise",
		"# -- One.\none: 1\none: 2\n":       "already set",
		"one: {two: 2}\n":                   "one.two was not found",
		"# -- One.\n\"one\": 1\n":           "one was not found",
	} {
		if _, err := parseValues(text); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want %s", text, err, words)
		}
	}
}

// TestConstraintsAreOfValues proves that no list or object stays without a word on what is in it, and no word without a value.
func TestConstraintsAreOfValues(t *testing.T) {
	v, err := parseValues("# -- New.\nnew: []\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.schema(); err == nil || !strings.Contains(err.Error(), "new: say in constraints()") {
		t.Errorf("a list of anything is taken: %v", err)
	}
	v.list[0].fallback = ""
	if _, err := v.schema(); err == nil || !strings.Contains(err.Error(), "values that are no more: affinity,") {
		t.Errorf("constraints of nothing are taken: %v", err)
	}
}
