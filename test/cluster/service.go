package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// serviceNetwork is where services have their addresses, and serviceAddress that of the API server's, which all pods are told.
const (
	serviceNetwork = "10.96.0.0/16"
	serviceAddress = "10.96.0.1"
)

// serviceProxy does what kube-proxy would for the API server's service, and for no other one: it takes the service's address on the node's
// bridge and forwards bytes, so that TLS goes through untouched.
type serviceProxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns map[net.Conn]bool // nil when the proxy is closed
}

// serveService gives pods a way to the API server. The address goes with the bridge.
func serveService(ctx context.Context, target string) (*serviceProxy, error) {
	if err := ip(ctx, "addr", "add", serviceAddress+"/32", "dev", bridge); err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(serviceAddress, "443"))
	if err != nil {
		return nil, fmt.Errorf("serving the API server to pods: %w", err)
	}
	p := &serviceProxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	go p.accept(ctx)
	return p, nil
}

func (p *serviceProxy) accept(ctx context.Context) {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		go p.forward(ctx, client)
	}
}

// forward connects both sides until either has ended.
func (p *serviceProxy) forward(ctx context.Context, client net.Conn) {
	defer client.Close()
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.target)
	if err != nil {
		return // the client sees a connection that ends, as it does with a server that is down
	}
	defer server.Close()
	if !p.hold(client, server) {
		return
	}
	defer p.release(client, server)
	ended := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1]) // an error is an end
			ended <- struct{}{}
		}()
	}
	<-ended
}

func (p *serviceProxy) hold(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		return false
	}
	for _, conn := range conns {
		p.conns[conn] = true
	}
	return true
}

func (p *serviceProxy) release(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		delete(p.conns, conn)
	}
}

func (p *serviceProxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		err = errors.Join(err, ignoreClosed(conn.Close()))
	}
	p.conns = nil
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
