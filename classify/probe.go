package classify

import "regexp"

// probeRules returns the rules for what a failed probe said (kubernetes pkg/probe). The text after the colon is the
// application's: only its shape is Kubernetes'.
func probeRules() table {
	return table{
		{
			cause:   ProbeHTTPStatus,
			pattern: regexp.MustCompile(`http probe failed with statuscode: \d+|probe terminated redirects|(liveness|readiness|startup) probe warning: `),
			made: []string{
				`Readiness probe warning: <html><head><title>Object moved</title></head></html>`, // only HTTP probes warn (pkg/probe/http)
				`Readiness probe failed: HTTP probe failed with statuscode: 503`,
				`Readiness probe warning: Probe terminated redirects, Response body: Moved Permanently`,
			},
		},
		{
			cause:   ProbeDNS,
			pattern: regexp.MustCompile(`probe failed: get "?https?://.*(no such host|server misbehaving|name resolution)|: lookup \S+.*no such host`),
			made:    []string{`Readiness probe failed: Get "http://db.apps:80/": dial tcp: lookup db.apps on 10.0.0.10:53: no such host`},
		},
		{
			cause:   ProbeTLS,
			pattern: regexp.MustCompile(`x509: |tls: |malformed http response "(\\x15|\x15)|http response to https client|first record does not look like`),
			none:    []string{"tls handshake timeout"},
			near:    []string{`Readiness probe failed: Get "http://10.0.0.4:8080/": malformed HTTP response "\x00\x00\x06\x04"`}, // HTTP/2 frames
			made: []string{
				`Readiness probe failed: Get "http://10.0.0.4:8443/": malformed HTTP response "\x15\x03\x01\x00\x02\x02"`,
				`Readiness probe failed: Get "https://10.0.0.4:8080/": http: server gave HTTP response to HTTPS client`,
			},
		},
		{
			cause:   ProbeConnectionRefused,
			pattern: regexp.MustCompile(`connection refused`),
			made: []string{
				`Readiness probe failed: Get "http://10.88.0.4:9090/healthz": dial tcp 10.88.0.4:9090: connect: connection refused`,
				`Startup probe failed: dial tcp 10.88.0.4:8080: connect: connection refused`,
			},
		},
		{
			cause: ProbeTimeout,
			pattern: regexp.MustCompile(`deadline ?exceeded|client\.timeout exceeded|i/o timeout|tls handshake timeout|command .* timed out|` +
				`timed out after|timeout: failed to connect service|timeout: health rpc did not complete|request canceled`),
			made: []string{
				`Readiness probe failed: command timed out: "sleep 10" timed out after 1s`,
				`Liveness probe failed: Get "http://10.0.0.4:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
				`Readiness probe errored: rpc error: code = DeadlineExceeded desc = context deadline exceeded`,
			},
		},
		{
			cause:   ProbeGRPCNotServing,
			pattern: regexp.MustCompile(`service unhealthy \(responded with`),
			made:    []string{`Readiness probe failed: service unhealthy (responded with "NOT_SERVING")`},
			near:    []string{`Readiness probe failed: error: this server does not implement the grpc health protocol (grpc.health.v1.Health)`},
		},
		{
			cause:   ProbeCommandFailed,
			pattern: regexp.MustCompile("exec: [\"`].*[\"`]: (stat |permission|executable|no such|is a dir|not a dir|invalid|fork/exec)|executable file|exec format error"),
			made: []string{
				`Readiness probe failed: OCI runtime exec failed: exec failed: unable to start container process: exec: "/probe.sh": permission denied: unknown`,
				`Liveness probe errored: rpc error: code = Unknown desc = failed to exec in container: failed to start exec "12": OCI runtime exec failed: exec failed: unable to start container process: exec: "grep '\"up\"'": stat grep '"up"': no such file or directory: unknown`,
			},
			near: []string{
				`Readiness probe failed: OCI runtime exec failed: exec failed: unable to start container process: open /sys/fs/cgroup/kubepods/12/cgroup.procs: no such file or directory: unknown`,
			},
		},
		{
			cause: ProbeFailed, // Kubernetes' own trouble with the probe, not the command's answer
			pattern: regexp.MustCompile(`grpc health protocol|tcp \S+: .*(connection reset by peer|no route to host)|cgroups?\b|apparmor|failed to start exec|failed to exec in container|` +
				`probe failed: get "?https?://|error: health rpc|container not running|no running task found|` +
				`probe errored|container \S+ is not running|exec a container that has stopped|oci runtime (error: )?exec failed|` +
				`exec failed: (container_linux|unable to start)`),
			made: []string{
				`Liveness probe errored and resulted in unknown state: rpc error: code = Unknown desc = error in the runtime's connection`,
				`Readiness probe failed: rpc error: code = 2 desc = container 12 is not running`,
				`Liveness probe failed: rpc error: code = 2 desc = oci runtime error: exec failed: container_linux.go:247: starting container process caused "read /proc/12/status: bad address"`,
				`Readiness probe errored: rpc error: code = NotFound desc = failed to exec in container: failed to load task: no running task found: task 12 not found: not found`,
				`Startup probe failed: Get "http://10.0.0.4:80/": read tcp 10.0.0.1:5->10.0.0.4:80: read: connection reset by peer`,
				`Readiness probe failed: dial tcp 10.0.0.4:80: connect: no route to host`,
			},
			near: []string{`Readiness probe failed: unexpected answer. Error: Connection reset by peer`},
		},
		{
			cause: ProbeCommandFailed,
			pattern: regexp.MustCompile(`executable file not found|no such file or directory|not found|can't open|` +
				`exit(ed)? (code|status|with)|cannot |error`),
			made: []string{
				`Readiness probe failed: cat: can't open '/tmp/ready': No such file or directory`,
				`Readiness probe errored: rpc error: code = Unknown desc = failed to exec in container: exec: "curl": executable file not found in $PATH: unknown`,
			},
		},
	}
}

// probeEvent matches the kubelet's sentence about a failed probe and names the probe
// (kubernetes pkg/kubelet/prober/prober.go).
var probeEvent = regexp.MustCompile(`(Liveness|Readiness|Startup) probe (failed|errored|warning)`)
