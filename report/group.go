package report

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// group is everything that fails of one workload.
type group struct {
	workload classify.Workload
	pods     classify.Pods
	// counted says that pods is known.
	counted bool
	// failing is the number of pods that fail or are missing.
	failing  int
	since    time.Time
	failures []*classify.Failure
}

// block is what one cause does to one workload.
type block struct {
	cause    classify.Cause
	failing  int
	since    time.Time
	failures []*classify.Failure
}

// groupsOf sorts a snapshot by workload, the worst first, and within a workload by name and container.
func groupsOf(s *classify.Snapshot) []*group {
	byWorkload := map[classify.Workload]*group{}
	var groups []*group
	for i := range s.Failures {
		f := &s.Failures[i]
		w := workloadOf(f)
		g := byWorkload[w]
		if g == nil {
			g = &group{workload: w}
			g.pods, g.counted = s.Workloads[w]
			byWorkload[w] = g
			groups = append(groups, g)
		}
		g.failures = append(g.failures, f)
	}
	for _, g := range groups {
		g.failing, g.since = count(g.failures), oldest(g.failures)
		slices.SortFunc(g.failures, compareFailures)
	}
	slices.SortFunc(groups, compareGroups)
	return groups
}

// workloadOf names the failing object itself where its workload is not known.
func workloadOf(f *classify.Failure) classify.Workload {
	if f.Workload == "" {
		return classify.Workload{Namespace: f.Namespace, Kind: f.Kind, Name: f.Name}
	}
	return classify.WorkloadOf(f)
}

// down says that no pod of the workload is ready. A bare pod that fails is all there is of its workload; of a workload
// whose pods were not counted nobody knows.
func (g *group) down() bool {
	if !g.counted {
		return g.workload.Kind == "Pod"
	}
	return g.pods.Ready == 0 && g.pods.Desired > 0
}

func compareGroups(a, b *group) int {
	return cmp.Or(
		-compareBool(a.down(), b.down()),
		cmp.Compare(b.failing, a.failing),
		compareSince(a.since, b.since),
		cmp.Compare(a.workload.Namespace, b.workload.Namespace),
		cmp.Compare(a.workload.Name, b.workload.Name),
		cmp.Compare(a.workload.Kind, b.workload.Kind),
	)
}

func compareFailures(a, b *classify.Failure) int {
	return cmp.Or(
		cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Container, b.Container),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Cause, b.Cause),
		cmp.Compare(a.Reason, b.Reason),
		cmp.Compare(a.UID, b.UID),
		a.Since.Compare(b.Since),
		cmp.Compare(a.Message, b.Message),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// compareSince puts the older first, and what has no time last.
func compareSince(a, b time.Time) int {
	return cmp.Or(compareBool(a.IsZero(), b.IsZero()), a.Compare(b))
}

// blocks splits a workload's failures by cause, the one with the most pods first.
func (g *group) blocks() []*block {
	byCause := map[classify.Cause]*block{}
	var blocks []*block
	for _, f := range g.failures {
		b := byCause[f.Cause]
		if b == nil {
			b = &block{cause: f.Cause}
			byCause[f.Cause] = b
			blocks = append(blocks, b)
		}
		b.failures = append(b.failures, f)
	}
	for _, b := range blocks {
		b.failing, b.since = count(b.failures), oldest(b.failures)
		// A stalled rollout repeats what its pods say: let the pods speak.
		slices.SortStableFunc(b.failures, func(x, y *classify.Failure) int {
			return compareBool(x.Family == classify.FamilyRollout, y.Family == classify.FamilyRollout)
		})
	}
	slices.SortFunc(blocks, func(a, b *block) int {
		return cmp.Or(cmp.Compare(b.failing, a.failing), compareSince(a.since, b.since), cmp.Compare(a.cause, b.cause))
	})
	return blocks
}

// count counts the pods that fail, each once, and those that are missing.
func count(failures []*classify.Failure) int {
	pods, missing := map[string]bool{}, 0
	for _, f := range failures {
		if f.Kind == "Pod" {
			pods[f.Name] = true
		}
		missing += int(f.MissingPods)
	}
	return len(pods) + missing
}

func oldest(failures []*classify.Failure) time.Time {
	var first time.Time
	for _, f := range failures {
		if compareSince(f.Since, first) < 0 {
			first = f.Since
		}
	}
	return first
}

// age is how long something lasts, in kubectl's form; "" where that is not known.
func age(now, since time.Time) string {
	if since.IsZero() || now.IsZero() {
		return ""
	}
	return duration.HumanDuration(max(now.Sub(since), 0))
}
