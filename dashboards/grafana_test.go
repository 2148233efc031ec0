package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGrafanaTypes has the TypeScript compiler hold every dashboard against the types that Grafana publishes, of three major
// versions: an option that one of them does not know, or of another type, is an error. It downloads some 60 MB, so it must be
// asked for: KFE_GRAFANA_TYPES=1, with npm on the PATH.
func TestGrafanaTypes(t *testing.T) {
	if os.Getenv("KFE_GRAFANA_TYPES") == "" {
		t.Skip("the types of Grafana are not asked for: KFE_GRAFANA_TYPES=1")
	}
	for _, version := range []string{"10.4.19", "11.6.16", "12.4.11"} {
		t.Run(version, func(t *testing.T) {
			folder := t.TempDir()
			run := func(name string, args ...string) {
				t.Helper()
				cmd := exec.CommandContext(t.Context(), name, args...)
				cmd.Dir = folder
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", name, err, out)
				}
			}
			run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps",
				"typescript@5.9.3", "@grafana/schema@"+version)
			if err := os.WriteFile(filepath.Join(folder, "dashboards.ts"), []byte(typescript(t)), 0o600); err != nil {
				t.Fatal(err)
			}
			run(filepath.Join("node_modules", ".bin", "tsc"), "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022",
				"--module", "esnext", "--moduleResolution", "bundler", "dashboards.ts")
		})
	}
}

// loose lets a JSON text stand for an enumeration, and leaves out what a panel takes by default.
const loose = `type Loose<T> = T extends string ? ` + "`${T}`" + ` : T extends number ? number : T extends boolean | null | undefined ? T
  : T extends Array<infer U> ? Loose<U>[] : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;
`

// typescript writes each dashboard as a constant of Grafana's type, and the options of each panel as one of the panel's.
func typescript(t *testing.T) string {
	t.Helper()
	types := map[string]string{
		"stat": "Stat", "bargauge": "BarGauge", "timeseries": "TimeSeries", "state-timeline": "StateTimeline", "table": "Table",
	}
	var text strings.Builder
	fmt.Fprintf(&text, "import { Dashboard, FieldConfig } from '@grafana/schema';\n%s", loose)
	for kind, name := range types {
		folder := strings.ReplaceAll(kind, "-", "")
		fmt.Fprintf(&text, "import * as %s from './node_modules/@grafana/schema/dist/esm/raw/composable/%s/panelcfg/x/%sPanelCfg_types.gen';\n",
			name, folder, name)
	}
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range all {
		file, err := files.ReadFile(all[i].File)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "const d%d: Loose<Dashboard> = %s;\n", i, file)
		for j, p := range readModel(t, all[i].File).Panels {
			constant := func(kind string, value any) {
				encoded, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				n++
				fmt.Fprintf(&text, "const c%d: Loose<%s> = %s; // %d, panel %d\n", n, kind, encoded, i, j+1)
			}
			constant(types[p.Type]+".Options", p.Options)
			if len(p.FieldConfig.Defaults.Custom) > 0 { // a stat and a bar gauge have none
				constant(types[p.Type]+".FieldConfig", p.FieldConfig.Defaults.Custom)
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, property := range o.Properties {
					if custom, ok := strings.CutPrefix(property.ID, "custom."); ok {
						constant(types[p.Type]+".FieldConfig", map[string]any{custom: property.Value})
					} else {
						constant("FieldConfig", map[string]any{property.ID: property.Value})
					}
				}
			}
		}
	}
	return text.String()
}
