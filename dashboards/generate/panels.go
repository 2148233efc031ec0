package main

// Colours say one thing each, on every dashboard.
const (
	good    = "green"
	partly  = "orange"
	bad     = "red"
	neutral = "blue"
	quiet   = "text"
)

func ptr[T any](v T) *T { return &v }

// text is what a panel is called, what it shows, and what it says when it has nothing to show.
type text struct{ title, description, empty string }

func newPanel(kind string, t text, targets ...target) panel {
	for i := range targets {
		targets[i].RefID = string(rune('A' + i))
		targets[i].Datasource = prometheus()
		targets[i].EditorMode = "code"
	}
	return panel{
		Type: kind, Title: t.title, Description: t.description, Datasource: prometheus(), Targets: targets,
		FieldConfig: fieldConfig{
			Defaults:  defaults{NoValue: t.empty, Color: fixed(neutral), Mappings: []mapping{}},
			Overrides: []override{},
		},
		Options: map[string]any{},
	}
}

// now asks for one moment, as series; asTable as rows; over for the whole time shown.
func now(expr, legend string) target {
	return target{Expr: expr, Format: "time_series", Instant: true, LegendFormat: legend}
}

func asTable(expr string) target { return target{Expr: expr, Format: "table", Instant: true} }

func over(expr, legend string) target {
	return target{Expr: expr, Format: "time_series", Range: true, LegendFormat: legend}
}

func fixed(name string) color { return color{Mode: "fixed", FixedColor: name} }

func byThreshold() color { return color{Mode: "thresholds"} }

// above colours values from each limit on.
func above(base string, steps ...step) *thresholds {
	return &thresholds{Mode: "absolute", Steps: append([]step{{Color: base}}, steps...)}
}

func from(value float64, name string) step { return step{Color: name, Value: &value} }

// word shows a text in place of a value.
func word(value, shown, name string) mapping {
	return mapping{Type: "value", Options: map[string]any{value: map[string]any{"text": shown, "color": name, "index": 0}}}
}

// lastValue reduces a series to its newest value.
func lastValue() map[string]any {
	return map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
}

// stat is one large number.
func stat(t text, expr, unit string, limits *thresholds, mappings ...mapping) panel {
	p := newPanel("stat", t, now(expr, ""))
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Color = byThreshold()
	p.FieldConfig.Defaults.Thresholds = limits
	p.FieldConfig.Defaults.Mappings = append([]mapping{}, mappings...)
	p.Options = map[string]any{
		"reduceOptions": lastValue(), "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "value", "orientation": "auto",
	}
	return p
}

// bars are one bar for each series, now.
func bars(t text, target target, unit string) panel {
	p := newPanel("bargauge", t, target)
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Min = ptr(0.0)
	p.FieldConfig.Defaults.Color = fixed(partly)
	p.Options = map[string]any{
		"reduceOptions": lastValue(), "orientation": "horizontal", "displayMode": "basic", "showUnfilled": true, "valueMode": "color",
	}
	return p
}

// graph is lines over time.
func graph(t text, unit string, targets ...target) panel {
	p := newPanel("timeseries", t, targets...)
	p.FieldConfig.Defaults.Unit = unit
	p.FieldConfig.Defaults.Min = ptr(0.0)
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false,
	}
	p.Options = map[string]any{
		"legend":  map[string]any{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	return p
}

// stacked puts the lines of a graph on top of each other.
func stacked(p panel) panel {
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 40
	return p
}

// byName gives each series a colour that goes with its name, whatever else is shown.
func byName(p panel) panel {
	p.FieldConfig.Defaults.Color = color{Mode: "palette-classic-by-name"}
	return p
}

// states are a row for each series over time, coloured by its value.
func states(t text, limits *thresholds, mappings []mapping, targets ...target) panel {
	p := newPanel("state-timeline", t, targets...)
	p.FieldConfig.Defaults.Unit = "short"
	p.FieldConfig.Defaults.Color = byThreshold()
	p.FieldConfig.Defaults.Thresholds = limits
	p.FieldConfig.Defaults.Mappings = mappings
	p.FieldConfig.Defaults.Custom = map[string]any{"lineWidth": 0, "fillOpacity": 80}
	p.Options = map[string]any{
		"mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.8,
		"legend":  map[string]any{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		"tooltip": map[string]any{"mode": "single", "sort": "none"},
	}
	return p
}

// painted gives the series of a legend their colour.
func painted(p panel, colours ...[2]string) panel {
	for _, c := range colours {
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, override{
			Matcher:    matcher{ID: "byName", Options: c[0]},
			Properties: []property{{ID: "color", Value: fixed(c[1])}},
		})
	}
	return p
}
