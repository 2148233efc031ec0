package classify

import (
	"fmt"
	"strings"
	"testing"
)

// writeQuota writes a quota as name{resource requested/used/hard [containers]; …}.
func writeQuota(q *Quota) string {
	if q == nil {
		return "nil"
	}
	var parts []string
	for _, r := range q.Resources {
		part := r.Resource
		if r.Requested != nil || r.Used != nil || r.Hard != nil {
			part += fmt.Sprintf(" %v/%v/%v", r.Requested, r.Used, r.Hard)
		}
		if len(r.Containers) > 0 {
			part += " [" + strings.Join(r.Containers, " ") + "]"
		}
		parts = append(parts, part)
	}
	return q.Name + "{" + strings.Join(parts, "; ") + "}"
}

func TestParseQuota(t *testing.T) {
	for _, tc := range []struct {
		name, message, want string
		required            bool
	}{
		{
			"one resource", `pods "web" is forbidden: exceeded quota: team, requested: requests.cpu=100m, used: requests.cpu=100m, limited: requests.cpu=150m`,
			"team{requests.cpu 100m/100m/150m}", false,
		},
		{
			"several resources, in the order of their names", `exceeded quota: team, requested: requests.memory=1Gi,requests.cpu=1, used: requests.memory=2Gi,requests.cpu=0, limited: requests.memory=2Gi,requests.cpu=500m`,
			"team{requests.cpu 1/0/500m; requests.memory 1Gi/2Gi/2Gi}", false,
		},
		{
			"counted and extended resources", `exceeded quota: a.b-c, requested: count/pods=1,requests.nvidia.com/gpu=2, used: count/pods=4,requests.nvidia.com/gpu=8, limited: count/pods=4,requests.nvidia.com/gpu=8`,
			"a.b-c{count/pods 1/4/4; requests.nvidia.com/gpu 2/8/8}", false,
		},
		{"as a StatefulSet's event says it", `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2`, "q{pods 1/2/2}", false},
		{"Kubernetes 1.2", `pods "a" is forbidden: Exceeded quota: q, requested: cpu=100m, used: cpu=900m, limited: cpu=1`, "q{cpu 100m/900m/1}", false},
		{"a quantity that does not parse", `exceeded quota: q, requested: cpu=lots, used: cpu=1, limited: cpu=1`, "q{cpu <nil>/1/1}", false},
		{"a resource that only one list has", `exceeded quota: q, requested: cpu=1,pods=1, used: cpu=1, limited: cpu=1`, "q{cpu 1/1/1; pods 1/<nil>/<nil>}", false},
		{"must specify", `pods "web" is forbidden: failed quota: team: must specify limits.cpu,limits.memory`, "team{limits.cpu; limits.memory}", true},
		{"must specify, older wording", `Error creating: pods "web-" is forbidden: Failed quota: quota: must specify cpu,memory`, "quota{cpu; memory}", true},
		{
			"must specify, with containers", `failed quota: team: must specify limits.cpu for: app,log; requests.memory for: app`,
			"team{limits.cpu [app log]; requests.memory [app]}", true,
		},
		{"Kubernetes 1.1", `Pod "web" is forbidden: cpu quota is 200m, current usage is 200m, requesting 100m.`, "{cpu 100m/200m/200m}", false},
		{"Kubernetes 1.1, must specify", `Pod "web" is forbidden: cpu is limited by quota, must make explicit request.`, "{cpu}", true},
		{"Kubernetes 1.0", `Pod "web" is forbidden: Limited to 1Gi memory, but pod has no specified memory limit`, "{memory <nil>/<nil>/1Gi}", true},
		{"scopes", `insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]`, "nil", false},
		{"another refusal", `pods "web" is forbidden: maximum cpu usage per Container is 200m, but limit is 1`, "nil", false},
		{"empty", ``, "nil", false},
	} {
		q, required, ok := ParseQuota(tc.message)
		if got := writeQuota(q); got != tc.want || required != tc.required || ok != (tc.want != "nil") {
			t.Errorf("%s: got %s required=%v ok=%v, want %s required=%v", tc.name, got, required, ok, tc.want, tc.required)
		}
	}
}

func TestQuotaQuantities(t *testing.T) {
	q, _, _ := ParseQuota(`exceeded quota: q, requested: limits.memory=1Gi, used: limits.memory=90368Mi, limited: limits.memory=100e9`)
	r := q.Resources[0]
	if r.Requested.Value() != 1<<30 || r.Used.Value() != 90368<<20 || r.Hard.Value() != 100e9 {
		t.Errorf("got %v %v %v", r.Requested.Value(), r.Used.Value(), r.Hard.Value())
	}
}

func TestTellCreateReturnsTheQuota(t *testing.T) {
	for message, want := range map[string]Cause{
		overQuota: QuotaExceeded,
		`pods "a" is forbidden: failed quota: team: must specify limits.cpu for: app`: QuotaRequiresResources,
	} {
		cause, quota, known := New(DefaultOptions()).tellCreate(message)
		if cause != want || quota == nil || quota.Name != "team" || !known {
			t.Errorf("got %s %s %v, want %s", cause, writeQuota(quota), known, want)
		}
	}
}
