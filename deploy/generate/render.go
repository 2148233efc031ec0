package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// manifest is a file that holds what kustomize makes of an overlay, or a part of that.
type manifest struct {
	name, overlay, comment string
	has                    func(kind string) bool
}

func manifests() []manifest {
	all := func(string) bool { return true }
	// The rules are in alerts/ already, and larger than all else.
	noRules := func(kind string) bool { return kind != "PrometheusRule" }
	permissions := func(kind string) bool {
		return slices.Contains([]string{"Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"}, kind)
	}
	return []manifest{
		{"plain", "plain", "The exporter for a whole cluster: kubectl apply -f plain.yaml", all},
		{"rbac", "plain", "What of plain.yaml are the permissions.", permissions},
		{"prometheus-operator", "prometheus-operator",
			"The exporter for a whole cluster, with a ServiceMonitor. The rules are in alerts/prometheusrule.yaml.", noRules},
		{"namespaced", "namespaced", "The exporter in and for one namespace: kubectl -n NAMESPACE apply -f namespaced.yaml", all},
	}
}

func renderAll(ctx context.Context) error {
	rendered := map[string][]byte{}
	for _, m := range manifests() {
		if rendered[m.overlay] == nil {
			out, err := kustomize(ctx, m.overlay)
			if err != nil {
				return fmt.Errorf("rendering %s: %w", m.overlay, err)
			}
			rendered[m.overlay] = out
		}
		text, err := m.text(rendered[m.overlay])
		if err != nil {
			return fmt.Errorf("rendering %s: %w", m.overlay, err)
		}
		if err := os.WriteFile("manifests/"+m.name+".yaml", text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", m.name, err)
		}
	}
	return nil
}

// kustomize runs the kustomize that tools/kustomize pins: another version may write the same objects in another way.
func kustomize(ctx context.Context, overlay string) ([]byte, error) {
	args := []string{"tool", "-modfile=../tools/kustomize/go.mod", "kustomize", "build", "kustomize/overlays/" + overlay}
	out, err := exec.CommandContext(ctx, "go", args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return nil, fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	return out, err
}

// text puts the header before those objects that the manifest has.
func (m manifest) text(rendered []byte) ([]byte, error) {
	var kept []string
	for document := range strings.SplitSeq(string(rendered), "\n---\n") {
		var object metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			return nil, fmt.Errorf("reading what kustomize wrote: %w", err)
		}
		if m.has(object.Kind) {
			kept = append(kept, strings.TrimSpace(document)+"\n")
		}
	}
	text := bytes.NewBufferString(header + "# " + m.comment + "\n")
	text.WriteString(strings.Join(kept, "---\n"))
	return text.Bytes(), nil
}
