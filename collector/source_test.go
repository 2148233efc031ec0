package collector

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// emptySource is a cluster with nothing in it.
type emptySource struct{}

func (emptySource) ListerWatcher(Resource, string, fields.Selector) cache.ListerWatcher {
	return &unstreamed{cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			return &metav1.List{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}, nil
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return watch.NewFake(), nil },
	}}
}

// fakeCluster is a cluster that a test changes: its objects, what may be read of it, and whether its watches last.
type fakeCluster struct {
	history *Demo // keeps what has happened, and plays it to watches

	mu      sync.Mutex
	errors  map[access]error
	asked   map[string]bool // resource namespace selector
	watches map[string][]*fakeWatch
}

// access names what an informer reads; an empty namespace stands for all.
type access struct{ resource, namespace string }

type fakeWatch struct {
	watch.Interface
	end context.CancelFunc
}

func newFakeCluster(objects ...runtime.Object) *fakeCluster {
	c := &fakeCluster{
		history: &Demo{changed: make(chan struct{})}, errors: map[access]error{}, asked: map[string]bool{}, watches: map[string][]*fakeWatch{},
	}
	for _, object := range objects {
		c.happen(watch.Added, object)
	}
	return c
}

// happen adds, modifies or deletes an object.
func (c *fakeCluster) happen(kind watch.EventType, object runtime.Object) {
	resource, _, err := newOfKind(kindOf(object))
	if err != nil {
		panic(err)
	}
	d := c.history
	d.mu.Lock()
	defer d.mu.Unlock()
	object = object.DeepCopyObject()
	if o, err := meta.Accessor(object); err == nil {
		o.SetResourceVersion(strconv.Itoa(len(d.played) + 1)) // from where a watch goes on
	}
	d.played = append(d.played, taped{kind: kind, resource: resource, object: object})
	close(d.changed)
	d.changed = make(chan struct{})
}

// allow sets (or, with nil, takes away) the error that every list and watch of a resource gives from now on. An error ends
// the watches that run.
func (c *fakeCluster) allow(resource, namespace string, err error) {
	c.mu.Lock()
	c.errors[access{resource, namespace}] = err
	c.mu.Unlock()
	if err != nil {
		c.breakWatches(resource)
	}
}

// breakWatches ends the watches of a resource and returns when they have ended.
func (c *fakeCluster) breakWatches(resource string) {
	c.mu.Lock()
	watches := c.watches[resource]
	c.watches[resource] = nil
	c.mu.Unlock()
	for _, w := range watches {
		w.end()
		for range w.ResultChan() { // nothing is on its way: this waits for the end
		}
	}
}

func (c *fakeCluster) begin(resource Resource, namespace string, selector fields.Selector) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[resource.Name+" "+namespace+" "+selector.String()] = true
	return c.errors[access{resource.Name, namespace}]
}

// ListerWatcher implements Source.
func (c *fakeCluster) ListerWatcher(resource Resource, namespace string, selector fields.Selector) cache.ListerWatcher {
	wanted := func(event taped) bool {
		object, err := meta.Accessor(event.object)
		if err != nil || event.resource != resource.Name || namespace != "" && object.GetNamespace() != namespace {
			return false
		}
		about := fields.Set{"metadata.namespace": object.GetNamespace()}
		if e, ok := event.object.(*corev1.Event); ok {
			about["type"], about["reason"] = e.Type, e.Reason
		}
		return selector.Matches(about)
	}
	return &unstreamed{cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) {
			if err := c.begin(resource, namespace, selector); err != nil {
				return nil, err
			}
			return c.history.list(wanted), nil
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			if err := c.begin(resource, namespace, selector); err != nil {
				return nil, err
			}
			return c.watch(ctx, resource, options, wanted)
		},
	}}
}

func (c *fakeCluster) watch(ctx context.Context, resource Resource, options metav1.ListOptions, wanted func(taped) bool) (watch.Interface, error) {
	from, err := strconv.Atoi(options.ResourceVersion)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &fakeWatch{Interface: c.history.watch(ctx, from, wanted), end: cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watches[resource.Name] = append(c.watches[resource.Name], w)
	return w, nil
}

// wasAsked returns what was listed or watched of a resource, as "namespace selector".
func (c *fakeCluster) wasAsked(resource string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for asked := range maps.Keys(c.asked) {
		if len(asked) > len(resource) && asked[:len(resource)+1] == resource+" " {
			out = append(out, asked[len(resource)+1:])
		}
	}
	slices.Sort(out)
	return out
}

func TestFakeClusterPlays(t *testing.T) {
	c := newFakeCluster(costPod(1, false), costPod(2, true))
	c.happen(watch.Deleted, costPod(1, false))
	list, ok := c.history.list(func(taped) bool { return true }).(*metav1.List)
	if !ok || len(list.Items) != 1 || list.ResourceVersion != "3" {
		t.Errorf("listed %v", list)
	}
}

func kindOf(object runtime.Object) string { return reflect.TypeOf(object).Elem().Name() }

// TestRetries proves that an API server which asks to wait is not asked for minutes before anybody is told.
func TestRetries(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	cluster, err := NewCluster(&rest.Config{Host: server.URL}, NewClock(prometheus.NewRegistry(), slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	lw := cache.ToListerWatcherWithContext(cluster.ListerWatcher(Resources()[0], "", fields.Everything()))
	for what, ask := range map[string]func() error{
		"list":  func() error { _, err := lw.ListWithContext(t.Context(), metav1.ListOptions{}); return err },
		"watch": func() error { _, err := lw.WatchWithContext(t.Context(), metav1.ListOptions{}); return err },
	} {
		asked.Store(0)
		if err := ask(); !apierrors.IsTooManyRequests(err) || asked.Load() != 1+retries {
			t.Errorf("%s: asked %d times, then %v", what, asked.Load(), err)
		}
	}
}
