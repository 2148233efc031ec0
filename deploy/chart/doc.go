// Package chart holds the Helm chart. What in it follows from elsewhere is generated: rules and dashboards are copies, the permissions
// come from what the collector watches, README.md and values.schema.json from values.yaml. Its tests render it with Helm.
package chart

//go:generate go run ./generate
