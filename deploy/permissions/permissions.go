// Package permissions holds the RBAC rules of every way to install the exporter.
package permissions

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// Cluster returns the rules of a ClusterRole: all that is watched, to be looked at. There is one rule for each API group, in the order of
// the collector's list.
func Cluster() []rbacv1.PolicyRule { return rules(collector.Resources()) }

// Namespaced returns the rules of a Role. Nodes are in no namespace, so that no Role can grant them.
func Namespaced() []rbacv1.PolicyRule {
	return rules(slices.DeleteFunc(collector.Resources(), func(r collector.Resource) bool { return r.Name == "nodes" }))
}

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
