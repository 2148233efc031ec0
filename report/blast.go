package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// shownCauses is how many causes the summary shows at once.
const shownCauses = 6

// causeLine says how far a cause reaches: one registry that is down is one line, whatever fails for it.
type causeLine struct {
	Cause           string
	Workloads, Pods int
	// Shared is what all of it has in common, empty for a single workload.
	Shared string
	// Link sets the filter to the cause, or takes it away where it is Chosen.
	Link   string
	Chosen bool
}

// reach is what a cause does to all workloads.
type reach struct {
	workloads, pods int
	failures        []*classify.Failure
}

// causeLines sums up what the filter wants, its cause aside, so that another one can be chosen; the farthest reach first.
func (p *Page) causeLines() []causeLine {
	wanted := p.Filter.with("cause", "").Apply(p.Snapshot)
	byCause := map[classify.Cause]*reach{}
	for _, g := range groupsOf(&wanted) {
		for _, b := range g.blocks() {
			if byCause[b.cause] == nil {
				byCause[b.cause] = &reach{}
			}
			r := byCause[b.cause]
			r.workloads, r.pods, r.failures = r.workloads+1, r.pods+b.failing, append(r.failures, b.failures...)
		}
	}
	lines := make([]causeLine, 0, len(byCause))
	for cause, r := range byCause {
		line := causeLine{Cause: clean(string(cause)), Workloads: r.workloads, Pods: r.pods, Chosen: string(cause) == p.Filter.Cause}
		if r.workloads > 1 {
			line.Shared = shared(r.failures)
		}
		line.Link = address(p.Filter.with("cause", string(cause)), 1)
		if line.Chosen {
			line.Link = address(p.Filter.with("cause", ""), 1)
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b causeLine) int {
		return cmp.Or(cmp.Compare(b.Workloads, a.Workloads), cmp.Compare(b.Pods, a.Pods), cmp.Compare(a.Cause, b.Cause))
	})
	return lines
}

// shared names the registry, the quota and the node that all failures have in common.
func shared(failures []*classify.Failure) string {
	var out string
	for _, s := range []struct {
		word string
		of   func(*classify.Failure) string
	}{
		{"from registry", registry},
		{"by quota", func(f *classify.Failure) string {
			if f.Quota == nil || f.Quota.Name == "" {
				return ""
			}
			return f.Namespace + "/" + f.Quota.Name
		}},
		{"on node", func(f *classify.Failure) string { return f.Node }},
	} {
		if one, ok := common(failures, s.of); ok {
			if out != "" {
				out += ", "
			}
			out += fmt.Sprintf("%s %s", s.word, clean(one))
		}
	}
	if out == "" {
		return ""
	}
	return "all " + out
}

// registry is where an image that cannot be pulled should come from. Of a container that has its image it tells nothing.
func registry(f *classify.Failure) string {
	if f.Family != classify.FamilyImage || f.Image == "" {
		return ""
	}
	return classify.ParseReference(f.Image).Registry
}

// common returns the value that all failures have; a stalled rollout has none, and none of its own cause.
func common(failures []*classify.Failure, of func(*classify.Failure) string) (string, bool) {
	value := ""
	for _, f := range failures {
		if f.Family == classify.FamilyRollout {
			continue
		}
		got := of(f)
		if got == "" || value != "" && got != value {
			return "", false
		}
		value = got
	}
	return value, value != ""
}
