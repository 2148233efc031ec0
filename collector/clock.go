package collector

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// clockTolerance is the difference of two clocks that means nothing: what an answer says of the time is that exact, and
// every grace is longer.
const clockTolerance = 5 * time.Second

// Clock tells the API server's time, whatever this machine's clock says: graces and holds are counted from times that the
// cluster wrote, and a clock that is minutes ahead would call everything late that has just begun.
type Clock struct {
	logger *slog.Logger
	gauge  prometheus.Gauge
	local  func() time.Time
	behind atomic.Int64 // how far this machine is behind the API server, in nanoseconds
}

// clockFamily describes the clock's metric.
func clockFamily() Family {
	return Family{
		Name: "kube_failure_exporter_clock_skew_seconds", Type: "gauge", Lifetime: "While a cluster is watched.",
		Help: "How far this machine's clock is behind the API server's, which is used instead; 0 within five seconds.",
	}
}

// NewClock returns a clock that goes with this machine's until an answer of the API server proves that wrong.
func NewClock(registerer prometheus.Registerer, logger *slog.Logger) *Clock {
	family := clockFamily()
	c := &Clock{logger: logger, local: time.Now, gauge: prometheus.NewGauge(prometheus.GaugeOpts{Name: family.Name, Help: family.Help})}
	registerer.MustRegister(c.gauge)
	return c
}

// Now returns the API server's time.
func (c *Clock) Now() time.Time { return c.local().Add(time.Duration(c.behind.Load())) }

// Follow makes the clock read the time of every answer that comes through a transport; it is for rest.Config.Wrap.
func (c *Clock) Follow(next http.RoundTripper) http.RoundTripper {
	return &followed{RoundTripper: next, clock: c}
}

// see takes the time that an answer was given at, which lies between that of the question and that of its arrival. A
// difference that explains the answer as well as the last one did is not taken over: the time must not wander.
func (c *Clock) see(answered, asked, arrived time.Time) {
	if arrived.Sub(asked) > clockTolerance {
		return // it says too little
	}
	behind, before := answered.Sub(asked.Add(arrived.Sub(asked)/2)), time.Duration(c.behind.Load())
	switch {
	case (behind - before).Abs() < clockTolerance:
		return
	case behind.Abs() < clockTolerance:
		behind = 0
	}
	if !c.behind.CompareAndSwap(int64(before), int64(behind)) {
		return // another answer has just said so
	}
	c.gauge.Set(behind.Seconds())
	if behind == 0 {
		c.logger.Info("This machine's clock agrees with the API server's again")
		return
	}
	c.logger.Warn("This machine's clock differs from the API server's, which is used instead", "behind", behind.Round(time.Second))
}

// followed is a transport whose answers set a clock.
type followed struct {
	http.RoundTripper
	clock *Clock
}

// RoundTrip implements http.RoundTripper. The header Date has whole seconds, rounded down.
func (f *followed) RoundTrip(request *http.Request) (*http.Response, error) {
	asked := f.clock.local()
	response, err := f.RoundTripper.RoundTrip(request)
	if err != nil {
		return response, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		f.clock.see(date.Add(time.Second/2), asked, f.clock.local())
	}
	return response, nil
}

// WrappedRoundTripper lets client-go find what it needs below, such as the way to cancel requests.
func (f *followed) WrappedRoundTripper() http.RoundTripper { return f.RoundTripper }
