package collector

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// selectFields puts a field selector into the options of a list or watch.
func selectFields(selector fields.Selector) func(*metav1.ListOptions) {
	return func(options *metav1.ListOptions) { options.FieldSelector = selector.String() }
}

// watchState is how the watch of one resource stands. Several informers (one a namespace) may share it.
type watchState struct {
	resource Resource
	metrics  *selfMetrics
	logger   *slog.Logger
	objects  atomic.Int64
	// spared is a resource that no Role can grant, where only namespaces are watched: that it may not be read is no trouble.
	spared bool

	mu        sync.Mutex
	errors    map[string]error     // by namespace, those whose last list or watch failed
	throttled map[string]throttled // by namespace, those whose API server has no time since the last list or watch that worked
}

// throttled is since when an API server asks to be asked again later, and its last words.
type throttled struct {
	since time.Time
	err   error
}

// throttledFor is how long that is no trouble: a busy API server has time again soon, and client-go waits and asks again.
const throttledFor = 30 * time.Second

func newWatchState(resource Resource, metrics *selfMetrics, logger *slog.Logger) *watchState {
	return &watchState{resource: resource, metrics: metrics, logger: logger, errors: map[string]error{}, throttled: map[string]throttled{}}
}

// count notes that an object came (by 1) or went (by -1).
func (s *watchState) count(by int64) {
	s.metrics.objects.WithLabelValues(s.resource.Name, s.resource.Selector).Set(float64(s.objects.Add(by)))
}

// done notes the outcome of a list or the begin of a watch, and logs only what changes.
func (s *watchState) done(namespace string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.errors[namespace]
	if err == nil {
		delete(s.errors, namespace)
		delete(s.throttled, namespace)
		if before != nil {
			s.log(namespace).Info("Watch works again")
		}
		if len(s.errors) == 0 {
			s.metrics.watchUp.WithLabelValues(s.resource.Name, s.resource.Selector).Set(1)
		}
		return
	}
	if s.spared && isForbidden(err) {
		s.spare(namespace, err)
		return
	}
	reason := errorReason(err)
	s.metrics.watchErrors.WithLabelValues(s.resource.Name, s.resource.Selector, reason).Inc()
	if reason == "expired" || reason == "throttled" && s.throttle(namespace, err) < throttledFor {
		return // the next list begins anew: nothing is lost
	}
	if before == nil || isForbidden(before) != isForbidden(err) {
		s.say(namespace, err)
	}
	s.errors[namespace] = err
	s.metrics.watchUp.WithLabelValues(s.resource.Name, s.resource.Selector).Set(0)
}

// throttle notes that the API server has no time, and returns for how long it has had none.
func (s *watchState) throttle(namespace string, err error) time.Duration {
	since := time.Now()
	if before, known := s.throttled[namespace]; known {
		since = before.since
	}
	s.throttled[namespace] = throttled{since, err}
	return time.Since(since)
}

// spare notes that a resource may not be read which nobody has promised: no error is counted, so that no alert fires. It is tried
// again all the same, since a ClusterRole may grant it yet.
func (s *watchState) spare(namespace string, err error) {
	if !isForbidden(s.errors[namespace]) {
		s.log(namespace).Info("May not watch a resource that is in no namespace", "not_told", s.resource.Lost, "err", err)
	}
	s.errors[namespace] = err
	s.metrics.watchUp.DeleteLabelValues(s.resource.Name, s.resource.Selector)
}

// broken is told by client-go of errors that watched has noted already, and keeps it from logging each of them.
func (s *watchState) broken(context.Context, *cache.Reflector, error) {}

func (s *watchState) say(namespace string, err error) {
	if isForbidden(err) {
		s.log(namespace).Error("May not watch a resource; grant get, list and watch on it",
			"group", s.resource.Group, "not_told", s.resource.Lost, "err", err)
		return
	}
	s.log(namespace).Warn("Cannot watch a resource; trying again", "err", err)
}

func (s *watchState) log(namespace string) *slog.Logger {
	logger := s.logger.With("resource", s.resource.Label())
	if namespace != "" {
		logger = logger.With("namespace", namespace)
	}
	return logger
}

// trouble returns what people should know: that the resource may not be read somewhere, or cannot be.
func (s *watchState) trouble() (forbidden bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, namespace := range slices.Sorted(maps.Keys(s.errors)) {
		if one := s.errors[namespace]; err == nil || isForbidden(one) && !forbidden {
			forbidden, err = isForbidden(one), one
		}
	}
	return forbidden, err
}

// unread returns why the resource is not read, an answer included that is no trouble yet.
func (s *watchState) unread() error {
	if _, err := s.trouble(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.throttled {
		return one.err
	}
	return nil
}

// dispensable says that the resource may not be read in a namespace and need not be.
func (s *watchState) dispensable(namespace string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.resource.Required && isForbidden(s.errors[namespace])
}

// note is a sentence for people about a watch that does not work, "" where it does.
func (s *watchState) note() string {
	forbidden, err := s.trouble()
	switch {
	case err == nil:
		return ""
	case forbidden && s.resource.Lost != "":
		return "May not watch " + s.resource.Label() + ", so this is not told: " + s.resource.Lost + "."
	case forbidden:
		return "May not watch " + s.resource.Label() + ", so nothing is told."
	}
	return "Cannot watch " + s.resource.Label() + ": what is shown may be old."
}

func isForbidden(err error) bool { return err != nil && errorReason(err) == "forbidden" }

// errorReason folds an error into a closed list for a label.
func errorReason(err error) string {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return "forbidden"
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		return "expired"
	case apierrors.IsTooManyRequests(err):
		return "throttled"
	case apierrors.IsNotFound(err):
		return "not_found"
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return "timeout"
	}
	return "other"
}

// errorReasons are all values of errorReason.
func errorReasons() []string {
	return []string{"forbidden", "expired", "throttled", "not_found", "timeout", "other"}
}

// watched lets a ListerWatcher tell its state how each list and watch went.
type watched struct {
	cache.ListerWatcherWithContext
	inner     cache.ListerWatcher
	namespace string
	state     *watchState
	transform cache.TransformFunc
}

func newWatched(inner cache.ListerWatcher, namespace string, state *watchState, transform cache.TransformFunc) *watched {
	return &watched{
		ListerWatcherWithContext: cache.ToListerWatcherWithContext(inner), inner: inner, namespace: namespace, state: state, transform: transform,
	}
}

// ListWithContext implements cache.ListerWithContext.
func (w *watched) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	list, err := w.paged(ctx, options)
	w.note(ctx, err)
	return list, err
}

// WatchWithContext implements cache.WatcherWithContext. That a watch must begin anew, because its resource version is too old, the
// API server says in an event of the stream, of which client-go tells nobody.
func (w *watched) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	events, err := w.ListerWatcherWithContext.WatchWithContext(ctx, options)
	if initial := options.SendInitialEvents; initial != nil && *initial && apierrors.IsInvalid(err) {
		return nil, err // an API server that cannot stream lists; client-go asks for a plain one now
	}
	w.note(ctx, err)
	if err != nil {
		return nil, err
	}
	return watch.Filter(events, func(event watch.Event) (watch.Event, bool) {
		if event.Type == watch.Error {
			w.note(ctx, apierrors.FromObject(event.Object))
		}
		return event, true
	}), nil
}

func (w *watched) note(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return // we are stopping
	}
	w.state.done(w.namespace, err)
}

// List implements cache.Lister, which cache.ListerWatcher still asks for.
func (w *watched) List(options metav1.ListOptions) (runtime.Object, error) {
	return w.ListWithContext(context.Background(), options)
}

// Watch implements cache.Watcher.
func (w *watched) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return w.WatchWithContext(context.Background(), options)
}

// IsWatchListSemanticsUnSupported lets client-go ask the inner source whether it can stream lists.
func (w *watched) IsWatchListSemanticsUnSupported() bool {
	inner, ok := w.inner.(interface{ IsWatchListSemanticsUnSupported() bool })
	return ok && inner.IsWatchListSemanticsUnSupported()
}
