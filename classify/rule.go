package classify

import (
	"regexp"
	"slices"
	"strings"
)

// rule tells one cause from a text. It stands beside the messages that it was made for and those that only look alike;
// a test runs all of them through the whole table, so that no rule takes another one's messages.
type rule struct {
	cause Cause
	// any, all and none are lower-case parts of the text: at least one of any, every one of all, not one of none.
	any, all, none []string
	// pattern, where given, must match the lower-case text too.
	pattern *regexp.Regexp
	// made are messages that this rule must tell; near are look-alikes that it must leave to others.
	made, near []string
}

// table is a family's rules in their order: the first that matches tells the cause.
type table []rule

func (r *rule) matches(lower string) bool {
	in := func(part string) bool { return strings.Contains(lower, part) }
	if len(r.any) > 0 && !slices.ContainsFunc(r.any, in) {
		return false
	}
	if slices.ContainsFunc(r.none, in) {
		return false
	}
	for _, part := range r.all {
		if !in(part) {
			return false
		}
	}
	return r.pattern == nil || r.pattern.MatchString(lower)
}

// tell returns the cause of the first rule that matches the text.
func (t table) tell(text string) (Cause, bool) {
	lower := strings.ToLower(text)
	for i := range t {
		if t[i].matches(lower) {
			return t[i].cause, true
		}
	}
	return "", false
}
