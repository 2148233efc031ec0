package chart

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden again")

// TestGolden compares what Helm makes of each file of values with what a person has read.
func TestGolden(t *testing.T) {
	sets := valueSets(t)
	for name, i := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden := filepath.Join("testdata/golden", name+".yaml")
			got := shortened(string(i.render(t)))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is another now: look at it after go test ./deploy/chart -update", golden)
			}
		})
	}
	files, err := filepath.Glob("testdata/golden/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := sets[strings.TrimSuffix(filepath.Base(file), ".yaml")]; !ok {
			t.Errorf("%s has no values", file)
		}
	}
}

var (
	longLine      = regexp.MustCompile(`^ +(rules|json|\S+\.json):( \|-)?$`)
	between       = regexp.MustCompile(`\n+---\n`)
	trailingSpace = regexp.MustCompile(`(?m) +$`)
)

// shortened leaves out rules and dashboards, which people read in alerts/ and dashboards/, and other tests compare. Helm 3 and 4 leave other
// blank lines between objects.
func shortened(text string) string {
	var b strings.Builder
	cut := -1 // the indent of the line below which all is left out
	for line := range strings.Lines(between.ReplaceAllString(text+"\n---\n", "\n---\n")) {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		if cut >= 0 && (indent > cut || line == "\n") {
			continue
		}
		if cut = -1; longLine.MatchString(strings.TrimSuffix(line, "\n")) {
			cut, line = indent, strings.TrimRight(line, "\n")+" # …\n"
		}
		b.WriteString(line)
	}
	return strings.TrimSuffix(b.String(), "---\n")
}

// TestNoTrailingSpace proves that no template leaves blanks behind, which show a mistake in one's white space.
func TestNoTrailingSpace(t *testing.T) {
	for name, i := range valueSets(t) {
		if found := trailingSpace.FindIndex(i.render(t)); found != nil {
			t.Errorf("%s: a line ends with a blank", name)
		}
	}
}
