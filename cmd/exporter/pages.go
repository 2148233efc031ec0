package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/prometheus/common/version"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// pages serves what is for people.
type pages struct {
	collector   *collector.Collector
	catalogue   *classify.Catalogue
	metricsPath string
	logger      *slog.Logger
}

// landing serves what fails and passes the filter of the URL, which can be shared.
func (p *pages) landing(w http.ResponseWriter, r *http.Request) {
	page := p.page()
	filter, number, err := p.chosen(r.URL)
	if err != nil {
		p.serve(w, http.StatusBadRequest, func(w io.Writer) error { return page.WriteProblem(w, err) })
		return
	}
	page.Filter, page.Number = filter, number
	p.serve(w, http.StatusOK, page.Write)
}

// chosen reads which failures a URL asks for, and which page of them. A cause may be written in any case of letters; one that is
// not known matches nothing, which a person sees.
func (p *pages) chosen(u *url.URL) (filter report.Filter, number int, err error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return report.Filter{}, 0, fmt.Errorf("the query cannot be read: %w", err)
	}
	if filter, err = report.ParseFilter(query); err != nil {
		return report.Filter{}, 0, err
	}
	if filter.Cause != "" {
		if found, err := report.Find(p.catalogue, filter.Cause); err == nil {
			filter.Cause = string(found.Cause)
		}
	}
	return filter, report.ParsePage(query), nil
}

// workload serves the page of one workload. That nothing fails of it is not found, and good news.
func (p *pages) workload(w http.ResponseWriter, r *http.Request) {
	page, of := p.page(), classify.Workload{Namespace: r.PathValue("namespace"), Kind: r.PathValue("kind"), Name: r.PathValue("workload")}
	code := http.StatusOK
	if !page.Syncing && !page.Fails(of) {
		code = http.StatusNotFound
	}
	p.serve(w, code, func(w io.Writer) error { return page.WriteWorkload(w, of) })
}

func (p *pages) causes(w http.ResponseWriter, _ *http.Request) {
	p.serve(w, http.StatusOK, p.page().WriteCauses)
}

// cause serves the page of one cause. Its name may end in .md, as the label runbook_url does, so that --runbook.url may be
// the exporter's own address.
func (p *pages) cause(w http.ResponseWriter, r *http.Request) {
	found, err := report.Find(p.catalogue, strings.TrimSuffix(r.PathValue("cause"), ".md"))
	if err != nil {
		http.Error(w, fmt.Sprintf("%s\n%s lists all causes.", err, pathCauses), http.StatusNotFound)
		return
	}
	p.serve(w, http.StatusOK, func(w io.Writer) error { return p.page().WriteCause(w, found) })
}

// busy answers who has waited for a turn in vain.
func (p *pages) busy(w http.ResponseWriter, _ *http.Request) {
	later(w)
	http.Error(w, tooMany, http.StatusServiceUnavailable)
}

// page is what is known now. Before the caches have synced that is nothing.
func (p *pages) page() *report.Page {
	page := &report.Page{
		Version: version.Version, Catalogue: p.catalogue, Syncing: !p.collector.Ready(), Notes: p.collector.Notes(),
		Looked: p.collector.Looked(), MetricsPath: p.metricsPath,
	}
	if !page.Syncing {
		page.Snapshot = p.collector.Snapshot()
	}
	return page
}

// serve writes the page as a whole, or an error and no half of it.
func (p *pages) serve(w http.ResponseWriter, code int, write func(io.Writer) error) {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		p.logger.Error("Cannot render the page", "err", err)
		http.Error(w, "cannot render the page; see the log", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", report.ContentSecurityPolicy())
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	deliver(w, code, body.Bytes())
}
