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
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
	// userInfo is user:password@ in a URL. What stands before @sha256: is an image.
	userInfo = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://)([^/\s"']+)@(sha256:)?`)
	// slashedUser is user:password@ where the password holds a slash, which makes it no URL; then Go quotes what it takes for a port.
	slashedUser = regexp.MustCompile(`(://)([^\s"'@/:]*:[^\s"'@/]*[^\d\s"'@/][^\s"'@/]*/[^\s"'@]*)(@)`)
	notAPort    = regexp.MustCompile(`(invalid port )(":[^"]*")( after host)`)
	// dataSource is how Go's drivers write it: user:password@tcp(host)/name.
	dataSource = regexp.MustCompile(`(\b[\w.-]+:)([^\s@"'/]+)(@(?:tcp|unix)?[(/])`)
	// slackHook is an address that lets anyone post; a cookie's value is a session.
	slackHook = regexp.MustCompile(`(hooks\.slack\.com/services/)([\w/]+)`)
	cookie    = regexp.MustCompile(`(?i)(\bcookie\\*["']?:\s*["']?[\w.-]+=)([^\s;"',\\]+)`)
	// flagUser is the user and password that curl is given, flagPassword what clients of databases are.
	flagUser     = regexp.MustCompile(`((?:^|[\s"'\[])(?:-u|--user)["']?[ ,=]+["']?[^\s"':=]+:)([^\s"']*[^\d\s"'][^\s"']*)`)
	flagPassword = regexp.MustCompile(`(\b(?:mysql|mariadb)[^\n]*?[\s"']-p|\bredis-cli\b[^\n]*?[\s"']-a["']?[ ,]+["']?)([^\s"',]+)`)
	// queryWord is the query of a URL; signed URLs carry their signature there.
	queryWord = regexp.MustCompile(`(https?://[^\s"'?]+\?)([^\s"'<>]+)`)
	// knownToken is a credential that is known by its shape: a JSON web token, keys of AWS, Google, GitHub, GitLab, Slack.
	knownToken = regexp.MustCompile(`\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|` +
		`\bglpat-[\w-]{15,}|\bxox[abprs]-[\w-]{10,}|\bsk[-_][\w-]{20,}|\bdckr_pat_[\w-]{10,}|\bya29\.[\w-]{20,}|\bnpm_\w{30,}|\bhvs\.[\w-]{20,}`)
	// authScheme is an authorization header with its scheme; registryAuth the entry of a registry's login file.
	authScheme = regexp.MustCompile(`(?i)(\bauthorization\\*["']?\s*[:=]\s*\\*["']?(?:basic|bearer|token|digest|negotiate|apikey)\s+)([^\s"',;\\]+)`)
	// registryAuth is also written with escaped quotes, where a message holds JSON within JSON.
	registryAuth = regexp.MustCompile(`(\\*"auth\\*"\s*:\s*\\*")([^"\\]+)`)
	signature    = regexp.MustCompile(`([?&]sig=)([^\s"'&]+)`)
	// looseSecret is what may follow the name of a scheme, a header or a flag: a sentence says these words too, so that
	// the value must look like a secret.
	looseSecret = regexp.MustCompile(`(?i)(\b(?:bearer|basic) +|\bauthorization\\*["']?\s*[:=]\s*\\*["']?|(?:^|[\s"'\[])--?[\w-]*(?:passw(?:or)?d|token|secret|api-?key)["']?,? +["']?)` +
		`([^\s"',;\\]+)`)
	// secretPair is a key that names a secret, with its value, as in JSON, YAML, environment variables and command lines.
	secretPair = regexp.MustCompile(`(?i)(\\*["']?)([\w./-]*)(passw(?:or)?d|passphrase|pass|pwd|secret|token|auth|(?:api|access|account|encryption|private|signing)[_-]?key|credential|signature)([\w-]*)` +
		`(\\*["']?[ \t]*[=:][ \t]*)(\\+"[^"]*"?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"',;&)}]+)`)
)

// plainQuery matches query parameters that say something and hold no secret.
var plainQuery = regexp.MustCompile(`(?i)^(timeout|service|scope|ns|limit|region)$`)

var (
	// plainWord are words of sentences that stand behind "password:" and the like.
	plainWord = regexp.MustCompile(`(?i)^(unexpected|failed|not|no|invalid|missing|the|unauthorized|secret|error|rpc|authentication|status|must|cannot|could|required|` +
		`denied|access|flag|option|argument|value|and|or|to|for|with|pull|context|dial|get|post|head|read|request|received|user|permission|incorrect|wrong|expired|is|was|x509|http2?)$`)
	// plainSuffix are ends of keys that name or describe a secret and do not hold it: secretName, tokenExpirationSeconds.
	plainSuffix = regexp.MustCompile(`(?i)^s?[_-]?(names?|refs?|key_?ref|namespace|file|path|dir|type|class|policy|service|count|ttl|(expiration|rotation)?[_-]?seconds)$`)
	plainPath   = regexp.MustCompile(`^(/[a-z0-9._-]+)+/?$`)
	plainNumber = regexp.MustCompile(`^\d+[KMGTPEkm]?i?$`)
	letter      = regexp.MustCompile(`[A-Za-z]`)
	digit       = regexp.MustCompile(`[0-9]`)
)

// redaction takes one kind of credential away. hints are lower-case parts of which a text that holds one has at least
// one: most messages have none, and a search for a part costs little. Where nothing judges a match, instead is put there.
type redaction struct {
	hints   string // between strokes
	pattern *regexp.Regexp
	instead string
	judge   func(groups []string) string
}

const (
	whole = redacted
	group = "${1}" + redacted + "${3}"
)

// redactions is an array of constants, so that none is made anew for each message.
func redactions() [16]redaction {
	return [...]redaction{
		{"-----begin", privateKey, whole, nil},
		{"@", userInfo, "", redactUser},
		{"@", slashedUser, group, nil},
		{"@", dataSource, group, nil},
		{"invalid port", notAPort, group, nil},
		{"hooks.slack", slackHook, group, nil},
		{"cookie", cookie, group, nil},
		{"-u|--user", flagUser, group, nil},
		{"mysql|mariadb|redis-cli", flagPassword, group, nil},
		{"?", queryWord, "", redactQuery},
		{"eyj|akia|asia|aiza|gh|glpat-|xox|sk-|sk_|dckr_|ya29.|npm_|hvs.", knownToken, whole, nil},
		{"authorization", authScheme, group, nil},
		{`"auth`, registryAuth, group, nil},
		{"sig=", signature, group, nil},
		{"bearer|basic|authorization|passw|token|secret|key", looseSecret, "", redactLoose},
		{"pass|pwd|secret|token|_auth|-auth|key|credential|signature", secretPair, "", redactPair},
	}
}

// mayHelp says that a text in lower case has one of the hints.
func (r *redaction) mayHelp(lower string) bool {
	for hint := range strings.SplitSeq(r.hints, "|") {
		if strings.Contains(lower, hint) {
			return true
		}
	}
	return false
}

func (r *redaction) apply(message string) string {
	if r.judge == nil {
		return r.pattern.ReplaceAllString(message, r.instead)
	}
	return r.pattern.ReplaceAllStringFunc(message, func(match string) string { return r.judge(r.pattern.FindStringSubmatch(match)) })
}

// Redact removes credentials, signatures of URLs and tokens from a message, and bounds its length. It keeps everything
// that says why. A second time changes nothing more.
func Redact(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage]
	}
	message = strings.ToValidUTF8(message, "�")
	lower := strings.ToLower(message)
	for _, r := range redactions() {
		if r.mayHelp(lower) {
			message = r.apply(message)
		}
	}
	if len(message) > shown {
		message = strings.ToValidUTF8(message[:shown], "") + "…"
	}
	return message
}

func redactUser(m []string) string {
	if m[3] != "" {
		return m[0]
	}
	return m[1] + redacted + "@"
}

// redactLoose hides what looks like a secret, and behind a password's flag whatever is no word of a sentence and no other flag.
func redactLoose(m []string) string {
	password := strings.Contains(strings.ToLower(m[1]), "passw") && !plainWord.MatchString(m[2]) && !plainPath.MatchString(m[2]) && m[2][0] != '-'
	if !password && !looksSecret(m[2]) {
		return m[0]
	}
	return m[1] + redacted
}

func redactQuery(m []string) string {
	address, query, _ := strings.Cut(m[0], "?")
	tail := ""
	if trimmed := strings.TrimRight(query, `:;,.)]`); trimmed != query {
		tail, query = query[len(trimmed):], trimmed
	}
	params := strings.Split(query, "&")
	for i, param := range params {
		name, _, hasValue := strings.Cut(param, "=")
		if hasValue && !plainQuery.MatchString(name) {
			params[i] = name + "=" + redacted
		}
	}
	return address + "?" + strings.Join(params, "&") + tail
}

// redactPair hides the value of a key that names a secret. Kubernetes' sentences have the same shape ("failed to fetch
// token: dial tcp …"): behind a colon only a password, a quoted value of a quoted key, or what looks like a secret is one.
func redactPair(m []string) string {
	quote, prefix, word, suffix, separator, value := m[1], m[2], strings.ToLower(m[3]), m[4], m[5], m[6]
	open := value[:len(value)-len(strings.TrimLeft(value, `\"'`))]
	core := strings.TrimRight(value[len(open):], `\"'`)
	end := value[len(open)+len(core):]
	if open == "" {
		trimmed := strings.TrimRight(core, ":.")
		core, end = trimmed, core[len(trimmed):]+end
	}
	hidden := strings.TrimSuffix(m[0], value) + open + redacted + end
	keep := core == redacted || !letter.MatchString(core) && !digit.MatchString(core) || plainSuffix.MatchString(suffix) ||
		plainPath.MatchString(core) || plainNumber.MatchString(core) && suffix == "s"
	password := strings.HasPrefix(word, "pass") || word == "pwd"
	switch {
	case keep, plainShort(prefix, word, suffix, separator):
		return m[0]
	case strings.Contains(separator, "="):
		return hidden
	case strings.Contains(quote, `"`) && open != "":
		return hidden // JSON
	case separator == ":" && open == "" && (strings.Contains(prefix, "/") || suffix != "" || !password && len(core) < 16):
		return m[0] // the tag of an image, a port
	case password && open == "" && (plainWord.MatchString(core) || strings.HasPrefix(end, ":") && !digit.MatchString(core)):
		return m[0]
	case password, looksSecret(core):
		return hidden
	}
	return m[0]
}

// plainShort says that pass or auth are no key of their own: part of another word (bypass, passed), or a way to authenticate.
func plainShort(prefix, word, suffix, separator string) bool {
	switch word {
	case "pass":
	case "auth":
		if prefix == "" || !strings.Contains(separator, "=") {
			return true
		}
	default:
		return false
	}
	return suffix != "" || prefix != "" && !strings.ContainsAny(prefix[len(prefix)-1:], "_-./")
}

// looksSecret tells a random value from a word of a sentence: letters and digits in one, or very long.
func looksSecret(value string) bool {
	value = strings.TrimRight(value, ":.")
	switch {
	case value == redacted, plainWord.MatchString(value), plainPath.MatchString(value), strings.HasPrefix(value, "http://"),
		strings.HasPrefix(value, "https://"), strings.HasPrefix(value, "sha256:"):
		return false
	}
	return len(value) >= 24 || len(value) >= 6 && letter.MatchString(value) && digit.MatchString(value)
}
