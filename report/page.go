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
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

var (
	//go:embed *.html
	templateFiles embed.FS
	//go:embed page.css
	pageCSS string

	templates = template.Must(template.ParseFS(templateFiles, "*.html"))
)

// Page is what the exporter's pages are made from: the landing page, the list of causes, and the page of each cause.
type Page struct {
	Version   string
	Snapshot  classify.Snapshot
	Catalogue *classify.Catalogue
	// Syncing says that the caches have not synced yet, so that nobody knows what fails.
	Syncing bool
	// Looked says what is watched ("213 pods, 41 controllers").
	Looked string
	// Notes say what the exporter may not see or cannot reach.
	Notes []string
	// MetricsPath, HealthyPath and ReadyPath are where the links lead; empty for /metrics, /-/healthy and /-/ready.
	MetricsPath, HealthyPath, ReadyPath string
}

// ContentSecurityPolicy is the header that the pages must be served with: they need their own style and nothing else.
func ContentSecurityPolicy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// frame is what all pages have around what is their own. Links between pages are relative, so that they hold behind a proxy.
type frame struct {
	// Title is the page's, and Home leads to the landing page; both are empty on the landing page itself.
	Title, Home string
	Version     string
	Style       template.CSS
	Syncing     bool
	At          string
	Links       []link
	Notes       []string
}

type link struct{ Name, Path string }

// landingView is what the template of the landing page shows.
type landingView struct {
	frame
	Nothing   string
	Workloads int
	Rows      []row
}

// row is one cause of one workload.
type row struct {
	Namespace, Kind, Workload string
	Down                      bool
	Ready, Cause, Link        string
	Summary                   string
	Age, Since                string
	Failing                   int
	Messages, Facts           []string
	Fix                       [][]span
}

// Write writes the landing page.
func (p *Page) Write(w io.Writer) error {
	v := landingView{frame: p.frame("", "")}
	v.Links = []link{
		{"Causes", causesFolder},
		{"Metrics", cmp.Or(p.MetricsPath, "/metrics")},
		{"Healthy", cmp.Or(p.HealthyPath, "/-/healthy")},
		{"Ready", cmp.Or(p.ReadyPath, "/-/ready")},
	}
	groups := groupsOf(&p.Snapshot)
	if v.Workloads = len(groups); v.Workloads == 0 {
		v.Nothing = nothing(p.Looked)
	}
	for _, g := range groups {
		for _, b := range g.blocks() {
			r := p.row(g, b, causesFolder)
			r.Facts = append(r.Facts, b.who()...)
			v.Rows = append(v.Rows, r)
		}
	}
	return execute(w, "page.html", v)
}

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
		Title: title, Home: home, Version: clean(p.Version), Style: template.CSS(pageCSS), //nolint:gosec // our own embedded file
		Syncing: p.Syncing, Notes: cleanAll(append([]string(nil), p.Notes...)),
	}
	if home != "" {
		f.Links = []link{{"Failing", home}, {"Causes", "./"}, {"Metrics", cmp.Or(p.MetricsPath, "/metrics")}}
	}
	if !p.Snapshot.At.IsZero() {
		f.At = p.Snapshot.At.UTC().Format(time.RFC3339)
	}
	return f
}

// row shows one cause of one workload, on a page from which the causes' pages are found in folder.
func (p *Page) row(g *group, b *block, folder string) row {
	r := row{
		Namespace: clean(g.workload.Namespace), Kind: clean(g.workload.Kind), Workload: clean(g.workload.Name), Down: g.down(),
		Cause: clean(string(b.cause)), Age: age(p.Snapshot.At, b.since), Failing: b.failing, Messages: b.messages(), Facts: b.quota(),
	}
	if g.counted {
		r.Ready = ready(g)
	}
	if !b.since.IsZero() {
		r.Since = b.since.UTC().Format(time.RFC3339)
	}
	if also := b.also(); len(also) > 0 {
		r.Facts = append(r.Facts, "also: "+strings.Join(also, ", "))
	}
	if page := p.Catalogue.Page(b.cause); page != nil {
		r.Summary, r.Link = page.Summary, folder+string(b.cause)
		l := newLinker(p.Catalogue, b.cause, folder, "")
		for _, step := range cleanAll(page.Steps(b.failures[0])) {
			r.Fix = append(r.Fix, l.spans(step))
		}
	}
	return r
}
