package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// The formats that Write knows.
const (
	FormatTable = "table"
	FormatJSON  = "json"
	FormatYAML  = "yaml"
)

// defaultWidth is used where the terminal's width is not known.
const defaultWidth = 120

// Formats returns the formats that Write knows, the default first.
func Formats() []string { return []string{FormatTable, FormatJSON, FormatYAML} }

// Options say how a table looks. The other formats have no options.
type Options struct {
	// Width is the terminal's, 0 for 120.
	Width int
	// Colour asks for escape sequences; the table says the same without them.
	Colour bool
	// Looked says what was looked at ("213 pods, 41 controllers"); it is shown where nothing fails.
	Looked string
}

// Write writes a snapshot in one of Formats.
func Write(w io.Writer, format string, s classify.Snapshot, c *classify.Catalogue, o Options) error {
	var out []byte
	var err error
	switch format {
	case FormatTable, "":
		out = table(&s, c, o)
	case FormatJSON:
		out, err = encodeJSON(New(s, c))
	case FormatYAML:
		out, err = encodeYAML(New(s, c))
	default:
		return fmt.Errorf("unknown format %q: use one of %s", format, strings.Join(Formats(), ", "))
	}
	if err != nil {
		return fmt.Errorf("encoding as %s: %w", format, err)
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func encodeJSON(d any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // a fix must show <pod>, not \u003cpod\u003e
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return nil, err
	}
	return escapeControls(b.Bytes()), nil
}

func encodeYAML(d Document) ([]byte, error) {
	out, err := encodeJSON(d) // escapes what the YAML parser below would refuse
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(out)
}

// escapeControls escapes what encoding/json lets pass although terminals obey it or YAML forbids it: DEL, the C1 controls,
// the marks that turn the direction of writing, and what is no character. All of them can only stand inside strings.
func escapeControls(in []byte) []byte {
	if bytes.IndexFunc(in, isControl) < 0 {
		return in
	}
	var b bytes.Buffer
	for _, r := range string(in) {
		if isControl(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.Bytes()
}

func isControl(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Noncharacter_Code_Point, r) || r == '\ufeff')
}
