// Command generate writes the alert rules and their promtool tests from the catalogue. It is run by go generate, and CI
// proves that the files are fresh.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// options are what the flags say.
type options struct {
	// RunbookURL and DashboardURL are bases without a slash at the end.
	RunbookURL, DashboardURL string
	// Troubleshooting is the page about the exporter itself, and TroubleshootingURL where people read it.
	Troubleshooting, TroubleshootingURL string
	// Out is the folder that the files are written to.
	Out string
}

func main() {
	var o options
	flag.StringVar(&o.RunbookURL, "runbook-url", report.RunbookBase, "base of the causes' pages")
	flag.StringVar(&o.DashboardURL, "dashboard-url", "https://grafana.example.com", "base of Grafana")
	flag.StringVar(&o.Troubleshooting, "troubleshooting", "../docs/troubleshooting.md", "the page about the exporter's own alerts")
	flag.StringVar(&o.TroubleshootingURL, "troubleshooting-url",
		strings.TrimSuffix(report.RunbookBase, "causes")+"troubleshooting.md", "where that page is read")
	flag.StringVar(&o.Out, "out", ".", "folder to write to")
	flag.Parse()
	o.RunbookURL, o.DashboardURL = strings.TrimSuffix(o.RunbookURL, "/"), strings.TrimSuffix(o.DashboardURL, "/")
	if err := generate(o); err != nil {
		log.Fatal(err)
	}
}

func generate(o options) error {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		return err
	}
	page, err := os.ReadFile(o.Troubleshooting)
	if err != nil {
		return fmt.Errorf("reading the exporter's own alerts: %w; run this in the folder alerts", err)
	}
	exporter, err := exporterGroup(string(page), o)
	if err != nil {
		return err
	}
	exporterTests, err := exporterTests(string(page), o)
	if err != nil {
		return err
	}
	groups := append([]group{recordingGroup()}, causeGroups(catalogue, o)...)
	groups = append(groups, exporter)
	files := map[string]string{"prometheusrule.yaml": prometheusRule(groups)}
	for _, g := range groups {
		files[g.file()] = rulesFile(g)
	}
	for name, tests := range testFiles(catalogue, exporterTests, o) {
		files[filepath.Join("tests", name)] = tests
	}
	return write(o.Out, files)
}

func write(folder string, files map[string]string) error {
	if err := os.MkdirAll(filepath.Join(folder, "tests"), 0o755); err != nil {
		return fmt.Errorf("making the folder for the tests: %w", err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(header+text), 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
