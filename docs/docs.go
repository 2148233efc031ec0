// Package docs holds the documentation; its reference pages are generated from the code.
package docs

//go:generate go run ./generate
