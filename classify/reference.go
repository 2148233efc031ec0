package classify

import "strings"

// Reference is what an image reference says about where the image comes from.
type Reference struct {
	// Registry is the host with its port, docker.io where none is named.
	Registry string
	// Repository is the path without registry, tag and digest; library/ is added for Docker Hub's official images.
	Repository string
}

// ParseReference splits an image reference as container runtimes do (github.com/distribution/reference): a first part
// with a dot or a colon, or localhost, is a registry. It never fails; odd input gives an odd repository.
func ParseReference(image string) Reference {
	image, _, _ = strings.Cut(image, "@")
	registry, path, named := strings.Cut(image, "/")
	if !named || (!strings.ContainsAny(registry, ".:") && registry != "localhost") {
		registry, path = "docker.io", image
	}
	if i := strings.LastIndexByte(path, ':'); i >= 0 && !strings.Contains(path[i:], "/") {
		path = path[:i]
	}
	switch registry {
	case "index.docker.io", "registry-1.docker.io":
		registry = "docker.io"
	}
	if registry == "docker.io" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return Reference{Registry: registry, Repository: path}
}

// String returns registry/repository, which is the same for all tags of an image.
func (r Reference) String() string { return r.Registry + "/" + r.Repository }

// hubOfficial says that the reference is one of Docker Hub's official images, which everybody may pull.
func (r Reference) hubOfficial() bool {
	return r.Registry == "docker.io" && strings.HasPrefix(r.Repository, "library/")
}

// open says that the registry holds nothing but what everybody may pull.
func (r Reference) open() bool {
	switch r.Registry {
	case "registry.k8s.io", "k8s.gcr.io", "mcr.microsoft.com":
		return true
	}
	return false
}

// deniesMissing says that the registry answers "denied" for a repository that does not exist, so that its "not found"
// can only mean the tag.
func (r Reference) deniesMissing() bool {
	switch r.Registry {
	case "docker.io", "quay.io", "ghcr.io":
		return true
	}
	return false
}

// PulledRepository returns registry/repository of an image ID as the kubelet reports it, "" where the ID does not
// prove a pull: images that were built or loaded on the node have no repository digest.
func PulledRepository(imageID string) string {
	if i := strings.Index(imageID, "://"); i >= 0 {
		imageID = imageID[i+len("://"):]
	}
	repository, _, digest := strings.Cut(imageID, "@sha256:")
	if !digest || repository == "" {
		return ""
	}
	return ParseReference(repository).String()
}
