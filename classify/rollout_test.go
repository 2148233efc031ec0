package classify

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func stalled(edits ...func(*appsv1.Deployment)) *Controller {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "web", UID: "d1"},
		Spec:       appsv1.DeploymentSpec{Replicas: new(int32(3))},
		Status: appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded",
			Message: `ReplicaSet "web-7d9c" has timed out progressing.`, LastTransitionTime: stamp(10 * minute),
		}}},
	}
	for _, change := range edits {
		change(d)
	}
	c, _ := ControllerOf(d)
	return &c
}

func TestRollout(t *testing.T) {
	missing := Failure{Kind: "Pod", Cause: ImageTagNotFound, Family: FamilyImage, Message: "tag"}
	crash := Failure{Kind: "Pod", Cause: AppError, Family: FamilyCrash, Message: "exit code 1"}
	quota := Failure{Kind: "ReplicaSet", Cause: QuotaExceeded, Family: FamilyCreate, Message: "quota", MissingPods: 3}
	for _, tc := range []struct {
		name string
		d    *Controller
		pods []Failure
		want Cause
	}{
		{"no pod says why", stalled(), nil, ProgressDeadlineExceeded},
		{"the root cause of its pods", stalled(), []Failure{missing}, ImageTagNotFound},
		{"the cause of the most pods", stalled(), []Failure{missing, crash, missing}, ImageTagNotFound},
		{"of equals the earliest in a pod's life", stalled(), []Failure{crash, missing}, ImageTagNotFound},
		{"pods that were never created count too", stalled(), []Failure{crash, crash, quota}, QuotaExceeded},
		{"progressing", stalled(func(d *appsv1.Deployment) { d.Status.Conditions[0].Status = corev1.ConditionTrue }), []Failure{missing}, ""},
		{"paused", stalled(func(d *appsv1.Deployment) { d.Status.Conditions[0].Reason = "DeploymentPaused" }), nil, ""},
		{"scaled to nothing", stalled(func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }), nil, ""},
		{"being deleted", stalled(func(d *appsv1.Deployment) { t := stamp(minute); d.DeletionTimestamp = &t }), nil, ""},
		{"no condition", stalled(func(d *appsv1.Deployment) { d.Status.Conditions = nil }), nil, ""},
	} {
		f, ok := New(DefaultOptions()).Rollout(tc.d, tc.pods)
		if ok != (tc.want != "") || f.Cause != tc.want {
			t.Errorf("%s: got %v %s, want %q", tc.name, ok, f.Cause, tc.want)
			continue
		}
		if !ok {
			continue
		}
		if f.Family != FamilyRollout || f.Reason != "ProgressDeadlineExceeded" || f.Kind != "Deployment" || f.Workload != "web" || !f.Since.Equal(clock(10*minute)) || f.Message == "" {
			t.Errorf("%s: %+v", tc.name, f)
		}
	}
}
