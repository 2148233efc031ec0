package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/collector"
)

// slowReader is an answer of which nothing is read for some time.
type slowReader struct {
	*httptest.ResponseRecorder
	unread   time.Duration
	deadline time.Time
}

// SetWriteDeadline is what http.ResponseController looks for.
func (s *slowReader) SetWriteDeadline(deadline time.Time) error {
	s.deadline = deadline
	return nil
}

func (s *slowReader) Write(p []byte) (int, error) {
	time.Sleep(min(s.unread, time.Until(s.deadline)))
	return s.ResponseRecorder.Write(p)
}

// idleHandler serves a collector that has not read anything.
func idleHandler(t *testing.T) http.Handler {
	t.Helper()
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	demo, err := collector.NewDemo(ctx, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	registry, logger := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	c, err := collector.New(demo, collector.Options{MaxFailures: 1, Logger: logger, Now: demo.Now}, catalogue, registry)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	c.Run(ctx) // which ends at once, and all that New began
	return newHandler(c, catalogue, registry, "/metrics", "", logger)
}

// TestTurns proves that no more than two answers about all that fails exist at once, that others wait for a moment until it is their
// turn, and that what costs little is always answered.
func TestTurns(t *testing.T) {
	const heavy = "/ /api/v1/failures /failures/shop/Deployment/web /causes/ /causes/OOMKilled"
	for name, test := range map[string]struct {
		unread time.Duration // how long two askers take until they read their answers
		after  time.Duration // when others ask
		paths  string
		busy   bool
	}{
		"read soon":              {unread: 3 * time.Second, paths: heavy},
		"read late":              {unread: time.Minute, paths: heavy, busy: true},
		"read never":             {unread: time.Hour, after: 50 * time.Second, paths: "/", busy: true},
		"read never, and others": {unread: time.Hour, after: 58 * time.Second, paths: heavy},
		"what costs little":      {unread: time.Minute, paths: "/metrics /-/healthy /-/ready /api/v1/causes"},
		"what is not there":      {unread: time.Minute, paths: "/nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := idleHandler(t)
				for _, path := range []string{"/", "/api/v1/failures"} {
					go handler.ServeHTTP(&slowReader{ResponseRecorder: httptest.NewRecorder(), unread: test.unread}, httptest.NewRequest(http.MethodGet, path, http.NoBody))
				}
				time.Sleep(test.after)
				synctest.Wait()
				for path := range strings.FieldsSeq(test.paths) {
					answer := httptest.NewRecorder()
					begin := time.Now()
					handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, http.NoBody))
					busy := answer.Code == http.StatusServiceUnavailable && strings.Contains(answer.Body.String(), "too many ask at once")
					if busy != test.busy || busy && answer.Header().Get("Retry-After") != "1" || time.Since(begin) > patience {
						t.Errorf("%s after %s: %d %v\n%.300s", path, time.Since(begin), answer.Code, answer.Header(), answer.Body)
					}
					if strings.HasPrefix(path, "/api") && !json.Valid(answer.Body.Bytes()) {
						t.Errorf("%s: no JSON:\n%s", path, answer.Body)
					}
				}
				time.Sleep(test.unread)
			})
		})
	}
}

// TestTurnsOfWhoHasLeft proves that nothing is made for an asker who has given up waiting, and that a turn is given back.
func TestTurnsOfWhoHasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := 0
		handler := make(turns, 1).limit(func(http.ResponseWriter, *http.Request) {
			served++
			time.Sleep(time.Second)
		}, http.NotFound)
		ctx, leave := context.WithCancel(t.Context())
		ask := func() {
			handler(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody))
		}
		go ask()
		synctest.Wait()
		go ask()
		synctest.Wait()
		leave()
		time.Sleep(time.Minute)
		if served != 1 {
			t.Errorf("served %d times, want once", served)
		}
		ctx = t.Context()
		ask()
		if served != 2 {
			t.Error("the turn was not given back")
		}
	})
}
