package collector

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

const podJSON = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","creationTimestamp":"2026-01-02T03:04:05Z",
 "managedFields":[{"manager":"kubelet","time":"2026-09-09T00:00:00Z"}]},"spec":{"containers":[{"name":"app","image":"nginx"}]}}`

func readString(t *testing.T, text string) (*Objects, error) {
	t.Helper()
	return ReadObjects([]string{"-"}, strings.NewReader(text))
}

// counts says what was read, in a form that a table can hold.
func counts(o *Objects) string {
	return fmt.Sprintf("pods=%d events=%d controllers=%d nodes=%d quotas=%d namespaces=%d skipped=%v",
		len(o.Pods), len(o.Events), len(o.Controllers), len(o.Nodes), len(o.Quotas), len(o.Namespaces), o.Skipped)
}

func TestReadObjectsForms(t *testing.T) {
	pod := func(name string) string {
		return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"` + name + `","namespace":"shop"}}`
	}
	const bare = `{"metadata":{"name":"a","namespace":"shop"}},{"metadata":{"name":"b","namespace":"shop"}}`
	for name, test := range map[string]struct{ text, want string }{
		"object":             {podJSON, "pods=1"},
		"list":               {`{"apiVersion":"v1","items":[` + pod("a") + "," + pod("b") + `],"kind":"List","metadata":{"resourceVersion":""}}`, "pods=2"},
		"typed list":         {`{"kind":"PodList","apiVersion":"v1","metadata":{},"items":[` + bare + `]}`, "pods=2"},
		"kind behind items":  {`{"items":[` + bare + `],"apiVersion":"v1","kind":"PodList"}`, "pods=2"},
		"typed list apart":   {`{"kind":"DeploymentList","apiVersion":"apps/v1","items":[` + bare + `]}`, "controllers=2"},
		"nested list":        {`{"kind":"List","apiVersion":"v1","items":[{"kind":"PodList","apiVersion":"v1","items":[` + bare + `]}]}`, "pods=2"},
		"array":              {`[` + pod("a") + `,` + pod("b") + `]`, "pods=2"},
		"empty list":         {`{"apiVersion":"v1","items":[],"kind":"List"}`, "pods=0"},
		"null list":          {`{"apiVersion":"v1","items":null,"kind":"PodList"}`, "pods=0"},
		"concatenated":       {pod("a") + pod("b") + "\n\n" + pod("c"), "pods=3"},
		"byte order mark":    {"\xef\xbb\xbf" + pod("a"), "pods=1"},
		"blank before":       {strings.Repeat("\n", 9000) + "  " + pod("a"), "pods=1"},
		"same object twice":  {pod("a") + pod("a"), "pods=1"},
		"yaml":               {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n", "pods=1"},
		"indented yaml":      {"\n  apiVersion: v1\n  kind: Pod\n  metadata:\n    name: a\n", "pods=1"},
		"yaml documents":     {"# first\n---\nkind: Pod\napiVersion: v1\n--- # second\n{kind: Node, apiVersion: v1}\n---\n---\n...\n", "pods=1 events=0 controllers=0 nodes=1"},
		"yaml list":          {"apiVersion: v1\nkind: List\nitems:\n- kind: Pod\n  apiVersion: v1\n  metadata: {name: a}\n", "pods=1"},
		"json behind ---":    {"---\n" + pod("a") + "\n---\n" + pod("b"), "pods=2"},
		"dashes in a scalar": {"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  annotations:\n    text: |\n      ---\n      x\n", "pods=1"},
		"skipped": {
			`{"kind":"ConfigMap","apiVersion":"v1"}{"kind":"ConfigMap","apiVersion":"v1"}{"kind":"Job","apiVersion":"batch.volcano.sh/v1alpha1"}`,
			"namespaces=0 skipped=map[ConfigMap:2 Job.batch.volcano.sh:1]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := readString(t, test.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := counts(o); !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestReadObjectsKinds(t *testing.T) {
	var b strings.Builder
	for _, kind := range []string{
		"v1/Pod", "v1/Event", "events.k8s.io/v1/Event", "apps/v1/ReplicaSet", "apps/v1/Deployment", "apps/v1/StatefulSet", "apps/v1/DaemonSet",
		"extensions/v1beta1/Deployment", "batch/v1/Job", "batch/v1/CronJob", "batch/v1beta1/CronJob", "v1/ResourceQuota", "v1/Node", "v1/Namespace",
	} {
		at := strings.LastIndex(kind, "/")
		fmt.Fprintf(&b, `{"apiVersion":%q,"kind":%q,"metadata":{"name":%q}}`, kind[:at], kind[at+1:], strings.ToLower(strings.ReplaceAll(kind, "/", "-")))
	}
	o, err := readString(t, b.String())
	if err != nil {
		t.Fatal(err)
	}
	const want = "pods=1 events=2 controllers=8 nodes=1 quotas=1 namespaces=1 skipped=map[]"
	if got := counts(o); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReadObjectsNewerEvent(t *testing.T) {
	o, err := readString(t, `{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"e","namespace":"shop"},"type":"Warning","reason":"Failed",
		"note":"no such image","regarding":{"kind":"Pod","name":"web","fieldPath":"spec.containers{app}"},"eventTime":"2026-03-01T10:00:00.123456Z",
		"deprecatedCount":4,"deprecatedLastTimestamp":"2026-03-01T10:05:00Z","deprecatedSource":{"component":"kubelet"},"reportingController":"kubelet",
		"series":{"count":5,"lastObservedTime":"2026-03-01T10:06:00.500000Z"}}`)
	if err != nil {
		t.Fatal(err)
	}
	event := o.Events[0]
	got := []any{
		event.Message, event.InvolvedObject.FieldPath, event.Count, event.Source.Component, event.Series.Count, event.Reason, event.Type, event.ReportingController,
	}
	want := []any{"no such image", "spec.containers{app}", int32(4), "kubelet", int32(5), "Failed", "Warning", "kubelet"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := time.Date(2026, 3, 1, 10, 6, 0, 5e8, time.UTC); !o.Newest.Equal(want) {
		t.Errorf("newest is %v, want %v", o.Newest, want)
	}
}

func TestReadObjectsNewest(t *testing.T) {
	const newest = "2026-05-05T05:05:05Z"
	for name, text := range map[string]string{
		"creation":   `{"kind":"ResourceQuota","apiVersion":"v1","metadata":{"creationTimestamp":"T"}}`,
		"start":      `{"kind":"Pod","apiVersion":"v1","status":{"startTime":"T"}}`,
		"condition":  `{"kind":"Pod","apiVersion":"v1","status":{"conditions":[{"lastTransitionTime":"T"}]}}`,
		"running":    `{"kind":"Pod","apiVersion":"v1","status":{"containerStatuses":[{"state":{"running":{"startedAt":"T"}}}]}}`,
		"init ended": `{"kind":"Pod","apiVersion":"v1","status":{"initContainerStatuses":[{"lastState":{"terminated":{"finishedAt":"T"}}}]}}`,
		"event":      `{"kind":"Event","apiVersion":"v1","lastTimestamp":"T"}`,
		"node":       `{"kind":"Node","apiVersion":"v1","status":{"conditions":[{"lastHeartbeatTime":"T"}]}}`,
		"namespace":  `{"kind":"Namespace","apiVersion":"v1","status":{"conditions":[{"lastTransitionTime":"T"}]}}`,
		"replicaset": `{"kind":"ReplicaSet","apiVersion":"apps/v1","status":{"conditions":[{"lastTransitionTime":"T"}]}}`,
		"deployment": `{"kind":"Deployment","apiVersion":"apps/v1","status":{"conditions":[{"lastUpdateTime":"T"}]}}`,
		"job":        `{"kind":"Job","apiVersion":"batch/v1","status":{"completionTime":"T"}}`,
		"cronjob":    `{"kind":"CronJob","apiVersion":"batch/v1","status":{"lastScheduleTime":"T"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			o, err := readString(t, podJSON+strings.ReplaceAll(text, `"T"`, `"`+newest+`"`))
			if err != nil {
				t.Fatal(err)
			}
			if got := o.Newest.UTC().Format(time.RFC3339); got != newest {
				t.Errorf("newest is %s, want %s", got, newest)
			}
		})
	}
	o, err := readString(t, podJSON)
	if err != nil {
		t.Fatal(err)
	}
	if got := o.Newest.UTC().Format(time.RFC3339); got != "2026-01-02T03:04:05Z" || o.Pods[0].ManagedFields != nil {
		t.Errorf("newest is %s, with managed fields %v: they must count for nothing", got, o.Pods[0].ManagedFields)
	}
}

func TestReadObjectsBrokenInput(t *testing.T) {
	const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"}`
	for name, test := range map[string]struct{ text, want string }{
		"nothing":          {"", "standard input is empty: make an input with: kubectl get pods,"},
		"comments":         {"# nothing\n---\n", "standard input is empty"},
		"cut off":          {"{\n\"kind\":\"List\",\"items\":[\n" + pod, "document 1: line 3: the input ends in the middle"},
		"syntax in value":  {pod + "}\n{\"kind\":\"Pod\",\n\"spec\":{\n\"a\": ?}}", "document 2: line 4: invalid character '?'"},
		"syntax in item":   {"{\"items\":[\n" + pod + "},\n" + pod + "},\n{\"kind\":\n\n!}]}", "document 1: item 3: line 6: invalid character '!'"},
		"syntax in tokens": {"{\"kind\":\"List\",\n\"items\":[\n" + pod + "}\n" + pod + "}]}", "document 1: item 2: line 4: "},
		"yaml syntax":      {"kind: Pod\n---\nkind: Pod\nmetadata:\n  name: a\n bad: [\n", "document 2: near line 5: YAML: did not find"},
		"yaml tabs":        {"kind: Pod\n\tx: y\n", "document 1: near line 2: YAML: found a tab character"},
		"wrong type":       {pod + `,"spec":{"containers":[{"name":"a","image":7}]}}`, "document 1: Pod shop/web: field spec.containers.image is of the wrong type: found number, want string"},
		"wrong kind":       {`{"kind":3,"metadata":{"name":"x"}}`, "object x: field kind is of the wrong type: found number, want string"},
		"wrong item": {
			`{"kind":"List","items":[` + pod + `},{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api"},"spec":{"replicas":"2"}}]}`,
			"item 2: Deployment api: field spec.replicas is of the wrong type: found string, want int32",
		},
		"wrong quantity": {
			`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":"many"}}}`, "ResourceQuota q: quantities must match",
		},
		"tiny quantity": {
			`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":"1e-999999999"}}}`,
			`ResourceQuota q: "1e-999999999" is no quantity`,
		},
		"tiny number": {
			`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":1E-999999999}}}`,
			`ResourceQuota q: 1E-999999999 is no quantity`,
		},
		"long quantity": {
			`{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q"},"spec":{"hard":{"pods":"111111111111111111111e18446744"}}}`,
			`ResourceQuota q: "111111111111111111111e18446744" is no quantity`,
		},
		"wrong time":     {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","creationTimestamp":"yesterday"}}`, `Pod a: parsing time "yesterday"`},
		"no kind":        {`{"metadata":{"name":"a"}}`, "object a: it has no kind, so it is not a Kubernetes object"},
		"a text":         {"Error from server (Forbidden)\n", "document 1: from line 1: not a Kubernetes object"},
		"a number":       {"[7]", "item 1: not a Kubernetes object"},
		"items no list":  {`{"kind":"List","items":{"a":1}}`, "line 1: items is not a list"},
		"nested no list": {"kind: List\nitems: 7\n", "items is not a list"},
		"deep lists":     {strings.Repeat(`{"kind":"List","items":[`, 40) + strings.Repeat("]}", 40), "too many Lists"},
		"utf-16":         {"\xff\xfe{\x00", "the text is UTF-16: write it as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readString(t, test.text)
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "standard input") {
				t.Errorf("got %q, want %q", err, test.want)
			}
		})
	}
}

func TestReadObjectsFiles(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("dump/a.json", podJSON)
	write("dump/b/c.yml", "kind: Node\napiVersion: v1\n")
	write("dump/b/d.YAML", "kind: Namespace\napiVersion: v1\n")
	write("dump/b/empty.json", "")
	write("dump/b/logs.txt", "not an object")
	write("other/readme.md", "nothing")
	empty, broken := write("empty.json", " \n"), write("broken.yaml", "a: [")
	o, err := ReadObjects([]string{filepath.Join(folder, "dump"), "-"}, strings.NewReader(`{"kind":"ResourceQuota","apiVersion":"v1"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := counts(o); got != "pods=1 events=0 controllers=0 nodes=1 quotas=1 namespaces=1 skipped=map[]" {
		t.Errorf("got %s", got)
	}
	for want, paths := range map[string][]string{
		"no input is named":                  nil,
		empty + " is empty":                  {empty},
		broken + ": document 1: near line 1": {broken},
		"no such file":                       {filepath.Join(folder, "missing.json")},
		"has no *.json, *.yaml or *.yml":     {filepath.Join(folder, "other")},
		"standard input is named twice":      {"-", "-"},
		"standard input is empty":            {filepath.Join(folder, "dump"), "-"},
		"reading folder " + folder + ": ":    {folder},
	} {
		stdin := io.Reader(strings.NewReader(""))
		if len(paths) == 2 && paths[0] == "-" {
			stdin = strings.NewReader(podJSON)
		}
		if _, err := ReadObjects(paths, stdin); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", paths, err, want)
		}
	}
}

// listReader makes a long List without holding it.
type listReader struct {
	items int
	rest  []byte
	state int
}

func (l *listReader) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		switch {
		case l.state == 0:
			l.rest = []byte(`{"apiVersion":"v1","items":[`)
		case l.state <= l.items:
			l.rest = fmt.Appendf(nil, "%s\n{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"data\":{\"a\":%q}}",
				map[bool]string{true: ",", false: ""}[l.state > 1], bytes.Repeat([]byte("x"), 1<<10))
		case l.state == l.items+1:
			l.rest = []byte(`],"kind":"List"}`)
		default:
			return 0, io.EOF
		}
		l.state++
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestReadObjectsStreams(t *testing.T) {
	const items = 20_000 // of one KiB
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	in := &input{objects: &Objects{Skipped: map[string]int{}}, seen: map[objectKey]int{}}
	if err := in.read("list", &listReader{items: items}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if in.objects.Skipped["ConfigMap"] != items {
		t.Errorf("got %v", in.objects.Skipped)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 15<<20 {
		t.Errorf("reading a List of 20 MiB whose items are not kept took %d MiB of heap", grown>>20)
	}
}

func FuzzReadObjects(f *testing.F) {
	for _, seed := range []string{
		podJSON, `{"items":[` + podJSON + `,{}],"kind":"List"}`, "kind: Pod\napiVersion: v1\n---\nkind: List\nitems: [{kind: Node}]\n", "[[]]", "- a\n",
		`{"kind":"PodList","apiVersion":"v1","items":[{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"x"}}}]}}]}`,
		`{"kind":"Event","apiVersion":"events.k8s.io/v1","note":"x","eventTime":"2026-01-01T00:00:00.000000Z","series":{"count":1}}`,
		`{"kind":"ResourceQuota","apiVersion":"v1","spec":{"hard":{"cpu":"1e3","memory":"5Gi"}}}`,
		`{"kind":"Job","apiVersion":"batch/v1","spec":{"parallelism":2,"suspend":true},"status":{"conditions":[{"type":"Complete","status":"True"}]}}`,
		"a: &a [x,x]\nb: &b [*a,*a]\nkind: Pod\n", "\xff\xfe", "---\n...\n--- {kind: Pod}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		o, err := ReadObjects([]string{"-"}, bytes.NewReader(text))
		if (o == nil) == (err == nil) {
			t.Fatalf("got %v and %v: want one of them", o, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "standard input") {
			t.Fatalf("%q does not name its input", err)
		}
	})
}
