package classify

import "regexp"

// volumeRules returns the rules for the events of a pod that waits for its volumes or its sandbox: FailedMount,
// FailedAttachVolume, FailedMapVolume, FailedCreatePodSandBox, NetworkNotReady and FailedSync. The sandbox rules stand first:
// a CNI plugin's error may hold the words of any other.
func volumeRules() table {
	const sandbox = `sandbox|networkplugin cni|setupnetworkerror|"startcontainer" for "pod"`
	return table{
		{
			cause: OOMKilledAtStart, // the pod's memory limit holds for its sandbox too
			any:   []string{"init was oom-killed", "memory limit too low"},
			made: []string{
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to start sandbox "12": failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?)`,
			},
		},
		{
			cause: CNINotReady,
			any: []string{
				"cni plugin not initialized", "cni config uninitialized", "network plugin is not ready", "network is not ready", "/calico/nodename",
				"cilium.sock", "connect to cilium", "subnet.env", "no networks found in", "no cni configuration file", "weave-net: unable", "multus-daemon", "calico-node is not",
				"error getting clusterinformation: connection refused",
			},
			made: []string{
				`network is not ready: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory`,
			},
		},
		{
			cause: CNINotReady, // the plugin runs, and its own agent on the node does not answer it
			pattern: regexp.MustCompile(`(network|cni|plugin).*(dial unix \S+: connect: (no such file or directory|connection refused)|` +
				`dial tcp (127\.0\.0\.1|\[::1\]):\d+: connect: connection refused)`),
			none: []string{"containerd.sock", "crio.sock", "docker.sock", "mountvolume"},
			made: []string{
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: Error received from AddNetwork gRPC call: rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial tcp 127.0.0.1:50051: connect: connection refused"`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": plugin type="antrea" failed (add): rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /var/run/antrea/cni.sock: connect: connection refused"`,
			},
			near: []string{
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": plugin type="calico" failed (add): error getting ClusterInformation: Get "https://10.96.0.1:443/apis": dial tcp 10.96.0.1:443: connect: connection refused`,
			},
		},
		{
			cause: PodIPExhausted,
			any: []string{
				"no ip addresses available in range", "failed to assign an ip address", "no available ip", "ip address exhausted",
				"no more free ips", "no free ip", "insufficientfreeaddresses", "no available pod cidr",
				"no available addresses", "no addresses available", "no more ips available", "no more free affine blocks",
				"range is full", "not enough ips available", "new block due to per host block limit", "could not allocate ip in range",
			},
			made: []string{
				`failed to setup network for sandbox "12": plugin type="cilium-cni" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure No more IPs available`,
				`failed to setup network for sandbox "12": plugin type="azure-vnet" failed (add): IPAM Invoker Add failed with error: Failed to allocate address: No available addresses`,
				`failed to setup network for sandbox "12": plugin type="azure-vnet" failed (add): IPAM Invoker Add failed with error: AllocateIPConfig failed: not enough IPs available for 34, waiting on Azure CNS to allocate more`,
				`failed to setup network for sandbox "12": plugin type="cilium-cni" failed (add): unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure range is full`,
				`failed to setup network for sandbox "12": plugin type="calico" failed (add): cannot allocate new block due to per host block limit`,
				`failed to setup network for sandbox "12": plugin type="whereabouts" failed (add): error at storage engine: Could not allocate IP in range: ip: 10.0.0.1 / - 10.0.0.9`,
				`failed to setup network for sandbox "12": plugin type="calico" failed (add): Failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; No more free affine blocks and strict affinity enabled`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "12": failed to allocate for range 0: no IP addresses available in range set: 10.0.0.1-10.0.0.9`,
				`failed to setup network for sandbox "12": plugin type="aws-cni" name="aws-cni" failed (add): add cmd: failed to assign an IP address to container`,
			},
			near: []string{
				`Failed to create pod sandbox: failed to setup network for sandbox "12": no valid IP addresses`,
				`Failed to create pod sandbox: failed to setup network for sandbox "12": plugin type="bridge" failed (add): failed to allocate for range 0: 10.0.0.7 has been allocated to 34, duplicate allocation is not allowed`,
			},
		},
		{
			cause:   SandboxCreateFailed,
			pattern: regexp.MustCompile(sandbox),
			near:    []string{`MountVolume.SetUp failed for volume "sandbox-config" : configmap "settings" not found`},
			made: []string{
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox image "r.example/pause:3.9": failed to pull image "r.example/pause:3.9": dial tcp 10.0.0.9:443: connect: connection refused`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: read init-p: connection reset by peer`,
				`Error syncing pod, skipping: failed to "SetupNetwork" for "web_apps" with SetupNetworkError: "Failed to setup network for pod \"web_apps(12)\" using network plugins \"cni\": timeout; Skipping pod"`,
				`Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "gvisor" is configured`,
			},
		},
		{
			cause:   VolumeMultiAttach,
			pattern: regexp.MustCompile(`multi-attach error`),
			made:    []string{`Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) db-0`},
			near:    []string{`AttachVolume.Attach failed for volume "pvc-1" : disk is already attached to another node`},
		},
		{
			cause: VolumeAttachFailed,
			any:   []string{"attachvolume.attach failed", "failed to attach volume", "attachvolume.newattacher failed", "attachvolume.findattachableplugin"},
			none:  []string{"mountvolume.", "mapvolume."},
			near:  []string{`MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Internal desc = failed to attach volume 7 to this host over iSCSI`},
			made: []string{
				`AttachVolume.Attach failed for volume "pvc-1" : rpc error: code = Internal desc = could not attach`,
				`AttachVolume.Attach failed for volume "pvc-1" : volumeattachments.storage.k8s.io "csi-1" not found`,
			},
		},
		{
			cause:   ConfigKeyMissing,
			pattern: regexp.MustCompile(`references non-existent (secret|config) key|couldn't find key`),
			made: []string{
				`MountVolume.SetUp failed for volume "cfg" : references non-existent config key: app.yaml`,
				`MountVolume.SetUp failed for volume "cfg" : references non-existent secret key: token`,
			},
		},
		{
			cause:   ConfigMapMissing,
			pattern: regexp.MustCompile(`configmaps? "[^"]*" not found`),
			none:    []string{`"kube-root-ca.crt"`},
			made:    []string{`MountVolume.SetUp failed for volume "cfg" : configmap "app" not found`},
			near: []string{
				`MountVolume.SetUp failed for volume "cfg" : object "default"/"app" not registered`,
				`MountVolume.SetUp failed for volume "cfg" : failed to sync configmap cache: timed out waiting for the condition`,
			},
		},
		{
			cause:   SecretMissing,
			pattern: regexp.MustCompile(`secrets? "[^"]*" not found`),
			made:    []string{`MountVolume.SetUp failed for volume "s" : secret "no-such-secret" not found`},
		},
		{
			cause: VolumeMountFailed,
			any: []string{
				"mountvolume", "unable to attach or mount volumes", "unable to mount volumes", "waiting for volumes to attach", "mapvolume",
				"failed to mount", "mount failed", "hostpath type check failed",
			},
			made: []string{
				`MountVolume.SetUp failed for volume "data" : hostPath type check failed: /data is not a directory`,
				`Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[data]: timed out waiting for the condition`,
				`MountVolume.MountDevice failed for volume "pvc-1" : driver name x.csi.example not found in the list of registered CSI drivers`,
			},
		},
	}
}

// sayable says that a cause can stand in an event of this reason: the kubelet writes mounts and sandboxes under reasons of
// their own, and a volume may be called sandbox or network. FailedSync and no reason fence nothing off.
func sayable(reason string, cause Cause) bool {
	switch reason {
	case "FailedMount", "FailedMapVolume", "FailedAttachVolume":
		return !sandboxCause(cause)
	case "FailedCreatePodSandBox", "FailedPodSandBoxStatus", "NetworkNotReady", "CNINotReady":
		return sandboxCause(cause)
	}
	return true
}

// volumeSummary matches messages that only sum up others: where there is any sibling, that one tells.
var volumeSummary = regexp.MustCompile(`(?i)^unable to (attach or )?mount volumes|timeout expired waiting for volumes`)

// healsByItself matches warnings of a race while the pod starts; alone they are no failure yet.
var healsByItself = regexp.MustCompile(`not registered|failed to sync (configmap|secret) cache|User "system:node:|pull QPS exceeded`)
