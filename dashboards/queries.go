package dashboards

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// Query is one question of a dashboard to Prometheus, with all variables filled in as if All were chosen.
type Query struct {
	// Dashboard is a file's name. Panel is a panel's title, or $ and the name of a variable.
	Dashboard, Panel, RefID string
	Expr                    string
	// Instant is false for what is drawn over time.
	Instant bool
	// EmptyWhenWell says why the query may give nothing even while pods fail; it is empty for those that must not.
	EmptyWhenWell string
}

// emptyWhenWell are the queries that give nothing on a cluster that is broken enough, by file, panel and refId, with the reason.
// All others must give something wherever a pod fails, a pod cannot be created and a quota blocks it.
func emptyWhenWell() map[string]string {
	return map[string]string{
		"exporter.json/Clock skew/A":                  "the demo watches no cluster, so that there is no other clock",
		"exporter.json/Time to judge one object/A":    "nothing changed within the minute that could be judged",
		"exporter.json/Time to judge one object/B":    "nothing changed within the minute that could be judged",
		"overview.json/Causes over time/B":            "the row that says that nothing fails",
		"overview.json/Namespaces over time/B":        "the row that says that nothing fails",
		"overview.json/New in the last hour/A":        "everything that fails began more than an hour ago",
		"workload.json/Causes over time/C":            "no rollout has exceeded its deadline of ten minutes yet",
		"workload.json/Causes over time/D":            "the row that says that nothing fails",
		"workload.json/Ends of containers by cause/A": "no container has ended since the exporter started",
	}
}

// Queries returns every query of every panel and variable.
func Queries() ([]Query, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	var queries []Query
	reasons := emptyWhenWell()
	for i := range all {
		d := &all[i]
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			expr, err := labelValues(v.Query)
			if err != nil {
				return nil, fmt.Errorf("reading the variable %s of %s: %w", v.Name, d.File, err)
			}
			queries = append(queries, Query{Dashboard: d.File, Panel: "$" + v.Name, Expr: d.fill(expr), Instant: true})
		}
		for _, p := range d.Panels {
			for _, t := range p.Targets {
				queries = append(queries, Query{
					Dashboard: d.File, Panel: p.Title, RefID: t.RefID, Expr: d.fill(t.Expr), Instant: t.Instant,
					EmptyWhenWell: reasons[d.File+"/"+p.Title+"/"+t.RefID],
				})
			}
		}
	}
	return queries, nil
}

var labelValuesForm = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// labelValues turns what Grafana asks for a variable's values into a query that gives a series for each of them.
func labelValues(definition json.RawMessage) (string, error) {
	var of struct{ Query string }
	if err := json.Unmarshal(definition, &of); err != nil {
		return "", err
	}
	m := labelValuesForm.FindStringSubmatch(of.Query)
	if m == nil {
		return "", fmt.Errorf("%q is not of the form label_values(series, label)", of.Query)
	}
	return fmt.Sprintf("group by (%s) (%s)", m[2], m[1]), nil
}

// fill puts values in place of variables: of the dashboard's own that of All.
func (d *Dashboard) fill(expr string) string {
	values := []string{"$__rate_interval", "1m", "$__interval", "1m", "$__range", "1h"}
	for _, v := range d.Templating.List {
		if v.AllValue != "" {
			values = append(values, `"$`+v.Name+`"`, `"`+v.AllValue+`"`)
		}
	}
	return strings.NewReplacer(values...).Replace(expr)
}
