package main

func workload() dashboard {
	s := oneWorkload()
	list := func(name, label, description, more string) variable {
		return labelVariable(name, label, description, `label_values(`+anyFailure+more+`}, `+name+`)`)
	}
	const inNamespace = `, namespace=~"$namespace"`
	kind := list("workload_kind", "Kind", "Deployment, StatefulSet, DaemonSet, Job, CronJob, or Pod for a bare one.", inNamespace)
	name := list("workload", "Workload", "What a person edits: the Deployment, not its ReplicaSet.", inNamespace+`, workload_kind=~"$workload_kind"`)
	return newDashboard("workload", "Pod failures: one workload",
		"Why one workload fails, since when, how it is fixed, and what it went through. The alerts lead here.",
		[]variable{datasourceVariable(), clusterVariable(), namespaceVariable(), kind, name, exporterVariable()},
		row{4, workloadNumbers(s)},
		row{6, []sized{{24, whyItFails(s)}}},
		row{5, []sized{{24, theFix(s)}}},
		row{7, []sized{{24, workloadHistory(s)}}},
		row{8, []sized{{12, readyPods(s)}, {12, terminations(s)}}},
		row{8, []sized{{24, failingPods(s)}}},
	)
}

func workloadNumbers(s scope) []sized {
	sum := func(name string) string { return `sum(` + s.largest(name) + `)` }
	return []sized{
		{4, stat(text{"State", "Down: it wants pods and has none ready, by the median of five minutes. Degraded: it has a failure.", unknown},
			`max(`+s.state()+`) or (`+well+`) - 1`, "short", above(good, from(0, partly), from(1, bad)),
			word("-1", "Nothing fails", good), word("0", "Degraded", partly), word("1", "Down", bad))},
		{4, stat(text{"Ready", "Ready pods. Told only while the workload has a failure.", "Nothing fails, or pods are not counted"},
			sum("workload_ready_pods"), "short", above(bad, from(1, quiet)))},
		{4, stat(text{"Desired", "Pods that it wants. Told only while the workload has a failure.", "Nothing fails, or pods are not counted"},
			sum("workload_desired_pods"), "short", above(quiet))},
		{4, stat(text{"Failing or missing", "Its pods that fail, and those that could not be created.", unknown},
			orZero(`sum(`+s.podsOf(workloadLabels)+`)`), "short", above(good, from(1, partly)))},
		{4, stat(text{"Failing since", "When the oldest of its failures began.", "Nothing fails"},
			`1000 * min(`+s.since(failureLabels)+`)`, "dateTimeFromNow", above(quiet))},
		{4, stat(text{"Rollout", "Whether a rollout exceeded its progress deadline. Only Deployments have one.", unknown},
			`max(`+s.of("rollout_stalled_reason")+`) or `+well, "short", above(good, from(1, bad)),
			word("0", "Not stalled", good), word("1", "Stalled", bad))},
	}
}

func whyItFails(s scope) panel {
	return table(
		text{"Why",
			"One row for each container and cause; without a container the pod as a whole fails or was never created. " +
				"A stalled rollout that no pod explains is in the table below alone.", "Nothing fails"},
		"pods",
		[]column{
			{field: "cluster", width: 110}, {field: "namespace"}, {field: "workload_kind", title: "kind", width: 120},
			{field: "workload", properties: toWorkload()}, {field: "container"}, {field: "cause"}, {field: "reason"},
			{field: "Value #B", title: "since", width: 140, properties: ago()},
			{field: "Value #A", title: "pods", width: 65, properties: numbers("short")},
		},
		[]string{"family"},
		asTable(s.pods(containerLabels)),
		asTable(`1000 * `+s.since(containerLabels)),
	)
}

func theFix(s scope) panel {
	return table(
		text{"The fix", "What each of its causes means, and the first step of its fix. The page behind the last column has all.", "Nothing fails"},
		"cause",
		[]column{
			{field: "cluster", width: 110}, {field: "cause", width: 200}, {field: "summary", width: 420, properties: long()},
			{field: "fix", properties: long()}, {field: "runbook_url", title: "runbook", width: 80, properties: toRunbook()},
		},
		[]string{"Value", "family"},
		asTable(s.explained("cluster, cause", "summary, fix, runbook_url")),
	)
}

func workloadHistory(s scope) panel {
	return states(text{"Causes over time",
		"A row for each cause and container: how many pods failed for it. Rows of pods that were never created and of " +
			"stalled rollouts say so.", unknown},
		above(good, from(1, partly)), []mapping{word("0", "nothing fails", good)},
		over(`count by (workload, container, cause) (max by (`+workloadLabels+`, container, cause, pod) (`+s.of("pod_failure_reason")+`))`,
			"{{workload}} {{container}}: {{cause}}"),
		over(s.missing("workload, cause"), "{{workload}} not created: {{cause}}"),
		over(`max by (workload, cause) (`+s.of("rollout_stalled_reason")+`)`, "{{workload}} rollout stalled: {{cause}}"),
		over(well+` unless on () (`+s.of("pod_failure_reason")+` or `+s.of("pod_create_failure_reason")+` or `+s.of("rollout_stalled_reason")+`)`, "–"),
	)
}

func readyPods(s scope) panel {
	return painted(graph(text{"Ready and desired pods",
		"Told only while the workload has a failure: a gap is a time without one.", "Nothing failed"}, "short",
		over(`sum(`+s.largest("workload_desired_pods")+`)`, "desired"), over(`sum(`+s.largest("workload_ready_pods")+`)`, "ready")),
		[2]string{"desired", quiet}, [2]string{"ready", good})
}

// terminations subtracts what was counted a step before. Unlike increase() that sees the end which made the series.
func terminations(s scope) panel {
	const labels = workloadLabels + `, container, cause`
	series := s.of("container_terminations_total")
	// Each exporter counts from its own start, so that a count is compared with one of the same exporter; with that before a failed
	// scrape, as what had been counted then did not happen again.
	const perExporter = `max by (` + labels + `, job, instance) (`
	p := byName(stacked(graph(
		text{"Ends of containers by cause",
			"Ends that nobody asked for, in each step of time, counted by restart counts: none is lost between scrapes.",
			"No container ended that should not have"}, "short",
		over(`sum by (cause) (max by (`+labels+`) (
    clamp_min(`+perExporter+series+`) - `+perExporter+`last_over_time(`+series+`[1h] offset $__interval)), 0)
  or
    `+perExporter+series+`)
))`, "{{cause}}"))))
	p.Interval = "1m"
	p.FieldConfig.Defaults.Custom["drawStyle"] = "bars"
	return p
}

func failingPods(s scope) panel {
	const labels = workloadLabels + `, pod, container, node, cause, reason`
	return table(text{"Failing pods",
		"Each container that fails, or the pod as a whole. Pods that were never created have no row.", "No pod fails"}, "since",
		[]column{
			{field: "cluster", width: 110}, {field: "pod"}, {field: "container", width: 170}, {field: "node", width: 220}, {field: "cause"},
			{field: "reason"}, {field: "Value", title: "since", width: 160, properties: ago()},
		},
		[]string{"namespace", "workload_kind", "workload"},
		asTable(`1000 * max by (`+labels+`) (`+s.of("pod_failure_reason")+`)
* on (cluster, namespace, pod, container) group_left ()
  min by (cluster, namespace, pod, container) (`+s.in("pod_failure_start_time_seconds")+`)`))
}
