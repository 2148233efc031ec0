package main

// unknown is what a panel says that is never empty while an exporter is scraped and has read the cluster.
const unknown = "No exporter is scraped, or it has not read the cluster yet"

func overview() dashboard {
	s := everything()
	return newDashboard("overview", "Pod failures: overview",
		"What fails in the cluster now and lately, why, and how it is fixed. The data is kube-failure-exporter's.",
		[]variable{datasourceVariable(), clusterVariable(), namespaceVariable(), exporterVariable()},
		row{4, overviewNumbers(s)},
		row{12, []sized{{24, whatFails(s)}}},
		row{9, overviewNow(s)},
		row{9, overviewTotals(s)},
		row{14, overviewHistory(s)},
		row{9, []sized{{24, newLately(s)}}},
	)
}

func overviewNumbers(s scope) []sized {
	critical, warning := above(good, from(1, bad)), above(good, from(1, partly))
	return []sized{
		{4, stat(text{"Down",
			"Workloads that want pods and have none ready, by the median of five minutes: what is critical among the alerts.", unknown},
			orZero(`count(`+s.state()+` == 1)`), "short", critical)},
		{4, stat(text{"Degraded", "All other workloads with a failure, those included whose pods nobody counts, such as CronJobs.", unknown},
			orZero(`count(`+s.state()+` == 0)`), "short", warning)},
		{4, stat(text{"Failing pods", "Pods that exist and do not run or are not ready for a reason that is known.", unknown},
			orZero(`count(max by (cluster, namespace, pod) (`+s.of("pod_failure_reason")+`))`), "short", warning)},
		{4, stat(text{"Missing pods", "Pods that a controller wants and cannot create: kubectl get pods does not show them.", unknown},
			orZero(`sum(max by (`+controllerLabels+`) (`+s.in("pod_create_failure_missing_pods")+`))`), "short", warning)},
		{4, stat(text{"Began in the last hour",
			"Failures of workloads that began within the hour. Stalled rollouts have no start and are not among them.", unknown},
			orZero(`count(`+s.since(failureLabels)+` > time() - 3600)`), "short", warning)},
		{4, exporterState()},
	}
}

func exporterState() panel {
	return stat(text{"Exporter", "Whether an exporter has read the cluster. If none has, an empty dashboard means nothing.", "Not scraped"},
		`max(kube_failure_exporter_cache_synced{cluster=~"$cluster"})`, "short", above(bad, from(1, good)),
		word("0", "Reading the cluster", partly), word("1", "Well", good))
}

func whatFails(s scope) panel {
	return table(
		text{"What fails, and the fix",
			"One row for each workload and cause, what is down first. Click a workload for its history or the exporter's page, " +
				"the last column for the cause's page. Fix is its first step; the page has all.", "Nothing fails"},
		"State",
		[]column{
			{field: "Value #F", title: "State", width: 85, properties: coloured(word("1", "down", bad), word("0", "degraded", partly))},
			{field: "cluster", width: 90}, {field: "namespace", width: 120}, {field: "workload_kind", title: "kind", width: 100},
			{field: "workload", width: 165, properties: toWorkload()},
			{field: "cause", width: 180},
			{field: "Value #C", title: "since", width: 115, properties: ago()},
			{field: "Value #B", title: "pods", width: 55, properties: numbers("short")},
			{field: "Value #D", title: "ready", width: 58, properties: numbers("short")},
			{field: "Value #E", title: "desired", width: 70, properties: numbers("short")},
			{field: "fix", properties: long()},
			{field: "runbook_url", title: "runbook", width: 80, properties: toRunbook()},
		},
		[]string{"Value #A", "family"},
		asTable(s.explained(failureLabels, "fix, runbook_url")),
		asTable(s.pods(failureLabels)),
		asTable(`1000 * `+s.since(failureLabels)),
		asTable(s.each(failureLabels, s.largest("workload_ready_pods"))),
		asTable(s.each(failureLabels, s.largest("workload_desired_pods"))),
		asTable(s.each(failureLabels, s.state())),
	)
}

func overviewNow(s scope) []sized {
	return []sized{
		{8, bars(text{"Workloads by cause",
			"The fifteen causes that reach farthest: a registry that is down is one bar with many workloads.", "Nothing fails"},
			now(`sort_desc(topk(15, count by (cause) `+s.failures(failureLabels)+`))`, "{{cause}}"), "short")},
		{8, bars(text{"Workloads by namespace", "Where it fails. A workload with several causes counts once.", "Nothing fails"},
			now(`sort_desc(count by (namespace) (group by (`+workloadLabels+`) `+s.failures(failureLabels)+`))`, "{{namespace}}"), "short")},
		{8, bars(text{"Top workloads", "The ten with most pods that fail or are missing.", "Nothing fails"},
			now(`sort_desc(topk(10, `+s.podsOf(workloadLabels)+`))`, "{{namespace}}/{{workload}}"), "short")},
	}
}

func overviewTotals(s scope) []sized {
	return []sized{
		{12, painted(stacked(graph(
			text{"Failing workloads",
				"Down and degraded ones over time. A gap is a time without an exporter that had read the cluster.", unknown}, "short",
			over(orZero(`count(`+s.state()+` == 1)`), "down"), over(orZero(`count(`+s.state()+` == 0)`), "degraded"))),
			[2]string{"down", bad}, [2]string{"degraded", partly})},
		{12, painted(stacked(graph(
			text{"Pods", "Pods that fail, and pods that could not be created, over time.", unknown}, "short",
			over(orZero(`count(max by (cluster, namespace, pod) (`+s.of("pod_failure_reason")+`))`), "failing"),
			over(orZero(`sum(max by (`+controllerLabels+`) (`+s.in("pod_create_failure_missing_pods")+`))`), "missing"))),
			[2]string{"failing", partly}, [2]string{"missing", neutral})},
	}
}

func overviewHistory(s scope) []sized {
	// The darker, the farther it reaches.
	reach, healthy := above(good, from(1, "light-orange"), from(3, partly), from(10, bad)), []mapping{word("0", "nothing fails", good)}
	quietly := over(well+` unless on () `+s.failures(failureLabels), "–")
	return []sized{
		{12, states(text{"Causes over time",
			"How many workloads each cause broke. Orange from 3 on, red from 10 on: then look for what they share.", unknown},
			reach, healthy, over(`count by (cause) `+s.failures(failureLabels), "{{cause}}"), quietly)},
		{12, states(text{"Namespaces over time", "How many workloads failed in each namespace. Orange from 3 on, red from 10 on.", unknown},
			reach, healthy, over(`count by (namespace) (group by (`+workloadLabels+`) `+s.failures(failureLabels)+`)`, "{{namespace}}"), quietly)},
	}
}

func newLately(s scope) panel {
	return table(text{"New in the last hour", "What began to fail within the hour, the newest first.", "Nothing began to fail"}, "since",
		[]column{
			{field: "cluster", width: 110}, {field: "namespace", width: 180}, {field: "workload_kind", title: "kind", width: 130},
			{field: "workload", properties: toWorkload()}, {field: "cause"},
			{field: "Value", title: "since", width: 160, properties: ago()},
		},
		[]string{"family"},
		asTable(`1000 * (`+s.since(failureLabels)+` > time() - 3600)`))
}
