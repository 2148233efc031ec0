package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

const (
	repository = "ghcr.io/kube-failure-exporter/kube-failure-exporter"
	epoch      = "1790000000"
)

// program builds a program that does nothing, and returns its file.
func program(t *testing.T, architecture string, arguments ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program-"+architecture)
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", file}, arguments...), "./testdata/program")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building a program for %s: %v\n%s", architecture, err, out)
	}
	return file
}

func programs(t *testing.T) []string {
	t.Helper()
	return []string{"amd64=" + program(t, "amd64"), "arm64=" + program(t, "arm64")}
}

// make writes images to a new folder, which it returns with what the program says.
func makeImages(t *testing.T, epoch string, arguments ...string) (folder, said string, err error) {
	t.Helper()
	folder = t.TempDir()
	o, err := parse(append([]string{
		"-out", folder, "-tag", repository + ":v1.2.3", "-arg", "VERSION=1.2.3", "-arg", "REVISION=c0ffee",
	}, arguments...), epoch)
	if err != nil {
		return "", "", err
	}
	var stdout bytes.Buffer
	err = run(t.Context(), o, &stdout)
	return folder, stdout.String(), err
}

func mustMake(t *testing.T, epoch string, arguments ...string) (folder, said string) {
	t.Helper()
	folder, said, err := makeImages(t, epoch, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return folder, said
}

func TestSameBytes(t *testing.T) {
	binaries := programs(t)
	first, said := mustMake(t, epoch, binaries...)
	again, saidAgain := mustMake(t, epoch, binaries...)
	later, _ := mustMake(t, "1790000001", binaries...)
	if said != saidAgain {
		t.Errorf("said\n%s, and again\n%s", said, saidAgain)
	}
	for _, file := range []string{"image-linux-amd64.tar", "image-linux-arm64.tar"} {
		if !bytes.Equal(read(t, first, file), read(t, again, file)) {
			t.Errorf("%s differs the second time", file)
		}
		if bytes.Equal(read(t, first, file), read(t, later, file)) {
			t.Errorf("%s does not have its date", file)
		}
	}
}

func read(t *testing.T, elements ...string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestArchive opens an archive as Docker and as OCI's tools do: it is the same image.
func TestArchive(t *testing.T) {
	binary := program(t, "arm64")
	folder, said := mustMake(t, epoch, "arm64="+binary)
	file := filepath.Join(folder, "image-linux-arm64.tar")
	tag, err := name.NewTag(repository + ":v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	docker, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatalf("as docker load: %v", err)
	}
	oci, descriptor := openLayout(t, file)
	if err := errors.Join(validate.Image(docker), validate.Image(oci)); err != nil {
		t.Error(err)
	}
	dockerConfig, err1 := docker.ConfigName()
	ociConfig, err2 := oci.ConfigName()
	if err := errors.Join(err1, err2); err != nil || dockerConfig != ociConfig {
		t.Errorf("Docker sees %s, OCI %s (%v)", dockerConfig, ociConfig, err)
	}
	if !strings.Contains(said, descriptor.Digest.String()) {
		t.Errorf("the digest is %s, and said was\n%s", descriptor.Digest, said)
	}
	if got := descriptor.Annotations["io.containerd.image.name"]; got != tag.String() {
		t.Errorf("containerd would call it %q", got)
	}
	if descriptor.Platform.String() != "linux/arm64" {
		t.Errorf("the index says %s", descriptor.Platform)
	}
	checkLayer(t, oci, read(t, binary))
}

// openLayout unpacks an archive and opens it as an OCI layout.
func openLayout(t *testing.T, file string) (v1.Image, v1.Descriptor) {
	t.Helper()
	folder := t.TempDir()
	for _, f := range untar(t, bytes.NewReader(read(t, file))) {
		path := filepath.Join(folder, f.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 {
		t.Fatalf("want one image: %+v (%v)", manifest, err)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image, manifest.Manifests[0]
}

type tarFile struct {
	*tar.Header
	content []byte
}

func untar(t *testing.T, reader io.Reader) []tarFile {
	t.Helper()
	var files []tarFile
	for r := tar.NewReader(reader); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, tarFile{header, content})
	}
}

// checkLayer wants one layer with the binary alone, which nobody but root may change.
func checkLayer(t *testing.T, image v1.Image, binary []byte) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, want one (%v)", len(layers), err)
	}
	reader, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	files := untar(t, reader)
	if len(files) != 1 || files[0].Name != "kube-failure-exporter" || files[0].Mode != 0o755 || files[0].Uid != 0 || files[0].Gid != 0 {
		t.Fatalf("the layer holds %+v", files[0].Header)
	}
	if !bytes.Equal(files[0].content, binary) {
		t.Error("the layer holds another binary")
	}
}

func TestRefused(t *testing.T) {
	amd64 := program(t, "amd64")
	large := filepath.Join(t.TempDir(), "large")
	if err := errors.Join(os.WriteFile(large, nil, 0o600), os.Truncate(large, maxSize+1)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, epoch string
		arguments   []string
		want        string
	}{
		{"no date", "", []string{"amd64=" + amd64}, "SOURCE_DATE_EPOCH"},
		{"no binary", epoch, nil, "no binary"},
		{"no architecture", epoch, []string{amd64}, "ARCH=FILE"},
		{"another architecture", epoch, []string{"arm64=" + amd64}, "built for EM_X86_64"},
		{"an unknown architecture", epoch, []string{"sparc=" + amd64}, "built for EM_X86_64"},
		{"not a program", epoch, []string{"amd64=main.go"}, "bad magic number"},
		{"not static", epoch, []string{"amd64=" + program(t, "amd64", "-buildmode=pie")}, "not static"},
		{"too large", epoch, []string{"amd64=" + large}, "60.0 MB are more than 60 MB"},
		{"no tag", epoch, []string{"-tag", repository, "amd64=" + amd64}, "--tag"},
		{"no Dockerfile", epoch, []string{"-dockerfile", "none", "amd64=" + amd64}, "reading the Dockerfile"},
		{"an argument without a value", epoch, []string{"-arg", "VERSION=", "amd64=" + amd64}, "is not NAME=VALUE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := makeImages(t, test.epoch, test.arguments...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
