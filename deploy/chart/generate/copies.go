package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// copies are the files that the chart has from elsewhere, by their names below files/. Helm reads nothing outside of a chart.
func copies(repository string) (map[string][]byte, error) {
	copied := map[string][]byte{}
	for folder, pattern := range map[string]string{
		"rules":      "alerts/*.yaml",
		"dashboards": "dashboards/*.json",
	} {
		files, err := filepath.Glob(filepath.Join(repository, pattern))
		if err != nil {
			return nil, fmt.Errorf("looking for %s: %w", pattern, err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("there is no %s: run this in the chart's folder", pattern)
		}
		for _, file := range files {
			// All rules once more, as Kubernetes objects.
			if filepath.Base(file) == "prometheusrule.yaml" {
				continue
			}
			if copied[filepath.Join(folder, filepath.Base(file))], err = os.ReadFile(file); err != nil {
				return nil, fmt.Errorf("copying: %w", err)
			}
		}
	}
	series, err := os.ReadFile(filepath.Join(repository, "alerts/mixin/metrics.json"))
	if err != nil {
		return nil, fmt.Errorf("copying: %w", err)
	}
	copied["series.json"] = series
	return copied, nil
}
