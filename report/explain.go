package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// explainWidth is comfortable to read; commands are not broken.
const explainWidth = 100

// Explain writes the page of a cause for the terminal.
func Explain(w io.Writer, page *classify.Page, colour bool) error {
	t := &text{width: explainWidth, colour: colour}
	t.line(t.styled(bold, string(page.Cause)) + fmt.Sprintf("   family %s, severity %s, %s", page.Family, page.Severity, page.Certainty))
	t.paragraph(plain, "", page.Summary)
	t.markdown(page.Markdown)
	if _, err := w.Write(t.Bytes()); err != nil {
		return fmt.Errorf("writing the page of %s: %w", page.Cause, err)
	}
	return nil
}

// markdown lays out what the catalogue's pages are made of: headings, paragraphs, lists and code blocks.
func (t *text) markdown(markdown string) {
	for _, e := range elements(markdown) {
		switch e.mark {
		case markHeading:
			t.line("")
			t.line(t.styled(bold, strings.ToUpper(e.text)))
		case markCode:
			for line := range strings.Lines(e.text) {
				t.code(strings.TrimSuffix(line, "\n"))
			}
		case "", markBullet:
			t.paragraph(plain, "  "+e.mark, e.text)
		default:
			t.step(plain, "  "+e.mark, e.text)
		}
	}
}

func (t *text) code(line string) {
	style := cyan
	if strings.HasPrefix(line, "#") {
		style = dim
	}
	t.line("      " + t.styled(style, line))
}

// Find returns the page of a cause, in any case of letters. The error for a name that is none suggests those that are
// near.
func Find(c *classify.Catalogue, name string) (*classify.Page, error) {
	for _, page := range c.Pages() {
		if strings.EqualFold(string(page.Cause), name) {
			return page, nil
		}
	}
	near := nearest(c, name)
	if len(near) == 0 {
		return nil, fmt.Errorf("unknown cause %q", name)
	}
	return nil, fmt.Errorf("unknown cause %q: did you mean %s?", name, strings.Join(near, " or "))
}

// nearest returns at most three causes: those that differ by few letters first, then those that contain the name.
func nearest(c *classify.Catalogue, name string) []string {
	type candidate struct {
		name string
		rank int
	}
	const longest = 64 // no cause is nearly as long
	if len(name) > longest {
		return nil
	}
	name = strings.ToLower(name)
	var candidates []candidate
	for _, page := range c.Pages() {
		cause := strings.ToLower(string(page.Cause))
		steps := distance(name, cause)
		switch {
		case steps <= max(2, len(name)/4):
			candidates = append(candidates, candidate{string(page.Cause), steps})
		case len(name) >= 3 && (strings.Contains(cause, name) || strings.Contains(name, cause)):
			candidates = append(candidates, candidate{string(page.Cause), longest + steps})
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name)) })
	var names []string
	for _, candidate := range candidates[:min(len(candidates), shownNames)] {
		names = append(names, candidate.name)
	}
	return names
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
