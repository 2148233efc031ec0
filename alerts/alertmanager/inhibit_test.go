package alertmanager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// inhibition is a set of alerts of one namespace that fire at once, and says which of them are muted.
type inhibition struct {
	name        string
	loud, muted []string
}

// inhibitions writes alerts as label=value pairs; a cause brings the alert's name along.
func inhibitions() []inhibition {
	const web, db = " workload_kind=Deployment workload=web", " workload_kind=StatefulSet workload=db"
	const rollout = "cause=ProgressDeadlineExceeded family=rollout severity=warning"
	return []inhibition{
		{"a stalled rollout alone", []string{rollout + web}, nil},
		{"a stalled rollout yields to its reason", []string{"cause=ImageTagNotFound family=image container=app" + web}, []string{rollout + web}},
		{"a stalled rollout yields to what hinders its pods' creation", []string{"cause=QuotaExceeded family=create" + web}, []string{rollout + web}},
		{"not to another workload's", []string{"cause=ImageTagNotFound family=image" + db, rollout + web}, nil},
		{"not to a workload of the same name and another kind", []string{"cause=OOMKilled family=crash workload_kind=StatefulSet workload=web", rollout + web}, nil},
		{"a probe yields to a crash", []string{"cause=OOMKilled family=crash container=app" + web}, []string{"cause=ProbeTimeout family=probe container=app" + web}},
		{"of another workload it does not", []string{"cause=OOMKilled family=crash" + db, "cause=ProbeTimeout family=probe" + web}, nil},
		{"two probes mute neither", []string{"cause=ProbeTimeout family=probe container=a" + web, "cause=ProbeTimeout family=probe container=b" + web}, nil},
		{"two crashes mute neither", []string{"cause=OOMKilled family=crash container=a" + web, "cause=AppError family=crash container=b" + web}, nil},
		{
			"critical mutes what warned of the same", []string{"cause=OOMKilled family=crash container=app severity=critical" + web, "cause=NodeLost family=pod severity=critical" + db},
			[]string{"cause=OOMKilled family=crash container=app severity=warning" + web, "cause=NodeLost family=pod severity=warning" + db},
		},
		{"not another container's", []string{"cause=OOMKilled family=crash container=a severity=critical" + web, "cause=OOMKilled family=crash container=b severity=warning" + web}, nil},
		{"nor another cause", []string{"cause=OOMKilled family=crash container=a severity=critical" + web, "cause=AppError family=crash container=a severity=warning" + web}, nil},
		{"critical mutes no warning", []string{"cause=OOMKilled family=crash severity=critical" + db, "cause=UntoleratedTaint family=schedule severity=warning" + web}, nil},
		{
			"kube-prometheus' alerts about pods yield", []string{"cause=ImageTagNotFound family=image severity=warning" + web}, []string{
				"alertname=KubePodNotReady pod=web-1", "alertname=KubeContainerWaiting pod=web-1 container=app", "alertname=KubePodCrashLooping pod=web-1",
			},
		},
		{
			"and those about workloads yield to their kind",
			[]string{
				"cause=ImageTagNotFound family=image" + web, "cause=OOMKilled family=crash" + db, "cause=CNINotReady family=volume workload_kind=DaemonSet workload=agent",
				"cause=AppError family=crash workload_kind=Job workload=backup",
			},
			[]string{
				"alertname=KubeDeploymentReplicasMismatch deployment=web", "alertname=KubeDeploymentRolloutStuck deployment=web",
				"alertname=KubeStatefulSetReplicasMismatch statefulset=db", "alertname=KubeDaemonSetRolloutStuck daemonset=agent",
				"alertname=KubeJobFailed job_name=backup", "alertname=KubeJobNotCompleted job_name=backup",
			},
		},
		{
			"not to another kind", []string{
				"cause=ImageTagNotFound family=image" + web, "alertname=KubeStatefulSetReplicasMismatch statefulset=db", "alertname=KubeJobNotCompleted job_name=backup",
			}, nil,
		},
		{"alone they are loud", []string{"alertname=KubePodNotReady pod=web-1", "alertname=KubeJobFailed job_name=backup"}, nil},
		{"nothing else yields", []string{"cause=ImageTagNotFound family=image" + web, "alertname=KubePersistentVolumeFillingUp"}, nil},
		{"another's Pod alert without a cause mutes nothing", []string{"alertname=PodsTooMany family=crash" + web, "cause=ProbeTimeout family=probe" + web}, nil},
		{"nor kube-prometheus' alerts", []string{"alertname=PodsTooMany" + web, "alertname=KubePodNotReady pod=web-1"}, nil},
	}
}

func TestInhibition(t *testing.T) {
	daemon := start(t, "alertmanager.yml")
	var alerts []alert
	muted := map[string]bool{}
	for i, set := range inhibitions() {
		// The namespace keeps the sets apart, so that one Alertmanager and one look serve for all.
		namespace := fmt.Sprintf("set-%d", i)
		for _, text := range slices.Concat(set.loud, set.muted) {
			alerts = append(alerts, alert{Labels: labelsOf(namespace, text), Annotations: map[string]string{"set": set.name}})
		}
		for _, text := range set.muted {
			muted[key(labelsOf(namespace, text))] = true
		}
		// Nor is what is in another cluster.
		alerts = append(alerts, alert{Labels: labelsOf(namespace, "alertname=KubePodNotReady pod=web-1 cluster=other")})
	}
	daemon.post(t, alerts)

	var states []state
	// Alertmanager learns of alerts one after another. If too few are muted in the end, what follows says which.
	within(10*time.Second, func() bool {
		states = daemon.alerts(t)
		loud := slices.DeleteFunc(slices.Clone(states), func(s state) bool { return len(s.Status.InhibitedBy) > 0 })
		return len(states) == len(alerts) && len(states)-len(loud) >= len(muted)
	})
	if len(states) != len(alerts) {
		t.Errorf("Alertmanager has %d alerts, want %d", len(states), len(alerts))
	}
	for _, s := range states {
		if got, want := len(s.Status.InhibitedBy) > 0, muted[key(s.Labels)]; got != want {
			t.Errorf("%s: muted: %t, want %t, for %s", s.Annotations["set"], got, want, key(s.Labels))
		}
	}
}

func labelsOf(namespace, text string) map[string]string {
	labels := map[string]string{"namespace": namespace}
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		labels[name] = value
	}
	if cause := labels["cause"]; cause != "" {
		labels["alertname"] = "Pod" + cause
	}
	return labels
}

func key(labels map[string]string) string {
	var pairs []string
	for name, value := range labels {
		pairs = append(pairs, name+"="+value)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, " ")
}
