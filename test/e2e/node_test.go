//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// stepPatience is how long Kubernetes may take: after an outage, each of its parts tries again up to a minute later, some twice.
const stepPatience = 3 * time.Minute

// step is a scenario that changes the whole node or cluster, so that the others cannot be there with it.
type step struct {
	*suite
	exporter *Exporter
}

// change is what a step does to the cluster, and what must be told in a metric of an object that meets it.
type change struct {
	name   string
	want   classify.Cause
	before func(context.Context) (undo func(context.Context) error)
	object string
	metric string
}

// testNode changes the node under what runs and what waits, and takes it away in the end.
func (s *suite) testNode(ctx context.Context) {
	st := &step{suite: s, exporter: s.exporter(ctx, s.exporterConfig,
		"--scheduling.grace=2s", "--creating.grace=10s", "--terminating.grace=10s", "--node.grace=10s")} // to wait for less
	changes := []change{
		{"Cordoned", classify.NodesUnschedulable, st.patchNode(`{"spec":{"unschedulable":true}}`, `{"spec":{"unschedulable":null}}`), podOf(""), metricPod},
		{"Tainted", classify.UntoleratedTaint,
			st.patchNode(`{"spec":{"taints":[{"key":"e2e","effect":"NoSchedule"}]}}`, `{"spec":{"taints":null}}`), podOf(""), metricPod},
		{"Full", classify.TooManyPods, st.otherNode("0", ""), podOf(otherNodeOnly), metricPod},
		{"VolumesFull", classify.VolumeLimitReached, st.otherNode("10", "limited.example.com"), podOf(otherNodeOnly +
			`, volumes: [{name: v, persistentVolumeClaim: {claimName: limited}}]`), metricPod},
		{"AddressesExhausted", classify.PodIPExhausted, st.exhaustAddresses, podOf(""), metricPod},
		{"NetworkLost", classify.CNINotReady, st.takeNetwork, podOf(", tolerations: [{operator: Exists}]"), metricPod},
		{"MayNotCreate", classify.CreateForbidden, st.takePermission, forbiddenJob, metricCreate},
		{"Preempted", classify.Preempted, st.preempt, "", metricPod},
	}
	for _, one := range changes {
		if !slices.Contains(nodeCauses(), one.want) {
			s.t.Fatalf("%s is not one of nodeCauses, which the documentation is held against", one.want)
		}
	}
	static := change{"StaticPod", classify.CommandNotFound, st.staticPod, "", metricPod} // a cause that scenarios prove too
	for _, one := range append(changes, static) {
		s.t.Run(one.name, func(t *testing.T) {
			s.on(t, func(own *suite, ctx context.Context) {
				st.suite = own
				st.run(ctx, one)
			})
		})
	}
	s.t.Run("Lost", func(t *testing.T) {
		s.on(t, func(own *suite, ctx context.Context) {
			st.suite = own
			st.lost(ctx)
		})
	})
	s.must(st.exporter.Stop())
}

const otherNodeOnly = `, nodeSelector: {e2e: other}, tolerations: [{operator: Exists}]`

const forbiddenJob = `
apiVersion: batch/v1
kind: Job
metadata: {name: step, namespace: steps}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "${OPEN}/busybox:1", command: ["true"]}]}}}
`

// podOf is a pod with more in its spec, and, where given, a request of CPU.
func podOf(spec string, request ...string) string {
	return `
apiVersion: v1
kind: Pod
metadata: {name: step, namespace: steps}
spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: "${OPEN}/pause:1", resources: {requests: {cpu: "` +
		cmp.Or(strings.Join(request, ""), "0") + `"}}}]` + spec + `}
`
}

// run changes the cluster, demands a cause, undoes the change and demands that the series ends.
func (st *step) run(ctx context.Context, one change) {
	known, began := len(st.report.Violations()), time.Now()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "steps"}}
	_, err := st.client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err == nil {
		st.must(Poll(ctx, stepPatience, 100*time.Millisecond, func(ctx context.Context) error {
			_, err := st.client.CoreV1().ServiceAccounts("steps").Get(ctx, "default", metav1.GetOptions{})
			return err
		}))
	}
	undo := one.before(ctx)
	st.apply(ctx, one.object)
	told := st.wait(ctx, fmt.Sprintf("%s: want %s", one.name, one.want), func(s *Scrape) bool {
		if len(s.Find(one.metric, "namespace", "steps", "cause", string(one.want))) == 1 {
			return true
		}
		if one.object != "" && st.ran(ctx) {
			st.remove(ctx)
			st.apply(ctx, one.object)
		}
		return false
	})
	undid := time.Now()
	st.must(undo(ctx))
	st.wait(ctx, one.name+": the series does not end after the change was undone", func(s *Scrape) bool {
		return len(s.Find(one.metric, "namespace", "steps", "cause", string(one.want))) == 0
	})
	outcome := fmt.Sprintf("%s after %.0f s, gone %.0f s after the change was undone", one.want, told.Seconds(), time.Since(undid).Seconds())
	st.remove(ctx)
	st.report.Add(Fault{Name: one.name, Outcome: outcome, Took: time.Since(began), Violations: len(st.report.Violations()) - known})
}

// ran says that the step's object met no change: the scheduler, or another part of Kubernetes, did not know of it yet, as after an
// outage, when its watches begin anew up to a minute later.
func (st *step) ran(ctx context.Context) bool {
	pod, err := st.client.CoreV1().Pods("steps").Get(ctx, "step", metav1.GetOptions{})
	if err == nil {
		return pod.Status.Phase == corev1.PodRunning || pod.Spec.NodeName == "other" // which has no kubelet
	}
	job, err := st.client.BatchV1().Jobs("steps").Get(ctx, "step", metav1.GetOptions{})
	return err == nil && job.Status.Succeeded > 0
}

// remove deletes the step's object.
func (st *step) remove(ctx context.Context) {
	for _, kind := range []string{"Pod", "Job"} {
		st.must(st.client.Delete(ctx, kind, "steps", "step"))
	}
}

func (st *step) apply(ctx context.Context, text string) {
	objects, err := ReadObjects([]byte(text), st.variables)
	st.must(err)
	for _, object := range objects {
		st.must(st.client.Apply(ctx, object))
	}
}

// wait waits until a scrape is as demanded; otherwise what was told instead, and of which pods, is a violation.
func (st *step) wait(ctx context.Context, what string, as func(*Scrape) bool) time.Duration {
	began := time.Now()
	instead := map[string]bool{}
	err := Poll(ctx, stepPatience, 250*time.Millisecond, func(ctx context.Context) error {
		scrape, err := st.exporter.Scrape(ctx)
		if err != nil || as(scrape) {
			return err
		}
		for _, metric := range []string{metricPod, metricCreate} {
			for _, sample := range scrape.Find(metric, "namespace", "steps") {
				instead[sample.Labels["cause"]] = true
			}
		}
		return fmt.Errorf("told was %v", slices.Sorted(maps.Keys(instead)))
	})
	if err != nil {
		st.report.Violate(fmt.Sprintf("%s: %v; there are %v", what, err, st.pods(ctx)))
	}
	return time.Since(began)
}

// pods describes what a step left Kubernetes with, for the one who reads that it failed.
func (st *step) pods(ctx context.Context) (described []string) {
	pods, err := st.client.CoreV1().Pods("steps").List(ctx, metav1.ListOptions{})
	if err != nil {
		return []string{err.Error()}
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		said := fmt.Sprintf("%s on node %q: %s", pod.Name, pod.Spec.NodeName, pod.Status.Phase)
		for _, c := range pod.Status.Conditions {
			said += fmt.Sprintf(", %s=%s %s", c.Type, c.Status, cmp.Or(c.Message, c.Reason))
		}
		described = append(described, said)
	}
	return described
}

func (st *step) patchNode(do, undo string) func(context.Context) func(context.Context) error {
	return func(ctx context.Context) func(context.Context) error {
		st.must(st.client.Patch(ctx, "Node", "", nodeName, do))
		return func(ctx context.Context) error { return st.client.Patch(ctx, "Node", "", nodeName, undo) }
	}
}

// exhaustAddresses leaves the node's new pods only an address that another pod has.
func (st *step) exhaustAddresses(ctx context.Context) func(context.Context) error {
	pods, err := st.client.CoreV1().Pods("healthy").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	st.must(err)
	if len(pods.Items) == 0 || pods.Items[0].Status.PodIP == "" {
		st.t.Fatal("no healthy pod has an address")
	}
	st.must(st.cluster.LimitAddresses(pods.Items[0].Status.PodIP)) // containerd reads it by itself
	return func(context.Context) error { return st.cluster.LimitAddresses("") }
}

// takeNetwork leaves the node without a network, which its kubelet says itself: what runs there is not lost.
func (st *step) takeNetwork(ctx context.Context) func(context.Context) error {
	st.must(st.cluster.TakeNetwork())
	st.must(Poll(ctx, stepPatience, time.Second, func(ctx context.Context) error {
		if st.cluster.NodeReady(ctx) == nil {
			return errors.New("the node without a network is still ready")
		}
		return nil
	}))
	return func(ctx context.Context) error {
		scrape, err := st.exporter.Scrape(ctx)
		if err != nil {
			return err
		}
		for _, sample := range scrape.Find(metricPod, "cause", string(classify.NodeLost)) {
			st.report.Violate("NetworkLost: the node reports, and yet: " + sample.String())
		}
		if err := st.cluster.LimitAddresses(""); err != nil {
			return err
		}
		return Poll(ctx, stepPatience, time.Second, st.cluster.NodeReady)
	}
}

// otherNode brings a node without a kubelet that takes so many pods, and no volume of a driver.
func (st *step) otherNode(pods, driver string) func(context.Context) func(context.Context) error {
	return func(ctx context.Context) func(context.Context) error {
		st.apply(ctx, `
apiVersion: v1
kind: Node
metadata: {name: other, labels: {e2e: other}}
spec: {taints: [{key: e2e, effect: NoSchedule}]}
`)
		if driver != "" {
			st.apply(ctx, strings.ReplaceAll(limitedVolume, "DRIVER", driver))
		}
		st.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error { // the controllers write to it too
			node, err := st.client.CoreV1().Nodes().Get(ctx, "other", metav1.GetOptions{})
			if err != nil {
				return err
			}
			node.Status.Allocatable = quantities("cpu", "4", "memory", "8Gi", "pods", pods)
			node.Status.Capacity = node.Status.Allocatable
			node.Status.Conditions = []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now(),
			}}
			_, err = st.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
			return err
		}))
		return func(ctx context.Context) error {
			if err := st.client.Delete(ctx, "Pod", "steps", "step"); err != nil {
				return err
			}
			return st.client.Delete(ctx, "Node", "", "other")
		}
	}
}

// quantities makes a list of pairs of a resource and its quantity.
func quantities(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i+1 < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

const limitedVolume = `
apiVersion: storage.k8s.io/v1
kind: CSINode
metadata: {name: other}
spec: {drivers: [{name: DRIVER, nodeID: other, allocatable: {count: 0}}]}
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata: {name: DRIVER}
spec: {attachRequired: false}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: limited}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  claimRef: {namespace: steps, name: limited}
  csi: {driver: DRIVER, volumeHandle: v1}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: limited, namespace: steps}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", volumeName: limited, resources: {requests: {storage: 1Gi}}}
`

// takePermission takes the right to create pods from the controller of Jobs.
func (st *step) takePermission(ctx context.Context) func(context.Context) error {
	roles := st.client.RbacV1().ClusterRoles()
	role, err := roles.Get(ctx, "system:controller:job-controller", metav1.GetOptions{})
	st.must(err)
	without := role.DeepCopy()
	for i := range without.Rules {
		rule := &without.Rules[i]
		if slices.Contains(rule.Resources, "pods") {
			rule.Verbs = slices.DeleteFunc(rule.Verbs, func(verb string) bool { return verb == "create" })
		}
	}
	_, err = roles.Update(ctx, without, metav1.UpdateOptions{})
	st.must(err)
	return func(ctx context.Context) error {
		role.ResourceVersion = ""
		_, err := roles.Update(ctx, role, metav1.UpdateOptions{})
		return err
	}
}

// preempt lets the kubelet make room for a critical pod that is bound to it, at the expense of another one.
func (st *step) preempt(ctx context.Context) func(context.Context) error {
	node, err := st.client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	st.must(err)
	millis := node.Status.Allocatable.Cpu().MilliValue()
	st.apply(ctx, podOf("", fmt.Sprintf("%dm", millis/2)))
	st.must(Poll(ctx, stepPatience, 200*time.Millisecond, func(ctx context.Context) error {
		pod, err := st.client.CoreV1().Pods("steps").Get(ctx, "step", metav1.GetOptions{})
		if err == nil && pod.Status.Phase != corev1.PodRunning {
			err = fmt.Errorf("the victim is %s", pod.Status.Phase)
		}
		return err
	}))
	critical := podOf(`, nodeName: "${NODE}", priorityClassName: system-node-critical`, fmt.Sprintf("%dm", millis*3/4))
	st.apply(ctx, strings.Replace(critical, "name: step,", "name: critical,", 1))
	return func(ctx context.Context) error {
		if err := st.client.Delete(ctx, "Pod", "steps", "critical"); err != nil {
			return err
		}
		return st.client.Delete(ctx, "Pod", "steps", "step")
	}
}

// staticPod gives the kubelet a pod of its own that cannot start. Its workload is the node, and its fix is on the node too: nothing
// that kubectl changes reaches it.
func (st *step) staticPod(context.Context) func(context.Context) error {
	file := filepath.Join(st.cluster.StaticPods(), "static.yaml")
	st.must(os.WriteFile(file, fmt.Appendf(nil, `
apiVersion: v1
kind: Pod
metadata: {name: static, namespace: steps}
spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: "%s/busybox:1", command: ["/no/such"]}]}
`, st.variables["OPEN"]), 0o600))
	return func(ctx context.Context) error {
		body, err := Fetch(ctx, st.exporter.URL+"/api/v1/failures?namespace=steps")
		if err != nil {
			return err
		}
		text := string(body)
		for _, want := range []string{`"workload_kind": "Node"`, `"workload": "` + nodeName + `"`, "sudoedit /etc/kubernetes/manifests/"} {
			if !strings.Contains(text, want) {
				st.report.Violate("StaticPod: no " + want + " in " + text)
			}
		}
		if strings.Contains(text, "patch node/") {
			st.report.Violate("StaticPod: the fix is not on the node: " + text)
		}
		return os.Remove(file)
	}
}

// lost stops the kubelet. Every pod that ran on its node is lost, and nothing else is told of it; a kubelet that returns
// ends that.
func (st *step) lost(ctx context.Context) {
	known, began := len(st.report.Violations()), time.Now()
	before, err := st.exporter.Scrape(ctx)
	st.must(err)
	st.must(st.cluster.StopKubelet(ctx))
	healthy := func(s *Scrape) []Sample { return s.Find(metricPod, "namespace", "healthy") }
	told := st.wait(ctx, "Lost: healthy pods of the node are not told as lost", func(s *Scrape) bool {
		found := healthy(s)
		return len(found) >= 5 && !slices.ContainsFunc(found, func(s Sample) bool { return s.Labels["cause"] != string(classify.NodeLost) })
	})
	time.Sleep(5 * time.Second)
	after, err := st.exporter.Scrape(ctx)
	st.must(err)
	causes := map[string]int{}
	for _, sample := range after.Find(metricPod) {
		if sample.Labels["node"] != "" {
			causes[sample.Labels["cause"]]++
		}
	}
	st.must(st.cluster.StartKubelet(ctx))
	returned := time.Now()
	st.wait(ctx, "Lost: healthy pods are still told after the kubelet's return", func(s *Scrape) bool { return len(healthy(s)) == 0 })
	outcome := fmt.Sprintf("after %.0f s; then told of the pods of the node: %v (before: %d series); gone %.0f s after the kubelet's return",
		told.Seconds(), causes, len(before.Find(metricPod)), time.Since(returned).Seconds())
	st.report.Add(Fault{Name: "NodeLost", Outcome: outcome, Took: time.Since(began), Violations: len(st.report.Violations()) - known})
}
