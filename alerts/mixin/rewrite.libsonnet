// rewrite(config, groups) changes in groups of rules what _config says of selectors, names and links.
local promql = import 'promql.libsonnet';

function(config, groups)
  local expression(text, selector) =
    promql.renameLabel(promql.select(promql.renameSeverities(text, config.severities), selector), 'cluster', config.clusterLabel);

  // In a template only what stands between backquotes after printf is PromQL; a % of the selector would be a verb there.
  local labelled(text) = promql.renameLabel(text, '$labels.cluster', '$labels.' + config.clusterLabel);
  local template(text) =
    local selector = std.strReplace(config.selector, '%', '%%');
    promql.inQueries(labelled(text), function(query) expression(query, selector));

  local last(text, separator) = std.reverse(std.split(text, separator))[0];
  local links = {
    runbook_url(url)::
      if std.member(url, '#') then config.troubleshootingURL + '#' + last(url, '#') else config.runbookURL + '/' + last(url, '/'),
    dashboard_url(url):: config.dashboardURL + '/d/' + std.join('/d/', std.split(labelled(url), '/d/')[1:]),
  };

  local annotation(name, text) = if std.objectHasAll(links, name) then links[name](text) else template(text);

  local rule(r) = r {
    expr: expression(super.expr, config.selector),
    [if std.objectHas(r, 'labels') then 'labels']: r.labels {
      [if std.objectHas(r.labels, 'severity') then 'severity']: config.severities[super.severity],
    },
    [if std.objectHas(r, 'annotations') then 'annotations']: std.mapWithKey(annotation, r.annotations),
  };

  assert !std.member(config.selector, '`') : '_config.selector: a backquote would end the queries of the annotations';
  [group { rules: [rule(r) for r in group.rules] } for group in groups]
