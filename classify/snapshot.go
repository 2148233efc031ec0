package classify

import "time"

// Workload is the object that a person edits: the Deployment above a ReplicaSet, the CronJob above a Job, else the
// controller, else the pod itself.
type Workload struct{ Namespace, Kind, Name string }

// Pods counts a workload's pods.
type Pods struct{ Desired, Ready int32 }

// Snapshot is everything that fails at one time.
type Snapshot struct {
	At       time.Time
	Failures []Failure
	// Workloads counts the pods of the workloads that have a failure, as far as their controllers may be read.
	Workloads map[Workload]Pods
}

// WorkloadOf returns the workload that a failure belongs to.
func WorkloadOf(f *Failure) Workload {
	return Workload{Namespace: f.Namespace, Kind: f.WorkloadKind, Name: f.Workload}
}
