package render

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailcheck-go/mailcheck/audit"
)

const schemaURN = "urn:mailcheck:schema:audit-1"

func schema(t *testing.T, at string) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile("../../docs/schema/audit-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(schemaURN, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(at)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchema(t *testing.T) {
	whole, line := schema(t, schemaURN), schema(t, schemaURN+"#/$defs/line")
	check := func(name string, s *jsonschema.Schema, text string) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	all := worlds()
	all["zero"] = []audit.Report{{Kind: "unknown"}}
	for name, reports := range all {
		check(name, whole, printed(t, "json", options(), reports...))
		for l := range strings.Lines(printed(t, "jsonl", options(), reports...)) {
			check(name, line, l)
		}
	}
}

// TestSchemaRefuses: a schema that takes everything proves nothing.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t, schemaURN)
	for name, change := range map[string]func(doc, report, finding map[string]any){
		"schema":      func(doc, _, _ map[string]any) { doc["schema"] = "mailcheck.audit/2" },
		"no reports":  func(doc, _, _ map[string]any) { delete(doc, "reports") },
		"null list":   func(_, r, _ map[string]any) { r["findings"] = nil },
		"kind":        func(_, r, _ map[string]any) { r["kind"] = "other" },
		"started":     func(_, r, _ map[string]any) { r["started"] = "yesterday" },
		"severity":    func(_, _, f map[string]any) { f["severity"] = "fatal" },
		"rule":        func(_, _, f map[string]any) { f["rule"] = "spf" },
		"no subject":  func(_, _, f map[string]any) { delete(f, "subject") },
		"number":      func(_, _, f map[string]any) { f["message"] = 1 },
		"no reason":   func(_, r, _ map[string]any) { r["rules"].([]any)[0].(map[string]any)["outcome"] = "unknown" },
		"state":       func(_, _, f map[string]any) { f["evidence"].([]any)[0].(map[string]any)["state"] = "missing" },
		"bad verdict": func(_, r, _ map[string]any) { r["profiles"].([]any)[0].(map[string]any)["verdict"] = "compliant" },
	} {
		var doc map[string]any
		if err := json.Unmarshal([]byte(printed(t, "json", options(), sick())), &doc); err != nil {
			t.Fatal(err)
		}
		report := doc["reports"].([]any)[0].(map[string]any)
		if err := s.Validate(doc); err != nil {
			t.Fatal(err)
		}
		change(doc, report, report["findings"].([]any)[0].(map[string]any))
		if s.Validate(doc) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	var doc map[string]any
	if err := json.Unmarshal([]byte(`{"schema":"mailcheck.audit/1","reports":[],"later":1}`), &doc); err != nil || s.Validate(doc) != nil {
		t.Error("a key of a later version is refused")
	}
}
