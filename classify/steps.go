package classify

import (
	"regexp"
	"slices"
	"strings"
)

// Some commands of the pages fit only some kinds of workload.
var (
	templatePatch = regexp.MustCompile(`'\{"spec":\{"template":(.*?)\}\}'`)
	templatePath  = regexp.MustCompile(`"path":"/spec/template/`)
	rolloutStep   = regexp.MustCompile(`kubectl [^` + "`" + `]*rollout (undo|restart)`)
	scaleStep     = regexp.MustCompile(`kubectl [^` + "`" + `]*scale <workload_kind>`)
	strategyStep  = regexp.MustCompile(`"strategy":`)
	imageSet      = regexp.MustCompile(`kubectl [^` + "`" + `]*set image <workload_kind>`)
	podMove       = regexp.MustCompile(`kubectl cordon <node>.*delete pod <pod>`)
	podDelete     = regexp.MustCompile(`kubectl [^` + "`" + `]*delete pod <pod>`)
	// change is a command that changes the workload, with the kind as it stands there.
	change = regexp.MustCompile("`kubectl [^`]*?(<workload_kind>[^/ ]*)/<workload>[^`]*`")
)

// manifestFile is what to edit for a static pod, whose controller is its node: the file that the kubelet there reads
// (https://kubernetes.io/docs/tasks/configure-pod-container/static-pod). Nothing that kubectl changes reaches it.
const (
	manifestFile = "`sudoedit /etc/kubernetes/manifests/FILE.yaml` on node <workload>"
	manifestFind = "Look for the file where the kubelet of node <workload> reads static pods (`grep staticPodPath /var/lib/kubelet/config.yaml`) if it is not " +
		"there; the pod starts anew when the file changes, and nothing that kubectl changes reaches it."
)

// Steps returns the page's fix with the failure's own names filled in, without what the workload's kind does not allow:
// a Job's template and most of a pod cannot be changed, a static pod only where its file is, and only some kinds can be rolled
// back or scaled.
func (p *Page) Steps(f *Failure) []string {
	var steps []string
	fixed, changed, moved := false, false, false
	for _, step := range p.Fix {
		switch fits, why := stepFits(step, f.WorkloadKind); {
		case fits:
			changed, moved = changed || change.MatchString(step), moved || podDelete.MatchString(step)
			steps = append(steps, Fill(ofKind(step, f), f))
		case why == needsNew:
			fixed = true
		}
	}
	if changed && f.WorkloadKind == "Node" {
		steps = append(steps, Fill(manifestFind, f))
	}
	if step := p.replaceStep(f.WorkloadKind, changed, moved); step != "" {
		steps = append(steps, Fill(step, f))
	}
	if fixed {
		steps = append(steps, Fill("Correct the manifest and create the "+strings.ToLower(f.WorkloadKind)+
			" anew, since it cannot be changed in place: `kubectl -n <namespace> replace --force -f MANIFEST`", f))
	}
	return steps
}

// replaceStep is what must follow a change of the template where the controller leaves the broken pod as it is, "" where it does not or
// another step deletes the pod: a StatefulSet waits for a pod to get ready before it goes on
// (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback), and a ReplicaSet changes no pod that it has.
func (p *Page) replaceStep(kind string, changed, moved bool) string {
	if !changed || moved || p.Family == FamilyCreate || p.Family == FamilyRollout {
		return ""
	}
	switch kind {
	case "StatefulSet":
		return "Delete the pod after the change if it stays as it is, since a StatefulSet waits for it: `kubectl -n <namespace> delete pod <pod>`"
	case "ReplicaSet", "ReplicationController":
		return "Delete the pod after the change, since its controller changes new pods only: `kubectl -n <namespace> delete pod <pod>`"
	}
	return ""
}

// needsNew says that a step would change what cannot be changed in an object that exists.
const needsNew = "new"

func stepFits(step, kind string) (fits bool, why string) {
	switch {
	case rolloutStep.MatchString(step):
		return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, kind), ""
	case scaleStep.MatchString(step):
		return slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet"}, kind), ""
	case strategyStep.MatchString(step):
		return kind == "Deployment", ""
	case kind == "Job" && change.MatchString(step), kind == "Pod" && change.MatchString(step) && !imageSet.MatchString(step):
		return false, needsNew
	case kind == "DaemonSet" && podMove.MatchString(step):
		return false, "" // its pods tolerate a cordon: the new one is on the same node
	case kind == "Node" && podDelete.MatchString(step):
		return false, "" // the kubelet only shows it anew
	}
	return true, ""
}

// ofKind writes a command as the workload's kind needs it, and names init containers as such. kubectl set and the patches know
// only Kubernetes' own kinds: any other is edited.
func ofKind(step string, f *Failure) string {
	if f.Init {
		step = strings.ReplaceAll(step, `"containers":[{"name":"<container>"`, `"initContainers":[{"name":"<container>"`)
		step = strings.ReplaceAll(step, `.spec.containers[`, `.spec.initContainers[`)
	}
	switch f.WorkloadKind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Pod":
		return step
	case "CronJob":
		step = templatePatch.ReplaceAllString(step, `'{"spec":{"jobTemplate":{"spec":{"template":$1}}}}'`)
		return templatePath.ReplaceAllString(step, `"path":"/spec/jobTemplate/spec/template/`)
	case "Node":
		return change.ReplaceAllString(step, manifestFile)
	}
	return change.ReplaceAllString(step, "`kubectl -n <namespace> edit $1/<workload>`")
}
