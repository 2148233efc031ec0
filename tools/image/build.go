package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxSize is what an image may take, packed or unpacked: every node that runs it pulls and keeps it.
const maxSize = 60_000_000

func megabytes(size int64) float64 { return float64(size) / 1e6 }

// image is that of one architecture.
type image struct {
	v1.Image
	architecture string
	unpacked     int64
}

// build makes one image of each binary, in the order of the architectures' names.
func build(s stage, binaries map[string]string, created time.Time) ([]image, error) {
	var images []image
	for _, architecture := range slices.Sorted(maps.Keys(binaries)) {
		image, err := buildOne(s, architecture, binaries[architecture], created)
		if err != nil {
			return nil, fmt.Errorf("making the image for %s: %w", architecture, err)
		}
		images = append(images, image)
	}
	return images, nil
}

func buildOne(s stage, architecture, file string, created time.Time) (image, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return image{}, err
	}
	if err := checkBinary(binary, architecture); err != nil {
		return image{}, fmt.Errorf("%s: %w", file, err)
	}
	layer, err := newLayer(s.binary, binary, created)
	if err != nil {
		return image{}, err
	}
	// OCI's media types, which every registry and runtime takes.
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	made, err := mutate.Append(base, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "COPY " + s.binary},
	})
	if err != nil {
		return image{}, err
	}
	config, err := made.ConfigFile()
	if err != nil {
		return image{}, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = "linux", architecture, v1.Time{Time: created}
	config.Config = v1.Config{
		Entrypoint: s.entrypoint, User: s.user, WorkingDir: "/", Labels: s.labels, ExposedPorts: map[string]struct{}{s.port + "/tcp": {}},
	}
	made, err = mutate.ConfigFile(made, config)
	return image{Image: made, architecture: architecture, unpacked: int64(len(binary))}, err
}

// checkBinary refuses what could not run alone in an image: a program for another processor, or one that needs a loader.
func checkBinary(binary []byte, architecture string) error {
	if len(binary) > maxSize {
		return fmt.Errorf("%.1f MB are more than %.0f MB", megabytes(int64(len(binary))), megabytes(maxSize))
	}
	file, err := elf.NewFile(bytes.NewReader(binary))
	if err != nil {
		return err
	}
	want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[architecture]
	if file.Machine != want {
		return fmt.Errorf("built for %s", file.Machine)
	}
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP {
			return errors.New("not static: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// newLayer holds the binary alone, owned by root: who runs it cannot change it.
func newLayer(path string, binary []byte, modified time.Time) (v1.Layer, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	header := tar.Header{Name: strings.TrimPrefix(path, "/"), Mode: 0o755, Size: int64(len(binary)), ModTime: modified}
	if err := writeFile(w, header, binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buffer.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

func writeFile(w *tar.Writer, header tar.Header, content []byte) error {
	header.Size, header.Typeflag, header.Format = int64(len(content)), tar.TypeReg, tar.FormatUSTAR
	if err := w.WriteHeader(&header); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}
