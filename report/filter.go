package report

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// longestFilter is longer than any name of Kubernetes, and as much of a message as anybody looks for.
const longestFilter = 256

// Filter says which failures are wanted; what is empty wants all.
type Filter struct {
	// Namespace, Family and Cause are whole names.
	Namespace, Family, Cause string
	// Text is words of which each must stand somewhere in the failure's names, reason, image or message, in any case of letters.
	Text string
}

// ParseFilter reads a filter from the parameters of a URL: namespace, family, cause and text. Others are ignored, and of one
// that is given twice the first counts. The error is for people: it says which value is too long.
func ParseFilter(values url.Values) (Filter, error) {
	var f Filter
	for _, p := range f.parameters() {
		*p.value = strings.TrimSpace(values.Get(p.name))
		if utf8.RuneCountInString(*p.value) > longestFilter {
			return Filter{}, fmt.Errorf("%s is too long: give at most %d characters", p.name, longestFilter)
		}
	}
	return f, nil
}

// parameter is a field of a filter and its name in a URL.
type parameter struct {
	name  string
	value *string
}

func (f *Filter) parameters() []parameter {
	return []parameter{{"namespace", &f.Namespace}, {"family", &f.Family}, {"cause", &f.Cause}, {"text", &f.Text}}
}

// Query returns the filter as a URL's query, without a question mark: "" for a filter that wants all.
func (f Filter) Query() string { return f.values().Encode() }

func (f Filter) values() url.Values {
	values := url.Values{}
	for _, p := range f.parameters() {
		if *p.value != "" {
			values.Set(p.name, *p.value)
		}
	}
	return values
}

// Apply returns the snapshot with the failures that are wanted. The snapshot itself is left as it is.
func (f Filter) Apply(s classify.Snapshot) classify.Snapshot {
	if f == (Filter{}) {
		return s
	}
	words := strings.Fields(strings.ToLower(f.Text))
	var wanted []classify.Failure
	for i := range s.Failures {
		if f.wants(&s.Failures[i], words) {
			wanted = append(wanted, s.Failures[i])
		}
	}
	s.Failures = wanted
	return s
}

func (f Filter) wants(failure *classify.Failure, words []string) bool {
	if f.Namespace != "" && f.Namespace != failure.Namespace ||
		f.Family != "" && f.Family != string(failure.Family) ||
		f.Cause != "" && f.Cause != string(failure.Cause) {
		return false
	}
	if len(words) == 0 {
		return true
	}
	text := strings.ToLower(strings.Join([]string{
		failure.Namespace, failure.WorkloadKind, failure.Workload, failure.Kind, failure.Name, failure.Container, failure.Node,
		failure.Image, failure.Reason, string(failure.Cause), failure.Message,
	}, "\n"))
	return !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
}
