package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Options says what cluster to start.
type Options struct {
	Version string // of Kubernetes, such as 1.36.3; the newest by default
	Dir     string // everything lives below it; a new temporary folder by default. Its logs outlive the cluster.
	Node    bool   // a node too: containerd and the kubelet; needs root
	MaxPods int    // of the node; the kubelet's default by default

	// Free ports by default.
	APIServerPort, EtcdPort, KubeletPort int

	Log io.Writer // what is done; nothing is said by default
}

// Cluster is a Kubernetes that runs on this machine.
type Cluster struct {
	options    Options
	dir        string
	bin        string
	temporary  bool // the folder goes with the cluster
	launcher   launcher
	registries *registries
	service    *Forwarder
	config     *rest.Config
	client     kubernetes.Interface
	unlockNode func()

	mu        sync.Mutex
	stopped   bool
	processes []*process // in the order of their start
}

// Start builds and starts a cluster, and returns when it serves. Where that fails, nothing keeps running.
func Start(ctx context.Context, options Options) (*Cluster, error) {
	options.Version = cmp.Or(options.Version, Newest())
	if options.Log == nil {
		options.Log = io.Discard
	}
	if missing := Missing(options.Node); len(missing) > 0 {
		return nil, fmt.Errorf("this machine lacks what a cluster needs:\n%s", strings.Join(missing, "\n"))
	}
	bin, err := Build(ctx, options.Version, options.Log)
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: options, bin: bin, launcher: newLauncher()}
	if err := c.start(ctx); err != nil {
		// The caller's context may be why it failed; what runs must be stopped all the same.
		return nil, errors.Join(fmt.Errorf("starting Kubernetes %s: %w", options.Version, err), c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	begin := time.Now()
	if err := c.prepare(ctx); err != nil {
		return err
	}
	if err := c.startControlPlane(ctx); err != nil {
		return err
	}
	if c.options.Node {
		if err := c.startNode(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintf(c.options.Log, "Kubernetes %s serves %s after %.1fs: KUBECONFIG=%s\n",
		c.options.Version, c.Server(), time.Since(begin).Seconds(), c.Kubeconfig())
	return nil
}

// prepare makes everything that is there before the first process: folder, ports, registries, keys.
func (c *Cluster) prepare(ctx context.Context) error {
	if err := c.makeDir(); err != nil {
		return err
	}
	if c.options.Node {
		if err := c.claimMachine(ctx); err != nil {
			return err
		}
	}
	if err := c.removeData(); err != nil {
		return err
	}
	for _, port := range []*int{&c.options.APIServerPort, &c.options.EtcdPort, &c.options.KubeletPort} {
		if *port == 0 {
			free, err := freePort(ctx)
			if err != nil {
				return err
			}
			*port = free
		}
	}
	var err error
	if c.registries, err = serveRegistries(ctx); err != nil {
		return err
	}
	if err := c.writePKI(); err != nil {
		return err
	}
	if c.config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig()); err != nil {
		return err
	}
	if err := rest.LoadTLSFiles(c.config); err != nil { // else clients go on to look for the files of a cluster that has gone
		return err
	}
	c.config.QPS, c.config.Burst = 500, 1000
	c.client, err = kubernetes.NewForConfig(c.config)
	return err
}

func (c *Cluster) makeDir() error {
	if c.dir = c.options.Dir; c.dir == "" {
		dir, err := os.MkdirTemp("", temporaryPrefix)
		c.dir, c.temporary = dir, true
		return err
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return err
	}
	c.dir = dir
	if len(dir) > 60 {
		return fmt.Errorf("the folder's name is too long for the sockets below it: %s", dir)
	}
	return os.MkdirAll(dir, 0o755)
}

// Stop ends all processes, containers too, and removes what they made; the logs stay where Options named the folder. It may be
// called again.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil
	}
	c.stopped = true
	for i := len(c.processes) - 1; i >= 0; i-- {
		c.processes[i].stop(ctx, time.Second) // nothing is kept that needs a tidy end
	}
	ctx = context.WithoutCancel(ctx) // who is out of patience wants nothing left behind all the same
	close(c.launcher)
	var errs []error
	if c.registries != nil {
		errs = append(errs, c.registries.close())
	}
	if c.service != nil {
		errs = append(errs, c.service.Close())
	}
	if c.unlockNode != nil {
		errs = append(errs, removeNode(ctx, c.dir))
		c.unlockNode()
	}
	if c.dir != "" {
		errs = append(errs, c.removeData())
	}
	if c.temporary && errors.Join(errs...) == nil {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// removeData removes what a cluster writes. Nothing is removed through a mount, such as that of a hostPath volume.
func (c *Cluster) removeData() error {
	mounts, err := mountsBelow(c.dir)
	if err != nil {
		return err
	}
	if len(mounts) > 0 {
		return fmt.Errorf("still mounted, so nothing is removed: %s", strings.Join(mounts, ", "))
	}
	var errs []error
	for _, name := range []string{"etcd", "containerd", "kubelet", "pods", "cni", "certs.d", "pki"} {
		errs = append(errs, os.RemoveAll(c.path(name)))
	}
	return errors.Join(errs...)
}

// run starts one of the cluster's programs, which Stop ends.
func (c *Cluster) run(program string, args ...string) (*process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil, fmt.Errorf("starting %s: the cluster is stopped", program)
	}
	p, err := c.launcher.startProcess(c.dir, filepath.Join(c.bin, program), args...)
	if err != nil {
		return nil, err
	}
	c.processes = append(c.processes, p)
	return p, nil
}

// end stops one of the cluster's programs.
func (c *Cluster) end(ctx context.Context, program string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.processes[:0]
	for _, p := range c.processes {
		if p.name == program {
			p.stop(ctx, 10*time.Second)
		} else {
			kept = append(kept, p)
		}
	}
	c.processes = kept
}

func (c *Cluster) path(name ...string) string {
	return filepath.Join(append([]string{c.dir}, name...)...)
}
