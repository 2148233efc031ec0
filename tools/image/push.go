package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// push gives all architectures one name, and returns the digest of the whole. A tag that was released never changes what it means.
func push(ctx context.Context, tag name.Tag, images []image, labels map[string]string) (v1.Hash, error) {
	// A registry shows the index' annotations, as it knows no labels of several images.
	index, ok := mutate.Annotations(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), labels).(v1.ImageIndex)
	if !ok {
		return v1.Hash{}, errors.New("an index is no longer one with annotations")
	}
	for _, image := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: image.platform()}})
	}
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	switch there, err := remote.Head(tag, options...); {
	case err == nil && there.Digest != digest:
		return v1.Hash{}, fmt.Errorf("it is there already, as %s, and this is %s", there.Digest, digest)
	case err != nil && !unreadable(err):
		return v1.Hash{}, err
	}
	return digest, remote.WriteIndex(tag, index, options...)
}

// unreadable says that a tag is not there, or must not be read as long as it is not: whether it may be written, the push itself tells.
func unreadable(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) &&
		slices.Contains([]int{http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden}, answer.StatusCode)
}
