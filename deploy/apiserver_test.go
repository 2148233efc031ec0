package deploy

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// right is what RBAC grants.
type right struct{ verb, group, resource string }

// access is what a client asks for; without a namespace for all of them, or for what is in none.
type access struct {
	right
	namespace string
}

// apiServer is one of an empty cluster. It lets its client do what a role grants, and keeps what it was asked.
type apiServer struct {
	*httptest.Server
	rights    []right
	namespace string // of the role; empty for a ClusterRole's

	mu      sync.Mutex
	asked   map[access]bool
	strange []string
}

func newAPIServer(t *testing.T, rights []right, namespace string) *apiServer {
	t.Helper()
	s := &apiServer{rights: rights, namespace: namespace, asked: map[access]bool{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, known := accessOf(r)
	s.mu.Lock()
	if known {
		s.asked[a] = true
	} else {
		s.strange = append(s.strange, r.Method+" "+r.URL.String())
	}
	s.mu.Unlock()
	resource := schema.GroupResource{Group: a.group, Resource: a.resource}
	switch {
	case !known:
		answer(w, apierrors.NewNotFound(resource, r.URL.Path).Status())
	case !s.allows(a):
		answer(w, apierrors.NewForbidden(resource, "", nil).Status())
	case a.verb == "watch" && r.URL.Query().Get("sendInitialEvents") == "true":
		// As one that cannot stream lists, so that lists are asked for too.
		answer(w, apierrors.NewInvalid(schema.GroupKind{Kind: "ListOptions"}, "", nil).Status())
	case a.verb == "watch":
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	default:
		answer(w, metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: schema.GroupVersion{Group: a.group, Version: "v1"}.String(), Kind: listKind(a.group, a.resource)},
			ListMeta: metav1.ListMeta{ResourceVersion: "1"}, Code: http.StatusOK,
		})
	}
}

// answer sends a status, or a list without items, which looks the same.
func answer(w http.ResponseWriter, status metav1.Status) {
	if status.Kind == "" {
		status.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(status.Code))
	_ = json.NewEncoder(w).Encode(status)
}

func (s *apiServer) allows(a access) bool {
	return slices.Contains(s.rights, a.right) && (s.namespace == "" || s.namespace == a.namespace)
}

// asks returns what was asked so far, and what of it is neither a list nor a watch of something that Kubernetes has.
func (s *apiServer) asks() (asked []access, strange []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.asked)), slices.Clone(s.strange)
}

// accessOf reads a request for a list or a watch as RBAC does.
func accessOf(r *http.Request) (a access, ok bool) {
	path := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(path) > 2 && path[0] == "api" && path[1] == "v1":
		path = path[2:]
	case len(path) > 3 && path[0] == "apis" && path[2] == "v1":
		a.group, path = path[1], path[3:]
	default:
		return a, false
	}
	if len(path) > 2 && path[0] == "namespaces" {
		a.namespace, path = path[1], path[2:]
	}
	a.verb, a.resource = "list", path[0]
	if r.URL.Query().Get("watch") != "" {
		a.verb = "watch"
	}
	return a, r.Method == http.MethodGet && len(path) == 1 && listKind(a.group, a.resource) != ""
}

// listKind is PodList for pods, and empty for what Kubernetes does not have.
func listKind(group, resource string) string {
	for kind := range scheme.Scheme.AllKnownTypes() {
		if plural, _ := meta.UnsafeGuessKindToResource(kind); kind.Group == group && kind.Version == "v1" && plural.Resource == resource {
			return kind.Kind + "List"
		}
	}
	return ""
}

// rightsOf are the rights that rules grant, wildcards and all.
func rightsOf(rules []rbacv1.PolicyRule) []right {
	var rights []right
	for _, rule := range rules {
		for _, verb := range rule.Verbs {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					rights = append(rights, right{verb, group, resource})
				}
			}
		}
	}
	return rights
}
