//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

var dist = flag.String("dist", "", "folder with images to run")

// TestImageRuns runs what the image of this architecture holds as a runtime would: as its user, in a root of its own where that user
// may write nothing and where nothing else is, neither /proc nor /etc.
func TestImageRuns(t *testing.T) {
	if *dist == "" {
		t.Skip("no image to run is given: make check-image")
	}
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root may change the root folder")
	}
	image, _ := openLayout(t, filepath.Join(*dist, "image-linux-"+runtime.GOARCH+".tar"))
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	root := unpack(t, image)

	out, err := inImage(t.Context(), root, config.Config, "--version").CombinedOutput()
	if version := config.Config.Labels["org.opencontainers.image.version"]; err != nil || !strings.Contains(string(out), "version "+version+" ") {
		t.Errorf("--version, of an image that says that it is %s: %v\n%s", version, err, out)
	}

	address := freeAddress(t)
	var said bytes.Buffer
	serve := inImage(t.Context(), root, config.Config, "serve", "--demo", "--web.listen-address="+address)
	serve.Stdout, serve.Stderr = &said, &said
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		if err := serve.Wait(); err != nil {
			t.Errorf("after SIGTERM: %v\n%s", err, said.String())
		}
	}()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if _, err := get(t.Context(), "http://"+address+"/-/ready"); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("not ready after 30 s: %v", err)
		}
	}
	metrics, err := get(t.Context(), "http://"+address+"/metrics")
	if err != nil || !strings.Contains(metrics, "\npod_failure_reason{") {
		t.Errorf("no failure among %d bytes of metrics (%v)", len(metrics), err)
	}
}

// inImage is a program that is started as the image's configuration says.
func inImage(ctx context.Context, root string, config v1.Config, arguments ...string) *exec.Cmd {
	const user = 65532
	cmd := exec.CommandContext(ctx, config.Entrypoint[0], append(config.Entrypoint[1:], arguments...)...)
	cmd.Env, cmd.Dir = []string{}, config.WorkingDir
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user, Groups: []uint32{}}, Pdeathsig: syscall.SIGKILL,
	}
	return cmd
}

func unpack(t *testing.T, image v1.Image) string {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers (%v)", len(layers), err)
	}
	reader, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range untar(t, reader) {
		if err := os.WriteFile(filepath.Join(root, f.Name), f.content, f.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		err = errors.Join(err, errors.New(response.Status))
	}
	return string(body), err
}
