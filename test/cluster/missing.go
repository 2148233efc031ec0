package cluster

import (
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// Missing tells what this machine lacks, each a sentence that says what to do about it. With node, it also looks for what
// containerd and the kubelet need.
func Missing(node bool) []string {
	var missing []string
	need := func(there bool, sentence string) {
		if !there {
			missing = append(missing, sentence)
		}
	}
	need(runtime.GOOS == "linux", "linux: the cluster runs on Linux only")
	need(onPath("go"), "go: install Go, https://go.dev/doc/install")
	if !node {
		return missing
	}
	need(os.Geteuid() == 0, "root: a node starts containers; run as root")
	need(onPath("runc"), "runc: apt-get install runc")
	need(onPath("ip"), "ip: apt-get install iproute2")
	need(onPath("mount"), "mount: apt-get install mount")
	need(staticBusybox() != "", "busybox, linked statically: apt-get install busybox-static")
	need(cniFolder() != "", "the CNI plugins bridge, host-local and loopback: apt-get install containernetworking-plugins")
	need(len(cgroups()) > 0, "cgroups: mount them below /sys/fs/cgroup, with a memory controller")
	return missing
}

// otherNode tells whether another kubelet's containers run on this machine: two kubelets would delete each other's.
func otherNode() error {
	for _, folder := range cgroups() {
		pods := filepath.Join(folder, "kubepods")
		err := filepath.WalkDir(pods, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.Name() != "cgroup.procs" {
				return nil //nolint:nilerr // cgroups come and go
			}
			if procs, err := os.ReadFile(name); err == nil && len(procs) > 0 {
				return fmt.Errorf("containers of another kubelet run on this machine, and there can be one only: %s", filepath.Dir(name))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

func staticBusybox() string {
	for _, name := range []string{"busybox", "busybox-static"} {
		if file, err := exec.LookPath(name); err == nil && static(file) {
			return file
		}
	}
	return ""
}

// static tells whether a program needs no loader, and so runs in an image that has nothing else.
func static(file string) bool {
	f, err := elf.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

func cniFolder() string {
	for _, folder := range []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"} {
		there := func(plugin string) bool { return exists(filepath.Join(folder, plugin)) }
		if there("bridge") && there("host-local") && there("loopback") {
			return folder
		}
	}
	return ""
}

// cgroups returns the folders that a kubelet makes its kubepods in: one of cgroup v2, or one a controller of v1.
func cgroups() []string {
	const root = "/sys/fs/cgroup"
	if exists(filepath.Join(root, "cgroup.controllers")) {
		return []string{root}
	}
	if !exists(filepath.Join(root, "memory")) {
		return nil
	}
	folders, err := filepath.Glob(filepath.Join(root, "*", "cgroup.procs"))
	if err != nil {
		return nil
	}
	for i := range folders {
		folders[i] = filepath.Dir(folders[i])
	}
	return folders
}
