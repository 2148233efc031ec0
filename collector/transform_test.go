package collector

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8sruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// transforms returns every transform that there is, by the resource that it is for.
func transforms(t *testing.T) map[string]func(any) (any, error) {
	t.Helper()
	c, _ := costCollector(t, 0, 0)
	all := map[string]func(any) (any, error){}
	for _, r := range Resources() {
		all[r.Name] = c.transform(r)
	}
	return all
}

// bloated is what an API server sends along and nobody reads here.
func bloated(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: "shop", Name: name, UID: "u", ResourceVersion: "7", Generation: 3, CreationTimestamp: metav1.NewTime(costTime),
		Labels: map[string]string{"app": "web"}, Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{…}"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
	}
}

func examples() map[string][]k8sruntime.Object {
	event := &corev1.Event{ObjectMeta: bloated("e"), Reason: "Failed", InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: "shop", Name: "web"}}
	dull := event.DeepCopy()
	dull.Reason = "Rebooted"
	quota := &corev1.ResourceQuota{ObjectMeta: bloated("q"), Status: corev1.ResourceQuotaStatus{Hard: corev1.ResourceList{"pods": resource.MustParse("1")}}}
	quiet, sick := costPod(1, false), costPod(2, true)
	quiet.ManagedFields, sick.ManagedFields = bloated("").ManagedFields, bloated("").ManagedFields
	sick.Annotations = bloated("").Annotations
	return map[string][]k8sruntime.Object{
		"pods": {quiet, sick}, "events": {event, dull}, "resourcequotas": {quota}, "nodes": {&corev1.Node{ObjectMeta: bloated("n")}},
		"replicasets": {&appsv1.ReplicaSet{ObjectMeta: bloated("r")}}, "deployments": {&appsv1.Deployment{ObjectMeta: bloated("d")}},
		"statefulsets": {&appsv1.StatefulSet{ObjectMeta: bloated("s")}}, "daemonsets": {&appsv1.DaemonSet{ObjectMeta: bloated("d")}},
		"jobs": {&batchv1.Job{ObjectMeta: bloated("j")}},
	}
}

func TestTransforms(t *testing.T) {
	objects := examples()
	for name, transform := range transforms(t) {
		if len(objects[name]) == 0 {
			t.Errorf("no example of %s", name)
		}
		for _, object := range objects[name] {
			untouched := object.DeepCopyObject()
			small, err := transform(object)
			if err != nil {
				t.Fatal(err)
			}
			again, err := transform(small)
			if err != nil || !reflect.DeepEqual(again, small) {
				t.Errorf("%s: a second transform gives %T for %T, or another one: %v", name, again, small, err)
			}
			if !reflect.DeepEqual(object, untouched) {
				t.Errorf("%s: the transform changes what it is given", name)
			}
			before, err := meta.Accessor(object)
			if err != nil {
				t.Fatal(err)
			}
			after, err := meta.Accessor(small)
			if err != nil {
				t.Fatal(err)
			}
			if after.GetName() != before.GetName() || after.GetNamespace() != before.GetNamespace() || after.GetUID() != before.GetUID() ||
				after.GetResourceVersion() != before.GetResourceVersion() {
				t.Errorf("%s: another object: %#v", name, small)
			}
			if len(after.GetManagedFields()) > 0 || len(after.GetAnnotations()) > 0 || after.GetLabels()["app"] != "" {
				t.Errorf("%s keeps what nobody reads: %#v", name, small)
			}
		}
		for _, unknown := range []any{nil, "text", &corev1.Secret{}} {
			if got, err := transform(unknown); err != nil || got != unknown {
				t.Errorf("%s: %v becomes %v, %v", name, unknown, got, err)
			}
		}
	}
}

func TestPodTransform(t *testing.T) {
	transform := transforms(t)["pods"]
	quiet, err := transform(costPod(1, false))
	if err != nil {
		t.Fatal(err)
	}
	if pod, ok := quiet.(*quietPod); !ok || pod.ownerKind != "ReplicaSet" || len(pod.containers) != 2 || pod.containers[0].repository != "registry.example/team/web" {
		t.Errorf("a healthy pod becomes %#v", quiet)
	}
	sick, err := transform(costPod(1, true))
	if err != nil {
		t.Fatal(err)
	}
	pod, ok := sick.(*corev1.Pod)
	if !ok || !reflect.DeepEqual(pod.Labels, map[string]string{templateHash: "7d9c5b4f8"}) {
		t.Errorf("a failing pod becomes %#v", sick)
	}
	dull, err := transforms(t)["events"](examples()["events"][1])
	if _, ok := dull.(*stub); !ok || err != nil {
		t.Errorf("an event that tells nothing becomes %#v, %v", dull, err)
	}
}

// TestSlimPodsClassify proves on every pod of the recording that nothing is dropped that the classifier reads.
func TestSlimPodsClassify(t *testing.T) {
	events := recording(t)
	begin, err := tapeStart(bytes.NewReader(demoTape))
	if err != nil {
		t.Fatal(err)
	}
	var pods, failing, quiet int
	for _, opts := range []classify.Options{classify.DefaultOptions(), classify.OneLookOptions()} {
		c := classify.New(opts)
		about := map[key][]*corev1.Event{}
		for _, event := range events {
			switch o := event.object.(type) {
			case *corev1.Event:
				about[eventKey(o)] = append(about[eventKey(o)], o)
			case *corev1.Pod:
				pods++
				in := classify.PodInput{Pod: o, Now: begin.Add(event.at + time.Minute), Events: about[key{"Pod", o.Namespace, o.Name}]}
				want := c.Pod(in)
				failing += len(want.Failures)
				if c.Quiet(o, in.Now) {
					quiet++
					if len(want.Failures) > 0 {
						t.Errorf("%s/%s is quiet and fails: %v", o.Namespace, o.Name, want.Failures)
					}
				}
				in.Pod = slimPod(o)
				if got := c.Pod(in); !reflect.DeepEqual(got, want) {
					t.Errorf("%s/%s: slim %+v, whole %+v", o.Namespace, o.Name, got, want)
				}
			}
		}
	}
	if pods == 0 || failing == 0 || quiet == 0 {
		t.Errorf("%d pods, %d failures, %d quiet: the recording proves nothing", pods, failing, quiet)
	}
}

func TestWorkloadOf(t *testing.T) {
	p := newPlayer(t, classify.DefaultOptions())
	owned := func(name, kind, owner string) metav1.ObjectMeta {
		yes := true
		m := metav1.ObjectMeta{Namespace: "shop", Name: name}
		if kind != "" {
			m.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Name: owner, Controller: &yes}}
		}
		return m
	}
	for _, event := range []taped{
		{kind: "ADDED", resource: "replicasets", object: &appsv1.ReplicaSet{ObjectMeta: owned("web-7d9c", "Deployment", "web")}},
		{kind: "ADDED", resource: "replicasets", object: &appsv1.ReplicaSet{ObjectMeta: owned("rollout-7d9c", "Rollout", "canary")}},
		{kind: "ADDED", resource: "replicasets", object: &appsv1.ReplicaSet{ObjectMeta: owned("bare-7d9c", "", "")}},
		{kind: "ADDED", resource: "jobs", object: &batchv1.Job{ObjectMeta: owned("nightly-1", "CronJob", "nightly")}},
		{kind: "ADDED", resource: "jobs", object: &batchv1.Job{ObjectMeta: owned("once", "", "")}},
	} {
		p.apply(t, event)
	}
	for name, test := range map[string]struct{ kind, name, hash, want string }{
		"of a Deployment":            {"ReplicaSet", "web-7d9c", "7d9c", "Deployment web"},
		"of another controller":      {"ReplicaSet", "rollout-7d9c", "7d9c", "Rollout canary"},
		"known and bare":             {"ReplicaSet", "bare-7d9c", "7d9c", "ReplicaSet bare-7d9c"},
		"not known, with hash":       {"ReplicaSet", "api-5f6b", "5f6b", "Deployment api"},
		"not known, other hash":      {"ReplicaSet", "api-5f6b", "7d9c", "ReplicaSet api-5f6b"},
		"not known, without hash":    {"ReplicaSet", "api-5f6b", "", "ReplicaSet api-5f6b"},
		"Job of a CronJob":           {"Job", "nightly-1", "", "CronJob nightly"},
		"Job alone":                  {"Job", "once", "", "Job once"},
		"StatefulSet":                {"StatefulSet", "db", "", "StatefulSet db"},
		"ReplicaSet elsewhere named": {"ReplicaSet", "once", "", "ReplicaSet once"},
	} {
		t.Run(name, func(t *testing.T) {
			if kind, workload := p.store.workloadOf(test.kind, "shop", test.name, test.hash); kind+" "+workload != test.want {
				t.Errorf("got %s %s, want %s", kind, workload, test.want)
			}
		})
	}
	if kind, name := p.store.podWorkload(&corev1.Pod{ObjectMeta: owned("alone", "", "")}); kind != "Pod" || name != "alone" {
		t.Errorf("a bare pod is of %s %s", kind, name)
	}
	pod := &corev1.Pod{ObjectMeta: owned("api-5f6b-x", "ReplicaSet", "api-5f6b")}
	pod.Labels = map[string]string{templateHash: "5f6b"}
	if kind, name := p.store.podWorkload(pod); kind != "Deployment" || name != "api" {
		t.Errorf("a pod of a ReplicaSet that is not known is of %s %s", kind, name)
	}
}
