//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
)

// testBrowser lets Chromium look at the pages of the exporter that tells the scenarios.
func (s *suite) testBrowser(ctx context.Context) {
	_, err1 := exec.LookPath("chromium")
	_, err2 := os.Stat("../browser/node_modules")
	if err1 != nil || err2 != nil {
		s.report.Note("**no chromium, or make browser was not run: nobody looked at the pages**")
		s.t.Skip("!!! NO CHROMIUM, OR make browser WAS NOT RUN: nobody looks at the pages")
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-tags=browser", "-count=1", "-run=TestPages/(Load|Widths|Accessible)", "./browser", "-origin="+s.steady.URL)
	cmd.Dir = ".."
	output, err := cmd.CombinedOutput()
	s.t.Logf("%s", output)
	if err != nil {
		s.report.Violate("the pages in Chromium: " + err.Error())
		return
	}
	s.report.Note("Chromium and axe-core found nothing wrong with the pages")
}
