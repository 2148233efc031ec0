package e2e

import (
	"regexp"
	"slices"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// nodeCauses are those that need more than a manifest: the node, or a permission, is changed for a while.
func nodeCauses() []classify.Cause {
	return []classify.Cause{
		classify.NodesUnschedulable, classify.UntoleratedTaint, classify.TooManyPods, classify.VolumeLimitReached, classify.PodIPExhausted,
		classify.CNINotReady,
		classify.CreateForbidden, classify.Preempted, classify.NodeLost, classify.NoNodes,
	}
}

// expected finds the causes that a manifest's annotations name.
var expected = regexp.MustCompile(`\bexpect(?:-rollout)?: "?([A-Za-z]+)`)

// Unproven returns the causes of the catalogue that no test on a real cluster brings about, in its order: recorded messages
// alone prove them.
func Unproven(catalogue *classify.Catalogue) ([]classify.Cause, error) {
	proven := nodeCauses()
	for _, folder := range []string{"scenarios", "recovery"} {
		objects, err := Manifests.ReadDir(folder)
		if err != nil {
			return nil, err
		}
		for _, file := range objects {
			text, err := Manifests.ReadFile(folder + "/" + file.Name())
			if err != nil {
				return nil, err
			}
			for _, match := range expected.FindAllSubmatch(text, -1) {
				proven = append(proven, classify.Cause(match[1]))
			}
		}
	}
	var unproven []classify.Cause
	for _, page := range catalogue.Pages() {
		if !slices.Contains(proven, page.Cause) {
			unproven = append(unproven, page.Cause)
		}
	}
	return unproven, nil
}
