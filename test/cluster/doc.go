// Package cluster builds a real Kubernetes from its Go modules and runs it on one Linux machine, for tests that trust no
// imitation: etcd, the API server, the controllers and the scheduler, and for root a node too, with containerd, the kubelet,
// and registries on loopback. Nothing is downloaded but Go modules.
package cluster
