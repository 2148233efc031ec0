package dashboards

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// model is a dashboard in full.
type model struct {
	ID            *int              `json:"id"`
	UID           string            `json:"uid"`
	SchemaVersion int               `json:"schemaVersion"`
	Tags          []string          `json:"tags"`
	Inputs        []json.RawMessage `json:"__inputs"`
	Links         []struct {
		Type, Title, URL string
		Tags             []string
		IncludeVars      bool
		KeepTime         bool
	} `json:"links"`
	Templating struct {
		List []struct {
			Name, Label, Description, Type, AllValue string
			IncludeAll                               bool
			Current                                  struct{ Value string }
		} `json:"list"`
	} `json:"templating"`
	Panels []modelPanel `json:"panels"`
}

type modelPanel struct {
	ID                       int
	Type, Title, Description string
	Datasource               struct{ Type, UID string }
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct {
		RefID      string
		Expr       string
		Instant    bool
		Range      bool
		Format     string
		Datasource struct{ Type, UID string }
	}
	FieldConfig struct {
		Defaults struct {
			Unit, NoValue string
			Custom        map[string]any
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Options         map[string]any
	Transformations []struct {
		ID      string
		Options struct {
			ExcludeByName map[string]bool
			IndexByName   map[string]int
		}
	}
}

func readModel(t *testing.T, file string) *model {
	t.Helper()
	text, err := files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return &m
}

func names() []string {
	return []string{"exporter.json", "overview.json", "quotas.json", "workload.json"}
}

// TestFilesAreDashboards is what a sidecar, a provisioned folder and the import form all take.
func TestFilesAreDashboards(t *testing.T) {
	found, err := filepath.Glob("*.json")
	if err != nil || !slices.Equal(found, names()) {
		t.Fatalf("the dashboards are %v, want %v: %v", found, names(), err)
	}
	for _, file := range names() {
		m := readModel(t, file)
		if want := "kube-failure-exporter-" + strings.TrimSuffix(file, ".json"); m.UID != want {
			t.Errorf("%s has the uid %s, want %s", file, m.UID, want)
		}
		if m.ID != nil || m.Inputs != nil {
			t.Errorf("%s has an id or inputs: Grafana gives the one, and a sidecar does not fill in the other", file)
		}
		if m.SchemaVersion != 38 {
			t.Errorf("%s has the schema %d; that of Grafana 10.0 is 38, and a newer one says what 10.0 does not know", file, m.SchemaVersion)
		}
	}
}

func TestPanelsHaveTheirPlace(t *testing.T) {
	for _, file := range names() {
		ids := map[int]bool{}
		taken := map[[2]int]string{}
		for _, p := range readModel(t, file).Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: %s has the id %d, as another has", file, p.Title, p.ID)
			}
			ids[p.ID] = true
			if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W < 1 || p.GridPos.H < 1 {
				t.Errorf("%s: %s is beyond the grid: %+v", file, p.Title, p.GridPos)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s lies on %s", file, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

// TestPanelsSayWhatTheyShow: each has a description, and a text for when there is nothing to show, which is the usual case.
func TestPanelsSayWhatTheyShow(t *testing.T) {
	units := []string{"short", "s", "bytes", "percentunit", "ops", "dateTimeFromNow"}
	for _, file := range names() {
		titles := map[string]bool{}
		for _, p := range readModel(t, file).Panels {
			if titles[p.Title] {
				t.Errorf("%s has two panels %s: a person, and EmptyWhenWell, cannot tell them apart", file, p.Title)
			}
			titles[p.Title] = true
			if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
				t.Errorf("%s: %q is described by %q, which is no sentence", file, p.Title, p.Description)
			}
			if p.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("%s: %s does not say why it is empty", file, p.Title)
			}
			if p.Type != "table" && !slices.Contains(units, p.FieldConfig.Defaults.Unit) {
				t.Errorf("%s: %s has the unit %q", file, p.Title, p.FieldConfig.Defaults.Unit)
			}
		}
	}
}

func TestTargets(t *testing.T) {
	for _, file := range names() {
		for _, p := range readModel(t, file).Panels {
			if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
				t.Errorf("%s: %s asks nothing, or another datasource", file, p.Title)
			}
			refs := map[string]bool{}
			for _, q := range p.Targets {
				if refs[q.RefID] || q.RefID == "" {
					t.Errorf("%s: %s has two queries %q", file, p.Title, q.RefID)
				}
				refs[q.RefID] = true
				if q.Datasource.UID != "${datasource}" || q.Datasource.Type != "prometheus" {
					t.Errorf("%s: %s asks %+v", file, p.Title, q.Datasource)
				}
				drawn := p.Type == "timeseries" || p.Type == "state-timeline"
				if q.Instant == q.Range || q.Range != drawn || (q.Format == "table") != (p.Type == "table") {
					t.Errorf("%s: %s, a %s, asks with instant %v, range %v, format %s", file, p.Title, p.Type, q.Instant, q.Range, q.Format)
				}
				// A start is told in seconds, and shown from milliseconds.
				if strings.Contains(q.Expr, "start_time_seconds") && !strings.HasPrefix(q.Expr, "1000 * ") && !strings.Contains(q.Expr, "time() - 3600") {
					t.Errorf("%s: %s shows seconds as milliseconds:\n%s", file, p.Title, q.Expr)
				}
			}
		}
	}
}

func TestVariables(t *testing.T) {
	want := map[string][]string{
		"exporter.json": {"datasource", "cluster", "job", "instance", "exporter_url"},
		"overview.json": {"datasource", "cluster", "namespace", "exporter_url"},
		"quotas.json":   {"datasource", "cluster", "namespace", "exporter_url"},
		"workload.json": {"datasource", "cluster", "namespace", "workload_kind", "workload", "exporter_url"},
	}
	used := regexp.MustCompile(`\$\{?(\w+)`)
	for _, file := range names() {
		m := readModel(t, file)
		var defined []string
		for _, v := range m.Templating.List {
			defined = append(defined, v.Name)
			if v.Label == "" || v.Description == "" {
				t.Errorf("%s: the variable %s has no label, or no description", file, v.Name)
			}
			if v.Type == "query" && (v.AllValue != ".*" || !v.IncludeAll || v.Current.Value != "$__all") {
				t.Errorf("%s: All of %s must be .* and the default, which matches series without the label too", file, v.Name)
			}
		}
		if !slices.Equal(defined, want[file]) {
			t.Errorf("%s has the variables %v, want %v", file, defined, want[file])
		}
		text, err := files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range used.FindAllStringSubmatch(string(text), -1) {
			if name := match[1]; !strings.HasPrefix(name, "__") && !slices.Contains(defined, name) {
				t.Errorf("%s uses $%s, which it does not define", file, name)
			}
		}
	}
}

// TestLinksLeadSomewhere: to dashboards that exist, with variables that they have, and to pages of docs/.
func TestLinksLeadSomewhere(t *testing.T) {
	const docs = "https://github.com/kube-failure-exporter/kube-failure-exporter/blob/main/"
	for _, file := range names() {
		m := readModel(t, file)
		for _, link := range m.Links {
			switch {
			case link.Type == "dashboards":
				if !slices.Equal(link.Tags, m.Tags) || !link.IncludeVars || !link.KeepTime {
					t.Errorf("%s: the link to the other dashboards forgets what is chosen, or does not find them: %+v", file, link)
				}
			case strings.HasPrefix(link.URL, docs):
				if _, err := os.Stat("../" + strings.TrimPrefix(link.URL, docs)); err != nil {
					t.Errorf("%s links to %s: %v", file, link.URL, err)
				}
			case link.URL != "${exporter_url}":
				t.Errorf("%s links to %s", file, link.URL)
			}
		}
		text, err := files.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`"/d/[^"]*"`).FindAllString(string(text), -1) {
			resolves(t, file, strings.Trim(match, `"`))
		}
	}
}

// TestAlertsLeadHere reads the links of the alerts.
func TestAlertsLeadHere(t *testing.T) {
	found := 0
	rules, err := filepath.Glob("../alerts/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range rules {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`https://grafana\.example\.com(/d/[^']*)'`).FindAllStringSubmatch(string(text), -1) {
			found++
			resolves(t, file, regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(match[1], "x"))
		}
	}
	if found == 0 {
		t.Error("no alert has a link to a dashboard")
	}
}

// resolves looks up the dashboard of a link, and the variables that it sets there.
func resolves(t *testing.T, from, link string) {
	t.Helper()
	parsed, err := url.Parse(regexp.MustCompile(`\$\{(\w+):queryparam\}`).ReplaceAllString(link, "var-$1=x"))
	if err != nil {
		t.Errorf("%s: %v", from, err)
		return
	}
	for _, file := range names() {
		m := readModel(t, file)
		if parsed.Path != "/d/"+m.UID {
			continue
		}
		for parameter := range parsed.Query() {
			variable, ok := strings.CutPrefix(parameter, "var-")
			known := false
			for _, v := range m.Templating.List {
				known = known || v.Name == variable
			}
			if ok && !known {
				t.Errorf("%s sets the variable %s, which %s does not have", from, variable, file)
			}
		}
		return
	}
	t.Errorf("%s leads to %s, which is no dashboard", from, parsed.Path)
}
