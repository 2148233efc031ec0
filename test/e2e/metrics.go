package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Sample is one series with its value.
type Sample struct {
	Metric string
	Labels map[string]string
	Value  float64
}

// String returns the series as a query would name it.
func (s Sample) String() string {
	var b strings.Builder
	b.WriteString(s.Metric + "{")
	for i, name := range slices.Sorted(maps.Keys(s.Labels)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s=%q", name, s.Labels[name])
	}
	b.WriteByte('}')
	return b.String()
}

// Scrape is what one look at /metrics gave.
type Scrape struct {
	Text    []byte
	Samples []Sample
}

// Fetch returns the body of an address; any status but 200 is an error.
func Fetch(ctx context.Context, url string, headers ...string) ([]byte, error) {
	return fetchBy(ctx, http.DefaultClient, url, headers...)
}

func fetchBy(ctx context.Context, client *http.Client, url string, headers ...string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", url, err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", url, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking %s: %s: %s", url, response.Status, bytes.TrimSpace(body))
	}
	return body, nil
}

// ParseScrape reads Prometheus' text format.
func ParseScrape(text []byte) (*Scrape, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	s := &Scrape{Text: text}
	for _, name := range slices.Sorted(maps.Keys(families)) {
		for _, metric := range families[name].GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			s.Samples = append(s.Samples, Sample{name, labels, valueOf(metric)})
		}
	}
	return s, nil
}

func valueOf(metric *dto.Metric) float64 {
	switch {
	case metric.GetGauge() != nil:
		return metric.GetGauge().GetValue()
	case metric.GetCounter() != nil:
		return metric.GetCounter().GetValue()
	case metric.GetHistogram() != nil:
		return float64(metric.GetHistogram().GetSampleCount())
	}
	return metric.GetUntyped().GetValue()
}

// Find returns the samples of a metric that have the labels, given as name and value in turn.
func (s *Scrape) Find(metric string, labels ...string) []Sample {
	var found []Sample
	for _, sample := range s.Samples {
		if sample.Metric != metric {
			continue
		}
		fits := true
		for i := 0; i+1 < len(labels); i += 2 {
			fits = fits && sample.Labels[labels[i]] == labels[i+1]
		}
		if fits {
			found = append(found, sample)
		}
	}
	return found
}

// Value returns the value of the only sample that fits; ok is false where there is none, or more.
func (s *Scrape) Value(metric string, labels ...string) (value float64, ok bool) {
	found := s.Find(metric, labels...)
	if len(found) != 1 {
		return 0, false
	}
	return found[0].Value, true
}

// Synced says that the exporter has seen the cluster; before, it tells nothing about it.
func (s *Scrape) Synced() bool {
	value, ok := s.Value("kube_failure_exporter_cache_synced")
	return ok && value == 1
}
