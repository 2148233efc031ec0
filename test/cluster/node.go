package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// The node's network is a bridge of its own; the kubelet serves on the bridge's address.
const (
	nodeName        = "node"
	nodeAddress     = "10.89.0.1"
	podSubnet       = "10.89.0.0/16"
	bridge          = "kfe0"
	temporaryPrefix = "kfe-e2e-"
)

var cniTemplate = template.Must(template.New("cni").Parse(`{"cniVersion": "0.4.0", "name": "{{.Bridge}}", "plugins": [
  {"type": "bridge", "bridge": "{{.Bridge}}", "isGateway": true,
   "ipam": {"type": "host-local", "dataDir": "{{.Dir}}/cni/addresses",
            "ranges": [[{"subnet": "{{.Subnet}}"{{with .Only}}, "rangeStart": "{{.}}", "rangeEnd": "{{.}}", "gateway": "{{$.Address}}"{{end}}}]],
            "routes": [{"dst": "{{.Services}}"}]}},
  {"type": "loopback"}]}
`))

// A pull that stalls goes on stalling, as it does behind a proxy that sends a byte now and then. Without CAP_SYS_RESOURCE no OOM
// score can be lowered. The rest keeps all that containerd writes below the cluster's folder.
var containerdTemplate = template.Must(template.New("containerd").Parse(`version = 3
root = "{{.Dir}}/containerd/root"
state = "{{.Dir}}/containerd/state"
[grpc]
  address = "{{.Socket}}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{{.Dir}}/containerd/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "{{.Snapshotter}}"
  image_pull_progress_timeout = "24h"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{{.Pause}}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "{{.Dir}}/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{{.Plugins}}"]
    conf_dir = "{{.Dir}}/cni"
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      Root = "{{.Dir}}/containerd/runc"
      SystemdCgroup = false
`))

// Images are pulled side by side and without the kubelet's own limit: a stalled pull must not hold up the others.
var kubeletTemplate = template.Must(template.New("kubelet").Parse(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {{.Address}}
port: {{.KubeletPort}}
healthzPort: 0
tlsCertFile: {{.Dir}}/pki/kubelet.crt
tlsPrivateKeyFile: {{.Dir}}/pki/kubelet.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: {{.Dir}}/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
containerRuntimeEndpoint: unix://{{.Socket}}
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
podLogsDir: {{.Dir}}/pods
staticPodPath: {{.StaticPods}}
volumePluginDir: {{.Dir}}/kubelet/volume-plugins
makeIPTablesUtilChains: false
serializeImagePulls: false
registryPullQPS: 0
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
imageGCHighThresholdPercent: 99
imageGCLowThresholdPercent: 98
{{- with .MaxPods}}
maxPods: {{.}}
{{- end}}
`))

func (c *Cluster) startNode(ctx context.Context) error {
	if err := c.pushImages(ctx); err != nil {
		return err
	}
	if err := c.registries.writeHosts(c.path("certs.d")); err != nil {
		return err
	}
	if err := c.writeNodeConfig(); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "add", bridge, "type", "bridge"}, {"addr", "add", nodeAddress + "/16", "dev", bridge}, {"link", "set", bridge, "up"},
	} {
		if err := ip(ctx, args...); err != nil {
			return err
		}
	}
	var err error
	if c.service, err = serveService(ctx, strings.TrimPrefix(c.Server(), "https://")); err != nil {
		return err
	}
	containerd, err := c.run("containerd", "--config="+c.path("containerd", "config.toml"))
	if err != nil {
		return err
	}
	err = containerd.waitUntil(ctx, 30*time.Second, func(context.Context) error {
		_, err := os.Stat(c.socket())
		return err
	})
	if err != nil {
		return err
	}
	return c.StartKubelet(ctx)
}

// claimMachine makes sure that this is the machine's only node, and removes what an earlier one could not.
func (c *Cluster) claimMachine(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	unlock, err := lock(wait, filepath.Join(os.TempDir(), "kube-failure-exporter-e2e-node.lock"))
	if err != nil {
		return fmt.Errorf("there can be one node on a machine: %w", err)
	}
	c.unlockNode = unlock
	earlier, err := filepath.Glob(filepath.Join(os.TempDir(), temporaryPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range append(earlier, c.dir) {
		if err := removeContainers(ctx, dir); err != nil {
			return err
		}
	}
	return removeShared(ctx)
}

func (c *Cluster) nodeValues() map[string]any {
	return map[string]any{
		"Dir": c.dir, "Socket": c.socket(), "Bridge": bridge, "Subnet": podSubnet, "Services": serviceNetwork, "Address": nodeAddress,
		"Plugins": cniFolder(), "KubeletPort": c.options.KubeletPort, "MaxPods": c.options.MaxPods, "Pause": c.OpenRegistry() + "/pause:1",
		"Snapshotter": snapshotter(c.dir), "StaticPods": c.StaticPods(),
	}
}

func (c *Cluster) writeNodeConfig() error {
	values := c.nodeValues()
	return errors.Join(
		os.MkdirAll(c.StaticPods(), 0o755),
		writeTemplate(c.cniConfig(), cniTemplate, values),
		writeTemplate(c.path("containerd", "config.toml"), containerdTemplate, values),
		writeTemplate(c.path("kubelet", "kubeletconfig.yaml"), kubeletTemplate, values),
	)
}

// StaticPods is the folder whose manifests the kubelet runs by itself.
func (c *Cluster) StaticPods() string { return c.path("kubelet-manifests") }

func (c *Cluster) cniConfig() string { return c.path("cni", "10-e2e.conflist") }

// writeTemplate writes a file in one step, so that who watches it never reads half.
func writeTemplate(name string, t *template.Template, values map[string]any) error {
	var text bytes.Buffer
	if err := t.Execute(&text, values); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", text.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// LimitAddresses leaves new pods a single address, which is none where it is taken; "" gives them all addresses again.
func (c *Cluster) LimitAddresses(only string) error {
	values := c.nodeValues()
	values["Only"] = only
	return writeTemplate(c.cniConfig(), cniTemplate, values)
}

// TakeNetwork takes the node's network configuration away, so that the kubelet says that its node is not ready; LimitAddresses("") gives it
// back. What runs goes on to run.
func (c *Cluster) TakeNetwork() error { return os.Remove(c.cniConfig()) }

// StartKubelet starts the kubelet and waits until the node is ready. Start has done so; it is for after StopKubelet.
func (c *Cluster) StartKubelet(ctx context.Context) error {
	p, err := c.run("kubelet", "--config="+c.path("kubelet", "kubeletconfig.yaml"), "--kubeconfig="+c.path("kubelet.conf"),
		"--hostname-override="+nodeName, "--node-ip="+nodeAddress, "--root-dir="+c.path("kubelet"), "--v=2")
	if err != nil {
		return err
	}
	return p.waitUntil(ctx, 90*time.Second, c.NodeReady)
}

// NodeReady returns nil if the API server says that the node is ready.
func (c *Cluster) NodeReady(ctx context.Context) error {
	node, err := c.client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("the node %s is not ready: %+v", nodeName, node.Status.Conditions)
}

// StopKubelet ends the kubelet, so that the node is lost; its containers run on.
func (c *Cluster) StopKubelet(ctx context.Context) error {
	c.end(ctx, "kubelet")
	return ctx.Err()
}

func (c *Cluster) socket() string { return socket(c.dir) }

func socket(dir string) string { return filepath.Join(dir, "containerd", "containerd.sock") }

// snapshotter avoids an overlay on an overlay, which is what the root of a container is.
func snapshotter(dir string) string {
	const overlay = 0x794c7630
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && fs.Type == overlay {
		return "native"
	}
	return "overlayfs"
}

func ip(ctx context.Context, args ...string) error {
	if out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strconv.Quote(fmt.Sprint(args)), err, tail(out))
	}
	return nil
}
