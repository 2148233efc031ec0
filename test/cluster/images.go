package cluster

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// file is what an image's only layer holds: text, or a link to another file.
type file struct {
	name    string
	content []byte
	link    string
	mode    int64
}

// pushImages makes the images that scenarios run and puts them where they are looked for.
func (c *Cluster) pushImages(ctx context.Context) error {
	pause, err := os.ReadFile(filepath.Join(c.bin, "pause"))
	if err != nil {
		return err
	}
	pauseImage, err1 := newImage(runtime.GOARCH, "/pause", file{name: "pause", content: pause, mode: 0o755})
	badexec, err2 := newImage(runtime.GOARCH, "/app", file{name: "app", content: []byte("not an executable"), mode: 0o755})
	foreign, err3 := newImage("arm64", "/pause", file{name: "pause", content: pause, mode: 0o755})
	busybox, err4 := busyboxImage()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return fmt.Errorf("making the images: %w", err)
	}
	// The platform is judged where there is a choice, which an image alone is not.
	arm64only := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: foreign, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}},
	})
	r := c.registries
	return errors.Join(
		r.open.push(ctx, "pause:1", pauseImage),
		r.open.push(ctx, "badexec:1", badexec),
		r.open.push(ctx, "arm64only:1", arm64only),
		r.open.push(ctx, "busybox:1", busybox),
		r.private.push(ctx, "private/busybox:1", busybox),
		r.private.push(ctx, "private/busybox:pulled", busybox),
		r.hub.push(ctx, "library/busybox:1", busybox),
	)
}

// busyboxImage holds what a small image of a distribution does: a shell, its commands, a user, and a page to serve.
func busyboxImage() (v1.Image, error) {
	binary, err := os.ReadFile(staticBusybox())
	if err != nil {
		return nil, err
	}
	files := []file{
		{name: "bin/busybox", content: binary, mode: 0o755},
		{name: "etc/passwd", content: []byte("root:x:0:0:root:/:/bin/sh\n"), mode: 0o644},
		{name: "tmp/", mode: 0o1777},
		{name: "www/healthz", content: []byte("ok\n"), mode: 0o644},
	}
	for _, command := range []string{
		"cat", "dd", "echo", "false", "head", "httpd", "kill", "ls", "mkdir", "mv", "nc", "rm", "sh", "sleep", "tail", "touch", "true", "wget", "yes",
	} {
		files = append(files, file{name: "bin/" + command, link: "busybox"})
	}
	return newImage(runtime.GOARCH, "/bin/sh", files...)
}

func newImage(architecture, entrypoint string, files ...file) (v1.Image, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, f := range files {
		header := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content)), Linkname: f.link}
		if f.link != "" {
			header.Typeflag = tar.TypeSymlink
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	config.Config.Entrypoint = []string{entrypoint}
	config.Config.Env = []string{"PATH=/bin"}
	return mutate.ConfigFile(image, config)
}
