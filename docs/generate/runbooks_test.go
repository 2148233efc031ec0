package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestStaleRunbooks proves that the page of a cause that is gone goes too, and that nothing else does.
func TestStaleRunbooks(t *testing.T) {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "causes")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"NoSuchCause.md", "OOMKilled.md", "picture.png"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := generateRunbooks(folder, catalogue); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if want := len(catalogue.Pages()) + 1; len(files) != want {
		t.Errorf("%d files, want %d", len(files), want)
	}
	if _, err := os.Stat(filepath.Join(folder, "NoSuchCause.md")); err == nil {
		t.Error("the page of a cause that is gone is still there")
	}
	if text, err := os.ReadFile(filepath.Join(folder, "OOMKilled.md")); err != nil || string(text) == "old" {
		t.Errorf("OOMKilled.md: %.20s, %v", text, err)
	}
}
