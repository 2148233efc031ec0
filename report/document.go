package report

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// Document is the JSON contract of diagnose: docs/diagnose.md describes every key.
type Document struct {
	Failures []Entry `json:"failures"`
}

// Entry is one failure. Keys are left out where they do not apply.
type Entry struct {
	Kind         string           `json:"kind"`
	Namespace    string           `json:"namespace,omitempty"`
	Name         string           `json:"name"`
	Container    string           `json:"container,omitempty"`
	Node         string           `json:"node,omitempty"`
	WorkloadKind string           `json:"workload_kind,omitempty"`
	Workload     string           `json:"workload,omitempty"`
	Family       classify.Family  `json:"family"`
	Reason       string           `json:"reason"`
	Cause        classify.Cause   `json:"cause"`
	Since        string           `json:"since,omitempty"`
	Message      string           `json:"message,omitempty"`
	Summary      string           `json:"summary,omitempty"`
	Fix          []string         `json:"fix,omitempty"`
	MissingPods  *int32           `json:"missing_pods,omitempty"`
	Quota        *Quota           `json:"quota,omitempty"`
	Also         []classify.Cause `json:"also,omitempty"`
}

// Quota is what a quota's refusal says.
type Quota struct {
	Name      string          `json:"name,omitempty"`
	Resources []QuotaResource `json:"resources"`
}

// QuotaResource is one resource of a quota; quantities are written as Kubernetes writes them.
type QuotaResource struct {
	Resource  string `json:"resource"`
	Requested string `json:"requested,omitempty"`
	Used      string `json:"used,omitempty"`
	Hard      string `json:"hard,omitempty"`
}

// New makes the document of a snapshot: workload by workload, the worst first.
func New(s classify.Snapshot, c *classify.Catalogue) Document {
	d := Document{Failures: make([]Entry, 0, len(s.Failures))}
	for _, g := range groupsOf(&s) {
		for _, f := range g.failures {
			d.Failures = append(d.Failures, entryOf(f, c))
		}
	}
	return d
}

func entryOf(f *classify.Failure, c *classify.Catalogue) Entry {
	e := Entry{
		Kind: f.Kind, Namespace: f.Namespace, Name: f.Name, Container: f.Container, Node: f.Node,
		WorkloadKind: f.WorkloadKind, Workload: f.Workload, Family: f.Family, Reason: f.Reason, Cause: f.Cause,
		Message: f.Message, Quota: quotaOf(f.Quota), Also: f.Also,
	}
	if !f.Since.IsZero() {
		e.Since = f.Since.UTC().Format(time.RFC3339)
	}
	if f.Family == classify.FamilyCreate {
		e.MissingPods = &f.MissingPods
	}
	if page := c.Page(f.Cause); page != nil {
		e.Summary, e.Fix = page.Summary, page.Steps(f)
	}
	return e
}

func quotaOf(q *classify.Quota) *Quota {
	if q == nil {
		return nil
	}
	out := &Quota{Name: q.Name, Resources: make([]QuotaResource, len(q.Resources))}
	for i, r := range q.Resources {
		out.Resources[i] = QuotaResource{
			Resource: r.Resource, Requested: quantity(r.Requested), Used: quantity(r.Used), Hard: quantity(r.Hard),
		}
	}
	return out
}

func quantity(q *resource.Quantity) string {
	if q == nil {
		return ""
	}
	return q.String()
}
