package collector

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// player drives an engine with a recording in fake time: no goroutine, no sleep.
type player struct {
	*engine
	caches map[string]cache.Indexer
	now    time.Time
	due    map[key]time.Time
}

func newPlayer(t testing.TB, opts classify.Options) *player {
	t.Helper()
	p := &player{engine: newEngine(t, opts), caches: map[string]cache.Indexer{}, due: map[key]time.Time{}}
	for _, resource := range Resources() {
		if p.caches[resource.Name] == nil {
			p.caches[resource.Name] = cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexers(resource))
			p.store.add(resource, p.caches[resource.Name])
		}
	}
	return p
}

func newEngine(t testing.TB, opts classify.Options) *engine {
	t.Helper()
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return &engine{
		store: newStore(), classifier: classify.New(opts), memory: newMemory(catalogue, opts), unclassified: func(classify.Family) {},
	}
}

// apply puts one watch event into its cache and judges what it touches.
func (p *player) apply(t testing.TB, event taped) {
	t.Helper()
	transform := map[string]func(any) (any, error){
		"pods": podTransform(p.classifier, func() time.Time { return p.now }), "events": eventTransform,
		"resourcequotas": quotaTransform, "nodes": nodeTransform,
	}[event.resource]
	if transform == nil {
		transform = controllerTransform
	}
	object, err := transform(event.object)
	if err != nil {
		t.Fatal(err)
	}
	indexer := p.caches[event.resource]
	old, _, err := indexer.Get(object)
	if err != nil {
		t.Fatal(err)
	}
	if event.kind == watch.Deleted {
		err, object = indexer.Delete(object), nil
	} else {
		err = indexer.Update(object)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.judgeAll(p.changed(old, object))
}

func (p *player) judgeAll(keys []key) {
	for ; len(keys) > 0; keys = keys[1:] {
		result := p.judge(keys[0], p.now)
		delete(p.due, keys[0])
		if !result.again.IsZero() {
			p.due[keys[0]] = result.again
		}
		keys = append(keys, result.next...)
	}
}

// until lets time pass: whatever asked to be judged again is judged when its time comes.
func (p *player) until(at time.Time) {
	for {
		var next key
		when := at
		for k, due := range p.due {
			if !due.After(when) {
				next, when = k, due
			}
		}
		if next == (key{}) {
			p.now = at
			return
		}
		p.now = when
		p.judgeAll([]key{next})
	}
}

// identities collects the label sets and starts under which each object was shown.
type identities map[string]map[string]bool

func (i identities) add(failures []classify.Failure) {
	for _, f := range failures {
		object := strings.Join([]string{f.Kind, f.Namespace, f.Name, f.Container}, "/")
		if i[object] == nil {
			i[object] = map[string]bool{}
		}
		i[object][strings.Join([]string{f.Node, f.WorkloadKind, f.Workload, string(f.Family), f.Reason, string(f.Cause),
			f.Since.UTC().Format(time.RFC3339)}, " ")] = true
	}
}

// recordedCauses are what the recorded workloads should be told to fail of, by namespace/workload.
func recordedCauses() map[string]classify.Cause {
	return map[string]classify.Cause{
		"images/image-not-found": classify.ImageOrTagNotFound, "images/tag-not-found": classify.ImageTagNotFound,
		"images/no-permission": classify.ImagePullUnauthorized, "images/invalid-image-name": classify.InvalidImageName,
		"images/never-pull": classify.ImageNotPresent, "images/registry-unreachable": classify.RegistryUnreachable,
		"images/missing-pull-secret": classify.ImagePullSecretMissing, "images/init-image-not-found": classify.ImageTagNotFound,
		"payments/nginx": classify.QuotaRequiresResources, "payments-full/api": classify.QuotaExceeded,
		"payments-full/db": classify.QuotaExceeded, "payments/import": classify.QuotaRequiresResources,
		"crash/missing-folder": classify.AppFileMissing, "crash/out-of-memory": classify.OOMKilled,
		// Its exit code is all that its status holds: the kernel's "exec format error" stands in the log alone.
		"crash/command-not-found": classify.CommandNotFound, "crash/exec-format": classify.AppError,
		"crash/exits-zero": classify.UnexpectedExit, "crash/init-crash": classify.AppError, "crash/slow-crash": classify.AppError,
		"crash/missing-configmap": classify.ConfigMapMissing, "crash/missing-volume-secret": classify.SecretMissing,
		"probes/liveness-status": classify.LivenessProbeFailed, "probes/readiness-refused": classify.ProbeConnectionRefused,
		"probes/readiness-status": classify.ProbeHTTPStatus, "probes/readiness-exec": classify.ProbeCommandFailed,
		"probes/readiness-timeout": classify.ProbeTimeout, "probes/startup-probe": classify.StartupProbeFailed,
		"scheduling/too-much-cpu": classify.InsufficientCPU, "scheduling/node-selector": classify.NodeAffinityMismatch,
		"scheduling/unbound-claim": classify.PersistentVolumeClaimUnbound, "scheduling/gated": classify.SchedulingGated,
		"admission/privileged": classify.PodSecurityViolation, "limits/big": classify.LimitRangeViolation,
	}
}

func TestReplayHoldsStill(t *testing.T) {
	events := recording(t)
	start, err := tapeStart(bytes.NewReader(demoTape))
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer(t, classify.DefaultOptions())
	seen, told := identities{}, map[string]map[classify.Cause]bool{}
	tick := time.Second
	for _, event := range events {
		for ; tick <= event.at; tick += time.Second {
			p.until(start.Add(tick))
			failures := p.memory.failures()
			seen.add(failures)
			for _, f := range failures {
				w := f.Namespace + "/" + f.Workload
				if told[w] == nil {
					told[w] = map[classify.Cause]bool{}
				}
				told[w][f.Cause] = true
			}
		}
		p.until(start.Add(event.at))
		p.apply(t, event)
	}
	for object, labels := range seen {
		if len(labels) != 1 {
			t.Errorf("%s changed its labels or its start: %s", object, strings.Join(slices.Sorted(maps.Keys(labels)), " | "))
		}
		if strings.Contains(object, "/healthy/") {
			t.Errorf("%s is healthy and was told to fail", object)
		}
	}
	want := recordedCauses()
	for w, cause := range want {
		if !maps.Equal(told[w], map[classify.Cause]bool{cause: true}) {
			t.Errorf("%s: told %v, want %s alone", w, slices.Collect(maps.Keys(told[w])), cause)
		}
	}
	for w := range told {
		if _, known := want[w]; !known {
			t.Errorf("%s was told to fail and should not", w)
		}
	}
}

// recordedUntil plays the recording up to a time.
func recordedUntil(t *testing.T, cut time.Duration) *player {
	t.Helper()
	start, err := tapeStart(bytes.NewReader(demoTape))
	if err != nil {
		t.Fatal(err)
	}
	p := newPlayer(t, classify.DefaultOptions())
	for _, event := range recording(t) {
		if event.at > cut {
			break
		}
		p.until(start.Add(event.at))
		p.apply(t, event)
	}
	p.until(start.Add(cut))
	return p
}

// TestReplayProof looks at what real objects hold of evidence. "-" is for a container that has not ended.
func TestReplayProof(t *testing.T) {
	got := map[string]string{}
	for _, f := range recordedUntil(t, 20*time.Minute).memory.failures() {
		if f.Family == classify.FamilyRollout {
			if f.LastEnd != nil || len(f.Events) > 0 {
				t.Errorf("a rollout has evidence of its own: %+v", f)
			}
			continue
		}
		words := []string{"-"}
		if f.LastEnd != nil {
			words[0] = fmt.Sprintf("%d %s", f.LastEnd.ExitCode, f.LastEnd.Reason)
			if f.LastEnd.At.IsZero() || f.LastEnd.Restarts == 0 {
				t.Errorf("%s: %+v", f.Name, f.LastEnd)
			}
		}
		for _, e := range f.Events {
			words = append(words, e.Reason)
			if e.Type == "" || e.Message == "" || e.First.IsZero() || e.Last.Before(e.First) {
				t.Errorf("%s: %+v", f.Name, e)
			}
		}
		got[f.Namespace+"/"+f.Workload] = strings.Join(words, " ")
	}
	want := map[string]string{
		"crash/command-not-found": "128 StartError Failed BackOff", "crash/exits-zero": "0 Completed BackOff", "crash/missing-folder": "1 Error BackOff",
		"crash/exec-format": "1 Error BackOff", "crash/out-of-memory": "137 OOMKilled BackOff", "crash/init-crash": "3 Error BackOff",
		"crash/slow-crash": "2 Error BackOff", "probes/liveness-status": "137 Error Killing Unhealthy BackOff",
		"probes/startup-probe": "137 Error Killing BackOff Unhealthy", "images/missing-pull-secret": "- FailedToRetrieveImagePullSecret Failed",
		"images/never-pull": "- ErrImageNeverPull", "images/invalid-image-name": "- InspectFailed", "scheduling/gated": "-",
	}
	for _, w := range []string{"images/no-permission", "images/registry-unreachable", "images/init-image-not-found", "images/tag-not-found", "images/image-not-found", "crash/missing-configmap"} {
		want[w] = "- Failed"
	}
	for _, w := range []string{"payments/nginx", "payments-full/api", "payments/import", "payments-full/db", "admission/privileged", "limits/big"} {
		want[w] = "- FailedCreate"
	}
	for _, w := range []string{"probes/readiness-timeout", "probes/readiness-exec", "probes/readiness-status", "probes/readiness-refused"} {
		want[w] = "- Unhealthy"
	}
	for _, w := range []string{"scheduling/unbound-claim", "scheduling/too-much-cpu", "scheduling/node-selector"} {
		want[w] = "- FailedScheduling"
	}
	want["crash/missing-volume-secret"] = "- FailedMount"
	for w := range recordedCauses() {
		if got[w] != want[w] {
			t.Errorf("%s: got %q, want %q", w, got[w], want[w])
		}
	}
}

// TestReplayRestart begins anew in the middle, as a restarted exporter does: the same failures have the same labels, the
// same start (rule S7) and the same evidence.
func TestReplayRestart(t *testing.T) {
	p := recordedUntil(t, 14*time.Minute)
	again := newPlayer(t, classify.DefaultOptions())
	again.now = p.now
	again.store, again.caches = p.store, p.caches
	var keys []key
	for _, indexer := range p.caches {
		for _, object := range indexer.List() {
			keys = append(keys, again.changed(nil, object)...)
		}
	}
	again.judgeAll(keys)
	again.judgeAll(keys) // rollouts may have come before their pods
	again.until(p.now.Add(2 * time.Second))
	before, after := described(p.memory.failures()), described(again.memory.failures())
	if !slices.Equal(before, after) {
		t.Errorf("after a restart:\n%s\nbefore it:\n%s", strings.Join(minus(after, before), "\n"), strings.Join(minus(before, after), "\n"))
	}
}

func described(failures []classify.Failure) []string {
	var lines []string
	for _, f := range failures {
		lines = append(lines, strings.Join([]string{
			f.Kind, f.Namespace, f.Name, f.Container, f.Node, f.WorkloadKind, f.Workload, string(f.Family), f.Reason, string(f.Cause),
			f.Since.UTC().Format(time.RFC3339), fmt.Sprintf("%+v %+v", f.LastEnd, f.Events),
		}, " "))
	}
	slices.Sort(lines)
	return lines
}

func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) })
}

func recording(t testing.TB) []taped {
	t.Helper()
	events, err := readTape(bytes.NewReader(demoTape), 0)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestShiftTimes(t *testing.T) {
	got := string(shiftTimes([]byte(`{"a":"2026-11-22T07:52:08Z","b":"2026-11-22T07:52:13.743540Z","c":"x 2026"}`), time.Hour))
	if want := `{"a":"2026-11-22T08:52:08Z","b":"2026-11-22T08:52:13.743540Z","c":"x 2026"}`; got != want {
		t.Errorf("shifted to %s, want %s", got, want)
	}
}
