package main

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	tag := strings.TrimPrefix(server.URL, "http://") + "/a/b:v1.2.3"
	arguments := append([]string{"-push", "-tag", tag}, programs(t)...)
	folder, said := mustMake(t, epoch, arguments...)

	reference, err := name.ParseReference(tag)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil || !strings.Contains(said, "/a/b@"+digest.String()) {
		t.Errorf("pushed as %s (%v), and said was\n%s", digest, err, said)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("%d images (%v), want 2", len(manifest.Manifests), err)
	}
	if manifest.Annotations["org.opencontainers.image.licenses"] != "Apache-2.0" {
		t.Errorf("the index has no annotations: %q", manifest.Annotations)
	}
	for i, architecture := range []string{"amd64", "arm64"} {
		pushed := manifest.Manifests[i]
		_, written := openLayout(t, folder+"/image-linux-"+architecture+".tar")
		if pushed.Platform.String() != "linux/"+architecture || pushed.Digest != written.Digest {
			t.Errorf("%s is pushed as %s %s, and written as %s", architecture, pushed.Platform, pushed.Digest, written.Digest)
		}
	}

	// The same again does no harm; something else under the same name would.
	mustMake(t, epoch, arguments...)
	if _, _, err := makeImages(t, "1790000001", arguments...); err == nil || !strings.Contains(err.Error(), "it is there already") {
		t.Errorf("another image under the same tag: %v", err)
	}
}
