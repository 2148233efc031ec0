package chart

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestBadValues proves that what cannot be meant is refused, with words that lead to it.
func TestBadValues(t *testing.T) {
	for values, words := range map[string]string{
		"podMonitr: {enabled: true}":                                  "podMonitr",
		"podMonitor: {enable: true}":                                  "at '/podMonitor': additional properties 'enable' not allowed",
		"podMonitor: {enabled: 'yes'}":                                "/podMonitor/enabled",
		"podMonitor: {interval: 30}":                                  "/podMonitor/interval",
		"podMonitor: {interval: 30sec}":                               "/podMonitor/interval",
		"podMonitor: null":                                            "podMonitor",
		"serviceMonitor: {labels: {release: 1}}":                      "/serviceMonitor/labels/release",
		"serviceMonitor: {scheme: HTTPS}":                             "'', 'http', 'https'",
		"replicas: 2":                                                 "replicas",
		"replicaCount: 2":                                             "replicaCount",
		"image: {tag: 1.10}":                                          "/image/tag",
		"image: {tag: ':v1'}":                                         "/image/tag",
		"image: {digest: 0123}":                                       "/image/digest",
		"image: {pullPolicy: always}":                                 "'Always', 'IfNotPresent', 'Never'",
		"logLevel: trace":                                             "'debug', 'info', 'warn', 'error'",
		"namespaces: payments":                                        "/namespaces",
		"namespaces: [a, a]":                                          "/namespaces",
		"namespaces: [Payments]":                                      "/namespaces/0",
		"namespaces: ['']":                                            "/namespaces/0",
		"extraArgs: [crash.hold=5m]":                                  "/extraArgs/0",
		"extraEnv: {A: b}":                                            "/extraEnv",
		"resources: small":                                            "/resources",
		"goMemLimit: 200Mi":                                           "/goMemLimit",
		"service: {port: 0}":                                          "/service/port",
		"probes: {liveness: {httpGet: {}}}":                           "additional properties 'httpGet'",
		"fullnameOverride: Failures":                                  "/fullnameOverride",
		"prometheusRule: {severities: {infos: x}}":                    "additional properties 'infos'",
		"prometheusRule: {severities: {critical: ''}}":                "/prometheusRule/severities/critical",
		"prometheusRule: {for: 2 minutes}":                            "/prometheusRule/for",
		"prometheusRule: {additionalRuleLabels: {severity: page}}":    "severity",
		"prometheusRule: {dashboardUrl: grafana.example.com}":         "/prometheusRule/dashboardUrl",
		"prometheusRule: {enabled: true, disabledCauses: [OOMKiled]}": "prometheusRule.disabledCauses: no alert has the cause OOMKiled",
		"prometheusRule: {enabled: true, forByCause: {OOMKiled: 1m}}": "prometheusRule.forByCause: no alert has the cause OOMKiled",
		"prometheusRule: {enabled: true, selector: 'a=`b`'}":          "prometheusRule.selector: a backquote",
		"logLevel: null":                                              "missing property 'logLevel'",
		"webConfig: {tls: true}":                                      "webConfig.existingSecret must name",
		"serviceMonitor: {enabled: true}\nservice: {enabled: false}":  "serviceMonitor.enabled needs service.enabled",
		"dashboards: {enabled: true, grafanaOperator: {instanceSelector: all}}": "/dashboards/grafanaOperator/instanceSelector",
		"networkPolicy: {enabled: true, from: {namespaceSelector: {}}}":         "/networkPolicy/from",
		"webConfig: {existingSecret: [a]}":                                      "/webConfig/existingSecret",
		"tolerations: {operator: Exists}":                                       "/tolerations",
		"imagePullSecrets: [{}]":                                                "/imagePullSecrets/0",
		"global: {imageRegistry: 1}":                                            "/global/imageRegistry",
		"serviceAccount: {create: true, automountServiceAccountToken: true}":    "automountServiceAccountToken",
		"dashboards: {labels: {grafana_dashboard: 1}}":                          "/dashboards/labels/grafana_dashboard",
		"prometheusRule: {forByCause: {OOMKilled: ''}}":                         "/prometheusRule/forByCause/OOMKilled",
		"podSecurityContext: [runAsUser]":                                       "/podSecurityContext",
		"revisionHistoryLimit: -1":                                              "/revisionHistoryLimit",
		"extraObjects: [1]":                                                     "/extraObjects/0",
		"topologySpreadConstraints: [{maxSkew: 1}]\naffinity: [nodeAffinity]":   "/affinity",
		"podAnnotations: {example.com/on: true}":                                "/podAnnotations/example.com~1on",
		"prometheusRule: {disabledCauses: [OOMKilled, OOMKilled]}":              "/prometheusRule/disabledCauses",
		"probes: {readiness: {periodSeconds: 5s}}":                              "/probes/readiness/periodSeconds",
		"runbookUrl: wiki":                                                      "/runbookUrl",
		"namespaceOverride: Kube_System":                                        "/namespaceOverride",
		"extraVolumes: [{emptyDir: {}}]":                                        "/extraVolumes/0",
		"service: {enabled: false, scrapeAnnotations: true}":                    "service.scrapeAnnotations needs service.enabled",
		"dashboards: {grafanaOperator: {enabled: true}}":                        "dashboards.grafanaOperator.enabled needs dashboards.enabled",
		"extraArgs: [--log.level, --crash.hold=5m]":                             "/extraArgs/0",
		"extraArgs: [--crash.hold=5m, --log.format=json]":                       "/extraArgs/1",
		"extraArgs: ['--runbook.url=https://wiki.example.com']":                 "/extraArgs/0",
		"extraArgs: [--web.config.file=/etc/web.yml]":                           "/extraArgs/0",
		"extraArgs: ['--web.listen-address=:80']":                               "/extraArgs/0",
		"extraArgs: [--web.telemetry-path=/m]":                                  "/extraArgs/0",
		"extraArgs: [--web.systemd-socket]":                                     "/extraArgs/0",
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			out, err := called(values).helm(t, "template", ".").CombinedOutput()
			if err == nil {
				t.Error("it is taken")
			} else if !strings.Contains(string(out), words) {
				t.Errorf("nothing about %s in\n%s", words, out)
			}
		})
	}
}

// TestGoodValues proves that what people are used to write is taken.
func TestGoodValues(t *testing.T) {
	for _, values := range []string{
		"enabled: true", // a parent chart's condition
		"global: {imageRegistry: '', storageClass: fast, somebody: {elses: 1}}",
		"imagePullSecrets: [a, {name: b}]",
		"resources: {limits: null, requests: null}",
		"resources: null\nnodeSelector: null\naffinity: null",
		"podSecurityContext: null\nsecurityContext: null",
		"image: {tag: v1.0.0-rc.1}",
		"extraArgs: [--metrics.max-failures=100, --namespace-ignore=a]",
		"resources: {limits: {memory: 268435456, cpu: 0.5}}",
		"goMemLimit: 'off'",
		"prometheusRule: {for: 1h30m, labels: {release: 'true'}}",
		"dashboards: {labels: {grafana_dashboard: null}, enabled: true}",
		"extraObjects: ['']",
	} {
		t.Run(values, func(t *testing.T) {
			t.Parallel()
			decode(t, called(values).render(t))
		})
	}
}

// TestNulls takes away every value that may be empty: null does that, where people mean nothing.
func TestNulls(t *testing.T) {
	text, err := os.ReadFile("values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	taken := takeAway(values)
	for _, group := range []string{"podMonitor", "serviceMonitor", "prometheusRule", "dashboards", "networkPolicy"} {
		values[group].(map[string]any)["enabled"] = true
	}
	values["service"].(map[string]any)["scrapeAnnotations"] = true
	if text, err = yaml.Marshal(values); err != nil {
		t.Fatal(err)
	}
	objects := decode(t, called(string(text)).render(t))
	checkSelectors(t, objects)
	for _, o := range objects {
		checkObject(t, o)
	}
	if taken < 50 {
		t.Errorf("only %d values were taken away", taken)
	}
}

// takeAway sets to null what is empty, and counts it.
func takeAway(values map[string]any) int {
	taken := 0
	for key, value := range values {
		group, isGroup := value.(map[string]any)
		list, isList := value.([]any)
		switch {
		case isGroup && len(group) > 0:
			taken += takeAway(group)
		case isGroup, isList && len(list) == 0, value == "":
			values[key] = nil
			taken++
		}
	}
	return taken
}

// TestSchemaKnowsTheValues proves that values.yaml and the schema speak of the same, and agree on the defaults.
func TestSchemaKnowsTheValues(t *testing.T) {
	var values map[string]any
	var schema part
	text, err := os.ReadFile("values.yaml")
	if err == nil {
		err = yaml.UnmarshalStrict(text, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile("values.schema.json"); err == nil {
		err = json.Unmarshal(text, &schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	known := schema.compare(t, "", values)
	if want := 100; known < want {
		t.Errorf("only %d values are known, want %d", known, want)
	}
}

// part is one of the schema.
type part struct {
	Description          string          `json:"description"`
	Default              any             `json:"default"`
	Properties           map[string]part `json:"properties"`
	AdditionalProperties any             `json:"additionalProperties"`
}

// compare counts the values that both have.
func (p part) compare(t *testing.T, path string, value any) int {
	t.Helper()
	if p.Description != "" {
		if !reflect.DeepEqual(p.Default, value) {
			t.Errorf("%s is %v, and %v in the schema", path, value, p.Default)
		}
		return 1
	}
	group, ok := value.(map[string]any)
	if !ok || (p.AdditionalProperties != false && path != "/global") {
		t.Errorf("%s is %v, and a group that takes %v in the schema", path, value, p.AdditionalProperties)
	}
	known := 0
	for key, below := range p.Properties {
		if _, ok := group[key]; ok {
			known += below.compare(t, path+"/"+key, group[key])
		} else if !slices.Contains([]string{"/enabled"}, path+"/"+key) {
			t.Errorf("%s/%s is in the schema only", path, key)
		}
	}
	for key := range group {
		if _, ok := p.Properties[key]; !ok {
			t.Errorf("%s/%s is not in the schema", path, key)
		}
	}
	return known
}
