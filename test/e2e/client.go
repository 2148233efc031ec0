package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/kube-failure-exporter/kube-failure-exporter/test/cluster"
)

// namespaceSelf is where the manifests install the exporter; its account and its role are called the same.
const namespaceSelf = "kube-failure-exporter"

// Client is an administrator's hand on the cluster.
type Client struct {
	kubernetes.Interface
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// NewClient returns a client for a cluster.
func NewClient(config *rest.Config) (*Client, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 1000, 2000
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(typed.Discovery()))
	return &Client{Interface: typed, dynamic: dyn, mapper: mapper}, nil
}

// Apply makes an object be as given.
func (c *Client) Apply(ctx context.Context, object *unstructured.Unstructured) error {
	gvk := object.GroupVersionKind()
	resource, err := c.resource(gvk.GroupKind(), object.GetNamespace(), gvk.Version)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: "e2e", Force: true}
	if _, err := resource.Apply(ctx, object.GetName(), object, options); err != nil {
		return fmt.Errorf("applying %s %s/%s: %w", gvk.Kind, object.GetNamespace(), object.GetName(), err)
	}
	return nil
}

func (c *Client) resource(kind schema.GroupKind, namespace string, versions ...string) (dynamic.ResourceInterface, error) {
	mapping, err := c.mapper.RESTMapping(kind, versions...)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", kind, err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
	}
	return c.dynamic.Resource(mapping.Resource), nil
}

// ofKind finds a kind by its name alone.
func (c *Client) ofKind(kind, namespace string) (dynamic.ResourceInterface, error) {
	var errs []error
	for _, group := range []string{"", "apps", "batch"} {
		resource, err := c.resource(schema.GroupKind{Group: group, Kind: kind}, namespace)
		if err == nil {
			return resource, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// InstallPermissions applies the permissions that the exporter's module ships and returns the kubeconfig of its service account.
func (c *Client) InstallPermissions(ctx context.Context, on *cluster.Cluster, module string) (kubeconfig string, err error) {
	text, err := os.ReadFile(filepath.Join(module, "deploy", "manifests", "rbac.yaml"))
	if err != nil {
		return "", fmt.Errorf("installing the permissions: %w", err)
	}
	objects, err := ReadObjects(text, nil)
	if err != nil {
		return "", err
	}
	for _, object := range objects {
		if err := c.Apply(ctx, object); err != nil {
			return "", err
		}
	}
	return on.KubeconfigFor(ctx, namespaceSelf, namespaceSelf)
}

// Patch merges JSON into an object.
func (c *Client) Patch(ctx context.Context, kind, namespace, name, patch string) error {
	resource, err := c.ofKind(kind, namespace)
	if err != nil {
		return err
	}
	patchType := types.MergePatchType
	if !json.Valid([]byte(patch)) {
		return fmt.Errorf("not JSON: %s", patch)
	}
	if _, err := resource.Patch(ctx, name, patchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		return fmt.Errorf("patching %s %s/%s: %w", kind, namespace, name, err)
	}
	return nil
}

// Delete deletes an object and, as kubectl does, what it owns; one that is gone is no error.
func (c *Client) Delete(ctx context.Context, kind, namespace, name string) error {
	resource, err := c.ofKind(kind, namespace)
	if err != nil {
		return err
	}
	background := metav1.DeletePropagationBackground
	if err := resource.Delete(ctx, name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s %s/%s: %w", kind, namespace, name, err)
	}
	return nil
}

// Cure does what the annotation cure of a workload says. push stores an image under a name.
func (c *Client) Cure(ctx context.Context, s *Scenario, push func(context.Context, string) error) error {
	verb, rest, _ := strings.Cut(s.Cure, " ")
	switch verb {
	case "wait":
		return nil
	case "push":
		return push(ctx, strings.TrimSpace(rest))
	case "delete":
		kind, name, _ := strings.Cut(rest, " ")
		return c.Delete(ctx, kind, s.Namespace, name)
	case "patch":
		parts := strings.SplitN(rest, " ", 3)
		if len(parts) != 3 {
			return fmt.Errorf("want patch KIND NAME JSON, not %q", s.Cure)
		}
		return c.Patch(ctx, parts[0], s.Namespace, parts[1], parts[2])
	}
	objects, err := ReadObjects([]byte(s.Cure), nil)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := c.Apply(ctx, object); err != nil {
			return err
		}
	}
	return nil
}

// Through copies a kubeconfig to a file that names another address.
func Through(kubeconfig, address, file string) error {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return fmt.Errorf("reading %s: %w", kubeconfig, err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + address
	}
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}
