package collector

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// readYAML reads documents that are divided by lines of ---.
func (in *input) readYAML(b *bufio.Reader, firstLine int) error {
	var document bytes.Buffer
	number, start := 0, firstLine
	finish := func() error {
		if blankDocument(document.Bytes()) {
			return nil
		}
		number++
		if err := in.documentYAML(document.Bytes(), start); err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
		return nil
	}
	for line := firstLine; ; line++ {
		text, err := b.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if rest, divides := divider(text); divides {
			if err := finish(); err != nil {
				return err
			}
			document.Reset()
			text, start = rest, line
		}
		document.Write(text)
		if err != nil {
			return finish()
		}
	}
}

// divider tells a line that divides documents, and returns what it holds besides.
func divider(line []byte) (rest []byte, ok bool) {
	trimmed := strings.TrimRight(string(line), "\r\n")
	switch {
	case trimmed == "---", trimmed == "...", strings.HasPrefix(trimmed, "... "):
		return []byte("\n"), true
	case strings.HasPrefix(trimmed, "--- "), strings.HasPrefix(trimmed, "---\t"):
		return append([]byte("   "), line[3:]...), true
	}
	return nil, false
}

// blankDocument says that a document is nothing but comments.
func blankDocument(document []byte) bool {
	for line := range bytes.Lines(document) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// yamlLine is how the YAML parser says where an error is.
var yamlLine = regexp.MustCompile(`(?:error converting YAML to JSON: )?yaml: (?:line (\d+): )?`)

func (in *input) documentYAML(document []byte, firstLine int) error {
	raw, err := yaml.YAMLToJSON(document)
	if err != nil {
		text := err.Error()
		m := yamlLine.FindStringSubmatch(text)
		if m == nil {
			return fmt.Errorf("line %d: %w", firstLine, err)
		}
		within, _ := strconv.Atoi(m[1])
		// The parser counts some errors from the line before.
		return fmt.Errorf("near line %d: YAML: %s", firstLine+max(within-1, 0), text[len(m[0]):])
	}
	if string(raw) == "null" {
		return nil
	}
	if err := in.add(raw, nil, 0); err != nil {
		return fmt.Errorf("from line %d: %w", firstLine, err)
	}
	in.documents++
	return nil
}
