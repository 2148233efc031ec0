//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/dashboards"
)

// startAlerting lets a real Prometheus and Alertmanager watch what both exporters tell, or says loudly that there are none.
func (s *suite) startAlerting(ctx context.Context) {
	alertmanager := ""
	for _, name := range []string{"prometheus-alertmanager", "alertmanager"} { // Debian's name comes first
		if file, err := exec.LookPath(name); err == nil {
			alertmanager = file
			break
		}
	}
	if _, err := exec.LookPath("prometheus"); err != nil || alertmanager == "" {
		s.report.Note("**no prometheus and alertmanager on PATH: no alert was sent**")
		s.t.Log("!!! NO PROMETHEUS AND ALERTMANAGER ON PATH: no alert is sent (apt-get install prometheus prometheus-alertmanager)")
		return
	}
	var err error
	s.alerting, err = StartAlerting(ctx, module, s.folder, alertmanager,
		Target{s.steady.URL, ".*"}, Target{s.curing.URL, strings.Join(curedNamespaces(), "|")})
	s.must(err)
	s.t.Cleanup(s.alerting.Stop)
}

// testAlerts judges all notifications of the run. What the faults made fail for a moment is left out.
func (s *suite) testAlerts(ctx context.Context) {
	if s.alerting == nil {
		s.t.Skip("no Alertmanager")
	}
	notifications := s.alerting.Receiver.Notifications()
	scrape, err := s.steady.Scrape(ctx) // after the notifications, so that it holds all that they are about
	s.must(err)
	atEnd := NewRecorder()
	atEnd.Observe(scrape, time.Now())
	for i := range notifications {
		n := &notifications[i]
		n.Alerts = slices.DeleteFunc(n.Alerts, func(a Alert) bool {
			return a.Labels["namespace"] == namespaceFaults || s.mayResolve(&a, n.At)
		})
	}
	s.checkOwnAlerts(notifications)
	catalogue, err := classify.LoadCatalogue()
	s.must(err)
	status := func(t *Track) time.Time { return s.truthOf(t).Seen(t.subject, t.Family) }
	over := func(t *Track) time.Time { return s.truthOf(t).Over(t.subject, t.Family) }
	watched := s.steadyTracks.Tracks()
	late := Late(watched, atEnd.Tracks(), s.expects)
	cured := slices.DeleteFunc(s.curedTracks.Tracks(), func(t Track) bool { return !isCured(&t) })
	told, violations := JudgeAlerts(catalogue, slices.Concat(watched, late, cured), notifications, time.Now(), status, over)
	s.report.Violate(violations...)
	for i := range told {
		s.report.Add(told[i])
	}
	s.noteAlerts(told)
	s.checkDashboards(ctx)
}

// mayResolve says that Kubernetes itself ends what an alert is about for a while: a DaemonSet wants no pod of a node that is not ready.
func (s *suite) mayResolve(a *Alert, at time.Time) bool {
	return a.Labels["workload_kind"] == "DaemonSet" && a.Labels["family"] == "create" && !s.alerting.Shaken.IsZero() && at.After(s.alerting.Shaken)
}

// checkDashboards asks every query of every dashboard. Each must have an answer, or be known to have none while all is well.
func (s *suite) checkDashboards(ctx context.Context) {
	queries, err := dashboards.Queries()
	s.must(err)
	empty := 0
	for _, q := range queries {
		n, err := s.alerting.Count(ctx, q.Expr, q.Instant)
		s.must(err)
		switch {
		case n == 0 && q.EmptyWhenWell == "":
			s.report.Violate(fmt.Sprintf("dashboard %s, panel %s %s: no data from %s", q.Dashboard, q.Panel, q.RefID, q.Expr))
		case n == 0:
			empty++
		}
	}
	s.report.Note("%d queries of dashboards asked; %d empty, each with a known reason", len(queries), empty)
}

// truthOf is the watch that goes with the recorder which a track is from.
func (s *suite) truthOf(t *Track) *Truth {
	if isCured(t) {
		return s.curedTruth
	}
	return s.steadyTruth
}

func isCured(t *Track) bool { return slices.Contains(curedNamespaces(), t.Workload.Namespace) }

// checkOwnAlerts allows the exporter one alert about itself: that some messages, which are meant to be odd, were not known.
func (s *suite) checkOwnAlerts(notifications []Notification) {
	for i := range notifications {
		for _, a := range notifications[i].Alerts {
			if name := a.Labels["alertname"]; a.Labels["cause"] == "" && name != "KubeFailureExporterUnclassifiedMessages" {
				s.report.Violate("the exporter is said to be in trouble: " + name + ": " + a.Annotations["summary"])
			}
		}
	}
}

func (s *suite) noteAlerts(told []Told) {
	var first, ended []time.Duration
	for i := range told {
		if told[i].First >= 0 {
			first = append(first, told[i].First-told[i].Wait)
		}
		if told[i].Ended >= 0 {
			ended = append(ended, told[i].Ended)
		}
	}
	if len(first) == 0 {
		return
	}
	slices.Sort(first)
	slices.Sort(ended)
	s.report.Note("%d incidents; the notification came, beyond the alert's own wait, median %s s, max %s s after the status (scraped and judged every %s)",
		len(told), seconds(first[len(first)/2]), seconds(first[len(first)-1]), alertInterval)
	if len(ended) > 0 {
		s.report.Note("%d of them were cured; the notification of the end came median %s s, max %s s after the status", len(ended),
			seconds(ended[len(ended)/2]), seconds(ended[len(ended)-1]))
	}
}
