package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// many is a cluster whose registry is down: failures of as many workloads.
func many(failures int) classify.Snapshot {
	s := classify.Snapshot{At: now, Workloads: map[classify.Workload]classify.Pods{}}
	for i := range failures {
		f := classify.Failure{
			Kind: "Pod", Namespace: fmt.Sprintf("team-%03d", i%300), Name: fmt.Sprintf("api-%04d-7f9d8c6b5-x2k4j", i), Container: "app",
			Node: fmt.Sprintf("node-%d", i%50), WorkloadKind: "Deployment", Workload: fmt.Sprintf("api-%04d", i),
			Family: classify.FamilyImage, Reason: "ImagePullBackOff", Cause: classify.RegistryUnreachable, Since: now.Add(-time.Duration(i) * time.Second),
			Image:   fmt.Sprintf("registry.example:5000/team/api-%04d:1.2.4", i),
			Message: strings.Repeat("dial tcp 10.0.0.1:443: i/o timeout ", 10),
			LastEnd: &classify.End{ExitCode: 137, Reason: "Error", At: now.Add(-time.Duration(i) * time.Second), Restarts: 3},
		}
		for _, reason := range []string{"Failed", "BackOff", "InspectFailed"} {
			f.Events = append(f.Events, classify.Event{
				Type: "Warning", Reason: reason, Message: strings.Repeat("dial tcp 10.0.0.1:443: i/o timeout ", 29), Count: 99, First: now.Add(-time.Hour), Last: now,
			})
		}
		s.Failures = append(s.Failures, f)
		s.Workloads[classify.WorkloadOf(&f)] = classify.Pods{Desired: 3, Ready: int32(i % 2)}
	}
	return s
}

func landing(t *testing.T, p Page) string {
	t.Helper()
	p.Catalogue = catalogue(t)
	return string(rendered(t, p.Write))
}

var articles = regexp.MustCompile(`<article id="([^"]+)"`)

// shown returns the ids of the workloads on a page.
func shown(page string) []string {
	var ids []string
	for _, m := range articles.FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

// TestThousands shows 5000 failures: in pages that a browser takes in at once, of which each workload is on one.
func TestThousands(t *testing.T) {
	s := many(5000)
	var ids []string
	longest, next := 0, "?"
	for number := 1; next != ""; number++ {
		values, err := url.ParseQuery(strings.TrimPrefix(next, "?"))
		if err != nil {
			t.Fatal(err)
		}
		filter, err := ParseFilter(values)
		if err != nil {
			t.Fatal(err)
		}
		if got := max(ParsePage(values), 1); got != number {
			t.Fatalf("the link %s leads to page %d, want %d", next, got, number)
		}
		page := landing(t, Page{Snapshot: s, Filter: filter, Number: ParsePage(values)})
		if len(page) > 500_000 {
			t.Fatalf("page %d has %d bytes", number, len(page))
		}
		longest = max(longest, len(page))
		if !strings.Contains(page, ">5000 workloads fail</h2>") || !strings.Contains(page, "<span>5000 workloads</span> <span>5000 pods</span>") ||
			!strings.Contains(page, "all from registry registry.example:5000<") {
			t.Fatalf("page %d does not sum up everything", number)
		}
		ids = append(ids, shown(page)...)
		next = ""
		if m := regexp.MustCompile(`<a rel="next" href="([^"]+)">`).FindStringSubmatch(page); m != nil {
			next = html.UnescapeString(m[1])
		}
		if previous := strings.Contains(page, `<a rel="prev"`); previous != (number > 1) {
			t.Errorf("page %d leads back: %t", number, previous)
		}
	}
	t.Logf("a page has at most %d bytes", longest)
	if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(ids) != 5000 || len(distinct) != 5000 {
		t.Errorf("%d workloads are shown, %d of them different", len(ids), len(distinct))
	}
}

func TestPagesKeepTheFilter(t *testing.T) {
	s := many(1000)
	page := landing(t, Page{Snapshot: s, Filter: Filter{Family: "image", Text: "api"}, Number: 3})
	for _, want := range []string{
		`rel="prev" href="?family=image&amp;page=2&amp;text=api"`, `rel="next" href="?family=image&amp;page=4&amp;text=api"`, "201 to 300, page 3 of 10",
		`id="refresh" href="?family=image&amp;page=3&amp;text=api"`, `href="?family=image" aria-label="Clear text api"`,
		`href="?cause=RegistryUnreachable&amp;family=image&amp;text=api"`, "1000 of 1000 failing workloads", `href="api/v1/failures?family=image&amp;text=api"`,
		`<input name="namespace"`, // 300 namespaces are no list to choose from
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page[strings.Index(page, "<main>"):][:3000])
		}
	}
	for number, want := range map[int]string{-1: "1 to 100, page 1 of 10", 0: "1 to 100, page 1 of 10", 99: "901 to 1000, page 10 of 10"} {
		if page := landing(t, Page{Snapshot: s, Number: number}); !strings.Contains(page, want) {
			t.Errorf("page %d: no %q", number, want)
		}
	}
	for text, want := range map[string]int{"": 1, "7": 7, "0": 1, "-3": 1, "x": 1, "99999999999999999999": 1} {
		if got := ParsePage(url.Values{"page": {text}}); got != want {
			t.Errorf("page=%s: got %d", text, got)
		}
	}
}

// TestLandingOrder wants the down first, then those with more failing pods, then the older.
func TestLandingOrder(t *testing.T) {
	want := []string{"w/batch/CronJob/report", "w/payments/Deployment/nginx", "w/shop/Deployment/api", "w/shop/StatefulSet/worker"}
	page := landing(t, Page{Snapshot: broken(t)})
	if got := shown(page); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for id, rows := range map[string]int{"w/shop/Deployment/api": 2, "w/shop/StatefulSet/worker": 1} {
		if got := strings.Count(page, `<details id="`+id+"/"); got != rows {
			t.Errorf("%s has %d rows, want %d", id, got, rows)
		}
	}
	ids := regexp.MustCompile(` id="([^"]+)"`).FindAllString(page, -1)
	if distinct := slices.Compact(slices.Sorted(slices.Values(ids))); len(distinct) != len(ids) {
		t.Errorf("an id is there twice: %v", ids)
	}
}

// TestLandingFilter looks at what stays and what the counts say.
func TestLandingFilter(t *testing.T) {
	page := landing(t, Page{Snapshot: broken(t), Filter: Filter{Cause: "OOMKilled"}})
	if got := shown(page); !slices.Equal(got, []string{"w/shop/StatefulSet/worker"}) || !strings.Contains(page, "1 of 4 failing workloads") {
		t.Errorf("got %v", got)
	}
	if !strings.Contains(page, `<a href="./" aria-current="true">OOMKilled</a>`) || !strings.Contains(page, `<a href="?cause=QuotaExceeded">QuotaExceeded</a>`) {
		t.Error("another cause cannot be chosen")
	}
	page = landing(t, Page{Snapshot: broken(t), Filter: Filter{Namespace: "elsewhere"}})
	for _, want := range []string{"0 of 4 failing workloads", "Nothing that fails matches the filter.", "<option selected>elsewhere</option>", `<a href="./" aria-label="Clear namespace elsewhere">`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
	page = landing(t, Page{Snapshot: classify.Snapshot{At: now}, Looked: "3 pods", Filter: Filter{Text: "x"}})
	for _, want := range []string{"Nothing fails.", "Watched: 3 pods.", "Nothing of it is hidden from the exporter.", "Clear text x"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q", want)
		}
	}
}

// TestHeadingsInOrder proves that no page skips a level: a screen reader's table of contents.
func TestHeadingsInOrder(t *testing.T) {
	for name, page := range outputs(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		last := 0
		for _, m := range regexp.MustCompile("<h([1-6])").FindAllSubmatch(page, -1) {
			level := int(m[1][0] - '0')
			if level > last+1 {
				t.Errorf("%s: <h%d> after <h%d>", name, level, last)
			}
			last = level
		}
		for _, landmark := range []string{"<header>", "<nav ", "<main>", "<h1"} {
			if !bytes.Contains(page, []byte(landmark)) {
				t.Errorf("%s has no %s", name, landmark)
			}
		}
	}
}

func TestFails(t *testing.T) {
	p := &Page{Catalogue: catalogue(t), Snapshot: broken(t)}
	for w, want := range map[classify.Workload]bool{
		{Namespace: "shop", Kind: "Deployment", Name: "api"}:  true,
		{Namespace: "shop", Kind: "deployment", Name: "api"}:  true,
		{Namespace: "shop", Kind: "StatefulSet", Name: "api"}: false,
		{Namespace: "shop", Kind: "Deployment", Name: "API"}:  false,
		{}: false,
	} {
		page := string(rendered(t, func(out io.Writer) error { return p.WriteWorkload(out, w) }))
		if got := p.Fails(w); got != want || strings.Contains(page, "Nothing fails of it now.") == want {
			t.Errorf("%v: got %t", w, got)
		}
		if want && (strings.Count(page, "<details") != strings.Count(page, " open>") || !strings.Contains(page, `href="../../../causes/ImageTagNotFound"`)) {
			t.Errorf("%v is not open, or leads nowhere", w)
		}
	}
}

func TestBars(t *testing.T) {
	q := func(text string) *resource.Quantity {
		if text == "" {
			return nil
		}
		q := resource.MustParse(text)
		return &q
	}
	for name, test := range map[string]struct {
		requested, used, hard string
		want                  bar
	}{
		"over":               {"100m", "100m", "150m", bar{Used: "50", Requested: "50", Hard: "75", Over: "50m"}},
		"fits":               {"1Gi", "1Gi", "4Gi", bar{Used: "25", Requested: "25", Hard: "100"}},
		"no request":         {"", "3", "2", bar{Used: "100", Requested: "0", Hard: "66.7", Over: "1"}},
		"all is zero":        {"0", "0", "0", bar{Used: "0", Requested: "0", Hard: "0"}},
		"nothing is allowed": {"1", "0", "0", bar{Used: "0", Requested: "100", Hard: "0", Over: "1"}},
		"below zero":         {"-5", "1", "2", bar{Used: "50", Requested: "0", Hard: "100"}},
		"huge":               {"9e99", "1", "1", bar{Used: "0", Requested: "100", Hard: "0"}},
	} {
		got := newBar("", classify.QuotaResource{Requested: q(test.requested), Used: q(test.used), Hard: q(test.hard)})
		if name == "huge" {
			got.Over = "" // whatever Kubernetes makes of it
		}
		if got.Text = ""; got != test.want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestShared(t *testing.T) {
	f := func(family classify.Family, image, node, quota string) *classify.Failure {
		f := &classify.Failure{Family: family, Image: image, Node: node, Namespace: "shop"}
		if quota != "" {
			f.Quota = &classify.Quota{Name: quota}
		}
		return f
	}
	image, crash, create := classify.FamilyImage, classify.FamilyCrash, classify.FamilyCreate
	for want, failures := range map[string][]*classify.Failure{
		"all from registry docker.io, on node a": {f(image, "nginx", "a", ""), f(image, "team/api:1", "a", ""), f(classify.FamilyRollout, "", "", "")},
		"all on node a":                          {f(crash, "nginx", "a", ""), f(crash, "nginx", "a", "")},
		"all by quota shop/q":                    {f(create, "", "", "q"), f(create, "", "", "q")},
		"":                                       {f(image, "nginx", "a", ""), f(image, "quay.io/nginx", "b", ""), f(image, "", "", "")},
	} {
		if got := shared(failures); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	c, s := catalogue(b), many(5000)
	for b.Loop() {
		if err := (&Page{Snapshot: s, Catalogue: c}).Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
