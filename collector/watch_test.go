package collector

import (
	"context"
	"log/slog"
	"testing"

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
