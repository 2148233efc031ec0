package messages

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// recordsVariable names the environment variable with the path of the records.
const recordsVariable = "KFE_MESSAGES"

// The bounds that the project promises.
const (
	leastAccuracy = 0.97
	mostWrong     = 0.005
)

// record is one real message with its true cause, one JSON object a line.
type record struct {
	ID string `json:"id"`
	// Family and Cause are the truth; Accept are other causes that count as right, where the evidence ties.
	Family classify.Family  `json:"family"`
	Cause  classify.Cause   `json:"cause"`
	Accept []classify.Cause `json:"accept"`
	// Field is where the message stands: event, waiting, terminated, condition or status.
	Field string `json:"field"`
	// Reason is Kubernetes' reason beside it, empty where it is not known.
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Image is what the container asks for, empty where it is not known.
	Image string `json:"image"`
	// ExitCode is nil where it is not known.
	ExitCode *int32 `json:"exit_code"`
	// FromLogs says that the text is the container's output.
	FromLogs bool `json:"from_logs"`
	// Quota is what a quota message states.
	Quota *recordQuota `json:"quota"`
	// Causes are all causes that a scheduler's message holds.
	Causes []classify.Cause `json:"causes"`
}

type recordQuota struct {
	Name      string            `json:"name"`
	Resources []string          `json:"resources"`
	Requested map[string]string `json:"requested"`
	Used      map[string]string `json:"used"`
	Limited   map[string]string `json:"limited"`
}

// answer is what was told of one record's objects.
type answer struct {
	Cause classify.Cause
	Quota *classify.Quota
	// Others are causes of further failures: one record should give one.
	Others []classify.Cause
}

// readRecords reads the file that the environment names, or skips the test.
func readRecords(t *testing.T) []record {
	t.Helper()
	path := os.Getenv(recordsVariable)
	if path == "" {
		t.Skipf("no records: set %s to the path of a JSONL file of messages (its format is documented at TestMessages)", recordsVariable)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("reading the records: %v", err)
	}
	var records []record
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 4<<20)
	for n := 1; lines.Scan(); n++ {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s:%d: %v", path, n, err)
		}
		records = append(records, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatalf("reading the records: %v", err)
	}
	return records
}

// score compares the answers of one variant with the truth.
type score struct {
	all, right, wrong int
	misses            []string
	quotas            []string
}

func (s *score) accuracy() float64 { return float64(s.right) / float64(max(s.all, 1)) }

func (s *score) wrongRate() float64 { return float64(s.wrong) / float64(max(s.all, 1)) }

// add scores one record. A vague cause of the record's own family is a miss, but not wrong.
func (s *score) add(catalogue *classify.Catalogue, r *record, got answer) {
	s.all++
	right := got.Cause == r.Cause || slices.Contains(r.Accept, got.Cause)
	if right && len(got.Others) == 0 {
		s.right++
	} else {
		kind := "missed"
		if got.Cause != "" && !right && !vague(catalogue, r.Family, got.Cause) {
			s.wrong++
			kind = "WRONG"
		}
		s.misses = append(s.misses, fmt.Sprintf("%s %s (%s %s): want %s, got %s %v: %s", kind, r.ID, r.Field, r.Reason, r.Cause,
			cmp.Or(got.Cause, "nothing"), got.Others, short(r.Message)))
	}
	if r.Quota != nil {
		if problem := compareQuota(r.Quota, got.Quota); problem != "" {
			s.quotas = append(s.quotas, r.ID+": "+problem)
		}
	}
}

// vague says that a cause is the family's own word for "not known".
func vague(catalogue *classify.Catalogue, family classify.Family, cause classify.Cause) bool {
	page := catalogue.Page(cause)
	return page != nil && page.Certainty == classify.Unknown && page.Family == family
}

func compareQuota(want *recordQuota, got *classify.Quota) string {
	if got == nil {
		return "no quota told"
	}
	if got.Name != want.Name {
		return fmt.Sprintf("name: want %q, got %q", want.Name, got.Name)
	}
	var names []string
	for _, r := range got.Resources {
		names = append(names, r.Resource)
		for what, figure := range map[string]struct {
			want string
			got  *resource.Quantity
		}{
			"requested": {want.Requested[r.Resource], r.Requested},
			"used":      {want.Used[r.Resource], r.Used},
			"limited":   {want.Limited[r.Resource], r.Hard},
		} {
			if figure.want == "" {
				continue
			}
			if q, err := resource.ParseQuantity(figure.want); err != nil || figure.got == nil || q.Cmp(*figure.got) != 0 {
				return fmt.Sprintf("%s of %s: want %s, got %v", what, r.Resource, figure.want, figure.got)
			}
		}
	}
	wanted := slices.Sorted(slices.Values(want.Resources))
	if slices.Sort(names); !slices.Equal(names, wanted) {
		return fmt.Sprintf("resources: want %v, got %v", wanted, names)
	}
	return ""
}

// report prints the figures and every miss, and fails where a bound is not kept.
func (s *score) report(t *testing.T) {
	t.Helper()
	slices.Sort(s.misses)
	for _, miss := range slices.Compact(s.misses) {
		t.Log(miss)
	}
	for _, problem := range s.quotas {
		t.Errorf("quota of %s", problem)
	}
	t.Logf("accuracy %.2f %% (%d of %d), wrong %.2f %% (%d)", 100*s.accuracy(), s.right, s.all, 100*s.wrongRate(), s.wrong)
	if s.accuracy() < leastAccuracy {
		t.Errorf("accuracy %.2f %% is less than %.0f %%", 100*s.accuracy(), 100*leastAccuracy)
	}
	if s.wrongRate() > mostWrong {
		t.Errorf("wrong causes %.2f %% are more than %.1f %%", 100*s.wrongRate(), 100*mostWrong)
	}
}

func short(message string) string {
	message = strings.ReplaceAll(message, "\n", `\n`)
	if len(message) > 240 {
		return message[:160] + " … " + message[len(message)-80:]
	}
	return message
}
