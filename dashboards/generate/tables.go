package main

// column is a column of a table: which field, and how it is shown.
type column struct {
	field string
	// title replaces the field's name where that is none (Value #A).
	title string
	width int
	properties
}

type properties []property

func numbers(unit string) properties { return properties{{ID: "unit", Value: unit}} }

func links(all ...dataLink) properties { return properties{{ID: "links", Value: all}} }

// coloured shows words for values, each in its colour.
func coloured(mappings ...mapping) properties {
	return properties{
		{ID: "mappings", Value: mappings},
		{ID: "custom.cellOptions", Value: map[string]any{"type": "color-text"}},
	}
}

// ago shows a start that was multiplied to milliseconds.
func ago() properties { return numbers("dateTimeFromNow") }

// long is a text that is opened rather than read in its cell.
func long() properties { return properties{{ID: "custom.inspect", Value: true}} }

// toWorkload leads from a row to the workload's dashboard, and to what the exporter itself says of it.
func toWorkload() properties {
	const row = "var-namespace=${__data.fields.namespace}&var-workload_kind=${__data.fields.workload_kind}&var-workload=${__data.fields.workload}"
	return links(
		dataLink{Title: "History of this workload",
			URL: "/d/" + uidWorkload + "?${datasource:queryparam}&${cluster:queryparam}&" + row + "&${__url_time_range}"},
		dataLink{Title: "Exporter's page", TargetBlank: true,
			URL: "${exporter_url}/failures/${__data.fields.namespace}/${__data.fields.workload_kind}/${__data.fields.workload}"},
	)
}

// toRunbook shows a word for an address. The word stands in the mapping, the address in the value.
func toRunbook() properties {
	return append(links(dataLink{Title: "Meaning, diagnosis, fix", URL: "${__value.raw}", TargetBlank: true}),
		property{ID: "mappings", Value: []mapping{
			{Type: "regex", Options: map[string]any{"pattern": ".+", "result": map[string]any{"text": "open", "index": 0}}},
		}})
}

// withWidth leaves a column without one to what is left.
func (c column) override() override {
	all := append(properties{}, c.properties...)
	if c.title != "" {
		all = append(all, property{ID: "displayName", Value: c.title})
	}
	if c.width > 0 {
		all = append(all, property{ID: "custom.width", Value: c.width})
	}
	return override{Matcher: matcher{ID: "byName", Options: c.field}, Properties: all}
}

// table joins the rows of its queries by the labels that all of them have. hidden are fields that no column shows.
func table(t text, sortBy string, columns []column, hidden []string, targets ...target) panel {
	p := newPanel("table", t, targets...)
	order, exclude := map[string]any{}, map[string]any{"Time": true}
	for i, c := range columns {
		order[c.field] = i
		if o := c.override(); len(o.Properties) > 0 {
			p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, o)
		}
	}
	for _, field := range hidden {
		exclude[field] = true
	}
	if len(targets) > 1 {
		p.Transformations = []transformation{{ID: "merge", Options: map[string]any{}}}
	}
	p.Transformations = append(p.Transformations, transformation{ID: "organize", Options: map[string]any{
		"excludeByName": exclude, "indexByName": order, "renameByName": map[string]any{},
	}})
	p.FieldConfig.Defaults.Color = fixed(quiet)
	p.FieldConfig.Defaults.Custom = map[string]any{"align": "auto", "filterable": true}
	p.Options = map[string]any{
		"showHeader": true, "cellHeight": "sm", "sortBy": []any{map[string]any{"displayName": sortBy, "desc": true}},
	}
	return p
}
