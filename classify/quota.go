package classify

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Quota is what a message of the quota admission says.
type Quota struct {
	// Name is empty in messages of Kubernetes 1.1 and older.
	Name string
	// Resources are in the order of their names.
	Resources []QuotaResource
}

// QuotaResource is one resource of a quota message. Quantities are nil where the message does not give them.
type QuotaResource struct {
	// Resource is the quota's own name for it: requests.cpu, limits.memory, pods, count/pods …
	Resource string
	// Requested is what one more pod asks, Used what is taken, Hard the quota's limit.
	Requested, Used, Hard *resource.Quantity
	// Containers are those that do not set it, where the message names them.
	Containers []string
}

// The messages of plugin/resourcequota/controller.go in k8s.io/apiserver, since Kubernetes 1.2:
//
//	exceeded quota: Q, requested: k=v,k=v, used: k=v,k=v, limited: k=v,k=v
//	failed quota: Q: must specify limits.cpu for: c1,c2; limits.memory for: c1     (up to 1.2x: must specify a,b,c)
//
// and those of 1.0 and 1.1, which name no quota.
var (
	exceededQuota  = regexp.MustCompile(`(?i)exceeded quota: (\S+), requested: (\S+), used: (\S+), limited: (\S+)`)
	failedQuota    = regexp.MustCompile(`(?i)failed quota: (\S+): must specify ([^\n]+)`)
	oldQuota       = regexp.MustCompile(`: (\S+) quota is (\S+), current usage is (\S+), requesting ([^\s.]+(?:\.\d+)?\w*)`)
	oldMustSpecify = regexp.MustCompile(`: (\S+) is limited by quota, must make explicit request`)
	oldLimitedPods = regexp.MustCompile(`(?i)is forbidden: limited to (\d+) (pods)\b`)
	oldLimitedTo   = regexp.MustCompile(`(?i)limited to (\S+) (\S+?),? but pod has no specified`)
)

// ParseQuota reads a message of the quota admission; ok is false for any other text. Quantities that do not parse are
// left nil; it never fails on odd input.
func ParseQuota(message string) (q *Quota, required, ok bool) {
	if m := exceededQuota.FindStringSubmatch(message); m != nil {
		return &Quota{Name: m[1], Resources: exceeded(m[2], m[3], m[4])}, false, true
	}
	if m := failedQuota.FindStringSubmatch(message); m != nil {
		return &Quota{Name: m[1], Resources: mustSpecify(m[2])}, true, true
	}
	if m := oldQuota.FindStringSubmatch(message); m != nil {
		r := QuotaResource{Resource: m[1], Hard: quantity(m[2]), Used: quantity(m[3]), Requested: quantity(m[4])}
		return &Quota{Resources: []QuotaResource{r}}, false, true
	}
	if m := oldMustSpecify.FindStringSubmatch(message); m != nil {
		return &Quota{Resources: []QuotaResource{{Resource: m[1]}}}, true, true
	}
	if m := oldLimitedTo.FindStringSubmatch(message); m != nil {
		return &Quota{Resources: []QuotaResource{{Resource: m[2], Hard: quantity(m[1])}}}, true, true
	}
	if m := oldLimitedPods.FindStringSubmatch(message); m != nil {
		return &Quota{Resources: []QuotaResource{{Resource: m[2], Hard: quantity(m[1])}}}, false, true
	}
	return nil, false, false
}

// exceeded joins the three lists of an "exceeded quota" message by resource.
func exceeded(requested, used, limited string) []QuotaResource {
	byName := map[string]*QuotaResource{}
	read := func(list string, set func(*QuotaResource, *resource.Quantity)) {
		for pair := range strings.SplitSeq(strings.TrimRight(list, ",."), ",") {
			name, value, ok := strings.Cut(pair, "=")
			if !ok || name == "" {
				continue
			}
			if byName[name] == nil {
				byName[name] = &QuotaResource{Resource: name}
			}
			set(byName[name], quantity(value))
		}
	}
	read(requested, func(r *QuotaResource, v *resource.Quantity) { r.Requested = v })
	read(used, func(r *QuotaResource, v *resource.Quantity) { r.Used = v })
	read(limited, func(r *QuotaResource, v *resource.Quantity) { r.Hard = v })
	return sorted(byName)
}

// mustSpecify reads both forms: "a,b,c" and "a for: c1,c2; b for: c1".
func mustSpecify(list string) []QuotaResource {
	byName := map[string]*QuotaResource{}
	list = strings.TrimRight(strings.TrimSpace(list), ".")
	if !strings.Contains(list, " for: ") {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				byName[name] = &QuotaResource{Resource: name}
			}
		}
		return sorted(byName)
	}
	for part := range strings.SplitSeq(list, ";") {
		name, containers, _ := strings.Cut(strings.TrimSpace(part), " for: ")
		if name == "" {
			continue
		}
		byName[name] = &QuotaResource{Resource: name, Containers: strings.Split(containers, ",")}
	}
	return sorted(byName)
}

func sorted(byName map[string]*QuotaResource) []QuotaResource {
	out := make([]QuotaResource, 0, len(byName))
	for _, r := range byName {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b QuotaResource) int { return cmp.Compare(a.Resource, b.Resource) })
	return out
}

// longExponent is how a text can make the parser of quantities work for minutes: 1e-999999999 is rounded up digit by digit.
var longExponent = regexp.MustCompile(`[eE][+-]?[0-9]{3,}`)

func quantity(s string) *resource.Quantity {
	if len(s) > 64 || longExponent.MatchString(s) {
		return nil // no real quantity looks like that
	}
	q, err := resource.ParseQuantity(strings.TrimSpace(s))
	if err != nil {
		return nil
	}
	return &q
}
