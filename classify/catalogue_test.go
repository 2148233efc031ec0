package classify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// declaredCauses reads the constants of causes.go, in their order.
func declaredCauses(t *testing.T) []Cause {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "causes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var causes []Cause
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if kind, named := spec.Type.(*ast.Ident); !ok || !named || kind.Name != "Cause" {
			return true
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil || value != spec.Names[0].Name {
			t.Errorf("constant %s has the value %s; name and value are the same word", spec.Names[0].Name, literal.Value)
		}
		causes = append(causes, Cause(value))
		return true
	})
	return causes
}

func TestEveryCauseHasAPage(t *testing.T) {
	causes, catalogue := declaredCauses(t), mustCatalogue(t)
	if len(causes) < 100 {
		t.Fatalf("only %d causes found in causes.go", len(causes))
	}
	for i, cause := range causes {
		if catalogue.Page(cause) == nil {
			t.Errorf("cause %s has no page causes/%s.md", cause, cause)
		}
		if slices.Contains(causes[:i], cause) {
			t.Errorf("cause %s is declared twice", cause)
		}
	}
	for _, page := range catalogue.Pages() {
		if !slices.Contains(causes, page.Cause) {
			t.Errorf("page causes/%s.md has no constant: run go generate", page.Cause)
		}
	}
}

// placeholders are those that Fill knows.
var placeholders = []string{
	"<namespace>", "<pod>", "<container>", "<node>", "<workload_kind>", "<workload>", "<controller_kind>", "<controller>", "<resourcequota>", "<image>",
}

// imperative is how a step begins: a verb with a capital letter, or a word that says when and then the verb.
var imperative = regexp.MustCompile(`^[A-Z][a-z]`)

func TestPages(t *testing.T) {
	catalogue := mustCatalogue(t)
	for _, page := range catalogue.Pages() {
		t.Run(string(page.Cause), func(t *testing.T) {
			checkFront(t, page)
			checkSections(t, page)
			checkConfused(t, catalogue, page)
			if n := len(page.Fix); n < 2 || n > 5 {
				t.Errorf("%d steps under Fix, want 2 to 5", n)
			}
			for i, step := range page.Fix {
				if !imperative.MatchString(step) || len(step) > 400 {
					t.Errorf("step %d does not begin with a word, or is longer than 400 bytes: %s", i+1, step)
				}
			}
			for _, name := range placeholder.FindAllString(page.Markdown, -1) {
				if !slices.Contains(placeholders, name) {
					t.Errorf("unknown placeholder %s", name)
				}
			}
			if page.Family == FamilyCreate && strings.Contains(page.Section("Fix"), "<pod>") {
				t.Error("Fix names <pod>, but no pod was created")
			}
		})
	}
}

func checkFront(t *testing.T, page *Page) {
	t.Helper()
	if !strings.HasSuffix(page.Summary, ".") || len(page.Summary) > 110 {
		t.Errorf("summary must end with a period and have at most 110 bytes (has %d): %s", len(page.Summary), page.Summary)
	}
	if page.Severity != "warning" && page.Severity != "info" {
		t.Errorf("severity %q", page.Severity)
	}
	if page.Wait <= 0 || page.Wait > 5*time.Minute {
		t.Errorf("wait %v is not within 0 and 5m", page.Wait)
	}
	if page.WaitReason == "" {
		t.Error("no waitReason")
	}
	if !slices.Contains(Families(), page.Family) {
		t.Errorf("family %q", page.Family)
	}
	if !slices.Contains([]Certainty{Certain, Ambiguous, Unknown}, page.Certainty) {
		t.Errorf("certainty %q", page.Certainty)
	}
}

func checkSections(t *testing.T, page *Page) {
	t.Helper()
	var headings []string
	for line := range strings.Lines(page.Markdown) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			headings = append(headings, strings.TrimSpace(title))
		}
	}
	if !slices.Equal(headings, Headings()) {
		t.Errorf("headings %q, want %q", headings, Headings())
	}
	for _, heading := range Headings() {
		if page.Section(heading) == "" {
			t.Errorf("section %s is empty", heading)
		}
	}
	if strings.Count(page.Markdown, "```")%2 != 0 {
		t.Error("a fenced block is not closed")
	}
	if lines := strings.Count(page.Section("Fix"), "\n") + 1; lines != len(page.Fix) {
		t.Errorf("Fix has %d lines for %d steps; each step is one line", lines, len(page.Fix))
	}
}

// confusedWith is a line of the last section: the name of a cause, then the difference.
var confusedWith = regexp.MustCompile(`^- ([A-Za-z]+): \S`)

func checkConfused(t *testing.T, catalogue *Catalogue, page *Page) {
	t.Helper()
	for line := range strings.Lines(page.Section("Not to be confused with")) {
		m := confusedWith.FindStringSubmatch(line)
		switch {
		case m == nil:
			t.Errorf("line does not begin with a cause: %s", line)
		case catalogue.Page(Cause(m[1])) == nil:
			t.Errorf("%s is no cause", m[1])
		case Cause(m[1]) == page.Cause:
			t.Errorf("%s is the page's own cause", m[1])
		}
	}
}

func TestPagesAreOrderedByFamily(t *testing.T) {
	var families []Family
	for _, page := range mustCatalogue(t).Pages() {
		if len(families) == 0 || families[len(families)-1] != page.Family {
			families = append(families, page.Family)
		}
	}
	if !slices.Equal(families, Families()) {
		t.Errorf("pages come in the order %v, want %v", families, Families())
	}
}

func TestCertainty(t *testing.T) {
	catalogue := mustCatalogue(t)
	for cause, want := range map[Cause]Certainty{
		ImageTagNotFound: Certain, QuotaExceeded: Certain, OOMKilled: Certain,
		ImageOrTagNotFound: Ambiguous, ImageNotFoundOrAccessDenied: Ambiguous, Killed: Ambiguous, AppError: Ambiguous,
		ImagePullFailed: Unknown, PodCreateFailed: Unknown, Unschedulable: Unknown, ProbeFailed: Unknown, "NoSuchCause": Unknown,
	} {
		if got := catalogue.Certainty(cause); got != want {
			t.Errorf("%s is %s, want %s", cause, got, want)
		}
	}
	if !Certain.Sharper(Ambiguous) || !Ambiguous.Sharper(Unknown) || Certain.Sharper(Certain) || Unknown.Sharper(Ambiguous) {
		t.Error("certain is sharper than ambiguous, and that than unknown")
	}
	if catalogue.Page("NoSuchCause") != nil {
		t.Error("a page for a cause that does not exist")
	}
}

func TestParsePageRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no front matter":     "## Meaning\n",
		"not closed":          "---\nfamily: image\n",
		"unknown key":         "---\nfamily: image\nwait: 1m\nseverty: warning\n---\n",
		"no duration":         "---\nfamily: image\nwait: soon\n---\n",
		"wait is not present": "---\nfamily: image\n---\n",
	} {
		if page, err := parsePage("X", text); err == nil {
			t.Errorf("%s: no error, but %+v", name, page)
		}
	}
}

func TestFill(t *testing.T) {
	pod := &Failure{
		Kind: "Pod", Namespace: "apps", Name: "web-1", Container: "web", Node: "node-a", WorkloadKind: "Deployment", Workload: "web", Image: "r.example/web:1",
	}
	created := &Failure{Kind: "ReplicaSet", Namespace: "apps", Name: "web-7d9c", WorkloadKind: "Deployment", Workload: "web", Quota: &Quota{Name: "team"}}
	for _, tc := range []struct {
		name, text, want string
		failure          *Failure
	}{
		{"pod", "<namespace>/<pod> <container> <node> <workload_kind>/<workload> <image>", "apps/web-1 web node-a deployment/web r.example/web:1", pod},
		{"controller", "<controller_kind>/<controller> <resourcequota>", "replicaset/web-7d9c team", created},
		{"no pod was created", "describe pod <pod> -c <container>", "describe pod <pod> -c <container>", created},
		{"no controller, no quota", "<controller_kind>/<controller> <resourcequota>", "<controller_kind>/<controller> <resourcequota>", pod},
		{"what a person chooses stays", "NEW_IMAGE:TAG <something> a < b > c", "NEW_IMAGE:TAG <something> a < b > c", pod},
	} {
		if got := Fill(tc.text, tc.failure); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
