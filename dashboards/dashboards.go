// Package dashboards holds the Grafana dashboards and the checks on them. They are generated; this package reads the files as
// they are loaded into Grafana.
package dashboards

//go:generate go run ./generate

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
)

//go:embed *.json
var files embed.FS

// Dashboard is what the checks read of a dashboard.
type Dashboard struct {
	File       string `json:"-"`
	UID        string `json:"uid"`
	Title      string `json:"title"`
	Templating struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Panels []Panel `json:"panels"`
}

// Variable is one that a person chooses above a dashboard. Only one of type query asks Prometheus; then Query is an object.
type Variable struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Query    json.RawMessage `json:"query"`
	AllValue string          `json:"allValue"`
}

// Panel is a panel and what it asks.
type Panel struct {
	Title   string   `json:"title"`
	Targets []Target `json:"targets"`
}

// Target is one query of a panel.
type Target struct {
	RefID   string `json:"refId"`
	Expr    string `json:"expr"`
	Instant bool   `json:"instant"`
}

// All reads every dashboard, in the order of their files' names.
func All() ([]Dashboard, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, fmt.Errorf("listing the dashboards: %w", err)
	}
	all := make([]Dashboard, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading a dashboard: %w", err)
		}
		d := Dashboard{File: name}
		if err := json.Unmarshal(text, &d); err != nil {
			return nil, fmt.Errorf("reading the dashboard %s: %w; write it again with go generate", name, err)
		}
		all = append(all, d)
	}
	return all, nil
}
