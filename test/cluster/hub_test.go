package cluster

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHubAnswersAsDockerHub(t *testing.T) {
	store := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the image") })
	handler := hub{next: store, has: func(repository string) bool { return repository == "library/busybox" }}
	const challenge = `Bearer realm="http://example.com/token",service="registry.docker.io"`
	tests := map[string]struct {
		path          string
		token         string
		status        int
		authenticate  string
		bodyMentioned string
	}{
		"the API":         {"/v2/", "", 401, challenge, "UNAUTHORIZED"},
		"a token":         {"/token?scope=repository:a/b:pull", "", 200, "", `"token":"anonymous"`},
		"without a token": {"/v2/library/busybox/manifests/1", "", 401, challenge + `,scope="repository:library/busybox:pull"`, "UNAUTHORIZED"},
		"with a token":    {"/v2/library/busybox/manifests/1", "anonymous", 200, "", "the image"},
		"no repository": {
			"/v2/library/nginxdoesntexist/manifests/latest", "anonymous", 401,
			challenge + `,scope="repository:library/nginxdoesntexist:pull",error="insufficient_scope"`,
			`"detail":[{"Action":"pull","Class":"","Name":"library/nginxdoesntexist","Type":"repository"}]`,
		},
		"rate limit": {"/v2/limited/app/manifests/1", "anonymous", 429, "", "TOOMANYREQUESTS"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodGet, test.path, nil)
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, request)
			if recorder.Code != test.status {
				t.Errorf("got status %d, want %d", recorder.Code, test.status)
			}
			if got := recorder.Header().Get("WWW-Authenticate"); got != test.authenticate {
				t.Errorf("got the challenge %q, want %q", got, test.authenticate)
			}
			if !strings.Contains(recorder.Body.String(), test.bodyMentioned) {
				t.Errorf("got %s, want in it %s", recorder.Body, test.bodyMentioned)
			}
		})
	}
}
