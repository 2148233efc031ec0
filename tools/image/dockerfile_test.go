package main

import (
	"maps"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	scratch  = "FROM golang AS build\nARG UNUSED\nRUN true\nFROM scratch\nARG VERSION\n"
	complete = scratch + "LABEL a=\"${VERSION}\" \\\n\tb=\"2 3\"\nCOPY --from=build /x /app\n# who\nUSER 1:1\nEXPOSE 80\nENTRYPOINT [\"/app\", \"run\"]\n"
)

func TestParseLastStage(t *testing.T) {
	want := stage{binary: "/app", entrypoint: []string{"/app", "run"}, user: "1:1", port: "80", labels: map[string]string{"a": "7", "b": "2 3"}}
	got, err := parseLastStage(complete, map[string]string{"VERSION": "7"})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for _, test := range []struct{ name, text, want string }{
		{"no stage", "", "FROM scratch"},
		{"another base", complete + "FROM alpine\n", "FROM scratch"},
		{"an unknown instruction", complete + "ENV a=b\n", "ENV a=b: unknown here"},
		{"a second file", complete + "COPY --from=build /y /y\n", "only one COPY"},
		{"a file of the context", scratch + "COPY x /x\n", "only one COPY"},
		{"a label without quotes", scratch + "LABEL a=b\n", `no name="value"`},
		{"an ARG that is not declared", scratch + "LABEL a=\"${UNUSED}\"\n", "no value for UNUSED"},
		{"an ARG without a value", scratch + "ARG OTHER\nLABEL a=\"$OTHER\"\n", "no value for OTHER"},
		{"a shell as entrypoint", scratch + "ENTRYPOINT /app\n", "ENTRYPOINT /app: "},
		{"no user", scratch + "LABEL a=\"1\"\nCOPY --from=build /x /x\nEXPOSE 80\nENTRYPOINT [\"/x\"]\n", "is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseLastStage(test.text, map[string]string{"VERSION": "7", "UNUSED": "1"})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// TestConfig compares what an image says of itself with what the manifests, the chart and people rely on.
func TestConfig(t *testing.T) {
	folder, _ := mustMake(t, epoch, "amd64="+program(t, "amd64"))
	image, _ := openLayout(t, folder+"/image-linux-amd64.tar")
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config := file.Config
	if file.OS != "linux" || file.Architecture != "amd64" || file.Created.Unix() != 1790000000 {
		t.Errorf("built for %s/%s at %s", file.OS, file.Architecture, file.Created)
	}
	if !slices.Equal(config.Entrypoint, []string{"/kube-failure-exporter"}) || config.Cmd != nil || config.User != "65532:65532" || config.Env != nil {
		t.Errorf("it runs %q %q as %q with %q", config.Entrypoint, config.Cmd, config.User, config.Env)
	}
	if ports := slices.Collect(maps.Keys(config.ExposedPorts)); !slices.Equal(ports, []string{"9992/tcp"}) {
		t.Errorf("it exposes %q", ports)
	}
	for key, want := range map[string]string{
		"source": "https://github.com/kube-failure-exporter/kube-failure-exporter", "licenses": "Apache-2.0", "version": "1.2.3", "revision": "c0ffee",
	} {
		if got := config.Labels["org.opencontainers.image."+key]; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for key, value := range config.Labels {
		if value == "" || !strings.HasPrefix(key, "org.opencontainers.image.") {
			t.Errorf("the label %s is %q", key, value)
		}
	}
}

// TestDockerignore wants every folder that the exporter is built from in Docker's context.
func TestDockerignore(t *testing.T) {
	kept := strings.Fields(string(read(t, "../../.dockerignore")))
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "./cmd/exporter")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 4 {
		t.Fatalf("the exporter is made of %q only", packages)
	}
	for _, path := range packages {
		folder, _, _ := strings.Cut(strings.TrimPrefix(path, "github.com/kube-failure-exporter/kube-failure-exporter/"), "/")
		if !slices.Contains(kept, "!"+folder) {
			t.Errorf("%s is ignored", folder)
		}
	}
}
