// Package compose holds a demo of everything at once for Docker Compose. Its tests run Prometheus and Alertmanager with the same files.
package compose

//go:generate go run ./generate
