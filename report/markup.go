package report

import (
	"regexp"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// The marks that an element of the catalogue's pages begins with. A paragraph has none, a step has its number.
const (
	markHeading = "## "
	markBullet  = "- "
	markCode    = "```"
)

// item is the start of a list's item.
var item = regexp.MustCompile(`^(?:- |\d+\. )`)

// element is a heading, a paragraph, an item of a list or a block of code.
type element struct{ mark, text string }

// elements reads what the catalogue's pages are made of. They are ours and need no more of Markdown than this; a test
// proves that nothing of it is left over.
func elements(markdown string) []element {
	var found []element
	code, goesOn := false, false
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\r\n")
		heading, isHeading := strings.CutPrefix(line, markHeading)
		switch {
		case strings.HasPrefix(line, markCode):
			if code = !code; code {
				found = append(found, element{mark: markCode})
			}
			goesOn = false
		case code:
			found[len(found)-1].text += line + "\n"
		case isHeading:
			found = append(found, element{markHeading, heading})
			goesOn = false
		case strings.TrimSpace(line) == "":
			goesOn = false
		case goesOn && !item.MatchString(line):
			found[len(found)-1].text += " " + strings.TrimSpace(line)
		default:
			mark := item.FindString(line)
			found = append(found, element{mark, strings.TrimSpace(line[len(mark):])})
			goesOn = true
		}
	}
	return found
}

// span is a piece of a line: code, a link, or plain words.
type span struct {
	Text string
	Code bool
	Link string
}

var (
	// markup is what spans looks at: code, in which nothing is linked, and words that may be causes.
	markup = regexp.MustCompile("(?s)```.*?```|`[^`]+`|\\b[A-Z]\\w*\\b")
	// everyday are words that are causes only where an item begins with them and a colon: Killed, Terminated.
	everyday = regexp.MustCompile(`^[A-Z][a-z]+$`)
)

// linker turns the causes that a text names into links, each once.
type linker struct {
	catalogue *classify.Catalogue
	// before and after stand around the cause in a link.
	before, after string
	linked        map[classify.Cause]bool
}

// newLinker returns a linker for a text of the page self, which needs no link to itself.
func newLinker(c *classify.Catalogue, self classify.Cause, before, after string) *linker {
	return &linker{catalogue: c, before: before, after: after, linked: map[classify.Cause]bool{self: true}}
}

// spans splits a text.
func (l *linker) spans(text string) []span {
	var out []span
	done := 0
	for _, at := range markup.FindAllStringIndex(text, -1) {
		next := span{Text: text[at[0]:at[1]]}
		switch {
		case strings.HasPrefix(next.Text, markCode):
			continue
		case next.Text[0] == '`':
			next = span{Text: strings.Trim(next.Text, "`"), Code: true}
		case l.links(text, at[0], at[1]):
			next.Link = l.before + next.Text + l.after
		default:
			continue
		}
		if done < at[0] {
			out = append(out, span{Text: text[done:at[0]]})
		}
		out = append(out, next)
		done = at[1]
	}
	if done < len(text) {
		out = append(out, span{Text: text[done:]})
	}
	return out
}

// links says whether the word between two places is a cause that is named for the first time.
func (l *linker) links(text string, from, to int) bool {
	cause := classify.Cause(text[from:to])
	if l.linked[cause] || l.catalogue.Page(cause) == nil {
		return false
	}
	leads := (from == 0 || strings.HasSuffix(text[:from], markBullet)) && strings.HasPrefix(text[to:], ":")
	if !leads && everyday.MatchString(text[from:to]) {
		return false
	}
	l.linked[cause] = true
	return true
}
