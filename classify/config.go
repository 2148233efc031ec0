package classify

import "regexp"

// configRules returns the rules for containers that the kubelet cannot create: CreateContainerConfigError and
// CreateContainerError (kubernetes pkg/kubelet/kuberuntime/kuberuntime_container.go).
func configRules() table {
	return table{
		{
			cause:   ConfigKeyMissing,
			pattern: regexp.MustCompile(`couldn't find key`),
			made:    []string{`couldn't find key level in ConfigMap apps/settings`, `Error: couldn't find key token in Secret apps/api`},
		},
		{
			cause:   ConfigMapMissing,
			pattern: regexp.MustCompile(`configmaps? "[^"]*" not found`),
			made:    []string{`configmap "no-such-config" not found`, `configmaps "app" not found`},
		},
		{
			cause:   SecretMissing,
			pattern: regexp.MustCompile(`secrets? "[^"]*" not found`),
			made:    []string{`secret "api" not found`, `Error: secrets "api" not found`},
		},
		{
			cause:   RunAsNonRootViolation,
			pattern: regexp.MustCompile(`container has runasnonroot|image will run as root|runasuser breaks non-root policy|will break non-root policy`),
			made: []string{
				`container has runAsNonRoot and image will run as root (pod: "web_apps(12)", container: web)`,
				`Error: container has runAsNonRoot and image has non-numeric user (nobody), cannot verify user is non-root`,
				`container's runAsUser breaks non-root policy (pod: "web_apps(12)", container: web)`,
				`container's runAsUserName (ContainerAdministrator) which will be regarded as root identity and will break non-root policy (pod: "web_apps(12)", container: web)`,
			},
		},
		{
			cause:   ContainerNameConflict,
			pattern: regexp.MustCompile(`failed to reserve container name|container name \S+ is already in use|error reserving ctr name \S+ for id \S+: name is reserved`),
			made: []string{
				`failed to reserve container name "web_web-1_apps_12_0": name "web_web-1_apps_12_0" is reserved for "34"`,
				`error reserving ctr name k8s_web_web-1_apps_12_0 for id 34: name is reserved`,
				`Error response from daemon: Conflict. The container name "/k8s_web_web-1_apps_12_0" is already in use by container 34`,
			},
		},
		{
			cause: NoCommand,
			any:   []string{"no command specified", "container create failed: executable path not specified", "args must not be empty"},
			made: []string{
				`failed to generate container "12" spec: failed to generate spec: no command specified`,
				`Error: container create failed: executable path not specified`,
			},
		},
		{
			cause:   InvalidSubPath,
			pattern: regexp.MustCompile(`^stat /\S*: no such file|failed to prepare subpath|failed to create subpath|subpath .*(not|must)|^lstat /\S*/volumes?|sub path .* does not exist in`),
			made: []string{
				`Error: failed to prepare subPath for volumeMount "data" of container "web"`,
				`Error: stat /data/app: no such file or directory`,
				`failed to create subPath directory for volumeMount "data" of container "web"`,
				`sub path "models" does not exist in image volume "r.example/data:1"`,
			},
			near: []string{`failed to create containerd task: exec: "/app": stat /app: no such file or directory`},
		},
	}
}
