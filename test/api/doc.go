// Package api holds docs/openapi.yaml against the code that it describes and against the answers of the real exporter. It holds tests only.
package api
