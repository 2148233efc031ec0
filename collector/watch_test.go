package collector

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// TestErrorInTheStream proves that what the API server says in the middle of a watch is noted: that its resource version is too
// old is no trouble, since a new list loses nothing; that it cannot go on is.
func TestErrorInTheStream(t *testing.T) {
	for name, test := range map[string]struct {
		err    *apierrors.StatusError
		reason string
		up     float64
	}{
		"too old":      {apierrors.NewResourceExpired("too old resource version: 1 (2)"), "expired", 1},
		"server error": {apierrors.NewInternalError(context.DeadlineExceeded), "other", 0},
	} {
		t.Run(name, func(t *testing.T) {
			resource := Resources()[0]
			state := newWatchState(resource, newSelfMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
			stream := watch.NewFake()
			lw := newWatched(&cache.ListWatch{
				WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return stream, nil },
			}, "", state, nil)
			events, err := lw.WatchWithContext(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer events.Stop()
			go stream.Error(&test.err.ErrStatus)
			if event := <-events.ResultChan(); event.Type != watch.Error {
				t.Errorf("got %v, want the error", event)
			}
			if got := testutil.ToFloat64(state.metrics.watchErrors.WithLabelValues(resource.Name, resource.Selector, test.reason)); got != 1 {
				t.Errorf("counted %v errors of reason %s, want 1", got, test.reason)
			}
			if got := testutil.ToFloat64(state.metrics.watchUp.WithLabelValues(resource.Name, resource.Selector)); got != test.up {
				t.Errorf("watch_up is %v, want %v", got, test.up)
			}
		})
	}
}

// TestListsNotStreamed is an API server that cannot stream lists, such as that of Kubernetes 1.31: client-go asks for a plain list then, and
// nothing is wrong.
func TestListsNotStreamed(t *testing.T) {
	state := newWatchState(Resources()[0], newSelfMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	invalid := apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil)
	lw := newWatched(&cache.ListWatch{
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return nil, invalid },
	}, "", state, nil)
	for streamed, want := range map[bool]float64{true: 0, false: 1} {
		if _, err := lw.WatchWithContext(t.Context(), metav1.ListOptions{SendInitialEvents: &streamed}); !apierrors.IsInvalid(err) {
			t.Errorf("streamed %t: %v, want the error", streamed, err)
		}
		if got := testutil.ToFloat64(state.metrics.watchErrors.WithLabelValues("pods", "", "other")); got != want {
			t.Errorf("streamed %t: counted %v errors, want %v", streamed, got, want)
		}
		state.metrics.watchErrors.Reset()
	}
}

// TestThrottled proves that an API server may ask to be asked again later for half a minute, and that it is trouble if nothing else comes
// of it for longer: what is shown grows old.
func TestThrottled(t *testing.T) {
	throttled, expired := apierrors.NewTooManyRequests("busy", 1), apierrors.NewResourceExpired("too old")
	type answer struct {
		namespace string
		err       error
	}
	both := []answer{{"a", throttled}, {"b", throttled}}
	for name, test := range map[string]struct {
		answers []answer // one every ten seconds
		trouble bool
		logged  int
	}{
		"at first":                   {answers: slices.Repeat([]answer{{"", throttled}}, 3)},
		"for half a minute":          {answers: slices.Repeat([]answer{{"", throttled}}, 4), trouble: true, logged: 1},
		"for long":                   {answers: slices.Repeat([]answer{{"", throttled}}, 60), trouble: true, logged: 1},
		"now and then":               {answers: slices.Repeat([]answer{{"", throttled}, {"", throttled}, {"", nil}}, 20)},
		"one namespace":              {answers: slices.Repeat([]answer{{"a", throttled}, {"b", nil}}, 20), trouble: true, logged: 1},
		"all namespaces":             {answers: slices.Repeat(both, 20), trouble: true, logged: 2},
		"until it works":             {answers: append(slices.Repeat(both, 20), answer{"b", nil}, answer{"a", nil}), logged: 4},
		"too old, for long":          {answers: slices.Repeat([]answer{{"", expired}}, 60)},
		"too old between":            {answers: slices.Repeat([]answer{{"", throttled}, {"", expired}}, 20), trouble: true, logged: 1},
		"of a watch that was broken": {answers: []answer{{"", context.DeadlineExceeded}, {"", throttled}}, trouble: true, logged: 1},
		"may not, then throttled":    {answers: append([]answer{{"", forbidden("pods")}}, slices.Repeat([]answer{{"", throttled}}, 5)...), trouble: true, logged: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &logBuffer{}
				state := newWatchState(Resources()[0], newSelfMetrics(prometheus.NewRegistry()), slog.New(slog.NewTextHandler(log, nil)))
				for _, namespace := range []string{"", "a", "b"} {
					state.done(namespace, nil)
				}
				for _, answer := range test.answers {
					state.done(answer.namespace, answer.err)
					time.Sleep(10 * time.Second)
				}
				if up := testutil.ToFloat64(state.metrics.watchUp.WithLabelValues("pods", "")) == 1; up == test.trouble {
					t.Errorf("watch_up says that it works: %t", up)
				}
				if note := state.note(); (note != "") != test.trouble {
					t.Errorf("the note is %q", note)
				}
				if n := log.count("msg="); n != test.logged {
					t.Errorf("logged %d times, want %d:\n%s", n, test.logged, log)
				}
			})
		})
	}
}

// TestThrottledFromTheStart proves that an exporter which cannot begin says why, and a single look at once.
func TestThrottledFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cluster := newFakeCluster(costPod(1, true))
		cluster.allow("pods", "", apierrors.NewTooManyRequests("no time now", 1))
		r := start(t, cluster)
		eventually(t, "the note", func() bool { return slices.Equal(r.Notes(), []string{"Cannot watch pods: what is shown may be old."}) })
		time.Sleep(time.Hour)
		if n := r.log.count("Cannot watch a resource"); n != 1 || r.Ready() {
			t.Errorf("ready: %t, said %d times that pods cannot be watched, want once:\n%s", r.Ready(), n, r.log)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, _, err := Look(ctx, cluster, r.catalogue, r.opts); err == nil || !strings.HasPrefix(err.Error(), "reading pods from the API server: no time now") {
			t.Errorf("a look: %v", err)
		}
		cluster.allow("pods", "", nil)
		eventually(t, "ready", func() bool { return r.Ready() && len(r.Notes()) == 0 })
	})
}
