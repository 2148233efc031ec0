// Package mixin holds the rules as a Jsonnet mixin, which reads the plain files and changes in them what its _config says.
// This package's tests run it; the names of the series that it selects are generated from the code.
package mixin

//go:generate go run ./generate
