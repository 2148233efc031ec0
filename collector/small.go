package collector

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

// identity is all that a cache must know of any object. The types below are what the transforms put into the caches in
// place of API objects, whose empty structs alone are larger than these.
type identity struct {
	noMeta
	namespace, name, version string
	uid                      types.UID
}

func identityOf(o metav1.Object) identity {
	return identity{namespace: intern(o.GetNamespace()), name: o.GetName(), version: o.GetResourceVersion(), uid: o.GetUID()}
}

// GetNamespace implements metav1.Object.
func (i *identity) GetNamespace() string { return i.namespace }

// GetName implements metav1.Object.
func (i *identity) GetName() string { return i.name }

// GetUID implements metav1.Object.
func (i *identity) GetUID() types.UID { return i.uid }

// GetResourceVersion implements metav1.Object.
func (i *identity) GetResourceVersion() string { return i.version }

// quietPod is a pod that is fine: who it is, who made it, and how often its containers have ended.
type quietPod struct {
	identity
	ownerKind, ownerName string
	created              int64 // Unix seconds
	containers           []quietContainer
}

// DeepCopyObject implements runtime.Object.
func (q *quietPod) DeepCopyObject() runtime.Object {
	copied := *q
	copied.containers = slices.Clone(q.containers)
	return &copied
}

type quietContainer struct {
	name, repository string
	ends             int32
}

// controller is a ReplicaSet, Deployment, StatefulSet, DaemonSet or Job.
type controller struct {
	identity
	classify.Controller
}

// GetNamespace implements metav1.Object.
func (c *controller) GetNamespace() string { return c.identity.namespace }

// GetName implements metav1.Object.
func (c *controller) GetName() string { return c.identity.name }

// DeepCopyObject implements runtime.Object.
func (c *controller) DeepCopyObject() runtime.Object {
	copied := *c
	copied.Conditions = slices.Clone(c.Conditions)
	return &copied
}

// node is a node's readiness.
type node struct {
	identity
	classify.Node
}

// DeepCopyObject implements runtime.Object.
func (n *node) DeepCopyObject() runtime.Object {
	copied := *n
	return &copied
}

// stub stands for an object that can tell nothing, so that the cache agrees with the API server about its existence.
type stub struct{ identity }

// DeepCopyObject implements runtime.Object.
func (s *stub) DeepCopyObject() runtime.Object {
	copied := *s
	return &copied
}

// noMeta gives the types above the methods of metav1.Object and runtime.Object that nothing calls.
type noMeta struct{}

func (noMeta) GetObjectKind() schema.ObjectKind              { return schema.EmptyObjectKind }
func (noMeta) SetNamespace(string)                           {}
func (noMeta) SetName(string)                                {}
func (noMeta) GetGenerateName() string                       { return "" }
func (noMeta) SetGenerateName(string)                        {}
func (noMeta) SetUID(types.UID)                              {}
func (noMeta) SetResourceVersion(string)                     {}
func (noMeta) GetGeneration() int64                          { return 0 }
func (noMeta) SetGeneration(int64)                           {}
func (noMeta) GetSelfLink() string                           { return "" }
func (noMeta) SetSelfLink(string)                            {}
func (noMeta) GetCreationTimestamp() metav1.Time             { return metav1.Time{} }
func (noMeta) SetCreationTimestamp(metav1.Time)              {}
func (noMeta) GetDeletionTimestamp() *metav1.Time            { return nil }
func (noMeta) SetDeletionTimestamp(*metav1.Time)             {}
func (noMeta) GetDeletionGracePeriodSeconds() *int64         { return nil }
func (noMeta) SetDeletionGracePeriodSeconds(*int64)          {}
func (noMeta) GetLabels() map[string]string                  { return nil }
func (noMeta) SetLabels(map[string]string)                   {}
func (noMeta) GetAnnotations() map[string]string             { return nil }
func (noMeta) SetAnnotations(map[string]string)              {}
func (noMeta) GetFinalizers() []string                       { return nil }
func (noMeta) SetFinalizers([]string)                        {}
func (noMeta) GetOwnerReferences() []metav1.OwnerReference   { return nil }
func (noMeta) SetOwnerReferences([]metav1.OwnerReference)    {}
func (noMeta) GetManagedFields() []metav1.ManagedFieldsEntry { return nil }
func (noMeta) SetManagedFields([]metav1.ManagedFieldsEntry)  {}
