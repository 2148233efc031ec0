package classify

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	overQuota = `pods "web-7d9c-x" is forbidden: exceeded quota: team, requested: requests.cpu=500m, used: requests.cpu=2, limited: requests.cpu=2`
	noAccount = `pods "web-7d9c-" is forbidden: error looking up service account apps/robot: serviceaccount "robot" not found`
)

// short is a controller that wants three pods and has one.
func short(kind string, conditions ...ControllerCondition) *Controller {
	return &Controller{Kind: kind, Namespace: "apps", Name: "web-7d9c", Desired: 3, Current: 1, Ready: 1, Conditions: conditions}
}

func replicaFailure(message string, since time.Duration) ControllerCondition {
	return ControllerCondition{Type: "ReplicaFailure", True: true, Reason: "FailedCreate", Message: message, Since: clock(since)}
}

func refusedAt(message string, at time.Duration) *corev1.Event {
	return podEvent("FailedCreate", "Error creating: "+message, at)
}

func refusedStateful(message string, at time.Duration) *corev1.Event {
	return podEvent("FailedCreate", "create Pod db-1 in StatefulSet db failed error: "+message, at)
}

func TestController(t *testing.T) {
	catalogue := mustCatalogue(t)
	deleting := replicaFailure("cannot delete", minute)
	deleting.Reason = "FailedDelete"
	cured := replicaFailure(overQuota, minute)
	cured.True = false
	whole := short("ReplicaSet", replicaFailure(overQuota, minute))
	whole.Current = 3
	done := short("Job")
	done.Done = true
	gone := short("ReplicaSet", replicaFailure(overQuota, minute))
	gone.Deleting = true
	for _, tc := range []struct {
		name      string
		in        ControllerInput
		want      Cause // nothing fails where it is empty
		since     time.Duration
		kept      bool
		stillOpen bool
	}{
		{"no controller", ControllerInput{}, "", 0, false, false},
		{"ReplicaSet's condition", ControllerInput{Controller: short("ReplicaSet", replicaFailure(overQuota, minute))}, QuotaExceeded, minute, true, true},
		{
			"an older event does not beat the condition",
			ControllerInput{Controller: short("ReplicaSet", replicaFailure(overQuota, 2*minute)), Events: []*corev1.Event{refusedAt(noAccount, minute)}}, QuotaExceeded, 2 * minute, true, true,
		},
		{
			"a newer event beats a stale condition",
			ControllerInput{Controller: short("ReplicaSet", replicaFailure(overQuota, minute)), Events: []*corev1.Event{refusedAt(noAccount, 5*minute)}}, ServiceAccountMissing, minute, true, true,
		},
		{"condition says false", ControllerInput{Controller: short("ReplicaSet", cured)}, "", 0, false, true},
		{"condition speaks of deletion", ControllerInput{Controller: short("ReplicaSet", deleting)}, "", 0, false, true},
		{"has all its pods, the condition is stale", ControllerInput{Controller: whole}, "", 0, false, false},
		{"is being deleted", ControllerInput{Controller: gone}, "", 0, false, false},
		{
			"ReplicaSet, an event of this minute, the condition follows",
			ControllerInput{Controller: short("ReplicaSet"), Events: []*corev1.Event{refusedAt(overQuota, 9*minute+30*second)}}, QuotaExceeded, 9*minute + 30*second, false, true,
		},
		{"ReplicaSet, an old event without a condition", ControllerInput{Controller: short("ReplicaSet"), Events: []*corev1.Event{refusedAt(overQuota, minute)}}, "", 0, false, true},
		{
			"DaemonSet, only events: since the first",
			ControllerInput{Controller: short("DaemonSet"), Events: []*corev1.Event{repeated(refusedAt(overQuota, 9*minute), 2*minute)}}, QuotaExceeded, 2 * minute, false, true,
		},
		{"DaemonSet, no evidence yet", ControllerInput{Controller: short("DaemonSet")}, "", 0, false, true},
		{"Job, only an event", ControllerInput{Controller: short("Job"), Events: []*corev1.Event{refusedAt(noAccount, minute)}}, ServiceAccountMissing, minute, false, true},
		{"Job is done", ControllerInput{Controller: done, Events: []*corev1.Event{refusedAt(noAccount, minute)}}, "", 0, false, false},
		{
			"a pod was created after the refusal",
			ControllerInput{Controller: short("DaemonSet"), NewestPod: clock(2 * minute), Events: []*corev1.Event{refusedAt(overQuota, minute)}}, "", 0, false, false,
		},
		{
			"a pod was created before the refusal",
			ControllerInput{Controller: short("DaemonSet"), NewestPod: clock(30 * second), Events: []*corev1.Event{refusedAt(overQuota, minute)}}, QuotaExceeded, minute, false, true,
		},
		{"StatefulSet", ControllerInput{Controller: short("StatefulSet"), Events: []*corev1.Event{refusedStateful(overQuota, minute)}}, QuotaExceeded, minute, false, true},
		{
			"StatefulSet, the pod of the event exists by now",
			ControllerInput{
				Controller: short("StatefulSet"), Events: []*corev1.Event{refusedStateful(overQuota, minute)}, PodExists: func(name string) bool { return name == "db-1" },
			}, "", 0, false, true,
		},
		{
			"StatefulSet, another pod exists",
			ControllerInput{
				Controller: short("StatefulSet"), Events: []*corev1.Event{refusedStateful(overQuota, minute)}, PodExists: func(name string) bool { return name == "db-0" },
			}, QuotaExceeded, minute, false, true,
		},
		{"words that nobody knows", ControllerInput{Controller: short("DaemonSet"), Events: []*corev1.Event{refusedAt("something new", minute)}}, PodCreateFailed, minute, false, true},
		{"other events", ControllerInput{Controller: short("DaemonSet"), Events: []*corev1.Event{podEvent("SuccessfulCreate", "Created pod", minute)}}, "", 0, false, true},
		{"a Deployment creates no pods itself", ControllerInput{Controller: short("Deployment", replicaFailure(overQuota, minute))}, "", 0, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.Now = clock(10 * minute)
			v := New(DefaultOptions()).Controller(tc.in)
			checkVerdict(t, catalogue, v, tc.in.Now)
			if open := slices.Contains(v.Open, Stage{Family: FamilyCreate}); open != tc.stillOpen {
				t.Errorf("Open = %v, want create in it: %v", v.Open, tc.stillOpen)
			}
			if tc.want == "" {
				if len(v.Failures) > 0 {
					t.Errorf("got %v, want nothing", told(v))
				}
				return
			}
			if len(v.Failures) != 1 {
				t.Fatalf("got %v, want %s", told(v), tc.want)
			}
			f := v.Failures[0]
			if f.Cause != tc.want || f.Family != FamilyCreate || f.Reason != "FailedCreate" || f.Kind != tc.in.Controller.Kind || f.MissingPods != 2 {
				t.Errorf("got %+v, want %s and 2 missing pods", f, tc.want)
			}
			if !f.Since.Equal(clock(tc.since)) || f.SinceKept != tc.kept {
				t.Errorf("since %v kept %v, want %v %v", f.Since, f.SinceKept, clock(tc.since), tc.kept)
			}
			if f.Unclassified != (tc.want == PodCreateFailed) {
				t.Errorf("Unclassified = %v", f.Unclassified)
			}
		})
	}
}

func TestControllerCarriesTheQuota(t *testing.T) {
	v := New(DefaultOptions()).Controller(ControllerInput{Controller: short("ReplicaSet", replicaFailure(overQuota, minute)), Now: clock(2 * minute)})
	f := v.Failures[0]
	if f.Quota == nil || f.Quota.Name != "team" || len(f.Quota.Resources) != 1 || f.Quota.Resources[0].Requested.String() != "500m" {
		t.Errorf("quota = %+v", f.Quota)
	}
	if f.Message != overQuota {
		t.Errorf("message = %q", f.Message)
	}
	v = New(DefaultOptions()).Controller(ControllerInput{Controller: short("ReplicaSet", replicaFailure(noAccount, minute)), Now: clock(2 * minute)})
	if v.Failures[0].Quota != nil {
		t.Errorf("quota = %+v for another cause", v.Failures[0].Quota)
	}
}

func TestMissingAndSatisfied(t *testing.T) {
	for _, tc := range []struct {
		name      string
		c         Controller
		missing   int32
		satisfied bool
	}{
		{"whole", Controller{Kind: "ReplicaSet", Desired: 3, Current: 3, Ready: 3}, 0, true},
		{"short", Controller{Kind: "ReplicaSet", Desired: 3, Current: 1, Ready: 1}, 2, false},
		{"scaled to nothing", Controller{Kind: "Deployment"}, 0, true},
		{"surge", Controller{Kind: "Deployment", Desired: 3, Current: 4, Ready: 3}, 0, true},
		{"not ready", Controller{Kind: "StatefulSet", Desired: 3, Current: 3, Ready: 2}, 0, false},
		{"being deleted", Controller{Kind: "DaemonSet", Desired: 3, Deleting: true}, 0, false},
		{"Job runs", Controller{Kind: "Job", Desired: 1, Current: 1, Ready: 1}, 0, false},
		{"Job has given up", Controller{Kind: "Job", Desired: 1, Done: true}, 0, false},
		{"Job is complete", Controller{Kind: "Job", Done: true, Complete: true}, 0, true},
		{"CronJob", Controller{Kind: "CronJob", Done: true}, 0, false},
	} {
		if got := tc.c.Missing(); got != tc.missing {
			t.Errorf("%s: Missing = %d, want %d", tc.name, got, tc.missing)
		}
		if got := tc.c.Satisfied(); got != tc.satisfied {
			t.Errorf("%s: Satisfied = %v, want %v", tc.name, got, tc.satisfied)
		}
	}
}

func TestControllerOf(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "apps", Name: "a", UID: "1", OwnerReferences: []metav1.OwnerReference{
		{Kind: "Note", Name: "n"}, {Kind: "Deployment", Name: "web", Controller: new(true)},
	}}
	job := func(spec batchv1.JobSpec, status batchv1.JobStatus) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: meta, Spec: spec, Status: status}
	}
	finished := func(kind batchv1.JobConditionType) batchv1.JobStatus {
		return batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue}}}
	}
	for _, tc := range []struct {
		name   string
		object any
		want   Controller // kind, counts and states only
	}{
		{"ReplicaSet without a number wants one", &appsv1.ReplicaSet{ObjectMeta: meta}, Controller{Kind: "ReplicaSet", Desired: 1}},
		{
			"ReplicaSet", &appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Replicas: new(int32(3))}, Status: appsv1.ReplicaSetStatus{Replicas: 2, ReadyReplicas: 1}},
			Controller{Kind: "ReplicaSet", Desired: 3, Current: 2, Ready: 1},
		},
		{
			"Deployment", &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Replicas: new(int32(0))}}, Controller{Kind: "Deployment"},
		},
		{
			"StatefulSet", &appsv1.StatefulSet{ObjectMeta: meta, Status: appsv1.StatefulSetStatus{Replicas: 1, ReadyReplicas: 1}},
			Controller{Kind: "StatefulSet", Desired: 1, Current: 1, Ready: 1},
		},
		{
			"DaemonSet", &appsv1.DaemonSet{ObjectMeta: meta, Status: appsv1.DaemonSetStatus{DesiredNumberScheduled: 5, CurrentNumberScheduled: 4, NumberReady: 3}},
			Controller{Kind: "DaemonSet", Desired: 5, Current: 4, Ready: 3},
		},
		{"Job", job(batchv1.JobSpec{}, batchv1.JobStatus{Active: 1}), Controller{Kind: "Job", Desired: 1, Current: 1}},
		{
			"Job with completions", job(batchv1.JobSpec{Parallelism: new(int32(4)), Completions: new(int32(5))}, batchv1.JobStatus{Active: 1, Succeeded: 3}),
			Controller{Kind: "Job", Desired: 2, Current: 1},
		},
		{
			"Job that has more successes than it wants", job(batchv1.JobSpec{Completions: new(int32(1))}, batchv1.JobStatus{Succeeded: 2}),
			Controller{Kind: "Job"},
		},
		{
			"work queue that drains", job(batchv1.JobSpec{Parallelism: new(int32(4))}, batchv1.JobStatus{Active: 2, Succeeded: 1}),
			Controller{Kind: "Job", Desired: 2, Current: 2},
		},
		{"Job suspended", job(batchv1.JobSpec{Suspend: new(true)}, batchv1.JobStatus{}), Controller{Kind: "Job", Desired: 1, Done: true}},
		{"Job complete", job(batchv1.JobSpec{}, finished(batchv1.JobComplete)), Controller{Kind: "Job", Desired: 1, Done: true, Complete: true}},
		{"Job failed", job(batchv1.JobSpec{}, finished(batchv1.JobFailed)), Controller{Kind: "Job", Desired: 1, Done: true}},
		{"CronJob", &batchv1.CronJob{ObjectMeta: meta}, Controller{Kind: "CronJob", Done: true}},
	} {
		got, ok := ControllerOf(tc.object)
		if !ok || got.Name != "a" || got.UID != "1" || got.OwnerKind != "Deployment" || got.OwnerName != "web" {
			t.Errorf("%s: %+v %v: the identity is wrong", tc.name, got, ok)
		}
		same := got.Kind == tc.want.Kind && got.Desired == tc.want.Desired && got.Current == tc.want.Current && got.Ready == tc.want.Ready &&
			got.Done == tc.want.Done && got.Complete == tc.want.Complete
		if !same {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tc.name, got, tc.want)
		}
	}
	if _, ok := ControllerOf(&corev1.Pod{}); ok {
		t.Error("a pod is no controller")
	}
}

func TestWebhookMayQuoteAQuota(t *testing.T) {
	cause, quota, ok := New(DefaultOptions()).tellCreate(`admission webhook "policy.example" denied the request: ` +
		`exceeded quota: other, requested: pods=1, used: pods=1, limited: pods=1`)
	if cause != AdmissionWebhookDenied || quota != nil || !ok {
		t.Errorf("got %s, %v, %v", cause, quota, ok)
	}
}
