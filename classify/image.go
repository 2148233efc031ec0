package classify

import (
	"regexp"
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

// imageRules returns the rules for messages of failed pulls. The order matters: a message often holds the answers to
// several attempts (one for each credential, one for each mirror), and the most telling of them comes first here.
func imageRules() []imageRule {
	return []imageRule{
		{rule: rule{
			cause: InvalidImageName,
			any: []string{
				"invalid reference format", "couldn't parse image", "short name mode is enforcing", "short-name ",
				"must be lowercase",
			},
			made: []string{
				`Failed to apply default image tag "127.0.0.1:5000/Busybox:1": couldn't parse image name "127.0.0.1:5000/Busybox:1": invalid reference format: repository name (Busybox) must be lowercase`,
				`rpc error: code = Unknown desc = short-name "web:1" did not resolve to an alias and no unqualified-search registries are defined in "/etc/containers/registries.conf"`,
			},
		}},
		{rule: rule{
			cause: ImageNotPresent,
			any:   []string{"is not present with pull policy of never"},
			made:  []string{`Container image "127.0.0.1:5000/never:1" is not present with pull policy of Never`},
		}},
		{rule: rule{
			cause: ImageSignatureRejected,
			any: []string{
				"source image rejected", "signature was required", "signature validation failed", "not signed in notary",
				"is not signed", "severity of vulnerability", "vulnerabilities cannot be pulled", "cannot be pulled due to configured policy",
				"content trust", "no matching signatures", "signature verification failed", "412 precondition failed",
				"download blocking policy",
			},
			made: []string{
				`Failed to pull image "registry.example/web:1": Source image rejected: A signature was required, but no signature exists`,
				`Failed to pull image "harbor.example/a/web:1": Error response from daemon: unknown: The severity of vulnerability of the image: "high" is equal or higher than the threshold in project setting: "low".`,
				`failed to resolve reference "harbor.example/a/web:1": unexpected status from HEAD request to https://harbor.example/v2/a/web/manifests/1: 412 Precondition Failed`,
				`Error response from daemon: unknown: Artifact download request rejected: a/web/1/manifest.json was not downloaded due to the download blocking policy configured in Xray for docker-local.`,
			},
		}},
		{rule: rule{
			cause: RegistryRateLimited,
			any:   []string{"toomanyrequests", "too many requests", "pull rate limit", "rate limit exceeded"},
			made: []string{
				`Failed to pull image "busybox:1": reading manifest 1 in docker.io/library/busybox: toomanyrequests: You have reached your pull rate limit.`,
				`failed to pull and unpack image "docker.io/library/a:1": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/a/blobs/sha256:12: 429 Too Many Requests`,
			},
			near: []string{`Failed to pull image "r.example/toomanyrequests:429": rpc error: code = NotFound desc = r.example/toomanyrequests:429: not found`},
		}},
		{rule: rule{
			cause: ImagePullNodeDiskFull,
			any:   []string{"no space left on device", "disk quota exceeded", "not enough free space", "create more free space in thin pool"},
			made: []string{
				`failed to register layer: devmapper: Thin Pool has 12 free data blocks which is less than minimum required 24 free data blocks. Create more free space in thin pool or use dm.min_free_space option`,
				`failed to pull and unpack image "docker.io/library/a:1": failed to extract layer sha256:12: write /var/lib/containerd/x: no space left on device: unknown`,
			},
		}},
		{rule: rule{
			cause: ImagePlatformMismatch,
			any: []string{
				"no match for platform", "no matching manifest", "no image found in manifest list", "no image found in image index",
				"no supported platform", "does not match the specified platform", "cannot be used on this platform", "-based image is incompatible",
			},
			made: []string{
				`a Windows version 10.0.20348-based image is incompatible with a 10.0.17763 host`,
				`rpc error: code = NotFound desc = failed to pull and unpack image "127.0.0.1:5000/arm64only:1": no match for platform in manifest: not found`,
				`no matching manifest for linux/arm64/v8 in the manifest list entries`,
			},
		}},
		{rule: rule{
			cause: RegistryTLSError,
			any: []string{
				"x509:", "tls: failed to verify", "http response to https client", "certificate signed by unknown",
				"does not look like a tls handshake", "remote error: tls", "tls: handshake failure", "http request to an https server",
			},
			made: []string{
				`failed to do request: Head "https://r.example/v2/a/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
				`failed to do request: Head "https://10.0.0.9:5000/v2/a/manifests/1": http: server gave HTTP response to HTTPS client`,
			},
			near: []string{`failed to do request: Head "https://r.example/v2/a/manifests/1": net/http: TLS handshake timeout`},
		}},
		{rule: rule{
			cause: ImageCorrupt,
			any: []string{
				"size validation", "unexpected commit digest", "config verification failed", "prettyjws", "schema 1 image", "schema 1 ",
				"could not fetch content descriptor", "filesystem layer verification failed", "invalid tar header",
				"unsupported media type", "layers from manifest don't match", "manifest verification failed", "gzip: invalid",
				"unsupported manifest", "mismatched image rootfs", "is no longer supported since containerd", "blob unknown", "digest did not match", "wrong diff id",
			},
			made: []string{
				`media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1, please rebuild the image`,
				`writing blob: storing blob to file "/var/tmp/storage1/1": fetching blob: blob unknown to registry`,
				`failed commit on ref "layer-sha256:12": "layer-sha256:12" failed size validation: 12 != 24: failed precondition`,
				`failed to copy: httpReadSeeker: failed open: could not fetch content descriptor sha256:12 () from remote: not found`,
			},
		}},
		{rule: rule{
			cause: ImageCorrupt,
			any:   []string{"mount callback failed", "failed to extract layer", "failed to register layer", "processing tar file"},
			all:   []string{"eof"},
			made: []string{
				`failed to extract layer sha256:12: mount callback failed on /tmp/x: unexpected EOF: unknown`,
				`Error response from daemon: failed to register layer: Error processing tar file(exit status 1): unexpected EOF`,
			},
			near: []string{`failed to pull and unpack image "docker.io/library/a:1": failed to read expected number of bytes: unexpected EOF`},
		}},
		{rule: rule{
			cause: ImageCorrupt,
			all:   []string{"content digest", "not found"},
			made:  []string{`failed to pull and unpack image "r.example/a:1": failed to unpack image on snapshotter overlayfs: content digest sha256:12: not found`},
		}},
		{rule: rule{
			cause: ImagePullFailed, // what the registry or a proxy before it sent is no image: neither the tag nor the image is to blame
			any:   []string{"unexpected media type", "no processor for media-type", "no processor for media type"},
			made:  []string{`failed to pull and unpack image "docker.io/a/b:1": failed to unpack image on snapshotter overlayfs: unexpected media type text/html for sha256:12: not found`},
		}},
		{rule: rule{
			cause: ImagePullFailed, // the registry's own storage quota, which it enforces on a cache that pulls for the node
			any:   []string{"will exceed the configured upper limit", "quota has been exceeded on"},
			made:  []string{`denied: adding 1.2 GiB of storage resource, which when updated to current usage of 9.8 GiB will exceed the configured upper limit of 10.0 GiB.`},
			near:  []string{`Error response from daemon: denied: requested access to the resource is denied`},
		}},
		{rule: rule{
			cause: ImagePullFailed, // the node's own runtime does not answer: no registry was asked
			any:   []string{"dial unix", "the docker daemon at", "error reading from server", "cannot connect to the docker daemon"},
			made: []string{
				`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"`,
				`rpc error: code = Unavailable desc = error reading from server: EOF`,
			},
			near: []string{`pinging container registry r.example: Get "https://r.example/v2/": EOF`},
		}},
		{rule: rule{
			cause: ImageNotFound,
			any: []string{
				"name unknown", "name_unknown", "repository name not known", "repository not found", "does not exist or no pull access",
			},
			made: []string{
				`reading manifest 1 in registry.example/a/b: name unknown: Unknown repository`,
				`failed to resolve reference "r.example/a/b:1": unexpected status from HEAD request: name unknown: repository name not known to registry`,
			},
		}, decide: func(p *pull) Cause {
			if p.exists {
				return ImageOrTagNotFound // the cluster contradicts the registry: say only what both allow
			}
			if strings.Contains(p.text, "no pull access") && !p.image.hubOfficial() {
				return ImageNotFoundOrAccessDenied
			}
			return ImageNotFound
		}},
		{rule: rule{
			cause: ImageNotFound,
			pattern: regexp.MustCompile(`repository with name .* does not exist|failed to fetch (oauth|anonymous) token: unexpected status.* 404 not found` +
				`|repository ref not found|requesting bear(er)? token: invalid status code from registry 404`),
			made: []string{
				`failed to authorize: failed to fetch oauth token: unexpected status from GET request to https://us-docker.pkg.dev/v2/token?scope=a&service=b: 404 Not Found`,
				`Error response from daemon: repository 'web' with name 'web' in registry with id '1' repository with name web does not exist`,
			},
		}},
		{rule: rule{
			cause: ImageOrTagNotFound,
			any:   []string{"manifest unknown", "manifest_unknown"},
			made:  []string{`reading manifest 7 in r.example:5000/a/b: manifest unknown`},
			near:  []string{`reading manifest 7 in quay.io/a/b: manifest unknown`},
		}, decide: missingTag},
		{rule: rule{
			cause:   ImageOrTagNotFound,
			pattern: regexp.MustCompile(`manifest for .*not found|failed to resolve (reference|image).*: not found|ref: not found|image \S+ not found|: 404( not found|$|[,\]])|tag .*(does not exist|was deleted)`),
			none:    []string{"failed to copy"},
			made: []string{
				`failed to pull and unpack image "127.0.0.1:5000/nginxdoesntexist:latest": failed to resolve image: 127.0.0.1:5000/nginxdoesntexist:latest: not found`,
				`failed to resolve reference "r.example/a:1": unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 404 Not Found`,
			},
			near: []string{
				`Failed to pull image "web:1": failed to pull and unpack image "docker.io/library/web:1": failed to resolve image: docker.io/library/web:1: not found`,
				`failed to copy: httpReadSeeker: failed open: content at https://r.example/v2/a/blobs/sha256:12 not found: not found`,
			},
		}, decide: missingTag},
		{rule: rule{
			cause: ImageCorrupt,
			any:   []string{"failed to copy", "reading blob", "writing blob", "fetching blob"},
			all:   []string{"not found"},
			none:  []string{"unexpected eof"},
			made:  []string{`failed to copy: httpReadSeeker: failed open: content at https://r.example/v2/a/blobs/sha256:12 not found: not found`},
		}},
		{rule: rule{
			cause: ImagePullFailed, // the manifest was given, so the rights were there: what forbids the layer cannot be told
			any:   []string{"failed to copy", "reading blob", "writing blob", "fetching blob"},
			all:   []string{"403 forbidden"},
			made:  []string{`failed to copy: httpReadSeeker: failed open: unexpected status code https://r.example/v2/a/blobs/sha256:12: 403 Forbidden`},
		}},
		{rule: rule{
			cause: RegistryServerError,
			pattern: regexp.MustCompile(`\b5\d\d (internal server error|bad gateway|service unavailable|service temporarily unavailable|gateway time-?out)|received unexpected http status: 5\d\d|unexpected status.*: 5\d\d\b|` +
				`invalid status code from registry 5\d\d|\bstatuscode: 5\d\d\b`),
			made: []string{
				`failed to copy: httpReadSeeker: failed open: unexpected status code https://quay.io/v2/a/b/blobs/sha256:12: 502 Bad Gateway`,
				`Error response from daemon: received unexpected HTTP status: 503 Service Unavailable`,
				`initializing source docker://r.example/a:1: Requesting bearer token: invalid status code from registry 503 (Service Unavailable)`,
				`reading manifest 1 in r.example/a: StatusCode: 502, <html><head><title>502 Bad Gateway</title></head></html>`,
			},
			near: []string{`failed to do request: Head "https://10.0.0.9:5000/v2/a/manifests/500": dial tcp 10.0.0.9:5000: connect: connection refused`},
		}},
		{rule: rule{
			cause: ImagePullInterrupted,
			any: []string{
				"unexpected eof", "failed to read expected number of bytes", "failed to copy: read tcp", "happened during read",
				"failed to copy: local error", "failed to copy: context canceled", "failed to copy: context deadline exceeded",
				"failed to copy: stream error", "connection reset by peer (while reconnecting",
			},
			made: []string{
				`failed to pull and unpack image "r.example/a:1": failed to copy: read tcp 10.0.0.1:3->10.0.0.2:443: read: connection reset by peer`,
				`failed to pull and unpack image "docker.io/library/a:1": failed to read expected number of bytes: unexpected EOF`,
			},
		}},
		{rule: rule{
			cause:   ImagePullInterrupted,
			pattern: regexp.MustCompile(`(writing|storing|reading|copying|fetching) blob.*read tcp.*connection reset by peer`),
			none:    []string{"dial tcp"},
			made:    []string{`writing blob: storing blob to file "/var/tmp/storage1/1": read tcp 10.0.0.1:5->10.0.0.2:443: read: connection reset by peer`},
		}},
		{rule: rule{
			cause: RegistryUnreachable,
			any: []string{
				"dial tcp", "no such host", "server misbehaving", "tls handshake timeout", "i/o timeout", "connection refused",
				"no route to host", "network is unreachable", "timeout awaiting response headers", "awaiting headers",
				"waiting for connection", "name resolution", "proxyconnect", "registry is unavailable",
			},
			made: []string{
				`failed to do request: Head "https://127.0.0.1:5999/v2/app/manifests/1": dial tcp 127.0.0.1:5999: connect: connection refused`,
				`pinging container registry quay.io: Get "https://quay.io/v2/": dial tcp: lookup quay.io: Temporary failure in name resolution`,
				`failed to do request: Head "https://r.example/v2/a/manifests/1": net/http: TLS handshake timeout`,
			},
			near: []string{`Error response from daemon: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?`},
		}},
		{rule: rule{
			cause:   RegistryUnreachable,
			pattern: regexp.MustCompile(`(failed to do request|pinging (container|docker) registry|(get|head|post) (url|ref)).*(: eof|connection reset by peer|context deadline exceeded|context canceled)`),
			made: []string{
				`Error response from daemon: Get https://r.example/v2/a/manifests/1: EOF`,
				`pinging container registry r.example: Get "https://r.example/v2/": EOF`,
				`failed to do request: Head "https://r.example/v2/a/manifests/1": read tcp 10.0.0.1:3->10.0.0.2:443: read: connection reset by peer`,
			},
			near: []string{`error reading from server: EOF`},
		}},
		{rule: rule{
			// Go's HTTP client gives the bare words of a status only where a proxy refuses to connect (net/http, transport.go, dialConn).
			cause:   RegistryUnreachable,
			pattern: regexp.MustCompile(`\b(get|head|post) (url|ref): (forbidden|proxy authentication required|service unavailable|bad gateway|gateway timeout)`),
			made: []string{
				`failed to do request: Head "https://r.example/v2/a/manifests/1": Forbidden`,
				`pinging docker registry r.example: Get "https://r.example/v2/": Proxy Authentication Required`,
			},
			near: []string{`failed to resolve reference "r.example/a:1": unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 403 Forbidden`},
		}},
		{rule: rule{
			cause: ImagePullUnauthorized,
			any: []string{
				"no basic auth credentials", "authentication required", "invalid username/password", "unable to retrieve auth token",
				"denied: insufficient scope", "denied: access forbidden", "unable to parse json key", "incorrect username or password",
				"unauthorized to access repository", "permission \"artifactregistry", "denied: permission",
				"authorization token has expired", "login credentials are not valid", "denied: your authorization token",
				"is not authorized to perform", "wrong username was used",
			},
			made: []string{
				`pull access denied for 1.dkr.ecr.eu-west-1.amazonaws.com/a, repository does not exist or may require 'docker login': denied: User: arn:aws:sts::1:assumed-role/node/i-0 is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:repository/a`,
				`failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
				`unable to retrieve auth token: invalid username/password: unauthorized: authentication required`,
				`errors: denied: requested access to the resource is denied unauthorized: authentication required`,
			},
			near: []string{`pinging docker registry r.example: Get "https://r.example/v2/": Proxy authentication required`},
		}},
		{rule: rule{
			cause: ImageNotFoundOrAccessDenied,
			any: []string{
				"pull access denied", "requested access to the resource is denied", "access to the requested resource is not authorized",
				"insufficient_scope", "or may require", "denied: denied",
			},
			made: []string{
				`Failed to pull image "me/web:1": failed to pull and unpack image "docker.io/me/web:1": failed to resolve reference "docker.io/me/web:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
			},
			near: []string{
				`Failed to pull image "nginxdoesntexist": failed to pull and unpack image "docker.io/library/nginxdoesntexist:latest": failed to resolve reference "docker.io/library/nginxdoesntexist:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
			},
		}, decide: denied},
		{rule: rule{
			cause:   ImageNotFoundOrAccessDenied,
			pattern: regexp.MustCompile(`: denied\s*$`),
			made:    []string{`Failed to pull image "ghcr.io/a/web:1": Error response from daemon: Head "https://ghcr.io/v2/a/web/manifests/1": denied`},
		}, decide: denied},
		{rule: rule{
			cause:   ImagePullUnauthorized,
			pattern: regexp.MustCompile(`(: |status |code |url )401\b|unauthorized`),
			near:    []string{`failed to register layer: link /var/lib/docker/overlay/a /var/lib/docker/overlay/tmp-401/b: too many links`},
			made:    []string{`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r.example/oauth2/token?scope=a: 401 Unauthorized`},
		}, decide: func(p *pull) Cause {
			if p.image.Registry == "quay.io" {
				return denied(p) // Quay says 401 for what is private and for what is missing
			}
			return ImagePullUnauthorized
		}},
		{rule: rule{
			cause: ImagePullUnauthorized,
			any:   []string{"403 forbidden", "status: 403", "forbidden"},
			none:  []string{"quota"},
			made:  []string{`Failed to pull image "gcr.io/a/b:1": failed to authorize: failed to fetch oauth token: unexpected status: 403 Forbidden`},
			near: []string{
				`Failed to pull image "ghcr.io/a/b:1": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=a&service=ghcr.io: 403 Forbidden`,
			},
		}, decide: forbidden},
	}
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
	anonymous := strings.Contains(p.text, "anonymous token")
	gitlab := strings.HasSuffix(p.image.Registry, "gitlab.com")
	switch {
	case p.exists:
		return ImagePullUnauthorized
	case p.image.hubOfficial() && !p.fromOwnRegistry():
		return ImagePullFailed // everybody may pull it: the mirror refuses everybody
	case anonymous && (p.image.deniesMissing() || gitlab):
		return ImageNotFoundOrAccessDenied
	case !anonymous && !strings.Contains(p.text, "oauth token") && !p.fromOwnRegistry():
		return ImageNotFoundOrAccessDenied
	}
	return ImagePullUnauthorized
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
