package dashboards

import (
	"encoding/json"
	"regexp"
	"testing"
)

// TestTables: a link reads the row's other fields, and Grafana knows only those that are columns. A table of one query has the
// field Value, one of several has Value and the query's letter.
func TestTables(t *testing.T) {
	field := regexp.MustCompile(`__data\.fields\.(\w+)`)
	for _, file := range names() {
		for _, p := range readModel(t, file).Panels {
			if p.Type != "table" {
				continue
			}
			organize := p.Transformations[len(p.Transformations)-1].Options
			text, err := json.Marshal(p.FieldConfig.Overrides)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range field.FindAllStringSubmatch(string(text), -1) {
				if _, column := organize.IndexByName[match[1]]; !column || organize.ExcludeByName[match[1]] {
					t.Errorf("%s: %s links with the field %s, which is no column", file, p.Title, match[1])
				}
			}
			for i, q := range p.Targets {
				value := "Value #" + string(rune('A'+i))
				if len(p.Targets) == 1 {
					value = "Value"
				}
				if _, column := organize.IndexByName[value]; column == organize.ExcludeByName[value] {
					t.Errorf("%s: %s neither shows nor hides %s of %s", file, p.Title, value, q.RefID)
				}
			}
			sortedBy(t, file, p, organize.IndexByName)
		}
	}
}

// sortedBy wants the column that a table is sorted by to be there under that name.
func sortedBy(t *testing.T, file string, p modelPanel, columns map[string]int) {
	t.Helper()
	sort, _ := p.Options["sortBy"].([]any)
	by, _ := sort[0].(map[string]any)
	if _, column := columns[by["displayName"].(string)]; column {
		return
	}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "displayName" && property.Value == by["displayName"] {
				return
			}
		}
	}
	t.Errorf("%s: %s is sorted by %v, which is no column", file, p.Title, by)
}
