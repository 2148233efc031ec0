package report

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// outputs makes every output that has a golden file, by its name.
func outputs(t *testing.T) map[string][]byte {
	t.Helper()
	c := catalogue(t)
	out := map[string][]byte{}
	for name, s := range map[string]classify.Snapshot{"broken": broken(t), "hostile": hostile(), "empty": {At: now}} {
		for _, format := range Formats() {
			out[name+"."+format] = written(t, format, s, c, Options{Looked: "3 pods, 2 controllers"})
		}
		page := &Page{
			Version: "0.1.0", Snapshot: s, Catalogue: c, Looked: "3 pods, 2 controllers",
			Notes: []string{"Nodes: the account may not list them, so pods of a lost node look like failing probes. <b>"},
		}
		out[name+".html"] = rendered(t, page.Write)
		workload := classify.Workload{Namespace: "batch", Kind: "cronjob", Name: "report"}
		if name == "hostile" {
			workload = workloadOf(&s.Failures[0])
		}
		out[name+".workload.html"] = rendered(t, func(w io.Writer) error { return page.WriteWorkload(w, workload) })
		filtered := *page
		filtered.Filter = Filter{Namespace: "shop", Family: "<i>", Text: hostileText}
		if name == "broken" {
			filtered.Filter = Filter{Namespace: "shop", Text: "node-1 API"}
		}
		out[name+".filtered.html"] = rendered(t, filtered.Write)
		cause := map[string]classify.Cause{"broken": classify.ImageTagNotFound, "hostile": classify.AppError, "empty": classify.QuotaExceeded}[name]
		out[name+".cause.html"] = rendered(t, func(w io.Writer) error { return page.WriteCause(w, c.Page(cause)) })
		out[name+".causes.html"] = rendered(t, page.WriteCauses)
	}
	out["problem.html"] = rendered(t, func(w io.Writer) error { return (&Page{Catalogue: c}).WriteProblem(w, errors.New(hostileText)) })
	out["colour.table"] = written(t, FormatTable, demanding(t), c, Options{Colour: true, Width: 80})
	var b bytes.Buffer
	if err := Explain(&b, c.Page(classify.QuotaRequiresResources), false); err != nil {
		t.Fatal(err)
	}
	out["explain.txt"] = b.Bytes()
	return out
}

func rendered(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func written(t *testing.T, format string, s classify.Snapshot, c *classify.Catalogue, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, s, c, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGoldenFiles(t *testing.T) {
	out := outputs(t)
	for name, got := range out {
		t.Run(name, func(t *testing.T) { golden(t, name, got) })
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if out[file.Name()] == nil {
			t.Errorf("testdata/%s belongs to no output: remove it", file.Name())
		}
	}
}

// TestOrderDoesNotMatter proves that every output depends on what fails, not on the order in which it was found.
func TestOrderDoesNotMatter(t *testing.T) {
	c := catalogue(t)
	s := broken(t)
	for _, format := range Formats() {
		want := written(t, format, s, c, Options{})
		turned := s
		turned.Failures = slices.Clone(s.Failures)
		slices.Reverse(turned.Failures)
		if got := written(t, format, turned, c, Options{}); !bytes.Equal(got, want) {
			t.Errorf("%s: the reversed snapshot gives\n%s", format, got)
		}
	}
}
