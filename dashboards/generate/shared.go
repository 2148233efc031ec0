package main

const (
	tag            = "kube-failure-exporter"
	uidWorkload    = tag + "-workload"
	repositoryDocs = "https://github.com/kube-failure-exporter/kube-failure-exporter/blob/main/docs"
)

func prometheus() datasource { return datasource{Type: "prometheus", UID: "${datasource}"} }

// newDashboard has what all of them share. The schema is that of Grafana 10.0; later ones bring it up to date as they load it.
func newDashboard(name, title, description string, variables []variable, rows ...row) dashboard {
	return dashboard{
		UID: tag + "-" + name, Title: title, Description: description, Tags: []string{tag},
		SchemaVersion: 38, Version: 1, Editable: true, GraphTooltip: 1, Refresh: "1m",
		Time:        timeRange{From: "now-6h", To: "now"},
		Annotations: annotations{List: []any{}},
		Links: []dashLink{
			{
				Type: "dashboards", Title: tag, Icon: "external link", Tooltip: "The other dashboards, with what is chosen here",
				Tags: []string{tag}, IncludeVars: true, KeepTime: true,
			},
			{Type: "link", Title: "Exporter's page", Icon: "external link", Tooltip: "What fails now, with messages and evidence",
				URL: "${exporter_url}", Tags: []string{}, TargetBlank: true},
			{Type: "link", Title: "Causes", Icon: "doc", Tooltip: "Every cause: meaning, diagnosis, fix",
				URL: repositoryDocs + "/causes.md", Tags: []string{}, TargetBlank: true},
		},
		Templating: templating{List: variables},
		Panels:     layout(rows),
	}
}

// row is a row of panels, which share its width as they say.
type row struct {
	height int
	panels []sized
}

type sized struct {
	width int
	panel panel
}

// layout numbers the panels and gives each its place.
func layout(rows []row) []panel {
	var all []panel
	y := 0
	for _, r := range rows {
		x := 0
		for _, s := range r.panels {
			s.panel.ID = len(all) + 1
			s.panel.GridPos = gridPos{H: r.height, W: s.width, X: x, Y: y}
			all = append(all, s.panel)
			x += s.width
		}
		y += r.height
	}
	return all
}

// The variables. The value of All matches series without the label too: a single cluster needs none.

func datasourceVariable() variable {
	return variable{Name: "datasource", Label: "Prometheus", Description: "The Prometheus that scrapes the exporter.", Type: "datasource",
		Query: "prometheus", Refresh: 1}
}

func labelVariable(name, label, description, query string) variable {
	source := prometheus()
	return variable{
		Name: name, Label: label, Description: description, Type: "query", Datasource: &source,
		Query:   map[string]any{"query": query, "refId": name},
		Refresh: 2, Sort: 1, Multi: true, IncludeAll: true, AllValue: ".*",
		Current: &option{Selected: true, Text: "All", Value: "$__all"},
	}
}

func clusterVariable() variable {
	return labelVariable("cluster", "Cluster", "Where one Prometheus sees several; else there is only All.",
		`label_values(pod_failure_cause_info, cluster)`)
}

// anyFailure selects whatever tells of a failure, to list the values of a label.
const anyFailure = `{__name__=~"pod_failure_reason|pod_create_failure_reason|rollout_stalled_reason", cluster=~"$cluster"`

func namespaceVariable() variable {
	return labelVariable("namespace", "Namespace", "Those in which something fails, or failed in the time shown.",
		`label_values(`+anyFailure+`}, namespace)`)
}

// exporterVariable is where people reach the exporter's own page, which Prometheus does not know.
func exporterVariable() variable {
	const here = "http://localhost:9992"
	value := option{Selected: true, Text: here, Value: here}
	return variable{Name: "exporter_url", Label: "Exporter's page", Type: "textbox", Query: here,
		Description: "Address of the exporter's own page, without a slash at the end. The default is that of kubectl port-forward.",
		Current:     &value, Options: []option{value}}
}
