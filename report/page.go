package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
)

// Page is the exporter's landing page.
type Page struct {
	Version   string
	Snapshot  classify.Snapshot
	Catalogue *classify.Catalogue
	// Looked says what is watched ("213 pods, 41 controllers").
	Looked string
	// Notes say what the exporter may not see or cannot reach.
	Notes []string
	// MetricsPath, HealthyPath and ReadyPath are where the links lead; empty for /metrics, /-/healthy and /-/ready.
	MetricsPath, HealthyPath, ReadyPath string
}

// ContentSecurityPolicy is the header that the page must be served with: it needs its own style and nothing else.
func ContentSecurityPolicy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// pageView is what the template shows.
type pageView struct {
	Version   string
	Style     template.CSS
	At        string
	Links     []link
	Notes     []string
	Nothing   string
	Workloads int
	Rows      []pageRow
}

type link struct{ Name, Path string }

// pageRow is one cause of one workload.
type pageRow struct {
	Namespace, Kind, Workload string
	Down                      bool
	Ready, Cause, Summary     string
	Age, Since                string
	Failing                   int
	Messages, Facts           []string
	Fix                       []template.HTML
}

// Write writes the page.
func (p *Page) Write(w io.Writer) error {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("parsing the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := page.Execute(&b, p.view()); err != nil {
		return fmt.Errorf("filling the page's template: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func (p *Page) view() pageView {
	v := pageView{
		Version: clean(p.Version), Style: template.CSS(pageCSS), Notes: make([]string, len(p.Notes)), //nolint:gosec // our own embedded file
		Links: []link{
			{"Metrics", cmp.Or(p.MetricsPath, "/metrics")},
			{"Healthy", cmp.Or(p.HealthyPath, "/-/healthy")},
			{"Ready", cmp.Or(p.ReadyPath, "/-/ready")},
		},
	}
	if !p.Snapshot.At.IsZero() {
		v.At = p.Snapshot.At.UTC().Format(time.RFC3339)
	}
	for i, note := range p.Notes {
		v.Notes[i] = clean(note)
	}
	groups := groupsOf(&p.Snapshot)
	if v.Workloads = len(groups); v.Workloads == 0 {
		v.Nothing = nothing(p.Looked)
	}
	for _, g := range groups {
		for _, b := range g.blocks() {
			v.Rows = append(v.Rows, p.row(g, b))
		}
	}
	return v
}

func (p *Page) row(g *group, b *block) pageRow {
	row := pageRow{
		Namespace: clean(g.workload.Namespace), Kind: clean(g.workload.Kind), Workload: clean(g.workload.Name), Down: g.down(),
		Cause: clean(string(b.cause)), Age: age(p.Snapshot.At, b.since), Failing: b.failing, Messages: b.messages(), Facts: append(b.quota(), b.who()...),
	}
	if g.counted {
		row.Ready = ready(g)
	}
	if !b.since.IsZero() {
		row.Since = b.since.UTC().Format(time.RFC3339)
	}
	if also := b.also(); len(also) > 0 {
		row.Facts = append(row.Facts, "also: "+strings.Join(also, ", "))
	}
	if page := p.Catalogue.Page(b.cause); page != nil {
		row.Summary = page.Summary
		for _, step := range cleanAll(page.Steps(b.failures[0])) {
			row.Fix = append(row.Fix, codeHTML(step))
		}
	}
	return row
}

// codeHTML turns backticks into code elements, after all else has been escaped.
func codeHTML(step string) template.HTML {
	return template.HTML(codeSpan.ReplaceAllString(template.HTMLEscapeString(step), "<code>$1</code>")) //nolint:gosec // escaped above
}
