package cluster

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
)

const (
	etcdVersion       = "v3.6.16"
	containerdVersion = "v2.4.2"
)

const (
	moduleKubernetes = "k8s.io/kubernetes"
	moduleContainerd = "github.com/containerd/containerd/v2"
)

var (
	//go:embed pause/main.go
	pauseSource []byte
	//go:embed versions.txt
	versions string
)

// Versions lists the versions of Kubernetes that the tests are for, the newest last.
func Versions() []string { return strings.Fields(versions) }

// Newest is the version that is tested unless another one is named.
func Newest() string {
	all := Versions()
	return all[len(all)-1]
}

// build is one Go module whose programs a cluster needs.
type build struct {
	module   string
	version  string
	packages []string // below the module
	flags    []string // for go build
	staging  string   // the version of the modules that this one replaces by folders of its own repository
	folder   string   // where go.mod is
}

// binary is the file name of a package's program.
func (b build) binary(pkg string) string {
	if pkg == "" {
		return path.Base(path.Dir(path.Dir(b.module))) // go.etcd.io/etcd/server/v3
	}
	return path.Base(pkg)
}

func builds(version string) []build {
	minor, _, _ := strings.Cut(strings.TrimPrefix(version, "1."), ".")
	stamp := "k8s.io/component-base/version."
	return []build{{
		module: "go.etcd.io/etcd/server/v3", version: etcdVersion, packages: []string{""},
		flags: []string{"-ldflags=-s -w"},
	}, {
		module: moduleContainerd, version: containerdVersion,
		packages: []string{"cmd/containerd", "cmd/containerd-shim-runc-v2"},
		flags:    []string{"-tags=no_btrfs,no_zfs", "-ldflags=-s -w"},
	}, {
		module: moduleKubernetes, version: "v" + version, staging: "v0." + strings.TrimPrefix(version, "1."),
		packages: []string{"cmd/kube-apiserver", "cmd/kube-controller-manager", "cmd/kube-scheduler", "cmd/kubelet"},
		flags: []string{fmt.Sprintf("-ldflags=-s -w -X %[1]sgitVersion=v%[2]s -X %[1]sgitMajor=1 -X %[1]sgitMinor=%[3]s",
			stamp, version, minor)},
	}}
}

// Build compiles what a cluster of that version needs, unless the user's cache has it, and returns the folder that it is in.
func Build(ctx context.Context, version string, log io.Writer) (bin string, err error) {
	if !regexp.MustCompile(`^1\.\d+\.\d+$`).MatchString(version) {
		return "", fmt.Errorf("not a version of Kubernetes, such as 1.36.3: %q", version)
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	bin = filepath.Join(cache, version)
	if complete(bin, version) {
		return bin, nil // and no wait for the build of another version
	}
	fmt.Fprintf(log, "building Kubernetes %s into %s: minutes, once\n", version, bin)
	if err := buildAll(ctx, builds(version), cache, bin, log); err != nil {
		return "", err
	}
	return bin, buildPause(ctx, bin, filepath.Join(cache, "src", "pause"), log)
}

func cacheFolder() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	return filepath.Join(cache, "kube-failure-exporter-e2e"), nil
}

// buildAll compiles one after another, and never beside another process that does.
func buildAll(ctx context.Context, all []build, cache, bin string, log io.Writer) error {
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	unlock, err := lock(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	for _, b := range all {
		b.folder = filepath.Join(cache, "src", strings.ReplaceAll(b.module, "/", "-")+"@"+b.version)
		if err := b.run(ctx, bin, log); err != nil {
			return fmt.Errorf("building %s@%s: %w", b.module, b.version, err)
		}
	}
	return nil
}

// BuildClient compiles a program that talks to a cluster of that version, unless the user's cache has it: kubectl, or ctr, which
// talks to a node's containerd. It returns the program's file.
func BuildClient(ctx context.Context, version, program string, log io.Writer) (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	bin := filepath.Join(cache, version)
	file := filepath.Join(bin, program)
	if exists(file) {
		return file, nil
	}
	clients := map[string]string{"kubectl": moduleKubernetes, "ctr": moduleContainerd}
	for _, b := range builds(version) {
		if b.module == clients[program] {
			b.packages = []string{"cmd/" + program}
			return file, buildAll(ctx, []build{b}, cache, bin, log)
		}
	}
	return "", fmt.Errorf("not one of the clients %v: %q", slices.Sorted(maps.Keys(clients)), program)
}

// complete tells whether all programs are in bin.
func complete(bin, version string) bool {
	for _, b := range builds(version) {
		for _, pkg := range b.packages {
			if !exists(filepath.Join(bin, b.binary(pkg))) {
				return false
			}
		}
	}
	return exists(filepath.Join(bin, "pause"))
}

// run links the programs into bin, after compiling those that are not in the build's own folder yet.
func (b build) run(ctx context.Context, bin string, log io.Writer) error {
	missing := slices.DeleteFunc(slices.Clone(b.packages), func(pkg string) bool { return exists(filepath.Join(bin, b.binary(pkg))) })
	if len(missing) == 0 {
		return nil
	}
	for _, pkg := range missing {
		built := filepath.Join(b.folder, "bin", b.binary(pkg))
		if !exists(built) {
			fmt.Fprintf(log, "building %s %s\n", b.binary(pkg), b.version)
			if err := b.writeModule(ctx, log); err != nil {
				return err
			}
			args := append([]string{"build", "-trimpath", "-o", built + ".new"}, b.flags...)
			if _, err := golang(ctx, b.folder, log, append(args, path.Join(b.module, pkg))...); err != nil {
				return err
			}
			if err := os.Rename(built+".new", built); err != nil {
				return err
			}
		}
		if err := os.Link(built, filepath.Join(bin, b.binary(pkg))); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// writeModule makes a module that only requires b's, with the replacements, the language version and the GODEBUG settings
// that b's own go.mod has: they do not count in a module that is required.
func (b build) writeModule(ctx context.Context, log io.Writer) error {
	if exists(filepath.Join(b.folder, "go.mod")) {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(b.folder, "bin"), 0o755); err != nil {
		return err
	}
	out, err := golang(ctx, b.folder, log, "mod", "download", "-json", b.module+"@"+b.version)
	if err != nil {
		return err
	}
	var download struct{ GoMod string }
	if err := json.Unmarshal(out, &download); err != nil {
		return fmt.Errorf("reading what go mod download says: %w", err)
	}
	theirs, err := os.ReadFile(download.GoMod)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.folder, "go.mod"), b.goMod(string(theirs)), 0o644)
}

func (b build) goMod(theirs string) []byte {
	var mod bytes.Buffer
	fmt.Fprintf(&mod, "module build\n\n")
	for _, line := range regexp.MustCompile(`(?m)^go \S+$|^godebug [^(\n]+$|^godebug \((?s:.*?)\n\)`).FindAllString(theirs, -1) {
		fmt.Fprintf(&mod, "%s\n", line)
	}
	fmt.Fprintf(&mod, "\nrequire %s %s\n\n", b.module, b.version)
	for _, staged := range regexp.MustCompile(`(?m)^\s*(?:replace )?(\S+) => \./staging/`).FindAllStringSubmatch(theirs, -1) {
		fmt.Fprintf(&mod, "replace %s => %[1]s %s\n", staged[1], b.staging)
	}
	return mod.Bytes()
}

// buildPause compiles the program of the pods' sandboxes.
func buildPause(ctx context.Context, bin, folder string, log io.Writer) error {
	if exists(filepath.Join(bin, "pause")) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "main.go"), pauseSource, 0o644); err != nil {
		return err
	}
	if _, err := golang(ctx, folder, log, "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(bin, "pause"), "main.go"); err != nil {
		return fmt.Errorf("building pause: %w", err)
	}
	return nil
}

// golang runs the go command without what the caller's environment says about modules. Nothing is built with cgo, so that
// no C compiler is needed.
func golang(ctx context.Context, folder string, log io.Writer, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&errs, log)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, tail(errs.Bytes()))
	}
	return out.Bytes(), nil
}

// lock waits until no other process holds the file.
func lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = poll(ctx, func(context.Context) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", name, err), f.Close())
	}
	return func() { _ = f.Close() }, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
