//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestDockerfileBuildsTheSame does by hand what Docker does in the first stage: the Dockerfile's RUN, with nothing but what .dockerignore
// leaves in, and without git. It makes the binary of the image, byte by byte.
func TestDockerfileBuildsTheSame(t *testing.T) {
	if *dist == "" {
		t.Skip("no image to compare with is given: make check-image")
	}
	image, _ := openLayout(t, filepath.Join(*dist, "image-linux-"+runtime.GOARCH+".tar"))
	binary := read(t, unpack(t, image), "kube-failure-exporter")

	context := t.TempDir()
	for _, line := range strings.Fields(string(read(t, "../../.dockerignore"))) {
		if kept, ok := strings.CutPrefix(line, "!"); ok {
			copyTree(t, filepath.Join("../..", kept), filepath.Join(context, kept))
		}
	}
	command := regexp.MustCompile(`(?m)^RUN (GOOS=.*\\\n.*)$`).FindStringSubmatch(string(read(t, "../../deploy/Dockerfile")))
	if command == nil {
		t.Fatal("the Dockerfile has no RUN GOOS=…")
	}
	built := filepath.Join(context, "built")
	script := strings.Replace(command[1], "BIN=/kube-failure-exporter", "BIN="+built, 1)
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
	cmd.Dir = context
	// What Docker knows, and what comes as build arguments.
	cmd.Env = append(os.Environ(), "TARGETOS=linux", "TARGETARCH="+runtime.GOARCH, "MAKEFLAGS=",
		"VERSION=", "REVISION="+git(t, "rev-parse", "HEAD"), "BRANCH="+git(t, "rev-parse", "--abbrev-ref", "HEAD"),
		"BUILD_DATE="+git(t, "log", "-1", "--format=%cd", "--date=format-local:%Y%m%d-%H:%M:%S"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	if !bytes.Equal(read(t, built), binary) {
		t.Error("the Dockerfile makes another binary than `make image`")
	}
}

func git(t *testing.T, arguments ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", arguments...)
	cmd.Env = append(os.Environ(), "TZ=UTC0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %q: %v", arguments, err)
	}
	return strings.TrimSpace(string(out))
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		err = os.WriteFile(to, read(t, from), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
