package main

import (
	"strings"
	"testing"
)

const example = "global:\n  secret: x\n\nroute:\n  # why\n  receiver: a\n\ninhibit_rules: []\n\nreceivers:\n  - name: a\n    url: y\n  - name: b\n"

func TestWithoutAccounts(t *testing.T) {
	got, err := withoutAccounts(example)
	if want := header + "route:\n  # why\n  receiver: a\n\ninhibit_rules: []\n\nreceivers:\n  - name: a\n  - name: b\n"; err != nil || got != want {
		t.Errorf("got\n%s(%v), want\n%s", got, err, want)
	}
	for _, text := range []string{
		"receivers: [", strings.Replace(example, "route:", "routes:", 1), "\nroute:\n\nreceivers:\n", "receivers: [{name: a}]\nroute:\n",
	} {
		if _, err := withoutAccounts(text); err == nil {
			t.Errorf("accepted:\n%s", text)
		}
	}
}
