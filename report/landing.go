package report

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// failuresFolder is where the workloads' pages are, seen from the landing page.
const failuresFolder = "failures/"

// groupsAPage is how many workloads stand on one page: what a person reads, and a browser takes in at once.
const groupsAPage = 100

// landingView is what the template of the landing page shows.
type landingView struct {
	live
	Watched string
	// Workloads is how many fail, Matching how many of them the filter wants.
	Workloads, Matching int
	Filtered            bool
	Causes, MoreCauses  []causeLine
	Form                form
	Active              []active
	Groups              []groupView
	Pager               pager
}

// active is a part of the filter, and where the page without it is.
type active struct{ Name, Value, Clear string }

// pager leads to the other pages of a long list.
type pager struct {
	Number, Pages, First, Last int
	Previous, Next             string
}

// Write writes the landing page.
func (p *Page) Write(w io.Writer) error {
	wanted := p.Filter.Apply(p.Snapshot)
	groups := groupsOf(&wanted)
	v := landingView{
		Watched: clean(p.Looked), Workloads: workloads(p.Snapshot.Failures), Matching: len(groups), Filtered: p.Filter != (Filter{}),
		Form: p.form(), Active: p.active(), Pager: p.pager(len(groups)),
	}
	v.live = p.live("", "", p.address(v.Pager.Number))
	v.Causes = p.causeLines()
	if len(v.Causes) > shownCauses {
		v.Causes, v.MoreCauses = v.Causes[:shownCauses], v.Causes[shownCauses:]
	}
	v.Links = []link{
		{"Causes", causesFolder},
		{"JSON", "api/v1/failures" + strings.TrimPrefix(address(p.Filter, 1), "./")},
		{"Metrics", cmp.Or(p.MetricsPath, "/metrics")},
		{"Healthy", cmp.Or(p.HealthyPath, "/-/healthy")},
		{"Ready", cmp.Or(p.ReadyPath, "/-/ready")},
	}
	for _, g := range groups[max(v.Pager.First-1, 0):v.Pager.Last] {
		v.Groups = append(v.Groups, p.group(g, "", false))
	}
	return execute(w, "page.html", v)
}

func workloads(failures []classify.Failure) int {
	seen := map[classify.Workload]bool{}
	for i := range failures {
		seen[workloadOf(&failures[i])] = true
	}
	return len(seen)
}

// active lists what the filter asks for.
func (p *Page) active() []active {
	var out []active
	for _, part := range p.Filter.parameters() {
		if *part.value != "" {
			out = append(out, active{part.name, clean(*part.value), address(p.Filter.with(part.name, ""), 1)})
		}
	}
	return out
}

// with returns the filter with one of its parts replaced.
func (f Filter) with(name, value string) Filter {
	for _, part := range f.parameters() {
		if part.name == name {
			*part.value = value
		}
	}
	return f
}

func (p *Page) address(number int) string { return address(p.Filter, number) }

// address leads from the landing page to itself with a filter. A number that is left out is the first.
func address(f Filter, number int) string {
	values := f.values()
	if number > 1 {
		values.Set("page", strconv.Itoa(number))
	}
	if len(values) == 0 {
		return "./"
	}
	return "?" + values.Encode()
}

// ParsePage reads the number of a page from the parameters of a URL; what is no number of a page means the first.
func ParsePage(values url.Values) int {
	number, err := strconv.Atoi(values.Get("page"))
	if err != nil {
		return 1
	}
	return max(number, 1)
}

// pager divides a list. A page behind the last one, which there may have been a minute ago, is the last one.
func (p *Page) pager(groups int) pager {
	pages := max((groups+groupsAPage-1)/groupsAPage, 1)
	number := min(max(p.Number, 1), pages)
	v := pager{Number: number, Pages: pages, First: min((number-1)*groupsAPage+1, groups), Last: min(number*groupsAPage, groups)}
	if number > 1 {
		v.Previous = p.address(number - 1)
	}
	if number < pages {
		v.Next = p.address(number + 1)
	}
	return v
}

// workloadView is what the template of a workload's page shows.
type workloadView struct {
	live
	Fails bool
	Group groupView
}

// Fails says whether anything of a workload fails now. Its kind may be written in any case of letters, as kubectl's is.
func (p *Page) Fails(of classify.Workload) bool { return len(p.of(of)) > 0 }

// WriteWorkload writes the page of one workload, or that nothing fails of it.
func (p *Page) WriteWorkload(w io.Writer, of classify.Workload) error {
	title := fmt.Sprintf("%s/%s (%s)", of.Namespace, of.Name, of.Kind)
	v := workloadView{live: p.live(title, "../../../", "")}
	alone := p.Snapshot
	alone.Failures = p.of(of)
	for _, g := range groupsOf(&alone) {
		v.Fails, v.Group = true, p.group(g, v.Home, true)
	}
	return execute(w, "workload.html", v)
}

func (p *Page) of(of classify.Workload) []classify.Failure {
	var out []classify.Failure
	for i := range p.Snapshot.Failures {
		w := workloadOf(&p.Snapshot.Failures[i])
		if w.Namespace == of.Namespace && w.Name == of.Name && strings.EqualFold(w.Kind, of.Kind) {
			out = append(out, p.Snapshot.Failures[i])
		}
	}
	return out
}

// problemView is what the template of a page that cannot be shown says instead.
type problemView struct {
	frame
	Problem string
}

// WriteProblem writes a page that says why there is none, on the landing page's address.
func (p *Page) WriteProblem(w io.Writer, problem error) error {
	return execute(w, "problem.html", problemView{frame: p.frame("Not understood", "./"), Problem: clean(problem.Error())})
}

// form is what can be chosen.
type form struct {
	Namespace, Family, Cause choice
	Text                     string
}

// choice is a list to choose from; one that is too long becomes a field to write in.
type choice struct {
	Name, Label, Chosen string
	Options             []string
}

// longestChoice is how many namespaces may stand in a list.
const longestChoice = 200

// form offers what fails now, and what is chosen although it does not.
func (p *Page) form() form {
	namespaces, families, causes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range p.Snapshot.Failures {
		f := &p.Snapshot.Failures[i]
		namespaces[clean(f.Namespace)], families[string(f.Family)], causes[clean(string(f.Cause))] = true, true, true
	}
	v := form{
		Namespace: newChoice("namespace", "Namespace", p.Filter.Namespace, namespaces),
		Family:    newChoice("family", "Family", p.Filter.Family, families),
		Cause:     newChoice("cause", "Cause", p.Filter.Cause, causes),
		Text:      clean(p.Filter.Text),
	}
	order := classify.Families()
	slices.SortStableFunc(v.Family.Options, func(a, b string) int {
		return cmp.Compare(slices.Index(order, classify.Family(a)), slices.Index(order, classify.Family(b)))
	})
	return v
}

func newChoice(name, label, chosen string, found map[string]bool) choice {
	c := choice{Name: name, Label: label, Chosen: clean(chosen)}
	if c.Chosen != "" {
		found[c.Chosen] = true
	}
	for value := range found {
		if value != "" {
			c.Options = append(c.Options, value)
		}
	}
	slices.Sort(c.Options)
	if len(c.Options) > longestChoice {
		c.Options = nil
	}
	return c
}
