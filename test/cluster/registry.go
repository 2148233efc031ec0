package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// dockerHub is how an image's name says that it is on Docker Hub.
const dockerHub = "docker.io"

// registryServer is a registry on loopback that keeps its images in memory.
type registryServer struct {
	address string
	store   http.Handler // behind any password
	server  *http.Server

	mu           sync.Mutex
	repositories map[string]bool
}

func serveRegistry(ctx context.Context, guard func(*registryServer) http.Handler) (*registryServer, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0)
	r := &registryServer{
		address: listener.Addr().String(), store: registry.New(registry.Logger(quiet)), repositories: map[string]bool{},
	}
	r.server = &http.Server{Handler: guard(r), ReadHeaderTimeout: time.Minute, ErrorLog: quiet}
	go func() { _ = r.server.Serve(listener) }() // ends with ErrServerClosed
	return r, nil
}

func (r *registryServer) has(repository string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.repositories[repository]
}

// RoundTrip gives pushes a way past the password and the network.
func (r *registryServer) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body == nil {
		request.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	r.store.ServeHTTP(recorder, request)
	response := recorder.Result()
	response.Request = request
	return response, nil
}

// push stores an image, or an index of images, as repository:tag.
func (r *registryServer) push(ctx context.Context, reference string, image any) error {
	ref, err := name.ParseReference(r.address+"/"+reference, name.Insecure)
	if err != nil {
		return fmt.Errorf("pushing: %w", err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithTransport(r)}
	switch image := image.(type) {
	case v1.Image:
		err = remote.Write(ref, image, options...)
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, image, options...)
	}
	if err != nil {
		return fmt.Errorf("pushing %s: %w", ref, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repositories[ref.Context().RepositoryStr()] = true
	return nil
}

// registries are the three that pods pull from.
type registries struct{ open, private, hub *registryServer }

func serveRegistries(ctx context.Context) (*registries, error) {
	open, err1 := serveRegistry(ctx, func(r *registryServer) http.Handler { return r.store })
	private, err2 := serveRegistry(ctx, func(r *registryServer) http.Handler { return withPassword(r.store) })
	hubLike, err3 := serveRegistry(ctx, func(r *registryServer) http.Handler { return hub{next: r.store, has: r.has} })
	r := &registries{open: open, private: private, hub: hubLike}
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the registries: %w", err), r.close())
	}
	return r, nil
}

func (r *registries) all() []*registryServer { return []*registryServer{r.open, r.private, r.hub} }

func (r *registries) close() error {
	var errs []error
	for _, s := range r.all() {
		if s != nil {
			errs = append(errs, s.server.Close())
		}
	}
	return errors.Join(errs...)
}

// writeHosts tells containerd where the registries are, Docker Hub's stand-in too.
func (r *registries) writeHosts(folder string) error {
	hosts := map[string]*registryServer{r.open.address: r.open, r.private.address: r.private, dockerHub: r.hub}
	for host, s := range hosts {
		file := filepath.Join(folder, host, "hosts.toml")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		text := fmt.Sprintf("server = %q\n\n[host.%[1]q]\n  capabilities = [\"pull\", \"resolve\"]\n", "http://"+s.address)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// find splits a reference into its registry, the open one by default, and what that calls it.
func (r *registries) find(reference string) (*registryServer, string) {
	host, rest, _ := strings.Cut(reference, "/")
	switch host {
	case r.private.address:
		return r.private, rest
	case dockerHub:
		return r.hub, rest
	case r.open.address:
		return r.open, rest
	default:
		return r.open, reference
	}
}
