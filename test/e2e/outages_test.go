//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (f *faults) killed(ctx context.Context) string {
	old := f.exporter.Swap(nil)
	old.Kill()
	began := time.Now()
	e, err := StartExporter(ctx, f.binary, f.config, withoutCured()...)
	f.must(err)
	f.must(e.WaitReady(ctx, time.Minute))
	f.exporter.Store(e)
	return fmt.Sprintf("ready %.1f s after the kill", time.Since(began).Seconds())
}

// clockWrong runs a second exporter whose clock is wrong. It must tell the same, and nothing of a pod that is only starting.
func (f *faults) clockWrong(ctx context.Context, ahead time.Duration) string {
	args, err := WrongClock(ctx, f.folder, ahead)
	f.must(err)
	binary := fmt.Sprintf("%s%+.0f", f.binary, ahead.Minutes())
	f.must(BuildExporter(ctx, module, binary, args...))
	e, err := StartExporter(ctx, binary, f.config, withoutCured()...)
	f.must(err)
	defer e.Kill()
	f.must(e.WaitReady(ctx, time.Minute))
	recorder := NewRecorder()
	stop := f.record(ctx, func() *Exporter { return e }, recorder, 250*time.Millisecond)
	if f.node {
		f.startSlowly(ctx, "starts-slowly")
	}
	f.newFailure(ctx, 10*time.Second)
	err = Poll(ctx, 20*time.Second, time.Second, func(ctx context.Context) error { return f.same(ctx, e, f.failing(ctx, f.exporter.Load())) })
	stop()
	if err != nil {
		f.violate("with a clock that is %s ahead: %v", ahead, err)
	}
	for _, track := range recorder.Tracks() {
		if track.Workload.Namespace != namespaceFaults && !f.expects(&track) {
			f.violate("with a clock that is %s ahead: false series: %s", ahead, track.Labels)
		}
		for _, change := range track.Changes {
			f.violate("with a clock that is %s ahead: %s: %s", ahead, &track, change)
		}
	}
	scrape, err := e.Scrape(ctx)
	f.must(err)
	skew, _ := scrape.Value("kube_failure_exporter_clock_skew_seconds")
	if math.Abs(skew+ahead.Seconds()) > 5 {
		f.violate("with a clock that is %s ahead: the skew is told as %v s", ahead, skew)
	}
	return fmt.Sprintf("corrected by %.1f s; %d failing things told as by the right clock, nothing of a pod that was starting", skew, len(recorder.Tracks()))
}

// startSlowly starts a healthy pod that takes longer than a scrape, and waits until it is ready.
func (f *faults) startSlowly(ctx context.Context, name string) {
	objects, err := ReadObjects([]byte(`
apiVersion: v1
kind: Pod
metadata: {name: `+name+`, namespace: healthy}
spec:
  terminationGracePeriodSeconds: 0
  containers:
    - name: app
      image: "${OPEN}/busybox:1"
      command: ["sh", "-c", "sleep 12; touch /ready; exec sleep 100000"]
      readinessProbe: {exec: {command: ["cat", "/ready"]}, periodSeconds: 2}
`), f.variables)
	f.must(err)
	f.must(f.client.Apply(ctx, objects[0]))
	f.must(Poll(ctx, time.Minute, time.Second, func(ctx context.Context) error {
		pod, err := f.client.CoreV1().Pods("healthy").Get(ctx, name, metav1.GetOptions{})
		if err == nil && (len(pod.Status.ContainerStatuses) == 0 || !pod.Status.ContainerStatuses[0].Ready) {
			err = fmt.Errorf("%s is not ready", name)
		}
		return err
	}))
	f.must(f.client.Delete(ctx, "Pod", "healthy", name))
	f.must(Poll(ctx, time.Minute, time.Second, func(ctx context.Context) error {
		if !f.gone(ctx, subject{"healthy", "Pod", name, ""}) {
			return fmt.Errorf("%s is still there", name)
		}
		return nil
	}))
}

func (f *faults) apiServerStopped(ctx context.Context) string {
	outage := time.Minute
	if f.short {
		outage = 10 * time.Second
	}
	f.must(f.cluster.StopAPIServer(ctx))
	time.Sleep(outage)
	if !f.exporter.Load().Running() {
		f.violate("the exporter ended while the API server was away")
	}
	f.must(f.cluster.StartAPIServer(ctx))
	up := f.watchesUp(ctx, 4*time.Minute)
	defer f.lastGone(ctx, 10*time.Second)
	return fmt.Sprintf("away for %s; watches up %.0f s after its return; a new failure was told after %.1f s",
		outage, up.Seconds(), f.newFailure(ctx, 15*time.Second).Seconds())
}

func (f *faults) etcdCompacted(ctx context.Context) string {
	f.newFailure(ctx, 15*time.Second)
	before := f.expired(ctx)
	f.must(f.proxy.Close()) // the watches begin anew only where connections are not refused
	f.must(f.client.AppsV1().ReplicaSets(namespaceFaults).Delete(ctx, fmt.Sprintf("new-%d", f.news), metav1.DeleteOptions{}))
	f.must(f.cluster.CompactEtcd(ctx))
	f.must(f.cluster.StopAPIServer(ctx)) // whose cache would hide the compaction
	f.must(f.cluster.StartAPIServer(ctx))
	f.must(f.proxy.Accept(ctx))
	f.watchesUp(ctx, 4*time.Minute)
	name := fmt.Sprintf("new-%d", f.news)
	gone := f.told(ctx, 2*time.Minute, "what was deleted meanwhile is not told", func(s *Scrape) bool {
		return len(s.Find(metricCreate, "controller", name)) == 0
	})
	expired := f.expired(ctx) - before
	if expired == 0 {
		f.violate("no watch was told that its resource version is too old")
	}
	return fmt.Sprintf("%.0f watches or lists were too old; what was deleted meanwhile was gone after %.1f s more; a new failure was told after %.1f s",
		expired, gone.Seconds(), f.newFailure(ctx, 15*time.Second).Seconds())
}

func (f *faults) expired(ctx context.Context) (sum float64) {
	scrape, err := f.exporter.Load().Scrape(ctx)
	f.must(err)
	for _, sample := range scrape.Find("kube_failure_exporter_watch_errors_total", "reason", "expired") {
		sum += sample.Value
	}
	return sum
}

func (f *faults) watchesCut(ctx context.Context) string {
	n := f.proxy.Cut()
	took := f.newFailure(ctx, 90*time.Second) // client-go waits up to half a minute and more after earlier failures
	f.lastGone(ctx, 10*time.Second)
	return fmt.Sprintf("%d connections cut; a new failure was told after %.1f s", n, took.Seconds())
}

func (f *faults) watchesHeld(ctx context.Context) string {
	n := f.proxy.Hold()
	took := f.newFailure(ctx, 3*time.Minute)
	f.lastGone(ctx, 10*time.Second)
	return fmt.Sprintf("%d connections held; a new failure was told after %.1f s", n, took.Seconds())
}

func (f *faults) eventsDeleted(ctx context.Context) string {
	deleted := 0
	namespaces, err := f.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	f.must(err)
	for i := range namespaces.Items {
		events := f.client.CoreV1().Events(namespaces.Items[i].Name)
		list, err := events.List(ctx, metav1.ListOptions{})
		f.must(err)
		deleted += len(list.Items)
		f.must(events.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	}
	const wait = 20 * time.Second
	time.Sleep(wait)
	return fmt.Sprintf("%d events deleted; watched for %s", deleted, wait)
}

// forbidden takes a permission away and gives it back. The log must say so once for each watch.
func (f *faults) forbidden(ctx context.Context, resource string, watches int) string {
	e := f.exporter.Load()
	_, from := e.Log(0)
	f.grant(ctx, Without(f.rules, resource), resource, false)
	f.proxy.Cut() // a watch that runs is not asked again
	down := f.told(ctx, 2*time.Minute, resource+" are said not to be watched", func(s *Scrape) bool {
		return !slices.ContainsFunc(s.Find("kube_failure_exporter_watch_up", "resource", resource), func(s Sample) bool { return s.Value != 0 })
	})
	time.Sleep(10 * time.Second)
	page, err := Fetch(ctx, e.URL+"/")
	f.must(err)
	if !strings.Contains(string(page), "May not watch "+resource) {
		f.violate("the page does not say that %s may not be watched", resource)
	}
	other, err := StartExporter(ctx, f.binary, f.config, withoutCured()...)
	f.must(err)
	if err := other.WaitReady(ctx, 30*time.Second); err != nil {
		f.violate("an exporter that may not watch %s does not get ready: %v", resource, err)
	}
	other.Kill()
	f.grant(ctx, f.rules, resource, true)
	up := f.watchesUp(ctx, 4*time.Minute)
	log, _ := e.Log(from)
	said := map[string]int{}
	for _, line := range log {
		if line.Level == "ERROR" || strings.HasPrefix(line.Msg, "May not watch") {
			said[line.Resource+": "+line.Msg]++
		}
	}
	if len(said) != watches || slices.ContainsFunc(slices.Collect(maps.Values(said)), func(n int) bool { return n != 1 }) {
		f.violate("want one line of the log for each of %d watches of %s, got %v", watches, resource, said)
	}
	return fmt.Sprintf("said after %.0f s, in %d lines of the log; up %.0f s after the permission was back", down.Seconds(), len(said), up.Seconds())
}

// grant gives the exporter a role, and returns once the API server lets it watch a resource, or does not: its authorizer has a cache.
func (f *faults) grant(ctx context.Context, rules []rbacv1.PolicyRule, resource string, allowed bool) {
	roles := f.client.RbacV1().ClusterRoles()
	role, err := roles.Get(ctx, namespaceSelf, metav1.GetOptions{})
	f.must(err)
	role.Rules = rules
	_, err = roles.Update(ctx, role, metav1.UpdateOptions{})
	f.must(err)
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + namespaceSelf + ":" + namespaceSelf,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "watch", Resource: resource},
	}}
	f.must(Poll(ctx, time.Minute, 100*time.Millisecond, func(ctx context.Context) error {
		answer, err := f.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err == nil && answer.Status.Allowed != allowed {
			err = fmt.Errorf("the exporter may watch %s: %t", resource, answer.Status.Allowed)
		}
		return err
	}))
}
