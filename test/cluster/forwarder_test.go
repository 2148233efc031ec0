package cluster

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// TestForwarder proves that what the tests of outages rely on happens: connections that work, hold, are cut, and are refused.
func TestForwarder(t *testing.T) {
	f, err := Forward(t.Context(), "127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	address := f.Address()
	const patience = 10 * time.Second

	held := dial(t, address)
	if answer, err := ask(held, patience); err != nil || answer != "hello\n" {
		t.Fatalf("got %q, %v through the forwarder", answer, err)
	}
	if n := f.Hold(); n != 1 {
		t.Errorf("%d connections held, want 1", n)
	}
	if answer, err := ask(held, 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %q, %v through a connection that is held", answer, err)
	}

	fresh := dial(t, address)
	if answer, err := ask(fresh, patience); err != nil || answer != "hello\n" {
		t.Errorf("got %q, %v through a new connection", answer, err)
	}
	if n := f.Cut(); n != 2 {
		t.Errorf("%d connections cut, want 2", n)
	}
	if _, err := ask(fresh, patience); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v through a connection that is cut", err)
	}

	for range 2 {
		if err := f.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("a closed forwarder takes connections")
	}
	if err := f.Accept(t.Context()); err != nil || f.Address() != address {
		t.Fatalf("opened again at %s, not %s: %v", f.Address(), address, err)
	}
	if answer, err := ask(dial(t, address), patience); err != nil || answer != "hello\n" {
		t.Errorf("got %q, %v after it was opened again", answer, err)
	}
}

// echo serves what it is sent.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func ask(conn net.Conn, patience time.Duration) (answer string, err error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}
