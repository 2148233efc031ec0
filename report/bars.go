package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// bar shows one resource of a quota: what is used, and behind it what one more pod asks, against the limit.
type bar struct {
	Quota, Resource string
	// Text says what the bar shows, and Over how much does not fit; both as Kubernetes writes quantities.
	Text, Over string
	// Used, Requested and Hard are hundredths of the bar, which is as long as the longer of the limit and of what would be used.
	Used, Requested, Hard string
}

// bars returns the figures of the quotas that refuse the block's pods, each once.
func (b *block) bars() []bar {
	var bars []bar
	for _, f := range b.failures {
		if f.Quota == nil {
			continue
		}
		for _, r := range f.Quota.Resources {
			if drawn(r) {
				bars = append(bars, newBar(f.Quota.Name, r))
			}
		}
	}
	slices.SortStableFunc(bars, func(x, y bar) int {
		return cmp.Or(cmp.Compare(x.Quota, y.Quota), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Text, y.Text))
	})
	return slices.Compact(bars)
}

func newBar(quota string, r classify.QuotaResource) bar {
	used, requested, hard := float(r.Used), float(r.Requested), float(r.Hard)
	whole := max(used+requested, hard)
	return bar{
		Quota: clean(quota), Resource: clean(r.Resource), Text: figures(r), Over: over(r),
		Used: percent(used, whole), Requested: percent(requested, whole), Hard: percent(hard, whole),
	}
}

// over is what one more pod would take too much, "" where it fits.
func over(r classify.QuotaResource) string {
	sum := r.Used.DeepCopy()
	if r.Requested != nil {
		sum.Add(*r.Requested)
	}
	if sum.Sub(*r.Hard); sum.Sign() <= 0 {
		return ""
	}
	return sum.String()
}

// float is a quantity's length in a bar. Nobody can use less than nothing.
func float(q *resource.Quantity) float64 {
	if q == nil {
		return 0
	}
	return max(q.AsApproximateFloat64(), 0)
}

func percent(part, whole float64) string {
	share := 100 * part / whole
	if math.IsNaN(share) || math.IsInf(share, 0) {
		return "0"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", share), ".0")
}

// quotaFacts returns what a bar cannot show: what the quotas demand to be set, and lone figures.
func (b *block) quotaFacts() []string {
	return b.quotaLines(func(r classify.QuotaResource) bool { return !drawn(r) })
}

// drawn says that a resource has the figures of a bar.
func drawn(r classify.QuotaResource) bool { return r.Used != nil && r.Hard != nil }
