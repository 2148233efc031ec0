package classify

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

//go:embed causes/*.md
var pages embed.FS

// Certainty says how much a cause decides.
type Certainty string

const (
	// Certain causes are proven by their evidence.
	Certain Certainty = "certain"
	// Ambiguous causes say themselves that the evidence leaves more than one thing open.
	Ambiguous Certainty = "ambiguous"
	// Unknown is for a family's general cause: no rule knew the message.
	Unknown Certainty = "unknown"
)

// rank orders certainties: a vaguer cause never replaces a sharper one while the failure lasts.
func (c Certainty) rank() int {
	switch c {
	case Certain:
		return 2
	case Ambiguous:
		return 1
	}
	return 0
}

// Sharper says that c decides more than other.
func (c Certainty) Sharper(other Certainty) bool { return c.rank() > other.rank() }

// Page is all that is known of one cause.
type Page struct {
	Cause     Cause
	Family    Family
	Severity  string
	Certainty Certainty
	// Wait is how long an alert should wait before it fires, and WaitReason why that long.
	Wait       time.Duration
	WaitReason string
	// Summary is one sentence.
	Summary string
	// Fix are the steps, the likeliest first; they hold placeholders such as <namespace>.
	Fix []string
	// Markdown is the page without its front matter.
	Markdown string
}

// Catalogue holds the page of every cause.
type Catalogue struct {
	byCause map[Cause]*Page
	ordered []*Page
}

// Headings are the sections that every page has, in this order.
func Headings() []string {
	return []string{"Meaning", "Impact", "Diagnosis", "Fix", "Not to be confused with"}
}

// LoadCatalogue reads the pages that are built into the binary. The error names the page and what is wrong with it; a
// test proves that there is none.
func LoadCatalogue() (*Catalogue, error) {
	names, err := fs.Glob(pages, "causes/*.md")
	if err != nil {
		return nil, fmt.Errorf("listing the catalogue: %w", err)
	}
	c := &Catalogue{byCause: make(map[Cause]*Page, len(names))}
	for _, name := range names {
		text, err := pages.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading page %s: %w", name, err)
		}
		page, err := parsePage(Cause(strings.TrimSuffix(path.Base(name), ".md")), string(text))
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		c.byCause[page.Cause] = page
		c.ordered = append(c.ordered, page)
	}
	families := Families()
	slices.SortStableFunc(c.ordered, func(a, b *Page) int { return slices.Index(families, a.Family) - slices.Index(families, b.Family) })
	return c, nil
}

// Page returns the page of a cause, nil for a cause that is not in the catalogue.
func (c *Catalogue) Page(cause Cause) *Page { return c.byCause[cause] }

// Pages returns all pages by family, in the order of a pod's life, and by name. The caller must not change them.
func (c *Catalogue) Pages() []*Page { return c.ordered }

// Certainty returns how much a cause decides; a cause that is not in the catalogue decides nothing.
func (c *Catalogue) Certainty(cause Cause) Certainty {
	if page := c.byCause[cause]; page != nil {
		return page.Certainty
	}
	return Unknown
}

type frontMatter struct {
	Family     Family    `json:"family"`
	Severity   string    `json:"severity"`
	Certainty  Certainty `json:"certainty"`
	Wait       string    `json:"wait"`
	WaitReason string    `json:"waitReason"`
	Summary    string    `json:"summary"`
}

func parsePage(cause Cause, text string) (*Page, error) {
	rest, ok := strings.CutPrefix(text, "---\n")
	head, body, closed := strings.Cut(rest, "\n---\n")
	if !ok || !closed {
		return nil, errors.New("no front matter between two lines of ---")
	}
	var front frontMatter
	if err := yaml.UnmarshalStrict([]byte(head), &front); err != nil {
		return nil, fmt.Errorf("front matter: %w", err)
	}
	wait, err := time.ParseDuration(front.Wait)
	if err != nil {
		return nil, fmt.Errorf("front matter: wait: %w", err)
	}
	page := &Page{
		Cause: cause, Family: front.Family, Severity: front.Severity, Certainty: front.Certainty,
		Wait: wait, WaitReason: front.WaitReason, Summary: front.Summary, Markdown: strings.TrimSpace(body) + "\n",
	}
	page.Fix = fixSteps(page.Section("Fix"))
	return page, nil
}

// Section returns the text under a heading, "" where there is none.
func (p *Page) Section(heading string) string {
	_, after, ok := strings.Cut("\n"+p.Markdown, "\n## "+heading+"\n")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return strings.TrimSpace(text)
}

var numbered = regexp.MustCompile(`^\d+\. `)

func fixSteps(section string) []string {
	var steps []string
	for line := range strings.Lines(section) {
		if number := numbered.FindString(line); number != "" {
			steps = append(steps, strings.TrimSpace(line[len(number):]))
		}
	}
	return steps
}

// placeholder is a name in angle brackets that Fill may replace.
var placeholder = regexp.MustCompile(`<[a-z_]+>`)

// plainName is what may stand in a command without quotes. Names of objects always do; an image reference, which the API
// server hardly checks, might hold a command of its own.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]*$`)

// Fill puts a failure's own names into a text of its page. Placeholders for which the failure has no name, or none that
// is safe to paste into a shell, stay.
func Fill(text string, f *Failure) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string {
		if value := f.fill(strings.Trim(name, "<>")); plainName.MatchString(value) {
			return value
		}
		return name
	})
}

func (f *Failure) fill(name string) string {
	created := f.Kind == "Pod"
	switch name {
	case "namespace":
		return f.Namespace
	case "container":
		return f.Container
	case "node":
		return f.Node
	case "image":
		return f.Image
	case "workload_kind":
		return strings.ToLower(f.WorkloadKind)
	case "workload":
		return f.Workload
	case "resourcequota":
		if f.Quota != nil {
			return f.Quota.Name
		}
	case "pod":
		if created {
			return f.Name
		}
	case "controller_kind":
		if !created {
			return strings.ToLower(f.Kind)
		}
	case "controller":
		if !created {
			return f.Name
		}
	}
	return ""
}
