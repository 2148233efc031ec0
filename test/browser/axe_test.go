//go:build browser

package browser

import (
	"os"
	"testing"
)

// finding is what axe-core says of a page.
type finding struct {
	ID, Impact, Help string
	Targets          []string
}

const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then((result) => result.violations.map((v) => (
	{ID: v.id, Impact: v.impact, Help: v.help, Targets: v.nodes.slice(0, 5).map((node) => node.target.join(" ") + ": " + node.html.slice(0, 200))})))`

// accessible has axe-core look at the pages, closed and open, in the light and in the dark.
func (s *suite) accessible(t *testing.T) {
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil {
		skip(t, "no axe-core: run npm ci in test/browser")
	}
	p := s.open(t, s.demo)
	for name, path := range s.pages(p) {
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			for _, state := range []string{"closed", "open"} {
				p.visit(path)
				if state == "open" {
					eval[bool](p, openAll)
				}
				eval[bool](p, string(axe)+"; true")
				for _, found := range eval[[]finding](p, runAxe) {
					if where := name + ", " + scheme + ", " + state; found.Impact == "serious" || found.Impact == "critical" {
						t.Errorf("%s: %s: %s: %s %q", where, found.Impact, found.ID, found.Help, found.Targets)
					} else {
						t.Logf("%s: %s: %s: %s %q", where, found.Impact, found.ID, found.Help, found.Targets)
					}
				}
			}
		}
	}
	// A page with a fault proves that axe-core looks at all.
	eval[bool](p, `(document.querySelector("main").insertAdjacentHTML("beforeend", "<button></button>"), true)`)
	for _, found := range eval[[]finding](p, runAxe) {
		if found.ID == "button-name" {
			return
		}
	}
	t.Error("axe-core does not find a button without a name")
}
