package collector

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const kubeconfigText = `{apiVersion: v1, kind: Config, clusters: [{name: here, cluster: {server: "https://api.example:6443"}}],
contexts: [{name: a, context: {cluster: here, user: me}}, {name: lost, context: {cluster: nowhere, user: me}}], users: [{name: me, user: {}}], current-context: a}`

func writeKubeconfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// noCluster takes away whatever names a cluster on the machine that runs the test.
func noCluster(t *testing.T) {
	t.Helper()
	t.Setenv("HOME", t.TempDir())
	for _, name := range []string{"KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"} {
		t.Setenv(name, "")
	}
}

func TestLoadConfig(t *testing.T) {
	noCluster(t)
	path := writeKubeconfig(t, kubeconfigText)
	config, err := LoadConfig(path, "", "agent/1")
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://api.example:6443" || config.UserAgent != "agent/1" {
		t.Errorf("host %q, user agent %q", config.Host, config.UserAgent)
	}
	t.Setenv("KUBECONFIG", path)
	if config, err = LoadConfig("", "a", "agent/1"); err != nil || config.Host != "https://api.example:6443" {
		t.Errorf("with KUBECONFIG: %v, %v", config, err)
	}
}

func TestLoadConfigErrors(t *testing.T) {
	good := writeKubeconfig(t, kubeconfigText)
	for name, test := range map[string]struct {
		kubeconfig, context, env string
		want                     []string
		noCluster                bool
	}{
		"nothing":         {want: []string{"no cluster found", "KUBECONFIG is not set", ".kube/config names none", "this is not a pod"}, noCluster: true},
		"empty file":      {env: writeKubeconfig(t, ""), want: []string{"KUBECONFIG=/", "names no cluster", "this is not a pod"}, noCluster: true},
		"missing file":    {kubeconfig: "/no/such/file", want: []string{"reading the kubeconfig", "/no/such/file", "no such file"}},
		"broken file":     {kubeconfig: writeKubeconfig(t, "{"), want: []string{"reading the kubeconfig", "config"}},
		"unknown context": {kubeconfig: good, context: "b", want: []string{"using the kubeconfig", `context "b" does not exist`}},
		"context alone":   {context: "b", want: []string{"using the kubeconfig", `context "b" does not exist`}},
		"no current context": {
			kubeconfig: writeKubeconfig(t, strings.ReplaceAll(kubeconfigText, "current-context: a", "")), want: []string{"using the kubeconfig", "--context"},
		},
		"unknown cluster": {kubeconfig: good, context: "lost", want: []string{"using the kubeconfig", "nowhere"}},
	} {
		t.Run(name, func(t *testing.T) {
			noCluster(t)
			t.Setenv("KUBECONFIG", test.env)
			_, err := LoadConfig(test.kubeconfig, test.context, "agent/1")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error %q does not say %q", err, want)
				}
			}
			if errors.Is(err, ErrNoCluster) != test.noCluster {
				t.Errorf("%v: is ErrNoCluster: %t", err, !test.noCluster)
			}
		})
	}
}
