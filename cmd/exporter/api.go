package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// api serves what is for programs; docs/openapi.yaml is its contract.
type api struct {
	collector  *collector.Collector
	catalogue  *classify.Catalogue
	runbookURL string
	logger     *slog.Logger
}

// failures answers with what fails now and passes the filter of the query.
func (a *api) failures(w http.ResponseWriter, r *http.Request) {
	filter, err := a.filter(r.URL)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error(), nil)
		return
	}
	if !a.collector.Ready() {
		later(w)
		refuse(w, http.StatusServiceUnavailable, "the caches have not synced yet: ask again in a moment", a.collector.Notes())
		return
	}
	a.answer(w, r, func(w io.Writer) error {
		return report.WriteFailures(w, filter.Apply(a.collector.Snapshot()), a.catalogue, a.collector.Notes())
	})
}

// busy answers who has waited for a turn in vain.
func (a *api) busy(w http.ResponseWriter, _ *http.Request) {
	later(w)
	refuse(w, http.StatusServiceUnavailable, tooMany, nil)
}

// filter reads the filter of a query. A page shows nothing where a value does not exist; a program is told, as it might take nothing for good
// news, and too much where a parameter is misspelt.
func (a *api) filter(u *url.URL) (report.Filter, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return report.Filter{}, fmt.Errorf("the query cannot be read: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains([]string{"namespace", "family", "cause", "text"}, name) {
			return report.Filter{}, fmt.Errorf("unknown parameter %q: there are namespace, family, cause and text", name)
		}
		if len(query[name]) > 1 {
			return report.Filter{}, fmt.Errorf("%s is given more than once: ask once for each value", name)
		}
	}
	filter, err := report.ParseFilter(query)
	if err != nil {
		return report.Filter{}, err
	}
	if families := classify.Families(); filter.Family != "" && !slices.Contains(families, classify.Family(filter.Family)) {
		return report.Filter{}, fmt.Errorf("unknown family %q: it must be one of %q", filter.Family, families)
	}
	if filter.Cause != "" {
		page, err := report.Find(a.catalogue, filter.Cause)
		if err != nil {
			return report.Filter{}, err
		}
		filter.Cause = string(page.Cause)
	}
	return filter, nil
}

// causes answers with the catalogue, which needs no cluster.
func (a *api) causes(w http.ResponseWriter, r *http.Request) {
	a.answer(w, r, func(w io.Writer) error { return report.WriteCatalogue(w, a.catalogue, a.runbookURL) })
}

// answer sends the document as a whole, or says that the asker has it already.
func (a *api) answer(w http.ResponseWriter, r *http.Request, write func(io.Writer) error) {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		a.logger.Error("Cannot make the answer", "path", r.URL.Path, "err", err)
		refuse(w, http.StatusInternalServerError, "cannot make the answer; see the log", nil)
		return
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(body.Bytes()))
	header := w.Header()
	header.Set("ETag", etag)
	header.Set("Cache-Control", "no-cache") // keep it, but ask each time whether it still holds
	if known(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	send(w, http.StatusOK, body.Bytes())
}

// known says that If-None-Match names an answer. A proxy that compresses makes the tag a weak one.
func known(ifNoneMatch []string, etag string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(ifNoneMatch, ","), ","), func(tag string) bool {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		return tag == etag || tag == "*"
	})
}

// refusal is the body of every answer that is an error.
type refusal struct {
	Error string   `json:"error"`
	Notes []string `json:"notes,omitempty"`
}

func refuse(w http.ResponseWriter, code int, why string, notes []string) {
	body, _ := json.MarshalIndent(refusal{why, notes}, "", "  ") // nothing but strings, which always encode
	w.Header().Set("Cache-Control", "no-store")
	send(w, code, append(body, '\n'))
}

func send(w http.ResponseWriter, code int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body))) // which Go leaves out of a long answer to HEAD
	header.Set("X-Content-Type-Options", "nosniff")
	deliver(w, code, body)
}
