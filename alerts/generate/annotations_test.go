package main

import (
	"strings"
	"testing"
	"text/template"
)

// TestTemplatedKeepsBraces renders texts with braces of their own: a command's format, JSON, a placeholder between braces.
func TestTemplatedKeepsBraces(t *testing.T) {
	for _, text := range []string{
		`docker image inspect --format '{{.Config.User}} {{{x}}}' IMAGE`,
		`-o go-template='{{range $k, $v := .data}}{{$k}}{{"\n"}}{{end}}'`,
		`-o jsonpath='{range .items[*]}{.name}{"\t"}{end}'`,
		`-p '{"spec":{"template":{"spec":{"containers":[{"name":"x"}]}}}}'`,
		`{<namespace>} {{<namespace>}}`, `{`, `a {- b -} c`,
	} {
		parsed, err := template.New("").Parse(`{{ $labels := . }}` + templated(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var b strings.Builder
		if err := parsed.Execute(&b, map[string]string{"namespace": "apps"}); err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(text, "<namespace>", "apps"); b.String() != want {
			t.Errorf("got %s, want %s", b.String(), want)
		}
	}
}
