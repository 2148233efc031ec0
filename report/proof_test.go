package report

import (
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

func TestExitMeaning(t *testing.T) {
	for _, test := range []struct {
		end  classify.End
		want string
	}{
		{classify.End{ExitCode: 0, Reason: "Completed"}, "success"},
		{classify.End{ExitCode: 1, Reason: "Error"}, ""},
		{classify.End{ExitCode: 126}, "found, but not executable (the shell's convention)"},
		{classify.End{ExitCode: 127}, "command not found (the shell's convention)"},
		{classify.End{ExitCode: 128, Reason: "StartError"}, "it could not be started"},
		{classify.End{ExitCode: 127, Reason: "ContainerCannotRun"}, "it could not be started"},
		{classify.End{ExitCode: 128, Reason: "Error"}, ""},
		{classify.End{ExitCode: 134}, "SIGABRT, it aborted itself"},
		{classify.End{ExitCode: 137, Reason: "OOMKilled"}, "SIGKILL, ended by force"},
		{classify.End{ExitCode: 137, Reason: "ContainerStatusUnknown"}, "nobody saw it end: the kubelet writes 137 then"},
		{classify.End{ExitCode: 139}, "SIGSEGV, memory that is not its own"},
		{classify.End{ExitCode: 143}, "SIGTERM, asked to end"},
		{classify.End{ExitCode: 192}, ""},
		{classify.End{ExitCode: 255, Reason: "Error"}, ""},
		{classify.End{ExitCode: 255, Reason: "Unknown"}, "nobody saw it end: the runtime writes 255 then"},
		{classify.End{ExitCode: 0, Signal: 9}, "SIGKILL, ended by force"},
		{classify.End{ExitCode: 1, Signal: 64}, "signal 64"},
		{classify.End{ExitCode: -1073741819}, ""},
	} {
		if got := exitMeaning(&test.end); got != test.want {
			t.Errorf("%+v: got %q, want %q", test.end, got, test.want)
		}
	}
}

// ended is the failure of a container with an end.
func ended(code int32, reason string, minutes int, restarts int32) *classify.Failure {
	return &classify.Failure{LastEnd: &classify.End{ExitCode: code, Reason: reason, At: ago(minutes), Restarts: restarts}}
}

func TestEnds(t *testing.T) {
	failures := []*classify.Failure{
		ended(1, "Error", 9, 2), ended(1, "Error", 5, 1), {}, ended(137, "OOMKilled", 7, 1), ended(1, "Error", 8, 7), ended(3, "Error", 8, 0), ended(2, "Error", 8, 0),
	}
	want := []end{
		{Code: 1, Reason: "Error", Count: "3 containers, at most 7 restarts", Age: "5m", Since: "2026-11-22T21:44:00Z"},
		{Code: 137, Meaning: "SIGKILL, ended by force", Reason: "OOMKilled", Count: "1 restart", Age: "7m", Since: "2026-11-22T21:42:00Z"},
		{Code: 2, Reason: "Error", Count: "0 restarts", Age: "8m", Since: "2026-11-22T21:41:00Z"},
	}
	for range 2 {
		got, more := (&block{failures: failures}).ends(now)
		if !reflect.DeepEqual(got, want) || more != 1 {
			t.Errorf("got %+v and %d more", got, more)
		}
		slices.Reverse(failures)
	}
	unknown, _ := (&block{failures: []*classify.Failure{{LastEnd: &classify.End{ExitCode: 1}}}}).ends(now)
	if !reflect.DeepEqual(unknown, []end{{Code: 1, Count: "0 restarts"}}) {
		t.Errorf("without a time: %+v", unknown)
	}
}

func TestEvents(t *testing.T) {
	seen := func(reason string, count int32, first, last int) classify.Event {
		return classify.Event{Type: "Warning", Reason: reason, Message: reason + "é " + strings.Repeat("x", 20), Count: count, First: ago(first), Last: ago(last)}
	}
	one := &classify.Failure{Events: []classify.Event{seen("A", 1, 3, 3), seen("B", 5, 9, 4), seen("C", 2, 5, 5)}}
	row := func(reason, times, age string, minutes int) eventRow {
		return eventRow{Type: "Warning", Reason: reason, Times: times, Age: age, Since: stamp(ago(minutes)), Message: reason + "é xx…"}
	}
	want := events{"Events", []eventRow{row("A", "", "3m", 3), row("B", "5 times in 5m", "4m", 4), row("C", "2 times", "5m", 5)}}
	if got := (&block{failures: []*classify.Failure{{}, one}}).events(now, 5); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	other := &classify.Failure{Events: []classify.Event{seen("B", 7, 8, 2), seen("D", 1, 1, 1)}}
	want = events{"Events, of each reason the newest one", []eventRow{row("D", "", "60s", 1), row("B", "7 times in 6m", "2m", 2), row("A", "", "3m", 3)}}
	if got := (&block{failures: []*classify.Failure{one, other}}).events(now, 5); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := (&block{failures: []*classify.Failure{{}}}).events(now, 5); got.Rows != nil {
		t.Errorf("got %+v", got)
	}
	timeless := (&block{failures: []*classify.Failure{{Events: []classify.Event{{Reason: "A", Count: 3}}}}}).events(time.Time{}, 5)
	if !reflect.DeepEqual(timeless.Rows, []eventRow{{Reason: "A", Times: "3 times"}}) {
		t.Errorf("without a time: %+v", timeless)
	}
}

// TestEvidenceIsShown looks at the pages and at the documents for what a failure's objects say.
func TestEvidenceIsShown(t *testing.T) {
	s := broken(t)
	page := landing(t, Page{Snapshot: s})
	for _, want := range []string{
		`<dt>last end</dt> <dd>exit code 137: SIGKILL, ended by force <span class="soft">OOMKilled, <time datetime="2026-11-22T21:42:00Z">7m</time> ago, 2 containers, at most 5 restarts</span></dd>`,
		`<td>211 times in 2d1h, last <time datetime="2026-11-22T21:44:00Z">5m</time> ago</td><td class="message">Back-off restarting failed container app in pod worker-0_shop(12)</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	var got []Entry
	for _, e := range New(s, catalogue(t)).Failures {
		if e.Name == "worker-0" {
			got = append(got, e)
		}
	}
	if len(got) != 2 || !reflect.DeepEqual(got[0].LastEnd, &LastEnd{ExitCode: 137, Reason: "OOMKilled", At: "2026-11-22T21:42:00Z", Restarts: 3}) {
		t.Fatalf("got %+v", got)
	}
	want := []Event{{
		Type: "Warning", Reason: "BackOff", Message: "Back-off restarting failed container app in pod worker-0_shop(12)", Count: 211,
		FirstSeen: "2026-11-20T19:59:00Z", LastSeen: "2026-11-22T21:44:00Z",
	}}
	if !reflect.DeepEqual(got[0].Events, want) {
		t.Errorf("got %+v\nwant %+v", got[0].Events, want)
	}
}

// TestLongEventsAreCut cuts what is long where many workloads stand, and shows all of it where one stands alone.
func TestLongEventsAreCut(t *testing.T) {
	p := &Page{Snapshot: broken(t), Catalogue: catalogue(t)}
	whole := strings.TrimSpace(strings.Repeat("exceeded quota ", 40))
	for name, test := range map[string]struct {
		write func(io.Writer) error
		want  bool
	}{
		"landing": {p.Write, false},
		"alone": {func(w io.Writer) error {
			return p.WriteWorkload(w, classify.Workload{Namespace: "batch", Kind: "CronJob", Name: "report"})
		}, true},
	} {
		page := string(rendered(t, test.write))
		if !strings.Contains(page, "is forbidden: exceeded quota exceeded quota ") || strings.Contains(page, whole) != test.want {
			t.Errorf("%s: the whole message is there: %t", name, !test.want)
		}
	}
}
