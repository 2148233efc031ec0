package collector

import (
	"maps"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// begin is when the tests of the memory begin.
var begin = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func newTestMemory(t *testing.T) *memory {
	t.Helper()
	return newEngine(t, classify.DefaultOptions()).memory
}

var podKey = key{"Pod", "shop", "web-1"}

// failing is a failure of a cause, in a container called app of the pod web-1.
func failing(t *testing.T, cause classify.Cause, change ...func(*classify.Failure)) classify.Failure {
	t.Helper()
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	page := catalogue.Page(cause)
	if page == nil {
		t.Fatalf("no cause %s", cause)
	}
	f := classify.Failure{
		Kind: "Pod", Namespace: "shop", Name: "web-1", Container: "app", Node: "node-1", WorkloadKind: "Deployment", Workload: "web",
		Family: page.Family, Reason: string(page.Family), Cause: cause, Since: begin, Message: string(cause), Image: "registry.example/web:1",
		SinceKept: stage(page.Family) == classify.FamilyCrash, // its event dates a loop
	}
	for _, c := range change {
		c(&f)
	}
	return f
}

func since(at time.Duration, kept bool) func(*classify.Failure) {
	return func(f *classify.Failure) { f.Since, f.SinceKept = begin.Add(at), kept }
}

func message(text string) func(*classify.Failure) {
	return func(f *classify.Failure) { f.Message = text }
}

// told is a verdict at a time after begin, and what the memory shows then ("" for nothing).
type told struct {
	at      time.Duration
	verdict classify.Verdict
	uid     types.UID
	want    classify.Cause
	since   time.Duration
	opened  bool
}

func one(f classify.Failure) classify.Verdict {
	return classify.Verdict{Failures: []classify.Failure{f}}
}

func open(container string, families ...classify.Family) classify.Verdict {
	var v classify.Verdict
	for _, family := range families {
		v.Open = append(v.Open, classify.Stage{Container: container, Family: family})
	}
	return v
}

func checkTold(t *testing.T, steps []told) {
	t.Helper()
	m := newTestMemory(t)
	for i, step := range steps {
		opened, _ := m.observe(podKey, step.uid, step.verdict, begin.Add(step.at))
		failures := m.failures()
		var got classify.Cause
		var at time.Duration
		if len(failures) > 0 {
			got, at = failures[0].Cause, failures[0].Since.Sub(begin)
		}
		if got != step.want || got != "" && at != step.since {
			t.Errorf("step %d: shows %q since %s, want %q since %s", i, got, at, step.want, step.since)
		}
		if len(opened) > 0 != step.opened {
			t.Errorf("step %d: opened %v, want %t", i, opened, step.opened)
		}
	}
}

func TestMemoryStart(t *testing.T) {
	tag := func(change ...func(*classify.Failure)) classify.Verdict {
		return one(failing(t, classify.ImageTagNotFound, change...))
	}
	for name, steps := range map[string][]told{
		"the same cause keeps its start": {
			{verdict: tag(), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: tag(since(time.Minute, false)), want: classify.ImageTagNotFound},
		},
		"a start that the API keeps replaces one that it does not, once": {
			{verdict: tag(since(time.Second, false)), want: classify.ImageTagNotFound, since: time.Second, opened: true},
			{verdict: tag(since(-time.Minute, true)), want: classify.ImageTagNotFound, since: -time.Minute},
			{verdict: tag(since(time.Minute, true)), want: classify.ImageTagNotFound, since: -time.Minute},
			{verdict: tag(since(time.Hour, false)), want: classify.ImageTagNotFound, since: -time.Minute},
		},
		"stale news neither confirms nor ends it": {
			{verdict: tag(), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: classify.Verdict{Stale: true}, want: classify.ImageTagNotFound},
			{at: 2 * time.Minute},
			{at: 3 * time.Minute, verdict: classify.Verdict{Stale: true}},
		},
		"another image is another failure": {
			{verdict: tag(), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: tag(since(time.Minute, true), func(f *classify.Failure) { f.Image = "registry.example/web:2" }),
				want: classify.ImageTagNotFound, since: time.Minute},
		},
		"another family is another failure": {
			{verdict: tag(), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: one(failing(t, classify.ConfigMapMissing, since(time.Minute, true))), want: classify.ConfigMapMissing, since: time.Minute},
		},
		"another pod of the same name is another failure": {
			{verdict: tag(), uid: "1", want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: tag(since(time.Minute, false)), uid: "2", want: classify.ImageTagNotFound, since: time.Minute, opened: true},
			{at: time.Hour, uid: "3"},
		},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, steps) })
	}
}

func TestMemoryStage(t *testing.T) {
	tag := one(failing(t, classify.ImageTagNotFound))
	for name, steps := range map[string][]told{
		"lasts at its stage although its evidence is gone": {
			{verdict: tag, want: classify.ImageTagNotFound, opened: true},
			{at: time.Hour, verdict: open("app", classify.FamilyConfig, classify.FamilyImage), want: classify.ImageTagNotFound},
			{at: 2 * time.Hour, verdict: open("app", classify.FamilyConfig)},
		},
		"another container's stage does not hold it": {
			{verdict: tag, want: classify.ImageTagNotFound, opened: true},
			{verdict: open("proxy", classify.FamilyImage)},
		},
		"a missing pull secret whose event is gone": {
			{verdict: one(failing(t, classify.ImagePullSecretMissing)), want: classify.ImagePullSecretMissing, opened: true},
			{at: time.Hour, verdict: one(failing(t, classify.ImagePullUnauthorized)), want: classify.ImagePullSecretMissing},
		},
		"closes without a stage": {
			{verdict: tag, want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute},
			{at: time.Hour, verdict: one(failing(t, classify.ImageTagNotFound, since(time.Hour, false))), want: classify.ImageTagNotFound, since: time.Hour, opened: true},
		},
		"a loop that ends now at its start and now later is one": {
			{verdict: one(failing(t, classify.OOMKilled)), want: classify.OOMKilled, opened: true},
			{at: time.Minute, verdict: one(failing(t, classify.OOMKilledAtStart, since(time.Minute, false))), want: classify.OOMKilled},
		},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, steps) })
	}
}

func TestMemorySharpness(t *testing.T) {
	sharp := one(failing(t, classify.ImageTagNotFound, message("not found")))
	for name, steps := range map[string][]told{
		"vaguer never replaces sharper": {
			{verdict: sharp, want: classify.ImageTagNotFound, opened: true},
			{at: time.Hour, verdict: one(failing(t, classify.ImagePullFailed, since(time.Hour, true))), want: classify.ImageTagNotFound},
			{at: 9 * time.Hour, verdict: one(failing(t, classify.ImageOrTagNotFound)), want: classify.ImageTagNotFound},
		},
		"sharper replaces vaguer with the old start": {
			{verdict: one(failing(t, classify.ImagePullFailed, since(-time.Minute, true))), want: classify.ImagePullFailed, since: -time.Minute, opened: true},
			{at: time.Second, verdict: one(failing(t, classify.ImageTagNotFound, since(time.Hour, true))), want: classify.ImageTagNotFound, since: -time.Minute},
		},
		"silence never replaces a word, and any word replaces it": {
			{verdict: one(failing(t, classify.ContainerCreatingTimeout)), want: classify.ContainerCreatingTimeout, opened: true},
			{at: time.Second, verdict: one(failing(t, classify.SandboxCreateFailed)), want: classify.SandboxCreateFailed},
			{at: time.Hour, verdict: one(failing(t, classify.ContainerCreatingTimeout)), want: classify.SandboxCreateFailed},
			{at: 9 * time.Hour, verdict: one(failing(t, classify.ContainerCreatingTimeout)), want: classify.SandboxCreateFailed},
		},
		"the same words hold still although the cluster knows more": {
			{verdict: one(failing(t, classify.ImagePullFailed, message("not found"))), want: classify.ImagePullFailed, opened: true},
			{at: time.Hour, verdict: sharp, want: classify.ImagePullFailed},
		},
		"a rollout takes its root cause and keeps it": {
			{verdict: one(rollout(t, classify.ProgressDeadlineExceeded)), want: classify.ProgressDeadlineExceeded, opened: true},
			{at: time.Second, verdict: one(rollout(t, classify.AppError)), want: classify.AppError},
			{at: time.Hour, verdict: one(rollout(t, classify.ProgressDeadlineExceeded)), want: classify.AppError},
			{at: 2 * time.Hour, verdict: one(rollout(t, classify.OOMKilled)), want: classify.AppError},
			{at: 2*time.Hour + 5*time.Minute, verdict: one(rollout(t, classify.OOMKilled)), want: classify.OOMKilled},
		},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, steps) })
	}
}

func rollout(t *testing.T, cause classify.Cause) classify.Failure {
	t.Helper()
	return failing(t, cause, func(f *classify.Failure) {
		f.Kind, f.Family, f.Container, f.Image = "Deployment", classify.FamilyRollout, "", ""
	})
}

// TestMemoryEqual is about two causes that decide as much as each other.
func TestMemoryEqual(t *testing.T) {
	verdict := func(cause classify.Cause, at time.Duration) classify.Verdict {
		return one(failing(t, cause, since(at, true)))
	}
	const wait = 5 * time.Minute // of the pages of RegistryUnreachable and InsufficientCPU
	hold := classify.DefaultOptions().CrashHold
	for name, steps := range map[string][]told{
		"what a person mends replaces at once": {
			{verdict: verdict(classify.ImageTagNotFound, 0), want: classify.ImageTagNotFound, opened: true},
			{verdict: verdict(classify.RegistryTLSError, time.Second), want: classify.RegistryTLSError, since: time.Second},
		},
		"what may heal must last": {
			{verdict: verdict(classify.ImageTagNotFound, 0), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: verdict(classify.RegistryUnreachable, time.Minute), want: classify.ImageTagNotFound},
			{at: time.Minute + wait - 1, verdict: verdict(classify.RegistryUnreachable, time.Minute), want: classify.ImageTagNotFound},
			{at: time.Minute + wait, verdict: verdict(classify.RegistryUnreachable, time.Minute), want: classify.RegistryUnreachable, since: time.Minute},
		},
		"a flap back begins the wait anew": {
			{verdict: verdict(classify.ImageTagNotFound, 0), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.ImageTagNotFound},
			{at: 2 * time.Minute, verdict: verdict(classify.ImageTagNotFound, 0), want: classify.ImageTagNotFound},
			{at: 3 * time.Minute, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.ImageTagNotFound},
			{at: time.Minute + wait, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.ImageTagNotFound},
			{at: 3*time.Minute + wait, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.RegistryUnreachable},
		},
		"a vaguer word between begins the wait anew": {
			{verdict: verdict(classify.ImageTagNotFound, 0), want: classify.ImageTagNotFound, opened: true},
			{at: time.Minute, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.ImageTagNotFound},
			{at: 2 * time.Minute, verdict: verdict(classify.ImagePullFailed, 0), want: classify.ImageTagNotFound},
			{at: time.Minute + wait, verdict: verdict(classify.RegistryUnreachable, 0), want: classify.ImageTagNotFound},
		},
		"a crash loop keeps its cause for the hold": {
			{verdict: verdict(classify.AppError, 0), want: classify.AppError, opened: true},
			{at: time.Minute, verdict: verdict(classify.Killed, time.Minute), want: classify.AppError},
			{at: time.Minute + hold - 1, verdict: verdict(classify.Killed, time.Minute), want: classify.AppError},
			{at: time.Minute + hold, verdict: verdict(classify.Killed, time.Minute), want: classify.Killed, since: time.Minute},
		},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, steps) })
	}
}

// TestMemoryAgain says when to look again at a cause that must last.
func TestMemoryAgain(t *testing.T) {
	m := newTestMemory(t)
	m.observe(podKey, "1", one(failing(t, classify.ImageTagNotFound)), begin)
	_, again := m.observe(podKey, "1", one(failing(t, classify.RegistryUnreachable)), begin)
	if want := begin.Add(5 * time.Minute); !again.Equal(want) {
		t.Errorf("again at %s, want %s", again, want)
	}
	v := one(failing(t, classify.RegistryUnreachable))
	v.Recheck = begin.Add(time.Minute)
	if _, again = m.observe(podKey, "1", v, begin); !again.Equal(v.Recheck) {
		t.Errorf("again at %s, want the verdict's own %s, which is earlier", again, v.Recheck)
	}
	if _, again = m.observe(key{"Pod", "shop", "other"}, "1", classify.Verdict{Recheck: v.Recheck}, begin); !again.Equal(v.Recheck) {
		t.Errorf("again at %s for an object that is not known, want %s", again, v.Recheck)
	}
}

func TestMemoryRefresh(t *testing.T) {
	m := newTestMemory(t)
	m.observe(podKey, "1", one(failing(t, classify.RegistryUnreachable)), begin)
	changed := failing(t, classify.RegistryUnreachable, message("dial tcp 10.0.0.2"), func(f *classify.Failure) {
		f.Reason, f.Family, f.Node, f.Workload, f.WorkloadKind, f.MissingPods = "other", classify.FamilyImage, "", "other", "Other", 3
	})
	m.observe(podKey, "1", one(changed), begin.Add(time.Hour))
	got := m.failures()[0]
	if got.Reason != "image" || got.Node != "node-1" || got.Workload != "web" || got.WorkloadKind != "Deployment" || !got.Since.Equal(begin) {
		t.Errorf("the labels changed: %+v", got)
	}
	if got.Message != "dial tcp 10.0.0.2" || got.MissingPods != 3 {
		t.Errorf("words and figures are old: %+v", got)
	}
}

// TestMemoryProof proves that evidence follows what is told of the same cause, stays when its objects are gone, and makes no
// other failure of it.
func TestMemoryProof(t *testing.T) {
	proof := func(code, count int32) func(*classify.Failure) {
		return func(f *classify.Failure) {
			if code > 0 {
				f.LastEnd = &classify.End{ExitCode: code, Restarts: count}
			}
			if count > 0 {
				f.Events = []classify.Event{{Reason: "BackOff", Count: count}}
			}
		}
	}
	m := newTestMemory(t)
	for i, step := range []struct {
		cause       classify.Cause
		told        func(*classify.Failure)
		code, count int32
	}{
		{classify.AppError, proof(1, 1), 1, 1},
		{classify.AppError, proof(2, 5), 2, 5},
		{classify.AppError, proof(2, 0), 2, 5}, // the event has expired
		{classify.AppError, proof(0, 6), 2, 6},
		{classify.Killed, proof(137, 7), 2, 6}, // it has to last before it is told, and then with its own evidence
		{classify.AppError, proof(3, 8), 3, 8},
		{classify.OOMKilled, proof(137, 0), 137, 0}, // what is sharper is told at once: the evidence of the old cause is none of it
		{classify.AppError, proof(1, 9), 137, 0},
	} {
		opened, _ := m.observe(podKey, "1", one(failing(t, step.cause, step.told)), begin.Add(time.Duration(i)*time.Second))
		if len(opened) > 0 != (i == 0) {
			t.Errorf("step %d: opened %v", i, opened)
		}
		got := m.failures()
		if len(got) != 1 || !got[0].Since.Equal(begin) || got[0].LastEnd.ExitCode != step.code || events(got[0]) != step.count {
			t.Errorf("step %d: shows %+v with %+v, want exit code %d and %d times the event", i, got, got[0].LastEnd, step.code, step.count)
		}
	}
}

// events is how often the failure's events were seen.
func events(f classify.Failure) (count int32) {
	for _, e := range f.Events {
		count += e.Count
	}
	return count
}

func TestMemoryHidden(t *testing.T) {
	ambiguous, certain := one(failing(t, classify.ImageOrTagNotFound)), one(failing(t, classify.ImageTagNotFound))
	for name, steps := range map[string][]told{
		"shown after the grace, opened once": {
			{verdict: ambiguous},
			{at: time.Second, verdict: ambiguous},
			{at: 1500 * time.Millisecond, verdict: ambiguous, want: classify.ImageOrTagNotFound, opened: true},
			{at: 2 * time.Second, verdict: ambiguous, want: classify.ImageOrTagNotFound},
		},
		"sharpened while hidden": {
			{verdict: ambiguous},
			{at: time.Second, verdict: certain, want: classify.ImageTagNotFound, opened: true},
			{at: 2 * time.Second, verdict: ambiguous, want: classify.ImageTagNotFound},
		},
		"gone while hidden": {
			{verdict: ambiguous},
			{at: time.Second},
			{at: 2 * time.Second, verdict: ambiguous},
		},
		"a loop that is dated is not hidden": {
			{verdict: one(failing(t, classify.AppError)), want: classify.AppError, opened: true},
		},
		"a loop whose event is on its way": {
			{verdict: one(failing(t, classify.AppError, since(0, false)))},
			{at: time.Second, verdict: one(failing(t, classify.AppError, since(time.Second, true))), want: classify.AppError, since: time.Second, opened: true},
		},
		"a loop whose event does not come": {
			{verdict: one(failing(t, classify.AppError, since(0, false)))},
			{at: 2 * time.Second, verdict: one(failing(t, classify.AppError, since(0, false))), want: classify.AppError, opened: true},
		},
	} {
		t.Run(name, func(t *testing.T) { checkTold(t, steps) })
	}
	m := newTestMemory(t)
	_, again := m.observe(podKey, "1", ambiguous, begin)
	if want := begin.Add(m.proofGrace); !again.Equal(want) {
		t.Errorf("look again at %s, want %s", again, want)
	}
	w := classify.Workload{Namespace: "shop", Kind: "Deployment", Name: "web"}
	if failures := m.ofWorkload(w); len(failures) != 0 {
		t.Errorf("a hidden failure explains its workload: %v", failures)
	}
	if !m.holds(podKey) {
		t.Error("a hidden failure is held")
	}
	m = newEngine(t, classify.OneLookOptions()).memory
	if opened, _ := m.observe(podKey, "1", ambiguous, begin); len(opened) != 1 {
		t.Error("a single look hides nothing")
	}
}

func TestMemoryHistory(t *testing.T) {
	m := newTestMemory(t)
	m.observe(podKey, "1", one(failing(t, classify.AppError)), begin)
	m.remember(podKey, "1")
	switch {
	case !m.isHistory(podKey, "1"):
		t.Error("a replaced pod is not history")
	case m.isHistory(podKey, "2"):
		t.Error("another pod of its name is history")
	case m.holds(podKey), len(m.failures()) > 0:
		t.Error("history fails")
	}
	m.observe(podKey, "2", one(failing(t, classify.AppError)), begin)
	if m.isHistory(podKey, "1") || !m.holds(podKey) {
		t.Error("the pod that took the name is not held")
	}
	m.forget(podKey)
	if len(m.objects) > 0 || len(m.workloads) > 0 {
		t.Errorf("something is left: %v, %v", m.objects, m.workloads)
	}
}

func TestMemoryIndexes(t *testing.T) {
	m := newTestMemory(t)
	w := classify.Workload{Namespace: "shop", Kind: "Deployment", Name: "web"}
	other := key{"Pod", "shop", "web-2"}
	set, deployment := key{"ReplicaSet", "shop", "web-7"}, key{"Deployment", "shop", "web"}
	for k, f := range map[key]classify.Failure{
		podKey: failing(t, classify.AppError), other: failing(t, classify.OOMKilled), set: failing(t, classify.QuotaExceeded), deployment: rollout(t, classify.AppError),
	} {
		m.observe(k, "1", one(f), begin)
	}
	causes := func() []string {
		var out []string
		for _, f := range m.ofWorkload(w) {
			out = append(out, string(f.Cause))
		}
		slices.Sort(out)
		return out
	}
	if got, want := causes(), []string{"AppError", "OOMKilled", "QuotaExceeded"}; !slices.Equal(got, want) {
		t.Errorf("the workload fails of %v, want %v: its rollout aside", got, want)
	}
	if got := m.podsOf(w); len(got) != 2 || !slices.Contains(got, podKey) || !slices.Contains(got, other) {
		t.Errorf("pods %v", got)
	}
	m.forget(other)
	m.observe(set, "1", classify.Verdict{}, begin)
	if got, want := causes(), []string{"AppError"}; !slices.Equal(got, want) {
		t.Errorf("the workload fails of %v, want %v", got, want)
	}
	if got := m.workload(podKey); got != w {
		t.Errorf("the pod's workload is %v", got)
	}
	m.forget(podKey)
	m.forget(deployment)
	if got := slices.Collect(maps.Keys(m.workloads)); len(got) > 0 || m.workload(podKey) != (classify.Workload{}) {
		t.Errorf("workloads are left: %v", got)
	}
}

// TestMemoryAttribution proves that a failure goes to the workload above its pod's owner once that is known, and stays there.
func TestMemoryAttribution(t *testing.T) {
	m := newTestMemory(t)
	by := func(kind, name string) func(*classify.Failure) {
		return func(f *classify.Failure) { f.WorkloadKind, f.Workload = kind, name }
	}
	job, cron := classify.Workload{Namespace: "shop", Kind: "Job", Name: "nightly-1"}, classify.Workload{Namespace: "shop", Kind: "CronJob", Name: "nightly"}
	for _, step := range []struct {
		what string
		told classify.Failure
		want classify.Workload
	}{
		{"nobody knows the Job", failing(t, classify.AppError, by("Job", "nightly-1")), job},
		{"the Job is known", failing(t, classify.AppError, by("CronJob", "nightly")), cron},
		{"the Job is gone", failing(t, classify.AppError, by("Job", "nightly-1")), cron},
		{"the Job is gone, and the cause is another", failing(t, classify.OOMKilled, by("Job", "nightly-1")), cron},
	} {
		m.observe(podKey, "1", one(step.told), begin)
		all := m.failures()
		if len(all) != 1 || classify.WorkloadOf(&all[0]) != step.want || m.workload(podKey) != step.want || len(m.workloads) != 1 || len(m.podsOf(step.want)) != 1 {
			t.Errorf("%s: told %+v, known as %v, want %v", step.what, all, m.workload(podKey), step.want)
		}
	}
}

// TestMemoryOrder proves that failures come in the order in which they opened, whatever is refreshed or closed.
func TestMemoryOrder(t *testing.T) {
	m := newTestMemory(t)
	names := func() string {
		var out string
		for _, f := range m.failures() {
			out += f.Name
		}
		return out
	}
	put := func(name string) {
		f := failing(t, classify.AppError, func(f *classify.Failure) { f.Name = name })
		m.observe(key{"Pod", "shop", name}, "1", one(f), begin)
	}
	for _, name := range []string{"d", "a", "c", "b", "a", "d"} {
		put(name)
	}
	for range 10 {
		if got := names(); got != "dacb" {
			t.Fatalf("the order is %s, want dacb", got)
		}
	}
	m.forget(key{"Pod", "shop", "a"})
	put("a")
	if got := names(); got != "dcba" {
		t.Errorf("the order is %s, want dcba", got)
	}
}

func TestNothingIsHiddenWhileStarting(t *testing.T) {
	e := newEngine(t, classify.DefaultOptions())
	e.memory.setStarting(true)
	k := key{"Pod", "apps", "web-1"}
	f := classify.Failure{Kind: "Pod", Namespace: "apps", Name: "web-1", Family: classify.FamilyImage, Cause: classify.ImageOrTagNotFound}
	e.memory.observe(k, "1", classify.Verdict{Failures: []classify.Failure{f}}, costTime)
	if len(e.memory.failures()) != 1 {
		t.Error("what failed before the start is hidden")
	}
}
