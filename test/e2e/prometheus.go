package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// Prometheus is a real one that scrapes the exporter.
type Prometheus struct {
	*server
	url string
}

// StartPrometheus starts the prometheus of PATH, which scrapes a target every two seconds; what it writes stays below a folder.
func StartPrometheus(ctx context.Context, folder, target string) (*Prometheus, error) {
	return startPrometheus(ctx, filepath.Join(folder, "prometheus"), map[string]any{"scrape_configs": []any{map[string]any{
		"job_name": "e2e", "scrape_interval": "2s", "scrape_timeout": "2s",
		"static_configs": []any{map[string]any{"targets": []string{strings.TrimPrefix(target, "http://")}}},
	}}})
}

func startPrometheus(ctx context.Context, folder string, config map[string]any) (*Prometheus, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("starting Prometheus: %w", err)
	}
	file := filepath.Join(folder, "prometheus.yml")
	if err := errors.Join(os.MkdirAll(folder, 0o755), os.WriteFile(file, text, 0o600)); err != nil {
		return nil, fmt.Errorf("starting Prometheus: %w", err)
	}
	p := &Prometheus{url: "http://" + address}
	p.server, err = startServer(filepath.Join(folder, "prometheus.log"), "prometheus", "--config.file="+file, "--web.listen-address="+address,
		"--storage.tsdb.path="+filepath.Join(folder, "data"))
	return p, err
}

// server is a program that runs until it is killed.
type server struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// startServer starts a program of PATH; what it says goes into a file.
func startServer(file, program string, args ...string) (*server, error) {
	log, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	defer log.Close()
	s := &server{cmd: exec.Command(program, args...), ended: make(chan struct{})} //nolint:noctx // it outlives the call; Stop ends it
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", program, err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

// Stop ends the program.
func (s *server) Stop() {
	_ = s.cmd.Process.Kill() // an error says that it has ended
	<-s.ended
}

// Query returns the value of an expression that gives one series; ok is false where it gives none.
func (p *Prometheus) Query(ctx context.Context, expression string) (value float64, ok bool, err error) {
	body, err := Fetch(ctx, p.url+"/api/v1/query?query="+url.QueryEscape(expression))
	if err != nil {
		return 0, false, err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, false, fmt.Errorf("reading Prometheus' answer to %s: %w", expression, err)
	}
	if len(answer.Data.Result) == 0 {
		return 0, false, nil
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	value, err = strconv.ParseFloat(text, 64)
	return value, err == nil, err
}

// Count returns how many series answer an expression, now or over the last ten minutes.
func (p *Prometheus) Count(ctx context.Context, expression string, instant bool) (int, error) {
	question := "/api/v1/query?query=" + url.QueryEscape(expression)
	if !instant {
		now := time.Now()
		question = fmt.Sprintf("/api/v1/query_range?query=%s&start=%d&end=%d&step=15", url.QueryEscape(expression),
			now.Add(-10*time.Minute).Unix(), now.Unix())
	}
	body, err := Fetch(ctx, p.url+question)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("reading Prometheus' answer to %s: %w", expression, err)
	}
	return len(answer.Data.Result), nil
}

// Check asks for every metric of the contract, and whether each failing thing kept one series. absent are metrics that need not
// be there.
func (p *Prometheus) Check(ctx context.Context, since time.Duration, absent ...string) (violations []string, err error) {
	window := fmt.Sprintf("[%ds]", int(since.Seconds()))
	for _, family := range collector.Metrics() {
		name := family.Name
		if family.Type == "histogram" {
			name += "_count"
		}
		count, _, err := p.Query(ctx, "count(last_over_time("+name+window+"))")
		if err != nil {
			return nil, err
		}
		if count == 0 && !slices.Contains(absent, family.Name) {
			violations = append(violations, "Prometheus has no series of "+family.Name)
		}
	}
	for what, expression := range map[string]string{
		"a scrape failed": "1 - min_over_time(up" + window + ")",
		"a failing container has two identities": "max(count by (namespace, pod, container) (count_over_time(" + metricPod + window +
			"))) - 1",
		"a controller has two identities": "max(count by (namespace, controller_kind, controller) (count_over_time(" + metricCreate + window +
			"))) - 1",
		"a start moved more than once": "clamp_min(max(changes(" + metricStart + window + ")) - 1, 0)",
	} {
		value, ok, err := p.Query(ctx, expression)
		switch {
		case err != nil:
			return nil, err
		case !ok || value != 0:
			violations = append(violations, fmt.Sprintf("Prometheus: %s: %s is %v", what, expression, value))
		}
	}
	return violations, nil
}

// CheckMetrics gives an exposition to promtool.
func CheckMetrics(ctx context.Context, text []byte) error {
	cmd := exec.CommandContext(ctx, "promtool", "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("promtool check metrics: %w: %s", err, output)
	}
	return nil
}

// CheckOpenMetrics looks at what the exporter says to who asks for OpenMetrics.
func CheckOpenMetrics(ctx context.Context, url string) error {
	text, err := Fetch(ctx, url+"/metrics", "Accept", "application/openmetrics-text; version=1.0.0")
	if err != nil {
		return err
	}
	switch {
	case !bytes.HasSuffix(text, []byte("# EOF\n")):
		return errors.New("OpenMetrics does not end with # EOF")
	case bytes.Contains(text, []byte(" # {")):
		return errors.New("OpenMetrics has exemplars")
	}
	return nil
}
