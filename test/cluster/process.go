package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// launcher starts all processes of a cluster from one OS thread, which ends with them: the kernel kills them when that
// thread ends, so that a test that panics leaves none behind.
type launcher chan func()

func newLauncher() launcher {
	l := make(launcher)
	go func() {
		runtime.LockOSThread()
		for start := range l {
			start()
		}
	}()
	return l
}

func (l launcher) start(cmd *exec.Cmd) error {
	started := make(chan error)
	l <- func() { started <- cmd.Start() }
	return <-started
}

// process is a running program of the cluster.
type process struct {
	name string
	log  string // file
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// startProcess runs a program; what it says goes to log/NAME.log, after what it said before a restart.
func (l launcher) startProcess(dir, program string, args ...string) (*process, error) {
	p := &process{name: filepath.Base(program), done: make(chan struct{})}
	p.log = filepath.Join(dir, "log", p.name+".log")
	if err := os.MkdirAll(filepath.Dir(p.log), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(program, args...) //nolint:noctx // it outlives the call; stop ends it
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := l.start(p.cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // why it ended stands in its log
	}()
	return p, nil
}

// stop ends the process, by force where it has not ended by itself in time.
func (p *process) stop(ctx context.Context, patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error says that it has ended
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	_ = p.cmd.Process.Kill()
	<-p.done
}

// waitUntil polls until the process serves, and tells the end of its log where it does not.
func (p *process) waitUntil(ctx context.Context, patience time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	go func() {
		select {
		case <-p.done:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := poll(ctx, ready)
	if err == nil {
		return nil
	}
	select {
	case <-p.done:
		err = fmt.Errorf("it has ended: %w", err)
	default:
	}
	log, readErr := os.ReadFile(p.log)
	return fmt.Errorf("%s is not ready: %w; the end of its log:\n%s", p.name, errors.Join(err, readErr), tail(log))
}

// poll calls f until it succeeds; when the context ends first, the error is f's last one.
func poll(ctx context.Context, f func(context.Context) error) error {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := f(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// tail returns the last lines of a log.
func tail(log []byte) string {
	lines := bytes.Split(bytes.TrimSpace(log), []byte("\n"))
	if len(lines) > 12 {
		lines = lines[len(lines)-12:]
	}
	return strings.TrimSpace(string(bytes.Join(lines, []byte("\n"))))
}
