// Command generate writes what of the chart follows from elsewhere. It is run by go generate, and CI proves that the files are fresh.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := generate("../..", "."); err != nil {
		log.Fatal(err)
	}
}

// generate writes into the chart's folder what follows from the repository's others and from values.yaml.
func generate(repository, chart string) error {
	copied, err := copies(repository)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		return fmt.Errorf("reading the values: %w", err)
	}
	v, err := parseValues(string(text))
	if err != nil {
		return fmt.Errorf("reading the values: %w", err)
	}
	schema, err := v.schema()
	if err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	permissions, err := permissionsTemplate()
	if err != nil {
		return err
	}
	version, err := os.ReadFile(filepath.Join(repository, "VERSION"))
	if err != nil {
		return fmt.Errorf("reading the version: %w", err)
	}
	files := map[string][]byte{
		"templates/_permissions.tpl": permissions,
		"values.schema.json":         schema,
		"README.md":                  []byte(v.readme(strings.TrimSuffix(strings.TrimSpace(string(version)), "-dev"))),
	}
	for name, text := range copied {
		files[filepath.Join("files", name)] = text
	}
	// A rule or dashboard that is no more must not stay in the chart.
	if err := os.RemoveAll(filepath.Join(chart, "files")); err != nil {
		return fmt.Errorf("removing the old copies: %w", err)
	}
	return write(chart, files)
}

func write(folder string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}
