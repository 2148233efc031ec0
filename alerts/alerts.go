// Package alerts holds the alert rules, one for each cause, and their promtool tests. Both are generated from the catalogue;
// this package's own tests prove that they are fresh and complete.
package alerts

//go:generate go run ./generate
