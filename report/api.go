package report

import (
	"fmt"
	"io"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// FailuresAnswer is the answer of /api/v1/failures: docs/openapi.yaml describes every key.
type FailuresAnswer struct {
	Document
	// Notes say what the exporter may not see or cannot reach, so that an empty list is not taken for a healthy cluster.
	Notes []string `json:"notes,omitempty"`
}

// CausesAnswer is the answer of /api/v1/causes: the whole catalogue.
type CausesAnswer struct {
	Causes []CauseEntry `json:"causes"`
}

// CauseEntry is all that is known of one cause.
type CauseEntry struct {
	Cause       classify.Cause     `json:"cause"`
	Family      classify.Family    `json:"family"`
	Severity    string             `json:"severity"`
	Certainty   classify.Certainty `json:"certainty"`
	WaitSeconds int64              `json:"wait_seconds"`
	WaitReason  string             `json:"wait_reason"`
	Summary     string             `json:"summary"`
	Fix         []string           `json:"fix"`
	RunbookURL  string             `json:"runbook_url"`
	Sections    []CauseSection     `json:"sections"`
}

// CauseSection is the Markdown under one heading of a cause's page.
type CauseSection struct {
	Heading  string `json:"heading"`
	Markdown string `json:"markdown"`
}

// WriteFailures writes the answer of /api/v1/failures. It holds no time of its own, so that the same failures give the same bytes.
func WriteFailures(w io.Writer, s classify.Snapshot, c *classify.Catalogue, notes []string) error {
	return writeJSON(w, FailuresAnswer{Document: New(s, c), Notes: notes})
}

// WriteCatalogue writes the answer of /api/v1/causes; runbookURL is the base of the causes' pages, without a slash at its end.
func WriteCatalogue(w io.Writer, c *classify.Catalogue, runbookURL string) error {
	var answer CausesAnswer
	for _, page := range c.Pages() {
		e := CauseEntry{
			Cause: page.Cause, Family: page.Family, Severity: page.Severity, Certainty: page.Certainty,
			WaitSeconds: int64(page.Wait.Seconds()), WaitReason: page.WaitReason, Summary: page.Summary, Fix: page.Fix,
			RunbookURL: runbookURL + "/" + string(page.Cause) + ".md",
		}
		for _, heading := range classify.Headings() {
			e.Sections = append(e.Sections, CauseSection{heading, page.Section(heading)})
		}
		answer.Causes = append(answer.Causes, e)
	}
	return writeJSON(w, answer)
}

func writeJSON(w io.Writer, answer any) error {
	out, err := encodeJSON(answer)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return nil
}
