{
  local rewrite = import 'rewrite.libsonnet',
  local config = $._config,

  // In the order of a pod's life.
  local files = [
    importstr '../image.yaml',
    importstr '../create.yaml',
    importstr '../schedule.yaml',
    importstr '../volume.yaml',
    importstr '../config.yaml',
    importstr '../start.yaml',
    importstr '../crash.yaml',
    importstr '../probe.yaml',
    importstr '../pod.yaml',
    importstr '../rollout.yaml',
    importstr '../exporter.yaml',
  ],
  local groups = std.flatMap(function(file) std.parseYaml(file).groups, files),

  local causeOf(rule) = std.get(rule.labels, 'cause', ''),
  local causes = [causeOf(rule) for group in groups for rule in group.rules],

  // A misspelt cause would else be a wish that nobody grants.
  local known(option, names) =
    local unknown = [name for name in names if !std.member(causes, name)];
    if unknown == [] then names else error '_config.%s: no alert has the cause %s' % [option, unknown[0]],
  local disabled = known('disabledCauses', config.disabledCauses),
  local waited = known('forByCause', std.objectFields(config.forByCause)),

  local wait(rule) = rule + (
    if std.member(waited, causeOf(rule)) then { 'for': config.forByCause[causeOf(rule)] } else {}
  ),
  // A group whose causes are all disabled would be an empty one, which some rulers refuse.
  local wanted = [
    group
    for group in [
      group { rules: [wait(rule) for rule in group.rules if !std.member(disabled, causeOf(rule))] }
      for group in groups
    ]
    if group.rules != []
  ],

  prometheusAlerts+:: {
    groups+: rewrite(config, wanted),
  },
}
