package dkim

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// corpus reads a file of the corpus of real records, which is not part of this
// repository.
func corpus(t *testing.T, path string) string {
	t.Helper()
	file := filepath.Join("..", "..", "shared", "corpus", path)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("no corpus of real records at %s", file)
	}
	return string(data)
}

// TestCorpusKeys reads the keys of ten test suites and counts, for each of them,
// the values that are key records and the ones that verifiers can use.
func TestCorpusKeys(t *testing.T) {
	type count struct{ records, usable int }
	got := make(map[string]count)
	for line := range strings.Lines(corpus(t, "dkim/keys.tsv")) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(f) != 3 {
			t.Fatalf("line %q", line)
		}
		r, err := ParseRecord(f[1])
		checkRecord(t, r)
		c := got[f[2]]
		if strings.Contains(f[0], "_domainkey") && !foreign(err) {
			c.records++
		}
		if r.Usable() {
			c.usable++
		} else if !r.Key.Revoked {
			t.Logf("%s %s: %v", f[2], f[0], err)
		}
		got[f[2]] = c
	}
	// Not usable are, as those suites mean it, keys under 1024 bits, other versions
	// and key types, lists without sha256 or email, and what stands for a DNS error.
	want := map[string]count{
		"MimeKit": {3, 3}, "blaze": {12, 12}, "dkim_verifier": {8, 8}, "dkimpy": {13, 9}, "kumomta": {1, 1},
		"mail-auth": {11, 11}, "mail-dkim": {23, 7}, "mailauth": {2, 2}, "ocaml-dkim": {12, 12}, "rspamd": {18, 14},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

// TestCorpusZone looks up every selector of the zone of real records.
func TestCorpusZone(t *testing.T) {
	z, err := zonetest.Parse(corpus(t, "dns/realworld.zone"), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	keys, short, dangling, foreign := 0, 0, 0, 0
	for _, n := range z.Names() {
		selector, domain, ok := strings.Cut(n.String(), "._domainkey.")
		if !ok {
			continue
		}
		d := Discover(t.Context(), z, resolve.MustName(domain), Options{Candidates: []string{selector}})
		i := slices.IndexFunc(d.Results, func(r Result) bool { return r.Selector == selector })
		switch {
		case i < 0:
			t.Errorf("%s is not found", n)
		case d.Results[i].Dangling: // the targets were not recorded
			dangling++
		case d.Results[i].Usable() && d.Conclusion == KeyFound:
			keys++
		case d.Results[i].NotKey() && d.Results[i].Target.String() == domain && d.Conclusion == KeysUnknown:
			foreign++ // an alias to the domain itself, whose TXT records are no keys
		case d.Results[i].Records[0].Key.Bits < minBits:
			short++
		default:
			t.Errorf("%s: %+v", n, d.Results[i].Records)
		}
	}
	if keys != 30 || short != 2 || dangling != 371 || foreign != 12 {
		t.Errorf("%d keys, %d short ones, %d aliases to nothing and %d to other text", keys, short, dangling, foreign)
	}
}
