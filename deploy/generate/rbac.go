package main

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/deploy/permissions"
)

// clusterObjects let a service account read what is watched in the whole cluster. None names a namespace: that is the overlay's.
func clusterObjects() []any {
	return []any{
		account(),
		rbacv1.ClusterRole{TypeMeta: typeMeta("ClusterRole"), ObjectMeta: objectMeta(), Rules: permissions.Cluster()},
		rbacv1.ClusterRoleBinding{
			TypeMeta: typeMeta("ClusterRoleBinding"), ObjectMeta: objectMeta(), RoleRef: roleRef("ClusterRole"), Subjects: subjects(),
		},
	}
}

// namespacedObjects let it read that in one namespace.
func namespacedObjects() []any {
	return []any{
		rbacv1.Role{TypeMeta: typeMeta("Role"), ObjectMeta: objectMeta(), Rules: permissions.Namespaced()},
		rbacv1.RoleBinding{TypeMeta: typeMeta("RoleBinding"), ObjectMeta: objectMeta(), RoleRef: roleRef("Role"), Subjects: subjects()},
	}
}

func account() corev1.ServiceAccount {
	no := false
	return corev1.ServiceAccount{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: objectMeta(), AutomountServiceAccountToken: &no,
	}
}

func objectMeta() metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{"app.kubernetes.io/name": name}}
}

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: kind}
}

func roleRef(kind string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name}}
}
