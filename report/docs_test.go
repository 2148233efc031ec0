package report

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

const docs = "../docs/diagnose.md"

// TestDocumentedExamples proves that the examples of the docs are real outputs.
func TestDocumentedExamples(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range Formats() {
		example := regexp.MustCompile("(?s)(<!-- example: " + format + " -->\n```(?:json|yaml)?\n)(.*?)(```\n)")
		m := example.FindSubmatchIndex(text)
		if m == nil {
			t.Errorf("%s has no example of %s", docs, format)
			continue
		}
		want := written(t, format, demanding(t), catalogue(t), Options{})
		if !bytes.Equal(text[m[4]:m[5]], want) && !*update {
			t.Errorf("the example of %s in %s is not what the program writes (go test ./report -update mends it)", format, docs)
		}
		text = bytes.Join([][]byte{text[:m[4]], want, text[m[5]:]}, nil)
	}
	if *update {
		if err := os.WriteFile(docs, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDocumentedKeys proves that the docs describe each key of the contract, and whether it may be left out.
func TestDocumentedKeys(t *testing.T) {
	text, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|.*\\| ([^|]*) \\|$").FindAllStringSubmatch(string(text), -1) {
		rows[m[1]] = m[2]
	}
	var check func(prefix string, of reflect.Type)
	check = func(prefix string, of reflect.Type) {
		for field := range of.Fields() {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			key := prefix + name
			leftOut, ok := rows[key]
			if !ok {
				t.Errorf("%s does not describe %s", docs, key)
			} else if (leftOut == "never") == (options == "omitempty") {
				t.Errorf("%s: %s is left out %q, the code says %q", docs, key, leftOut, options)
			}
			delete(rows, key)
			switch elem := field.Type; {
			case elem.Kind() == reflect.Pointer && elem.Elem().Kind() == reflect.Struct:
				check(key+".", elem.Elem())
			case elem.Kind() == reflect.Slice && elem.Elem().Kind() == reflect.Struct:
				check(key+"[].", elem.Elem())
			}
		}
	}
	check("", reflect.TypeFor[Entry]())
	for key := range rows {
		t.Errorf("%s describes %s, which is no key", docs, key)
	}
	for i, code := range []string{"nothing fails", "something fails", "it could not look"} {
		if row := fmt.Sprintf("| %d | %s", []int{0, 2, 1}[i], code); !strings.Contains(string(text), row) {
			t.Errorf("%s lacks %q", docs, row)
		}
	}
}
