package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// FaultyRegistries answer as registries do that are in trouble; the first part of a repository's name says in which. Two of
// them are not on loopback, because containerd forgives a registry there what it forgives no other.
type FaultyRegistries struct {
	Faulty, Plain, SelfSigned string
	servers                   []*http.Server
	tls                       *httptest.Server
}

// ServeFaultyRegistries starts them.
func ServeFaultyRegistries(ctx context.Context) (*FaultyRegistries, error) {
	store := registry.New(registry.Logger(quiet()))
	images := map[string]v1.Image{}
	for _, kind := range []string{"corrupt", "interrupted", "stalled"} {
		image, err := brokenImage(kind)
		if err != nil {
			return nil, err
		}
		images[kind] = image
	}
	f := &FaultyRegistries{}
	external, err := externalAddress()
	if err != nil {
		return nil, err
	}
	if f.Faulty, err = f.serve(ctx, "127.0.0.1:0", faulty{store: store, images: images}); err != nil {
		return nil, err
	}
	if err := pushNoCommand(ctx, f.Faulty+"/no-command/app:1"); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if f.Plain, err = f.serve(ctx, external+":0", store); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", external+":0")
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	f.tls = httptest.NewUnstartedServer(store)
	f.tls.Config.ErrorLog = quiet()
	_ = f.tls.Listener.Close()
	f.tls.Listener = listener
	f.tls.StartTLS()
	f.SelfSigned = listener.Addr().String()
	return f, nil
}

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func (f *FaultyRegistries) serve(ctx context.Context, address string, handler http.Handler) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("starting a registry: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: quiet()}
	f.servers = append(f.servers, server)
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed
	return listener.Addr().String(), nil
}

// Close stops them.
func (f *FaultyRegistries) Close() error {
	var errs []error
	for _, server := range f.servers {
		errs = append(errs, server.Close())
	}
	if f.tls != nil {
		f.tls.Close()
	}
	return errors.Join(errs...)
}

// externalAddress is an address of this machine that is not on loopback.
func externalAddress() (string, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return "", fmt.Errorf("finding this machine's addresses: %w", err)
	}
	for _, address := range addresses {
		if ip, ok := address.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String(), nil
		}
	}
	return "", errors.New("this machine has no address but loopback")
}

// layer is the content of an image's only layer. Each kind has its own: containerd keeps what it has of one, whatever the image.
func layer(kind string) []byte { return bytes.Repeat([]byte(kind), 1<<16) }

// brokenImage is one whose layer is of no use.
func brokenImage(kind string) (v1.Image, error) {
	image, err := mutate.AppendLayers(empty.Image, static.NewLayer(layer(kind), types.DockerLayer))
	if err != nil {
		return nil, fmt.Errorf("making an image: %w", err)
	}
	return platform(image)
}

// pushNoCommand stores an image that does not say what to run.
func pushNoCommand(ctx context.Context, reference string) error {
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		return fmt.Errorf("pushing %s: %w", reference, err)
	}
	image, err := random.Image(1024, 1)
	if err != nil {
		return fmt.Errorf("making an image: %w", err)
	}
	if image, err = platform(image); err != nil {
		return err
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing %s: %w", reference, err)
	}
	return nil
}

func platform(image v1.Image) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("making an image: %w", err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	return mutate.ConfigFile(image, config)
}

// faulty is a registry's handler.
type faulty struct {
	store  http.Handler
	images map[string]v1.Image
}

// ServeHTTP implements http.Handler.
func (f faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	kind, _, _ := strings.Cut(path, "/")
	switch kind {
	case "unavailable":
		refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "under maintenance")
	case "limited":
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "You have reached your pull rate limit.")
	case "forbidden":
		refuse(w, http.StatusForbidden, "DENIED", "requested access to the resource is denied")
	case "rejected":
		refuse(w, http.StatusPreconditionFailed, "PROJECTPOLICYVIOLATION", "current image with severity Critical cannot be pulled")
	case "odd":
		refuse(w, http.StatusTeapot, "TEAPOT", "short and stout")
	case "silent":
		<-r.Context().Done() // answers nothing until who asks has hung up
	case "corrupt", "interrupted", "stalled":
		f.serveImage(w, r, kind, path)
	default:
		f.store.ServeHTTP(w, r)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": message}}})
}

// serveImage serves the one image, in a way that depends on the kind of trouble.
func (f faulty) serveImage(w http.ResponseWriter, r *http.Request, kind, path string) {
	image := f.images[kind]
	manifest, err1 := image.RawManifest()
	config, err2 := image.RawConfigFile()
	configName, err3 := image.ConfigName()
	mediaType, err4 := image.MediaType()
	digest, err5 := image.Digest()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	switch {
	case strings.Contains(path, "/manifests/"):
		w.Header().Set("Docker-Content-Digest", digest.String())
		answer(w, r, string(mediaType), manifest)
	case strings.HasSuffix(path, "/blobs/"+configName.String()):
		answer(w, r, "application/octet-stream", config)
	case kind == "corrupt":
		answer(w, r, "application/octet-stream", bytes.ToUpper(layer(kind)))
	default: // half of the layer, and then the connection ends, or nothing comes any more
		w.Header().Set("Content-Length", strconv.Itoa(len(layer(kind))))
		_, _ = w.Write(layer(kind)[:len(layer(kind))/2])
		if kind == "stalled" {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
}

func answer(w http.ResponseWriter, r *http.Request, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
