// Command kube-failure-exporter says why pods do not run: as Prometheus metrics, and once for people with diagnose.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/klog/v2"
)

// Exit codes.
const (
	exitOK     = 0 // nothing fails
	exitError  = 1 // could not look
	exitFailed = 2 // diagnose found failures
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, klog.SetSlogLogger))
}

// errFound says that diagnose found failures, which it has already shown.
var errFound = errors.New("failures found")

// run is the program. clientLog takes the logger of client-go, which is one for the whole process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, clientLog func(*slog.Logger)) int {
	app := newApp(stdin, stdout, stderr)
	app.clientLog = clientLog
	command, err := app.parse(args)
	if err == nil && command != nil {
		err = command(ctx)
	}
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFound):
		return exitFailed
	}
	fmt.Fprintf(stderr, "kube-failure-exporter: %v\n", err)
	return exitError
}
