// jsonnet -S alerts.jsonnet > alerts.yaml
std.manifestYamlDoc((import 'mixin.libsonnet').prometheusAlerts)
