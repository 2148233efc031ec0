package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// shownKinds is how many kinds of ends, and of events, a row shows.
const shownKinds = 3

// end is how containers ended last; those that ended alike are one.
type end struct {
	Code          int32
	Meaning       string
	Reason, Count string
	Age, Since    string
}

// ends shows how the block's containers ended last, the newest first; more is how many other kinds of ends there are.
func (b *block) ends(now time.Time) (out []end, more int) {
	type kind struct {
		code, signal int32
		reason       string
	}
	containers, restarts := map[kind]int{}, map[kind]int32{}
	newest := map[kind]*classify.End{}
	var kinds []kind
	for _, f := range b.failures {
		e := f.LastEnd
		if e == nil {
			continue
		}
		k := kind{e.ExitCode, e.Signal, e.Reason}
		if newest[k] == nil {
			kinds = append(kinds, k)
		}
		if newest[k] == nil || e.At.After(newest[k].At) {
			newest[k] = e
		}
		containers[k]++
		restarts[k] = max(restarts[k], e.Restarts)
	}
	slices.SortStableFunc(kinds, func(x, y kind) int {
		return cmp.Or(newest[y].At.Compare(newest[x].At), cmp.Compare(x.code, y.code), cmp.Compare(x.signal, y.signal), cmp.Compare(x.reason, y.reason))
	})
	shown := kinds[:min(len(kinds), shownKinds)]
	for _, k := range shown {
		e := newest[k]
		out = append(out, end{
			Code: k.code, Meaning: exitMeaning(e), Reason: clean(k.reason), Count: restarted(containers[k], restarts[k]),
			Age: age(now, e.At), Since: stamp(e.At),
		})
	}
	return out, len(kinds) - len(shown)
}

// restarted says how many containers ended so, where it is more than one, and how often they were started again.
func restarted(containers int, restarts int32) string {
	text := fmt.Sprintf("%d %s", restarts, plural(int(restarts), "restart"))
	if containers > 1 {
		text = fmt.Sprintf("%d containers, at most %s", containers, text)
	}
	return text
}

// events are what the objects of a block say of themselves.
type events struct {
	Caption string
	Rows    []eventRow
}

// eventRow is an event. Times says how often it was seen; Age is when last.
type eventRow struct {
	Type, Reason, Times string
	Age, Since          string
	Message             string
}

// events shows of each reason the newest event, the newest first, and at most so much of each one's message.
func (b *block) events(now time.Time, most int) events {
	var all []classify.Event
	objects := 0
	for _, f := range b.failures {
		all = append(all, f.Events...)
		if len(f.Events) > 0 {
			objects++
		}
	}
	slices.SortStableFunc(all, func(x, y classify.Event) int { return cmp.Or(y.Last.Compare(x.Last), cmp.Compare(x.Reason, y.Reason)) })
	v := events{Caption: "Events"}
	if objects > 1 {
		v.Caption = "Events, of each reason the newest one"
	}
	seen := map[string]bool{}
	for i := range all {
		e := &all[i]
		if seen[e.Reason] || len(v.Rows) == shownKinds {
			continue
		}
		seen[e.Reason] = true
		v.Rows = append(v.Rows, eventRow{
			Type: clean(e.Type), Reason: clean(e.Reason), Times: times(e), Age: age(now, e.Last), Since: stamp(e.Last), Message: cut(clean(e.Message), most),
		})
	}
	return v
}

// times says how often an event was seen, and how long it took; nothing for one that was seen once.
func times(e *classify.Event) string {
	if e.Count <= 1 {
		return ""
	}
	text := fmt.Sprintf("%d times", e.Count)
	if long := e.Last.Sub(e.First); long > 0 && !e.First.IsZero() {
		text += " in " + duration.HumanDuration(long)
	}
	return text
}

// exitMeaning says in words what an exit code means, where the shell's convention or Kubernetes gives it a meaning; what an
// application means by any other it alone knows.
func exitMeaning(e *classify.End) string {
	switch e.Reason {
	case "StartError", "ContainerCannotRun":
		return "it could not be started"
	case "ContainerStatusUnknown":
		return "nobody saw it end: the kubelet writes 137 then" // kubernetes pkg/kubelet/kubelet_pods.go
	case "Unknown":
		return "nobody saw it end: the runtime writes 255 then" // containerd internal/cri/server/restart.go
	}
	if e.Signal != 0 {
		return named(e.Signal, fmt.Sprintf("signal %d", e.Signal))
	}
	// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02
	switch {
	case e.ExitCode == 0:
		return "success"
	case e.ExitCode == 126:
		return "found, but not executable (the shell's convention)"
	case e.ExitCode == 127:
		return "command not found (the shell's convention)"
	case e.ExitCode > 128:
		return named(e.ExitCode-128, "")
	}
	return ""
}

// named names a signal of Linux that may end a process, or returns what stands for any other.
func named(signal int32, other string) string {
	names := map[int32]string{
		1: "SIGHUP, who started it is gone", 2: "SIGINT, interrupted", 3: "SIGQUIT, told to quit", 4: "SIGILL, an instruction that the CPU does not know",
		5: "SIGTRAP, a breakpoint or trap", 6: "SIGABRT, it aborted itself", 7: "SIGBUS, memory that cannot be reached",
		8: "SIGFPE, a wrong calculation such as a division by zero", 9: "SIGKILL, ended by force", 11: "SIGSEGV, memory that is not its own",
		13: "SIGPIPE, it wrote where nobody reads", 14: "SIGALRM, its timer ran out", 15: "SIGTERM, asked to end",
		31: "SIGSYS, a system call that is not allowed",
	}
	return cmp.Or(names[signal], other)
}
