package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestLint has Helm look at the chart and at each set of values.
func TestLint(t *testing.T) {
	t.Parallel()
	args := []string{"lint", "--strict", "."}
	run(t, helm(t, args...))
	for set := range valueSets(t) {
		run(t, helm(t, append(args, "--values=testdata/values/"+set+".yaml")...))
	}
}

// TestVersion proves that the chart is released with the exporter, whose version it installs.
func TestVersion(t *testing.T) {
	version, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var chart struct{ Version, AppVersion string }
	if err := yaml.Unmarshal(text, &chart); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSuffix(strings.TrimSpace(string(version)), "-dev")
	if chart.Version != want || chart.AppVersion != want {
		t.Errorf("the chart is %s of %s, VERSION says %s", chart.Version, chart.AppVersion, want)
	}
	if _, c := container(t, decode(t, called("").render(t))); c.Image != "ghcr.io/"+name+"/"+name+":v"+want {
		t.Errorf("it installs %s", c.Image)
	}
}

// TestPackage proves that what is released holds what Helm needs, and not what makes and tests it.
func TestPackage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	run(t, helm(t, "package", ".", "--destination="+folder))
	archives, err := filepath.Glob(folder + "/" + name + "-*.tgz")
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v: %v", archives, err)
	}
	archive, err := os.Open(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	unzipped, err := gzip.NewReader(archive)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for files := tar.NewReader(unzipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimPrefix(header.Name, name+"/"))
	}
	want := []string{"Chart.yaml", "README.md", "values.schema.json", "values.yaml", "files/series.json"}
	for _, pattern := range []string{"templates/*", "files/rules/*.yaml", "files/dashboards/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		want = append(want, files...)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("packed is %v\nwant %v", got, want)
	}
	// Installing from the archive gives what installing from the folder gives.
	i := called("prometheusRule: {enabled: true}\ndashboards: {enabled: true}")
	if !bytes.Equal(run(t, i.helm(t, "template", archives[0])), i.render(t)) {
		t.Error("the archive renders otherwise than the folder")
	}
}

const everything = `
podMonitor: {enabled: true}
serviceMonitor: {enabled: true}
prometheusRule: {enabled: true, selector: 'job="kube-failure-exporter"'}
dashboards: {enabled: true}
networkPolicy: {enabled: true}
`

// release is what Helm writes of an installation that it only plays.
type release struct {
	Info struct {
		Notes string `json:"notes"`
	} `json:"info"`
	text []byte
}

func (i installation) play(t *testing.T) release {
	t.Helper()
	if version := run(t, helm(t, "version")); bytes.Contains(version, []byte(`"v3.`)) {
		t.Skip("Helm 3 does not play an installation without a cluster")
	}
	r := release{text: run(t, i.helm(t, "install", ".", "--dry-run=client", "--output=json"))}
	if err := json.Unmarshal(r.text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReleaseFitsIntoItsSecret proves that Helm can store a release, which it does with the chart in it, in a Secret of at most 1 MiB.
func TestReleaseFitsIntoItsSecret(t *testing.T) {
	t.Parallel()
	r := called(everything).play(t)
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(r.text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	size := base64.StdEncoding.EncodedLen(zipped.Len())
	ratio := float64(size) / (1 << 20)
	t.Logf("a release with everything has %d bytes, %.0f %% of what a Secret may hold", size, 100*ratio)
	if ratio > 0.5 {
		t.Errorf("a release has %d bytes: %.2f of what a Secret may hold", size, ratio)
	}
}

// TestNotes proves that what Helm says after an installation names what was installed, and what was not.
func TestNotes(t *testing.T) {
	for _, c := range []struct {
		values   string
		has, not []string
	}{
		{
			"", []string{
				"watches the whole cluster", "http://localhost:9992", "kubectl -n monitoring port-forward deployment/failures-kube-failure-exporter 9992",
				"Nothing scrapes it yet", "honor_labels: true", "Off: alerts (prometheusRule.enabled), dashboards (dashboards.enabled), network policy (networkPolicy.enabled).",
			}, []string{"grafana.example.com"},
		},
		{
			"namespaces: [a, b]\nfullnameOverride: some\nnamespaceOverride: where\nwebConfig: {existingSecret: s, tls: true}\nservice: {scrapeAnnotations: true}",
			[]string{"watches the namespaces a, b.", "https://localhost:9992", "kubectl -n where port-forward deployment/some 9992"}, []string{"Nothing scrapes it yet"},
		},
		{
			everything, []string{"one of podMonitor, serviceMonitor and service.scrapeAnnotations is enough", "set prometheusRule.dashboardUrl"},
			[]string{"Nothing scrapes", "Off:"},
		},
		{
			"podMonitor: {enabled: true}\nprometheusRule: {enabled: true, dashboardUrl: 'https://grafana'}",
			[]string{"podMonitor.labels, prometheusRule.labels.", "Off: dashboards"}, []string{"Nothing scrapes", "dashboardUrl"},
		},
	} {
		notes := installation{"failures", "monitoring", c.values}.play(t).Info.Notes
		for _, words := range c.has {
			if !strings.Contains(notes, words) {
				t.Errorf("%s: nothing of %q in\n%s", c.values, words, notes)
			}
		}
		for _, words := range c.not {
			if strings.Contains(notes, words) {
				t.Errorf("%s: %q in\n%s", c.values, words, notes)
			}
		}
		if strings.Contains(notes, "\n\n\n") || strings.Contains(notes, " \n") {
			t.Errorf("%s: holes in\n%s", c.values, notes)
		}
	}
}
