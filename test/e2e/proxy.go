package e2e

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/tools/clientcmd"
)

// Proxy stands between the exporter and the API server. It forwards bytes, so that TLS goes through untouched.
type Proxy struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener
	pairs    map[*pair]bool
}

// pair is a connection of a client and the one that belongs to it.
type pair struct {
	client, server net.Conn
	held           atomic.Bool
}

// StartProxy forwards to a host:port.
func StartProxy(ctx context.Context, target string) (*Proxy, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	p := &Proxy{address: address, target: target, pairs: map[*pair]bool{}}
	return p, p.Accept(ctx)
}

// Address returns where the proxy listens.
func (p *Proxy) Address() string { return p.address }

// Close ends the proxy and all connections. New ones are refused by the kernel, as those to a server that is down, until
// Accept is called.
func (p *Proxy) Close() error {
	p.mu.Lock()
	err := p.listener.Close()
	p.mu.Unlock()
	p.Cut()
	return err
}

// Accept takes connections. StartProxy has called it; it is for after Close.
func (p *Proxy) Accept(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.address)
	if err != nil {
		return fmt.Errorf("starting a proxy: %w", err)
	}
	p.mu.Lock()
	p.listener = listener
	p.mu.Unlock()
	go p.accept(ctx, listener)
	return nil
}

// Cut closes all connections, and returns how many there were.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.close()
	}
	return len(p.pairs)
}

// Hold lets all connections stay open without a byte going through any more; new ones work.
func (p *Proxy) Hold() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pair := range p.pairs {
		pair.held.Store(true)
	}
	return len(p.pairs)
}

func (p *Proxy) accept(ctx context.Context, listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
		if err != nil {
			_ = client.Close() // the API server is away
			continue
		}
		both := &pair{client: client, server: server}
		p.mu.Lock()
		p.pairs[both] = true
		p.mu.Unlock()
		go p.forward(both)
	}
}

func (p *Proxy) forward(both *pair) {
	var copies sync.WaitGroup
	copies.Go(func() { both.copy(both.server, both.client) })
	copies.Go(func() { both.copy(both.client, both.server) })
	copies.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pairs, both)
}

// copy forwards until one side ends, and then ends the other. What a held connection brings is thrown away.
func (both *pair) copy(to, from net.Conn) {
	defer both.close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !both.held.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (both *pair) close() {
	_ = both.client.Close()
	_ = both.server.Close()
}

// ThroughProxy copies a kubeconfig to a file that names another address.
func ThroughProxy(kubeconfig, address, file string) error {
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
