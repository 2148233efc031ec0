package classify

import "testing"

func TestParseReference(t *testing.T) {
	for image, want := range map[string]string{
		"nginx":                          "docker.io/library/nginx",
		"nginx:1.27":                     "docker.io/library/nginx",
		"docker.io/nginx:1":              "docker.io/library/nginx",
		"docker.io/library/nginx":        "docker.io/library/nginx",
		"index.docker.io/library/nginx":  "docker.io/library/nginx",
		"registry-1.docker.io/me/web":    "docker.io/me/web",
		"me/web:latest":                  "docker.io/me/web",
		"r.example/web":                  "r.example/web",
		"r.example:5000/a/b:1":           "r.example:5000/a/b",
		"r.example:5000/a/b@sha256:12ab": "r.example:5000/a/b",
		"r.example/a/b:1@sha256:12ab":    "r.example/a/b",
		"localhost/web:1":                "localhost/web",
		"localhost:5000/web":             "localhost:5000/web",
		"127.0.0.1:5000/web:1":           "127.0.0.1:5000/web",
		"daocloud/library/nginx":         "docker.io/daocloud/library/nginx",
		"nginx@sha256:12ab":              "docker.io/library/nginx",
		"":                               "docker.io/library/",
		":":                              "docker.io/library/",
		"@":                              "docker.io/library/",
		"r.example/":                     "r.example/",
	} {
		if got := ParseReference(image).String(); got != want {
			t.Errorf("%q: got %q, want %q", image, got, want)
		}
	}
}

func TestReferenceKnowsItsRegistry(t *testing.T) {
	for image, want := range map[string][2]bool{ // an official image; a registry that denies what is missing
		"busybox":                           {true, true},
		"docker.io/library/busybox:1":       {true, true},
		"me/web":                            {false, true},
		"quay.io/a/b":                       {false, true},
		"ghcr.io/a/b":                       {false, true},
		"mirror.example/library/nginx":      {false, false},
		"harbor.example/docker.io/library/": {false, false},
		"daocloud/library/nginx":            {false, true},
		"gcr.io/a/b":                        {false, false},
	} {
		r := ParseReference(image)
		if got := [2]bool{r.hubOfficial(), r.deniesMissing()}; got != want {
			t.Errorf("%q: got %v, want %v", image, got, want)
		}
	}
}

func TestPulledRepository(t *testing.T) {
	for id, want := range map[string]string{
		"r.example/shop/web@sha256:12ab":      "r.example/shop/web",
		"docker-pullable://nginx@sha256:12ab": "docker.io/library/nginx",
		"docker.io/library/nginx@sha256:12ab": "docker.io/library/nginx",
		"docker://sha256:12ab":                "", // built or loaded on the node
		"sha256:12ab":                         "",
		"containerd://12ab":                   "",
		"":                                    "",
		"import-2026-01-01@sha256:12ab":       "docker.io/library/import-2026-01-01",
		"docker-pullable://r.example:5000/a/b@sha256:12ab": "r.example:5000/a/b",
		"@sha256:12ab": "",
		"docker.io/library/import-2026-01-01@sha256:1@sha256:2": "docker.io/library/import-2026-01-01",
	} {
		if got := PulledRepository(id); got != want {
			t.Errorf("%q: got %q, want %q", id, got, want)
		}
	}
}
