package main

const (
	quotaLabels    = `cluster, namespace, resourcequota`
	resourceLabels = quotaLabels + `, resource`
	// inBytes are the resources that are counted in bytes; claims of a storage class are not. One column of a table has one unit.
	inBytes   = `resource=~".*(memory|storage)|.*hugepages.*"`
	inNumbers = `resource!~".*(memory|storage)|.*hugepages.*"`
)

func quotas() dashboard {
	s := everything()
	return newDashboard("quotas", "Pod failures: quotas",
		"Which ResourceQuotas keep controllers from creating their pods, and by how much. Figures are told only of quotas that block something.",
		[]variable{datasourceVariable(), clusterVariable(), namespaceVariable(), exporterVariable()},
		row{4, quotaNumbers(s)},
		row{8, []sized{{24, blockedControllers(s)}}},
		row{7, []sized{{24, quotaFigures(s, "CPU and objects", inNumbers, "short")}}},
		row{7, []sized{{24, quotaFigures(s, "Memory and storage", inBytes, "bytes")}}},
		row{9, []sized{{12, oneMorePod(s)}, {12, usedOverTime(s)}}},
		row{8, quotaHistory(s)},
	)
}

// blocked are the controllers that a quota blocks.
func blocked(s scope) string {
	return `max by (` + quotaLabels + `, controller_kind, controller, workload_kind, workload) (` + s.of("quota_blocked_controller") + `)`
}

// missingByQuota are the pods that a quota keeps from being created.
func missingByQuota(s scope) string {
	return blocked(s) + `
* on (` + controllerLabels + `) group_left ()
  max by (` + controllerLabels + `) (` + s.in("pod_create_failure_missing_pods") + `)`
}

func quotaNumbers(s scope) []sized {
	const watched = "No quota, or none may be read"
	warning := above(good, from(1, partly))
	return []sized{
		{5, stat(text{"Blocked controllers", "ReplicaSets, StatefulSets, DaemonSets and Jobs that a quota keeps from creating pods.", unknown},
			orZero(`count(`+blocked(s)+`)`), "short", warning)},
		{5, stat(text{"Blocked ReplicaSets", "Those of them that are ReplicaSets, that is, Deployments.", watched},
			`sum(max by (`+quotaLabels+`) (`+s.in("quota_blocked_replicasets")+`))`, "short", warning)},
		{5, stat(text{"Missing pods", "Pods that are wanted and that a quota refuses.", unknown},
			orZero(`sum(`+missingByQuota(s)+`)`), "short", warning)},
		{5, stat(text{"Quotas that block", "ResourceQuotas that block any controller.", unknown},
			orZero(`count(group by (`+quotaLabels+`) (`+s.of("quota_blocked_controller")+`))`), "short", warning)},
		{4, stat(text{"Quotas", "All ResourceQuotas that the exporter sees.", watched},
			`count(group by (`+quotaLabels+`) (`+s.in("quota_blocked_replicasets")+`))`, "short", above(quiet))},
	}
}

func blockedControllers(s scope) panel {
	const onController = `
* on (` + controllerLabels + `) group_left () `
	create := s.of("pod_create_failure_reason")
	return table(text{"Blocked by a quota", "Which quota blocks which controller, for how many pods, since when. QuotaExceeded: there is no room. " +
		"QuotaRequiresResources: the pods do not say what they ask.", "No quota blocks anything"}, "missing",
		[]column{
			{field: "cluster", width: 110}, {field: "namespace"}, {field: "resourcequota"}, {field: "workload_kind", title: "kind"},
			{field: "workload", properties: toWorkload()}, {field: "controller_kind"}, {field: "controller"}, {field: "cause"},
			{field: "Value #B", title: "missing", width: 85, properties: numbers("short")},
			{field: "Value #C", title: "since", width: 140, properties: ago()},
		},
		[]string{"Value #A"},
		asTable(blocked(s)+`
* on (`+controllerLabels+`) group_left (cause)
  topk by (`+controllerLabels+`) (1, max by (`+controllerLabels+`, cause) (`+create+`))`),
		asTable(missingByQuota(s)),
		asTable(`1000 * `+blocked(s)+onController+`min by (`+controllerLabels+`) (`+s.in("pod_create_failure_start_time_seconds")+`)`),
	)
}

// figure is what a quota says of its resources.
func figure(s scope, name, matcher string) string {
	if matcher != "" {
		s.space += ", " + matcher
	}
	return `max by (` + resourceLabels + `) (` + s.in("quota_blocked_"+name) + `)`
}

// ofHard is how full a quota is, at most ten times: a quota of nothing, which locks a namespace, is full, and more than nothing is
// infinitely more.
func ofHard(part, hard string) string {
	return `clamp_max(` + part + ` / clamp_min(` + hard + `, 1e-9) + (` + hard + ` == bool 0), 10)`
}

func quotaFigures(s scope, title, matcher, unit string) panel {
	hard, used, requested := figure(s, "hard", matcher), figure(s, "used", matcher), figure(s, "requested", matcher)
	return table(text{title,
		"What quotas that block something allow, and what is taken. Headroom is what is left, requested what the largest blocked pod " +
			"asks; it is empty where the pods do not say.", "No quota blocks anything here"}, "used of hard",
		[]column{
			{field: "cluster", width: 110}, {field: "namespace"}, {field: "resourcequota"}, {field: "resource"},
			{field: "Value #A", title: "hard", width: 110, properties: numbers(unit)},
			{field: "Value #B", title: "used", width: 110, properties: numbers(unit)},
			{field: "Value #C", title: "headroom", width: 110, properties: numbers(unit)},
			{field: "Value #D", title: "requested", width: 110, properties: numbers(unit)},
			{field: "Value #E", title: "used of hard", width: 120, properties: numbers("percentunit")},
		}, nil,
		asTable(hard), asTable(used), asTable(hard+` - `+used), asTable(requested), asTable(ofHard(used, hard)),
	)
}

func oneMorePod(s scope) panel {
	used, requested, hard := figure(s, "used", ""), figure(s, "requested", ""), figure(s, "hard", "")
	p := bars(text{"With one more pod",
		"What would be used of the quota if its largest blocked pod were created. Above 100 % it is refused; 1000 % stands for all above.",
		"No quota is short of anything"},
		now(`sort_desc(`+ofHard(`(`+used+` + `+requested+`)`, hard)+`)`, "{{namespace}}/{{resourcequota}} {{resource}}"), "percentunit")
	p.FieldConfig.Defaults.Color = byThreshold()
	p.FieldConfig.Defaults.Thresholds = above(partly, from(1.000001, bad))
	return p
}

func usedOverTime(s scope) panel {
	p := byName(graph(text{"Used of the quota",
		"For each resource of a quota that blocks something, while it does. A lower quota than what is used is above 100 %.",
		"No quota blocked anything"}, "percentunit",
		over(ofHard(figure(s, "used", ""), figure(s, "hard", "")), "{{namespace}}/{{resourcequota}} {{resource}}")))
	p.FieldConfig.Defaults.Thresholds = above("transparent", from(1, bad))
	p.FieldConfig.Defaults.Custom["thresholdsStyle"] = map[string]any{"mode": "line"}
	return p
}

func quotaHistory(s scope) []sized {
	return []sized{
		{12, painted(graph(text{"Blocked controllers over time",
			"How many controllers quotas blocked. A gap is a time without an exporter that had read the cluster.", unknown},
			"short", over(orZero(`count(`+blocked(s)+`)`), "blocked")), [2]string{"blocked", partly})},
		{12, painted(graph(text{"Missing pods over time",
			"How many pods quotas refused. A gap is a time without an exporter that had read the cluster.", unknown},
			"short", over(orZero(`sum(`+missingByQuota(s)+`)`), "missing")), [2]string{"missing", partly})},
	}
}
