package classify

import "regexp"

// startRules returns the rules for containers that are created and cannot be started, and for a runtime's specification
// errors. The innermost quoted clause decides; what stands around it only names the runtime. They read the text after
// unescape.
func startRules() table {
	return table{
		{
			cause:   PostStartHookFailed,
			pattern: regexp.MustCompile(`poststart ?hook|^command '.*' exited with \d+|exec lifecycle hook|http lifecycle hook`),
			made: []string{
				`command '/bin/sh -c exit 3' exited with 3: `,
				`PostStartHook failed`,
				`Exec lifecycle hook ([/bin/false]) for Container "web" in Pod "web_apps(12)" failed - error: command '/bin/false' exited with 1: , message: ""`,
			},
		},
		{
			cause:   RuntimeError, // a file system that the runtime itself brings to every container
			pattern: regexp.MustCompile("(mounting|mount) [\"`](proc|sysfs|cgroup2?|devpts|mqueue|shm)[\"`] to"),
			made: []string{
				`OCI runtime create failed: runc create failed: unable to start container process: error during container init: error mounting "proc" to rootfs at "/proc": mount src=proc, dst=/proc, flags=0xe: operation not permitted: unknown`,
				"container create failed: mount `cgroup2` to `sys/fs/cgroup`: Device or resource busy",
			},
			near: []string{`runc create failed: unable to start container process: error during container init: error mounting "/data/proc" to rootfs at "/proc-data": not a directory`},
		},
		{
			cause:   ExecFormatError,
			pattern: regexp.MustCompile(`exec format error`),
			made: []string{
				`standard_init_linux.go:228: exec user process caused: exec format error`,
				`exec /app: exec format error`,
			},
		},
		{
			cause:   OOMKilledAtStart,
			pattern: regexp.MustCompile(`memory limit .* too low|init was oom-killed|possibly oom-killed|unable to set memory limit|minimum memory limit allowed`),
			made: []string{
				`set memory limit 1048576 too low; should be at least 12582912 bytes`,
				`runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)`,
				`Error response from daemon: Minimum memory limit allowed is 6MB`,
			},
		},
		{
			cause: WorkingDirInvalid,
			// runc makes the working directory where it is missing, and passes on the bare error of that alone.
			pattern: regexp.MustCompile(`\bchdir\b|mkdir .*cwd|working directory .* (is invalid|not|outside)|during container init: mkdir /`),
			made: []string{
				`OCI runtime create failed: runc create failed: unable to start container process: chdir to cwd ("/work") set in config.json failed: permission denied`,
				`unable to start container process: error during container init: chdir to cwd ("/work") set in config.json failed: not a directory`,
				`container create failed: chdir: No such file or directory`,
				`runc create failed: unable to start container process: error during container init: mkdir /etc/passwd: not a directory`,
				`the working directory 'work' is invalid, it needs to be an absolute path`,
			},
		},
		{
			cause: CommandNotExecutable,
			pattern: regexp.MustCompile("exec: [\"`][^\"]*[\"`]:.*(permission denied|is a directory)|exec user process caused[: \"]+permission denied|exec /\\S+: permission denied|container command '.*' could not be invoked|" +
				"open executable: permission denied|exec container process `[^`]*`: permission denied|executable file `[^`]*` not found[^:]*: permission denied"),
			made: []string{
				`runc create failed: unable to start container process: exec: "/entrypoint.sh": permission denied`,
				`failed to create shim task: OCI runtime create failed: unable to start container process: error during container init: exec: "/tmp": is a directory`,
				`exec /app: permission denied`,
				`container create failed: open executable: Permission denied`,
				"{\"msg\":\"exec container process `/app`: Permission denied\",\"level\":\"error\"}",
				`Error response from daemon: Container command '/app' could not be invoked.`,
			},
		},
		{
			cause: MountPathInvalid,
			pattern: regexp.MustCompile("mounting \"|mount .*(through procfd|to rootfs)|failed to mkdir \"|not a shared (or slave )?mount|error mounting \"|failed to stat \"|create mountpoint for|" +
				"invalid mount config for type|duplicate mount point|bind source path does not exist|mount `/[^`]*` to `|create failed: (error )?creating (directory )?`|failed to resolve symlink \"/|" +
				"path does not exist and will cause issues as a directory"),
			made: []string{
				`OCI runtime create failed: container_linux.go:380: starting container process caused: process_linux.go:545: container init caused: rootfs_linux.go:76: mounting "/var/lib/kubelet/pods/12/volume-subpaths/cfg/web/0" to rootfs at "/etc/app.conf" caused: mount through procfd: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?`,
				`failed to generate container "12" spec: failed to generate spec: path "/mnt" is mounted on "/" but it is not a shared mount`,
				`failed to generate container "12" spec: failed to generate spec: failed to stat "/host/data": stat /host/data: no such file or directory`,
				`Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /host/data`,
				`Error response from daemon: Duplicate mount point: /data`,
				"container create failed: mount `/var/lib/kubelet/pods/12/volume-subpaths/cfg/web/0` to `etc/app.conf`: Not a directory",
				`failed to generate container "12" spec: failed to generate spec: failed to resolve symlink "/host/data": lstat /host/data: no such file or directory`,
				"container create failed: creating `/etc/app/settings`: openat2 `etc/app/settings`: No such file or directory",
				"container create failed: error creating directory `/etc/app` since `etc/app` exists and it is not a directory",
				`cannot mount /etc/hostname: path does not exist and will cause issues as a directory`,
				`failed to generate container "12" spec: failed to apply OCI options: failed to mkdir "/data": mkdir /data: read-only file system`,
			},
			near: []string{`exec: "/app/run": stat /app/run: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)?`},
		},
		{
			cause:   RuntimeError,
			pattern: regexp.MustCompile(`running (\S+ )?hook|error (running|executing) hook|cgroup|devices\.allow|keycreate|qmp command|seccomp|apparmor|/dev/mapper/|nvidia-container-cli|error adding seccomp|failed to write \S+ to|selinux|bpf_prog|failed to create device|\bl?stat /dev/|error gathering device information|\bcdi devices?\b|not in allowed_devices`),
			none:    []string{`exec: "`},
			made: []string{
				`OCI runtime create failed: runc create failed: unable to start container process: error during container init: error running hook #0: exit status 1, stdout: , stderr: nvidia-container-cli: initialization error: nvml error: driver not loaded`,
				"container create failed: error executing hook `/usr/bin/gpu-hook` (exit code: 1)",
				`unable to start container process: unable to apply cgroup configuration: mkdir /sys/fs/cgroup/pids/kubepods: cannot allocate memory`,
				`failed to generate container "12" spec: failed to generate spec: lstat /dev/nvidia0: no such file or directory`,
				`failed to generate container "12" spec: failed to generate spec: error gathering device information while adding custom device "/dev/kvm": no such file or directory`,
				`failed to generate container "12" spec: failed to inject CDI devices: unresolvable CDI devices gpu.example/gpu=0`,
				`cannot load seccomp profile "/var/lib/kubelet/seccomp/app.json": open: no such file or directory`,
			},
		},
		{
			cause: CommandNotFound,
			pattern: regexp.MustCompile("exec: [\"`].*(no such file|not found|not a directory)|executable file [\"`][^\"`]*[\"`] not found|cannot find `[^`]*` in \\$path|exec container process (\\(missing dynamic library\\?\\) )?`[^`]*`: no such|" +
				"exec user process caused[: \"]+no such file|exec /\\S+: no such file|executable file not found|failed to find user-specified command|exec failed: no such file|" +
				"container command '.*' not found or does not exist"),
			made: []string{
				`failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/no/such/binary": stat /no/such/binary: no such file or directory: unknown`,
				`OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "app": executable file not found in $PATH: unknown`,
				"crun: executable file `app` not found in $PATH: No such file or directory",
				"container create failed: executable file `serve --port 80` not found: No such file or directory",
				"container create failed: cannot find `` in $PATH",
				"exec container process (missing dynamic library?) `/app`: No such file or directory",
				`standard_init_linux.go:228: exec user process caused: no such file or directory`,
				`Error response from daemon: Container command '/app' not found or does not exist.`,
			},
			near: []string{`failed to create shim task: exec: "/entrypoint.sh": permission denied`},
		},
	}
}
