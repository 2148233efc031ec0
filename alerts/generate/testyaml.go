package main

import (
	"fmt"
	"strings"
	"time"
)

// testYAML writes a file of tests. The recorded severities are computed before the alerts that use them.
func testYAML(name string, tests []promTest) string {
	var b strings.Builder
	if name == "exporter" {
		b.WriteString("rule_files: [../exporter.yaml]\n")
	} else {
		fmt.Fprintf(&b, "rule_files: [../rules.yaml, ../%[1]s.yaml]\ngroup_eval_order: [%[2]s-rules, %[2]s-%[1]s]\n", name, exporterName)
	}
	b.WriteString("evaluation_interval: 1m\ntests:\n")
	for _, t := range tests {
		fmt.Fprintf(&b, "  - name: %s\n    interval: 1m\n    input_series:\n", t.Name)
		for _, s := range t.Series {
			fmt.Fprintf(&b, "      - series: '%s'\n        values: %s\n", s.Series, s.Values)
		}
		b.WriteString("    alert_rule_test:\n")
		for _, c := range t.Checks {
			writeCheck(&b, c)
		}
		writeAlways(&b, t.Always)
	}
	return b.String()
}

func writeCheck(b *strings.Builder, c check) {
	fmt.Fprintf(b, "      - eval_time: %s\n        alertname: %s\n", clock(c.At), c.Alert)
	if len(c.Firing) == 0 {
		b.WriteString("        exp_alerts: []\n")
		return
	}
	b.WriteString("        exp_alerts:\n")
	for _, f := range c.Firing {
		b.WriteString("          - exp_labels:\n")
		for _, p := range f.Labels {
			b.WriteString(indent(7, p.Key+": "+block(1, p.Value)) + "\n")
		}
		b.WriteString("            exp_annotations:\n")
		for _, p := range f.Annotations {
			b.WriteString(indent(7, p.Key+": "+block(1, p.Value)) + "\n")
		}
	}
}

func writeAlways(b *strings.Builder, all []always) {
	if len(all) == 0 {
		return
	}
	b.WriteString("    promql_expr_test:\n")
	for _, a := range all {
		for _, bound := range []string{"min", "max"} {
			fmt.Fprintf(b, "      - eval_time: %s\n        expr: '%s_over_time((%s)[15m:1m])'\n", clock(a.At), bound, a.Expr)
			b.WriteString("        exp_samples: [{labels: '{}', value: 1}]\n")
		}
	}
}

// clock writes a time with what is not zero: 1m59s, 2m.
func clock(d time.Duration) string {
	if d%time.Minute == 0 {
		return duration(d)
	}
	return d.String()
}
