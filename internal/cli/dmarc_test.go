package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func checkSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	const urn = "urn:mailcheck:schema:dmarc-check-1"
	text, err := os.ReadFile("../../docs/schema/dmarc-check-1.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(urn, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(urn)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(s *jsonschema.Schema, doc []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

func checkJSON(t *testing.T, d dmarc.Discovery, dest []dmarc.Destination) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := printJSON(&b, viewCheck(d, dest, dest != nil)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDMARCCheckSchema(t *testing.T) {
	s := checkSchema(t)
	for _, tt := range []struct{ zone, fail, domain string }{
		{"", "", "example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject; t=y; pct=30; rua=mailto:a@example.net"`, "", "example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=rejct"`, "", "example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=rejct; rua=mailto:a@example.org"`, "", "a.b.example.org"},
		{"_dmarc.example.org. 60 IN TXT \"v=DMARC1; p=none\"\n_dmarc.example.org. 60 IN TXT \"v=DMARC1; p=reject\"\n_dmarc.org. 60 IN TXT \"v=DMARC1; p=none; psd=y\"", "", "example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject; sp=none; np=quarantine"`, "_dmarc.org", "a.example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=reject"`, "_dmarc.example.org", "example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=DMARC1; p=none; np=reject"`, "a.example.org", "a.example.org"},
		{`_dmarc.example.org. 60 IN TXT "v=spf1 \027[2J -all"`, "", "example.org"},
		{"_dmarc.example.org. 60 IN CNAME _dmarc.example.net.\n_dmarc.example.net. 60 IN TXT \"v=DMARC1; p=none\"", "", "example.org"},
		{"", "", strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("b", 61)},
		{"", "", strings.Repeat("a.", 126) + "a"},
	} {
		z := zonetest.MustParse("$TTL 60\n" + tt.zone + "\n")
		if tt.fail != "" {
			z.Inject(resolve.MustName(tt.fail), 0, zonetest.Fault{Timeout: true})
		}
		d := dmarc.Discover(t.Context(), z, resolve.MustName(tt.domain), dmarc.Options{})
		doc := checkJSON(t, d, append([]dmarc.Destination{}, dmarc.CheckDestinations(t.Context(), z, d)...))
		if err := validate(s, doc); err != nil {
			t.Errorf("%s with %q: %v\n%s", tt.domain, tt.zone, err, doc)
		}
	}
}

// TestDMARCCheckSchemaRefuses: a schema that takes everything proves nothing.
func TestDMARCCheckSchemaRefuses(t *testing.T) {
	s := checkSchema(t)
	z := zonetest.MustParse("_dmarc.example.org. 60 IN TXT \"v=DMARC1; p=reject; np=none\"\n")
	doc := checkJSON(t, dmarc.Discover(t.Context(), z, resolve.MustName("example.org"), dmarc.Options{}), nil)
	for name, change := range map[string]func(m map[string]any){
		"schema":       func(m map[string]any) { m["schema"] = "mailcheck.dmarc-check/2" },
		"exists":       func(m map[string]any) { m["exists"] = "missing" },
		"state":        func(m map[string]any) { m["state"] = "absent" },
		"no policy":    func(m map[string]any) { m["policy"] = nil },
		"policy":       func(m map[string]any) { m["policy"] = "block" },
		"no walk":      func(m map[string]any) { delete(m, "walk") },
		"outcome":      func(m map[string]any) { m["walk"].([]any)[0].(map[string]any)["outcome"] = "missing" },
		"step record":  func(m map[string]any) { m["walk"].([]any)[0].(map[string]any)["record"] = nil },
		"pct":          func(m map[string]any) { m["rfc7489"].(map[string]any)["pct"] = 101 },
		"disagreement": func(m map[string]any) { m["disagreement"] = nil },
	} {
		var m map[string]any
		if err := json.Unmarshal(doc, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		changed, _ := json.Marshal(m)
		if validate(s, changed) == nil {
			t.Errorf("%s: the schema takes it", name)
		}
	}
}

// TestDMARCCorpus runs the captured records through check and lint.
func TestDMARCCorpus(t *testing.T) {
	s := checkSchema(t)
	for _, file := range []string{"realworld.zone", "realworld-broken.zone"} {
		path := filepath.Join("..", "..", "..", "shared", "corpus", "dns", file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("the corpus of captured zones is not here: %v", err)
		}
		z, err := zonetest.Parse(string(text), zonetest.Options{World: true})
		if err != nil {
			t.Fatal(err)
		}
		count, status := 0, map[int]int{}
		for _, n := range z.Names() {
			if n.First() != "_dmarc" {
				continue
			}
			count++
			d := dmarc.Discover(t.Context(), z, n.Parent(), dmarc.Options{})
			if err := validate(s, checkJSON(t, d, nil)); err != nil {
				t.Errorf("%s: %v", n, err)
			}
			status[checkStatus(d, nil)]++
			var out bytes.Buffer
			st := Streams{Out: &out}
			if err := viewCheck(d, nil, false).text(st, d, &dmarcCheckOptions{}); err != nil {
				t.Fatal(err)
			}
			harmlessText(t, out.String())
			for _, r := range z.Records(n, resolve.TypeTXT) {
				v := lintView{}
				v.add(r.Data.(resolve.TXT).Joined())
				out.Reset()
				if err := v.text(st); err != nil {
					t.Fatal(err)
				}
				harmlessText(t, out.String())
			}
		}
		t.Logf("%s: %d names, by exit status %v", file, count, status)
		if file == "realworld.zone" && (count < 400 || status[ExitFindings] > count/20) {
			t.Errorf("%d names, by exit status %v", count, status)
		}
		if file == "realworld-broken.zone" && (count < 37 || status[ExitFindings] < count/2) {
			t.Errorf("%d names, by exit status %v", count, status)
		}
	}
}

func harmlessText(t *testing.T, s string) {
	t.Helper()
	for i, r := range s {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\ufffd' {
			t.Fatalf("%U at %d of %q", r, i, s)
		}
	}
}

// TestDMARCStageEdits: the edits give the record that the step promises.
func TestDMARCStageEdits(t *testing.T) {
	for _, text := range []string{
		"v=DMARC1; p=none; rua=mailto:a@example.org",
		"v=DMARC1;p=quarantine;t=y;rua=mailto:a@example.org;",
		"v=DMARC1; p=quarantine; pct=10; rua=mailto:a@example.org; x=y",
		"v=DMARC1; p=quarantine; rua=mailto:a@example.org; sp=none",
	} {
		rec, _ := dmarc.Parse(text)
		m, err := rec.Advance(dmarc.StageOptions{})
		if err != nil {
			t.Fatal(err)
		}
		name := resolve.MustName("_dmarc.example.org")
		e := edited{rec: rec, owner: name, p: &present{}}
		e.p.know(name, resolve.TypeTXT, []resolve.Record{
			{Name: name, Type: resolve.TypeTXT, TTL: 300, Data: resolve.SplitTXT("site=1")},
			{Name: name, Type: resolve.TypeTXT, TTL: 300, Data: resolve.SplitTXT(text)},
		})
		v := changeView{}
		for _, x := range m.Edits {
			v.Edits = append(v.Edits, e.edit(x))
		}
		if err := v.merge(e.p); err != nil {
			t.Fatal(err)
		}
		want := []string{`"site=1"`, resolve.SplitTXT(m.Record.String()).String()}
		if len(v.Changes) != 1 || !slices.Equal(v.Changes[0].New, want) || v.Changes[0].Verb != fix.Update || v.Changes[0].TTL != 300 {
			t.Errorf("%s: got %+v, want %q", text, v.Changes, want)
		}
		if len(v.Publish) != 2 || v.Publish[1].Value != m.Record.String() || v.Publish[0].New || !v.Publish[1].New {
			t.Errorf("%s: publish %+v", text, v.Publish)
		}
		// What the change says can be saved and merged again.
		saved, err := json.Marshal(v.Edits)
		var again []fix.Edit
		if err != nil || json.Unmarshal(saved, &again) != nil || !slices.Equal(again, v.Edits) {
			t.Errorf("%s: %s reads back as %+v", text, saved, again)
		}
	}
}

func TestPanelValue(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, text := range []string{"", "v=spf1 -all", `a "quoted" \ text`, long} {
		if got := panelValue(resolve.TypeTXT, resolve.SplitTXT(text).String()); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got := panelValue(resolve.TypeMX, "0 ."); got != "0 ." {
		t.Errorf("got %q", got)
	}
}

func TestExcerpt(t *testing.T) {
	for _, tt := range []struct {
		text   string
		offset int
		under  string // what the caret and tildes stand below
	}{
		{"v=DMARC1; p=rejct", 12, "rejct"},
		{"v=DMARC1; p=rejct; x", 10, "p"},
		{strings.Repeat("a", 200) + "; p=rejct; " + strings.Repeat("b", 200), 204, "rejct"},
		{"v=DMARC1; \x1b\u202ep=rejct", 10, `\x1b\xe2\x80\xaep`},
		{"abc", 3, ""},
		{"abc", 99, ""},
	} {
		p := &sheet{width: 80}
		excerpt(p, tt.text, tt.offset)
		lines := strings.Split(p.String(), "\n")
		at := strings.IndexByte(lines[1], '^')
		under := string([]rune(lines[0] + " ")[at:min(len([]rune(lines[0]))+1, len(lines[1]))])
		if strings.TrimSpace(under) != tt.under || len([]rune(lines[0])) > 80 || len(lines[1]) > 80 {
			t.Errorf("%.40q at %d: caret below %q\n%s", tt.text, tt.offset, under, p)
		}
	}
}

func TestSheet(t *testing.T) {
	p := &sheet{width: 40}
	p.field("Label", "%s", "some words that have to be wrapped because there are so many of them")
	p.hang("  ", "a-label-that-is-longer-than-its-column", 10, "text\nwith\tcontrols \x1b[2J "+strings.Repeat("x", 60))
	for _, line := range strings.Split(p.String(), "\n") {
		if len(line) > 40 && !strings.Contains(line, "xxx") {
			t.Errorf("%d columns: %q", len(line), line)
		}
	}
	harmlessText(t, p.String())
}

func FuzzDMARCLint(f *testing.F) {
	for _, s := range []string{"v=DMARC1; p=rejct; rua=a@example.org", `"v=DMARC1; p=none"`, "v=DMARC1;;;p=none;\x1b[2J=\u202e", "", strings.Repeat("v=DMARC1;", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := lintView{}
		v.add(text)
		var out bytes.Buffer
		if err := v.text(Streams{Out: &out}); err != nil {
			t.Fatal(err)
		}
		harmlessText(t, out.String())
		if err := printJSON(&out, v); err != nil {
			t.Fatal(err)
		}
		harmlessText(t, out.String())
		if r := v.Records[0]; r.IsRecord && r.Repaired != "" && r.Remaining >= len(r.Problems) {
			t.Fatalf("%q: %s", text, fmt.Sprint(r.Repaired))
		}
	})
}
