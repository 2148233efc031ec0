package collector

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// key names an object of any kind.
type key struct{ Kind, Namespace, Name string }

// String returns Kind/namespace/name.
func (k key) String() string { return k.Kind + "/" + k.Namespace + "/" + k.Name }

// memory holds what is failing now, and holds it still (rules S1 to S3 and S7 of the design): what it knows of an object
// is changed only by a verdict about that object.
type memory struct {
	catalogue *classify.Catalogue
	crashHold time.Duration
	// proofGrace is how long a failure is not shown of which more is about to be known: an image failure that the cluster
	// itself might decide (while a whole application starts, the container that proves a repository is seldom seen first),
	// and a loop whose event, which tells since when, is on its way.
	proofGrace time.Duration

	mu sync.RWMutex
	// starting is true while the first lists are judged: all that the cluster proves is known by then, and nothing is hidden.
	starting  bool
	objects   map[key]*remembered
	workloads map[classify.Workload]map[key]*remembered
	opened    uint64
}

// remembered is what the memory knows of one object.
type remembered struct {
	uid      types.UID
	workload classify.Workload
	held     map[string]*held // by container
	// history is true for a finished pod that was replaced once: it never fails again (rule S5).
	history bool
}

// held is one failure as it is shown.
type held struct {
	failure classify.Failure
	order   uint64 // in which failures opened: a limit on series drops the latest
	// hiddenUntil is not zero while a failure may yet turn out sharper and is not shown.
	hiddenUntil time.Time
	// next is another cause of the same kind that was told last, and since when it has been the only one told.
	next      classify.Cause
	nextSince time.Time
}

func newMemory(catalogue *classify.Catalogue, opts classify.Options) *memory {
	m := &memory{
		catalogue: catalogue, crashHold: opts.CrashHold, proofGrace: 1500 * time.Millisecond,
		objects: map[key]*remembered{}, workloads: map[classify.Workload]map[key]*remembered{},
	}
	if opts.OneLook {
		m.proofGrace = 0
	}
	return m
}

// settle is how long another cause of the same kind must be told before it replaces the one that is held. What a person
// must mend replaces at once; what comes and goes by itself (its page waits longer than two minutes) must last; and
// a crash loop has the cause that it has had, unless a sharper one is told, for as long as such a loop is remembered.
func (m *memory) settle(family classify.Family, next classify.Cause) time.Duration {
	switch family {
	case classify.FamilyCrash, classify.FamilyStart:
		return m.crashHold
	case classify.FamilyRollout:
		return 5 * time.Minute
	}
	if page := m.catalogue.Page(next); page != nil && page.Wait > 2*time.Minute {
		return page.Wait
	}
	return 0
}

// observe takes a verdict about an object. It returns the failures that opened now, and when to look again (zero for
// never).
func (m *memory) observe(k key, uid types.UID, verdict classify.Verdict, now time.Time) (opened []classify.Failure, again time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	object := m.objects[k]
	if object == nil || object.uid != uid {
		m.drop(k)
		if len(verdict.Failures) == 0 { // a stale one has none
			return nil, verdict.Recheck
		}
		object = &remembered{uid: uid, workload: classify.WorkloadOf(&verdict.Failures[0]), held: map[string]*held{}}
		m.put(k, object)
	}
	again = verdict.Recheck
	if verdict.Stale {
		return nil, again
	}
	m.attribute(k, object, verdict.Failures)
	told := make(map[string]bool, len(verdict.Failures))
	for i := range verdict.Failures {
		f := new(verdict.Failures[i])
		f.WorkloadKind, f.Workload = object.workload.Kind, object.workload.Name
		told[f.Container] = true
		h := object.held[f.Container]
		if h == nil {
			m.opened++
			h = &held{failure: *f, order: m.opened, hiddenUntil: m.hideUntil(f, now)}
			object.held[f.Container] = h
			if h.hiddenUntil.IsZero() {
				opened = append(opened, *f)
			}
		}
		shown := h.hiddenUntil.IsZero()
		again = earlier(again, m.merge(h, f, now))
		if !shown && h.hiddenUntil.IsZero() {
			opened = append(opened, h.failure)
		}
	}
	for container, h := range object.held {
		if !told[container] && !stillOpen(verdict.Open, container, h.failure.Family) {
			delete(object.held, container)
		}
	}
	if len(object.held) == 0 && !object.history {
		m.drop(k)
	}
	return opened, again
}

// attribute moves an object, and what is held of it, to the workload above the one it was taken for: the owner between them may be
// known later than the pod. It never moves back, because that owner may go earlier than the pod.
func (m *memory) attribute(k key, object *remembered, failures []classify.Failure) {
	for i := range failures {
		w := classify.WorkloadOf(&failures[i])
		if !above(w.Kind, object.workload.Kind) {
			continue
		}
		m.drop(k)
		object.workload = w
		m.put(k, object)
		for _, h := range object.held {
			h.failure.WorkloadKind, h.failure.Workload = w.Kind, w.Name
		}
	}
}

// above says that workloads of one kind make those of another.
func above(kind, owned string) bool {
	return kind == "CronJob" && owned == "Job" || kind == "Deployment" && owned == "ReplicaSet"
}

func (m *memory) hideUntil(f *classify.Failure, now time.Time) time.Time {
	undecided := f.Family == classify.FamilyImage && m.certainty(f) == classify.Ambiguous
	undated := stage(f.Family) == classify.FamilyCrash && !f.SinceKept
	if m.proofGrace == 0 || m.starting || !undecided && !undated {
		return time.Time{}
	}
	return now.Add(m.proofGrace)
}

// setStarting says whether the first lists are being judged.
func (m *memory) setStarting(starting bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starting = starting
}

func (m *memory) put(k key, object *remembered) {
	m.objects[k] = object
	if m.workloads[object.workload] == nil {
		m.workloads[object.workload] = map[key]*remembered{}
	}
	m.workloads[object.workload][k] = object
}

func (m *memory) drop(k key) {
	object := m.objects[k]
	if object == nil {
		return
	}
	delete(m.objects, k)
	delete(m.workloads[object.workload], k)
	if len(m.workloads[object.workload]) == 0 {
		delete(m.workloads, object.workload)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// stillOpen says that an object has not got past the stage where a held failure began, so that the failure lasts although
// its evidence (an event) is gone.
func stillOpen(open []classify.Stage, container string, family classify.Family) bool {
	return slices.Contains(open, classify.Stage{Container: container, Family: family})
}

// merge brings a held failure up to date. It returns when to look again, zero for never.
func (m *memory) merge(h *held, f *classify.Failure, now time.Time) time.Time {
	old := &h.failure
	switch {
	case !h.hiddenUntil.IsZero():
		h.failure = *f // nobody has seen it yet: take what is known now
		if !now.Before(h.hiddenUntil) || m.hideUntil(f, now).IsZero() {
			h.hiddenUntil = time.Time{}
		}
		return h.hiddenUntil
	case !sameKind(old, f):
		h.replace(f, f.Since, f.SinceKept)
	case old.Cause == f.Cause:
		h.refresh(f)
	default:
		return m.another(h, f, now)
	}
	return time.Time{}
}

// sameKind says that two failures of a container are about the same stage of its life: the same pull, the same run.
func sameKind(old, f *classify.Failure) bool {
	if old.Image != "" && f.Image != "" && old.Image != f.Image {
		return false
	}
	return stage(old.Family) == stage(f.Family)
}

func stage(family classify.Family) classify.Family {
	if family == classify.FamilyStart {
		return classify.FamilyCrash // a loop ends now at its start and now later; it is one loop
	}
	return family
}

// another decides about a different cause of the same kind.
func (m *memory) another(h *held, f *classify.Failure, now time.Time) time.Time {
	old, next := m.certainty(&h.failure), m.certainty(f)
	if old.Sharper(next) || classify.Explains(h.failure.Cause, f.Cause) {
		h.next = ""
		return time.Time{} // a vaguer message never replaces a sharper one
	}
	if next.Sharper(old) || classify.Explains(f.Cause, h.failure.Cause) {
		if f.Message == h.failure.Message && f.Family == classify.FamilyImage {
			h.proof(f)
			return time.Time{} // the words are the same, only the cluster around them knows more now: hold still
		}
		since, kept := h.failure.Since, h.failure.SinceKept
		h.replace(f, since, kept)
		return time.Time{}
	}
	if h.next != f.Cause {
		h.next, h.nextSince = f.Cause, now
	}
	due := h.nextSince.Add(m.settle(f.Family, f.Cause))
	if now.Before(due) {
		return due
	}
	h.replace(f, f.Since, f.SinceKept)
	return time.Time{}
}

// certainty is the cause's own, except that silence gives way to any word and replaces none, as when the events about a sandbox
// have expired, and that a rollout's general cause gives way to any root cause.
func (m *memory) certainty(f *classify.Failure) classify.Certainty {
	if f.Cause == classify.ContainerCreatingTimeout || f.Cause == classify.SchedulerNotRunning {
		return classify.Unknown
	}
	if f.Family == classify.FamilyRollout {
		if f.Cause == classify.ProgressDeadlineExceeded {
			return classify.Unknown
		}
		return classify.Certain
	}
	return m.catalogue.Certainty(f.Cause)
}

// proof takes over newer evidence of the same cause. What a verdict no longer finds stays: the API server drops an event after
// an hour, however long the failure lasts.
func (h *held) proof(f *classify.Failure) {
	if len(f.Events) > 0 {
		h.failure.Events = f.Events
	}
	if f.LastEnd != nil {
		h.failure.LastEnd = f.LastEnd
	}
}

func (h *held) replace(f *classify.Failure, since time.Time, kept bool) {
	h.failure, h.next = *f, ""
	h.failure.Since, h.failure.SinceKept = since, kept
}

// refresh takes over what may change without the failure being another: words and figures. A start that the API server
// keeps replaces one that it does not, once.
func (h *held) refresh(f *classify.Failure) {
	old := &h.failure
	since, kept := old.Since, old.SinceKept
	if f.SinceKept && !kept {
		since, kept = f.Since, true
	}
	reason, family, node := old.Reason, old.Family, cmp.Or(f.Node, old.Node)
	lastEnd, events := old.LastEnd, old.Events
	h.replace(f, since, kept)
	h.failure.LastEnd, h.failure.Events = lastEnd, events
	h.proof(f)
	h.failure.Reason, h.failure.Family, h.failure.Node = reason, family, node
}

// forget drops an object that is gone or fine.
func (m *memory) forget(k key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(k)
}

// isHistory says that a finished pod was replaced at some time; remember notes it.
func (m *memory) isHistory(k key, uid types.UID) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	object := m.objects[k]
	return object != nil && object.uid == uid && object.history
}

func (m *memory) remember(k key, uid types.UID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(k)
	m.put(k, &remembered{uid: uid, held: map[string]*held{}, history: true})
}

// holds says whether anything of an object fails.
func (m *memory) holds(k key) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	object := m.objects[k]
	return object != nil && len(object.held) > 0
}

// failures returns copies of all failures in the order in which they opened.
func (m *memory) failures() []classify.Failure {
	m.mu.RLock()
	all := make([]*held, 0, len(m.objects))
	for _, object := range m.objects {
		for _, h := range object.held {
			if h.hiddenUntil.IsZero() {
				all = append(all, h)
			}
		}
	}
	slices.SortFunc(all, func(a, b *held) int { return cmp.Compare(a.order, b.order) })
	failures := make([]classify.Failure, len(all))
	for i, h := range all {
		failures[i] = h.failure
	}
	m.mu.RUnlock()
	return failures
}

// ofWorkload returns the failures of a workload's pods and controllers, its rollout aside.
func (m *memory) ofWorkload(w classify.Workload) []classify.Failure {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var failures []classify.Failure
	for _, object := range m.workloads[w] {
		for _, h := range object.held {
			if h.failure.Family != classify.FamilyRollout && h.hiddenUntil.IsZero() {
				failures = append(failures, h.failure)
			}
		}
	}
	return failures
}

// workload is that of an object's failures, the zero value where it has none.
func (m *memory) workload(k key) classify.Workload {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if object := m.objects[k]; object != nil {
		return object.workload
	}
	return classify.Workload{}
}

// podsOf returns the pods of a workload that fail.
func (m *memory) podsOf(w classify.Workload) []key {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var keys []key
	for k := range m.workloads[w] {
		if k.Kind == "Pod" {
			keys = append(keys, k)
		}
	}
	return keys
}
