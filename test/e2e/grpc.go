package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// notServing answers the gRPC health protocol, one call and one message of two bytes, with NOT_SERVING
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
func notServing(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/grpc")
	header.Set("Trailer", "Grpc-Status")
	_, _ = w.Write([]byte{0, 0, 0, 0, 2, 8, 2}) // not compressed, length 2, field 1 is 2
	header.Set("Grpc-Status", "0")
}

// ServeNotServing serves gRPC on every address of this machine until the context ends, and returns the port.
func ServeNotServing(ctx context.Context) (port int, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", ":0")
	if err != nil {
		return 0, fmt.Errorf("serving gRPC: %w", err)
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{
		Handler: http.HandlerFunc(notServing), Protocols: &protocols, ReadHeaderTimeout: time.Minute, ErrorLog: quiet(),
	}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	context.AfterFunc(ctx, func() { _ = server.Close() })
	address, _ := listener.Addr().(*net.TCPAddr)
	return address.Port, nil
}
