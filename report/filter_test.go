package report

import (
	"net/url"
	"strings"
	"testing"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

func TestParseFilter(t *testing.T) {
	for query, want := range map[string]Filter{
		"":                               {},
		"namespace=shop&cause=OOMKilled": {Namespace: "shop", Cause: "OOMKilled"},
		"family=crash&text=+a%20b+":      {Family: "crash", Text: "a b"},
		"text=a&text=b":                  {Text: "a"},
		"page=3&colour=red":              {},
		"text=" + strings.Repeat("ä", longestFilter): {Text: strings.Repeat("ä", longestFilter)},
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseFilter(values)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", query, got, err)
		}
		again, err := url.ParseQuery(got.Query())
		if err != nil {
			t.Fatal(err)
		}
		if back, err := ParseFilter(again); err != nil || back != got {
			t.Errorf("%s: its own query %s gives %+v, %v", query, got.Query(), back, err)
		}
	}
	for _, name := range []string{"namespace", "family", "cause", "text"} {
		_, err := ParseFilter(url.Values{name: {strings.Repeat("x", longestFilter+1)}})
		if err == nil || err.Error() != name+" is too long: give at most 256 characters" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFilter(t *testing.T) {
	s := broken(t)
	all := len(s.Failures)
	for name, test := range map[string]struct {
		filter Filter
		want   int
	}{
		"all":               {Filter{}, all},
		"namespace":         {Filter{Namespace: "shop"}, all - 2},
		"part of a name":    {Filter{Namespace: "sho"}, 0},
		"family":            {Filter{Family: "create"}, 2},
		"cause":             {Filter{Cause: "ImageTagNotFound"}, 11},
		"both":              {Filter{Cause: "ImageTagNotFound", Family: "rollout"}, 1},
		"message":           {Filter{Text: "UNTOLERATED"}, 1},
		"image":             {Filter{Text: "registry.example/shop"}, 10},
		"node":              {Filter{Text: "node-2"}, 2},
		"each word":         {Filter{Text: "worker proxy"}, 1},
		"words of two":      {Filter{Text: "worker nginx"}, 0},
		"container":         {Filter{Text: "137 crashloopbackoff app"}, 1},
		"across two fields": {Filter{Text: "shopStatefulSet"}, 0},
	} {
		got := test.filter.Apply(s)
		if len(got.Failures) != test.want || got.At != s.At {
			t.Errorf("%s: %d failures, want %d", name, len(got.Failures), test.want)
		}
	}
	if len(s.Failures) != all {
		t.Error("the snapshot has changed")
	}
	if got := (Filter{Text: "x"}).Apply(classify.Snapshot{}); len(got.Failures) != 0 {
		t.Errorf("nothing gives %v", got)
	}
}
