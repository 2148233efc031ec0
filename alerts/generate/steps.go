package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// otherKind stands for every kind that has no steps of its own, such as an Argo Rollout.
const otherKind = "Other"

// kinds are the workloads whose steps differ, as far as they can fail in this way.
func kinds(family classify.Family) []string {
	all := []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", otherKind}
	switch family {
	case classify.FamilyRollout:
		return all[:1]
	case classify.FamilyCreate:
		return all
	case classify.FamilySchedule:
		return append(all, "Pod")
	}
	return append(all, "Pod", "Node") // the kubelet's own, static pods
}

// variant is a text and the kinds of workload that it is for.
type variant struct {
	Kinds []string
	Steps []string
}

// variants returns the steps of a page for each kind, where kinds with the same steps are one. The last is for all the
// rest.
func variants(page *classify.Page) []variant {
	var all []variant
	for _, kind := range kinds(page.Family) {
		steps := templatedSteps(page, kind)
		i := slices.IndexFunc(all, func(v variant) bool { return slices.Equal(v.Steps, steps) })
		if i < 0 {
			i = len(all)
			all = append(all, variant{Steps: steps})
		}
		all[i].Kinds = append(all[i].Kinds, kind)
	}
	isRest := func(v variant) bool { return slices.Contains(v.Kinds, otherKind) }
	slices.SortStableFunc(all, func(a, b variant) int {
		switch {
		case isRest(a):
			return 1
		case isRest(b):
			return -1
		}
		return 0
	})
	return all
}

// templatedSteps are a page's steps for a kind, as a template. A failure without names keeps the placeholders; the kind,
// which decides and is filled in, is found again by a mark.
func templatedSteps(page *classify.Page, kind string) []string {
	const mark = "\x00"
	marked := *page
	marked.Fix = nil
	for _, step := range page.Fix {
		marked.Fix = append(marked.Fix, strings.ReplaceAll(step, "<workload_kind>", "<workload_kind>"+mark))
	}
	var steps []string
	for i, step := range marked.Steps(&classify.Failure{WorkloadKind: kind}) {
		step = strings.ReplaceAll(step, strings.ToLower(kind)+mark, "<workload_kind>")
		steps = append(steps, strconv.Itoa(i+1)+". "+inItsList(templated(step)))
	}
	return steps
}

// inItsList names the list of a pod's spec that the container is in, as Page.Steps does for an init container.
func inItsList(step string) string {
	named := `:[{"name":"` + expressions()["<container>"] + `"`
	step = strings.ReplaceAll(step, `"containers"`+named, `"{{ $containers }}"`+named)
	return strings.ReplaceAll(step, `.spec.containers[`, `.spec.{{ $containers }}[`)
}

// fix writes the steps: first those that all kinds share, then the rest of each kind.
func fix(page *classify.Page) string {
	all := variants(page)
	shared := 0
	for shared < len(all[0].Steps) && !slices.ContainsFunc(all, func(v variant) bool {
		return shared >= len(v.Steps) || v.Steps[shared] != all[0].Steps[shared]
	}) {
		shared++
	}
	text := strings.Join(all[0].Steps[:shared], "\n")
	if len(all) > 1 {
		text += byKind(all, shared)
	}
	return lookups(page, text) + text
}

// byKind writes what differs. A tag takes the line break before it away, and keeps the one behind it where a step precedes.
func byKind(all []variant, shared int) string {
	first, end := "{{ ", " -}}"
	if shared > 0 {
		first, end = "\n{{- ", " }}"
	}
	var b strings.Builder
	for i, v := range all {
		switch {
		case i == 0:
			b.WriteString(first + "if eq $labels.workload_kind " + quotedWords(v.Kinds) + end)
		case i == len(all)-1:
			b.WriteString("\n{{- else" + end)
		default:
			b.WriteString("\n{{- else if eq $labels.workload_kind " + quotedWords(v.Kinds) + end)
		}
		for _, step := range v.Steps[shared:] {
			b.WriteString("\n" + step)
		}
	}
	return b.String() + "\n{{- end }}"
}

func quotedWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return strings.Join(quoted, " ")
}

// joined writes a line that leaves nothing of itself, no line break either.
func joined(line string) string { return strings.TrimSuffix(trimmed(line), " }}") + " -}}\n" }

// lookups asks for the names that the labels do not have. Where there is no answer, a word to replace stands for the name.
func lookups(page *classify.Page, text string) string {
	lower := map[string]string{"controller_kind": "toLower "} // as kubectl takes it
	uses := func(variable string) bool { return strings.Contains(text, "$"+variable+" ") }
	find := func(query string, names ...string) string {
		declare, assign := "", ""
		for _, name := range names {
			declare += fmt.Sprintf("{{ $%s := %q }}", name, strings.ToUpper(name))
			assign += fmt.Sprintf("{{ with . | first | label %[1]q }}{{ $%[1]s = %[2]s. }}{{ end }}", name, lower[name])
		}
		return declare + "\n" + joined(with(query, assign))
	}
	found := ""
	switch {
	case uses("node"):
		found += find(oldest(page), "pod", "node")
	case uses("pod") || uses("containers"):
		found += find(oldest(page), "pod")
	}
	if uses("containers") {
		found += "{{ $containers := \"containers\" }}\n" + joined(with(initContainer, `{{ $containers = "initContainers" }}`))
	}
	if uses("controller") {
		found += find(oldest(page), "controller_kind", "controller")
	}
	if uses("resourcequota") {
		found += find("(printf `quota_blocked_controller{%s}` $workload)", "resourcequota")
	}
	if found == "" {
		return ""
	}
	return scope + found
}
