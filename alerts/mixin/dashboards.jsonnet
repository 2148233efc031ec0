// jsonnet -m FOLDER dashboards.jsonnet writes each dashboard to a file of its own.
(import 'mixin.libsonnet').grafanaDashboards
