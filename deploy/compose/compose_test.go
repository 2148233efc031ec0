package compose

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// project is what is looked at of compose.yaml, as Docker Compose understands it.
type project struct {
	Services map[string]struct {
		Image string `json:"image"`
		Build struct {
			Args map[string]string `json:"args"`
		} `json:"build"`
		Ports []struct {
			HostIP string `json:"host_ip"`
		} `json:"ports"`
		Volumes []struct {
			Type     string `json:"type"`
			Source   string `json:"source"`
			Target   string `json:"target"`
			ReadOnly bool   `json:"read_only"`
		} `json:"volumes"`
	} `json:"services"`
}

// load lets the library of Docker Compose check and read compose.yaml.
func load(t *testing.T) project {
	t.Helper()
	var complaint strings.Builder
	cmd := exec.CommandContext(t.Context(), "go", "tool", "-modfile=../../tools/compose/go.mod", "github.com/compose-spec/compose-go/v2/cmd",
		"-format=json", "compose.yaml")
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("compose.yaml: %v\n%s", err, complaint.String())
	}
	var p project
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeFile(t *testing.T) {
	version, err := os.ReadFile("../../VERSION")
	if err != nil {
		t.Fatal(err)
	}
	released := strings.TrimSuffix(strings.TrimSpace(string(version)), "-dev")
	p := load(t)
	if len(p.Services) != 4 {
		t.Errorf("%d services, want 4", len(p.Services))
	}
	for name, service := range p.Services {
		if _, tag, found := strings.Cut(service.Image, ":"); !found || tag == "" || tag == "latest" {
			t.Errorf("%s: the image %s has no fixed tag", name, service.Image)
		}
		if len(service.Ports) != 1 || service.Ports[0].HostIP != "127.0.0.1" {
			t.Errorf("%s listens on %v, want one port of this machine alone", name, service.Ports)
		}
		for _, volume := range service.Volumes {
			if volume.Type != "bind" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil || !volume.ReadOnly {
				t.Errorf("%s: %s is not there, or not read-only (%v)", name, volume.Source, err)
			}
		}
	}
	exporter := p.Services["exporter"]
	if want := "ghcr.io/kube-failure-exporter/kube-failure-exporter:v" + released; exporter.Image != want || exporter.Build.Args["VERSION"] != released {
		t.Errorf("the exporter is %s, built as %q: want %s, as VERSION says", exporter.Image, exporter.Build.Args["VERSION"], want)
	}
}

// TestPrometheusConfig finds a file of rules that prometheus.yml has forgotten, or that is no longer there.
func TestPrometheusConfig(t *testing.T) {
	var config struct {
		RuleFiles     []string `json:"rule_files"`
		ScrapeConfigs []struct {
			HonorLabels bool `json:"honor_labels"`
		} `json:"scrape_configs"`
	}
	readYAML(t, "prometheus.yml", &config)
	// Here it changes nothing, but people copy it to where it does.
	if len(config.ScrapeConfigs) != 1 || !config.ScrapeConfigs[0].HonorLabels {
		t.Error("prometheus.yml scrapes without honor_labels")
	}
	files, err := filepath.Glob("../../alerts/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, file := range files {
		if name := filepath.Base(file); name != "prometheusrule.yaml" {
			want = append(want, "alerts/"+name)
		}
	}
	slices.Sort(config.RuleFiles)
	if !slices.Equal(config.RuleFiles, want) {
		t.Errorf("prometheus.yml loads %q, want %q", config.RuleFiles, want)
	}
}

// TestGrafanaFindsDashboards follows the paths from Grafana's provisioning through the volumes to the files.
func TestGrafanaFindsDashboards(t *testing.T) {
	var provisioning struct {
		Providers []struct {
			Options struct{ Path string }
		}
	}
	readYAML(t, "grafana/dashboards.yaml", &provisioning)
	for _, volume := range load(t).Services["grafana"].Volumes {
		if volume.Target != provisioning.Providers[0].Options.Path {
			continue
		}
		dashboards, err := filepath.Glob(filepath.Join(volume.Source, "*.json"))
		if err != nil || len(dashboards) != 4 {
			t.Errorf("%d dashboards (%v), want 4", len(dashboards), err)
		}
		return
	}
	t.Errorf("nothing is mounted at %s", provisioning.Providers[0].Options.Path)
}

func readYAML(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
