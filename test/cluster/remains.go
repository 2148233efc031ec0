package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// removeNode removes what a node leaves on the machine when its kubelet and containerd have ended.
func removeNode(ctx context.Context, dir string) error {
	if err := removeContainers(ctx, dir); err != nil {
		return err
	}
	return removeShared(ctx)
}

// removeContainers removes a node's containers, which are meant to outlive it, with their sockets, mounts and links to logs, and what
// CNI remembers of them.
func removeContainers(ctx context.Context, dir string) error {
	files := shimFiles(dir)
	wait, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := poll(wait, func(context.Context) error { return killContainers(dir) }); err != nil {
		return err
	}
	if err := unmountBelow(dir); err != nil {
		return err
	}
	for _, name := range append(files, linksTo(dir)...) {
		_ = os.Remove(name) // who served it may have removed it
	}
	return nil
}

// removeShared removes the cgroups and the bridge, which all nodes would share.
func removeShared(ctx context.Context) error {
	if err := otherNode(); err != nil {
		return err
	}
	for _, folder := range cgroups() {
		removeCgroups(filepath.Join(folder, "kubepods"))
	}
	if _, err := net.InterfaceByName(bridge); err != nil {
		return nil //nolint:nilerr // there is no bridge to remove
	}
	return ip(ctx, "link", "del", bridge)
}

// killContainers kills the shims of the containerd in dir and all that runs below them; the error says that some still live.
func killContainers(dir string) error {
	children := map[int][]int{}
	var shims []int
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, folder := range processes {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		if parent, ok := parentOf(folder); ok {
			children[parent] = append(children[parent], pid)
		}
		args, err := os.ReadFile(filepath.Join(folder, "cmdline"))
		if err == nil && bytes.Contains(args, []byte("containerd-shim")) && bytes.Contains(args, []byte("\x00"+socket(dir)+"\x00")) {
			shims = append(shims, pid)
		}
	}
	if len(shims) == 0 {
		return nil
	}
	for _, shim := range shims {
		killTree(shim, children)
	}
	return fmt.Errorf("killing the containers of %s: %d are left", dir, len(shims))
}

// killTree kills the leaves first: a shim's children would be handed on.
func killTree(pid int, children map[int][]int) {
	for _, child := range children[pid] {
		killTree(child, children)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// parentOf reads a process' parent, which follows the name in brackets and the state; a zombie has nothing to kill.
func parentOf(folder string) (int, bool) {
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 || fields[0] == "Z" {
		return 0, false
	}
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil
}

// shimFiles lists the sockets of the shims and the results that CNI keeps for a pod, which killing them leaves behind.
func shimFiles(dir string) []string {
	var names []string
	files, err := filepath.Glob(filepath.Join(dir, "containerd", "state", "io.containerd.runtime.v2.task", "*", "*", "bootstrap.json"))
	if err != nil {
		return nil
	}
	for _, name := range files {
		results, err := filepath.Glob("/var/lib/cni/results/*-" + filepath.Base(filepath.Dir(name)) + "-*")
		if err == nil {
			names = append(names, results...)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var shim struct{ Address string }
		if json.Unmarshal(text, &shim) == nil && strings.HasPrefix(shim.Address, "unix://") {
			names = append(names, strings.TrimPrefix(shim.Address, "unix://"))
		}
	}
	return names
}

// linksTo lists the kubelet's links to logs, which are in a folder that cannot be chosen.
func linksTo(dir string) []string {
	links, err := filepath.Glob("/var/log/containers/*.log")
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(links, func(link string) bool {
		target, err := os.Readlink(link)
		return err != nil || !strings.HasPrefix(target, dir+"/")
	})
}

// mountsBelow lists what is mounted below a folder, the innermost first.
func mountsBelow(dir string) ([]string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var below []string
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if point := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`).Replace(fields[4]); strings.HasPrefix(point, dir+"/") {
			below = append(below, point)
		}
	}
	slices.Reverse(below)
	return below, nil
}

func unmountBelow(dir string) error {
	mounts, err := mountsBelow(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, point := range mounts {
		if err := syscall.Unmount(point, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmounting %s: %w", point, err))
		}
	}
	return errors.Join(errs...)
}

// removeCgroups removes a tree of cgroups that hold nothing; the kernel keeps those that do.
func removeCgroups(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeCgroups(filepath.Join(folder, e.Name()))
		}
	}
	_ = syscall.Rmdir(folder)
}
