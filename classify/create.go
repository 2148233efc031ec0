package classify

import (
	"regexp"
	"strings"
)

// createRules returns the rules for the API server's refusals to create a pod. They are the same text in a ReplicaSet's
// condition and, behind "Error creating: " or "create Pod P in StatefulSet S failed error: ", in events.
func createRules() table {
	return table{
		{
			cause: AdmissionWebhookUnavailable,
			// The last two are the API server's patience with all webhooks together, and ImagePolicyWebhook's only call.
			pattern: regexp.MustCompile(`failed calling (admission )?webhook|admission plugin "(mutating|validating)admissionwebhook" failed to complete|is forbidden: post "?https?://`),
			none:    []string{"denied the request", "denied this request", "denied request: "},
			near: []string{
				`admission webhook "policy.example" denied the request: failed calling webhook of the registry`,
				`Post "https://10.0.0.1:443/api/v1/namespaces/shop/pods": dial tcp 10.0.0.1:443: connect: connection refused`,
				`pods "web-" is forbidden: error looking up service account shop/web: Get "https://10.0.0.1:443/api/v1/namespaces/shop/serviceaccounts/web": EOF`,
			},
			made: []string{
				`Error creating: Internal error occurred: failed calling webhook "inject.example": failed to call webhook: Post "https://inject.example.svc:443/inject?timeout=10s": context deadline exceeded`,
				`Internal error occurred: failed calling admission webhook "inject.example": Post https://inject.example.svc:443/inject?timeout=30s: service "inject" not found`,
				`Error creating: Internal error occurred: admission plugin "MutatingAdmissionWebhook" failed to complete mutation in 13s`,
				`Error creating: pods "web-" is forbidden: Post "https://images.example:1323/review?timeout=30s": dial tcp 10.1.2.3:1323: connect: connection refused`,
			},
		},
		{
			cause: PodSecurityViolation,
			// Policy engines speak of PodSecurity in their own sentences: theirs to exempt from, not the namespace's.
			pattern: regexp.MustCompile(`(^|is forbidden: )violates podsecurity|unable to validate against any (security context constraint|pod security policy)|` +
				`podsecuritypolicy: unable to admit pod|no providers available to validate pod request`),
			near: []string{
				`admission webhook "validate.policy.example" denied the request: resource Pod/shop/web was blocked: Validation rule 'restricted' failed. It violates PodSecurity "restricted:latest": (Forbidden reason: seccompProfile)`,
			},
			made: []string{
				`pods "web-7d9c-" is forbidden: violates PodSecurity "restricted:latest": privileged (container "app" must not set securityContext.privileged=true)`,
				`create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: unable to validate against any security context constraint: [spec.containers[0].securityContext.runAsUser: Invalid value: 1000: must be in the ranges: [1000520000, 1000529999]]`,
			},
		},
		{
			cause: AdmissionWebhookDenied,
			pattern: regexp.MustCompile(`admission webhook .* denied (the|this) request|validatingadmissionpolicy .* denied request|mutatingadmissionpolicy .* denied|` +
				`image policy webhook backend denied|images rejected by webhook backend`),
			made: []string{
				`admission webhook "validation.gatekeeper.sh" denied the request: [denied by require-owner] you must provide labels: {"owner"}`,
				`pods "web" is forbidden: ValidatingAdmissionPolicy 'non-root' with binding 'non-root' denied request: runAsNonRoot must be true`,
				`pods "web-" is forbidden: one or more images rejected by webhook backend`,
			},
			near: []string{`admission webhook "pod-security-webhook.kubernetes.io" denied the request: pods "web" is forbidden: violates PodSecurity "restricted:v1.28": privileged (container "app")`},
		},
		{
			cause:   QuotaRequiresResources,
			pattern: regexp.MustCompile(`failed quota: .*must specify|is limited by quota, must make explicit request|but pod has no specified`),
			made: []string{
				`pods "nginx-79454fcdf8-79cf2" is forbidden: failed quota: compute-resources: must specify limits.cpu for: nginx; limits.memory for: nginx; requests.cpu for: nginx; requests.memory for: nginx`,
				`Error creating: pods "web-" is forbidden: Failed quota: quota: must specify cpu,memory`,
			},
		},
		{
			cause:   QuotaExceeded,
			pattern: regexp.MustCompile(`exceeded quota: |quota is \S+, current usage is|limited to \d+ pods`),
			made: []string{
				`pods "api-7c4f854f87-msw4c" is forbidden: exceeded quota: compute-resources, requested: requests.cpu=100m, used: requests.cpu=100m, limited: requests.cpu=150m`,
			},
			// No quota covers such pods: that is forbidden, not used up.
			near: []string{
				`pods "web-" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical]}]`,
				`pods "web-" is forbidden: insufficient quota to consume: requests.example.com/gpu`,
			},
		},
		{
			cause:   LimitRangeViolation,
			pattern: regexp.MustCompile(`(maximum|minimum) \S+ usage per \w+ is|max limit to request ratio per \w+ is`),
			made: []string{
				`pods "big-7f6f468587-xgvd4" is forbidden: [maximum cpu usage per Container is 200m, but limit is 1, maximum memory usage per Container is 128Mi, but limit is 1Gi]`,
				`create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: persistentvolumeclaims "data-db-0" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi`,
				`pods "web" is forbidden: cpu max limit to request ratio per Container is 5, but provided ratio is 10.000000`,
			},
		},
		{
			cause:   ServiceAccountMissing,
			pattern: regexp.MustCompile(`error looking up service account \S+: serviceaccounts? "[^"]*" not found|service account \S+ was not found`),
			made:    []string{`pods "no-service-account-" is forbidden: error looking up service account limits/no-such-account: serviceaccount "no-such-account" not found`},
			near: []string{
				`no API token found for service account default, retry after the token is automatically created and added to the service account`,
				`pods "web-" is forbidden: error looking up service account shop/web: Get "https://10.0.0.1:443/api/v1/namespaces/shop/serviceaccounts/web": dial tcp: service "kubernetes" not found`,
			},
		},
		{
			cause: PriorityClassMissing,
			any:   []string{"no priorityclass with name"},
			made:  []string{`pods "web-" is forbidden: no PriorityClass with name critical was found`},
			near:  []string{`pods "web-" is forbidden: pods with system-cluster-critical priorityClass is not permitted in apps namespace`},
		},
		{
			cause:   RuntimeClassMissing,
			pattern: regexp.MustCompile(`runtimeclass(\.node\.k8s\.io)? \S+ not found`),
			made:    []string{`pods "web-" is forbidden: pod rejected: RuntimeClass "gvisor" not found`},
		},
		{
			cause: NamespaceTerminating,
			any:   []string{"because it is being terminated"},
			made:  []string{`pods "web-" is forbidden: unable to create new content in namespace old because it is being terminated`},
		},
		{
			cause: CreateForbidden,
			pattern: regexp.MustCompile(`cannot create resource|cannot create pods in (the namespace|project)|` +
				`cannot set blockownerdeletion if an ownerreference|cannot set an ownerref on a resource you can't delete`),
			// The owner's kind is gone: no right would help.
			near: []string{`pods "web-" is forbidden: cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion jobs.example/v1 Kind Run: no matches for kind "Run"`},
			made: []string{
				`User "system:serviceaccount:ci:controller" cannot create pods in project "ci"`,
				`pods "web-0" is forbidden: cannot set an ownerRef on a resource you can't delete: User "system:serviceaccount:ci:runner" cannot delete pods in project "ci", <nil>`,
				`pods is forbidden: User "system:serviceaccount:ci:runner" cannot create resource "pods" in API group "" in the namespace "ci"`,
			},
		},
		{
			cause:   InvalidPodTemplate,
			pattern: regexp.MustCompile(`pod "?\S+"? is invalid: |is invalid: \[?spec\.|strict decoding error`),
			made: []string{
				`Pod "web-0" is invalid: spec.containers[0].resources.requests: Invalid value: "4Gi": must be less than or equal to memory limit`,
			},
		},
	}
}

// statefulPrefix is what the StatefulSet controller puts before the API server's words; other texts may hold " failed error: " too.
var statefulPrefix = regexp.MustCompile(`(?i)^(?:reissued from \S+: )?create (?:pod|claim) [^:]* in statefulset \S+ failed error: `)

// refusal takes away what controllers put before the API server's own words.
func refusal(message string) string {
	message = unwrap(message)
	message = statefulPrefix.ReplaceAllString(message, "")
	return strings.TrimPrefix(message, "unable to create pods: ")
}

// tellCreate returns the cause of a refused pod, and what a quota said.
func (c *Classifier) tellCreate(message string) (Cause, *Quota, bool) {
	message = refusal(message)
	cause, ok := c.create.tell(message)
	if !ok {
		return PodCreateFailed, nil, false
	}
	if cause != QuotaExceeded && cause != QuotaRequiresResources {
		return cause, nil, true // a webhook's own text may quote anything
	}
	quota, _, _ := ParseQuota(message)
	return cause, quota, true
}
