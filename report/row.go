package report

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

const (
	// shownMessage is how much of a message stands in a row that is not opened.
	shownMessage = 240
	// wholeMessage is longer than any event's.
	wholeMessage = 4 << 10
	// shownObjects is how many pods a row names, and shownObjectsAlone how many on the page of the workload alone.
	shownObjects, shownObjectsAlone = 20, 500
)

// groupView is a workload with all that fails of it.
type groupView struct {
	// ID is the same for as long as the workload fails, so that a script finds it again and a link can lead to it.
	ID                        string
	Namespace, Kind, Workload string
	Link                      string
	// State is down, degraded, or empty where all its pods are ready or nobody knows.
	State, Ready string
	Rows         []rowView
}

// rowView is a row that can be opened.
type rowView struct {
	row
	ID string
	// Open says that it is.
	Open bool
	// Pods says how many are affected, and Lead how the message begins.
	Pods, Lead string
	// Whole says that Messages hold more than Lead.
	Whole     bool
	Evidence  []fact
	Ends      []end
	MoreEnds  int
	Events    events
	Objects   []object
	More      int
	Diagnosis []codeLine
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
	Bars                      []bar
	Fix                       [][]span
}

// row shows one cause of one workload, on a page from which the causes' pages are found in folder.
func (p *Page) row(g *group, b *block, folder string) row {
	r := row{
		Namespace: clean(g.workload.Namespace), Kind: clean(g.workload.Kind), Workload: clean(g.workload.Name), Down: g.down(),
		Cause: clean(string(b.cause)), Age: age(p.Snapshot.At, b.since), Failing: b.failing, Messages: b.messages(),
		Since: stamp(b.since), Bars: b.bars(), Facts: b.quotaFacts(),
	}
	if g.counted {
		r.Ready = ready(g)
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

// group shows a workload on a page from which the landing page is found in home. Alone on its page everything is open.
func (p *Page) group(g *group, home string, alone bool) groupView {
	w := g.workload
	v := groupView{
		ID: "w/" + g.path(), Namespace: clean(w.Namespace), Kind: clean(w.Kind), Workload: clean(w.Name),
		Link: home + g.address(), State: g.state(),
	}
	if g.counted {
		v.Ready = ready(g)
	}
	for _, b := range g.blocks() {
		r := rowView{
			row: p.row(g, b, home+causesFolder), ID: v.ID + "/" + url.PathEscape(string(b.cause)), Open: alone,
			Pods: b.affected(g), Evidence: b.evidence(),
		}
		r.Ends, r.MoreEnds = b.ends(p.Snapshot.At)
		r.Lead, r.Whole = lead(r.Messages)
		limit, note := shownObjects, shownMessage
		if alone {
			limit, note = shownObjectsAlone, wholeMessage
			if page := p.Catalogue.Page(b.cause); page != nil {
				r.Diagnosis = commands(page, b.failures[0])
			}
		}
		r.Objects, r.More = b.objects(p.Snapshot.At, limit)
		r.Events = b.events(p.Snapshot.At, note)
		v.Rows = append(v.Rows, r)
	}
	return v
}

// path names the workload in an address.
func (g *group) path() string {
	return url.PathEscape(g.workload.Namespace) + "/" + url.PathEscape(g.workload.Kind) + "/" + url.PathEscape(g.workload.Name)
}

// address is where the workload's page is, seen from the landing page.
func (g *group) address() string { return failuresFolder + g.path() }

// state says in one word how bad it is.
func (g *group) state() string {
	switch {
	case g.down():
		return "down"
	case g.counted && g.pods.Ready < g.pods.Desired:
		return "degraded"
	}
	return ""
}

// affected says how many pods a cause keeps from running, of how many where that is known and makes sense: dead pods of a
// workload may be more than it wants.
func (b *block) affected(g *group) string {
	switch {
	case b.failing == 0:
		return "rollout stalled"
	case g.counted && b.failing <= int(g.pods.Desired):
		return fmt.Sprintf("%d of %d %s", b.failing, g.pods.Desired, plural(int(g.pods.Desired), "pod"))
	}
	return fmt.Sprintf("%d %s", b.failing, plural(b.failing, "pod"))
}

// lead cuts the first message; more says that there is more to read than that.
func lead(messages []string) (start string, more bool) {
	if len(messages) == 0 {
		return "", false
	}
	start = cut(messages[0], shownMessage)
	return start, start != messages[0] || len(messages) > 1
}

func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return strings.TrimSpace(string(runes[:most])) + "…"
	}
	return text
}

// evidence names what Kubernetes' objects say beside their messages.
func (b *block) evidence() []fact {
	var out []fact
	for _, e := range []struct {
		one, many string
		of        func(*classify.Failure) string
	}{
		{"reason", "reasons", func(f *classify.Failure) string { return f.Reason }},
		{"container", "containers", func(f *classify.Failure) string { return f.Container }},
		{"image", "images", func(f *classify.Failure) string { return f.Image }},
		{"node", "nodes", func(f *classify.Failure) string { return f.Node }},
	} {
		switch values := distinct(b.failures, e.of); len(values) {
		case 0:
		case 1:
			out = append(out, fact{e.one, values[0]})
		default:
			out = append(out, fact{e.many, some(values)})
		}
	}
	return out
}

// distinct returns the values that failures have, each once, in the order of the alphabet and safe to show.
func distinct(failures []*classify.Failure, of func(*classify.Failure) string) []string {
	var values []string
	for _, f := range failures {
		if value := of(f); value != "" {
			values = append(values, clean(value))
		}
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// live is what a page that keeps itself up to date is made from.
func (p *Page) live(title, home, address string) live {
	l := live{frame: p.frame(title, home), Address: cmp.Or(address, "?")}
	l.Script = template.JS(pageJS) //nolint:gosec // our own embedded file
	return l
}

// live is the frame of a page that keeps itself up to date; Address is its own.
type live struct {
	frame
	Address string
}
