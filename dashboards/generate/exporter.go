package main

// self selects the exporter's own series.
const self = `{cluster=~"$cluster", job=~"$job", instance=~"$instance"}`

// scraped selects series that every target has. They have no cluster of their own, and All of a variable matches foreign targets
// too, so that what is known as an exporter says which are meant; that of the last hour, as one that is down says nothing.
const scraped = `{job=~"$job", instance=~"$instance"}`

// ofExporters keeps of an expression over such series what is about exporters.
func ofExporters(expr string) string {
	return expr + ` and on (job, instance) last_over_time(kube_failure_exporter_build_info` + self + `[1h])`
}

func exporter() dashboard {
	const build = `label_values(kube_failure_exporter_build_info{cluster=~"$cluster"`
	job := labelVariable("job", "Job", "The scrape jobs that find exporters.", build+`}, job)`)
	instance := labelVariable("instance", "Instance", "The exporters.", build+`, job=~"$job"}, instance)`)
	return newDashboard("exporter", "Pod failures: the exporter",
		"Whether kube-failure-exporter sees all it should, keeps up, and what it costs.",
		[]variable{datasourceVariable(), clusterVariable(), job, instance, exporterVariable()},
		row{4, exporterNumbers()},
		row{4, exporterLimits()},
		row{9, watches()},
		row{8, exporterWork()},
		row{8, exporterSpeed()},
		row{8, exporterCosts()},
		row{6, []sized{{24, builds()}}},
	)
}

func exporterNumbers() []sized {
	const away = "Not scraped"
	all := above(bad, from(1, good))
	return []sized{
		{6, stat(text{"Up", "The share of exporters that the last scrape reached, of those that told something in the last hour.", away},
			`avg(`+ofExporters(`up`+scraped)+`)`, "percentunit", all)},
		{6, stat(text{"Synced", "Whether every exporter has read all it watches. Nothing about failures is told before.", away},
			`min(kube_failure_exporter_cache_synced`+self+`)`, "short", all, word("0", "Reading the cluster", partly), word("1", "Synced", good))},
		{6, stat(text{"Watches up", "The share of watches whose last list or watch succeeded. Below 100 % less is told, or old news.", away},
			`avg(kube_failure_exporter_watch_up`+self+`)`, "percentunit", all)},
		{6, stat(text{"Clock skew",
			"How far the exporter's clock is behind the API server's, which is used instead; 0 within five seconds.", "No cluster is watched"},
			`max(abs(kube_failure_exporter_clock_skew_seconds`+self+`))`, "s", above(good, from(1, partly)))},
	}
}

func exporterLimits() []sized {
	warning := above(good, from(1, partly))
	return []sized{
		{6, stat(text{"Failures held", "Failures that are held now, those without series included.", unknown},
			`max(kube_failure_exporter_failures`+self+`)`, "short", above(quiet))},
		{6, stat(text{"Failures dropped", "Failures without series because of --metrics.max-failures.", unknown},
			`max(kube_failure_exporter_dropped_failures`+self+`)`, "short", warning)},
		{6, stat(text{"Unclassified messages",
			"Failures since the exporter's start with a message that no rule knows. Please report them.", "Not scraped"},
			`max(sum by (job, instance) (kube_failure_exporter_unclassified_messages_total`+self+`))`, "short", warning)},
		{6, stat(text{"Objects in the caches", "What is held of the cluster: the memory goes with it.", "Not scraped"},
			`max(sum by (job, instance) (kube_failure_exporter_cached_objects`+self+`))`, "short", above(quiet))},
	}
}

func watches() []sized {
	return []sized{
		{12, states(text{"Watches", "Whether the last list or watch of each resource succeeded.", "Not scraped"}, above(bad, from(1, good)),
			[]mapping{word("0", "down", bad), word("1", "up", good)},
			over(`min by (resource, selector) (kube_failure_exporter_watch_up`+self+`)`, "{{resource}} {{selector}}"))},
		{12, painted(graph(text{"Watch errors", "Failed lists and watches, each second, by reason. Expired ones cost a new list and lose nothing; " +
			"forbidden ones need permissions.", "Not scraped"}, "ops",
			over(`sum by (reason) (rate(kube_failure_exporter_watch_errors_total`+self+`[$__rate_interval]))`, "{{reason}}")),
			[2]string{"expired", quiet}, [2]string{"forbidden", bad}, [2]string{"throttled", partly}, [2]string{"timeout", "yellow"},
			[2]string{"not_found", "purple"}, [2]string{"other", neutral})},
	}
}

func exporterWork() []sized {
	objects := byName(graph(text{"Cached objects", "Objects in the caches, of the exporter that holds most.", "Not scraped"}, "short",
		over(`max by (resource, selector) (kube_failure_exporter_cached_objects`+self+`)`, "{{resource}} {{selector}}")))
	unclassified := byName(graph(text{"Unclassified messages by family",
		"Failures with a message that no rule knows, by family, since the exporter's start.", "Not scraped"}, "short",
		over(`max by (family) (kube_failure_exporter_unclassified_messages_total`+self+`)`, "{{family}}")))
	return []sized{
		{8, objects},
		{8, unclassified},
		{8, painted(graph(text{"Failures", "Held, and dropped by the limit on series.", unknown}, "short",
			over(`max(kube_failure_exporter_failures`+self+`)`, "held"), over(`max(kube_failure_exporter_dropped_failures`+self+`)`, "dropped")),
			[2]string{"held", neutral}, [2]string{"dropped", bad})},
	}
}

func exporterSpeed() []sized {
	bucket := `sum by (le) (rate(kube_failure_exporter_classify_duration_seconds_bucket` + self + `[$__rate_interval]))`
	return []sized{
		{8, painted(graph(text{"Time to judge one object",
			"Of objects that are not healthy, or were not. Healthy ones cost nothing. A gap: none was judged.",
			"Nothing was judged"}, "s",
			over(`histogram_quantile(0.99, `+bucket+`) >= 0`, "99 %"), over(`histogram_quantile(0.5, `+bucket+`) >= 0`, "median")),
			[2]string{"99 %", partly}, [2]string{"median", neutral})},
		{8, byName(graph(text{"Objects judged", "How many objects are judged each second.", "Not scraped"}, "ops",
			over(`sum by (instance) (rate(kube_failure_exporter_classify_duration_seconds_count`+self+`[$__rate_interval]))`, "{{instance}}")))},
		{8, byName(graph(text{"Scrape duration",
			"How long Prometheus waits for the exporter's series. It grows with what fails, not with the cluster.", "Not scraped"}, "s",
			over(`max by (instance) (`+ofExporters(`scrape_duration_seconds`+scraped)+`)`, "{{instance}}")))},
	}
}

func exporterCosts() []sized {
	return []sized{
		{12, byName(graph(text{"Memory", "Resident memory of each exporter.", "Not scraped"}, "bytes",
			over(`max by (instance) (`+ofExporters(`process_resident_memory_bytes`+scraped)+`)`, "{{instance}}")))},
		{12, byName(graph(text{"CPU", "Cores that each exporter uses.", "Not scraped"}, "short",
			over(`max by (instance) (`+ofExporters(`rate(process_cpu_seconds_total`+scraped+`[$__rate_interval])`)+`)`, "{{instance}}")))},
	}
}

func builds() panel {
	return table(text{"Builds", "What runs where. Two versions for long are an update that stopped half way.", "Not scraped"}, "instance",
		[]column{{field: "cluster", width: 110}, {field: "instance"}, {field: "version"}, {field: "revision"}, {field: "goversion"}, {field: "goarch"}},
		[]string{"Value"},
		asTable(`max by (cluster, instance, version, revision, goversion, goarch) (kube_failure_exporter_build_info`+self+`)`))
}
