// jsonnet -S rules.jsonnet > rules.yaml
std.manifestYamlDoc((import 'mixin.libsonnet').prometheusRules)
