package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// The registries' only user.
const (
	registryUser     = "lab"
	registryPassword = "lab"
)

// withPassword answers 401 to who has none, as a registry with a password file does.
func withPassword(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if ok && user == registryUser && password == registryPassword {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
		writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required", nil)
	})
}

// hub answers as Docker Hub does: whoever asks gets a token, and one for a repository that does not exist, or is private,
// opens nothing. Repositories named limited/… are over their pull rate limit.
type hub struct {
	next http.Handler
	has  func(repository string) bool
}

func (h hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if r.URL.Path == "/token" {
		writeToken(w, r)
		return
	}
	parts := regexp.MustCompile(`^/v2/(.+)/(?:manifests|blobs|tags)/`).FindStringSubmatch(r.URL.Path)
	challenge := fmt.Sprintf(`Bearer realm="http://%s/token",service="registry.docker.io"`, r.Host)
	if parts == nil {
		w.Header().Set("WWW-Authenticate", challenge)
		writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required", nil)
		return
	}
	repository := parts[1]
	challenge += fmt.Sprintf(`,scope="repository:%s:pull"`, repository)
	switch token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); {
	case token == "":
	case strings.HasPrefix(repository, "limited/"):
		writeError(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit. "+
			"https://www.docker.com/increase-rate-limit", nil)
		return
	case !h.has(repository):
		challenge += `,error="insufficient_scope"`
	default:
		h.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("WWW-Authenticate", challenge)
	writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required",
		[]map[string]string{{"Type": "repository", "Class": "", "Name": repository, "Action": "pull"}})
}

func writeToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"token": "anonymous", "access_token": "anonymous", "expires_in": 300, "issued_at": time.Now().UTC().Format(time.RFC3339),
	})
}

// writeError answers as the OCI distribution specification says; who hung up does not hear it.
func writeError(w http.ResponseWriter, status int, code, message string, detail any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	failure := map[string]any{"code": code, "message": message}
	if detail != nil {
		failure["detail"] = detail
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{failure}})
}
