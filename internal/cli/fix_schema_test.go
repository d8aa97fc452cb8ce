package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailcheck-go/mailcheck/fix"
)

func planSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const urn = "urn:mailcheck:schema:plan-1"
	text, err := os.ReadFile("../../docs/schema/plan-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(urn, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(urn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const planZone = `$ORIGIN example.org.
@ 3600 IN SOA ns1 admin 1 7200 3600 1209600 3600
@ NS ns1
ns1 A 192.0.2.53
@ MX 10 mail
mail A 192.0.2.25
@ 3600 TXT "v=spf1 ip4:192.0.0.0/16 mx ~all"
@ 3600 TXT "token=\"a;b\" \195\164"
parked.example. 3600 IN SOA ns1 admin 1 7200 3600 1209600 3600
parked.example. 3600 IN A 192.0.2.80
`

// saved runs "fix plan" and gives the file and what -o json prints.
func saved(t *testing.T, args ...string) (file, printed []byte) {
	t.Helper()
	dir := t.TempDir()
	zone, out := filepath.Join(dir, "z"), filepath.Join(dir, "plan.json")
	if err := os.WriteFile(zone, []byte(planZone), 0o600); err != nil {
		t.Fatal(err)
	}
	var std, errs bytes.Buffer
	args = append([]string{"fix", "plan"}, args...)
	args = append(args, "--zone", zone, "--offline", "--at", "2026-11-23T12:00:00Z", "--out", out, "-o", "json")
	s := Streams{In: strings.NewReader(""), Out: &std, Err: &errs, Getenv: func(string) string { return "" }}
	if code := Main(args, s); code != ExitOK && code != ExitIncomplete {
		t.Fatalf("%q: exit status %d: %s", args, code, errs.String())
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return file, std.Bytes()
}

func TestPlanSchema(t *testing.T) {
	s := planSchema(t)
	for _, args := range [][]string{
		{"example.org"},
		{"example.org", "--report-to", "dmarc@example.org", "--key-dir", t.TempDir(), "--server", "opendkim"},
		{"example.org", "--sender", "mx", "--all-senders", "--report-to", "a@example.org"},
		{"example.org", "--only", "MX"},
		{"parked.example", "--park"},
	} {
		file, printed := saved(t, args...)
		for name, doc := range map[string][]byte{"file": file, "-o json": printed} {
			if err := validate(s, doc); err != nil {
				t.Errorf("%q, %s: %v", args, name, err)
			}
		}
		p, err := fix.DecodePlan(file)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, x := range p.Steps {
			ids = append(ids, x.ID)
		}
		back, err := p.Undo(ids, time.Unix(2e9, 0)).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Changes()) == 0 {
			continue // there is no way back from nothing
		}
		if err := validate(s, back); err != nil {
			t.Errorf("%q, way back: %v", args, err)
		}
	}
}

// TestPlanSchemaRefuses: a schema that takes everything proves nothing.
func TestPlanSchemaRefuses(t *testing.T) {
	s := planSchema(t)
	file, _ := saved(t, "example.org", "--report-to", "dmarc@example.org")
	for name, change := range map[string]func(doc, step, change map[string]any){
		"schema":          func(d, _, _ map[string]any) { d["schema"] = "mailcheck.plan/2" },
		"another key":     func(d, _, _ map[string]any) { d["later"] = 1 },
		"no steps":        func(d, _, _ map[string]any) { delete(d, "steps") },
		"null list":       func(d, _, _ map[string]any) { d["unknown"] = nil },
		"created":         func(d, _, _ map[string]any) { d["created"] = "yesterday" },
		"risk":            func(_, x, _ map[string]any) { x["risk"] = "none" },
		"wait":            func(_, x, _ map[string]any) { x["wait"] = "an hour" },
		"no ID":           func(_, x, _ map[string]any) { x["id"] = "" },
		"key of a step":   func(_, x, _ map[string]any) { x["force"] = true },
		"kind of check":   func(_, x, _ map[string]any) { x["check"].(map[string]any)["kind"] = "guess" },
		"verb":            func(_, _, c map[string]any) { c["verb"] = "replace" },
		"verb and data":   func(_, _, c map[string]any) { c["verb"] = "delete" },
		"nothing":         func(_, _, c map[string]any) { c["new"] = []any{} },
		"line end":        func(_, _, c map[string]any) { c["new"] = []any{"\"x\"\ny"} },
		"TTL":             func(_, _, c map[string]any) { c["ttl"] = -1 },
		"type":            func(_, _, c map[string]any) { c["type"] = "txt" },
		"key of a change": func(_, _, c map[string]any) { c["force"] = true },
	} {
		var doc map[string]any
		if err := json.Unmarshal(file, &doc); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Fatal(err)
		}
		step := doc["steps"].([]any)[0].(map[string]any)
		change(doc, step, step["change"].(map[string]any))
		if s.Validate(doc) == nil {
			t.Errorf("%s: accepted", name)
		}
		// What the schema refuses, the command does too, but for what it need not read.
		switch name {
		case "risk", "kind of check", "null list", "no steps", "type":
			continue
		}
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fix.DecodePlan(text); err == nil {
			t.Errorf("%s: read", name)
		}
	}
}
