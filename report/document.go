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
	LastEnd      *LastEnd         `json:"last_end,omitempty"`
	Events       []Event          `json:"events,omitempty"`
	Summary      string           `json:"summary,omitempty"`
	Fix          []string         `json:"fix,omitempty"`
	MissingPods  *int32           `json:"missing_pods,omitempty"`
	Quota        *Quota           `json:"quota,omitempty"`
	Also         []classify.Cause `json:"also,omitempty"`
}

// LastEnd is how the failing container ended last.
type LastEnd struct {
	ExitCode int32  `json:"exit_code"`
	Signal   int32  `json:"signal,omitempty"`
	Reason   string `json:"reason,omitempty"`
	At       string `json:"at,omitempty"`
	Restarts int32  `json:"restarts"`
}

// Event is an event about the failure.
type Event struct {
	Type      string `json:"type,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Message   string `json:"message,omitempty"`
	Count     int32  `json:"count"`
	FirstSeen string `json:"first_seen,omitempty"`
	LastSeen  string `json:"last_seen,omitempty"`
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
		Since: stamp(f.Since), Message: f.Message, LastEnd: lastEndOf(f.LastEnd), Quota: quotaOf(f.Quota), Also: f.Also,
	}
	for _, event := range f.Events {
		e.Events = append(e.Events, Event{
			Type: event.Type, Reason: event.Reason, Message: event.Message, Count: event.Count,
			FirstSeen: stamp(event.First), LastSeen: stamp(event.Last),
		})
	}
	if f.Family == classify.FamilyCreate {
		e.MissingPods = &f.MissingPods
	}
	if page := c.Page(f.Cause); page != nil {
		e.Summary, e.Fix = page.Summary, page.Steps(f)
	}
	return e
}

func lastEndOf(end *classify.End) *LastEnd {
	if end == nil {
		return nil
	}
	return &LastEnd{ExitCode: end.ExitCode, Signal: end.Signal, Reason: end.Reason, At: stamp(end.At), Restarts: end.Restarts}
}

// stamp is a time as documents and pages say it, "" where it is not known.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
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
