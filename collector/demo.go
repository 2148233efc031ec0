package collector

import (
	"bytes"
	"context"
	_ "embed" // the recording
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// demoTape is a real cluster with a few dozen broken workloads, recorded for 26 minutes.
//
//go:embed demo/cluster.jsonl.gz
var demoTape []byte

// demoBegin is where in the recording the demo begins: everything that fails has failed by then.
const demoBegin = 13 * time.Minute

// Demo is a source that plays a recorded cluster as if it were there now.
type Demo struct {
	begin time.Time // when the demo began, which is demoBegin in the recording
	end   time.Duration

	mu      sync.Mutex
	played  []taped       // everything that has happened so far
	changed chan struct{} // closed and made anew when something happens
}

// NewDemo reads the recording that is built in and plays it until the context is done. At its end time stands still,
// so that what fails goes on failing.
func NewDemo(ctx context.Context, now time.Time) (*Demo, error) {
	start, err := tapeStart(bytes.NewReader(demoTape))
	if err != nil {
		return nil, err
	}
	events, err := readTape(bytes.NewReader(demoTape), now.Add(-demoBegin).Sub(start))
	if err != nil {
		return nil, err
	}
	d := &Demo{begin: now, end: events[len(events)-1].at, changed: make(chan struct{})}
	next := slices.IndexFunc(events, func(e taped) bool { return e.at > demoBegin })
	d.played = slices.Clone(events[:next])
	go d.play(ctx, events[next:])
	return d, nil
}

// Now is the demo's clock.
func (d *Demo) Now() time.Time {
	now := time.Now()
	if last := d.begin.Add(d.end - demoBegin); now.After(last) {
		return last
	}
	return now
}

func (d *Demo) play(ctx context.Context, events []taped) {
	for _, event := range events {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(d.begin.Add(event.at - demoBegin))):
		}
		d.mu.Lock()
		d.played = append(d.played, event)
		close(d.changed)
		d.changed = make(chan struct{})
		d.mu.Unlock()
	}
}

// since returns what has happened after a point, and how to wait for more.
func (d *Demo) since(n int) ([]taped, chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.played[min(n, len(d.played)):], d.changed
}

// ListerWatcher implements Source.
func (d *Demo) ListerWatcher(resource Resource, _ string, selector fields.Selector) cache.ListerWatcher {
	wanted := func(event taped) bool { return event.resource == resource.Name && selects(selector, event.object) }
	return &unstreamed{cache.ListWatch{
		ListWithContextFunc: func(context.Context, metav1.ListOptions) (runtime.Object, error) { return d.list(wanted), nil },
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			from, err := strconv.Atoi(options.ResourceVersion)
			if err != nil {
				from = 0
			}
			return d.watch(ctx, from, wanted), nil
		},
	}}
}

// unstreamed tells client-go to list and then watch.
type unstreamed struct{ cache.ListWatch }

// IsWatchListSemanticsUnSupported is how client-go asks.
func (*unstreamed) IsWatchListSemanticsUnSupported() bool { return true }

func selects(selector fields.Selector, object runtime.Object) bool {
	event, ok := object.(*corev1.Event)
	return !ok || selector.Matches(fields.Set{"type": event.Type, "reason": event.Reason})
}

func (d *Demo) list(wanted func(taped) bool) runtime.Object {
	events, _ := d.since(0)
	latest := map[string]runtime.Object{}
	for _, event := range events {
		if !wanted(event) {
			continue
		}
		if k, err := cache.MetaNamespaceKeyFunc(event.object); err == nil {
			latest[k] = event.object
			if event.kind == watch.Deleted {
				delete(latest, k)
			}
		}
	}
	list := &metav1.List{ListMeta: metav1.ListMeta{ResourceVersion: strconv.Itoa(len(events))}}
	for _, object := range latest {
		list.Items = append(list.Items, runtime.RawExtension{Object: object})
	}
	return list
}

func (d *Demo) watch(ctx context.Context, from int, wanted func(taped) bool) watch.Interface {
	out := make(chan watch.Event)
	w := watch.NewProxyWatcher(out)
	go func() {
		defer close(out)
		for {
			events, changed := d.since(from)
			from += len(events)
			for _, event := range events {
				if !wanted(event) {
					continue
				}
				select {
				case out <- watch.Event{Type: event.kind, Object: event.object}:
				case <-w.StopChan():
					return
				case <-ctx.Done():
					return
				}
			}
			select {
			case <-changed:
			case <-w.StopChan():
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return w
}
