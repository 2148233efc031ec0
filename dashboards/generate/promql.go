package main

const (
	workloadLabels   = `cluster, namespace, workload_kind, workload`
	controllerLabels = `cluster, namespace, controller_kind, controller`
	failureLabels    = workloadLabels + `, family, cause`
	containerLabels  = failureLabels + `, container, reason`
)

// scope selects failures. Not every series names the workload; those that do not are joined to one that does.
type scope struct{ space, workload string }

func everything() scope { return scope{space: `cluster=~"$cluster", namespace=~"$namespace"`} }

func oneWorkload() scope {
	return scope{space: everything().space, workload: `, workload_kind=~"$workload_kind", workload=~"$workload"`}
}

// of is a series that names the workload.
func (s scope) of(name string) string { return name + `{` + s.space + s.workload + `}` }

// in is a series that names only the namespace and what is in it.
func (s scope) in(name string) string { return name + `{` + s.space + `}` }

// Each failure counts once, however many exporters tell of it: max by comes before every count.

// creates are the controllers that cannot create their pods.
func (s scope) creates(labels string) string {
	return `label_replace(max by (` + labels + `) (` + s.of("pod_create_failure_reason") + `), "family", "create", "", "")`
}

// failures is 1 for each failure, as cause:failing_workloads:count counts them: of stalled rollouts only those that no pod explains.
func (s scope) failures(labels string) string {
	unexplained := scope{space: s.space, workload: s.workload + `, cause="ProgressDeadlineExceeded"`}
	return `(
    max by (` + labels + `) (` + s.of("pod_failure_reason") + `)
  or
    ` + s.creates(labels) + `
  or
    label_replace(max by (` + labels + `) (` + unexplained.of("rollout_stalled_reason") + `), "family", "rollout", "", "")
)`
}

// missing are the pods that could not be created.
func (s scope) missing(labels string) string {
	return `sum by (` + labels + `) (
    ` + s.creates(controllerLabels+`, workload_kind, workload, cause, reason`) + `
  * on (` + controllerLabels + `) group_left ()
    max by (` + controllerLabels + `) (` + s.in("pod_create_failure_missing_pods") + `)
)`
}

// pods are those that fail or are missing, by failure.
func (s scope) pods(labels string) string {
	return `count by (` + labels + `) (
  max by (` + labels + `, pod) (` + s.of("pod_failure_reason") + `)
)
or
` + s.missing(labels)
}

// podsOf are the same by workload: a pod with two failing containers is one pod.
func (s scope) podsOf(labels string) string {
	return `sum by (` + labels + `) (
    count by (` + workloadLabels + `) (max by (` + workloadLabels + `, pod) (` + s.of("pod_failure_reason") + `))
  or
    label_replace(` + s.missing(workloadLabels) + `, "missing", "yes", "", "")
)`
}

// since is when each failure began, in seconds. Of a stalled rollout no series tells.
func (s scope) since(labels string) string {
	return `min by (` + labels + `) (
    max by (` + containerLabels + `, pod) (` + s.of("pod_failure_reason") + `)
  * on (cluster, namespace, pod, container) group_left ()
    min by (cluster, namespace, pod, container) (` + s.in("pod_failure_start_time_seconds") + `)
  or
    ` + s.creates(controllerLabels+`, workload_kind, workload, cause, reason`) + `
  * on (` + controllerLabels + `) group_left ()
    min by (` + controllerLabels + `) (` + s.in("pod_create_failure_start_time_seconds") + `)
)`
}

// state is 1 for a workload that is down and 0 for one that is degraded, by the same rule as the alerts' severity.
func (s scope) state() string {
	return `(
    (max by (` + workloadLabels + `) (quantile_over_time(0.5, ` + s.of("workload_ready_pods") + `[5m])) < bool 1)
  * (max by (` + workloadLabels + `) (` + s.of("workload_desired_pods") + `) > bool 0)
  or
    0 * group by (` + workloadLabels + `) ` + s.failures(failureLabels) + `
)`
}

// each gives a failure what is known of its workload.
func (s scope) each(labels, perWorkload string) string {
	return s.failures(labels) + `
* on (` + workloadLabels + `) group_left ()
  ` + perWorkload
}

// explained gives a failure what the catalogue says. During an update two exporters may say it differently: one is taken.
func (s scope) explained(labels, columns string) string {
	return s.failures(labels) + `
* on (cluster, cause) group_left (` + columns + `)
  topk by (cluster, cause) (1, max by (cluster, cause, ` + columns + `) (pod_failure_cause_info{cluster=~"$cluster"}))`
}

// largest is a number of a workload that two exporters may tell.
func (s scope) largest(name string) string {
	return `max by (` + workloadLabels + `) (` + s.of(name) + `)`
}

// well is 0 while an exporter has read the cluster, and nothing else: without one, nothing is known, and 0 would be a lie.
const well = `0 * (max(kube_failure_exporter_cache_synced{cluster=~"$cluster"}) == 1)`

func orZero(expr string) string { return expr + "\nor\n" + well }
