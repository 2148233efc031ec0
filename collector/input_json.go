package collector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonInput reads documents of JSON one item at a time, so that no List is ever held as a whole.
type jsonInput struct {
	*input
	decoder *json.Decoder
	lines   *lineCounter
}

func (in *input) readJSON(r io.Reader, firstLine int) error {
	lines := &lineCounter{reader: r, before: firstLine}
	j := &jsonInput{input: in, decoder: json.NewDecoder(lines), lines: lines}
	for number := 1; ; number++ {
		token, err := j.decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = j.document(token)
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", number, j.located(err))
		}
		in.documents++
	}
}

// document reads what follows the first token of a document.
func (j *jsonInput) document(first json.Token) error {
	switch first {
	case json.Delim('['):
		if err := j.items(&objectHead{}, nil); err != nil {
			return err
		}
		return nil
	case json.Delim('{'):
		return j.object()
	}
	return fmt.Errorf("line %d: %w", j.lines.at(j.decoder.InputOffset()), errNoObject)
}

// object reads an object or a List, whose kind may stand behind its items.
func (j *jsonInput) object() error {
	fields := map[string]json.RawMessage{}
	var nameless []json.RawMessage
	isList := false
	for j.decoder.More() {
		key, err := j.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if name == "items" && !isList {
			isList = true
			if err := j.itemsField(headOf(fields), &nameless); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := j.value(&value); err != nil {
			return err
		}
		fields[name] = value
	}
	if _, err := j.decoder.Token(); err != nil {
		return err
	}
	if isList {
		return j.listed(headOf(fields), nameless)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("reading an object: %w", err)
	}
	return j.add(raw, nil, 0)
}

// itemsField reads the value of items, which is null in an empty List of some programs.
func (j *jsonInput) itemsField(list *objectHead, nameless *[]json.RawMessage) error {
	token, err := j.decoder.Token()
	switch {
	case err != nil:
		return err
	case token == json.Delim('['):
		return j.items(list, nameless)
	case token == nil:
		return nil
	}
	return fmt.Errorf("line %d: items is not a list", j.lines.at(j.decoder.InputOffset()))
}

// items reads up to the end of a list. Items that do not say what they are wait in nameless, where that is given and the
// List's own kind is not known yet.
func (j *jsonInput) items(list *objectHead, nameless *[]json.RawMessage) error {
	for number := 1; j.decoder.More(); number++ {
		var raw json.RawMessage
		if err := j.value(&raw); err != nil {
			return fmt.Errorf("item %d: %w", number, err)
		}
		err := j.add(raw, list, 0)
		if errors.Is(err, errNoKind) && nameless != nil && list.Kind == "" {
			*nameless, err = append(*nameless, raw), nil
		}
		if err != nil {
			return fmt.Errorf("item %d: %w", number, err)
		}
		j.lines.forget(j.decoder.InputOffset())
	}
	_, err := j.decoder.Token()
	return err
}

func (j *jsonInput) listed(list *objectHead, nameless []json.RawMessage) error {
	for i, raw := range nameless {
		if err := j.add(raw, list, 0); err != nil {
			return fmt.Errorf("item %d of those without a kind: %w", i+1, err)
		}
	}
	return nil
}

// value reads one value. The decoder does not say where in it an error is; a second look at what it has buffered does.
func (j *jsonInput) value(into *json.RawMessage) error {
	err := j.decoder.Decode(into)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	offset := j.decoder.InputOffset()
	if rest, readErr := io.ReadAll(j.decoder.Buffered()); readErr == nil {
		var again *json.SyntaxError
		var raw json.RawMessage
		if errors.As(json.NewDecoder(bytes.NewReader(rest)).Decode(&raw), &again) {
			offset += again.Offset - 1
		}
	}
	return fmt.Errorf("line %d: %w", j.lines.at(offset), &locatedError{syntax})
}

// locatedError is a syntax error whose line has been told.
type locatedError struct{ error }

func (e *locatedError) Unwrap() error { return e.error }

// located adds the line to an error of the decoder.
func (j *jsonInput) located(err error) error {
	var done *locatedError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &done):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("line %d: the input ends in the middle of an object: was it cut off?", j.lines.at(j.lines.read))
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: %w", j.lines.at(j.decoder.InputOffset()), err)
	}
	return err
}

// lineCounter remembers where the lines begin that the decoder has read and not yet dealt with.
type lineCounter struct {
	reader io.Reader
	read   int64
	// before is the number of the first line that is remembered, and ends are the offsets of the ends of lines from there.
	before int
	ends   []int64
}

// Read reads from the reader below.
func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.reader.Read(p)
	for i, c := range p[:n] {
		if c == '\n' {
			l.ends = append(l.ends, l.read+int64(i))
		}
	}
	l.read += int64(n)
	return n, err
}

// at returns the line of an offset.
func (l *lineCounter) at(offset int64) int {
	line := l.before
	for _, end := range l.ends {
		if end >= offset {
			break
		}
		line++
	}
	return line
}

// forget drops the lines before an offset.
func (l *lineCounter) forget(offset int64) {
	n := 0
	for n < len(l.ends) && l.ends[n] < offset {
		n++
	}
	l.before += n
	l.ends = l.ends[:copy(l.ends, l.ends[n:])]
}
