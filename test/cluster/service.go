package cluster

import (
	"context"
	"fmt"
	"net"
)

// serviceNetwork is where services have their addresses, and serviceAddress that of the API server's, which all pods are told.
const (
	serviceNetwork = "10.96.0.0/16"
	serviceAddress = "10.96.0.1"
)

// serveService gives pods a way to the API server: it does what kube-proxy would for its service, and for no other one. It takes the
// service's address on the node's bridge, with which that goes again.
func serveService(ctx context.Context, target string) (*Forwarder, error) {
	if err := ip(ctx, "addr", "add", serviceAddress+"/32", "dev", bridge); err != nil {
		return nil, err
	}
	f, err := Forward(ctx, net.JoinHostPort(serviceAddress, "443"), target)
	if err != nil {
		return nil, fmt.Errorf("serving the API server to pods: %w", err)
	}
	return f, nil
}
