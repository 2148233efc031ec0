package cluster

import "testing"

func TestGoModTakesOverWhatARequirementLoses(t *testing.T) {
	b := build{module: "k8s.io/kubernetes", version: "v1.36.3", staging: "v0.36.3"}
	got := string(b.goMod(`module k8s.io/kubernetes

go 1.26.0

godebug default=go1.26

godebug (
	winsymlink=0
)

require k8s.io/api v0.0.0

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/client-go => ./staging/src/k8s.io/client-go
)
`))
	const want = `module build

go 1.26.0
godebug default=go1.26
godebug (
	winsymlink=0
)

require k8s.io/kubernetes v1.36.3

replace k8s.io/api => k8s.io/api v0.36.3
replace k8s.io/client-go => k8s.io/client-go v0.36.3
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
