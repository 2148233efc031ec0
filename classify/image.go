package classify

import (
	"slices"
	"strings"
)

// imageRule tells a cause from a failed pull. decide, where given, settles what the words alone cannot.
type imageRule struct {
	rule
	decide func(p *pull) Cause
}

// imageFence maps the kubelet's own words that need no text
// (kubernetes pkg/kubelet/images/types.go).
func imageFence(reason string) (Cause, bool) {
	switch reason {
	case "InvalidImageName":
		return InvalidImageName, true
	case "ErrImageNeverPull":
		return ImageNotPresent, true
	case "SignatureValidationFailed":
		return ImageSignatureRejected, true
	}
	return "", false
}

// missingTag decides what "not found" means: the tag, where the repository is known to exist.
func missingTag(p *pull) Cause {
	switch {
	case strings.Contains(p.text, "permission") || strings.Contains(p.text, "not have access"):
		return ImageNotFoundOrAccessDenied
	case p.exists, p.image.deniesMissing() && !strings.Contains(p.text, "mirrors also failed"):
		return ImageTagNotFound
	}
	return ImageOrTagNotFound
}

// denied decides what "denied" means: official images are public, so that one which is denied does not exist; and a
// repository that another container runs from does exist.
func denied(p *pull) Cause {
	switch {
	case p.exists:
		return ImagePullUnauthorized
	case p.image.hubOfficial():
		return ImageNotFound
	}
	return ImageNotFoundOrAccessDenied
}

// forbidden decides what 403 means. GHCR and GitLab refuse an anonymous token for what is missing as for what is
// private, and a mirror refuses paths that it does not know; a registry of its own that knows the caller lacks a right.
func forbidden(p *pull) Cause {
	anonymous := strings.Contains(p.text, "anonymous token") || strings.Contains(p.text, "requesting bear") // CRI-O does not say with what it asks
	switch {
	case p.exists:
		return ImagePullUnauthorized
	case p.image.hubOfficial() && !p.fromOwnRegistry():
		return ImagePullFailed // everybody may pull it: the mirror refuses everybody
	case p.image.open():
		return ImagePullFailed // everybody may pull it: an address or a country is refused
	case anonymous && (p.image.deniesMissing() || p.gitlab):
		return ImageNotFoundOrAccessDenied
	case !anonymous && !strings.Contains(p.text, "oauth token") && !p.fromOwnRegistry():
		return ImageNotFoundOrAccessDenied
	}
	return ImagePullUnauthorized
}

// google says that Google's registry or its token service was asked.
func (p *pull) google() bool {
	return slices.ContainsFunc(append([]string{p.image.Registry}, p.hosts...), func(host string) bool {
		return strings.HasSuffix(host, "pkg.dev") || strings.HasSuffix(host, "gcr.io")
	})
}

// fromOwnRegistry says that the answer came from the image's registry and not from a mirror.
func (p *pull) fromOwnRegistry() bool {
	if len(p.hosts) == 0 {
		return true
	}
	host := p.hosts[len(p.hosts)-1]
	if p.image.Registry == "docker.io" {
		return strings.HasSuffix(host, "docker.io")
	}
	return host == strings.ToLower(p.image.Registry)
}

// tellImage returns the cause of a failed pull. reason is the waiting reason, "" where only an event tells.
func (c *Classifier) tellImage(reason, message, image string, exists func(repository string) bool) (Cause, bool) {
	if cause, ok := imageFence(reason); ok {
		return cause, true
	}
	p := newPull(unescape(message), image, exists)
	for i := range c.image {
		r := &c.image[i]
		if !r.matches(p.text) {
			continue
		}
		if r.decide != nil {
			return r.decide(p), true
		}
		return r.cause, true
	}
	if reason == "RegistryUnavailable" {
		return RegistryUnreachable, true
	}
	return ImagePullFailed, false
}
