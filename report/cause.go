package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// causesFolder is where the causes' pages are, seen from the landing page.
const causesFolder = "causes/"

// causeView is what the template of a cause's page shows.
type causeView struct {
	frame
	Summary  string
	Facts    []fact
	Sections []section
	// Workloads is how many fail for the cause, Failing the worst of them, and More how many stand on the landing page alone, at All.
	Workloads, More int
	Failing         []failing
	All             string
}

// section is what stands under one heading of the catalogue.
type section struct {
	Heading, ID string
	Parts       []part
}

// part is one of: a paragraph, a list, a block of code.
type part struct {
	Text           []span
	Steps, Bullets [][]span
	Code           []codeLine
}

// codeLine is a command, or a comment about the next one.
type codeLine struct {
	Text    string
	Comment bool
}

// failing is a workload that fails for the cause, with its objects that do, and the catalogue's commands for it.
type failing struct {
	row
	// Count is how many objects fail, Objects the oldest of them, and More how many stand on the workload's own page alone, at Alone.
	Count, More int
	Objects     []object
	Alone       string
	Diagnosis   []codeLine
}

// object is a pod or container that fails, a controller that cannot create its pods, or a rollout that stalls.
type object struct{ Text, Age, Since string }

// WriteCause writes the page of a cause: what the catalogue knows of it, and what fails for it now.
func (p *Page) WriteCause(w io.Writer, page *classify.Page) error {
	v := causeView{frame: p.frame(string(page.Cause), "../"), Summary: page.Summary, Facts: facts(page)}
	for _, heading := range classify.Headings() {
		v.Sections = append(v.Sections, section{
			Heading: heading, ID: anchor(heading), Parts: parts(page.Section(heading), newLinker(p.Catalogue, page.Cause, "", "")),
		})
	}
	for _, g := range groupsOf(&p.Snapshot) {
		for _, b := range g.blocks() {
			if b.cause != page.Cause {
				continue
			}
			if v.Workloads++; v.Workloads <= groupsAPage {
				v.Failing = append(v.Failing, p.failing(g, b, page, v.Home))
			}
		}
	}
	v.More, v.All = v.Workloads-len(v.Failing), v.Home+address(Filter{Cause: string(page.Cause)}, 1)
	return execute(w, "cause.html", v)
}

// failing shows what the cause does to a workload on a page from which the landing page is found in home.
func (p *Page) failing(g *group, b *block, page *classify.Page, home string) failing {
	f := failing{row: p.row(g, b, ""), Count: len(b.failures), Alone: home + g.address(), Diagnosis: commands(page, b.failures[0])}
	f.Objects, f.More = b.objects(p.Snapshot.At, shownObjects)
	return f
}

// anchor names a heading as GitHub does, so that a link to a section leads there on both pages.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), " ", "-") }

// parts puts the items of a list together.
func parts(markdown string, l *linker) []part {
	var out []part
	last := ""
	for _, e := range elements(markdown) {
		mark := strings.TrimLeft(e.mark, "0123456789")
		if mark == "" || mark != last {
			out = append(out, part{})
		}
		p := &out[len(out)-1]
		switch last = mark; mark {
		case markCode:
			p.Code = codeLines(e.text)
		case markBullet:
			p.Bullets = append(p.Bullets, l.spans(e.text))
		case "":
			p.Text = l.spans(e.text)
		default:
			p.Steps = append(p.Steps, l.spans(e.text))
		}
	}
	return out
}

func codeLines(code string) []codeLine {
	var out []codeLine
	for line := range strings.Lines(code) {
		line = strings.TrimSuffix(line, "\n")
		out = append(out, codeLine{Text: line, Comment: strings.HasPrefix(line, "#")})
	}
	return out
}

// commands are those of the page's diagnosis with the failure's own names.
func commands(page *classify.Page, f *classify.Failure) []codeLine {
	var out []codeLine
	for _, e := range elements(page.Section("Diagnosis")) {
		if e.mark == markCode {
			out = append(out, codeLines(classify.Fill(e.text, f))...)
		}
	}
	return out
}

// objects names what fails, the oldest first and at most so many, and counts the rest.
func (b *block) objects(now time.Time, limit int) (out []object, more int) {
	failures := slices.Clone(b.failures)
	slices.SortStableFunc(failures, func(x, y *classify.Failure) int { return compareSince(x.Since, y.Since) })
	shown := failures[:min(len(failures), limit)]
	for _, f := range shown {
		o := object{Text: f.Kind + " " + f.Name, Age: age(now, f.Since), Since: stamp(f.Since)}
		if f.Container != "" {
			o.Text += ", container " + f.Container
		}
		if f.Node != "" {
			o.Text += ", node " + f.Node
		}
		if f.MissingPods > 0 {
			o.Text += fmt.Sprintf(", %d %s missing", f.MissingPods, plural(int(f.MissingPods), "pod"))
		}
		if f.Family == classify.FamilyRollout {
			o.Text += ", the rollout has stalled"
		}
		o.Text = clean(o.Text)
		out = append(out, o)
	}
	return out, len(failures) - len(shown)
}

// causesView is what the template of the list of causes shows.
type causesView struct {
	frame
	Causes, Workloads int
	Families          []familyOfCauses
}

type familyOfCauses struct {
	Name   classify.Family
	Causes []causeCount
}

// causeCount is a cause and how many workloads fail for it now.
type causeCount struct {
	Cause     classify.Cause
	Summary   string
	Workloads int
}

// WriteCauses writes the list of all causes, with how many workloads fail for each now.
func (p *Page) WriteCauses(w io.Writer) error {
	count := map[classify.Cause]int{}
	groups := groupsOf(&p.Snapshot)
	for _, g := range groups {
		for _, b := range g.blocks() {
			count[b.cause]++
		}
	}
	v := causesView{frame: p.frame("Causes", "../"), Causes: len(p.Catalogue.Pages()), Workloads: len(groups)}
	for _, page := range p.Catalogue.Pages() {
		if n := len(v.Families); n == 0 || v.Families[n-1].Name != page.Family {
			v.Families = append(v.Families, familyOfCauses{Name: page.Family})
		}
		last := &v.Families[len(v.Families)-1]
		last.Causes = append(last.Causes, causeCount{page.Cause, page.Summary, count[page.Cause]})
	}
	return execute(w, "causes.html", v)
}
