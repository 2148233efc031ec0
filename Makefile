BIN     := bin/kube-failure-exporter
PKG     := github.com/prometheus/common/version
VERSION := $(shell cat VERSION)

# The commit's date and not today's, so that one commit always gives the same binary. Where there is no git, as in the Dockerfile,
# they come as arguments.
REVISION   ?= $(shell git rev-parse HEAD 2>/dev/null)
BRANCH     ?= $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null)
BUILD_DATE ?= $(shell TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y%m%d-%H:%M:%S 2>/dev/null)
EPOCH      ?= $(shell git log -1 --format=%ct 2>/dev/null)

LDFLAGS := -s -w \
	-X $(PKG).Version=$(VERSION) \
	-X $(PKG).Revision=$(REVISION) \
	-X $(PKG).Branch=$(BRANCH) \
	-X $(PKG).BuildDate=$(BUILD_DATE)

# Without the stamp of git that Go adds by itself, which says less and is missing where there is no git.
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

IMAGE     := ghcr.io/kube-failure-exporter/kube-failure-exporter
CHARTS    := oci://ghcr.io/kube-failure-exporter/charts
PLATFORMS := amd64 arm64

# The tools are modules of their own, so that who imports this module never downloads them. A promtool on PATH spares minutes of
# building one; without its service discoveries, which check nothing here, much of what it would compile falls away.
GOLANGCI := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint
ACTIONLINT  := go tool -modfile=$(CURDIR)/tools/actionlint/go.mod actionlint
GOVULNCHECK := go tool -modfile=$(CURDIR)/tools/govulncheck/go.mod govulncheck
# goreleaser takes from here all that it would else find out itself, and from the PATH what writes the SBOMs.
GORELEASER = PATH="$$(dirname "$$(go tool -modfile=$(CURDIR)/tools/sbom/go.mod -n cyclonedx-gomod)"):$$PATH" LDFLAGS='$(LDFLAGS)' VERSION='$(VERSION)' \
	SOURCE_DATE_EPOCH='$(EPOCH)' COMMIT_DATE="$$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" \
	go tool -modfile=$(CURDIR)/tools/goreleaser/go.mod goreleaser
HELM     := go tool -modfile=$(CURDIR)/tools/helm/go.mod helm
PROMTOOL := $(or $(shell command -v promtool),GOFLAGS="$$GOFLAGS -tags=remove_all_sd" go tool -modfile=$(CURDIR)/tools/promtool/go.mod promtool)

E2E_VERSIONS := test/cluster/versions.txt
VERSIONS     ?= $(shell tail -n 1 $(E2E_VERSIONS))
E2E          := go test -tags e2e -count=1 -p 1 -parallel 4 -v -timeout 60m

FUZZTIME  ?= 20s
BENCHTIME ?= 1s
PODS      ?= 1000
DEMO_ADDR ?= 127.0.0.1:19992

.PHONY: build run demo test lint generate check-generated check-metrics bench fuzz e2e e2e-all e2e-short e2e-install scale check-dashboards browser chart push-chart image check-image push-image check-release release vulncheck check-workflows clean help

build: ## Build bin/kube-failure-exporter.
	$(GOBUILD) -o $(BIN) ./cmd/exporter

run: build ## Serve against the cluster of the current kubeconfig.
	$(BIN) serve

demo: build ## Serve a recorded cluster: nothing else is needed.
	$(BIN) serve --demo

test: ## Run all tests that need no cluster, with the race detector.
	cd test && go test ./...
	cd tools/image && go test ./...
	go test -race ./...

lint: ## Run the linters.
	$(GOLANGCI) run ./...
	cd test && $(GOLANGCI) run ./...
	cd tools/image && $(GOLANGCI) run ./...

generate: ## Write again what is generated from the catalogue and the code.
	go generate ./...

check-generated: generate ## Fail if what is generated is not what is committed.
	git diff --exit-code
	@new=$$(git ls-files --others --exclude-standard); \
	if [ -n "$$new" ]; then printf 'not committed:\n%s\n' "$$new"; exit 1; fi

check-metrics: build ## Run promtool's checks on the /metrics of the demo.
	.ci/scrape-demo $(BIN) $(DEMO_ADDR) >bin/demo.metrics
	$(PROMTOOL) check metrics <bin/demo.metrics

bench: ## Run the benchmarks.
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

fuzz: ## Run each fuzz target for FUZZTIME.
	.ci/fuzz $(FUZZTIME)

e2e: ## Test on a real Kubernetes (VERSIONS="1.33.13 …"; the newest by default), built once. Best as root: else without a node.
	@for version in $(VERSIONS); do (cd test && KFE_E2E_VERSION=$$version $(E2E) -skip TestInstall ./cluster ./e2e) || exit; done

e2e-all: ## The same on every version of Kubernetes that is tested.
	$(MAKE) e2e VERSIONS="$$(cat $(E2E_VERSIONS) | xargs)"

e2e-short: ## Less of it, in minutes: shorter outages, smaller floods, nothing that takes long to show; of the oldest version the scenarios alone.
	KFE_E2E_SHORT=1 $(MAKE) e2e
	cd test && KFE_E2E_SHORT=1 KFE_E2E_VERSION=$(shell head -n 1 $(E2E_VERSIONS)) $(E2E) -run 'TestCluster/Watched' ./e2e

e2e-install: ## Install by chart, kustomize and manifest on a real Kubernetes, where the exporter then runs as a pod (needs root).
	cd test && KFE_E2E_VERSION=$(lastword $(VERSIONS)) $(E2E) -run TestInstall ./e2e

scale: ## Measure what it costs beside PODS pods of a real API server (1000 by default; 100000 takes a quarter of an hour).
	cd test && KFE_SCALE_PODS=$(PODS) $(E2E) -run TestScale ./scale

check-dashboards: ## Let Grafana's published types check the dashboards (needs npm).
	KFE_GRAFANA_TYPES=1 go test -count=1 -run TestGrafanaTypes ./dashboards

browser: ## Look at the pages with Chromium and axe-core (SHOTS=DIR: pictures).
	cd test/browser && npm ci --ignore-scripts --no-audit --no-fund
	cd test && go test -tags browser -count=1 -v ./browser $(if $(SHOTS),-shots $(abspath $(SHOTS)))

chart: ## Package the Helm chart into dist/.
	$(HELM) package deploy/chart --destination dist

push-chart: chart ## Push the chart to the registry. Needs `docker login ghcr.io`.
	$(HELM) push dist/kube-failure-exporter-$(VERSION).tgz $(CHARTS)

image: ## Write dist/image-linux-amd64.tar and -arm64.tar, for `docker load` or `ctr images import`. Needs no Docker.
	@for arch in $(PLATFORMS); do GOOS=linux GOARCH=$$arch $(GOBUILD) -o dist/linux-$$arch/kube-failure-exporter ./cmd/exporter || exit; done
	@cd tools/image && SOURCE_DATE_EPOCH=$(EPOCH) go run . $(if $(PUSH),-push) -tag $(IMAGE):v$(VERSION) -arg VERSION=$(VERSION) -arg REVISION=$(REVISION) \
		$(foreach arch,$(PLATFORMS),$(arch)=../../dist/linux-$(arch)/kube-failure-exporter)

check-image: image ## Run what is in the image as the user that it names, with nothing else around (as root), and build it as the Dockerfile does.
	cd tools/image && go test -count=1 . -dist ../../dist

push-image: ## Write the images, and push them as one. Needs `docker login ghcr.io`.
	@$(MAKE) --no-print-directory image PUSH=1

check-release: image ## Make all that a release has, publish nothing, and check it (minutes: goreleaser is large, and there are six platforms).
	$(GORELEASER) check
	$(GORELEASER) release --snapshot --clean
	tools/goreleaser/verify $(VERSION)

release: image ## Publish a draft of the release whose tag is checked out: for .github/workflows/release.yml.
	@[ "$$(git describe --exact-match --tags HEAD)" = "v$(VERSION)" ] || { echo 'the commit has no tag v$(VERSION)'; exit 1; }
	tools/goreleaser/notes $(VERSION) >dist/notes.md
	$(GORELEASER) release --clean --release-notes=dist/notes.md

vulncheck: ## Look up what is called in Go's database of vulnerabilities, which must be reachable.
	@for module in . test tools/image; do (cd $$module && $(GOVULNCHECK) ./...) || exit; done

check-workflows: ## Check .github/workflows.
	$(ACTIONLINT)

clean: ## Remove what was built.
	rm -rf bin dist

help: ## List the targets.
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18
