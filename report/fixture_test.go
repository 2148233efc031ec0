package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

var update = flag.Bool("update", false, "write the golden files and the examples of docs/diagnose.md")

var now = time.Date(2026, 11, 22, 21, 49, 0, 0, time.UTC)

func ago(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }

func catalogue(t testing.TB) *classify.Catalogue {
	t.Helper()
	c, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func quotaMessage(t testing.TB, f classify.Failure) classify.Failure {
	t.Helper()
	q, _, ok := classify.ParseQuota(f.Message)
	if !ok {
		t.Fatalf("no message of a quota: %q", f.Message)
	}
	f.Quota = q
	return f
}

// demanding is one Deployment whose quota demands limits: the example of the docs.
func demanding(t testing.TB) classify.Snapshot {
	return classify.Snapshot{
		At: now,
		Failures: []classify.Failure{quotaMessage(t, classify.Failure{
			Kind: "ReplicaSet", Namespace: "payments", Name: "nginx-5d8c7b6f9", WorkloadKind: "Deployment", Workload: "nginx",
			Family: classify.FamilyCreate, Reason: "FailedCreate", Cause: classify.QuotaRequiresResources, Since: ago(12), MissingPods: 1,
			Message: "failed quota: compute-resources: must specify limits.cpu for: nginx; limits.memory for: nginx; requests.cpu for: nginx; requests.memory for: nginx",
			Events: []classify.Event{{
				Type: "Warning", Reason: "FailedCreate", Count: 9, First: ago(12), Last: ago(1),
				Message: `(combined from similar events): Error creating: pods "nginx-5d8c7b6f9-m86zt" is forbidden: failed quota: compute-resources: ` +
					`must specify limits.cpu for: nginx; limits.memory for: nginx; requests.cpu for: nginx; requests.memory for: nginx`,
			}},
		})},
		Workloads: map[classify.Workload]classify.Pods{{Namespace: "payments", Kind: "Deployment", Name: "nginx"}: {Desired: 1}},
	}
}

// broken is a snapshot with something of everything.
func broken(t testing.TB) classify.Snapshot {
	s := demanding(t)
	s.Failures = append(s.Failures, quotaMessage(t, classify.Failure{
		Kind: "Job", Namespace: "batch", Name: "report-29301", WorkloadKind: "CronJob", Workload: "report", MissingPods: 4,
		Family: classify.FamilyCreate, Reason: "FailedCreate", Cause: classify.QuotaExceeded, Since: ago(200),
		Events: []classify.Event{{
			Type: "Warning", Reason: "FailedCreate", Message: `Error creating: pods "report-29301-" is forbidden: ` + strings.Repeat("exceeded quota ", 40),
			Count: 1, First: ago(14), Last: ago(14),
		}},
		Message: `pods "report-29301-" is forbidden: exceeded quota: compute, requested: limits.memory=1Gi,requests.cpu=500m, ` +
			`used: limits.memory=7680Mi,requests.cpu=3900m, limited: limits.memory=8Gi,requests.cpu=4`,
	}))
	s.Workloads[classify.Workload{Namespace: "batch", Kind: "CronJob", Name: "report"}] = classify.Pods{Desired: 4}
	for i := range 10 {
		pod := fmt.Sprintf("api-7f9d8c-%c", 'a'+rune(i))
		s.Failures = append(s.Failures, classify.Failure{
			Kind: "Pod", Namespace: "shop", Name: pod, Container: "app", Node: "node-1", WorkloadKind: "Deployment", Workload: "api",
			Family: classify.FamilyImage, Reason: "ImagePullBackOff", Cause: classify.ImageTagNotFound, Since: ago(20 + i), Image: "registry.example/shop/api:1.2.4",
			Message: `failed to pull and unpack image "registry.example/shop/api:1.2.4": failed to resolve image: registry.example/shop/api:1.2.4: not found`,
			Events: []classify.Event{{
				Type: "Warning", Reason: "Failed", Count: int32(i + 1), First: ago(20 + i), Last: ago(10 + i),
				Message: `Failed to pull image "registry.example/shop/api:1.2.4": failed to pull and unpack image "registry.example/shop/api:1.2.4": not found`,
			}},
		})
	}
	s.Failures = append(s.Failures,
		classify.Failure{
			Kind: "Deployment", Namespace: "shop", Name: "api", WorkloadKind: "Deployment", Workload: "api",
			Family: classify.FamilyRollout, Reason: "ProgressDeadlineExceeded", Cause: classify.ImageTagNotFound, Since: ago(11),
			Message: "a message of one of its pods",
		},
		classify.Failure{
			Kind: "Pod", Namespace: "shop", Name: "api-7f9d8c-k", WorkloadKind: "Deployment", Workload: "api",
			Family: classify.FamilySchedule, Reason: "Unschedulable", Cause: classify.InsufficientMemory, Since: ago(3),
			Message: "0/3 nodes are available: 2 Insufficient memory, 1 node(s) had untolerated taint {dedicated: gpu}.",
			Also:    []classify.Cause{classify.UntoleratedTaint},
		},
	)
	s.Workloads[classify.Workload{Namespace: "shop", Kind: "Deployment", Name: "api"}] = classify.Pods{Desired: 12, Ready: 1}
	for _, container := range []string{"app", "proxy"} {
		s.Failures = append(s.Failures, classify.Failure{
			Kind: "Pod", Namespace: "shop", Name: "worker-0", Container: container, Node: "node-2", WorkloadKind: "StatefulSet", Workload: "worker",
			Family: classify.FamilyCrash, Reason: "CrashLoopBackOff", Cause: classify.OOMKilled, Since: ago(3000),
			Message: "container " + container + " ended with exit code 137 (OOMKilled), 7 restarts",
			LastEnd: &classify.End{ExitCode: 137, Reason: "OOMKilled", At: ago(4 + len(container)), Restarts: int32(len(container))},
			Events: []classify.Event{{
				Type: "Warning", Reason: "BackOff", Message: "Back-off restarting failed container " + container + " in pod worker-0_shop(12)",
				Count: 211, First: ago(2990), Last: ago(2 + len(container)),
			}},
		})
	}
	s.Workloads[classify.Workload{Namespace: "shop", Kind: "StatefulSet", Name: "worker"}] = classify.Pods{Desired: 3, Ready: 2}
	return s
}

// hostileText is what a container may say to whoever reads its message.
const hostileText = "line one\nline \"two\" \x1b[31mred\x1b[0m \x1b]0;title\x07 \x00 \r over\u009b2J\u0085\u007f\ufeff\uffff\u2028 \U0001f600 \u202etxt.exe \xff\xfe <script>alert(1)</script> `code` {{.}} </style> '&amp;"

// hostile is a snapshot whose every text is hostile.
func hostile() classify.Snapshot {
	workload := classify.Workload{Namespace: "n\x1b[2J", Kind: "Deployment", Name: "<script>w\n"}
	return classify.Snapshot{
		At: now,
		Failures: []classify.Failure{{
			Kind: "Pod", Namespace: workload.Namespace, Name: "p\x1b[1m<b>", Container: "c\n\x1b", Node: "\u202e", WorkloadKind: workload.Kind, Workload: workload.Name,
			Family: classify.FamilyCrash, Reason: "CrashLoopBackOff", Cause: classify.AppError, Since: now.Add(time.Hour), Message: hostileText, Image: "i\x1b",
			LastEnd: &classify.End{ExitCode: -1073741819, Signal: -1, Reason: hostileText, At: now.Add(time.Hour), Restarts: -1},
			Events: []classify.Event{
				{Type: hostileText, Reason: hostileText, Message: hostileText, Count: -1, First: now.Add(time.Hour), Last: now.Add(-time.Hour)},
				{Reason: "</table>", Message: "</td><script>alert(1)</script>", Count: 1 << 30},
			},
			Also: []classify.Cause{"<i>\x1b"}, Quota: &classify.Quota{Name: "q\n", Resources: []classify.QuotaResource{{Resource: "r\x1b", Containers: []string{"\x07"}}}},
		}},
		Workloads: map[classify.Workload]classify.Pods{workload: {Desired: 2, Ready: 1}},
	}
}

// golden compares with a file of testdata. TestGoldenFiles knows which there are.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test ./report -update writes it anew); got:\n%s", path, got)
	}
}
