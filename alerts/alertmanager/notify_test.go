package alertmanager

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// message is what Slack and PagerDuty get, as far as it matters here.
type message struct {
	Attachments []struct {
		Title, Text, Color string
		TitleLink          string `json:"title_link"`
		Actions            []struct{ Text, URL string }
	}
	EventAction string `json:"event_action"`
	Payload     struct {
		Summary, Severity, Class, Component, Group string
		CustomDetails                              map[string]any `json:"custom_details"`
	}
	Links []struct{ Text, Href string }
}

// The fields that amtool cannot render: a real Alertmanager sends them to a server that stands for Slack and PagerDuty.
func TestNotificationsAreSent(t *testing.T) {
	messages := make(chan message, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Errorf("%s got no JSON: %v", r.URL.Path, err)
		}
		messages <- m
		w.WriteHeader(map[string]int{"/slack": http.StatusOK, "/pagerduty": http.StatusAccepted}[r.URL.Path])
		_, _ = w.Write([]byte("ok"))
	}))
	t.Cleanup(server.Close)
	daemon := start(t, redirected(t, server.URL))
	alerts := readAlerts(t, "testdata/critical.json")
	for i := range alerts {
		alerts[i].StartsAt = time.Now().Add(-time.Minute)
	}
	daemon.post(t, alerts)

	var slack, pagerduty message
	for range 2 {
		select {
		case m := <-messages:
			if m.Attachments != nil {
				slack = m
			} else {
				pagerduty = m
			}
		case <-time.After(30 * time.Second):
			t.Fatal("a notification did not come within 30 s")
		}
	}
	checkSlack(t, slack, alerts[0])
	checkPagerDuty(t, pagerduty, alerts[0])
}

func checkSlack(t *testing.T, m message, sent alert) {
	t.Helper()
	if len(m.Attachments) != 1 {
		t.Fatalf("Slack got %d attachments, want 1", len(m.Attachments))
	}
	a := m.Attachments[0]
	if want := "[CRITICAL] " + sent.Annotations["summary"]; a.Title != want || a.Color != "danger" || !strings.Contains(a.Text, "\n1. Set the missing values") {
		t.Errorf("Slack got %+v, want the title %q, danger, and the fix", a, want)
	}
	var links []string
	for _, action := range a.Actions {
		links = append(links, action.Text+" "+action.URL)
	}
	for i, want := range []string{"Runbook https://github.com/", "Dashboard https://grafana.example.com/", "Silence https://alertmanager.example.com/#/silences/new?filter=%7B"} {
		if i >= len(links) || !strings.HasPrefix(links[i], want) {
			t.Errorf("Slack's buttons are %v, want %s", links, want)
		}
	}
}

func checkPagerDuty(t *testing.T, m message, sent alert) {
	t.Helper()
	p := m.Payload
	if m.EventAction != "trigger" || p.Summary != "[CRITICAL] "+sent.Annotations["summary"] || p.Severity != "critical" ||
		p.Class != sent.Labels["cause"] || p.Component != sent.Labels["workload"] || p.Group != sent.Labels["namespace"] {
		t.Errorf("PagerDuty got %+v", m)
	}
	if p.CustomDetails["fix"] != sent.Annotations["fix"] || p.CustomDetails["workload"] != "payments/nginx" {
		t.Errorf("PagerDuty's details are %v", p.CustomDetails)
	}
	if len(m.Links) != 3 {
		t.Errorf("PagerDuty got %d links, want 3", len(m.Links))
	}
}

// redirected is the configuration with other addresses and no patience, and all else as it is.
func redirected(t *testing.T, server string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "templates"), os.DirFS("templates")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("alertmanager.yml")
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer(
		"/etc/alertmanager/secrets", folder, "group_wait: 10s", "group_wait: 0s", "smtp.example.com:587", "127.0.0.1:1",
		"global:\n", "global:\n  pagerduty_url: "+server+"/pagerduty\n",
	).Replace(string(text))
	for name, content := range map[string]string{
		"slack-url": server + "/slack", "pagerduty-key": "key", "smtp-password": "password", "alertmanager.yml": config,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "alertmanager.yml")
}
