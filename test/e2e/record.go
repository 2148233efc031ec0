package e2e

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// settling is how long after a crash loop was first told its start may still move, once: the event that keeps the time of the
// loop's beginning comes after the status.
const settling = 15 * time.Second

// Track is the life of one failing thing as scrapes saw it.
type Track struct {
	Metric   string
	Workload Workload
	Cause    classify.Cause
	Family   classify.Family
	Labels   string
	Start    float64
	Settled  bool // the start was dated anew, once and early, by what the API server keeps
	First    time.Time
	Ended    time.Time // zero while it is there
	Changes  []string  // what should have held still and did not

	subject subject
}

// trackKey is what stays the same while a failure lasts, whatever its labels say.
type trackKey struct {
	metric string
	subject
}

// Recorder follows the failing series from scrape to scrape.
type Recorder struct {
	mu      sync.Mutex
	tracks  map[trackKey]*Track
	scrapes int
	last    *Scrape
}

// NewRecorder returns a recorder that has seen nothing.
func NewRecorder() *Recorder { return &Recorder{tracks: map[trackKey]*Track{}} }

// Observe takes a scrape. Scrapes of an exporter that has not synced tell nothing and are left out.
func (r *Recorder) Observe(scrape *Scrape, at time.Time) {
	if !scrape.Synced() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.scrapes++
	r.last = scrape
	starts := map[subject]float64{}
	for _, sample := range scrape.Find(metricStart) {
		starts[subjectOf(sample)] = sample.Value
	}
	seen := map[trackKey]bool{}
	for _, sample := range scrape.Samples {
		if sample.Metric != metricPod && sample.Metric != metricCreate && sample.Metric != metricRollout {
			continue
		}
		key := trackKey{sample.Metric, subjectOf(sample)}
		if seen[key] {
			r.tracks[key].change(at, "two series at once: "+sample.String())
			continue
		}
		seen[key] = true
		r.see(key, sample, starts[key.subject], at)
	}
	for key, track := range r.tracks {
		if !seen[key] && track.Ended.IsZero() {
			track.Ended = at
		}
	}
}

func (r *Recorder) see(key trackKey, sample Sample, start float64, at time.Time) {
	track := r.tracks[key]
	if track == nil {
		r.tracks[key] = &Track{
			Metric: sample.Metric, Workload: workloadOf(sample), Cause: classify.Cause(sample.Labels["cause"]), subject: key.subject,
			Family: familyOf(sample), Labels: sample.String(), Start: start, First: at,
		}
		return
	}
	if !track.Ended.IsZero() {
		track.change(at, fmt.Sprintf("came back %.1f s after it had ended", at.Sub(track.Ended).Seconds()))
		track.Ended = time.Time{}
	}
	if labels := sample.String(); labels != track.Labels {
		track.change(at, "labels became "+labels)
		track.Labels, track.Cause, track.Family = labels, classify.Cause(sample.Labels["cause"]), familyOf(sample)
	}
	switch {
	case start == track.Start:
	case !track.Settled && at.Sub(track.First) < settling && (track.Family == classify.FamilyCrash || track.Family == classify.FamilyStart):
		track.Settled, track.Start = true, start
	default:
		track.change(at, fmt.Sprintf("start moved by %.1f s", start-track.Start))
		track.Start = start
	}
}

func (t *Track) change(at time.Time, what string) {
	t.Changes = append(t.Changes, fmt.Sprintf("%.0f s after it was first seen: %s", at.Sub(t.First).Seconds(), what))
}

// String names the failing thing.
func (t *Track) String() string {
	return fmt.Sprintf("%s %s/%s/%s/%s %s", t.Metric, t.subject.Namespace, t.subject.Kind, t.subject.Name, t.subject.Container, t.Cause)
}

// Tracks returns copies of all tracks, the first seen in front.
func (r *Recorder) Tracks() []Track {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tracks []Track
	for track := range maps.Values(r.tracks) {
		t := *track
		t.Changes = slices.Clone(track.Changes)
		tracks = append(tracks, t)
	}
	slices.SortFunc(tracks, func(a, b Track) int { return a.First.Compare(b.First) })
	return tracks
}

// Last is the newest scrape, and the number of scrapes.
func (r *Recorder) Last() (*Scrape, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.scrapes
}

func subjectOf(s Sample) subject {
	l := s.Labels
	switch s.Metric {
	case metricCreate:
		return subject{l["namespace"], l["controller_kind"], l["controller"], ""}
	case metricRollout:
		return subject{l["namespace"], l["workload_kind"], l["workload"], ""}
	}
	return subject{l["namespace"], "Pod", l["pod"], l["container"]}
}

func workloadOf(s Sample) Workload {
	return Workload{s.Labels["namespace"], s.Labels["workload_kind"], s.Labels["workload"]}
}

func familyOf(s Sample) classify.Family {
	switch s.Metric {
	case metricCreate:
		return classify.FamilyCreate
	case metricRollout:
		return classify.FamilyRollout
	}
	return classify.Family(s.Labels["family"])
}
