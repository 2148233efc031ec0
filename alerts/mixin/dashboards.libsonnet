{
  local promql = import 'promql.libsonnet',
  local config = $._config,

  local files = {
    'overview.json': import '../../dashboards/overview.json',
    'workload.json': import '../../dashboards/workload.json',
    'quotas.json': import '../../dashboards/quotas.json',
    'exporter.json': import '../../dashboards/exporter.json',
  },

  // The variable stays $cluster, whatever the label is called: links set it by that name.
  local renamed(text) =
    std.strReplace(promql.renameLabel(text, 'cluster', config.clusterLabel), '$' + config.clusterLabel, '$cluster'),

  // A selector by __name__ has the names of the series in quotes, where select must not look for them.
  local selected(text) =
    local byName = '{__name__=~';
    if config.selector != '' && std.member(text, '__name__')
    then std.strReplace(text, byName, '{%s, __name__=~' % config.selector)
    else promql.select(text, config.selector),

  local expression(text) = renamed(selected(text)),

  // The columns of a table are called as the labels are.
  local field(name) = if name == 'cluster' then config.clusterLabel else name,
  local override(o) = o { matcher+: { options: field(super.options) } },
  local transformation(t) = t {
    options+: {
      [if std.objectHas(t.options, 'indexByName') then 'indexByName']:
        { [field(name)]: t.options.indexByName[name] for name in std.objectFields(t.options.indexByName) },
    },
  },

  local panel(p) = p {
    targets: [q { expr: expression(super.expr) } for q in p.targets],
    fieldConfig+: { overrides: [override(o) for o in p.fieldConfig.overrides] },
    [if std.objectHas(p, 'transformations') then 'transformations']: [transformation(t) for t in p.transformations],
  },
  local variable(v) = if v.type == 'query' then v { query+: { query: expression(super.query) } } else v,

  grafanaDashboards+:: {
    [file]: files[file] {
      templating+: { list: [variable(v) for v in files[file].templating.list] },
      panels: [panel(p) for p in files[file].panels],
    }
    for file in std.objectFields(files)
  },
}
