package messages

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// TestMessagesDirect asks the classifier itself about every variant of every record: the quick way to measure rules.
// TestMessages documents the records.
func TestMessagesDirect(t *testing.T) {
	records := readRecords(t)
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	classifier := classify.New(classify.OneLookOptions())
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			var s score
			for i := range records {
				o := makeObjects(&records[i])
				v.change(o, &records[i])
				s.add(catalogue, &records[i], ask(classifier, o))
			}
			s.report(t)
		})
	}
	t.Run("all causes of a scheduler's message", func(t *testing.T) { scoreSchedules(t, classifier, records) })
}

// leastComplete is the least share of scheduling messages of which all causes are told: there are few of them.
const leastComplete = 0.9

// ask joins a record's objects as the exporter does, and returns what they tell.
func ask(classifier *classify.Classifier, o *objects) answer {
	var events []*corev1.Event
	if o.event != nil {
		events = append(events, o.event)
	}
	var failures []classify.Failure
	if o.pod != nil {
		failures = append(failures, classifier.Pod(classify.PodInput{Pod: o.pod, Events: events, Now: newestTime(o)}).Failures...)
	}
	for _, object := range o.all() {
		if controller, ok := classify.ControllerOf(object); ok {
			failures = append(failures, classifier.Controller(classify.ControllerInput{Controller: &controller, Events: events, Now: newestTime(o)}).Failures...)
		}
	}
	return answerOf(failures)
}

// newestTime is what a look at recorded objects takes for the present: the newest time in them, else the real one.
func newestTime(o *objects) time.Time {
	var times []time.Time
	if o.event != nil {
		times = append(times, o.event.LastTimestamp.Time, o.event.EventTime.Time, o.event.CreationTimestamp.Time)
	}
	if o.pod != nil {
		times = append(times, o.pod.CreationTimestamp.Time)
		if t := o.terminated(); t != nil {
			times = append(times, t.FinishedAt.Time)
		}
		for _, condition := range o.pod.Status.Conditions {
			times = append(times, condition.LastTransitionTime.Time)
		}
	}
	if o.replicaSet != nil {
		times = append(times, o.replicaSet.CreationTimestamp.Time)
	}
	var newest time.Time
	for _, at := range times {
		if at.After(newest) {
			newest = at
		}
	}
	if newest.IsZero() {
		return time.Now()
	}
	return newest
}

func answerOf(failures []classify.Failure) answer {
	var a answer
	for i, f := range failures {
		if i == 0 {
			a.Cause, a.Quota = f.Cause, f.Quota
		} else if f.Cause != a.Cause {
			a.Others = append(a.Others, f.Cause)
		}
	}
	return a
}

// scoreSchedules compares all causes that a scheduler's message holds; the order is scored by the record's cause.
func scoreSchedules(t *testing.T, classifier *classify.Classifier, records []record) {
	all, right := 0, 0
	for i := range records {
		r := &records[i]
		if len(r.Causes) == 0 {
			continue
		}
		all++
		want, got := map[classify.Cause]bool{}, map[classify.Cause]bool{}
		for _, cause := range r.Causes {
			want[cause] = true
		}
		for _, count := range classifier.ParseScheduling(r.Message) {
			got[count.Cause] = true
		}
		same := len(want) == len(got)
		for cause := range want {
			same = same && got[cause]
		}
		if same {
			right++
		} else {
			t.Logf("%s: want %v, got %v: %s", r.ID, r.Causes, classifier.ParseScheduling(r.Message), short(r.Message))
		}
	}
	t.Logf("%d of %d", right, all)
	if float64(right) < leastComplete*float64(all) {
		t.Errorf("all causes are told of %d messages of %d", right, all)
	}
}
