package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sigs.k8s.io/yaml"
)

// Alerting is a real Prometheus with the project's rules, a real Alertmanager with the project's grouping and inhibition, and
// a receiver in place of people.
type Alerting struct {
	*Prometheus
	Receiver *Receiver

	alertmanager *server

	// Shaken is since when the node may have been not ready for a while, zero for never.
	Shaken time.Time
}

// alertInterval is how often Prometheus scrapes and judges.
const alertInterval = 5 * time.Second

// Target is an exporter that Prometheus scrapes, and the namespaces, a regular expression, of which it keeps series. A series
// without a namespace is always kept.
type Target struct{ URL, Namespaces string }

// StartAlerting starts them. The rules and the configuration are those of the module in a folder.
func StartAlerting(ctx context.Context, module, folder, alertmanager string, targets ...Target) (*Alerting, error) {
	a := &Alerting{}
	var err error
	if a.Receiver, err = StartReceiver(ctx); err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "alertmanager.yml")
	if err := writeAlertmanagerConfig(filepath.Join(module, "alerts", "alertmanager", "alertmanager.yml"), config, a.Receiver.URL); err != nil {
		return nil, err
	}
	a.alertmanager, err = startServer(filepath.Join(folder, "alertmanager.log"), alertmanager, "--config.file="+config,
		"--web.listen-address="+address, "--cluster.listen-address=", "--storage.path="+filepath.Join(folder, "alertmanager"))
	if err != nil {
		return nil, err
	}
	if a.Prometheus, err = startAlertingPrometheus(ctx, module, folder, address, targets); err != nil {
		a.alertmanager.Stop()
		return nil, err
	}
	return a, nil
}

// Stop ends all of it.
func (a *Alerting) Stop() {
	a.Prometheus.Stop()
	a.alertmanager.Stop()
	_ = a.Receiver.server.Close()
}

// writeAlertmanagerConfig keeps the shipped configuration's routes, grouping, times and inhibition, and gives all its receivers
// one address.
func writeAlertmanagerConfig(shipped, file, address string) error {
	text, err := os.ReadFile(shipped)
	if err != nil {
		return fmt.Errorf("reading Alertmanager's configuration: %w", err)
	}
	var config struct {
		Route        any `json:"route"`
		InhibitRules any `json:"inhibit_rules"`
		Receivers    []struct {
			Name     string           `json:"name"`
			Webhooks []map[string]any `json:"webhook_configs"`
		} `json:"receivers"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("reading Alertmanager's configuration: %w", err)
	}
	for i := range config.Receivers {
		config.Receivers[i].Webhooks = []map[string]any{{"url": address, "send_resolved": true}}
	}
	if text, err = yaml.Marshal(config); err != nil {
		return fmt.Errorf("writing Alertmanager's configuration: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("writing Alertmanager's configuration: %w", err)
	}
	return nil
}

func startAlertingPrometheus(ctx context.Context, module, folder, alertmanager string, targets []Target) (*Prometheus, error) {
	rules, err := filepath.Abs(filepath.Join(module, "alerts"))
	if err != nil {
		return nil, fmt.Errorf("finding the rules: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(rules, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("finding the rules: %w", err)
	}
	config := map[string]any{
		"global":     map[string]any{"evaluation_interval": alertInterval.String()},
		"rule_files": ruleFiles(files),
		"alerting":   map[string]any{"alertmanagers": []any{map[string]any{"static_configs": []any{map[string]any{"targets": []string{alertmanager}}}}}},
	}
	var jobs []any
	for i, target := range targets {
		jobs = append(jobs, map[string]any{
			"job_name": fmt.Sprintf("kube-failure-exporter-%d", i), "honor_labels": true, "scrape_interval": alertInterval.String(),
			"static_configs":         []any{map[string]any{"targets": []string{strings.TrimPrefix(target.URL, "http://")}}},
			"metric_relabel_configs": []any{map[string]any{"action": "keep", "source_labels": []string{"namespace"}, "regex": "|" + target.Namespaces}},
		})
	}
	config["scrape_configs"] = jobs
	return startPrometheus(ctx, filepath.Join(folder, "alerting"), config)
}

// ruleFiles leaves out the object for the operator, which holds the same rules again.
func ruleFiles(files []string) []string {
	var rules []string
	for _, file := range files {
		if filepath.Base(file) != "prometheusrule.yaml" {
			rules = append(rules, file)
		}
	}
	return rules
}

// Notification is what Alertmanager sent at one time about one group, one alert of it
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
type Notification struct {
	At       time.Time
	GroupKey string
	Status   string // of the group: firing or resolved
	Alerts   []Alert
}

// Alert is an alert in a notification.
type Alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Workload is whom the alert is about.
func (a *Alert) Workload() Workload {
	return Workload{a.Labels["namespace"], a.Labels["workload_kind"], a.Labels["workload"]}
}

// Receiver takes notifications.
type Receiver struct {
	URL    string
	server *http.Server

	mu            sync.Mutex
	notifications []Notification
}

// StartReceiver starts one on loopback.
func StartReceiver(ctx context.Context) (*Receiver, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting a receiver: %w", err)
	}
	r := &Receiver{URL: "http://" + listener.Addr().String()}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: time.Minute, ErrorLog: quiet()}
	go func() { _ = r.server.Serve(listener) }() // ends with ErrServerClosed
	return r, nil
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	n := Notification{At: time.Now()}
	if err := json.NewDecoder(request.Body).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notifications = append(r.notifications, n)
}

// Notifications returns all so far.
func (r *Receiver) Notifications() []Notification {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Notification(nil), r.notifications...)
}
