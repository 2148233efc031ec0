package alertmanager

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func TestConfigIsAccepted(t *testing.T) {
	out := amtool(t, "check-config", "alertmanager.yml")
	if !strings.Contains(out, "1 templates") || strings.Contains(out, "FAILED") {
		t.Errorf("amtool check-config says:\n%s", out)
	}
}

func TestRoutes(t *testing.T) {
	for _, test := range []struct {
		name, labels, want string
	}{
		{"critical wakes somebody up", "alertname=PodOOMKilled cause=OOMKilled severity=critical", "oncall"},
		{"a warning waits", "alertname=PodOOMKilled cause=OOMKilled severity=warning", "team"},
		{"a severity of another name is not lost", "alertname=PodOOMKilled cause=OOMKilled severity=page", "team"},
		{"a doubled Pod is left out of the name", "alertname=PodSecurityViolation cause=PodSecurityViolation severity=critical", "oncall"},
		{"another's alert stays where it was", "alertname=KubePodNotReady severity=warning", "others"},
		{"another's alert of such a name, without a cause", "alertname=PodsTooMany severity=critical", "others"},
		{"another's alert with a cause", "alertname=DiskFull cause=logs severity=critical", "others"},
	} {
		t.Run(test.name, func(t *testing.T) {
			arguments := append([]string{"config", "routes", "test", "--config.file=alertmanager.yml"}, strings.Fields(test.labels)...)
			if got := strings.TrimSpace(amtool(t, arguments...)); got != test.want {
				t.Errorf("%s goes to %s, want %s", test.labels, got, test.want)
			}
		})
	}
}

// A secret in an example is copied into a repository with it.
func TestSecretsStandInFiles(t *testing.T) {
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config any
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(config) {
		switch key {
		case "slack_api_url", "api_url", "smtp_auth_password", "auth_password", "routing_key", "service_key":
			t.Errorf("%s holds a secret, use %s_file", key, key)
		}
	}
}

func keys(value any) []string {
	var all []string
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			all = append(append(all, key), keys(inner)...)
		}
	case []any:
		for _, inner := range value {
			all = append(all, keys(inner)...)
		}
	}
	return all
}
