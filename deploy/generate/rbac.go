package main

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// clusterObjects let a service account read what is watched in the whole cluster. None names a namespace: that is the overlay's.
func clusterObjects() []any {
	return []any{
		account(),
		rbacv1.ClusterRole{TypeMeta: typeMeta("ClusterRole"), ObjectMeta: objectMeta(), Rules: rules(collector.Resources())},
		rbacv1.ClusterRoleBinding{
			TypeMeta: typeMeta("ClusterRoleBinding"), ObjectMeta: objectMeta(), RoleRef: roleRef("ClusterRole"), Subjects: subjects(),
		},
	}
}

// namespacedObjects let it read that in one namespace. Nodes are in none, so that no Role can grant them.
func namespacedObjects() []any {
	namespaced := slices.DeleteFunc(collector.Resources(), func(r collector.Resource) bool { return r.Name == "nodes" })
	return []any{
		rbacv1.Role{TypeMeta: typeMeta("Role"), ObjectMeta: objectMeta(), Rules: rules(namespaced)},
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

// rules has one rule for each API group, in the order of the list.
func rules(resources []collector.Resource) []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, resource := range resources {
		i := slices.IndexFunc(rules, func(r rbacv1.PolicyRule) bool { return r.APIGroups[0] == resource.Group })
		if i < 0 {
			i = len(rules)
			rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{resource.Group}, Verbs: []string{"get", "list", "watch"}})
		}
		if !slices.Contains(rules[i].Resources, resource.Name) {
			rules[i].Resources = append(rules[i].Resources, resource.Name)
		}
	}
	return rules
}
