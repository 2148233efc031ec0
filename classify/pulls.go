package classify

import (
	"cmp"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// backOffWrap is what newer kubelets (1.32) put before the last error while they back off.
const backOffWrap = ": ErrImagePull: "

// unpulled tells a failed pull (rule S1: both words of the kubelet are one failure).
func (c *Classifier) unpulled(p *podView, ctr *container, reason, message string, v *Verdict) (Failure, bool) {
	if _, detail, ok := strings.Cut(message, backOffWrap); ok && strings.HasPrefix(message, "Back-off pulling image") {
		message = detail
	}
	if event := pullEvent(ctr.events); event != nil && vaguePull(message) {
		message = event.Message
	}
	if reason == "InvalidImageName" && strings.HasPrefix(unwrap(message), "Failed to inspect image") {
		reason = "ImageInspectError" // the kubelet has got past the name
	}
	since := p.notReadySince(ctr)
	if strings.Contains(message, "pull QPS exceeded") {
		if due := since.Add(c.opts.CreatingGrace); p.Now.Before(due) {
			v.recheck(due)
			v.Open = append(v.Open, Stage{ctr.spec.Name, FamilyImage})
			return Failure{}, false
		}
	}
	cause, known := c.tellImage(reason, unwrap(message), ctr.spec.Image, p.RepositoryExists)
	secret := newest(p.events, pullSecretEvent)
	if secret != nil && lacksRight(cause) && (cause != ImagePullFailed || vaguePull(message)) { // a failure of another kind says so
		cause, known, message = ImagePullSecretMissing, true, secret.Message
	}
	f := p.failure(ctr, FamilyImage, cause, imageReason(reason), message).since(since, true)
	return f.unclassified(known || vaguePull(message)), true
}

// lacksRight says that a missing pull secret explains the cause.
func lacksRight(cause Cause) bool {
	switch cause {
	case ImagePullUnauthorized, ImageNotFoundOrAccessDenied, ImagePullFailed:
		return true
	}
	return false
}

// Explains says that cause is the reason for what other says: the same failure, with more known of it.
func Explains(cause, other Cause) bool {
	return cause == ImagePullSecretMissing && lacksRight(other)
}

// vaguePull says that a message holds no more than the fact that the pull failed.
func vaguePull(message string) bool {
	message = unwrap(message)
	return message == "" || message == "ErrImagePull" || message == "ImagePullBackOff" || message == "InvalidImageName" ||
		strings.HasPrefix(message, "Back-off pulling image") && !strings.Contains(message, backOffWrap)
}

// pullEvent returns the newest event that says why a pull failed.
func pullEvent(events []*corev1.Event) *corev1.Event {
	for _, event := range events {
		switch event.Reason {
		case "Failed", "InspectFailed", "ErrImageNeverPull", "":
			if !vaguePull(event.Message) && isPull(event) {
				return event
			}
		}
	}
	return nil
}

func isPull(event *corev1.Event) bool {
	switch event.Reason {
	case "Failed", "BackOff", "":
	default:
		return eventFamily(event.Reason) == FamilyImage
	}
	message := unwrap(event.Message)
	for _, head := range []string{"Failed to pull image", "Failed to inspect image", "pulling image", "Failed to apply default image"} {
		if strings.HasPrefix(message, head) {
			return true
		}
	}
	return vaguePull(message) || pullWords(message)
}

// pullWords says that a message that does not begin like a pull's is one all the same.
func pullWords(message string) bool { return pullPhrase.MatchString(message) }

// pullPhrase matches what only a runtime that pulls says.
var pullPhrase = regexp.MustCompile(`failed to pull and unpack image|unable to pull image|Back-off pulling image|pull QPS exceeded|pull image|` +
	`failed to resolve (reference|image)|[Rr]eading manifest|pinging (container|docker) registry|initializing source docker://|` +
	`pull access denied|manifest for \S+ not found|no matching manifest|error pulling image|failed to register layer|(writing|reading) blob`)

// pull is one failed attempt to get an image, as the rules see it.
type pull struct {
	// text is the lower-case message without quoted references, URLs and digests: a tag may be called not-found.
	text string
	// hosts are the hosts that were asked; a link to a page of help is none.
	hosts []string
	// gitlab says that GitLab gives the tokens of this registry.
	gitlab bool
	image  Reference
	// exists says that another container runs from the same repository.
	exists bool
}

var (
	quotedWord  = regexp.MustCompile(`"[^"\s]*"`)
	urlWord     = regexp.MustCompile(`https?://[^/\s"?]*[^/\s"?:,](?:[^\s"]*[^\s":,])?|pulling from host \S+`)
	askedHost   = regexp.MustCompile(`(?:\b(?:get|head|post) "?|request to |status code |at )https?://([^/\s"?]*[^/\s"?:,])|pulling from host (\S+)`)
	digestWord  = regexp.MustCompile(`\bsha256:[0-9a-f]+`)
	refWord     = regexp.MustCompile(`\b[a-z0-9][a-z0-9._-]*(:\d+)?/[a-z0-9._/<>-]+(:[\w.<>-]+)?(@ref)?`)
	namedImage  = regexp.MustCompile(`\b(access denied|manifest) for [^\s,]*[^\s,:]|docker://\S*[^\s:]`)
	pulledImage = regexp.MustCompile(`(?:[Pp]ull(?:ing)? image|unpack image|resolve reference|Container image|manifest for|` +
		`(?:Error )?reading manifest \S+ in) "?([^\s",]+)"?`)
)

// newPull sets references, URLs and digests aside. image is what the container asks for; where it is not known, the
// message's own first reference is taken.
func newPull(message, image string, exists func(repository string) bool) *pull {
	if m := pulledImage.FindAllStringSubmatch(message, -1); image == "" && m != nil {
		image = m[len(m)-1][1]
	}
	text := strings.ToLower(message)
	p := &pull{}
	if image != "" {
		p.image = ParseReference(image)
		p.exists = exists != nil && exists(p.image.String())
	}
	p.gitlab = strings.HasSuffix(p.image.Registry, "gitlab.com") || strings.Contains(text, "/jwt/auth?")
	for _, m := range askedHost.FindAllStringSubmatch(text, -1) {
		p.hosts = append(p.hosts, cmp.Or(m[1], m[2]))
	}
	text = urlWord.ReplaceAllString(text, "url")
	text = digestWord.ReplaceAllString(text, "ref")
	text = namedImage.ReplaceAllStringFunc(text, func(words string) string {
		if before, _, ok := strings.Cut(words, " for "); ok {
			return before + " for ref"
		}
		return "ref"
	})
	if len(image) > 3 && strings.ContainsAny(image, "/:@") { // a bare name may be a word of the message
		text = strings.ReplaceAll(text, strings.ToLower(image), "ref")
	}
	text = quotedWord.ReplaceAllString(text, "ref")
	text = refWord.ReplaceAllStringFunc(text, func(word string) string {
		switch {
		case strings.HasPrefix(word, "username/password"), strings.HasPrefix(word, "i/o"), strings.HasPrefix(word, "net/http"):
			return word // words of the message that only look like a path
		}
		return "ref"
	})
	p.text = text
	return p
}
