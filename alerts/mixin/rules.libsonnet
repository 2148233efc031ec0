{
  local rewrite = import 'rewrite.libsonnet',

  prometheusRules+:: {
    groups+: rewrite($._config, std.parseYaml(importstr '../rules.yaml').groups),
  },
}
