package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Report collects what a run found. It is a Markdown page in the end.
type Report struct {
	Title string

	mu         sync.Mutex
	notes      []string
	results    []Result
	recoveries []Recovery
	faults     []Fault
	alerts     []Told
	violations []string
}

// Recovery is how long a series lasted after its cause was cured.
type Recovery struct {
	Scenario *Scenario
	Metric   string
	Family   string
	Cured    time.Duration // from the cure to the status
	Ended    time.Duration // from the status, or the end of the hold, to the end of the series
	Problem  string
}

// Fault is one fault and what came of it.
type Fault struct {
	Name, Outcome string
	Took          time.Duration
	Violations    int
}

// Note adds a sentence to the head of the report.
func (r *Report) Note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// Violate adds violations.
func (r *Report) Violate(violations ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.violations = append(r.violations, violations...)
}

// Violations returns all so far.
func (r *Report) Violations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.violations...)
}

// Add adds results, recoveries or faults.
func (r *Report) Add(entries ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, entry := range entries {
		switch e := entry.(type) {
		case Result:
			r.results = append(r.results, e)
		case Recovery:
			r.recoveries = append(r.recoveries, e)
		case Fault:
			r.faults = append(r.faults, e)
		case Told:
			r.alerts = append(r.alerts, e)
		}
	}
}

// Write writes the report to a file, whose folder it makes.
func (r *Report) Write(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(file, []byte(r.String()), 0o644); err != nil { //nolint:gosec // anyone may read it
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// String returns the report as Markdown.
func (r *Report) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", r.Title)
	for _, note := range r.notes {
		fmt.Fprintf(&b, "- %s\n", note)
	}
	fmt.Fprintf(&b, "\n## Scenarios\n\n| workload | metric | expected | told | series | s after status | changes |\n|---|---|---|---|---|---|---|\n")
	for i := range r.results {
		e := &r.results[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %s | %d |\n", e.Scenario.Workload, e.Expectation.Metric, e.Expectation.Cause,
			cmp.Or(string(e.Told), e.Skipped, "**nothing**"), e.Series, seconds(e.Latency), e.Changes)
	}
	if len(r.recoveries) > 0 {
		b.WriteString("\n## Recovery\n\n| workload | cause's family | s from cure to status | s from status to the end | |\n|---|---|---|---|---|\n")
	}
	for _, e := range r.recoveries {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", e.Scenario.Workload, e.Family, seconds(e.Cured), seconds(e.Ended), e.Problem)
	}
	if len(r.faults) > 0 {
		b.WriteString("\n## Faults\n\n| fault | outcome | s | violations |\n|---|---|---|---|\n")
	}
	for _, e := range r.faults {
		fmt.Fprintf(&b, "| %s | %s | %s | %d |\n", e.Name, e.Outcome, seconds(e.Took), e.Violations)
	}
	if len(r.alerts) > 0 {
		b.WriteString("\n## Alerts\n\n| workload | cause | wait | firing | s after status | resolved | s after its end | |\n" +
			"|---|---|---|---|---|---|---|---|\n")
	}
	for i := range r.alerts {
		e := &r.alerts[i]
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s | %d | %s | %s |\n",
			e.Workload, e.Cause, e.Wait, e.Firing, seconds(e.First), e.Resolved, seconds(e.Ended), e.Problem)
	}
	fmt.Fprintf(&b, "\n## Violations: %d\n\n", len(r.violations))
	for _, violation := range r.violations {
		fmt.Fprintf(&b, "- `%s`\n", strings.ReplaceAll(violation, "`", "'"))
	}
	return b.String()
}

func seconds(d time.Duration) string {
	if d < 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", d.Seconds())
}
