package collector

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
)

func validOptions() Options {
	return Options{
		Classify: classify.DefaultOptions(), MaxFailures: 1, RunbookURL: "https://runbooks.example", Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func TestOptionsValidate(t *testing.T) {
	valid := validOptions()
	if err := valid.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"no logger":         {func(o *Options) { o.Logger = nil }, "logger"},
		"no clock":          {func(o *Options) { o.Now = nil }, "clock"},
		"no failures":       {func(o *Options) { o.MaxFailures = 0 }, "--metrics.max-failures must be at least 1, not 0"},
		"negative failures": {func(o *Options) { o.MaxFailures = -1 }, "--metrics.max-failures"},
		"both namespaces":   {func(o *Options) { o.Namespaces, o.IgnoreNamespaces = []string{"a"}, []string{"b"} }, "--namespace and --namespace-ignore"},
		"empty namespace":   {func(o *Options) { o.Namespaces = []string{"a", ""} }, "--namespace must not be empty"},
		"empty ignored":     {func(o *Options) { o.IgnoreNamespaces = []string{""} }, "--namespace-ignore must not be empty"},
		"two in one":        {func(o *Options) { o.Namespaces = []string{"team-1,team-2"} }, `--namespace must be the name of a namespace, not "team-1,team-2"`},
		"ignored in one":    {func(o *Options) { o.IgnoreNamespaces = []string{"a", "b,c"} }, `--namespace-ignore must be the name of a namespace, not "b,c"`},
		"how to repeat":     {func(o *Options) { o.Namespaces = []string{"a,b"} }, "repeat the flag for several"},
		"upper case":        {func(o *Options) { o.Namespaces = []string{"Team-1"} }, `"Team-1"`},
		"pattern":           {func(o *Options) { o.Namespaces = []string{"*"} }, `"*"`},
		"blank":             {func(o *Options) { o.IgnoreNamespaces = []string{"team-1 "} }, `"team-1 "`},
		"too long":          {func(o *Options) { o.Namespaces = []string{strings.Repeat("a", 64)} }, "no more than 63"},
		"crash hold":        {func(o *Options) { o.Classify.CrashHold = -time.Second }, "--crash.hold must not be negative, not -1s"},
		"readiness":         {func(o *Options) { o.Classify.ReadinessGrace = -1 }, "--readiness.grace"},
		"scheduling":        {func(o *Options) { o.Classify.SchedulingGrace = -1 }, "--scheduling.grace"},
		"creating":          {func(o *Options) { o.Classify.CreatingGrace = -1 }, "--creating.grace"},
		"creating timeout":  {func(o *Options) { o.Classify.CreatingTimeout = -1 }, "--creating.timeout"},
		"node":              {func(o *Options) { o.Classify.NodeGrace = -1 }, "--node.grace"},
		"terminating":       {func(o *Options) { o.Classify.TerminatingGrace = -1 }, "--terminating.grace"},
	} {
		t.Run(name, func(t *testing.T) {
			o := validOptions()
			test.change(&o)
			_, err := New(emptySource{}, o, nil, prometheus.NewRegistry())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one that says %q", err, test.want)
			}
		})
	}
}
