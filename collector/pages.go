package collector

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// pageSize is how many objects of a list are held as they came, and pagesAhead how many pages more, while those before are made
// small.
const (
	pageSize   = 500
	pagesAhead = 1
)

// smallList is a list of what the transforms make of objects.
type smallList struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

// DeepCopyObject implements runtime.Object.
func (l *smallList) DeepCopyObject() runtime.Object {
	copied := *l
	copied.Items = make([]runtime.Object, len(l.Items))
	for i, item := range l.Items {
		copied.Items[i] = item.DeepCopyObject()
	}
	return &copied
}

// paged lists in pages, and makes the objects of each small before it goes on. It is for API servers that cannot stream a list
// (Kubernetes up to 1.31, and 1.33): client-go would hold all of it as it came, which is ten times what the cache holds in the end. The
// list is of the newest version, since an API server answers a list of any other without pages.
func (w *watched) paged(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	small := &smallList{}
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		page, err := w.ListerWatcherWithContext.ListWithContext(ctx, options)
		if list, is := page.(metav1.ListInterface); err == nil && is {
			small.ResourceVersion = list.GetResourceVersion() // the same in each page
		}
		return page, err
	})
	pages.PageSize, pages.PageBufferSize = pageSize, pagesAhead
	options.Limit, options.Continue, options.ResourceVersion, options.ResourceVersionMatch = 0, "", "", ""
	err := pages.EachListItem(ctx, options, func(object runtime.Object) error {
		transformed, err := w.transform(object)
		if err != nil {
			return err
		}
		if item, is := transformed.(runtime.Object); is {
			object = item
		}
		small.Items = append(small.Items, object)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return small, nil
}
