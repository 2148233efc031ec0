package collector

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
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
	if err := checkContext(&raw, cmp.Or(context, raw.CurrentContext)); err != nil {
		return nil, fmt.Errorf("using the kubeconfig: %w", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("using the kubeconfig: %w", err)
	}
	config.UserAgent = userAgent
	return config, nil
}

// checkContext finds what client-go only calls an invalid configuration.
func checkContext(raw *api.Config, name string) error {
	if name == "" {
		return errors.New("it has no current context; choose one with --context")
	}
	context := raw.Contexts[name]
	if context == nil {
		return fmt.Errorf("context %q does not exist", name)
	}
	if raw.Clusters[context.Cluster] == nil {
		return fmt.Errorf("context %q names cluster %q, which does not exist", name, context.Cluster)
	}
	return nil
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
