package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/cache"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// pagedPods answers lists as an API server does: in pages, where a limit is given and any version will do.
type pagedPods struct {
	pods  []corev1.Pod
	asked []metav1.ListOptions
	fail  map[int]error // by the number of the question
}

func (p *pagedPods) list(_ context.Context, options metav1.ListOptions) (runtime.Object, error) {
	p.asked = append(p.asked, options)
	if err := p.fail[len(p.asked)]; err != nil {
		return nil, err
	}
	if options.Limit == 0 || options.ResourceVersion != "" {
		return nil, fmt.Errorf("asked for a list without pages: %+v", options)
	}
	begin, _ := strconv.Atoi(options.Continue)
	end := min(begin+int(options.Limit), len(p.pods))
	page := &corev1.PodList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}, Items: append([]corev1.Pod(nil), p.pods[begin:end]...)}
	if end < len(p.pods) {
		page.Continue = strconv.Itoa(end)
	}
	return page, nil
}

func newPagedPods(n int) *pagedPods {
	p := &pagedPods{fail: map[int]error{}}
	for i := range n {
		p.pods = append(p.pods, *costPod(i, i%10 == 0))
	}
	return p
}

func (p *pagedPods) watched(classifier *classify.Classifier) *watched {
	state := newWatchState(Resources()[0], newSelfMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler))
	return newWatched(&cache.ListWatch{ListWithContextFunc: p.list}, "", state, podTransform(classifier, time.Now))
}

// TestPages proves that a list comes in pages whatever client-go asks for, that its objects are small at once, and that none is lost.
func TestPages(t *testing.T) {
	const n = 3*pageSize + 1
	for _, options := range []metav1.ListOptions{{ResourceVersion: "0"}, {ResourceVersion: "5"}, {Limit: 500}, {}} {
		pods := newPagedPods(n)
		list, err := pods.watched(classify.New(classify.DefaultOptions())).ListWithContext(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		items, err := meta.ExtractListWithAlloc(list) // as client-go does
		if err != nil || len(items) != n {
			t.Fatalf("%+v: %d objects, want %d: %v", options, len(items), n, err)
		}
		quiet := 0
		for i, item := range items {
			if o, err := meta.Accessor(item); err != nil || o.GetName() != pods.pods[i].Name {
				t.Fatalf("object %d is %v, want %s: %v", i, item, pods.pods[i].Name, err)
			}
			switch item := item.(type) {
			case *quietPod:
				quiet++
			case *corev1.Pod:
				if len(item.Spec.Containers) > 0 && item.Spec.Containers[0].Env != nil {
					t.Fatal("a failing pod came as large as it was")
				}
			default:
				t.Fatalf("a %T came", item)
			}
		}
		if quiet == 0 || quiet == n {
			t.Errorf("%d of %d pods were quiet", quiet, n)
		}
		if accessor, err := meta.ListAccessor(list); err != nil || accessor.GetResourceVersion() != "7" || accessor.GetContinue() != "" {
			t.Errorf("the list is of version %q: %v", accessor.GetResourceVersion(), err)
		}
		if len(pods.asked) != 4 {
			t.Errorf("asked %d times, want 4", len(pods.asked))
		}
	}
}

// TestPagesExpired proves that an error between two pages is the list's, so that client-go begins anew.
func TestPagesExpired(t *testing.T) {
	pods := newPagedPods(2*pageSize + 1)
	pods.fail[2] = apierrors.NewResourceExpired("the provided continue parameter is too old")
	lw := pods.watched(classify.New(classify.DefaultOptions()))
	if list, err := lw.ListWithContext(t.Context(), metav1.ListOptions{ResourceVersion: "0"}); !apierrors.IsResourceExpired(err) {
		t.Errorf("got %v, %v, want that it expired", list, err)
	}
	if _, err := lw.ListWithContext(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
}

// TestPagesEnd proves that who stops gets no half of a list.
func TestPagesEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	lw := newPagedPods(pageSize + 1).watched(classify.New(classify.DefaultOptions()))
	if list, err := lw.ListWithContext(ctx, metav1.ListOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v, want that it was cancelled", list, err)
	}
}

// TestSmallObjectsAreObjects proves that what the transforms make can be in a list, and that a copy shares nothing.
func TestSmallObjectsAreObjects(t *testing.T) {
	q := &quietPod{containers: []quietContainer{{name: "app"}}}
	copied, ok := q.DeepCopyObject().(*quietPod)
	if !ok {
		t.Fatal("a copy is of another type")
	}
	copied.containers[0].name = "other"
	if q.containers[0].name != "app" {
		t.Error("a copy shares its containers")
	}
	for _, object := range []runtime.Object{&controller{}, &node{}, &stub{}, &smallList{Items: []runtime.Object{q}}} {
		if got := fmt.Sprintf("%T", object.DeepCopyObject()); got != fmt.Sprintf("%T", object) {
			t.Errorf("a copy of %T is a %s", object, got)
		}
		_ = object.GetObjectKind()
	}
}
