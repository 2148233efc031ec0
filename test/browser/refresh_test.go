//go:build browser

package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

const (
	// reading is what somebody does who reads: a row in the middle is open, a command in it is marked, the focus is on its head.
	reading = `(() => {
		const row = document.querySelectorAll("article details")[7];
		row.open = true;
		row.id ||= "no id";
		row.scrollIntoView({block: "center"});
		row.querySelector("summary").focus({preventScroll: true});
		getSelection().selectAllChildren(row.querySelector("code"));
		window.row = row;
		return true;
	})()`
	// stillReading is true while nothing of that is lost.
	stillReading = `window.row.isConnected && window.row.open && document.activeElement === window.row.querySelector("summary")
		&& getSelection().toString() === window.row.querySelector("code").textContent && getSelection().toString().length > 5`
	// top is where on the screen the row is.
	top = `Math.round(window.row.getBoundingClientRect().top)`
)

// refresh changes what fails while somebody reads.
func (s *suite) refresh(t *testing.T) {
	failures := failing(100)
	server := newCluster(t, failures)
	p := s.open(t, server.URL)
	p.visit("/")
	eval[bool](p, reading)
	read, at := eval[string](p, `window.row.closest("article").querySelector("h3 a").textContent`), eval[int](p, top)
	changed := worse(failures)
	server.set(changed)
	eval[bool](p, `(document.getElementById("refresh").click(), true)`)
	p.expect("the new workload", `document.body.innerText.includes("team-new/app-new") && document.body.innerText.includes("21 workloads fail")`)
	if !eval[bool](p, stillReading) {
		t.Error("who reads has lost the open row, the focus or the marked text")
	}
	if now := eval[int](p, top); now < at-2 || now > at+2 {
		t.Errorf("the open row has moved from %d to %d", at, now)
	}
	if name := eval[string](p, `window.row.closest("article").querySelector("h3 a").textContent`); name != read {
		t.Errorf("the open row was of %s and is now of %s", read, name)
	}
	if said := eval[string](p, `document.querySelector("[role=status]").textContent`); !strings.Contains(said, "21 workloads fail") {
		t.Errorf("a screen reader hears %q", said)
	}
	if n := eval[int](p, `document.querySelectorAll("article details[open]").length`); n != 1 {
		t.Errorf("%d rows are open", n)
	}
	want := shown(p)
	p.visit("/")
	if got := shown(p); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the refreshed page lists %q, a new one %q", want, got)
	}
	server.set(nil)
	eval[bool](p, `(document.getElementById("refresh").click(), true)`)
	p.expect("that nothing fails", `document.body.innerText.includes("Nothing fails.") && !document.querySelector("article")`)
}

// worse adds a workload that comes before all others.
func worse(failures []classify.Failure) []classify.Failure {
	out := append([]classify.Failure(nil), failures...)
	for _, f := range failing(8) {
		f.Namespace, f.Workload, f.Name = "team-new", "app-new", strings.Replace(f.Name, "app", "new", 1)
		out = append(out, f)
	}
	return out
}

// refreshByItself has the page's own clock run a hundred times as fast.
func (s *suite) refreshByItself(t *testing.T) {
	failures := failing(100)
	server := newCluster(t, failures)
	p := s.open(t, server.URL)
	p.before(`const slow = setInterval; window.setInterval = (f, ms, ...rest) => slow(f, ms / 100, ...rest)`)
	p.visit("/")
	eval[bool](p, reading)
	for range 3 {
		server.set(worse(failures))
		p.expect("the new workload", `document.body.innerText.includes("team-new/app-new")`)
		server.set(failures)
		p.expect("the new workload's end", `!document.body.innerText.includes("team-new/app-new")`)
	}
	if !eval[bool](p, stillReading) {
		t.Error("who reads has lost the open row, the focus or the marked text")
	}
	eval[bool](p, `(document.querySelector("input[name=text]").focus(), true)`)
	p.press("half a wo")
	server.set(worse(failures))
	p.expect("the new workload", `document.body.innerText.includes("team-new/app-new")`)
	if typed := eval[string](p, `document.activeElement.value`); typed != "half a wo" {
		t.Errorf("what was being typed is now %q", typed)
	}
	p.visit("/?namespace=team-07")
	before := len(shown(p))
	time.Sleep(500 * time.Millisecond)
	if got := shown(p); len(got) != before || before == 0 {
		t.Errorf("a refresh has lost the filter: %q", got)
	}
}

// lost takes the exporter away, and gives it back.
func (s *suite) lost(t *testing.T) {
	server := newCluster(t, failing(20))
	p := s.open(t, server.URL)
	p.visit("/")
	before := shown(p)
	server.fail(true)
	p.do(chromedp.Click(chromedp.ID("refresh")))
	p.expect("that the exporter is lost", `document.querySelector("[role=status]").textContent.startsWith("Cannot reach the exporter")`)
	if got := shown(p); len(got) != len(before) {
		t.Errorf("%d workloads are left of %d", len(got), len(before))
	}
	server.fail(false)
	p.do(chromedp.Click(chromedp.ID("refresh")))
	p.expect("that it is back", `document.querySelector("[role=status]").textContent.startsWith("The exporter answers again")`)
	for _, complaint := range p.heard() {
		if !strings.Contains(complaint, "503") {
			t.Error(complaint)
		}
	}
}
