package classify

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// hidden are messages with a credential, which stands between « and ».
var hidden = map[string]string{
	"user and password in a URL":      `Get "https://«robot:hunter2»@r.example/v2/": EOF`,
	"token in a URL's user":           `fatal: repository https://«oauth2»@gitlab.example/a.git`,
	"password with an at sign":        `dial postgres://«app:p@ss»@db.example:5432/app failed`,
	"password with a colon":           `redis://«:a:b1»@cache:6379`,
	"user and no password":            `amqp://«guest»@mq:5672`,
	"Amazon's signed URL":             `unexpected status from GET request to https://s3.example/b?X-Amz-Algorithm=AWS4&X-Amz-Credential=«AKIAIOSFODNN7EXAMPLE%2F20260101»&X-Amz-Signature=«fe5f80f77d5fa3be»: 403 Forbidden`,
	"Azure's signed URL":              `Get "https://a.blob.core.windows.net/c/d?sv=2024-01-01&sr=b&sig=«aB3%2FxyZ%3D»": EOF`,
	"signature without its URL":       `the parameters ?sv=2024&sig=«aB3xyZ» are rejected`,
	"Google's signed URL":             `https://storage.example/a?GoogleAccessId=x&Expires=1&Signature=«Zm9v%2B»`,
	"token in a query":                `GET https://r.example/v2/a?token=«abc123def»&timeout=10s: 401`,
	"access token in a query":         `wget: https://api.example/a?access_token=«abc123» failed`,
	"bearer token":                    `request failed: Authorization: Bearer «mF_9.B5f-4.1JqM»`,
	"bearer token, lower case":        `curl -H "authorization: bearer «abc123def456»"`,
	"bearer token alone":              `sent Bearer «abc123def456», got 401`,
	"basic credentials":               `Authorization: Basic «cm9ib3Q6aHVudGVyMg==»`,
	"basic credentials alone":         `header Basic «cm9ib3Q6aHVudGVyMjM0NTY» refused`,
	"authorization in JSON":           `{"Authorization":"Bearer «abc123def456»"}`,
	"JSON web token":                  `token «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P» expired`,
	"Amazon's key":                    `The AWS Access Key Id «AKIAIOSFODNN7EXAMPLE» does not exist`,
	"Amazon's temporary key":          `using «ASIAIOSFODNN7EXAMPLE»`,
	"Amazon's secret":                 `AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»`,
	"Google's key":                    `key «AIzaSyA1234567890abcdefghijklmnopqrstuv» not valid`,
	"GitHub's token":                  `remote: «ghp_16C7e42F292c6912E7710c838347Ae178B4a» was revoked`,
	"GitHub's new token":              `«github_pat_11ABCDEFG0abcdefghijklmn_opqrstuv» denied`,
	"GitLab's token":                  `«glpat-ABCdef123456789ghijk» denied`,
	"Slack's token":                   `posting with «xoxb-123456789012-abcdefghij» failed`,
	"password in the environment":     `DB_PASSWORD=«hunter2» is wrong`,
	"password, a plain word":          `password=«secret»`,
	"password in YAML":                `password: «hunter2»`,
	"password, letters only":          `cannot log in with password: «correcthorse»`,
	"password in quotes":              `cannot log in: password="«correct horse»"`,
	"password in JSON":                `{"user":"a","password":"«correct horse»"}`,
	"password in JSON in a string":    `{\"user\":\"a\",\"password\":\"«hunter2»\"}`,
	"password in a connection string": `Server=db;User Id=app;Pwd=«hunter2»;Database=x`,
	"password as a flag":              `exec: "app --password «hunter2» --port 80"`,
	"password as a flag with =":       `app --db-password=«hunter2»`,
	"quotation that does not end":     `password="«hunter2 and more»`,
	"token in YAML":                   `token: «a1b2c3d4e5f6»`,
	"client secret":                   `client_secret=«8f3a-11» is unknown`,
	"API key header":                  `X-Api-Key: «8f3a11bc»`,
	"registry's auths":                `invalid config: {"auths":{"r.example":{"auth":"«cm9ib3Q6aHVudGVyMg==»"}}}`,
	"registry's auths in a string":    `{\"auths\":{\"r.example\":{\"auth\":\"«cm9ib3Q6aA==»\"}}}`,
	"password with a slash":           `parse "postgres://«app:p4ss/w0rd»@db:5432/app": invalid port ":«p4ss»" after host`,
	"password, shortened":             `DB_PASS=«hunter2» PASS=«hunter3»`,
	"password, shortened, in JSON":    `{"pass":"«hunter2»"}`,
	"auth in the environment":         `REDIS_AUTH=«hunter2»`,
	"Azure's connection string":       `AccountName=shop;AccountKey=«Zm9vYmFy»;EndpointSuffix=x`,
	"encryption key":                  `encryption_key=«abcdef123456789»`,
	"data source":                     `dial app:«S3cretPw»@tcp(db:3306)/app: refused`,
	"data source on this host":        `dsn=app:«hunter2»@/shop`,
	"curl's user":                     `command timed out: "curl -u admin:«hunter2» http://127.0.0.1/" timed out after 1s`,
	"curl's user in a list":           `exec: ["curl","--user","admin:«hunter2»"]`,
	"client of a database":            `command timed out: "mysqladmin ping -uroot -p«hunter2»" timed out after 1s`,
	"client of a cache":               `command timed out: "redis-cli -a «hunter2» ping" timed out after 1s`,
	"password as a flag, letters":     `command timed out: "app --password «swordfish»" timed out after 1s`,
	"Slack's webhook":                 `Post "https://hooks.slack.com/services/«T000/B000/abcDEF»": EOF`,
	"cookie":                          `got Set-Cookie: JSESSIONID=«A1B2C3»; Path=/`,
	"private key":                     "reading key: «-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----» failed",
	"private key that is cut off":     "key «-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKCAQEA»",
}

func TestRedactHides(t *testing.T) {
	for name, marked := range hidden {
		message := strings.NewReplacer("«", "", "»", "").Replace(marked)
		got := Redact(message)
		for rest := marked; ; {
			_, after, ok := strings.Cut(rest, "«")
			if !ok {
				break
			}
			credential, tail, _ := strings.Cut(after, "»")
			if strings.Contains(got, credential) {
				t.Errorf("%s: %q still stands in\n\t%s", name, credential, got)
			}
			rest = tail
		}
		if !strings.Contains(got, redacted) {
			t.Errorf("%s: nothing says that something was taken away: %s", name, got)
		}
		if again := Redact(got); again != got {
			t.Errorf("%s: the second time gives\n\t%s\nafter\n\t%s", name, again, got)
		}
	}
}

// TestRedactKeepsTheRest proves that what says why stands beside what is hidden.
func TestRedactKeepsTheRest(t *testing.T) {
	for message, want := range map[string]string{
		`Get "https://robot:hunter2@r.example/v2/": EOF`:                                        `Get "https://REDACTED@r.example/v2/": EOF`,
		`GET https://r.example/v2/a?token=abc123def&timeout=10s: 401 Unauthorized`:              `GET https://r.example/v2/a?token=REDACTED&timeout=10s: 401 Unauthorized`,
		`unexpected status from GET https://s3.example/b?X-Amz-Signature=fe5f80: 403 Forbidden`: `unexpected status from GET https://s3.example/b?X-Amz-Signature=REDACTED: 403 Forbidden`,
		`{"user":"a","password":"hunter2","host":"db"}`:                                         `{"user":"a","password":"REDACTED","host":"db"}`,
		`Authorization: Basic cm9ib3Q6aHVudGVyMg== was refused`:                                 `Authorization: Basic REDACTED was refused`,
		`DB_PASSWORD=hunter2 DB_HOST=db: connection refused`:                                    `DB_PASSWORD=REDACTED DB_HOST=db: connection refused`,
	} {
		if got := Redact(message); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// plainMessages must stay as they are: they only sound as if they held a secret.
var plainMessages = []string{
	``,
	`secret "api" not found`,
	`couldn't find key token in Secret apps/api`,
	`references non-existent secret key: token`,
	`failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://r.example/token?scope=repository%3Aa%3Apull&service=r.example: 401 Unauthorized`,
	`failed to fetch oauth token: Post "https://auth.docker.io/token": dial tcp 10.0.0.9:443: i/o timeout`,
	`failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=repository%3Alibrary%2Fa%3Apull&service=registry.docker.io": net/http: TLS handshake timeout`,
	`failed calling webhook "inject.example": Post "https://inject.example.svc:443/inject?timeout=10s": context deadline exceeded`,
	`pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
	`pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
	`unable to retrieve auth token: invalid username/password: unauthorized: authentication required`,
	`Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.`,
	`Source image rejected: A signature was required, but no signature exists`,
	`no API token found for service account default, retry after the token is automatically created and added to the service account`,
	`MountVolume.SetUp failed for volume "kube-api-access" : failed to fetch token: serviceaccounts "web" is forbidden: User "system:node:a" cannot create resource "serviceaccounts/token"`,
	`pulled docker-pullable://nginx@sha256:0123456789abcdef`,
	`open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory`,
	`--token-file=/var/run/secrets/token: permission denied`,
	`exec: "--token": executable file not found in $PATH`,
	`the bearer authentication scheme is not supported`,
	`Www-Authenticate: Bearer realm="https://auth.example/token"`,
	`spec.imagePullSecrets: [regcred]`,
	`spec.volumes[0].secret.secretName: Required value`,
	`spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes`,
	`Back-off pulling image "r.example:5000/team/token-service:1.2"`,
	`0/3 nodes are available: 3 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }.`,
	`Readiness probe failed: Get "http://10.0.0.4:8080/ready?timeout=10s": dial tcp 10.0.0.4:8080: connect: connection refused`,
	`exceeded quota: team, requested: count/secrets=1,secrets=1, used: secrets=10, limited: secrets=10`,
	`the --password flag is required with --user`,
	`Get "http://10.0.0.4:8080/users/me@example.com": dial tcp 10.0.0.4:8080: connect: connection refused`,
	`manifest for r.example:5000/team/app@sha256:0123 not found, https://r.example:5000/team/app@sha256:0123`,
	`install -u 1000:1000 /data: bypass=yes, passed: 3, auth: basic, auth=basic`,
	`unable to fetch credentials: x509: certificate signed by unknown authority`,
}

func TestRedactKeepsPlainMessages(t *testing.T) {
	for _, message := range plainMessages {
		if got := Redact(message); got != message {
			t.Errorf("got  %s\nwant %s", got, message)
		}
	}
}

// TestRedactKeepsWhatRulesRead runs the messages of all rules through Redact: the diagnosis must be the same after it.
func TestRedactKeepsWhatRulesRead(t *testing.T) {
	for _, table := range ruleTables(New(DefaultOptions())) {
		for _, r := range table.rules {
			for _, m := range r.made {
				if got := table.tell(Redact(m)); got != r.cause {
					t.Errorf("%s: got %s, want %s after redaction:\n\t%s", table.name, got, r.cause, Redact(m))
				}
			}
		}
	}
}

// TestRedactCostsNothing proves that a message without a credential, as most are, is not copied.
func TestRedactCostsNothing(t *testing.T) {
	const plain = "back-off 10s restarting failed container=app pod=web-1_shop(0b7b0b8e)"
	if n := testing.AllocsPerRun(100, func() { Redact(plain) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestRedactBoundsItsResult(t *testing.T) {
	for name, message := range map[string]string{
		"a megabyte":             strings.Repeat("word ", 200_000),
		"multi-byte letters":     strings.Repeat("ä", 100_000),
		"a megabyte of secrets":  strings.Repeat("password=x ", 100_000),
		"not UTF-8":              strings.Repeat("\xff", 10_000),
		"a secret at the cut":    strings.Repeat("a", shown-12) + " password=hunter2hunter2",
		"cut within the marking": strings.Repeat("a", shown-4) + "ß password=hunter2",
	} {
		got := Redact(message)
		if len(got) > shown+len("…") || !utf8.ValidString(got) {
			t.Errorf("%s: %d bytes, valid UTF-8: %v", name, len(got), utf8.ValidString(got))
		}
		if again := Redact(got); again != got {
			t.Errorf("%s: the second time changes it", name)
		}
	}
}
