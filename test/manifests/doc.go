// Package manifests judges what deploy/manifests holds by what judges it in a cluster: the API server's own pod security
// check, and the Prometheus Operator's own types. It holds tests only.
package manifests
