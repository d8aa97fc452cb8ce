package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailcheck-go/mailcheck/internal/cli"
)

const root = "../.."

// TestUpToDate: what the types say is what docs/schema says.
func TestUpToDate(t *testing.T) {
	files, err := generate(root)
	if err == nil {
		err = sync(root, files, true)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestSchemas: every schema is one, knows its document, and lists what it takes.
func TestSchemas(t *testing.T) {
	for _, d := range cli.Documents() {
		text, err := os.ReadFile(filepath.Join(root, dir, d.Name+"-1.schema.json"))
		if err != nil {
			t.Error(err)
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		urn := "urn:mailcheck:schema:" + d.Name + "-1"
		c := jsonschema.NewCompiler()
		if err := c.AddResource(urn, doc); err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		s, err := c.Compile(urn)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		// A schema that takes everything proves nothing.
		for _, bad := range []string{`{}`, `[]`, `null`, `{"schema":"mailcheck.` + d.Name + `/2"}`, `{"schema":"` + d.Schema() + `"}`} {
			if v, _ := jsonschema.UnmarshalJSON(strings.NewReader(bad)); s.Validate(v) == nil {
				t.Errorf("%s takes %s", d.Name, bad)
			}
		}
		for _, want := range []string{`"$schema": "https://json-schema.org/draft/2020-12/schema"`, `"$id": "` + urn + `"`, `"title"`, `"description"`, d.Schema()} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s has no %s", d.Name, want)
			}
		}
	}
}

// TestDrift: a schema that differs, one that is missing and one too many are found.
func TestDrift(t *testing.T) {
	dirs := t.TempDir()
	at := func(name string) string { return filepath.Join(dirs, dir, name) }
	if err := os.MkdirAll(filepath.Dir(at("x")), 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{dir + "/a-1.schema.json": []byte("{}\n"), dir + "/b-1.schema.json": []byte("{}\n")}
	for name, text := range map[string]string{"a-1.schema.json": "{ }\n", "old-1.schema.json": "{}", "plan-1.schema.json": "{}"} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	err := sync(dirs, files, true)
	if err == nil || strings.Count(err.Error(), "\n") != 3 || !strings.Contains(err.Error(), "old-1.schema.json is no longer generated") || strings.Contains(err.Error(), "plan-1") {
		t.Errorf("%v", err)
	}
	if err := sync(dirs, files, false); err != nil {
		t.Fatal(err)
	}
	if err := sync(dirs, files, true); err != nil {
		t.Errorf("after it was written: %v", err)
	}
	if _, err := os.Stat(at("old-1.schema.json")); err == nil {
		t.Error("what is no longer generated is still there")
	}
	if _, err := os.Stat(at("plan-1.schema.json")); err != nil {
		t.Error("a schema written by hand was removed")
	}
}
