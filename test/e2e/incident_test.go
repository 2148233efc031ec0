package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestJudgeAlerts proves that the judge of the notifications finds what it is there to find.
func TestJudgeAlerts(t *testing.T) {
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	at := func(minutes float64) time.Time { return begin.Add(time.Duration(minutes * float64(time.Minute))) }
	track := func(ended time.Time) Track {
		return Track{Metric: metricPod, Workload: Workload{"shop", "Deployment", "web"}, Cause: classify.ImageTagNotFound, First: begin, Ended: ended}
	}
	notification := func(at time.Time, status string, change func(*Alert)) Notification {
		a := Alert{Status: status, Labels: map[string]string{
			"namespace": "shop", "workload_kind": "Deployment", "workload": "web", "cause": "ImageTagNotFound", "severity": "critical",
		}, Annotations: map[string]string{
			"summary": "shop/web: no", "description": "no", "fix": "1. Do it.", "runbook_url": "https://x/ImageTagNotFound.md", "dashboard_url": "https://y",
		}}
		if change != nil {
			change(&a)
		}
		return Notification{At: at, Status: status, Alerts: []Alert{a, a}} // two containers of one group
	}
	annotate := func(name, text string) func(*Alert) { return func(a *Alert) { a.Annotations[name] = text } }
	firing := notification(at(2.5), "firing", nil)
	for name, test := range map[string]struct {
		ended         time.Time
		notifications []Notification
		want          string // in a violation, "" for none
	}{
		"fires once and goes on":         {time.Time{}, []Notification{firing}, ""},
		"fires once and ends":            {at(8), []Notification{firing, notification(at(9), "resolved", nil)}, ""},
		"too short for an alert":         {at(1), nil, ""},
		"nobody is told":                 {time.Time{}, nil, "want one firing notification, got 0"},
		"told twice":                     {time.Time{}, []Notification{firing, firing}, "want one firing notification, got 2"},
		"told late":                      {time.Time{}, []Notification{notification(at(3.5), "firing", nil)}, "named 210 s after the status"},
		"never told that it is over":     {at(8), []Notification{firing}, "want one resolved notification, got 0"},
		"the alert outlives its end":     {at(15.1), []Notification{firing}, ""},
		"told that it is over too early": {time.Time{}, []Notification{firing, notification(at(9), "resolved", nil)}, "resolved although it goes on"},
		"about a healthy workload": {
			time.Time{}, []Notification{firing, notification(at(3), "firing", func(a *Alert) { a.Labels["workload"] = "fine" })}, "false alert: shop/Deployment/fine",
		},
		"of another cause": {
			time.Time{}, []Notification{firing, notification(at(3), "firing", func(a *Alert) { a.Labels["cause"] = "OOMKilled" })}, "false alert: shop/Deployment/web OOMKilled",
		},
		"without a fix":          {time.Time{}, []Notification{notification(at(2.5), "firing", annotate("fix", ""))}, "annotation fix is"},
		"with a broken text":     {time.Time{}, []Notification{notification(at(2.5), "firing", annotate("description", "<no value>"))}, "annotation description is"},
		"with another runbook":   {time.Time{}, []Notification{notification(at(2.5), "firing", annotate("runbook_url", "https://x/OOMKilled.md"))}, "another cause's"},
		"without a severity":     {time.Time{}, []Notification{notification(at(2.5), "firing", func(a *Alert) { a.Labels["severity"] = "" })}, "severity is"},
		"whose text says less":   {time.Time{}, []Notification{notification(at(2.5), "firing", annotate("summary", "no"))}, "does not say what fails"},
		"with an unnumbered fix": {time.Time{}, []Notification{notification(at(2.5), "firing", annotate("fix", "Do it."))}, "no numbered fix"},
	} {
		t.Run(name, func(t *testing.T) {
			status := func(*Track) time.Time { return begin }
			over := func(*Track) time.Time { return test.ended }
			told, violations := JudgeAlerts(catalogue, []Track{track(test.ended)}, test.notifications, at(20), status, over)
			all := strings.Join(violations, "\n")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("got %q, want %q", all, test.want)
			}
			if len(told) != 1 {
				t.Errorf("told of %d incidents, want 1", len(told))
			}
		})
	}
}

// TestLate proves that what began after the watch is judged too, and that what nobody expects stays false.
func TestLate(t *testing.T) {
	track := func(name string, cause classify.Cause) Track {
		return Track{Workload: Workload{"pods", "Pod", name}, Cause: cause}
	}
	watched := []Track{track("crash", classify.AppError)}
	seen := []Track{track("crash", classify.AppError), track("stuck", classify.StuckTerminating), track("fine", classify.OOMKilled)}
	late := Late(watched, seen, func(t *Track) bool { return t.Workload.Name != "fine" })
	if len(late) != 1 || late[0].Workload.Name != "stuck" {
		t.Errorf("got %v, want the pod that is stuck alone", late)
	}
	if len(seen) != 3 || seen[0].Workload.Name != "crash" {
		t.Errorf("the tracks given are %v now", seen)
	}
}
