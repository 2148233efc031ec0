// Command generate writes the Grafana dashboards. It is run by go generate, and a test proves that the files are fresh.
//
// The dashboards are generated because they share what must not differ: variables, links, colours, and the expressions that
// count each failure once. As JSON alone the same join would stand there a dozen times.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	if err := generate(*out); err != nil {
		log.Fatal(err)
	}
}

// dashboards are all of them by their files' names.
func dashboards() map[string]dashboard {
	return map[string]dashboard{
		"overview.json": overview(),
		"workload.json": workload(),
		"quotas.json":   quotas(),
		"exporter.json": exporter(),
	}
}

func generate(folder string) error {
	for name, d := range dashboards() {
		text, err := encode(d)
		if err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// encode leaves < and > as they are: queries are read by people.
func encode(d dashboard) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d)
	return text.Bytes(), err
}
