// Package alertmanager holds an example configuration of Alertmanager for the alerts of this repository, with templates for
// Slack, e-mail and PagerDuty. Its tests hold both against the real Alertmanager.
package alertmanager
