package classify

import (
	"regexp"
	"strings"
)

// redacted stands where a credential stood.
const redacted = "REDACTED"

// shown is how much of a message people get to see.
const shown = 4 << 10

var (
	// userInfo is user:password@ in a URL.
	userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s"'@]+@`)
	// queryWord is the query of a URL; signed URLs carry their signature there.
	queryWord = regexp.MustCompile(`(https?://[^\s"'?]+\?)([^\s"'<>]+)`)
	// authHeader is what follows the name of an authorization scheme or header.
	authHeader = regexp.MustCompile(`(?i)\b(authorization: *(?:\w+ +)?|bearer +|basic +(?:[a-z0-9+/]*={1,2}|[a-z0-9+/]{16,}))[^\s"',;]*`)
	// secretPair is a key that names a secret, with its value, as in JSON, YAML, environment variables and command lines.
	secretPair = regexp.MustCompile(`(?i)((?:--?)?[\w.-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature|"auth")` +
		`[\w-]*["']?\s*[=:]\s*)("[^"]+"|'[^']+'|[^\s"',;&)}]+)`)
	// knownToken is a credential that is known by its shape: a JSON web token, keys of AWS, Google, GitHub, GitLab, Slack.
	knownToken = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|` +
		`\bglpat-[\w-]{15,}|\bxox[abprs]-[\w-]{10,}|\bsk-[A-Za-z0-9]{20,}|\bdckr_pat_[\w-]{10,}|\bya29\.[\w-]{20,}`)
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
)

// plainQuery are query parameters that say something and hold no secret.
var plainQuery = map[string]bool{"timeout": true, "service": true, "scope": true, "ns": true, "limit": true, "region": true}

// plainWord are values behind a secret-sounding key that are words of Kubernetes' own sentences.
var plainWord = regexp.MustCompile(`(?i)^(unexpected|failed|not|no|invalid|missing|the|unauthorized|secret|error|rpc|authentication|status|must|cannot|could)$`)

// Redact removes credentials, signatures of URLs and tokens from a message, and bounds its length. It keeps everything
// that says why.
func Redact(message string) string {
	if message == "" {
		return message
	}
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	message = strings.ToValidUTF8(message, "�")
	message = privateKey.ReplaceAllString(message, redacted)
	message = userInfo.ReplaceAllString(message, "${1}"+redacted+"@")
	message = queryWord.ReplaceAllStringFunc(message, redactQuery)
	message = authHeader.ReplaceAllString(message, "${1}"+redacted)
	message = knownToken.ReplaceAllString(message, redacted)
	message = secretPair.ReplaceAllStringFunc(message, redactPair)
	if len(message) > shown {
		message = strings.ToValidUTF8(message[:shown], "") + "…"
	}
	return message
}

func redactQuery(match string) string {
	address, query, _ := strings.Cut(match, "?")
	tail := ""
	if trimmed := strings.TrimRight(query, `:;,.)]`); trimmed != query {
		tail, query = query[len(trimmed):], trimmed
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		name, _, hasValue := strings.Cut(param, "=")
		if hasValue && !plainQuery[strings.ToLower(name)] {
			params[i] = name + "=" + redacted
		}
	}
	return address + "?" + strings.Join(params, "&") + tail
}

func redactPair(match string) string {
	m := secretPair.FindStringSubmatch(match)
	value := strings.Trim(m[2], `"'`)
	if value == redacted || plainWord.MatchString(strings.TrimRight(value, ".:")) || strings.HasSuffix(m[2], ":") || strings.HasPrefix(value, "/") ||
		strings.HasPrefix(value, "http") {
		return match
	}
	return m[1] + redacted
}
