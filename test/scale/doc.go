// Package scale measures what the exporter costs beside many pods: a real API server holds them, made up to look as a kubelet
// leaves them, one in a hundred failing. It states figures and asserts none of them but that everything is told: see make scale.
package scale
