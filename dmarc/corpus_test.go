package dmarc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// corpus reads one of the captured zones.
func corpus(t *testing.T, file string) (*zonetest.Zone, string) {
	t.Helper()
	path := filepath.Join("..", "..", "shared", "corpus", "dns", file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Skipf("the corpus of captured zones is not here: %v", err)
	}
	z, err := zonetest.Parse(string(text), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	return z, string(text)
}

func TestCorpusRecords(t *testing.T) {
	for _, file := range []string{"realworld.zone", "realworld-broken.zone"} {
		z, _ := corpus(t, file)
		seen, usable := 0, 0
		for _, n := range z.Names() {
			if n.First() != label {
				continue
			}
			for _, rec := range z.Records(n, resolve.TypeTXT) {
				text := rec.Data.(resolve.TXT).Joined()
				r, err := Parse(text)
				if r.String() != text {
					t.Errorf("%s: %q prints as %q", n, text, r)
				}
				if (err == nil) != (Classify(text) == ClassRecord) {
					t.Errorf("%s: %v, but class %s", n, err, Classify(text))
				}
				seen++
				if err == nil {
					usable++
				}
				// Real records have these; anything worse in the good file is news.
				if file == "realworld.zone" && (err != nil || r.Has(PolicyInvalid, PolicyMissing, Junk, BadCharacter, DuplicateTag)) {
					t.Logf("%s: %q: %q", n, text, kinds(r))
				}
			}
			d := Discover(t.Context(), z, n.Parent(), Options{})
			checkDiscovery(t, d, nil)
		}
		t.Logf("%s: %d texts, %d records", file, seen, usable)
		if seen == 0 {
			t.Errorf("%s: no text", file)
		}
	}
}

// TestCorpusBroken looks for the fault that the corpus notes.
func TestCorpusBroken(t *testing.T) {
	z, text := corpus(t, "realworld-broken.zone")
	faults := []struct {
		words string // in the note
		kinds []Kind
		class []Class
	}{
		{"second TXT at _dmarc has no version", []Kind{DuplicateTag}, []Class{ClassTags}},
		{"TXT and CNAME at the same name", []Kind{RemovedTag}, nil},
		{"trailing text without", []Kind{Junk}, nil},
		{"not a DMARC record at all", nil, []Class{ClassOther}},
		{"an SPF record", nil, []Class{ClassSPF}},
		{"unknown tag mailto:rua", []Kind{UnknownTag}, nil},
		{"quote characters", nil, []Class{ClassQuoted}},
		{"rua is not a list", []Kind{URIInvalid}, nil},
		{"ruf is not a list", []Kind{URIInvalid}, nil},
		{"not at the start", nil, []Class{ClassLeading}},
		{"a DKIM key record", nil, []Class{ClassDKIM}},
		{"no p tag", []Kind{PolicyMissing, TagCase}, nil},
		{"is blank", nil, []Class{ClassBlank}},
		{"lower case (v=dmarc1)", nil, []Class{ClassCase}},
		{"unknown tag", []Kind{UnknownTag}, nil},
		{"given 2 times", []Kind{DuplicateTag}, nil},
		{"without \"=\"", []Kind{Junk}, nil},
		{"p=NONE", []Kind{PolicyNotSecond}, nil}, // the capital letters are legal
	}
	lines, seen := strings.Split(text, "\n"), 0
	for i, line := range lines {
		note, found := strings.CutPrefix(line, "; WRONG: ")
		if !found || i+1 == len(lines) || !strings.HasPrefix(lines[i+1], "_dmarc.") {
			continue
		}
		seen++
		name, _, _ := strings.Cut(lines[i+1], "\t")
		d := Discover(t.Context(), z, resolve.MustName(strings.TrimPrefix(name, "_dmarc.")), Options{})
		own, matched := d.Steps[0], false
		for _, f := range faults {
			if !strings.Contains(note, f.words) {
				continue
			}
			matched = true
			for _, k := range f.kinds {
				if !own.Record.Has(k) {
					t.Errorf("%s: got %q", note, kinds(own.Record))
				}
			}
			for _, c := range f.class {
				if !slices.ContainsFunc(own.Misses, func(m NearMiss) bool { return m.Class == c }) {
					t.Errorf("%s: got %v", note, own.Misses)
				}
			}
			if len(f.class) > 0 && len(f.kinds) == 0 && own.Usable {
				t.Errorf("%s: taken for a record", note)
			}
			break
		}
		if !matched {
			t.Errorf("no expectation for %q", note)
		}
	}
	if seen < 40 {
		t.Errorf("only %d faults were found in the file", seen)
	}
}
