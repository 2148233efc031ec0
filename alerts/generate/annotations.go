package main

import (
	"fmt"
	"strings"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// expressions are what stands for the placeholders of the pages. What no label and no series tells stays a word to replace.
func expressions() map[string]string {
	return map[string]string{
		"<namespace>": "{{ $labels.namespace }}", "<workload>": "{{ $labels.workload }}",
		"<workload_kind>": "{{ toLower $labels.workload_kind }}", "<container>": `{{ or $labels.container "CONTAINER" }}`,
		"<pod>": "{{ $pod }}", "<node>": "{{ $node }}", "<controller>": "{{ $controller }}",
		"<controller_kind>": "{{ $controller_kind }}", "<resourcequota>": "{{ $resourcequota }}", "<image>": "IMAGE",
	}
}

// templated turns a text of the catalogue into a template: placeholders become expressions, everything else stays as it is.
func templated(text string) string {
	text = literal(text)
	for placeholder, expression := range expressions() {
		text = strings.ReplaceAll(text, placeholder, expression)
	}
	return text
}

// literal keeps the braces of a text from being read as a template's: all but the last of a row are quoted, and one that stands
// before a placeholder is, where a template would begin too early.
func literal(text string) string {
	var b strings.Builder
	for i, r := range text {
		if r == '{' && (strings.HasPrefix(text[i:], "{{") || strings.HasPrefix(text[i:], "{<")) {
			b.WriteString(`{{ "{" }}`)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// scope names a workload's series, for the queries of an annotation.
const scope = "{{ $workload := printf `cluster=%q, namespace=%q, workload_kind=%q, workload=%q` " +
	"$labels.cluster $labels.namespace $labels.workload_kind $labels.workload -}}\n"

// with writes a text that has the answer to a query in its dot, and nothing where there is no answer.
func with(query, text string) string { return "{{ with query " + query + " }}" + text + "{{ end }}" }

// How many pods a workload has and wants.
const (
	readyPods   = "(printf `max(workload_ready_pods{%s})` $workload)"
	desiredPods = "(printf `max(workload_desired_pods{%s})` $workload)"
)

// oldest asks for the pod or controller that has failed for longest, and for how long.
func oldest(page *classify.Page) string {
	if page.Family == classify.FamilyCreate {
		return fmt.Sprintf("(printf `time() - %s{cause=%q, %%s}` $workload)", oldestController, page.Cause)
	}
	return fmt.Sprintf("(printf `time() - %s{cause=%q, %%s, container=%%q}` $workload $labels.container)", oldestPod, page.Cause)
}

// initContainer asks whether the pod's container is an init container.
const initContainer = "(printf `pod_failure_init_container{cluster=%q, namespace=%q, pod=%q, container=%q}` " +
	"$labels.cluster $labels.namespace $pod $labels.container)"

// number shows the first answer of a query.
const number = `{{ . | first | value | printf "%.0f" }}`

// count says the alert's value, with a noun or verb that agrees with it.
func count(one, many string) string {
	return `{{ printf "%.0f" $value }} {{ if eq $value 1.0 }}` + one + `{{ else }}` + many + `{{ end }}`
}

// what says how many pods fail, or what else does.
func what(family classify.Family) string {
	switch family {
	case classify.FamilyCreate:
		return count("pod is missing", "pods are missing")
	case classify.FamilyRollout:
		return "the rollout stands still"
	}
	return count("pod fails", "pods fail")
}

func summary(page *classify.Page) string {
	return scope + strings.Join([]string{
		`{{ $labels.namespace }}/{{ $labels.workload }} ({{ $labels.workload_kind }}): ` + what(page.Family),
		trimmed(with(readyPods, ", "+number)),
		trimmed(with(desiredPods, " of "+number+" ready")) + ". " + templated(page.Summary),
	}, "\n")
}

func description(page *classify.Page) string {
	lines := []string{`{{ $labels.workload_kind }} {{ $labels.namespace }}/{{ $labels.workload }}: ` + what(page.Family)}
	if page.Family != classify.FamilyCreate && page.Family != classify.FamilyRollout {
		lines[0] += `{{ with $labels.container }} in container {{ . }}{{ end }}`
	}
	if page.Family != classify.FamilyRollout {
		lines = append(lines, trimmed(with(oldest(page), ", for {{ . | first | value | humanizeDuration }}")))
	}
	lines[len(lines)-1] += "."
	lines = append(lines,
		trimmed(with(desiredPods, " It wants "+number+" {{ if eq (. | first | value) 1.0 }}pod{{ else }}pods{{ end }}")),
		trimmed(with(readyPods, " and has "+number+" ready.")),
		quotas(page.Cause)+templated(oneLine(page.Section("Meaning"))))
	return scope + strings.Join(lines, "\n")
}

// trimmed joins a line to the one before: {{- takes the line break away.
func trimmed(line string) string { return "{{-" + strings.TrimPrefix(line, "{{") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
