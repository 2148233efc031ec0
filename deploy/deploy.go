// Package deploy holds what installs the exporter. The permissions are generated from what the collector watches.
package deploy

//go:generate go run ./generate
