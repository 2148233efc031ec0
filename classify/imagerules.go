package classify

import (
	"regexp"
	"strings"
)

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
				"download blocking policy", "blocked pull of",
			},
			made: []string{
				`Failed to pull image "registry.example/web:1": Source image rejected: A signature was required, but no signature exists`,
				`Failed to pull image "harbor.example/a/web:1": Error response from daemon: unknown: The severity of vulnerability of the image: "high" is equal or higher than the threshold in project setting: "low".`,
				`failed to resolve reference "harbor.example/a/web:1": unexpected status from HEAD request to https://harbor.example/v2/a/web/manifests/1: 412 Precondition Failed`,
				`Error response from daemon: unknown: Artifact download request rejected: a/web/1/manifest.json was not downloaded due to the download blocking policy configured in Xray for docker-local.`,
				`failed to pull and unpack image "r.example/a/web:1": image verifier bindir blocked pull of r.example/a/web:1 with digest sha256:12 for reason: unsigned`,
			},
		}},
		{rule: rule{
			cause: RegistryRateLimited,
			any:   []string{"toomanyrequests", "too many requests", "pull rate limit", "rate limit exceeded", "pull traffic quota"},
			made: []string{
				`Failed to pull image "busybox:1": reading manifest 1 in docker.io/library/busybox: toomanyrequests: You have reached your pull rate limit.`,
				`failed to pull and unpack image "docker.io/library/a:1": failed to copy: httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/library/a/blobs/sha256:12: 429 Too Many Requests`,
				`Error response from daemon: denied: You have exceeded your pull traffic quota for the current month.`,
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
				"tls: server selected unsupported protocol version",
			},
			made: []string{
				`failed to do request: Head "https://r.example/v2/a/manifests/1": tls: server selected unsupported protocol version 301`,
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
				"layers and diffids don't match", "download config.json digest", "unknown blob",
			},
			made: []string{
				`failed to pull and unpack image "r.example/a/web:1": number of layers and diffIDs don't match: 3 != 2`,
				`Download config.json digest sha256:34 does not match expected sha256:12`,
				`Error response from daemon: error pulling image configuration: unknown blob`,
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
			cause:   ImagePullFailed, // the host answers and has no registry's API: another kind of server, or a wrong path
			pattern: regexp.MustCompile(`pinging (container|docker) registry \S+: (statuscode: 404|received unexpected http status: 404)`),
			made:    []string{`initializing source docker://www.example/a/web:1: pinging container registry www.example: StatusCode: 404, "<!DOCTYPE html>"`},
			near:    []string{`initializing source docker://r.example/a/web:1: reading manifest 1 in r.example/a/web: StatusCode: 404, "<html>"`},
		}},
		{rule: rule{
			// Registries answer in JSON; the runtimes write so where a 403 holds none: a proxy, a firewall or a block of the
			// country stands before the registry, and credentials would not help.
			cause:   ImagePullFailed,
			pattern: regexp.MustCompile(`error parsing http 403 response body: invalid character '<'|\bstatuscode: 403\b`),
			made: []string{
				`Error response from daemon: error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: "<html>Your client does not have permission to get URL /v2/ from this server.</html>"`,
				`initializing source docker://r.example/a/web:1: reading manifest 1 in r.example/a/web: StatusCode: 403, "<html>Forbidden</html>"`,
			},
			near: []string{`Error response from daemon: Head "https://r.example/v2/a/manifests/1": denied: access forbidden`},
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
			near: []string{`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.r.example/token?scope=a: 404 Not Found`},
		}, decide: func(p *pull) Cause {
			if strings.Contains(p.text, " token: ") && !p.google() {
				return ImagePullFailed // a token service that is not where the registry says
			}
			return ImageNotFound
		}},
		{rule: rule{
			cause: ImageOrTagNotFound,
			any:   []string{"manifest unknown", "manifest_unknown"},
			made:  []string{`reading manifest 7 in r.example:5000/a/b: manifest unknown`},
			near:  []string{`reading manifest 7 in quay.io/a/b: manifest unknown`},
		}, decide: missingTag},
		{rule: rule{
			cause:   ImageOrTagNotFound,
			pattern: regexp.MustCompile(`manifest for \S*[^\s:] not found|failed to resolve (reference|image)( ref)?: \S+: not found|(image|artifact) \S*[^\s:] not found|: 404( not found|$|[,\]])|tag .*(does not exist|was deleted)|tag \S+ not found in repository`),
			none:    []string{"failed to copy", "fetching blob"},
			made: []string{
				`failed to pull and unpack image "127.0.0.1:5000/nginxdoesntexist:latest": failed to resolve image: 127.0.0.1:5000/nginxdoesntexist:latest: not found`,
				`failed to resolve reference "r.example/a:1": unexpected status from HEAD request to https://r.example/v2/a/manifests/1: 404 Not Found`,
				`Error response from daemon: unknown: artifact shop/web:1 not found`,
				`image pull failed for r.example/a/web:1, this may be because there are no credentials on this request. details: (Tag 1 not found in repository r.example/a/web)`,
			},
			near: []string{
				`failed to pull and unpack image "r.example/a/web:1": failed to resolve reference "r.example/a/web:1": no resolve hosts: not found`,
				`failed to pull and unpack image "r.example/a/web:1": failed to resolve reference "r.example/a/web:1": rejecting 67108864 byte manifest for r.example/a/web:1: not found`,
				`failed to get image "r.example/a/web:1" from containerd image store: image "r.example/a/web:1": not found`,
				`reading blob sha256:12: fetching blob: StatusCode: 404, "<Error><Code>NoSuchKey</Code>"`,
				`Failed to pull image "web:1": failed to pull and unpack image "docker.io/library/web:1": failed to resolve image: docker.io/library/web:1: not found`,
				`failed to copy: httpReadSeeker: failed open: content at https://r.example/v2/a/blobs/sha256:12 not found: not found`,
			},
		}, decide: missingTag},
		{rule: rule{
			cause:   ImageCorrupt,
			any:     []string{"failed to copy", "reading blob", "writing blob", "fetching blob"},
			pattern: regexp.MustCompile(`not found|: 404\b`),
			none:    []string{"unexpected eof"},
			made: []string{
				`failed to copy: httpReadSeeker: failed open: content at https://r.example/v2/a/blobs/sha256:12 not found: not found`,
				`reading blob sha256:12: fetching blob: StatusCode: 404, "<Error><Code>NoSuchKey</Code>"`,
			},
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
				`invalid status code from registry 5\d\d|\bstatuscode: 5\d\d\b|\bserver error: 5\d\d trying to fetch`),
			made: []string{
				`Error pulling image (latest) from docker.io/library/web, Server error: 500 trying to fetch remote history for 12ab`,
				`failed to copy: httpReadSeeker: failed open: unexpected status code https://quay.io/v2/a/b/blobs/sha256:12: 502 Bad Gateway`,
				`Error response from daemon: received unexpected HTTP status: 503 Service Unavailable`,
				`initializing source docker://r.example/a:1: Requesting bearer token: invalid status code from registry 503 (Service Unavailable)`,
				`reading manifest 1 in r.example/a: StatusCode: 502, <html><head><title>502 Bad Gateway</title></head></html>`,
			},
			near: []string{`failed to do request: Head "https://10.0.0.9:5000/v2/a/manifests/500": dial tcp 10.0.0.9:5000: connect: connection refused`},
		}},
		{rule: rule{
			cause:   RegistryUnreachable, // cut off before an answer: nothing was transferred
			pattern: regexp.MustCompile(`(get|head|post) (url|ref): unexpected eof`),
			none:    []string{"failed to copy", " blob", "download failed"},
			made:    []string{`failed to resolve reference "r.example/a:1": failed to do request: Head "https://r.example/v2/a/manifests/1": unexpected EOF`},
			near:    []string{`failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://r.example/v2/a/blobs/sha256:12": unexpected EOF`},
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
				"unable to ping registry endpoint", "could not reach any registry endpoint",
			},
			made: []string{
				`API error (500): unable to ping registry endpoint https://r.example/v0/`,
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
			pattern: regexp.MustCompile(`\b(get|head|post) (url|ref): (forbidden|proxy authentication required|method not allowed|internal server error|service unavailable|bad gateway|gateway timeout)`),
			made: []string{
				`pinging docker registry r.example: Get "https://r.example/v2/": Method Not Allowed`,
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
				"is not authorized to perform", "wrong username was used", "the client does not have permission",
				"caller does not have permission", "denied: unauthenticated request", "denied: installation not allowed",
				"denied: anonymous users are only allowed",
			},
			made: []string{
				`Error response from daemon: unknown: The client does not have permission for manifest`,
				`Error response from daemon: Head "https://gcr.io/v2/a/b/manifests/1": denied: Token exchange failed for project 'a'. Caller does not have permission 'storage.buckets.get'.`,
				`denied: Unauthenticated request. Unauthenticated requests do not have permission "artifactregistry.repositories.downloadArtifacts" on resource "projects/a" (or it may not exist)`,
				`Error response from daemon: Head "https://ghcr.io/v2/a/b/manifests/1": denied: installation not allowed to Read organization package`,
				`Error response from daemon: Head "https://r.example/v2/a/b/manifests/1": denied: Anonymous users are only allowed read access on public repos`,
				`pull access denied for 1.dkr.ecr.eu-west-1.amazonaws.com/a, repository does not exist or may require 'docker login': denied: User: arn:aws:sts::1:assumed-role/node/i-0 is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:1:repository/a`,
				`failed to resolve image: pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
				`unable to retrieve auth token: invalid username/password: unauthorized: authentication required`,
				`errors: denied: requested access to the resource is denied unauthorized: authentication required`,
			},
			near: []string{
				`pinging docker registry r.example: Get "https://r.example/v2/": Proxy authentication required`,
				`Failed to pull image "me/web:1": Error reading manifest 1 in docker.io/me/web: errors: denied: requested access to the resource is denied unauthorized: authentication required`,
			},
		}, decide: func(p *pull) Cause {
			if p.image.Registry == "docker.io" && strings.Contains(p.text, "requested access to the resource is denied") {
				return denied(p) // Docker Hub says both of what is private and of what is missing
			}
			return ImagePullUnauthorized
		}},
		{rule: rule{
			cause: ImageNotFoundOrAccessDenied,
			any: []string{
				"pull access denied", "requested access to the resource is denied", "access to the requested resource is not authorized",
				"insufficient_scope", "or may require", "denied: denied", "please verify that it exists and you have permission",
			},
			made: []string{
				`Error: Status 403 trying to pull repository p/web: "Unable to access the repository: p/web; please verify that it exists and you have permission to access it."`,
				`Failed to pull image "me/web:1": failed to pull and unpack image "docker.io/me/web:1": failed to resolve reference "docker.io/me/web:1": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
			},
			near: []string{
				`Failed to pull image "nginxdoesntexist": failed to pull and unpack image "docker.io/library/nginxdoesntexist:latest": failed to resolve reference "docker.io/library/nginxdoesntexist:latest": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
			},
		}, decide: denied},
		{rule: rule{
			cause:   ImageNotFoundOrAccessDenied,
			pattern: regexp.MustCompile(`: denied(\s+denied)*\s*$`), // newer Docker engines say it twice
			made:    []string{`Failed to pull image "ghcr.io/a/web:1": Error response from daemon: error from registry: denied` + "\ndenied", `Failed to pull image "ghcr.io/a/web:1": Error response from daemon: Head "https://ghcr.io/v2/a/web/manifests/1": denied`},
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
				`Failed to pull image "ghcr.io/a/b:1": initializing source docker://ghcr.io/a/b:1: Requesting bearer token: invalid status code from registry 403 (Forbidden)`,
				`Failed to pull image "r.example/a/b:1": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://git.example/jwt/auth?scope=a&service=container_registry: 403 Forbidden`,
				`Failed to pull image "registry.k8s.io/pause:1": failed to resolve reference "registry.k8s.io/pause:1": unexpected status from HEAD request to https://registry.k8s.io/v2/pause/manifests/1: 403 Forbidden`,
			},
		}, decide: forbidden},
	}
}
