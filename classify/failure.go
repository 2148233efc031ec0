package classify

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Cause is one thing that a person would fix in a different way. The list is closed: causes.go.
type Cause string

// Family is a group of causes that the same evidence tells.
type Family string

// The families, in the order of a pod's life.
const (
	// FamilyCreate is for pods that their controller cannot create.
	FamilyCreate Family = "create"
	// FamilySchedule is for pods that no node takes.
	FamilySchedule Family = "schedule"
	// FamilyVolume is for pods whose volumes or sandbox (network) cannot be set up.
	FamilyVolume Family = "volume"
	// FamilyImage is for images that the kubelet cannot get.
	FamilyImage Family = "image"
	// FamilyConfig is for containers that cannot be created.
	FamilyConfig Family = "config"
	// FamilyStart is for containers that are created and cannot be started.
	FamilyStart Family = "start"
	// FamilyCrash is for containers that start and end.
	FamilyCrash Family = "crash"
	// FamilyProbe is for containers that run and are not ready.
	FamilyProbe Family = "probe"
	// FamilyPod is for pods that failed or are stuck as a whole.
	FamilyPod Family = "pod"
	// FamilyRollout is for rollouts that stall although no pod says why.
	FamilyRollout Family = "rollout"
)

// Families returns all families in the order of a pod's life.
func Families() []Family {
	return []Family{
		FamilyCreate, FamilySchedule, FamilyVolume, FamilyImage, FamilyConfig,
		FamilyStart, FamilyCrash, FamilyProbe, FamilyPod, FamilyRollout,
	}
}

// Failure is one cause on one container, pod or controller, with its evidence.
type Failure struct {
	// Kind, Namespace, Name and UID are the failing object's: the pod's, the controller's where no pod could be
	// created, the Deployment's where a rollout stalls.
	Kind, Namespace, Name string
	UID                   types.UID
	// Container is empty for the pod as a whole.
	Container string
	// Init is true for an init container, which has a list of its own in a pod's spec.
	Init bool
	// Node is empty where no node was chosen.
	Node string
	// WorkloadKind and Workload name the object that a person edits. The caller fills them in.
	WorkloadKind, Workload string

	Family Family
	// Reason is Kubernetes' own word, from the closed list in reason.go.
	Reason string
	Cause  Cause
	// Since is when the failure began, as well as the API's objects can tell.
	Since time.Time
	// SinceKept is true where Since comes from something that the API server keeps for as long as the failure lasts,
	// so that another look gives the same time.
	SinceKept bool
	// Message is the evidence in Kubernetes' words, with credentials removed.
	Message string
	// LastEnd is how the container ended last, nil where it has not.
	LastEnd *End
	// Events are about the same stage of the pod's life, at most three, the newest first: the one that is the message, and of
	// each other reason the newest. Copies of a failure share them, as they share LastEnd: nobody changes what they hold.
	Events []Event
	// Also holds further causes that the same message names, the most frequent first.
	Also []Cause
	// Image is the image that the container asks for.
	Image string
	// MissingPods is the number of pods that a controller wants and does not have.
	MissingPods int32
	// Quota is what a quota message says, nil for other failures.
	Quota *Quota
	// Unclassified is true where no rule knew the message, so that Cause is its family's general one.
	Unclassified bool
}
