package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// What an alert must say is worked out here from the catalogue and real names, without any template: so templates and
// catalogue check each other.

// failure is the workload's oldest failure, as the exporter itself would hold it.
func (w workload) failure(page *classify.Page) *classify.Failure {
	f := &classify.Failure{Namespace: testNamespace, WorkloadKind: w.Kind, Workload: w.Name, Container: container(page.Family), Init: w.Init}
	switch {
	case page.Family == classify.FamilyCreate:
		f.Kind, f.Name = w.controller()
		if w.Quota {
			f.Quota = &classify.Quota{Name: testQuota}
		}
	case page.Family != classify.FamilyRollout:
		f.Kind, f.Name, f.Node = "Pod", w.pod(0), "node-0"
	}
	if w.Unknown {
		f.Name, f.Node = "", ""
		if f.Kind != "Pod" {
			f.Kind = ""
		}
	}
	return f
}

// firing is the alert as it must be at a time after the test's begin.
func (w workload) firing(page *classify.Page, at time.Duration, o options) firing {
	severity := "warning"
	if w.Desired > 0 && w.Ready == 0 {
		severity = "critical"
	}
	labels := []pair{
		{"cause", string(page.Cause)}, {"family", string(page.Family)}, {"namespace", testNamespace}, {"workload_kind", w.Kind}, {"workload", w.Name},
	}
	if c := container(page.Family); c != "" {
		labels = append(labels, pair{"container", c})
	}
	if w.Cluster != "" {
		labels = append(labels, pair{"cluster", w.Cluster})
	}
	return firing{
		Labels: append(labels, pair{"severity", severity}),
		Annotations: []pair{
			{"summary", w.summary(page)},
			{"description", w.description(page, at)},
			{"fix", w.fix(page)},
			{"runbook_url", o.RunbookURL + "/" + string(page.Cause) + ".md"},
			{"dashboard_url", w.dashboard(o)},
		},
	}
}

func (w workload) dashboard(o options) string {
	url := fmt.Sprintf("%s/d/kube-failure-exporter-workload?var-namespace=%s&var-workload_kind=%s&var-workload=%s",
		o.DashboardURL, testNamespace, w.Kind, w.Name)
	if w.Cluster != "" {
		url += "&var-cluster=" + w.Cluster
	}
	return url
}

func (w workload) what(page *classify.Page) string {
	switch {
	case page.Family == classify.FamilyRollout:
		return "the rollout stands still"
	case page.Family == classify.FamilyCreate && w.Pods == 1:
		return "1 pod is missing"
	case page.Family == classify.FamilyCreate:
		return fmt.Sprintf("%d pods are missing", w.Pods)
	case w.Pods == 1:
		return "1 pod fails"
	}
	return fmt.Sprintf("%d pods fail", w.Pods)
}

func (w workload) summary(page *classify.Page) string {
	text := fmt.Sprintf("%s/%s (%s): %s", testNamespace, w.Name, w.Kind, w.what(page))
	if w.Desired > 0 {
		text += fmt.Sprintf(", %d of %d ready", w.Ready, w.Desired)
	}
	return text + ". " + page.Summary
}

func (w workload) description(page *classify.Page, at time.Duration) string {
	text := fmt.Sprintf("%s %s/%s: %s", w.Kind, testNamespace, w.Name, w.what(page))
	if c := container(page.Family); c != "" {
		text += " in container " + c
	}
	if !w.Unknown && page.Family != classify.FamilyRollout {
		text += fmt.Sprintf(", for %dm 0s", (int(at.Seconds())-startedAt)/60)
	}
	text += "."
	switch {
	case w.Desired == 1:
		text += fmt.Sprintf(" It wants 1 pod and has %d ready.", w.Ready)
	case w.Desired > 1:
		text += fmt.Sprintf(" It wants %d pods and has %d ready.", w.Desired, w.Ready)
	}
	if w.Quota && page.Cause == classify.QuotaRequiresResources {
		text += "\nQuota " + testQuota + " demands what the pods do not say."
	}
	if w.Quota && page.Cause == classify.QuotaExceeded {
		for _, f := range quotaExample() {
			text += "\nQuota " + testQuota + ": " + f.Text + "."
		}
	}
	return text + "\n" + named(classify.Fill(oneLine(page.Section("Meaning")), w.failure(page)))
}

func (w workload) fix(page *classify.Page) string {
	var lines []string
	for i, step := range page.Steps(w.failure(page)) {
		lines = append(lines, fmt.Sprintf("%d. %s", i+1, named(step)))
	}
	return strings.Join(lines, "\n")
}

var placeholder = regexp.MustCompile(`<[a-z_]+>`)

// named makes a word to replace of each placeholder that is left.
func named(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(name string) string { return strings.ToUpper(strings.Trim(name, "<>")) })
}
