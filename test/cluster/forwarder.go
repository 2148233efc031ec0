package cluster

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// Forwarder listens at one address and forwards bytes to another, so that TLS goes through untouched.
type Forwarder struct {
	address, target string

	mu       sync.Mutex
	listener net.Listener // nil while it is closed
	pairs    map[*pair]bool
}

// pair is a connection of a client and the one that belongs to it.
type pair struct {
	client, server net.Conn
	held           atomic.Bool
}

// Forward forwards from one host:port to another; port 0 takes any that is free.
func Forward(ctx context.Context, from, to string) (*Forwarder, error) {
	f := &Forwarder{address: from, target: to, pairs: map[*pair]bool{}}
	return f, f.Accept(ctx)
}

// Address returns where it listens, host:port.
func (f *Forwarder) Address() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.address
}

// Accept takes connections. Forward has called it; it is for after Close, and listens at the same address.
func (f *Forwarder) Accept(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.Address())
	if err != nil {
		return fmt.Errorf("forwarding to %s: %w", f.target, err)
	}
	f.mu.Lock()
	f.listener, f.address = listener, listener.Addr().String()
	f.mu.Unlock()
	go f.accept(ctx, listener)
	return nil
}

// Close ends all connections. New ones are refused by the kernel, as those to a server that is down, until Accept is called.
func (f *Forwarder) Close() error {
	f.mu.Lock()
	listener := f.listener
	f.listener = nil
	f.mu.Unlock()
	f.Cut()
	if listener == nil {
		return nil
	}
	return listener.Close()
}

// Cut closes all connections, and returns how many there were.
func (f *Forwarder) Cut() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pair := range f.pairs {
		pair.close()
	}
	return len(f.pairs)
}

// Hold lets all connections stay open without a byte going through any more, and returns how many there are; new ones work.
func (f *Forwarder) Hold() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for pair := range f.pairs {
		pair.held.Store(true)
	}
	return len(f.pairs)
}

func (f *Forwarder) accept(ctx context.Context, listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed
		}
		go f.forward(ctx, listener, client)
	}
}

// forward connects both sides until either has ended.
func (f *Forwarder) forward(ctx context.Context, listener net.Listener, client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(ctx, "tcp", f.target)
	if err != nil {
		_ = client.Close() // the client sees a connection that ends, as it does with a server that is down
		return
	}
	both := &pair{client: client, server: server}
	if !f.add(listener, both) {
		both.close()
		return
	}
	var copies sync.WaitGroup
	copies.Go(func() { both.copy(server, client) })
	copies.Go(func() { both.copy(client, server) })
	copies.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pairs, both)
}

// add says whether the listener that took a connection is still open.
func (f *Forwarder) add(listener net.Listener, both *pair) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listener != listener {
		return false
	}
	f.pairs[both] = true
	return true
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
