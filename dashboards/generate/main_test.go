package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestFilesAreFresh compares what is committed with what the code says.
func TestFilesAreFresh(t *testing.T) {
	for name, d := range dashboards() {
		want, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run make generate", name)
		}
	}
}

// TestRowsFillTheGrid: a row that is not 24 wide has a hole, or runs over.
func TestRowsFillTheGrid(t *testing.T) {
	for name, d := range dashboards() {
		width := map[int]int{}
		for _, p := range d.Panels {
			width[p.GridPos.Y] += p.GridPos.W
		}
		for y, w := range width {
			if w != 24 {
				t.Errorf("%s: the row at %d is %d wide", name, y, w)
			}
		}
	}
}
