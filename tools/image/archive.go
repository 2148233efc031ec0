package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// entry is a file of an archive.
type entry struct {
	name    string
	content []byte
}

// writeArchive writes an image as an OCI layout, so that it keeps its digest, with the manifest.json that `docker load` wants beside
// it, and returns the file's size.
func writeArchive(file string, tag name.Tag, image image, modified time.Time) (int64, error) {
	entries, err := archiveEntries(tag, image)
	if err != nil {
		return 0, err
	}
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, e := range entries {
		if err := writeFile(w, tar.Header{Name: e.name, Mode: 0o644, ModTime: modified}, e.content); err != nil {
			return 0, err
		}
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	size := int64(buffer.Len())
	if size > maxSize {
		return 0, fmt.Errorf("%.1f MB are more than %.0f MB", megabytes(size), megabytes(maxSize))
	}
	return size, os.WriteFile(file, buffer.Bytes(), 0o644)
}

// archiveEntries are in a fixed order: the blobs, and then what names them.
func archiveEntries(tag name.Tag, image image) ([]entry, error) {
	config, err := image.RawConfigFile()
	if err != nil {
		return nil, err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return nil, err
	}
	entries := []entry{{blob(config), config}, {blob(manifest), manifest}}
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	var layerNames []string
	for _, layer := range layers {
		content, err := compressed(layer)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{blob(content), content})
		layerNames = append(layerNames, blob(content))
	}
	index, err := layoutIndex(tag, image)
	if err != nil {
		return nil, err
	}
	docker, err := json.Marshal([]map[string]any{{"Config": blob(config), "RepoTags": []string{tag.String()}, "Layers": layerNames}})
	if err != nil {
		return nil, err
	}
	version := []byte(`{"imageLayoutVersion":"1.0.0"}`)
	return append(entries, entry{"index.json", index}, entry{"manifest.json", docker}, entry{"oci-layout", version}), nil
}

func compressed(layer v1.Layer) ([]byte, error) {
	reader, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer func() { _ = reader.Close() }()
	return io.ReadAll(reader)
}

// blob is where an OCI layout has content of a digest.
func blob(content []byte) string {
	digest, _, _ := v1.SHA256(bytes.NewReader(content)) // memory can be read
	return path.Join("blobs", digest.Algorithm, digest.Hex)
}

// layoutIndex names the image as containerd, and as others want it.
func layoutIndex(tag name.Tag, image image) ([]byte, error) {
	descriptor, err := partial.Descriptor(image)
	if err != nil {
		return nil, err
	}
	descriptor.Platform = image.platform()
	descriptor.Annotations = map[string]string{
		"io.containerd.image.name":          tag.String(),
		"org.opencontainers.image.ref.name": tag.TagStr(),
	}
	return json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{*descriptor}})
}

func (i image) platform() *v1.Platform {
	return &v1.Platform{OS: "linux", Architecture: i.architecture}
}
