package main

import (
	"fmt"
	"slices"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

const (
	testNamespace = "payments"
	testQuota     = "compute-resources"
	// startedAt is when the test's oldest failure began: eight minutes before the test.
	startedAt = -480
)

// workload is one that fails in a test.
type workload struct {
	Cluster, Kind, Name string
	// Pods fail or are missing.
	Pods int
	// Desired and Ready are not told if Desired is 0.
	Desired, Ready int
	// Twice is true for what two exporters tell.
	Twice bool
	// Unknown is true where no start is told, so that no pod or controller can be named.
	Unknown bool
	// Quota is true where figures of the quota are told.
	Quota bool
	// Init is true where the container is an init container.
	Init bool
	// Family is that of the series where it is not the page's.
	Family classify.Family
}

// firstWorkload has no pod ready, and all that can be told of it.
func firstWorkload(page *classify.Page) workload {
	quota := page.Cause == classify.QuotaExceeded || page.Cause == classify.QuotaRequiresResources
	return workload{Kind: "Deployment", Name: "web", Pods: 2, Desired: 2, Twice: true, Quota: quota}
}

// otherWorkload goes through the kinds, in a cluster with a name. A CronJob's pods are not counted.
func otherWorkload(page *classify.Page, i int) workload {
	all := []workload{
		{Kind: "StatefulSet", Pods: 1, Desired: 3, Ready: 2, Init: container(page.Family) != ""},
		{Kind: "DaemonSet", Pods: 2, Desired: 5, Ready: 3},
		{Kind: "CronJob", Pods: 1},
		{Kind: "Job", Pods: 1, Desired: 1},
		{Kind: "ReplicaSet", Pods: 1, Desired: 2, Ready: 1, Unknown: true},
		{Kind: "Pod", Pods: 1, Desired: 1},
		{Kind: "Node", Pods: 1}, // whose static pods are not counted
	}
	can := kinds(page.Family)
	all = slices.DeleteFunc(all, func(w workload) bool { return !slices.Contains(can, w.Kind) })
	if page.Family == classify.FamilyRollout {
		all = []workload{{Kind: "Deployment", Pods: 1, Desired: 3, Ready: 2}}
	}
	w := all[i%len(all)]
	w.Cluster, w.Name = "eu-1", "ledger"
	if page.Family == classify.FamilyStart {
		w.Family = classify.FamilyCrash // a container that cannot be started may be told as a crash loop
	}
	return w
}

// controller is the object that creates the pods.
func (w workload) controller() (kind, name string) {
	switch w.Kind {
	case "Deployment":
		return "ReplicaSet", w.Name + "-7d9c"
	case "CronJob":
		return "Job", w.Name + "-29000"
	}
	return w.Kind, w.Name
}

func (w workload) pod(i int) string {
	if w.Kind == "Pod" {
		return w.Name
	}
	return fmt.Sprintf("%s-%d", w.Name, i)
}

// container is empty for the families that tell of the pod as a whole.
func container(family classify.Family) string {
	switch family {
	case classify.FamilySchedule, classify.FamilyVolume, classify.FamilyPod, classify.FamilyCreate, classify.FamilyRollout:
		return ""
	}
	return "app"
}

// series are what the exporter tells of the workload; values writes a number for as long as the test lasts.
func (w workload) series(page *classify.Page, values func(float64) string) []series {
	var all []series
	targets := []string{""}
	if w.Twice {
		targets = []string{`, instance="10.0.0.1:9992"`, `, instance="10.0.0.2:9992"`}
	}
	for _, target := range targets {
		common := `namespace="` + testNamespace + `"` + target
		if w.Cluster != "" {
			common = `cluster="` + w.Cluster + `", ` + common
		}
		add := func(name, labels string, value float64) {
			all = append(all, series{name + "{" + common + ", " + labels + "}", values(value)})
		}
		owner := fmt.Sprintf(`workload_kind="%s", workload="%s"`, w.Kind, w.Name)
		if w.Desired > 0 {
			add("workload_desired_pods", owner, float64(w.Desired))
			add("workload_ready_pods", owner, float64(w.Ready))
		}
		switch page.Family {
		case classify.FamilyCreate:
			w.createSeries(page, owner, add)
		case classify.FamilyRollout:
			add("rollout_stalled_reason", owner+fmt.Sprintf(`, reason="ProgressDeadlineExceeded", cause="%s"`, page.Cause), 1)
		default:
			w.podSeries(page, owner, add)
		}
	}
	return all
}

// podSeries lets the first pod fail for longest.
func (w workload) podSeries(page *classify.Page, owner string, add func(name, labels string, value float64)) {
	family := page.Family
	if w.Family != "" {
		family = w.Family
	}
	for i := range w.Pods {
		pod := fmt.Sprintf(`pod="%s"`, w.pod(i))
		if c := container(page.Family); c != "" {
			pod += fmt.Sprintf(`, container="%s"`, c)
		}
		add("pod_failure_reason", fmt.Sprintf(`%s, node="node-%d", %s, family="%s", reason="Other", cause="%s"`, pod, i, owner, family, page.Cause), 1)
		if w.Init {
			add("pod_failure_init_container", pod, 1)
		}
		if !w.Unknown {
			add("pod_failure_start_time_seconds", pod, startedAt+float64(120*i))
		}
	}
}

func (w workload) createSeries(page *classify.Page, owner string, add func(name, labels string, value float64)) {
	kind, name := w.controller()
	controller := fmt.Sprintf(`controller_kind="%s", controller="%s"`, kind, name)
	add("pod_create_failure_reason", fmt.Sprintf(`%s, %s, reason="FailedCreate", cause="%s"`, controller, owner, page.Cause), 1)
	add("pod_create_failure_missing_pods", controller, float64(w.Pods))
	if !w.Unknown {
		add("pod_create_failure_start_time_seconds", controller, startedAt)
	}
	if !w.Quota {
		return
	}
	quota := fmt.Sprintf(`resourcequota="%s"`, testQuota)
	add("quota_blocked_controller", quota+", "+controller+", "+owner, 1)
	if page.Cause == classify.QuotaExceeded {
		for _, f := range quotaExample() {
			resource := fmt.Sprintf(`%s, resource="%s"`, quota, f.Resource)
			add("quota_blocked_requested", resource+", "+controller, f.Requested)
			add("quota_blocked_used", resource, f.Used)
			add("quota_blocked_hard", resource, f.Hard)
		}
	}
}

type quotaFigures struct {
	Resource              string
	Requested, Used, Hard float64
	Text                  string
}

func quotaExample() []quotaFigures {
	return []quotaFigures{
		{"requests.cpu", 0.25, 0.9, 1, "requests.cpu requested 250m, used 900m, hard 1"},
		{"requests.memory", 2 << 30, 0, 1536 << 20, "requests.memory requested 2Gi, used 0, hard 1.5Gi"},
	}
}
