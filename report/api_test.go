package report

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestFailuresAnswer proves that the answer is the document of diagnose, that it holds no time of the look, and that notes come with it.
func TestFailuresAnswer(t *testing.T) {
	c := catalogue(t)
	for name, s := range map[string]classify.Snapshot{"broken": broken(t), "hostile": hostile(), "nothing": {At: now}} {
		answer := func(notes ...string) []byte {
			return rendered(t, func(w io.Writer) error { return WriteFailures(w, s, c, notes) })
		}
		plain := answer()
		if want := written(t, FormatJSON, s, c, Options{}); !bytes.Equal(plain, want) {
			t.Errorf("%s is not what diagnose writes:\n%s", name, plain)
		}
		s.At = s.At.Add(time.Hour)
		if later := answer(); !bytes.Equal(later, plain) {
			t.Errorf("%s is another answer an hour later", name)
		}
		var got FailuresAnswer
		if err := json.Unmarshal(answer("May not watch pods, so nothing is told."), &got); err != nil || len(got.Failures) != len(s.Failures) {
			t.Errorf("%s: %d failures, %v", name, len(got.Failures), err)
		}
		if want := []string{"May not watch pods, so nothing is told."}; !reflect.DeepEqual(got.Notes, want) {
			t.Errorf("%s: the notes are %q", name, got.Notes)
		}
	}
}
