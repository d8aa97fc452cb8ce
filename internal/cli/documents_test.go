package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
)

// schemas are those of docs/schema, compiled when they are first asked for. Those
// made from types take no member that they do not list: within a version members
// may be added, but not without the schema.
type schemas struct {
	dir  string
	mu   sync.Mutex
	made map[string]*jsonschema.Schema
	// marks is a directory with a file for each document that was checked.
	marks string
}

var docSchemas = &schemas{dir: schemaHome(), made: map[string]*jsonschema.Schema{}}

func (s *schemas) get(file, part string) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.made[file+part]; x != nil {
		return x, nil
	}
	text, err := os.ReadFile(filepath.Join(s.dir, file+"-1.schema.json"))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	for _, d := range Documents() {
		if d.Name == file && d.Values != nil {
			shut(doc)
		}
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	urn := "urn:mailcheck:schema:" + file + "-1"
	if err := c.AddResource(urn, doc); err != nil {
		return nil, err
	}
	x, err := c.Compile(urn + part)
	s.made[file+part] = x
	return x, err
}

// shut lets an object have no other members than those listed.
func shut(v any) {
	switch x := v.(type) {
	case map[string]any:
		if _, ok := x["properties"].(map[string]any); ok && x["type"] == "object" {
			x["additionalProperties"] = false
		}
		for _, e := range x {
			shut(e)
		}
	case []any:
		for _, e := range x {
			shut(e)
		}
	}
}

// checkOutput validates the documents in what a command printed. Text without any
// is left alone, and so is what follows a document that breaks off.
func (s *schemas) checkOutput(out []byte) error {
	var failed []error
	d := json.NewDecoder(bytes.NewReader(out))
	d.UseNumber()
	for {
		var doc map[string]any
		if d.Decode(&doc) != nil {
			return errors.Join(failed...)
		}
		name, _ := doc["schema"].(string)
		if !strings.HasPrefix(name, "mailcheck.") {
			continue
		}
		file, part := strings.TrimSuffix(strings.TrimPrefix(name, "mailcheck."), "/1"), ""
		if _, whole := doc["reports"]; !whole && (file == "audit" || file == "audit-message") {
			part = "#/$defs/line"
		}
		if file == "exec" { // what a program of the tests prints
			continue
		}
		x, err := s.get(file, part)
		if err == nil {
			err = x.Validate(any(doc))
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
		s.saw(file)
	}
}

// saw remembers that a document was checked, for the process that runs the tests.
func (s *schemas) saw(name string) {
	if s.marks == "" {
		return
	}
	if f, err := os.Create(filepath.Join(s.marks, name)); err == nil {
		f.Close()
	}
}

// checkDocuments does so in a test.
func checkDocuments(t *testing.T, out []byte) {
	t.Helper()
	if err := docSchemas.checkOutput(out); err != nil {
		t.Errorf("SCHEMA: %v", err)
	}
}

// What tells the program of the scripts where the schemas are, and where to leave
// word of what it checked.
const (
	schemaDir  = "MAILCHECK_TEST_SCHEMAS"
	schemaSeen = "MAILCHECK_TEST_SEEN"
)

// badDocument is the exit status of a command of a script that printed a document
// which is not as its schema says.
const badDocument = 99

// checkedMain is the program of the scripts: each document that it prints is held
// against its schema.
func checkedMain() {
	s := System()
	var out bytes.Buffer
	s.Out = io.MultiWriter(s.Out, &out)
	code := Main(os.Args[1:], s)
	if dir := os.Getenv(schemaDir); dir != "" {
		docSchemas.dir, docSchemas.marks = dir, os.Getenv(schemaSeen)
		if err := docSchemas.checkOutput(out.Bytes()); err != nil {
			fmt.Fprintln(os.Stderr, "SCHEMA:", err)
			code = badDocument
		}
	}
	os.Exit(code)
}

// prepareSchemas is part of the set-up of every script.
func prepareSchemas(e *testscript.Env) {
	e.Setenv(schemaDir, schemaHome())
	e.Setenv(schemaSeen, docSchemas.marks)
}

// schema is a command of scripts: it holds files with documents against their schemas.
func schema(ts *testscript.TestScript, _ bool, args []string) {
	for _, a := range args {
		text := []byte(ts.ReadFile(a))
		if !json.Valid(text) || !bytes.Contains(text, []byte(`"mailcheck.`)) {
			ts.Fatalf("%s is no document", a)
		}
		ts.Check(docSchemas.checkOutput(text))
	}
}

// prints is a command of scripts: it wants a verdict of any kind, and a document or,
// if there is nothing to print, an error.
func prints(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[0], args[1:]...)
	code := 0
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		code = ee.ExitCode()
	}
	if out := ts.ReadFile("stdout"); code > ExitIncomplete || out == "" && code == 0 || out != "" && !strings.Contains(out, `"mailcheck.`) {
		ts.Fatalf("exit status %d, or a document that is not as its schema says\n%s%s", code, out, ts.ReadFile("stderr"))
	}
}

// allTests runs the tests, and then wants that each document was seen and checked
// at least once. A choice of tests need not see them all.
type allTests struct{ *testing.M }

func (m allTests) Run() int {
	dir, err := os.MkdirTemp("", "mailcheck-seen-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	docSchemas.marks = dir
	code := m.M.Run()
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return code
		}
	}
	for _, d := range Documents() {
		if strings.HasPrefix(d.Name, "exec-") {
			continue // fix/apply and cmd/mailcheck-libdns have them on both sides
		}
		if _, err := os.Stat(filepath.Join(dir, d.Name)); err != nil {
			fmt.Fprintf(os.Stderr, "no test prints a document of schema %s\n", d.Schema())
			code = 1
		}
	}
	return code
}

// schemaHome is the directory of the schemas, also for tests that go elsewhere.
func schemaHome() string {
	dir, err := filepath.Abs("../../docs/schema")
	if err != nil {
		panic(err)
	}
	return dir
}

// TestDocumentsComplete: each command that has "-o json" is listed with a document,
// each document that is listed is printed by a command that exists, and has a schema.
func TestDocumentsComplete(t *testing.T) {
	by := map[string]bool{}
	root := NewRoot(Streams{Getenv: func(string) string { return "" }})
	for _, d := range Documents() {
		if _, err := docSchemas.get(d.Name, ""); err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		for _, c := range d.By {
			cmd, _, err := root.Find(strings.Fields(c))
			if err != nil || !strings.HasPrefix(c, strings.TrimPrefix(cmd.CommandPath(), "mailcheck ")) {
				t.Errorf("%s: there is no command %q", d.Name, c)
				continue
			}
			by[cmd.CommandPath()] = true
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if f := c.Flags().Lookup("output"); c.Runnable() && f != nil && strings.Contains(f.Usage, "json") && !by[c.CommandPath()] {
			t.Errorf("%q prints JSON that Documents does not list", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}
