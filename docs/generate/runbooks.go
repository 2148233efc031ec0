package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// generateRunbooks writes one page for each cause into the folder, and removes the pages of causes that are gone.
func generateRunbooks(folder string, catalogue *classify.Catalogue) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the folder of the runbooks: %w", err)
	}
	stale, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return fmt.Errorf("listing the runbooks: %w", err)
	}
	for _, name := range stale {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("removing an old runbook: %w", err)
		}
	}
	for _, page := range catalogue.Pages() {
		var text bytes.Buffer
		if err := report.Runbook(&text, catalogue, page); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, string(page.Cause)+".md"), text.Bytes(), 0o644); err != nil {
			return fmt.Errorf("writing a runbook: %w", err)
		}
	}
	return nil
}
