package main

import "slices"

// What annotations ask for. The names hold none of a series of the exporter as a whole word, where a selector would be put.
const (
	oldestPod        = "workload:pod_failure_start_time:min"
	oldestController = "workload:pod_create_failure_start_time:min"
	quotaRequested   = "workload:quota_requested:max"
)

// recordingGroup has what the alerts share, and what a dashboard would else compute at every look.
func recordingGroup() group {
	return group{Name: "rules", Rules: slices.Concat(severityRules(), lookupRules(), countRules())}
}

func severityRules() []rule {
	return []rule{
		{
			Comment: "A workload that has no pod ready is down. The median of five minutes counts, so that a crash loop whose pod is ready\n" +
				"for seconds keeps one severity. One that wants no pods is not down.",
			Record: "workload:pod_failure:severity",
			Expr: `max by (` + workloadLabels + `) (quantile_over_time(0.5, workload_ready_pods[5m])) < bool 1 == 1
and on (` + workloadLabels + `)
workload_desired_pods > 0`,
			Labels: []pair{{"severity", "critical"}},
		},
		{
			Comment: "Every other workload with a failure, those included whose pods are not counted (CronJobs, controllers that may not be read).",
			Record:  "workload:pod_failure:severity",
			Expr: `group by (` + workloadLabels + `) (pod_failure_reason or pod_create_failure_reason or rollout_stalled_reason)
unless on (` + workloadLabels + `) (
  max by (` + workloadLabels + `) (quantile_over_time(0.5, workload_ready_pods[5m])) < 1
  and on (` + workloadLabels + `)
  workload_desired_pods > 0
)`,
			Labels: []pair{{"severity", "warning"}},
		},
	}
}

// lookupRules are what annotations ask for.
func lookupRules() []rule {
	return []rule{
		{
			Comment: "Since when the pod has failed that has failed for longest, and which one it is. The alerts' annotations ask for it by workload:\n" +
				"a join in each of them would cost with the square of what fails in a namespace.",
			Record: oldestPod,
			Expr: `bottomk by (` + workloadLabels + `, cause, container) (1,
    max by (` + workloadLabels + `, cause, container, pod, node) (pod_failure_reason)
  * on (cluster, namespace, pod, container) group_left ()
    min by (cluster, namespace, pod, container) (pod_failure_start_time_seconds)
)`,
		},
		{
			Comment: "The same of the controllers that cannot create pods.",
			Record:  oldestController,
			Expr: `bottomk by (` + workloadLabels + `, cause) (1,
    max by (` + controllerLabels + `, workload_kind, workload, cause) (pod_create_failure_reason)
  * on (` + controllerLabels + `) group_left ()
    min by (` + controllerLabels + `) (pod_create_failure_start_time_seconds)
)`,
		},
		{
			Comment: "What a workload's next pod asks of the quotas that block it. A controller that is told under two workloads counts for one of them.",
			Record:  quotaRequested,
			Expr: `max by (` + workloadLabels + `, resourcequota, resource) (
    max by (` + controllerLabels + `, resourcequota, resource) (quota_blocked_requested)
  * on (` + controllerLabels + `, resourcequota) group_left (workload_kind, workload)
    topk by (` + controllerLabels + `, resourcequota) (1,
      max by (` + controllerLabels + `, resourcequota, workload_kind, workload) (quota_blocked_controller)
    )
)`,
		},
	}
}

func countRules() []rule {
	return []rule{
		{
			Comment: "Pods that fail, those that could not be created included.",
			Record:  "workload:failing_pods:count",
			Expr: `count by (` + workloadLabels + `, family, cause) (
  max by (` + workloadLabels + `, family, cause, pod) (pod_failure_reason)
)
or
sum by (` + workloadLabels + `, family, cause) (
    label_replace(max by (` + controllerLabels + `, workload_kind, workload, cause) (pod_create_failure_reason), "family", "create", "", "")
  * on (` + controllerLabels + `) group_left ()
    max by (` + controllerLabels + `) (pod_create_failure_missing_pods)
)`,
		},
		{
			Comment: "Workloads that fail, stalled rollouts included that no pod explains.",
			Record:  "cause:failing_workloads:count",
			Expr: `count by (cluster, family, cause) (
    max by (` + workloadLabels + `, family, cause) (pod_failure_reason)
  or
    label_replace(max by (` + workloadLabels + `, cause) (pod_create_failure_reason), "family", "create", "", "")
  or
    label_replace(max by (` + workloadLabels + `, cause) (rollout_stalled_reason{cause="ProgressDeadlineExceeded"}), "family", "rollout", "", "")
)`,
		},
		{
			Comment: "Pods that controllers want and cannot create.",
			Record:  "namespace:missing_pods:sum",
			Expr: `sum by (cluster, namespace) (
  max by (` + controllerLabels + `) (pod_create_failure_missing_pods)
)`,
		},
	}
}
