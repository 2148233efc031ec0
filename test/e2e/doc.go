// Package e2e judges the exporter on a real cluster as a user would: over HTTP and by its log, with the permissions of its
// own service account. The manifests in scenarios/ say what must be told, those in recovery/ how each failure is cured.
// The tests need the build tag e2e.
package e2e
