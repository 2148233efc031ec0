package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

func TestWorstFirst(t *testing.T) {
	c := catalogue(t)
	var got []string
	for _, e := range New(broken(t), c).Failures {
		if name := e.Namespace + "/" + e.Workload; !slices.Contains(got, name) {
			got = append(got, name)
		}
	}
	want := []string{"batch/report", "payments/nginx", "shop/api", "shop/worker"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDown(t *testing.T) {
	for name, test := range map[string]struct {
		group group
		want  bool
	}{
		"none ready":            {group{counted: true, pods: classify.Pods{Desired: 2}}, true},
		"one ready":             {group{counted: true, pods: classify.Pods{Desired: 2, Ready: 1}}, false},
		"wants none":            {group{counted: true}, false},
		"bare pod":              {group{workload: classify.Workload{Kind: "Pod"}}, true},
		"nobody knows":          {group{workload: classify.Workload{Kind: "Deployment"}}, false},
		"bare pod that is well": {group{workload: classify.Workload{Kind: "Pod"}, counted: true, pods: classify.Pods{Desired: 1, Ready: 1}}, false},
	} {
		if got := test.group.down(); got != test.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestFormatsAgree proves that JSON and YAML hold the same, whatever stands in the texts.
func TestFormatsAgree(t *testing.T) {
	c := catalogue(t)
	for name, s := range map[string]classify.Snapshot{"broken": broken(t), "hostile": hostile(), "empty": {}} {
		var fromJSON, fromYAML any
		if err := json.Unmarshal(written(t, FormatJSON, s, c, Options{}), &fromJSON); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := yaml.UnmarshalStrict(written(t, FormatYAML, s, c, Options{}), &fromYAML); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		one, _ := json.Marshal(fromJSON)
		two, _ := json.Marshal(fromYAML)
		if !bytes.Equal(one, two) {
			t.Errorf("%s:\n%s\n%s", name, one, two)
		}
	}
}

// TestHarmless proves that nothing that is not printable reaches a terminal or a page.
func TestHarmless(t *testing.T) {
	for name, out := range outputs(t) {
		if name == "colour.table" {
			continue
		}
		if !utf8.Valid(out) {
			t.Errorf("%s is not UTF-8", name)
		}
		for _, r := range string(out) {
			// The YAML encoder leaves marks of direction as they are; they move no cursor.
			bidi := unicode.Is(unicode.Bidi_Control, r) && !strings.HasSuffix(name, ".yaml")
			if r != '\n' && (unicode.IsControl(r) || bidi) {
				t.Errorf("%s holds %q", name, r)
			}
		}
		out = bytes.Replace(out, []byte("<script>"+pageJS+"</script>"), nil, 1)
		if strings.HasSuffix(name, ".html") && regexp.MustCompile(`(?i)<script|<b>|<i>|https?://| on\w+=`).Match(out) {
			t.Errorf("%s holds an element or an address of a message", name)
		}
	}
}

func TestColour(t *testing.T) {
	c := catalogue(t)
	s := broken(t)
	colours := regexp.MustCompile("\x1b\\[[0-9;]*m")
	with := written(t, FormatTable, s, c, Options{Colour: true})
	if !colours.Match(with) {
		t.Error("no colour where it was asked for")
	}
	without := strings.ReplaceAll(string(written(t, FormatTable, s, c, Options{})), "`", "")
	if got := strings.ReplaceAll(colours.ReplaceAllString(string(with), ""), "`", ""); got != without {
		t.Errorf("the words differ with colour:\n%s", got)
	}
	var b bytes.Buffer
	for _, page := range c.Pages() {
		if err := Explain(&b, page, true); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrap(t *testing.T) {
	for name, test := range map[string]struct {
		body  string
		width int
		want  []string
	}{
		"short":       {"one two", 20, []string{"one two"}},
		"breaks":      {"one two three", 8, []string{"one two", "three"}},
		"long word":   {"a https://registry.example/v2/ b", 8, []string{"a", "https://registry.example/v2/", "b"}},
		"command":     {"run `kubectl get pods -A` now", 10, []string{"run", "`kubectl get pods -A`", "now"}},
		"odd tick":    {"a ` b c", 5, []string{"a ` b", "c"}},
		"empty":       {"", 10, nil},
		"wide runes":  {"ééééé ééééé", 11, []string{"ééééé ééééé"}},
		"narrow line": {"one two", -3, []string{"one", "two"}},
	} {
		if got := wrap(test.body, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestTableKeepsItsWidth(t *testing.T) {
	c := catalogue(t)
	for line := range strings.Lines(string(written(t, FormatTable, broken(t), c, Options{Width: 60}))) {
		words := len(strings.Fields(line))
		if utf8.RuneCountInString(line) > 61 && words > 1 && !strings.Contains(line, "kubectl") && !strings.Contains(line, "ready") && !strings.Contains(line, "`") {
			t.Errorf("longer than asked: %q", line)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	err := Write(&bytes.Buffer{}, "xml", classify.Snapshot{}, catalogue(t), Options{})
	if err == nil || err.Error() != `unknown format "xml": use one of table, json, yaml` {
		t.Errorf("got %v", err)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	c := catalogue(t)
	for _, format := range Formats() {
		if err := Write(fullDisk{}, format, broken(t), c, Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s: got %v", format, err)
		}
	}
	if err := Explain(fullDisk{}, c.Pages()[0], false); !errors.Is(err, errFull) {
		t.Errorf("explain: got %v", err)
	}
	if err := (&Page{Catalogue: c}).Write(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("page: got %v", err)
	}
	if err := (&Page{Catalogue: c}).WriteWorkload(fullDisk{}, classify.Workload{}); !errors.Is(err, errFull) {
		t.Errorf("page of a workload: got %v", err)
	}
	if err := (&Page{Catalogue: c}).WriteProblem(fullDisk{}, errFull); !errors.Is(err, errFull) {
		t.Errorf("page of a problem: got %v", err)
	}
	if err := (&Page{Catalogue: c}).WriteCause(fullDisk{}, c.Pages()[0]); !errors.Is(err, errFull) {
		t.Errorf("page of a cause: got %v", err)
	}
	if err := Runbook(fullDisk{}, c, c.Pages()[0]); !errors.Is(err, errFull) {
		t.Errorf("runbook: got %v", err)
	}
}

func TestFind(t *testing.T) {
	c := catalogue(t)
	for name, want := range map[string]string{
		"OOMKilled": "", "oomkilled": "",
		"OOMKiled":          `unknown cause "OOMKiled": did you mean OOMKilled?`,
		"quota":             `unknown cause "quota": did you mean QuotaExceeded or QuotaRequiresResources?`,
		"ImageNotFoundd":    `unknown cause "ImageNotFoundd": did you mean ImageNotFound?`,
		"Xyzzyplugh":        `unknown cause "Xyzzyplugh"`,
		"":                  `unknown cause ""`,
		"\x1b[2J":           `unknown cause "\x1b[2J"`,
		"CrashLoopBackOff!": `unknown cause "CrashLoopBackOff!"`,
	} {
		page, err := Find(c, name)
		switch {
		case want == "" && (err != nil || page.Cause != classify.OOMKilled):
			t.Errorf("%s: got %v, %v", name, page, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"", "abc"}: 3, {"kitten", "sitting"}: 3, {"same", "same"}: 0, {"ab", "ba"}: 2} {
		if got := distance(pair[0], pair[1]); got != want || distance(pair[1], pair[0]) != want {
			t.Errorf("%v: got %d, want %d", pair, got, want)
		}
	}
}

// TestPagePolicy proves that each page's style and script are those that its policy allows, and that it asks for nothing else.
func TestPagePolicy(t *testing.T) {
	policy := ContentSecurityPolicy()
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") {
		t.Errorf("got %s", policy)
	}
	for name, page := range outputs(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, own := range regexp.MustCompile("(?s)<(style|script)>(.*?)</(?:style|script)>").FindAllSubmatch(page, -1) {
			if !strings.Contains(policy, string(own[1])+"-src '"+hash(string(own[2]))+"'") {
				t.Errorf("%s: the template changes the %s, so that its hash in the policy is wrong", name, own[1])
			}
		}
		page = bytes.Replace(page, []byte(pageJS), nil, 1)
		if regexp.MustCompile(`(?i)\bstyle=|\bsrc=|<link|url\(|@import`).Match(page) {
			t.Errorf("%s asks for something that its policy forbids", name)
		}
	}
}
