// Command generate writes metrics.json, the names of the exporter's series, from the code. It is run by go generate, and CI
// proves that the file is fresh.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

func main() {
	if err := generate("metrics.json"); err != nil {
		log.Fatal(err)
	}
}

func generate(file string) error {
	// The build's own metric comes from a library.
	names := []string{"kube_failure_exporter_build_info"}
	for _, metric := range collector.Metrics() {
		names = append(names, metric.Name)
		if metric.Type == "histogram" {
			names = append(names, metric.Name+"_bucket", metric.Name+"_count", metric.Name+"_sum")
		}
	}
	slices.Sort(names)
	text, err := json.MarshalIndent(names, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}
