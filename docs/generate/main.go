// Command generate writes the reference pages of docs/ from the code and the catalogue. It is run by go generate, and CI
// proves that the pages are fresh.
package main

import (
	"bytes"
	_ "embed" // the pages' text
	"fmt"
	"log"
	"os"
	"text/template"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

//go:embed pages.tmpl
var pages string

// facts are what the pages are made from.
type facts struct {
	Metrics   []collector.Family
	Reasons   []string
	Pages     []*classify.Page
	Families  []family
	Resources []collector.Resource
}

type family struct {
	Name  classify.Family
	Pages []*classify.Page
}

func main() {
	if err := generate(); err != nil {
		log.Fatal(err)
	}
}

func generate() error {
	text, err := template.New("pages").Parse(pages)
	if err != nil {
		return fmt.Errorf("parsing the pages: %w", err)
	}
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		return err
	}
	f := facts{
		Metrics: collector.Metrics(), Reasons: classify.Reasons(), Pages: catalogue.Pages(), Families: byFamily(catalogue),
		Resources: collector.Resources(),
	}
	for _, name := range []string{"metrics", "causes", "permissions"} {
		var page bytes.Buffer
		if err := text.ExecuteTemplate(&page, name, f); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(name+".md", page.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return generateRunbooks("causes", catalogue)
}

func byFamily(catalogue *classify.Catalogue) []family {
	var families []family
	for _, page := range catalogue.Pages() {
		if len(families) == 0 || families[len(families)-1].Name != page.Family {
			families = append(families, family{Name: page.Family})
		}
		last := &families[len(families)-1]
		last.Pages = append(last.Pages, page)
	}
	return families
}
