package schema

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const module = "github.com/mailcheck-go/mailcheck"

type colour string

// Colours. Those of a test file are not read, so the type has no constants.
const (
	_ colour = "red"
)

type word string

func (w word) MarshalJSON() ([]byte, error) {
	if w == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(w))
}

type odd struct{}

func (odd) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type number uint8

func (number) MarshalText() ([]byte, error) { return []byte("one"), nil }

type base struct {
	ID int64 `json:"id"`
}

type leaf struct {
	Leaves []leaf `json:"leaves"` // a type may hold itself
}

type sample struct {
	Schema string `json:"schema"`
	base
	*leaf
	Name     word            `json:"name"`
	Maybe    string          `json:"maybe,omitempty"`
	Ratio    *float64        `json:"ratio"`
	Later    *leaf           `json:"later,omitempty"`
	At       time.Time       `json:"at"`
	Raw      []byte          `json:"raw"`
	Addr     netip.Addr      `json:"addr"`
	Colour   colour          `json:"colour"`
	Size     uint16          `json:"size"`
	By       map[string]bool `json:"by"`
	Hidden   int             `json:"-"`
	internal int
}

func document(t *testing.T, d Document) (map[string]any, error) {
	t.Helper()
	text, err := Load("../../..", module).Document(d)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return out, nil
}

func TestDocument(t *testing.T) {
	_ = sample{}.internal
	got, err := document(t, Document{ID: "urn:x", Title: "t", About: "a", Schema: "x/1", Values: []any{sample{}}, Options: Options{
		Nullable: []string{"sample.by"}, Members: map[string]string{"size": "Octets."},
		Enums: map[string]Enum{"sample.name": {More: []string{"a", "b"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	props := got["properties"].(map[string]any)
	for name, want := range map[string]string{
		"schema": `{"const":"x/1"}`,
		"id":     `{"type":"integer"}`,
		"leaves": `{"type":"array","items":{"$ref":"#/$defs/leaf"}}`,
		"name":   `{"enum":["a","b",null]}`,
		"maybe":  `{"type":"string"}`,
		"ratio":  `{"type":["number","null"]}`,
		"later":  `{"$ref":"#/$defs/leaf"}`,
		"at":     `{"type":"string","format":"date-time"}`,
		"raw":    `{"type":"string","contentEncoding":"base64"}`,
		"addr":   `{"type":"string"}`,
		"colour": `{"type":"string"}`,
		"size":   `{"description":"Octets.","type":"integer","minimum":0}`,
		"by":     `{"type":["object","null"],"additionalProperties":{"type":"boolean"}}`,
	} {
		var w any
		if err := json.Unmarshal([]byte(want), &w); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(props[name], w) {
			b, _ := json.Marshal(props[name])
			t.Errorf("%s is %s, want %s", name, b, want)
		}
	}
	if len(props) != 13 {
		t.Errorf("%d members: %v", len(props), props)
	}
	var required []string
	for _, r := range got["required"].([]any) {
		required = append(required, r.(string))
	}
	if slices.Contains(required, "maybe") || slices.Contains(required, "later") || !slices.Contains(required, "ratio") {
		t.Errorf("required %q", required)
	}
	if _, closed := got["additionalProperties"]; closed {
		t.Error("an open document is closed")
	}
}

func TestKinds(t *testing.T) {
	type one struct {
		Kind string `json:"kind"`
	}
	type two struct {
		Kind string `json:"kind"`
		More int    `json:"more"`
	}
	got, err := document(t, Document{Values: []any{one{}, two{}}, Kinds: []string{"a", "b"}, Closed: true})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(got)
	for _, want := range []string{`"oneOf":[{"$ref":"#/$defs/one"},{"$ref":"#/$defs/two"}]`, `"kind":{"const":"b"}`, `"additionalProperties":false`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in %s", want, b)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, v := range map[string]any{
		"it writes its own JSON": struct {
			X odd `json:"x"`
		}{},
		"a number that is a word": struct {
			X number `json:"x"`
		}{},
		"a field without a name": struct{ X int }{},
		"a function": struct {
			X func() `json:"x"`
		}{},
	} {
		if got, err := document(t, Document{Values: []any{v}}); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestListed(t *testing.T) {
	for in, want := range map[string]string{
		"present, absent or unknown":     "present|absent|unknown",
		"present, absent, or unknown":    "present|absent|unknown",
		`"dns", "reports" or empty`:      "dns|reports|",
		"the time, or zero":              "",
		"why it is not known":            "",
		"yes or no":                      "yes|no",
		"hosts beyond the limit":         "",
		"absent: there is no record any": "",
	} {
		if got := strings.Join(listed(in), "|"); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"of the record, in seconds":    "Of the record, in seconds.",
		"X is the time of it.":         "The time of it.",
		"X tells whether\nit is [Foo]": "Whether it is Foo.",
		"d= and s=":                    "d= and s=.",
	} {
		if got := sentence("X", in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestConstants reads those of a package of the module.
func TestConstants(t *testing.T) {
	s := Load("../../..", module)
	if _, err := s.of(reflect.TypeFor[Source]()); err != nil {
		t.Fatal(err)
	}
	if got := s.packages[module+"/internal/schemagen/schema"].comments["Source"]; !strings.HasPrefix(got, "Source is") {
		t.Errorf("comment %q", got)
	}
	if _, err := Load(t.TempDir(), module).of(reflect.TypeFor[Source]()); err == nil {
		t.Error("a package without code was read")
	}
	if got := s.Unused(Options{Enums: map[string]Enum{"a.b": {}}, Nullable: []string{"c.d"}}); !slices.Equal(got, []string{"a.b", "c.d"}) {
		t.Errorf("unused %q", got)
	}
}
