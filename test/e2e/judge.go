package e2e

import (
	"fmt"
	"math"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// latest is how long after the API server acknowledged a status its series must be there: a scrape a second, and the
// exporter's own second.
const latest = 2 * time.Second

// proofGrace is how long the exporter waits for something else in the cluster to decide what a registry leaves open.
const proofGrace = 1500 * time.Millisecond

// Result is what came of one expectation.
type Result struct {
	Scenario    *Scenario
	Expectation Expectation
	Told        classify.Cause
	Series      int
	Latency     time.Duration // of its slowest series, beyond all graces; negative: not measured
	Changes     int
	Skipped     string
}

// Judge compares the tracks with the scenarios. now tells which expectations were due. Violations are sentences.
func Judge(scenarios []Scenario, tracks []Track, due func(subject, classify.Family) time.Time, elapsed time.Duration) (
	results []Result, violations []string,
) {
	byWorkload := map[Workload]*Scenario{}
	for i := range scenarios {
		byWorkload[scenarios[i].Workload] = &scenarios[i]
	}
	type expected struct {
		Workload
		metric string
	}
	at := map[expected]int{}
	for i := range scenarios {
		for _, e := range scenarios[i].Expect {
			at[expected{scenarios[i].Workload, e.Metric}] = len(results)
			results = append(results, Result{Scenario: &scenarios[i], Expectation: e, Latency: -1})
		}
	}
	for i := range tracks {
		track := &tracks[i]
		for _, change := range track.Changes {
			violations = append(violations, track.String()+": "+change)
		}
		index, ok := at[expected{track.Workload, track.Metric}]
		if !ok {
			violations = append(violations, "false series: "+track.Labels)
			continue
		}
		violations = append(violations, results[index].add(track, due(track.subject, track.Family))...)
	}
	for i := range results {
		violations = append(violations, results[i].missing(elapsed)...)
	}
	return results, violations
}

func (r *Result) add(track *Track, due time.Time) (violations []string) {
	r.Series++
	r.Told = track.Cause
	r.Changes += len(track.Changes)
	want := r.Expectation
	if track.Cause != want.Cause {
		violations = append(violations, fmt.Sprintf("%s: want %s, told %s", r.Scenario.Workload, want.Cause, track.Cause))
	}
	if want.Family != "" && string(track.Family) != want.Family {
		violations = append(violations, fmt.Sprintf("%s: want family %s, told %s", r.Scenario.Workload, want.Family, track.Family))
	}
	if due.IsZero() {
		return violations
	}
	latency := max(track.First.Sub(due), 0)
	r.Latency = max(r.Latency, latency)
	limit := latest
	if track.Family == classify.FamilyImage {
		limit += proofGrace
	}
	if latency > limit {
		violations = append(violations, fmt.Sprintf("%s: told %.1f s after the status", track, latency.Seconds()))
	}
	return violations
}

func (r *Result) missing(elapsed time.Duration) []string {
	switch {
	case r.Series > 0:
		return nil
	case r.Expectation.May:
		r.Skipped = "need not be told"
		return nil
	case r.Expectation.After > 0 && elapsed < r.Expectation.After+30*time.Second:
		r.Skipped = fmt.Sprintf("takes %s; the run took %s", r.Expectation.After, elapsed.Round(time.Second))
		return nil
	}
	return []string{fmt.Sprintf("%s: want %s in %s, told nothing", r.Scenario.Workload, r.Expectation.Cause, r.Expectation.Metric)}
}

// JudgeQuota compares the figures of the quotas.
func JudgeQuota(scenarios []Scenario, scrape *Scrape) (violations []string) {
	for i := range scenarios {
		s, q := &scenarios[i], scenarios[i].Quota
		if q == nil {
			continue
		}
		for metric, want := range map[string]float64{
			"quota_blocked_requested": q.Requested, "quota_blocked_used": q.Used, "quota_blocked_hard": q.Hard,
		} {
			labels := []string{"namespace", s.Namespace, "resourcequota", q.Quota, "resource", q.Resource}
			if metric == "quota_blocked_requested" && s.Kind != "Deployment" {
				labels = append(labels, "controller_kind", s.Kind, "controller", s.Name)
			}
			if metric == "quota_blocked_requested" && s.Kind == "Deployment" {
				labels = append(labels, "controller_kind", "ReplicaSet")
			}
			got, ok := scrape.Value(metric, labels...)
			if !ok {
				violations = append(violations, fmt.Sprintf("%s: no %s%v, or more than one", s.Workload, metric, labels))
			} else if math.Abs(got-want) > 1e-9*max(math.Abs(want), 1) {
				violations = append(violations, fmt.Sprintf("%s: %s%v is %v, want %v", s.Workload, metric, labels, got, want))
			}
		}
	}
	return violations
}
