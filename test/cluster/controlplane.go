package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (c *Cluster) startControlPlane(ctx context.Context) error {
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.StartAPIServer(ctx); err != nil {
		return err
	}
	// Neither serves: a port of theirs could be another cluster's.
	manager, err := c.run("kube-controller-manager", "--kubeconfig="+c.path("kube-controller-manager.conf"), "--secure-port=0",
		"--service-account-private-key-file="+c.pki("service-account.key"), "--root-ca-file="+c.pki("ca.crt"),
		"--use-service-account-credentials", "--leader-elect=false", "--kube-api-qps=500", "--kube-api-burst=1000")
	if err != nil {
		return err
	}
	if _, err := c.run("kube-scheduler", "--kubeconfig="+c.path("kube-scheduler.conf"), "--secure-port=0", "--leader-elect=false"); err != nil {
		return err
	}
	return manager.waitUntil(ctx, time.Minute, func(ctx context.Context) error {
		_, err := c.client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

func (c *Cluster) startEtcd(ctx context.Context) error {
	p, err := c.run("etcd", "--data-dir="+c.path("etcd"), "--listen-client-urls="+c.etcd(), "--advertise-client-urls="+c.etcd(),
		"--listen-peer-urls=http://127.0.0.1:0", "--unsafe-no-fsync", "--quota-backend-bytes=8589934592",
		"--max-request-bytes=10485760", "--log-level=warn")
	if err != nil {
		return err
	}
	return p.waitUntil(ctx, 30*time.Second, func(ctx context.Context) error {
		_, err := c.etcdRevision(ctx)
		return err
	})
}

// StartAPIServer starts the API server and waits until it is ready. Start has done so; it is for after StopAPIServer.
func (c *Cluster) StartAPIServer(ctx context.Context) error {
	p, err := c.run("kube-apiserver", "--etcd-servers="+c.etcd(), "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--secure-port="+strconv.Itoa(c.options.APIServerPort),
		"--tls-cert-file="+c.pki("kube-apiserver.crt"), "--tls-private-key-file="+c.pki("kube-apiserver.key"),
		"--client-ca-file="+c.pki("ca.crt"), "--kubelet-certificate-authority="+c.pki("ca.crt"),
		"--kubelet-client-certificate="+c.pki("kubelet-client.crt"), "--kubelet-client-key="+c.pki("kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-key-file="+c.pki("service-account.key"), "--service-account-signing-key-file="+c.pki("service-account.key"),
		"--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range="+serviceNetwork,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
		"--endpoint-reconciler-type=none", "--max-requests-inflight=2000", "--max-mutating-requests-inflight=1000")
	if err != nil {
		return err
	}
	return p.waitUntil(ctx, 90*time.Second, func(ctx context.Context) error {
		return c.client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

// StopAPIServer ends the API server, and with it all its connections.
func (c *Cluster) StopAPIServer(ctx context.Context) error {
	c.end(ctx, "kube-apiserver")
	return ctx.Err()
}

// StopControllers ends the controllers and the scheduler, so that pods may be made up whose nodes and owners nobody looks after.
func (c *Cluster) StopControllers(ctx context.Context) error {
	c.end(ctx, "kube-scheduler")
	c.end(ctx, "kube-controller-manager")
	return ctx.Err()
}

// CompactEtcd forgets all history, so that a watch cannot go on from where it was. The API server has a memory of its own,
// which it loses when it is started again.
func (c *Cluster) CompactEtcd(ctx context.Context) error {
	revision, err := c.etcdRevision(ctx)
	if err != nil {
		return err
	}
	return c.askEtcd(ctx, "compaction", map[string]any{"revision": revision, "physical": true}, nil)
}

func (c *Cluster) etcdRevision(ctx context.Context) (string, error) {
	var answer struct {
		Header struct{ Revision string }
	}
	err := c.askEtcd(ctx, "range", map[string]any{"key": []byte("/")}, &answer)
	return answer.Header.Revision, err
}

// askEtcd calls etcd's JSON gateway, which spares its client library.
func (c *Cluster) askEtcd(ctx context.Context, method string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.etcd()+"/v3/kv/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("asking etcd: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking etcd for %s: %s", method, response.Status)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func (c *Cluster) etcd() string { return fmt.Sprintf("http://127.0.0.1:%d", c.options.EtcdPort) }
