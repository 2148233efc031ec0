package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/kube-failure-exporter/kube-failure-exporter/classify"
	"github.com/kube-failure-exporter/kube-failure-exporter/report"
)

// contract reads the file that is tested, and checks that it is valid: its examples too.
func contract(t *testing.T) *openapi3.T {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile("../../docs/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestProperties proves that the schemas and the structs have the same keys, and leave out the same ones.
func TestProperties(t *testing.T) {
	schemas := contract(t).Components.Schemas
	compared := map[string]bool{"Cause": true, "Family": true, "Error": true} // no structs, or none that can be imported
	for name, of := range map[string]reflect.Type{
		"Failures": reflect.TypeFor[report.FailuresAnswer](), "Failure": reflect.TypeFor[report.Entry](),
		"LastEnd": reflect.TypeFor[report.LastEnd](), "Event": reflect.TypeFor[report.Event](),
		"Quota": reflect.TypeFor[report.Quota](), "QuotaResource": reflect.TypeFor[report.QuotaResource](),
		"Causes": reflect.TypeFor[report.CausesAnswer](), "CatalogueEntry": reflect.TypeFor[report.CauseEntry](),
		"Section": reflect.TypeFor[report.CauseSection](),
	} {
		compared[name] = true
		schema := schemas[name]
		if schema == nil {
			t.Errorf("no schema %s", name)
			continue
		}
		var keys, required []string
		for _, field := range reflect.VisibleFields(of) {
			key, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if field.Anonymous {
				continue
			}
			keys = append(keys, key)
			if options != "omitempty" {
				required = append(required, key)
			}
			property := schema.Value.Properties[key]
			if property == nil {
				t.Errorf("%s lacks %s", name, key)
			} else if kind := jsonType(field.Type); !property.Value.Type.Is(kind) {
				t.Errorf("%s.%s is %v, the code says %s", name, key, property.Value.Type, kind)
			}
		}
		for key, property := range schema.Value.Properties {
			if !slices.Contains(keys, key) {
				t.Errorf("%s describes %s, which no answer has", name, key)
			}
			if property.Value.Description == "" {
				t.Errorf("%s.%s has no description", name, key)
			}
		}
		if got := slices.Sorted(slices.Values(schema.Value.Required)); !slices.Equal(got, slices.Sorted(slices.Values(required))) {
			t.Errorf("%s requires %q, the code always writes %q", name, got, required)
		}
	}
	for name := range schemas {
		if !compared[name] {
			t.Errorf("schema %s is compared with nothing", name)
		}
	}
}

func jsonType(of reflect.Type) string {
	switch of.Kind() {
	case reflect.Pointer:
		return jsonType(of.Elem())
	case reflect.Slice:
		return openapi3.TypeArray
	case reflect.Struct:
		return openapi3.TypeObject
	case reflect.String:
		return openapi3.TypeString
	case reflect.Int32, reflect.Int64:
		return openapi3.TypeInteger
	default:
		return "nothing known"
	}
}

// TestClosedLists compares the enums with the catalogue.
func TestClosedLists(t *testing.T) {
	schemas := contract(t).Components.Schemas
	catalogue, err := classify.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"family": nil, "severity": nil, "certainty": nil, "heading": classify.Headings()}
	for _, page := range catalogue.Pages() {
		for list, value := range map[string]string{"family": string(page.Family), "severity": page.Severity, "certainty": string(page.Certainty)} {
			if !slices.Contains(want[list], value) {
				want[list] = append(want[list], value)
			}
		}
		if err := schemas["Cause"].Value.VisitJSON(string(page.Cause)); err != nil {
			t.Error(err)
		}
	}
	entry := schemas["CatalogueEntry"].Value.Properties
	for list, schema := range map[string]*openapi3.SchemaRef{
		"family": schemas["Family"], "severity": entry["severity"], "certainty": entry["certainty"], "heading": schemas["Section"].Value.Properties["heading"],
	} {
		var got []string
		for _, value := range schema.Value.Enum {
			got = append(got, value.(string))
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want[list]))) {
			t.Errorf("%s: the file lists %q, the catalogue has %q", list, got, want[list])
		}
	}
}
