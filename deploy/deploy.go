// Package deploy holds what installs the exporter. Its permissions are generated from what the collector watches; its tests
// compare them with what the exporter asks of an API server.
package deploy

//go:generate go run ./generate
