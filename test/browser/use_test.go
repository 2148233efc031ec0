//go:build browser

package browser

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/kube-failure-exporter/kube-failure-exporter/report"
	"github.com/kube-failure-exporter/kube-failure-exporter/test/e2e"
)

// shown returns the names of the workloads that the page lists.
func shown(p *tab) []string {
	return eval[[]string](p, `[...document.querySelectorAll("article h3 a")].map((a) => a.textContent)`)
}

// query returns the parameters in the address bar that are not empty.
func query(p *tab) url.Values {
	values, err := url.ParseQuery(eval[string](p, "location.search.slice(1)"))
	if err != nil {
		p.Fatal(err)
	}
	for name := range values {
		if values.Get(name) == "" {
			delete(values, name)
		}
	}
	return values
}

const (
	submit   = chromedp.CSS(`form button`)
	firstRow = chromedp.CSS(`article details summary`)
)

// filter chooses in the form, reads the address bar, and opens the address elsewhere: with and without JavaScript.
func (s *suite) filter(t *testing.T, script bool) {
	p, other := s.open(t, s.demo), s.open(t, s.demo)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !script})
	p.visit("/")
	all := shown(p)
	for _, choice := range []struct{ field, value string }{
		{"select[name=namespace]", "payments"}, {"select[name=family]", "create"}, {"select[name=cause]", "QuotaExceeded"}, {"input[name=text]", "PAYMENTS-full deployment"},
	} {
		p.visit("/")
		p.do(chromedp.SetValue(chromedp.CSS(choice.field), choice.value))
		p.follow(chromedp.Click(submit))
		name := choice.field[strings.Index(choice.field, "=")+1 : len(choice.field)-1]
		if got := query(p); len(got) != 1 || got.Get(name) != choice.value {
			t.Errorf("%s: the address says %v", choice.field, got)
		}
		got := shown(p)
		if want := s.told(t, url.Values{name: {choice.value}}); len(got) == 0 || len(got) >= len(all) || !slices.Equal(got, want) {
			t.Errorf("%s = %s shows %q, the API says %q", choice.field, choice.value, got, want)
		}
		other.visit("/" + eval[string](p, "location.search"))
		if shared := shown(other); !slices.Equal(shared, got) {
			t.Errorf("the shared address shows %q, not %q", shared, got)
		}
		if kept := eval[string](other, `document.querySelector("`+choice.field+`").value`); kept != choice.value {
			t.Errorf("%s says %q after the address was opened", choice.field, kept)
		}
	}
	if !script {
		p.visit("/?namespace=payments")
		p.follow(chromedp.Click(chromedp.ID("refresh"))) // with JavaScript this leads nowhere
		if got := query(p); got.Get("namespace") != "payments" {
			t.Errorf("the link to refresh leads to %v", got)
		}
	}
	p.visit("/?namespace=nobody")
	if text := eval[string](p, "document.body.innerText"); len(shown(p)) != 0 || !strings.Contains(text, "Nothing that fails matches the filter.") {
		t.Errorf("a filter that nothing passes shows:\n%s", text)
	}
	p.visit("/")
	p.do(chromedp.Click(firstRow))
	s.showsFix(p)
	p.follow(chromedp.Click(chromedp.CSS(`.blast a`)))
	if got := shown(p); query(p).Get("cause") == "" || len(got) == 0 || len(got) >= len(all) {
		t.Errorf("a cause of the summary leads to %v, which shows %q", query(p), got)
	}
}

// told returns the workloads that the API tells of, in its order.
func (s *suite) told(t *testing.T, query url.Values) (names []string) {
	t.Helper()
	text, err := e2e.Fetch(t.Context(), s.demo+"/api/v1/failures?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	var answer report.FailuresAnswer
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	for i := range answer.Failures {
		names = append(names, answer.Failures[i].Namespace+"/"+answer.Failures[i].Workload)
	}
	return slices.Compact(names)
}

// showsFix reads the row that is open.
func (s *suite) showsFix(p *tab) {
	p.expect("an open row", `document.querySelectorAll("article details[open]").length === 1`)
	text := eval[string](p, `document.querySelector("article details[open]").innerText`)
	for _, want := range []string{"Fix", "kubectl -n ", "Evidence", "What fails"} {
		if !strings.Contains(text, want) {
			p.Errorf("the open row lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "<namespace>") || strings.Contains(text, "<workload>") {
		p.Errorf("the commands are not filled in:\n%s", text)
	}
}

// evidence opens rows without JavaScript, on a phone, and reads what the objects say.
func (s *suite) evidence(t *testing.T) {
	p := s.open(t, s.demo)
	call(p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	for cause, wants := range map[string][]string{
		"LivenessProbeFailed":    {"last end", "exit code 137: SIGKILL", "restarts", "Events", "Killing", "Unhealthy", " times in ", "will be restarted"},
		"ProbeConnectionRefused": {"Events", "Unhealthy", " times in ", "connection refused"},
		"QuotaExceeded":          {"Events", "FailedCreate", " times in ", "exceeded quota"},
	} {
		for _, width := range []int64{1280, 360} {
			p.do(chromedp.EmulateViewport(width, 800))
			p.visit("/?cause=" + cause)
			p.do(chromedp.Click(firstRow))
			p.expect("an open row", `document.querySelectorAll("article details[open]").length === 1`)
			text := eval[string](p, `document.querySelector("article details[open]").innerText`)
			_, text, _ = strings.Cut(text, "Evidence")
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s at %d lacks %q:\n%s", cause, width, want, text)
				}
			}
			if over := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s at %d: %d pixels too wide", cause, width, over)
			}
			p.shoot(fmt.Sprintf("evidence-%s-%d", cause, width))
		}
	}
}

// keyboard reaches everything with Tab alone, sees where it is, and opens and closes a row with Enter.
func (s *suite) keyboard(t *testing.T) {
	p := s.open(t, s.demo)
	p.visit("/")
	var reached []string
	for range 200 {
		p.press(kb.Tab)
		at := eval[string](p, `(() => { const e = document.activeElement; return e.nodeName + (e.name ? " " + e.name : "") + (e.closest("article") ? " in a row" : "") })()`)
		if reached = append(reached, at); at == "SUMMARY in a row" {
			break
		}
		if at != "BODY" && !eval[bool](p, `(() => { const s = getComputedStyle(document.activeElement); return s.outlineStyle !== "none" && s.outlineWidth !== "0px" })()`) {
			t.Errorf("%s shows no focus", at)
		}
	}
	for _, want := range []string{"A", "SELECT namespace", "SELECT family", "SELECT cause", "INPUT text", "BUTTON", "A in a row", "SUMMARY in a row"} {
		if !slices.Contains(reached, want) {
			t.Fatalf("Tab does not reach %s, but %q", want, reached)
		}
	}
	p.press(kb.Enter)
	s.showsFix(p)
	p.press(kb.Tab)
	if !eval[bool](p, `document.querySelector("details[open]").contains(document.activeElement)`) {
		t.Error("Tab does not go into the open row")
	}
	p.do(chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift)))
	p.press(kb.Enter)
	p.expect("no open row", `!document.querySelector("article details[open]")`)
}
