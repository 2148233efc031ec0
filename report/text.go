package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The styles of the terminal.
const (
	plain  = ""
	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[1;31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	reset  = "\x1b[0m"
)

// codeSpan is a word or command in a page's backticks.
var codeSpan = regexp.MustCompile("`([^`]+)`")

// text lays out lines for a terminal.
type text struct {
	bytes.Buffer
	width  int
	colour bool
}

// styled returns s in a style where colour is wanted.
func (t *text) styled(style, s string) string {
	if !t.colour || style == plain || s == "" {
		return s
	}
	return style + s + reset
}

// line writes one line as it is.
func (t *text) line(s string) {
	t.WriteString(strings.TrimRight(s, " "))
	t.WriteByte('\n')
}

// paragraph writes a body behind a label and wraps it; further lines are indented by the label's width.
func (t *text) paragraph(style, label, body string) {
	lead := utf8.RuneCountInString(label)
	for i, line := range wrap(body, t.width-lead) {
		if t.colour {
			line = codeSpan.ReplaceAllString(line, cyan+"$1"+reset)
		}
		if i == 0 {
			t.line(t.styled(style, label) + line)
		} else {
			t.line(strings.Repeat(" ", lead) + line)
		}
	}
}

// step writes a step of a fix. The command at its end stands alone, unbroken, so that it can be copied.
func (t *text) step(style, label, body string) {
	at := strings.LastIndex(body, ": `")
	prose, command := body[:max(at, 0)], strings.TrimSuffix(body[at+1:], "`")
	command = strings.TrimPrefix(command, " `")
	if at < 0 || !strings.HasSuffix(body, "`") || strings.Contains(command, "`") {
		t.paragraph(style, label, body)
		return
	}
	whole := label + prose + ": " + command
	if utf8.RuneCountInString(whole) <= t.width {
		t.line(t.styled(style, label) + prose + ": " + t.styled(cyan, command))
		return
	}
	t.paragraph(style, label, prose+":")
	t.line(strings.Repeat(" ", utf8.RuneCountInString(label)) + t.styled(cyan, command))
}

// steps writes numbered steps behind a label.
func (t *text) steps(label string, steps []string) {
	indent := strings.Repeat(" ", len(label))
	for i, step := range steps {
		if i > 0 {
			label = indent
		}
		t.step(green, fmt.Sprintf("%s%d. ", label, i+1), step)
	}
}

// wrap breaks a text between words into lines of at most width runes. A longer word, and what stands between
// backticks, is never broken: the terminal does that without harm to what is copied.
func wrap(body string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range words(body) {
		n := utf8.RuneCountInString(word)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += n
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// words splits at spaces outside of backticks.
func words(body string) []string {
	inCode := false
	if strings.Count(body, "`")%2 != 0 {
		return strings.Fields(body)
	}
	return strings.FieldsFunc(body, func(r rune) bool {
		if r == '`' {
			inCode = !inCode
		}
		return r == ' ' && !inCode
	})
}

// clean makes a text of the cluster harmless to the terminal: whatever does not print is shown by its number, so that no
// message can move the cursor, change colours or turn the direction of writing.
func clean(s string) string {
	s = strings.TrimSpace(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t' || r == '\u00a0':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += size
	}
	return b.String()
}
