{
  // One line for each file: 'workload.json': import '../../dashboards/workload.json'.
  grafanaDashboards+:: {
  },
}
