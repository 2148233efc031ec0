package collector

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// answers is a transport whose answers say what time it is at the API server.
type answers struct{ date string }

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{Header: http.Header{"Date": {a.date}}, Body: http.NoBody}, nil
}

func TestClockFollowsTheAPIServer(t *testing.T) {
	local := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var log bytes.Buffer
	clock := NewClock(prometheus.NewRegistry(), slog.New(slog.NewTextHandler(&log, nil)))
	clock.local = func() time.Time { return local }
	server := &answers{}
	transport := clock.Follow(server)
	for _, step := range []struct {
		name   string
		date   string
		behind time.Duration
		logged string
	}{
		{"the same second", "Fri, 27 Nov 2026 12:00:00 GMT", 0, ""},
		{"nearly the same", "Fri, 27 Nov 2026 12:00:03 GMT", 0, ""},
		{"no date", "", 0, ""},
		{"no date that can be read", "yesterday", 0, ""},
		{"ten minutes ahead of here", "Fri, 27 Nov 2026 12:10:00 GMT", 600*time.Second + time.Second/2, "behind=10m"},
		{"a little more changes nothing", "Fri, 27 Nov 2026 12:10:02 GMT", 600*time.Second + time.Second/2, ""},
		{"ten minutes behind here", "Fri, 27 Nov 2026 11:50:00 GMT", -600*time.Second + time.Second/2, "behind=-10m"},
		{"mended", "Fri, 27 Nov 2026 12:00:01 GMT", 0, "agrees"},
	} {
		log.Reset()
		server.date = step.date
		response, err := transport.RoundTrip(httptest.NewRequest(http.MethodGet, "/", http.NoBody))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := clock.Now().Sub(local); got != step.behind {
			t.Errorf("%s: the clock is corrected by %s, want %s", step.name, got, step.behind)
		}
		if got := testutil.ToFloat64(clock.gauge); got != step.behind.Seconds() {
			t.Errorf("%s: the metric is %v, want %v", step.name, got, step.behind.Seconds())
		}
		if step.logged == "" && log.Len() > 0 || !strings.Contains(log.String(), step.logged) {
			t.Errorf("%s: want %q in the log, got %s", step.name, step.logged, log.String())
		}
	}
}

// TestClockMistrustsSlowAnswers proves that an answer which took long sets nothing: its time may be from anywhere in between.
func TestClockMistrustsSlowAnswers(t *testing.T) {
	clock := NewClock(prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	asked := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	clock.see(asked.Add(time.Hour), asked, asked.Add(clockTolerance+1))
	if got := clock.behind.Load(); got != 0 {
		t.Errorf("corrected by %s", time.Duration(got))
	}
}
