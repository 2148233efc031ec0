// What a user may change. With these values the mixin gives exactly the plain files of alerts/, which a test proves.
{
  _config+:: {
    // Put into every selector of the exporter's own series, such as 'job="kube-failure-exporter"': for a Prometheus that
    // has two exporters, or an exporter of a cluster that is not to be alerted on. '' puts nothing.
    selector: '',

    // The label that tells clusters apart where one ruler sees several.
    clusterLabel: 'cluster',

    // How the severities are called with you.
    severities: {
      critical: 'critical',
      warning: 'warning',
      info: 'info',
    },

    // Causes without an alert: ['UnexpectedExit'].
    disabledCauses: [],

    // Other times to wait: { RegistryRateLimited: '15m' }.
    forByCause: {},

    // Where the pages of the causes, the page about the exporter itself, and Grafana are read; no slash at the end.
    runbookURL: 'https://github.com/kube-failure-exporter/kube-failure-exporter/blob/main/docs/causes',
    troubleshootingURL: 'https://github.com/kube-failure-exporter/kube-failure-exporter/blob/main/docs/troubleshooting.md',
    dashboardURL: 'https://grafana.example.com',
  },
}
