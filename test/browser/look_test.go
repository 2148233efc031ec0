//go:build browser

package browser

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// openAll opens all rows, so that what is in them is looked at too.
const openAll = `(document.querySelectorAll("details").forEach((row) => { row.open = true }), true)`

var rgb = regexp.MustCompile(`^rgb\((\d+), (\d+), (\d+)\)$`)

// brightness is 0 for black and 255 for white.
func brightness(t *testing.T, colour string) (sum int) {
	t.Helper()
	m := rgb.FindStringSubmatch(colour)
	if m == nil {
		t.Fatalf("no plain colour: %q", colour)
	}
	for _, part := range m[1:] {
		n, _ := strconv.Atoi(part)
		sum += n
	}
	return sum / 3
}

// colours looks at the pages in the light and in the dark.
func (s *suite) colours(t *testing.T) {
	p := s.open(t, s.demo)
	for name, path := range s.pages(p) {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			p.prefer(scheme)
			p.visit(path)
			back, text := brightness(t, eval[string](p, `getComputedStyle(document.body).backgroundColor`)), brightness(t, eval[string](p, `getComputedStyle(document.body).color`))
			if dark != (back < 60) || dark != (text > 180) {
				t.Errorf("%s, %s: the text's brightness is %d on %d", name, scheme, text, back)
			}
			p.shoot(name + "-" + scheme)
		}
	}
}

// widths looks at the pages on a phone, and on a wide screen: nothing may have to be scrolled sideways.
func (s *suite) widths(t *testing.T) {
	p := s.open(t, s.demo)
	pages := s.pages(p)
	for _, width := range []int64{320, 360, 768, 1440, 2560} {
		p.do(chromedp.EmulateViewport(width, 800))
		for name, path := range pages {
			p.visit(path)
			p.shoot(fmt.Sprintf("%s-%d", name, width))
			eval[bool](p, openAll)
			if name == "landing" || name == "workload" {
				p.shoot(fmt.Sprintf("%s-%d-open", name, width))
			}
			if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				wide := eval[[]string](p, `[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 120)).slice(0, 3)`)
				t.Errorf("%s at %d: %d pixels too wide: %q", name, width, over, wide)
			}
		}
	}
}

// many is what 5 000 failures cost a browser. The limits are generous, as the machine that tests may be busy.
func (s *suite) many(t *testing.T) {
	server := newCluster(t, failing(5000))
	p := s.open(t, server.URL)
	begin := time.Now()
	p.visit("/")
	loaded := time.Since(begin)
	if text := eval[string](p, "document.body.innerText"); !regexp.MustCompile(`\b1000 workloads fail`).MatchString(text) {
		t.Errorf("the page does not say how many fail:\n%.500s", text)
	}
	bytes, nodes := eval[int](p, `performance.getEntriesByType("navigation")[0].decodedBodySize`), eval[int](p, `document.querySelectorAll("*").length`)
	opened := eval[float64](p, `new Promise((done) => {
		const begin = performance.now();
		document.querySelector("article summary").click();
		requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - begin)));
	})`)
	// Whatever is longer than a frame while the page refreshes itself is felt by who types or scrolls.
	blocked := eval[float64](p, `new Promise((done) => {
		let worst = 0, last = performance.now();
		const before = document.getElementById("updated").textContent;
		const tick = () => {
			worst = Math.max(worst, performance.now() - last);
			last = performance.now();
			if (document.getElementById("updated").textContent !== before) done(worst);
			else setTimeout(tick);
		};
		document.getElementById("refresh").click();
		tick();
	})`)
	t.Logf("5000 failures: %d bytes, %d elements, loaded in %s, a row opens in %.0f ms, a refresh blocks for %.0f ms", bytes, nodes, loaded.Round(time.Millisecond), opened, blocked)
	if loaded > 10*time.Second || opened > 1000 || blocked > 2000 || bytes > 5<<20 {
		t.Error("that is too slow")
	}
	p.shoot("many")
	p.do(chromedp.SetValue(chromedp.CSS("input[name=text]"), "app-0777-7f9d8c-3"))
	p.follow(chromedp.Click(submit))
	if got := shown(p); len(got) != 1 || got[0] != "team-17/app-0777" {
		t.Errorf("a pod among 5000 is found as %q", got)
	}
	p.visit("/")
	seen := map[string]bool{}
	for range 100 {
		for _, name := range shown(p) {
			seen[name] = true
		}
		if !eval[bool](p, `!!document.querySelector("a[rel=next]")`) {
			break
		}
		p.follow(chromedp.Click(chromedp.CSS("a[rel=next]")))
	}
	if len(seen) != 1000 {
		t.Errorf("%d of 1000 workloads can be reached", len(seen))
	}
}
