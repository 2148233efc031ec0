package collector

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// ErrNoCluster says that nothing names a cluster. Its text says what was tried.
var ErrNoCluster = errors.New("no cluster found")

// LoadConfig finds the cluster: the kubeconfig that is given, that of KUBECONFIG or ~/.kube/config, and inside a pod the
// service account. The error says what was tried.
func LoadConfig(kubeconfig, context, userAgent string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if len(raw.Clusters) == 0 && kubeconfig == "" && context == "" {
		return inCluster(rules, userAgent)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("using the kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	return config, nil
}

func inCluster(rules *clientcmd.ClientConfigLoadingRules, userAgent string) (*rest.Config, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		tried := "KUBECONFIG is not set"
		if value := os.Getenv("KUBECONFIG"); value != "" {
			tried = "KUBECONFIG=" + value + " names no cluster"
		}
		return nil, fmt.Errorf("%w: %s, %s names none, and this is not a pod (%w)",
			ErrNoCluster, tried, strings.Join(rules.Precedence, ", "), err)
	}
	config.UserAgent = userAgent
	return config, nil
}
