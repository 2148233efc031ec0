//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// crashHold is short here, so that the end of a crash loop can be waited for.
	crashHold = 20 * time.Second
	// curePatience is how long Kubernetes may take to notice a cure: back-offs grow to minutes.
	curePatience = 8 * time.Minute
)

// curedNamespaces are those of recovery/.
func curedNamespaces() []string { return []string{"cured", "cured-quota"} }

// withoutCured are the arguments of an exporter that leaves them out: with its own crash hold a cured loop lasts for long.
func withoutCured() []string {
	var args []string
	for _, namespace := range curedNamespaces() {
		args = append(args, "--namespace-ignore="+namespace)
	}
	return args
}

// testRecovery lets workloads fail, cures each once people know of it, and waits until their series end.
func (s *suite) testRecovery(ctx context.Context) {
	objects, err := ReadFolder("recovery", s.variables)
	s.must(err)
	scenarios, err := Scenarios(objects)
	s.must(err)
	recorder := s.curedTracks
	stop := s.record(ctx, func() *Exporter { return s.curing }, recorder, 250*time.Millisecond)
	defer stop()
	s.applyAll(ctx, objects)
	s.must(s.waitTold(ctx, scenarios, recorder))
	cured := s.cureAll(ctx, scenarios)
	err = Poll(ctx, curePatience, time.Second, func(context.Context) error {
		for _, track := range recorder.Tracks() {
			if _, ours := cured[track.Workload]; ours && track.Ended.IsZero() {
				return fmt.Errorf("%s has not ended", &track)
			}
		}
		return nil
	})
	if err != nil {
		s.t.Log(err)
	}
	time.Sleep(2 * time.Second) // whatever comes back does so now
	stop()
	s.judgeRecovery(scenarios, recorder, s.curedTruth, cured)
}

// cureAll cures each workload when the notification about it has come; in a short run it does not wait for those that take long.
func (s *suite) cureAll(ctx context.Context, scenarios []Scenario) map[Workload]time.Time {
	patience := min(7*time.Minute, s.watching)
	cured := map[Workload]time.Time{}
	cure := func(due func(*Scenario) bool) error {
		for i := range scenarios {
			sc := &scenarios[i]
			if _, done := cured[sc.Workload]; done || !due(sc) {
				continue
			}
			s.must(s.client.Cure(ctx, sc, s.cluster.Push))
			cured[sc.Workload] = time.Now()
		}
		if len(cured) < len(scenarios) {
			return fmt.Errorf("%d of %d are cured", len(cured), len(scenarios))
		}
		return nil
	}
	_ = Poll(ctx, patience, time.Second, func(context.Context) error { // what is left is cured below
		known := s.known()
		return cure(func(sc *Scenario) bool {
			return s.alerting == nil || known[Incident{sc.Workload, sc.Expect[0].Cause}]
		})
	})
	s.must(cure(func(*Scenario) bool { return true }))
	return cured
}

// known lists the incidents that a notification has come about.
func (s *suite) known() map[Incident]bool {
	known := map[Incident]bool{}
	if s.alerting == nil {
		return known
	}
	for _, n := range s.alerting.Receiver.Notifications() {
		for _, incident := range about(&n) {
			known[incident] = true
		}
	}
	return known
}

// waitTold waits until every scenario's cause is told.
func (s *suite) waitTold(ctx context.Context, scenarios []Scenario, recorder *Recorder) error {
	return Poll(ctx, 90*time.Second, 500*time.Millisecond, func(context.Context) error {
		tracks := recorder.Tracks()
		for i := range scenarios {
			for _, want := range scenarios[i].Expect {
				if want.Metric == metricRollout {
					continue // which takes longer than the cure
				}
				told := slices.ContainsFunc(tracks, func(t Track) bool {
					return t.Workload == scenarios[i].Workload && t.Metric == want.Metric && t.Cause == want.Cause
				})
				if !told {
					return fmt.Errorf("%s: %s is not told", scenarios[i].Workload, want.Cause)
				}
			}
		}
		return nil
	})
}

func (s *suite) judgeRecovery(scenarios []Scenario, recorder *Recorder, truth *Truth, cured map[Workload]time.Time) {
	for _, track := range recorder.Tracks() {
		i := slices.IndexFunc(scenarios, func(sc Scenario) bool { return sc.Workload == track.Workload })
		if i < 0 {
			continue // of the scenarios that are not cured
		}
		over := truth.Over(track.subject, track.Family)
		r := Recovery{Scenario: &scenarios[i], Metric: track.Metric, Family: string(track.Family), Cured: -1, Ended: -1}
		for _, change := range track.Changes {
			r.Problem = change
		}
		switch {
		case over.IsZero():
			r.Problem = "Kubernetes had not noticed the cure"
		case track.Ended.IsZero():
			r.Problem = fmt.Sprintf("still told %.0f s after the status", time.Since(over).Seconds())
		default:
			r.Cured, r.Ended = over.Sub(cured[track.Workload]), track.Ended.Sub(over)
			if r.Ended > latest {
				r.Problem = "too late"
			}
			if r.Ended < -latest {
				r.Problem = "ended before the cause did"
			}
			r.Ended = max(r.Ended, 0)
		}
		s.report.Add(r)
		if r.Problem != "" {
			s.report.Violate(fmt.Sprintf("recovery of %s: %s", &track, r.Problem))
		}
	}
}
