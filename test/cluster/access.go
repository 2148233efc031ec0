package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Config returns what an administrator's client needs.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Kubeconfig returns the file that an administrator's client needs.
func (c *Cluster) Kubeconfig() string { return c.path("admin.conf") }

// Server returns the API server's address.
func (c *Cluster) Server() string {
	return fmt.Sprintf("https://127.0.0.1:%d", c.options.APIServerPort)
}

// Dir returns the folder that the cluster lives in; its logs are in log.
func (c *Cluster) Dir() string { return c.dir }

// KubeconfigFor writes the file that a service account's client needs, with a token that outlives any test.
func (c *Cluster) KubeconfigFor(ctx context.Context, namespace, serviceAccount string) (path string, err error) {
	seconds := int64(24 * 60 * 60)
	token, err := c.client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount, &authenticationv1.TokenRequest{
		Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &seconds},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("asking for a token of the service account %s/%s: %w", namespace, serviceAccount, err)
	}
	path = c.path(fmt.Sprintf("%s-%s.conf", namespace, serviceAccount))
	return path, c.writeKubeconfig(path, namespace, &clientcmdapi.AuthInfo{Token: token.Status.Token})
}

// Import loads an image's archive into the node's containerd, as a build or an air-gapped installation does.
func (c *Cluster) Import(ctx context.Context, archive string) error {
	ctr, err := BuildClient(ctx, c.options.Version, "ctr", c.options.Log)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, ctr, "--address="+c.socket(), "--namespace=k8s.io", "images", "import", archive).CombinedOutput()
	if err != nil {
		return fmt.Errorf("importing %s: %w: %s", archive, err, tail(out))
	}
	return nil
}

// OpenRegistry returns the address of the registry that anyone may pull from.
func (c *Cluster) OpenRegistry() string { return c.registries.open.address }

// PrivateRegistry returns the address of the registry that wants a user and a password.
func (c *Cluster) PrivateRegistry() string { return c.registries.private.address }

// Push stores the busybox image under a name such as app:2 in the open registry, or in the registry that the name begins
// with, which may be docker.io.
func (c *Cluster) Push(ctx context.Context, ref string) error {
	image, err := busyboxImage()
	if err != nil {
		return err
	}
	r, name := c.registries.find(ref)
	return r.push(ctx, name, image)
}

// freePort finds a port below those that the kernel gives to clients, so that a server which stops for a while can have it
// back.
func freePort(ctx context.Context) (int, error) {
	var last error
	for range 100 {
		port := 20000 + rand.IntN(10000)
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf(":%d", port))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("finding a free port: %w", last)
}
