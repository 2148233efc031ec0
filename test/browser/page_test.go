//go:build browser

package browser

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	shots  = flag.String("shots", "", "write pictures of the pages into this folder")
	origin = flag.String("origin", "", "address of an exporter to look at, instead of one with the demo: only Load, Widths and Accessible hold for any")
)

// suite is what all tests share: one browser, and one exporter with its demo.
type suite struct {
	browser context.Context
	demo    string // its address, or -origin
}

// TestPages runs all tests with one browser.
func TestPages(t *testing.T) {
	if *shots != "" {
		if err := os.MkdirAll(*shots, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	s := &suite{browser: startChromium(t), demo: startDemo(t)}
	t.Run("Complaints", s.complaints)
	t.Run("Load", s.load)
	t.Run("Filter", func(t *testing.T) { s.filter(t, true) })
	t.Run("WithoutJavaScript", func(t *testing.T) { s.filter(t, false) })
	t.Run("Evidence", s.evidence)
	t.Run("Keyboard", s.keyboard)
	t.Run("Refresh", s.refresh)
	t.Run("RefreshByItself", s.refreshByItself)
	t.Run("Lost", s.lost)
	t.Run("Colours", s.colours)
	t.Run("Widths", s.widths)
	t.Run("Many", s.many)
	t.Run("Accessible", s.accessible)
}

// pages are those that everything must hold for: the landing page, with and without a filter, and one of each other kind.
func (s *suite) pages(p *tab) map[string]string {
	p.visit("/")
	workload := eval[string](p, `new URL(document.querySelector("article h3 a").href).pathname`)
	return map[string]string{
		"landing": "/", "filtered": "/?cause=QuotaExceeded", "nothing": "/?namespace=nobody", "workload": workload, "causes": "/causes/", "cause": "/causes/QuotaExceeded",
	}
}

// load loads every page: without a complaint of the browser, which open looks for, and as what it is.
func (s *suite) load(t *testing.T) {
	p := s.open(t, s.demo)
	for name, path := range s.pages(p) {
		p.visit(path)
		if title := eval[string](p, "document.title"); title == "" {
			t.Errorf("%s has no title", name)
		}
		if n := eval[int](p, `document.querySelectorAll("main").length`); n != 1 {
			t.Errorf("%s has %d <main>", name, n)
		}
	}
}

// complaints proves that a tab hears what a page may do wrong: else all other tests would prove nothing.
func (s *suite) complaints(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "style-src 'none'")
		fmt.Fprint(w, `<!DOCTYPE html><title>x</title><style>p { color: red }</style><img src="http://127.0.0.1:1/a.png">
			<script>console.error("no"); setTimeout(() => { throw new Error("thrown") })</script>`)
	}))
	defer server.Close()
	p := s.open(t, server.URL)
	p.visit("/")
	var heard string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		heard += strings.Join(p.heard(), "\n") + "\n"
		missing := ""
		for _, want := range []string{"console.error", "exception: ", "log: security", "issue: ContentSecurityPolicyIssue", "asks elsewhere: http://127.0.0.1:1/a.png"} {
			if !strings.Contains(heard, want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
	}
	t.Errorf("not everything was heard:\n%s", heard)
}
