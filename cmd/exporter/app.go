package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// app is the command line: flags in, a command to run out.
type app struct {
	kingpin        *kingpin.Application
	stdin          io.Reader
	stdout, stderr io.Writer
	clientLog      func(*slog.Logger)
	exited         bool // --help or --version has said all

	kubeconfig, context string
	namespaces, ignored []string
	times               classify.Options
	logLevel, logFormat string

	serve struct {
		web         *web.FlagConfig
		metricsPath string
		maxFailures int
		runbookURL  string
		demo        bool
	}
	diagnose struct {
		files   []string
		format  string
		now     string
		timeout time.Duration
		colour  string
	}
	explain struct{ cause string }
}

const about = `Says why pods do not run, from a closed list of causes, as Prometheus metrics.

Without a command it serves metrics about the cluster of the current kubeconfig (in a pod: about its own). Try it without a cluster: --demo.`

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, kingpin: kingpin.New("kube-failure-exporter", about)}
	a.kingpin.Version(version.Print("kube-failure-exporter"))
	a.kingpin.HelpFlag.Short('h').Help("Show help; after a command, that command's.")
	a.kingpin.UsageTemplate(usage)
	a.kingpin.UsageWriter(stdout).ErrorWriter(stderr)
	a.kingpin.Terminate(func(int) { a.exited = true })
	a.commonFlags()
	a.serveFlags(a.kingpin.Command("serve", "Serve metrics until a signal ends it. The default.").Default())
	a.diagnoseFlags(a.kingpin.Command("diagnose",
		"Tell once what fails, from files or from the cluster. Exit code 0: nothing fails, 2: something fails, 1: could not look."))
	explain := a.kingpin.Command("explain", "Show the page of a cause: what it means, how to confirm it, how to fix it.")
	explain.Arg("cause", "The cause, e.g. ImageTagNotFound. Without one: the list of all.").StringVar(&a.explain.cause)
	return a
}

func (a *app) commonFlags() {
	k, d := a.kingpin, classify.DefaultOptions()
	k.Flag("kubeconfig", "Path of a kubeconfig. Default: KUBECONFIG, ~/.kube/config, or in a pod its service account.").StringVar(&a.kubeconfig)
	k.Flag("context", "The kubeconfig's context to use.").StringVar(&a.context)
	k.Flag("namespace", "Watch this namespace only. Repeatable. Needs no more than a Role there.").Short('n').StringsVar(&a.namespaces)
	k.Flag("namespace-ignore", "Leave this namespace out. Repeatable.").StringsVar(&a.ignored)
	k.Flag("crash.hold", "How long a container must run after a crash loop until it counts as recovered.").
		Default(d.CrashHold.String()).DurationVar(&a.times.CrashHold)
	k.Flag("readiness.grace", "How long a running container may be not ready, at the least: its probe may allow more.").
		Default(d.ReadinessGrace.String()).DurationVar(&a.times.ReadinessGrace)
	k.Flag("scheduling.grace", "How long a pod may be unschedulable.").Default(d.SchedulingGrace.String()).DurationVar(&a.times.SchedulingGrace)
	k.Flag("creating.grace", "How long a pod may wait for volumes and network while warnings about them may heal.").
		Default(d.CreatingGrace.String()).DurationVar(&a.times.CreatingGrace)
	k.Flag("creating.timeout", "How long a pod may be ContainerCreating, or wait for a scheduler, without any warning.").
		Default(d.CreatingTimeout.String()).DurationVar(&a.times.CreatingTimeout)
	k.Flag("node.grace", "How long a node may be silent until its pods are lost; nothing new is told of them before.").
		Default(d.NodeGrace.String()).DurationVar(&a.times.NodeGrace)
	k.Flag("terminating.grace", "How long a pod may outlive its deletion grace period.").
		Default(d.TerminatingGrace.String()).DurationVar(&a.times.TerminatingGrace)
	k.Flag("log.level", "Only log messages with this severity or above. One of: debug, info, warn, error.").
		Default("info").EnumVar(&a.logLevel, promslog.LevelFlagOptions...)
	k.Flag("log.format", "Output format of log messages. One of: logfmt, json.").Default("logfmt").EnumVar(&a.logFormat, promslog.FormatFlagOptions...)
}

func (a *app) serveFlags(c *kingpin.CmdClause) {
	a.serve.web = kingpinflag.AddFlags(c, ":9992")
	c.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").StringVar(&a.serve.metricsPath)
	c.Flag("metrics.max-failures", "How many failures get series of their own. The rest is counted; aggregated series stay complete.").
		Default("20000").IntVar(&a.serve.maxFailures)
	c.Flag("runbook.url", "Base of the causes' pages, for the label runbook_url. This exporter serves them too, under "+pathCauses+".").
		Default(report.RunbookBase).StringVar(&a.serve.runbookURL)
	c.Flag("demo", "Show a recorded cluster instead of a real one.").BoolVar(&a.serve.demo)
}

func (a *app) diagnoseFlags(c *kingpin.CmdClause) {
	c.Flag("filename", "File or folder of objects as kubectl get -o json or -o yaml prints them, - for stdin. Repeatable. Default: the cluster.").
		Short('f').StringsVar(&a.diagnose.files)
	c.Flag("output", "One of: "+strings.Join(report.Formats(), ", ")+".").Short('o').Default(report.FormatTable).
		EnumVar(&a.diagnose.format, report.Formats()...)
	c.Flag("now", "The time of the look at files, RFC 3339. Default: the newest time in them.").StringVar(&a.diagnose.now)
	c.Flag("timeout", "How long to wait for the API server.").Default("30s").DurationVar(&a.diagnose.timeout)
	c.Flag("color", "One of: auto, always, never.").Default("auto").EnumVar(&a.diagnose.colour, "auto", "always", "never")
}

// parse returns the command that the arguments ask for, nil where help or version was asked for and given.
func (a *app) parse(args []string) (func(context.Context) error, error) {
	name, err := a.kingpin.Parse(kubectlFlags(args))
	if a.exited {
		return nil, nil //nolint:nilnil // nothing is left to do, and that is no error
	}
	if err != nil {
		return nil, fmt.Errorf("%w (try --help)", err)
	}
	switch name {
	case "diagnose":
		return a.runDiagnose, nil
	case "explain":
		return a.runExplain, nil
	}
	return a.runServe, nil
}

func (a *app) logger() (*slog.Logger, error) {
	config := &promslog.Config{Level: promslog.NewLevel(), Format: promslog.NewFormat(), Writer: a.stderr}
	if err := config.Level.Set(a.logLevel); err != nil {
		return nil, fmt.Errorf("--log.level: %w", err)
	}
	if err := config.Format.Set(a.logFormat); err != nil {
		return nil, fmt.Errorf("--log.format: %w", err)
	}
	return promslog.New(config), nil
}

func (a *app) options(logger *slog.Logger, times classify.Options, now func() time.Time) collector.Options {
	return collector.Options{
		Namespaces: a.namespaces, IgnoreNamespaces: a.ignored, Classify: times, MaxFailures: max(a.serve.maxFailures, 0),
		RunbookURL: strings.TrimRight(a.serve.runbookURL, "/"), Logger: logger, Now: now,
	}
}

// source finds the cluster, whose answers set the clock.
func (a *app) source(clock *collector.Clock) (collector.Source, error) {
	config, err := collector.LoadConfig(a.kubeconfig, a.context, "kube-failure-exporter/"+version.Version)
	if err != nil {
		return nil, err
	}
	return collector.NewCluster(config, clock)
}
