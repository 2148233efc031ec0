package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
)

// BuildExporter compiles the exporter of the module in a folder, with more arguments for go build.
func BuildExporter(ctx context.Context, module, binary string, args ...string) error {
	args = append(append([]string{"build", "-o", binary}, args...), "./cmd/exporter")
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the exporter: %w: %s", err, output)
	}
	return nil
}

// Without returns rules that no longer give a right to a resource.
func Without(rules []rbacv1.PolicyRule, resource string) []rbacv1.PolicyRule {
	var kept []rbacv1.PolicyRule
	for i := range rules {
		rule := rules[i].DeepCopy()
		rule.Resources = slices.DeleteFunc(rule.Resources, func(name string) bool { return name == resource })
		if len(rule.Resources) > 0 {
			kept = append(kept, *rule)
		}
	}
	return kept
}

// Exporter is a running exporter.
type Exporter struct {
	URL     string
	Started time.Time

	cmd    *exec.Cmd
	ended  chan struct{}
	err    error
	output lines
}

// StartExporter starts the exporter. It is not ready yet.
func StartExporter(ctx context.Context, binary, kubeconfig string, args ...string) (*Exporter, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	e := &Exporter{URL: "http://" + address, Started: time.Now(), ended: make(chan struct{})}
	args = append([]string{"--kubeconfig=" + kubeconfig, "--web.listen-address=" + address, "--log.format=json"}, args...)
	e.cmd = exec.Command(binary, args...) //nolint:noctx // it outlives the call; Kill and Stop end it
	e.cmd.Stdout, e.cmd.Stderr = &e.output, &e.output
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := e.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the exporter: %w", err)
	}
	go func() {
		e.err = e.cmd.Wait()
		close(e.ended)
	}()
	return e, nil
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}

// WaitReady waits until the exporter says that it is ready.
func (e *Exporter) WaitReady(ctx context.Context, patience time.Duration) error {
	err := Poll(ctx, patience, 50*time.Millisecond, func(ctx context.Context) error {
		_, err := Fetch(ctx, e.URL+"/-/ready")
		return err
	})
	if err != nil {
		return fmt.Errorf("the exporter is not ready after %s: %w\n%s", patience, err, e.output.tail(10))
	}
	return nil
}

// Scrape looks at /metrics.
func (e *Exporter) Scrape(ctx context.Context) (*Scrape, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	text, err := Fetch(ctx, e.URL+"/metrics")
	if err != nil {
		return nil, err
	}
	return ParseScrape(text)
}

// PeakMemory is the most memory that the process ever held, in bytes; 0 where it has ended.
func (e *Exporter) PeakMemory() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if kilobytes, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			value, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kilobytes), " kB"), 64)
			if err != nil {
				return 0
			}
			return value * 1024
		}
	}
	return 0
}

// Running says that the process has not ended.
func (e *Exporter) Running() bool {
	select {
	case <-e.ended:
		return false
	default:
		return true
	}
}

// Kill ends the exporter as a power cut would.
func (e *Exporter) Kill() {
	_ = e.cmd.Process.Kill() // an error says that it has ended
	<-e.ended
}

// Stop asks the exporter to end. It is an error if it takes long, or fails.
func (e *Exporter) Stop() error {
	if !e.Running() {
		return fmt.Errorf("the exporter had ended: %w\n%s", errors.Join(e.err), e.output.tail(20))
	}
	_ = e.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-e.ended:
		if e.err != nil {
			return fmt.Errorf("stopping the exporter: %w\n%s", e.err, e.output.tail(10))
		}
		return nil
	case <-time.After(10 * time.Second):
		e.Kill()
		return errors.New("the exporter did not stop within 10 s")
	}
}

// LogLine is a line of the exporter's log.
type LogLine struct{ Level, Msg, Resource string }

// Log returns the lines of the log from a number on, and the number of the next.
func (e *Exporter) Log(from int) (log []LogLine, next int) {
	texts := e.output.from(from)
	for _, text := range texts {
		var line LogLine
		if json.Unmarshal([]byte(text), &line) == nil {
			log = append(log, line)
		}
	}
	return log, from + len(texts)
}

// lines collects what a process writes.
type lines struct {
	mu   sync.Mutex
	all  []string
	rest bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest.Write(p)
	for {
		line, err := l.rest.ReadString('\n')
		if err != nil {
			l.rest.WriteString(line)
			return len(p), nil
		}
		l.all = append(l.all, strings.TrimSuffix(line, "\n"))
	}
}

func (l *lines) from(n int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.all[min(n, len(l.all)):]...)
}

func (l *lines) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all[max(0, len(l.all)-n):], "\n")
}

// Poll calls a function until it succeeds, or returns its last error.
func Poll(ctx context.Context, patience, interval time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return errors.Join(last, ctx.Err())
		case <-time.After(interval):
		}
	}
}
