package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

var (
	//go:embed *.html
	templateFiles embed.FS
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string

	templates = template.Must(template.ParseFS(templateFiles, "*.html"))
)

// Page is what the exporter's pages are made from: the landing page, the page of a workload, the list of causes, and the page
// of each cause.
type Page struct {
	Version   string
	Snapshot  classify.Snapshot
	Catalogue *classify.Catalogue
	// Filter says which failures the landing page shows, and Number which of its pages: 0 is the first, as 1 is.
	Filter Filter
	Number int
	// Syncing says that the caches have not synced yet, so that nobody knows what fails.
	Syncing bool
	// Looked says what is watched ("213 pods, 41 controllers").
	Looked string
	// Notes say what the exporter may not see or cannot reach.
	Notes []string
	// MetricsPath, HealthyPath and ReadyPath are where the links lead; empty for /metrics, /-/healthy and /-/ready.
	MetricsPath, HealthyPath, ReadyPath string
}

// ContentSecurityPolicy is the header that the pages must be served with: they need their own style and script, fetch
// themselves to stay up to date, and send their form to themselves.
func ContentSecurityPolicy() string {
	return "default-src 'none'; style-src '" + hash(pageCSS) + "'; script-src '" + hash(pageJS) +
		"'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// frame is what all pages have around what is their own. Links between pages are relative, so that they hold behind a proxy.
type frame struct {
	// Title is the page's, and Home leads to the landing page; both are empty on the landing page itself.
	Title, Home string
	Version     string
	Style       template.CSS
	// Script keeps a page up to date; it is empty on the pages that are read and not watched.
	Script  template.JS
	Syncing bool
	At      string
	Links   []link
	Notes   []string
}

type link struct{ Name, Path string }

// execute writes a page as a whole, or an error and no half of it.
func execute(w io.Writer, name string, view any) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, view); err != nil {
		return fmt.Errorf("filling the page's template: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func (p *Page) frame(title, home string) frame {
	f := frame{
		Title: clean(title), Home: home, Version: clean(p.Version), Style: template.CSS(pageCSS), //nolint:gosec // our own embedded file
		Syncing: p.Syncing, At: stamp(p.Snapshot.At), Notes: cleanAll(append([]string(nil), p.Notes...)),
	}
	if home != "" {
		f.Links = []link{{"Failing", home}, {"Causes", home + causesFolder}, {"Metrics", cmp.Or(p.MetricsPath, "/metrics")}}
	}
	return f
}
