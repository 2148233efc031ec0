package report

import (
	"reflect"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

func TestElements(t *testing.T) {
	got := elements("## Meaning\none\ntwo\n\nthree\n```\n# why\n\n- kubectl\n```\n1. first\n   goes on\n2. second\n- bullet\r\n")
	want := []element{
		{markHeading, "Meaning"},
		{"", "one two"},
		{"", "three"},
		{markCode, "# why\n\n- kubectl\n"},
		{"1. ", "first goes on"},
		{"2. ", "second"},
		{markBullet, "bullet"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSpans(t *testing.T) {
	for text, want := range map[string][]span{
		"":                     nil,
		"plain words":          {{Text: "plain words"}},
		"run `kubectl get`":    {{Text: "run "}, {Text: "kubectl get", Code: true}},
		"an odd ` tick":        {{Text: "an odd ` tick"}},
		"see OOMKilled, again": {{Text: "see "}, {Text: "OOMKilled", Link: "<OOMKilled>"}, {Text: ", again"}},
		"OOMKilled: OOMKilled": {{Text: "OOMKilled", Link: "<OOMKilled>"}, {Text: ": OOMKilled"}},
		"`OOMKilled` is code":  {{Text: "OOMKilled", Code: true}, {Text: " is code"}},
		"the page AppError":    {{Text: "the page AppError"}},
		"OOMKilledX, NoCause":  {{Text: "OOMKilledX, NoCause"}},
		"Killed: from outside": {{Text: "Killed", Link: "<Killed>"}, {Text: ": from outside"}},
		"Killed by a person":   {{Text: "Killed by a person"}},
		"reason Terminated: x": {{Text: "reason Terminated: x"}},
		"- Killed: by another": {{Text: "- "}, {Text: "Killed", Link: "<Killed>"}, {Text: ": by another"}},
		"```\nOOMKilled\n```":  {{Text: "```\nOOMKilled\n```"}},
	} {
		if got := newLinker(catalogue(t), classify.AppError, "<", ">").spans(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}
