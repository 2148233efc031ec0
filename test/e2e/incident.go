package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Incident is one cause of one workload: what one notification is about.
type Incident struct {
	Workload
	Cause classify.Cause
}

// Told is what came of an incident: the notifications about it.
type Told struct {
	Incident
	Wait             time.Duration // of its alert
	Firing, Resolved int
	First            time.Duration // from the status to the notification that names the cause; negative: none
	Ended            time.Duration // from the end of its status to the notification that says so; negative: not ended
	Summary          string
	Problem          string
}

// slack is what may pass between the end of an alert's wait and its notification: a scrape, two evaluations, the group's wait.
const slack = time.Minute

// kept is how long the alert itself goes on after what it is about has ended: the rules' keep_firing_for.
func kept(wait time.Duration) time.Duration { return max(3*time.Minute, wait) }

// incident collects what is known of one.
type incident struct {
	first, status, ended time.Time // of its series, and of the status before it
	firing, resolved     []Notification
}

// JudgeAlerts compares what failed with the notifications about it. status tells when the cluster first said that something
// fails, over when that ended. Violations are sentences.
func JudgeAlerts(
	catalogue *classify.Catalogue, tracks []Track, notifications []Notification, now time.Time,
	status, over func(*Track) time.Time,
) (told []Told, violations []string) {
	incidents := map[Incident]*incident{}
	var order []Incident
	for i := range tracks {
		track := &tracks[i]
		key := Incident{track.Workload, track.Cause}
		if track.Metric == metricRollout || catalogue.Page(track.Cause).Severity == "info" {
			continue
		}
		if incidents[key] == nil {
			incidents[key] = &incident{}
			order = append(order, key)
		}
		incidents[key].see(track, status(track), over(track))
	}
	for i := range notifications {
		n := &notifications[i]
		for _, key := range about(n) {
			switch in := incidents[key]; {
			case in == nil:
				violations = append(violations, fmt.Sprintf("false alert: %s %s", key.Workload, key.Cause))
			case n.Status == "firing":
				in.firing = append(in.firing, *n)
			default:
				in.resolved = append(in.resolved, *n)
			}
		}
	}
	for _, key := range order {
		t := incidents[key].judge(key, catalogue.Page(key.Cause).Wait, now)
		if t.Problem != "" {
			violations = append(violations, fmt.Sprintf("alert about %s %s: %s", key.Workload, key.Cause, t.Problem))
		}
		told = append(told, t)
	}
	return told, violations
}

// Late are the tracks, among those seen at the end, of incidents that began only after the scenarios had been watched, and that they
// expect: what takes long to show comes between.
func Late(watched, seen []Track, expected func(*Track) bool) []Track {
	known := map[Incident]bool{}
	for i := range watched {
		known[Incident{watched[i].Workload, watched[i].Cause}] = true
	}
	return slices.DeleteFunc(slices.Clone(seen), func(t Track) bool { return known[Incident{t.Workload, t.Cause}] || !expected(&t) })
}

// about lists the incidents of a notification, each once.
func about(n *Notification) []Incident {
	var keys []Incident
	for i := range n.Alerts {
		a := &n.Alerts[i]
		key := Incident{a.Workload(), classify.Cause(a.Labels["cause"])}
		if key.Cause != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (in *incident) see(track *Track, status, over time.Time) {
	if in.first.IsZero() || track.First.Before(in.first) {
		in.first = track.First
	}
	if status.IsZero() {
		status = track.First // nothing but the passing of time proves it
	}
	if in.status.IsZero() || status.Before(in.status) {
		in.status = status
	}
	if track.Ended.IsZero() || over.IsZero() {
		in.ended = time.Time{}
		return
	}
	in.ended = later(in.ended, later(over, track.Ended))
}

func (in *incident) judge(key Incident, wait time.Duration, now time.Time) Told {
	t := Told{Incident: key, Wait: wait, Firing: len(in.firing), Resolved: len(in.resolved), First: -1, Ended: -1}
	lasted := now.Sub(in.first)
	if !in.ended.IsZero() {
		lasted = in.ended.Sub(in.first)
	}
	if t.Firing > 0 {
		t.First = max(in.firing[0].At.Sub(in.status), 0)
		t.Summary = in.firing[0].Alerts[0].Annotations["summary"]
		t.Problem = wording(&in.firing[0].Alerts[0], key)
	}
	if t.Resolved > 0 && !in.ended.IsZero() {
		t.Ended = in.resolved[0].At.Sub(in.ended)
	}
	switch {
	case t.Firing == 0 && lasted < wait+slack:
		return t // too short for an alert
	case t.Firing != 1:
		t.Problem = fmt.Sprintf("want one firing notification, got %d", t.Firing)
	case t.First > wait+slack:
		t.Problem = fmt.Sprintf("named %.0f s after the status, want at most %.0f", t.First.Seconds(), (wait + slack).Seconds())
	case in.ended.IsZero() && t.Resolved > 0:
		t.Problem = "resolved although it goes on"
	case !in.ended.IsZero() && now.Sub(in.ended) > kept(wait)+2*slack && t.Resolved != 1:
		t.Problem = fmt.Sprintf("want one resolved notification, got %d", t.Resolved)
	}
	return t
}

// leftover matches what a template leaves where it has failed.
var leftover = regexp.MustCompile(`<no value>|%!|\{\{|error expanding template`)

// wording says what is wrong with the words of an alert, "" for nothing.
func wording(a *Alert, key Incident) string {
	for _, name := range []string{"summary", "description", "fix", "runbook_url", "dashboard_url"} {
		text := a.Annotations[name]
		if text == "" || leftover.MatchString(text) {
			return fmt.Sprintf("annotation %s is %q", name, text)
		}
	}
	switch {
	case !strings.HasPrefix(a.Annotations["fix"], "1. "):
		return "no numbered fix: " + a.Annotations["fix"]
	case !strings.Contains(a.Annotations["summary"], key.Namespace+"/"+key.Name):
		return "the summary does not say what fails: " + a.Annotations["summary"]
	case !strings.HasSuffix(a.Annotations["runbook_url"], "/"+string(key.Cause)+".md"):
		return "the runbook is another cause's: " + a.Annotations["runbook_url"]
	case a.Labels["severity"] != "critical" && a.Labels["severity"] != "warning":
		return "severity is " + a.Labels["severity"]
	}
	return ""
}
