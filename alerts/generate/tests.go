package main

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// promTest is one test of promtool: series, and which alerts fire when.
type promTest struct {
	Name   string
	Series []series
	Checks []check
	// Always are expressions that must be 1 at every minute of the last quarter of an hour before a time.
	Always []always
}

type always struct {
	At   time.Duration
	Expr string
}

type series struct{ Series, Values string }

// check names the alerts that fire at a time under a name. None means that it is silent.
type check struct {
	At     time.Duration
	Alert  string
	Firing []firing
}

type firing struct{ Labels, Annotations []pair }

// testFiles has one file for each family, and one for the exporter's own alerts.
func testFiles(catalogue *classify.Catalogue, exporter []promTest, o options) map[string]string {
	tests := map[string][]promTest{"exporter": exporter}
	for i, page := range catalogue.Pages() {
		if alerted(page) {
			family := string(page.Family)
			tests[family] = append(tests[family], causeTest(catalogue, page, i, o))
		}
	}
	for _, page := range []*classify.Page{catalogue.Page(classify.OOMKilled), catalogue.Page(classify.InsufficientCPU)} {
		family := string(page.Family)
		tests[family] = append(tests[family], gapTest(page, o), flipTest(page, o))
	}
	tests["crash"] = append(tests["crash"], flickerTest(catalogue.Page(classify.OOMKilled), o))
	files := map[string]string{}
	for name, list := range tests {
		if name != "exporter" {
			list = append(list, healthyTest(catalogue, classify.Family(name)))
		}
		files[name+"_test.yaml"] = testYAML(name, list)
	}
	return files
}

// causeTest lets an alert fire for two workloads, among others that fail in ways it is confused with.
func causeTest(catalogue *classify.Catalogue, page *classify.Page, i int, o options) promTest {
	values := func(value float64) string { return fmt.Sprintf("%gx%d stale", value, int(page.Wait.Minutes())) }
	t := promTest{Name: alertName(page.Cause)}
	var fire []firing
	for _, w := range []workload{firstWorkload(page), otherWorkload(page, i)} {
		t.Series = append(t.Series, w.series(page, values)...)
		fire = append(fire, w.firing(page, page.Wait, o))
	}
	for n, other := range confusedWith(catalogue, page) {
		w := workload{Kind: "Deployment", Name: fmt.Sprintf("look-alike-%d", n+1), Pods: 1, Desired: 1}
		t.Series = append(t.Series, w.series(other, values)...)
	}
	t.Checks = []check{
		{page.Wait - time.Second, t.Name, nil},
		{page.Wait, t.Name, fire},
		{page.Wait + time.Minute + kept(page), t.Name, nil}, // the series end a minute after it fired
	}
	return t
}

// firingOnce is 1 while a page's alert fires in one severity or in several.
func firingOnce(page *classify.Page) string {
	return fmt.Sprintf(`group(ALERTS{alertname="%s", alertstate="firing"}) or vector(0)`, alertName(page.Cause))
}

// gapTest has scrapes that fail, two and then one: Prometheus ends all series at once, and the alert goes on.
func gapTest(page *classify.Page, o options) promTest {
	w := workload{Kind: "Deployment", Name: "gap", Pods: 1, Desired: 1}
	const end = 22 * time.Minute
	return promTest{
		Name:   fmt.Sprintf("scrapes that fail do not end an alert that waits %s", duration(page.Wait)),
		Series: w.series(page, func(v float64) string { return fmt.Sprintf("%[1]gx9 stale _ %[1]gx3 stale %[1]gx13", v) }),
		Checks: []check{{end, alertName(page.Cause), []firing{w.firing(page, end, o)}}},
		Always: []always{{end, firingOnce(page)}},
	}
}

// flipTest has a degraded workload that goes down at the tenth minute: some alert tells of it all the time, and of one severity in the end.
func flipTest(page *classify.Page, o options) promTest {
	w := workload{Kind: "Deployment", Name: "flip", Pods: 1, Desired: 2, Ready: 1}
	down := w
	down.Ready = 0
	const before, end = 9 * time.Minute, 25 * time.Minute
	t := promTest{
		Name:   fmt.Sprintf("a change of severity leaves no gap in an alert that waits %s", duration(page.Wait)),
		Series: w.series(page, func(v float64) string { return fmt.Sprintf("%gx25", v) }),
		Checks: []check{
			{before, alertName(page.Cause), []firing{w.firing(page, before, o)}},
			{end, alertName(page.Cause), []firing{down.firing(page, end, o)}},
		},
		Always: []always{{end, firingOnce(page)}},
	}
	for i := range t.Series {
		if strings.HasPrefix(t.Series[i].Series, "workload_ready_pods") {
			t.Series[i].Values = "1x9 0x15"
		}
	}
	return t
}

var confused = regexp.MustCompile(`(?m)^- (\w+):`)

// confusedWith are the causes that the page's last section tells apart from its own.
func confusedWith(catalogue *classify.Catalogue, page *classify.Page) []*classify.Page {
	var others []*classify.Page
	for _, m := range confused.FindAllStringSubmatch(page.Section("Not to be confused with"), -1) {
		others = append(others, catalogue.Page(classify.Cause(m[1])))
	}
	return others
}

// flickerTest is a crash loop whose pod is ready at every third look: one alert, of one severity, from first to last.
func flickerTest(page *classify.Page, o options) promTest {
	w := workload{Kind: "Deployment", Name: "flicker", Pods: 1, Desired: 1, Ready: 1}
	values := func(value float64) string { return fmt.Sprintf("%gx8", value) }
	t := promTest{Name: "a crash loop that is ready for moments keeps one severity", Series: w.series(page, values)}
	for i := range t.Series {
		if strings.HasPrefix(t.Series[i].Series, "workload_ready_pods") {
			t.Series[i].Values = "0 0 1 0 0 1 0 0 1"
		}
	}
	for _, at := range []time.Duration{2 * time.Minute, 5 * time.Minute, 8 * time.Minute} {
		f := w.firing(page, at, o)
		f.Labels[len(f.Labels)-1].Value = "critical"
		t.Checks = append(t.Checks, check{at, alertName(page.Cause), []firing{f}})
	}
	return t
}

// healthyTest has what the exporter tells of a cluster in which nothing fails that concerns anybody.
func healthyTest(catalogue *classify.Catalogue, family classify.Family) promTest {
	gated := workload{Kind: "Deployment", Name: "gated", Pods: 1, Desired: 1}
	const values = "1x10"
	t := promTest{Name: "healthy", Series: []series{
		{`kube_failure_exporter_cache_synced`, values},
		{`quota_blocked_replicasets{namespace="payments", resourcequota="compute-resources"}`, "0x10"},
		{`container_terminations_total{namespace="payments", workload_kind="Deployment", workload="web", container="app", cause="OOMKilled"}`, "0+1x10"},
	}}
	t.Series = append(t.Series, gated.series(catalogue.Page(classify.SchedulingGated), func(float64) string { return values })...)
	for _, page := range catalogue.Pages() {
		if page.Family != family || !alerted(page) {
			continue
		}
		t.Series = append(t.Series, series{fmt.Sprintf(`pod_failure_cause_info{cause="%s", family="%s"}`, page.Cause, page.Family), values})
		t.Checks = append(t.Checks, check{10 * time.Minute, alertName(page.Cause), nil})
	}
	return t
}
