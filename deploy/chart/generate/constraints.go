package main

import "maps"

// constraints says of the values, by their paths, more than the type that they have in values.yaml.
func constraints() map[string]schema {
	c := map[string]schema{
		"global.imagePullSecrets": pullSecrets(),
		"nameOverride":            text(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`),
		"fullnameOverride":        text(`^([a-z]([-a-z0-9]*[a-z0-9])?)?$`),
		"namespaceOverride":       text(`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`),
		"commonLabels":            texts(),

		"image.repository": text(`^\S+$`),
		"image.tag":        text(`^([A-Za-z0-9_][A-Za-z0-9._-]{0,127})?$`),
		"image.digest":     text(`^(sha256:[0-9a-f]{64})?$`),
		"image.pullPolicy": oneOf("Always", "IfNotPresent", "Never"),
		"imagePullSecrets": pullSecrets(),

		"namespaces": {"uniqueItems": true, "items": text(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)},
		"logLevel":   oneOf("debug", "info", "warn", "error"),
		"logFormat":  oneOf("logfmt", "json"),
		"runbookUrl": address(),
		"extraArgs":  list(flag()),
		"extraEnv":   list(named()),

		"resources":          open(),
		"goMemLimit":         text(`^(off|[0-9]+(B|[KMGT]iB)?)?$`),
		"podSecurityContext": open(),
		"securityContext":    open(),

		"serviceAccount.annotations": texts(),
		"service.type":               oneOf("ClusterIP", "NodePort", "LoadBalancer"),
		"service.port":               {"minimum": 1, "maximum": 65535},
		"service.annotations":        texts(),

		"deploymentAnnotations":     texts(),
		"podAnnotations":            texts(),
		"podLabels":                 texts(),
		"revisionHistoryLimit":      {"minimum": 0},
		"nodeSelector":              texts(),
		"tolerations":               list(open()),
		"affinity":                  open(),
		"topologySpreadConstraints": list(open()),
		"extraVolumes":              list(named()),
		"extraVolumeMounts":         list(named()),
		"extraObjects":              {"items": schema{"type": []string{"object", "string"}}},

		"networkPolicy.from":   list(open()),
		"networkPolicy.egress": list(open()),

		"probes.httpHeaders": list(named()),
		"probes.startup":     times(),
		"probes.liveness":    times(),
		"probes.readiness":   times(),
	}
	maps.Copy(c, monitorConstraints("podMonitor."))
	maps.Copy(c, monitorConstraints("serviceMonitor."))
	maps.Copy(c, ruleConstraints())
	maps.Copy(c, dashboardConstraints())
	return c
}

func monitorConstraints(prefix string) map[string]schema {
	return map[string]schema{
		prefix + "labels":            texts(),
		prefix + "annotations":       texts(),
		prefix + "interval":          duration(),
		prefix + "scrapeTimeout":     duration(),
		prefix + "scheme":            oneOf("", "http", "https"),
		prefix + "tlsConfig":         open(),
		prefix + "basicAuth":         open(),
		prefix + "relabelings":       list(open()),
		prefix + "metricRelabelings": list(open()),
	}
}

func ruleConstraints() map[string]schema {
	severity := schema{"type": "string", "minLength": 1}
	return map[string]schema{
		"prometheusRule.labels":         texts(),
		"prometheusRule.annotations":    texts(),
		"prometheusRule.disabledCauses": {"uniqueItems": true, "items": schema{"type": "string"}},
		"prometheusRule.for":            duration(),
		"prometheusRule.forByCause":     {"additionalProperties": schema{"type": "string", "pattern": `^([0-9]+(ms|[smhdwy]))+$`}},
		// Another severity for all would take the place of the one that the rules work out.
		"prometheusRule.additionalRuleLabels": {
			"additionalProperties": schema{"type": "string"},
			"propertyNames":        schema{"not": schema{"enum": []string{"severity", "cause", "family"}}},
		},
		"prometheusRule.severities": {
			"additionalProperties": false,
			"required":             []string{"critical", "warning", "info"},
			"properties":           schema{"critical": severity, "warning": severity, "info": severity},
		},
		"prometheusRule.troubleshootingUrl": address(),
		"prometheusRule.dashboardUrl":       address(),
	}
}

func dashboardConstraints() map[string]schema {
	return map[string]schema{
		"dashboards.labels":                           texts(),
		"dashboards.annotations":                      texts(),
		"dashboards.folderAnnotation":                 {"minLength": 1},
		"dashboards.grafanaOperator.instanceSelector": open(),
		"dashboards.grafanaOperator.resyncPeriod":     duration(),
	}
}

func text(pattern string) schema { return schema{"type": "string", "pattern": pattern} }

// flag is one that the chart does not set itself: the exporter ends if one is there twice. Nor could ports, probes and monitors follow it
// to another address, socket or path.
func flag() schema {
	f := text(`^-`)
	f["not"] = text(`^--(log\.level|log\.format|runbook\.url|web\.(config\.file|listen-address|telemetry-path|systemd-socket))(=|$)`)
	return f
}

func duration() schema { return text(`^([0-9]+(ms|[smhdwy]))*$`) }

func address() schema { return text(`^(https?://.+)?$`) }

func oneOf(words ...string) schema { return schema{"enum": words} }

// texts is an object of strings, as labels and annotations are.
func texts() schema { return schema{"additionalProperties": schema{"type": "string"}} }

// open is an object whose keys are Kubernetes' or an operator's.
func open() schema { return schema{"type": "object"} }

func list(item schema) schema { return schema{"items": item} }

// named is an object with at least a name.
func named() schema {
	return schema{
		"type": "object", "required": []string{"name"}, "properties": schema{"name": schema{"type": "string"}},
	}
}

func pullSecrets() schema {
	return list(schema{"anyOf": []schema{{"type": "string"}, named()}})
}

// times are a probe's, without what it asks.
func times() schema {
	number := schema{"type": "integer", "minimum": 0}
	return schema{"additionalProperties": false, "properties": schema{
		"initialDelaySeconds": number, "periodSeconds": number, "timeoutSeconds": number, "successThreshold": number,
		"failureThreshold": number, "terminationGracePeriodSeconds": number,
	}}
}
