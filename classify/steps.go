package classify

import (
	"regexp"
	"slices"
	"strings"
)

// Some commands of the pages fit only some kinds of workload.
var (
	templatePatch = regexp.MustCompile(`'\{"spec":\{"template":(.*?)\}\}'`)
	rolloutStep   = regexp.MustCompile(`kubectl [^` + "`" + `]*rollout (undo|restart)`)
	templateSet   = regexp.MustCompile(`kubectl [^` + "`" + `]*set (resources|env|serviceaccount) <workload_kind>`)
	scaleStep     = regexp.MustCompile(`kubectl [^` + "`" + `]*scale <workload_kind>`)
	strategyStep  = regexp.MustCompile(`"strategy":`)
	imageSet      = regexp.MustCompile(`kubectl [^` + "`" + `]*set image <workload_kind>`)
)

// Steps returns the page's fix with the failure's own names filled in, without what the workload's kind does not allow:
// a Job's template and most of a pod cannot be changed, and only some kinds can be rolled back or scaled.
func (p *Page) Steps(f *Failure) []string {
	var steps []string
	fixed := false
	for _, step := range p.Fix {
		switch fits, why := stepFits(step, f.WorkloadKind); {
		case fits:
			steps = append(steps, Fill(ofKind(step, f), f))
		case why == needsNew:
			fixed = true
		}
	}
	if fixed {
		steps = append(steps, Fill("Correct the manifest and create the "+strings.ToLower(f.WorkloadKind)+
			" anew, since it cannot be changed in place: `kubectl -n <namespace> replace --force -f MANIFEST`", f))
	}
	return steps
}

// needsNew says that a step would change what cannot be changed in an object that exists.
const needsNew = "new"

func stepFits(step, kind string) (fits bool, why string) {
	immutable := kind == "Pod" || kind == "Job"
	switch {
	case immutable && (templatePatch.MatchString(step) || templateSet.MatchString(step) || kind == "Job" && imageSet.MatchString(step)):
		return false, needsNew
	case rolloutStep.MatchString(step):
		return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, kind), ""
	case scaleStep.MatchString(step):
		return slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet"}, kind), ""
	case strategyStep.MatchString(step):
		return kind == "Deployment", ""
	}
	return true, ""
}

// ofKind writes a patch of a pod template as a CronJob has it, and names init containers as such.
func ofKind(step string, f *Failure) string {
	if f.Init {
		step = strings.ReplaceAll(step, `"containers":[{"name":"<container>"`, `"initContainers":[{"name":"<container>"`)
		step = strings.ReplaceAll(step, `.spec.containers[`, `.spec.initContainers[`)
	}
	if f.WorkloadKind == "CronJob" {
		step = templatePatch.ReplaceAllString(step, `'{"spec":{"jobTemplate":{"spec":{"template":$1}}}}'`)
	}
	return step
}
