package report

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// leftOver is Markdown that nobody has turned into HTML.
var leftOver = regexp.MustCompile("`|\\*\\*|\\]\\(|(?m)^#|^ *(?:-|[0-9]+\\.) ")

func TestEveryCauseHasAPage(t *testing.T) {
	c := catalogue(t)
	page := &Page{Catalogue: c, Snapshot: broken(t)}
	list := string(rendered(t, page.WriteCauses))
	for _, cause := range c.Pages() {
		html := string(rendered(t, func(w io.Writer) error { return page.WriteCause(w, cause) }))
		_, body, _ := strings.Cut(html, "<main>")
		if prose := regexp.MustCompile("(?s)<pre>.*?</pre>|<code>.*?</code>").ReplaceAllString(body, ""); leftOver.MatchString(prose) {
			t.Errorf("%s: Markdown is left over: %q", cause.Cause, leftOver.FindString(prose))
		}
		for _, id := range []string{"meaning", "impact", "diagnosis", "fix", "not-to-be-confused-with", "failing"} {
			if !strings.Contains(body, `<h2 id="`+id+`">`) {
				t.Errorf("%s has no section %s", cause.Cause, id)
			}
		}
		if got := strings.Count(body[:strings.Index(body, `id="failing"`)], "<li>"); got != len(cause.Fix)+strings.Count(cause.Section("Not to be confused with"), "\n- ")+1 {
			t.Errorf("%s: %d items in the lists", cause.Cause, got)
		}
		for _, link := range regexp.MustCompile(`<a href="(\w+)">`).FindAllStringSubmatch(body, -1) {
			if c.Page(classify.Cause(link[1])) == nil || link[1] == string(cause.Cause) {
				t.Errorf("%s links to %s", cause.Cause, link[1])
			}
		}
		if !strings.Contains(list, `<a href="`+string(cause.Cause)+`">`) {
			t.Errorf("the list lacks %s", cause.Cause)
		}
	}
}

// TestCauseShowsAllObjects looks for all that fails for a cause, and for nothing that fails for another one.
func TestCauseShowsAllObjects(t *testing.T) {
	c := catalogue(t)
	page := &Page{Catalogue: c, Snapshot: broken(t)}
	for _, cause := range c.Pages() {
		html := string(rendered(t, func(w io.Writer) error { return page.WriteCause(w, cause) }))
		_, now, _ := strings.Cut(html, `id="failing"`)
		objects := 0
		for _, f := range page.Snapshot.Failures {
			if f.Cause != cause.Cause {
				continue
			}
			objects++
			for _, want := range []string{"<li>" + f.Kind + " " + f.Name, f.Namespace + "/" + f.Workload, "kubectl -n " + f.Namespace + " "} {
				if !strings.Contains(now, want) {
					t.Errorf("%s: %s/%s is not shown: no %q", cause.Cause, f.Namespace, f.Name, want)
				}
			}
		}
		if got := len(regexp.MustCompile(`<li>(Pod|ReplicaSet|Job|Deployment) `).FindAllString(now, -1)); got != objects {
			t.Errorf("%s: %d objects, want %d", cause.Cause, got, objects)
		}
		if none := strings.Contains(now, "No workload fails for this now."); none != (objects == 0) {
			t.Errorf("%s: says that nothing fails: %t", cause.Cause, none)
		}
	}
}

// TestCauseOfThousands has a registry that is down, and a Deployment of as many pods: a page that a browser takes in at once says
// how many there are and where the others stand.
func TestCauseOfThousands(t *testing.T) {
	registry := func(s classify.Snapshot) string {
		page := &Page{Catalogue: catalogue(t), Snapshot: s}
		return string(rendered(t, func(w io.Writer) error { return page.WriteCause(w, page.Catalogue.Page(classify.RegistryUnreachable)) }))
	}
	alone := many(5000)
	for i := range alone.Failures {
		alone.Failures[i].Namespace, alone.Failures[i].Workload = "shop", "api"
	}
	for _, test := range []struct {
		snapshot           classify.Snapshot
		workloads, objects int
		want               []string
	}{
		{many(5000), 100, 100, []string{">5000 workloads fail for this now<", `<a href="../?cause=RegistryUnreachable">and 4900 more</a>`}},
		{many(101), 100, 100, []string{">101 workloads fail for this now<", `<a href="../?cause=RegistryUnreachable">and 1 more</a>`}},
		{alone, 1, 20, []string{">1 workload fails for this now<", "<summary>5000 objects</summary>", `<a href="../failures/shop/Deployment/api">and 4980 more</a>`}},
	} {
		html := registry(test.snapshot)
		if len(html) > 500_000 {
			t.Errorf("%q: the page has %d bytes", test.want, len(html))
		}
		if workloads, objects := strings.Count(html, "<article"), strings.Count(html, "<li>Pod "); workloads != test.workloads || objects != test.objects {
			t.Errorf("%q: %d workloads with %d objects are shown, want %d with %d", test.want, workloads, objects, test.workloads, test.objects)
		}
		for _, want := range test.want {
			if !strings.Contains(html, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
	if strings.Contains(registry(many(100)), " more</a>") {
		t.Error("there are more although all are shown")
	}
}

func TestCauseCounts(t *testing.T) {
	c := catalogue(t)
	list := string(rendered(t, (&Page{Catalogue: c, Snapshot: broken(t)}).WriteCauses))
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`<a href="(\w+)">.* <strong>(.*)</strong>`).FindAllStringSubmatch(list, -1) {
		got[m[1]] = m[2]
	}
	want := map[string]string{
		"QuotaRequiresResources": "1 workload", "QuotaExceeded": "1 workload", "ImageTagNotFound": "1 workload", "InsufficientMemory": "1 workload", "OOMKilled": "1 workload",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !strings.Contains(list, fmt.Sprintf("<p>%d causes. 4 workloads fail now.</p>", len(c.Pages()))) {
		t.Errorf("the sum is missing:\n%s", list)
	}
}

// TestSyncing proves that no page says that nothing fails while nobody knows.
func TestSyncing(t *testing.T) {
	c := catalogue(t)
	page := &Page{Catalogue: c, Syncing: true, Looked: "0 pods"}
	for name, write := range map[string]func(io.Writer) error{
		"landing": page.Write, "causes": page.WriteCauses, "cause": func(w io.Writer) error { return page.WriteCause(w, c.Pages()[0]) },
	} {
		html := string(rendered(t, write))
		if !strings.Contains(html, "The caches have not synced yet: what fails is shown in a moment.") {
			t.Errorf("%s does not say that the caches have not synced", name)
		}
		if regexp.MustCompile("Nothing fails|No workload|0 workloads").MatchString(html) {
			t.Errorf("%s says what nobody knows yet", name)
		}
	}
}
