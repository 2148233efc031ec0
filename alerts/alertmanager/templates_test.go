package alertmanager

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files again")

// alert is one alert as Prometheus posts it; without an end it fires.
type alert struct {
	Status      string            `json:"status,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt,omitzero"`
	EndsAt      time.Time         `json:"endsAt,omitzero"`
}

// group is what Alertmanager gives to a template.
type group struct {
	Receiver          string            `json:"receiver"`
	Status            string            `json:"status"`
	Alerts            []alert           `json:"alerts"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
}

func readAlerts(t *testing.T, file string) []alert {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var alerts []alert
	if err := json.Unmarshal(text, &alerts); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return alerts
}

// grouped does what Alertmanager does before it calls a template.
func grouped(alerts []alert) group {
	g := group{Status: "resolved", Receiver: "team", ExternalURL: "https://alertmanager.example.com", GroupLabels: map[string]string{}}
	var labels, annotations []map[string]string
	for i := range alerts {
		alerts[i].Status = "resolved"
		if alerts[i].EndsAt.IsZero() {
			alerts[i].Status, g.Status = "firing", "firing"
		}
		labels = append(labels, alerts[i].Labels)
		annotations = append(annotations, alerts[i].Annotations)
	}
	g.Alerts, g.CommonLabels, g.CommonAnnotations = alerts, common(labels), common(annotations)
	for _, name := range []string{"cluster", "namespace", "workload_kind", "workload", "cause"} {
		if value, ok := g.CommonLabels[name]; ok {
			g.GroupLabels[name] = value
		}
	}
	return g
}

func common(maps []map[string]string) map[string]string {
	shared := map[string]string{}
	for name, value := range maps[0] {
		if !slices.ContainsFunc(maps, func(m map[string]string) bool { return m[name] != value }) {
			shared[name] = value
		}
	}
	return shared
}

// render has the real engine run one text.
func render(t *testing.T, alerts []alert, kind, text string) string {
	t.Helper()
	data, err := json.Marshal(grouped(alerts))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return amtool(t, "template", "render", "--template.glob=templates/*.tmpl", "--template.type="+kind, "--template.data="+file,
		"--template.text="+text)
}

// The notifications, with a line before each template so that a golden file shows all of a kind.
const (
	slackText = `title:  {{ template "kfe.slack.title" . }}
color:  {{ template "kfe.slack.color" . }}
links:  {{ template "kfe.runbook" . }}
        {{ template "kfe.dashboard" . }}
        {{ template "kfe.silence" . }}
footer: {{ template "kfe.slack.footer" . }}

{{ template "kfe.slack.text" . }}
`
	pagerdutyText = `description: {{ template "kfe.pagerduty.description" . }}
severity:    {{ template "kfe.pagerduty.severity" . }}

{{ template "kfe.pagerduty.text" . }}

{{ template "kfe.pagerduty.fix" . }}
`
	emailText = `Subject: {{ template "kfe.email.subject" . }}

{{ template "kfe.email.text" . }}`
	emailHTML = `{{ template "kfe.email.html" . }}`
)

func TestTemplates(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no alerts in testdata: %v", err)
	}
	for _, file := range files {
		for _, test := range []struct{ golden, kind, text string }{
			{".slack.txt", "text", slackText},
			{".pagerduty.txt", "text", pagerdutyText},
			{".email.txt", "text", emailText},
			{".email.html", "html", emailHTML},
		} {
			golden := strings.TrimSuffix(file, ".json") + test.golden
			t.Run(filepath.Base(golden), func(t *testing.T) { compare(t, golden, render(t, readAlerts(t, file), test.kind, test.text)) })
		}
	}
}

func compare(t *testing.T, golden, got string) {
	t.Helper()
	got = strings.TrimSpace(got) + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v; run the test with -update and read the result", err)
	}
	if got != string(want) {
		t.Errorf("not as in %s; run the test with -update and read the difference. Got:\n%s", golden, got)
	}
	if strings.Contains(got, "<no value>") {
		t.Errorf("something has no value:\n%s", got)
	}
}

// What an alert quotes comes from whoever may create a pod.
func TestHostileTextIsHarmless(t *testing.T) {
	alerts := func() []alert { return readAlerts(t, "testdata/hostile.json") }
	slack := render(t, alerts(), "text", `{{ template "kfe.slack.title" . }} {{ template "kfe.slack.text" . }}`)
	if strings.ContainsAny(slack, "<>") {
		t.Errorf("Slack would read a link, a mention or a call of the channel:\n%s", slack)
	}
	html := render(t, alerts(), "html", emailHTML)
	for _, forbidden := range []string{"<script", "<img", "<h1>2", "href=\"javascript:"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("the e-mail has %s:\n%s", forbidden, html)
		}
	}
	if links := render(t, alerts(), "text", slackText); strings.Contains(links, "javascript:") {
		t.Errorf("what is not http is no link:\n%s", links)
	}
	subject := render(t, alerts(), "text", `{{ template "kfe.email.subject" . }}`)
	if strings.Contains(strings.TrimSpace(subject), "\n") {
		t.Errorf("the subject would begin another header: %q", subject)
	}
}
