package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"
)

// daemon is a real Alertmanager on a loopback port.
type daemon struct {
	url string
	log bytes.Buffer
}

// start runs Alertmanager with a configuration file until the test is over.
func start(t *testing.T, config string) *daemon {
	t.Helper()
	binary := program(t, "alertmanager", "alertmanager", "prometheus-alertmanager")
	address := freeAddress(t)
	d := &daemon{url: "http://" + address}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "--config.file="+config, "--storage.path="+t.TempDir(), "--web.listen-address="+address,
		"--cluster.listen-address=", "--web.external-url=https://alertmanager.example.com", "--web.route-prefix=/")
	cmd.Stdout, cmd.Stderr = &d.log, &d.log
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", binary, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed on purpose
		if t.Failed() {
			t.Logf("Alertmanager's log:\n%s", d.log.String())
		}
	})
	eventually(t, "Alertmanager is ready", func() bool {
		response, err := http.Get(d.url + "/-/ready")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return d
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !within(30*time.Second, holds) {
		t.Fatalf("not so within 30 s: %s", what)
	}
}

func within(limit time.Duration, holds func() bool) bool {
	for deadline := time.Now().Add(limit); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

func (d *daemon) post(t *testing.T, alerts []alert) {
	t.Helper()
	body, err := json.Marshal(alerts)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(d.url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatalf("posting alerts: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("posting alerts: %s: %s", response.Status, text)
	}
}

// state is what Alertmanager says of one alert.
type state struct {
	Labels      map[string]string              `json:"labels"`
	Annotations map[string]string              `json:"annotations"`
	Status      struct{ InhibitedBy []string } `json:"status"`
}

func (d *daemon) alerts(t *testing.T) []state {
	t.Helper()
	response, err := http.Get(d.url + "/api/v2/alerts")
	if err != nil {
		t.Fatalf("listing alerts: %v", err)
	}
	defer func() { _ = response.Body.Close() }()
	var states []state
	if err := json.NewDecoder(response.Body).Decode(&states); err != nil {
		t.Fatalf("listing alerts: %v", err)
	}
	return states
}
