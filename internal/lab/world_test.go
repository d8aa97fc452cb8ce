//go:build lab

package lab

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Captured public zones. They are no part of the project.
const corpus = "../../../shared/corpus/dns"

const (
	good   = "realworld.zone"
	broken = "realworld-broken.zone"
	own    = "testdata/semantics.zone"
)

// head makes one root zone of what follows it.
const head = `$ORIGIN .
$TTL 3600
. 3600 IN SOA ns.invalid. hostmaster.invalid. 1 7200 900 1209600 3600
. 3600 IN NS ns.invalid.
`

// lines reads a file. The SOA and NS records of the root are left out, as one
// zone can have them once.
func lines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if w := strings.Fields(sc.Text()); len(w) > 3 && w[0] == "." && (w[3] == "SOA" || w[3] == "NS") {
			continue
		}
		owner, rest, _ := strings.Cut(sc.Text(), "\t")
		if !strings.HasPrefix(owner, ";") { // Knot DNS reads a bare @ in a name as an error
			owner = strings.ReplaceAll(owner, "@", `\@`)
		}
		out = append(out, owner+"\t"+rest)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// world reads the captured zones as one root zone; the test is skipped without
// them.
func world(t *testing.T) string {
	t.Helper()
	text := head
	for _, name := range []string{good, broken} {
		path := filepath.Join(corpus, name)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("the captured zones are not there: %v", err)
		}
		text += strings.Join(lines(t, path), "\n") + "\n"
	}
	return text
}

// semantics is our own zone, one answer of each kind.
func semantics(t *testing.T) string {
	t.Helper()
	text := head + strings.Join(lines(t, own), "\n") + "\n"
	for _, n := range []int{500, 1200, 1300, 4000, 5000, 30000, 60000} {
		text += fmt.Sprintf("size%d.lab.test. 300 IN TXT %s\n", n, resolve.SplitTXT(strings.Repeat("x", n)))
	}
	for i := range 14 {
		text += fmt.Sprintf("far%d.lab.test. 300 IN CNAME far%d.lab.test.\n", i, i+1)
	}
	text += "far14.lab.test. 300 IN TXT \"the end\"\n"
	for i := range 40 {
		text += fmt.Sprintf("many.lab.test. 300 IN TXT \"record %02d of a set that is long because it has many\"\n", i)
	}
	return text
}

func parse(t *testing.T, text string) *zonetest.Zone {
	t.Helper()
	z, err := zonetest.Parse(text, zonetest.Options{World: true, File: "world.zone"})
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// domains lists what an operator would audit: every name with an MX or SPF
// record, and the parents of _dmarc and _domainkey names.
func domains(z *zonetest.Zone) []resolve.Name {
	seen := map[resolve.Name]bool{}
	var out []resolve.Name
	add := func(n resolve.Name) {
		// A few owners are mail addresses by mistake; nobody could type them.
		if typed, err := resolve.ParseName(n.String()); err != nil || typed != n || n.IsRoot() || seen[n] {
			return
		}
		seen[n] = true
		out = append(out, n)
	}
	for _, n := range z.Names() {
		if above, ok := parentOf(n, "_dmarc"); ok {
			add(above)
			continue
		}
		if above, ok := parentOf(n, "_domainkey"); ok {
			add(above)
			continue
		}
		if len(z.Records(n, resolve.TypeMX)) > 0 {
			add(n)
			continue
		}
		for _, r := range z.Records(n, resolve.TypeTXT) {
			if strings.Contains(strings.ToLower(r.Data.(resolve.TXT).Joined()), "spf1") {
				add(n)
			}
		}
	}
	return out
}

// parentOf is the name above the label, wherever it stands in n.
func parentOf(n resolve.Name, label string) (resolve.Name, bool) {
	for above := n; !above.IsRoot() && !above.IsZero(); above = above.Parent() {
		if above.First() == label {
			return above.Parent(), true
		}
	}
	return resolve.Name{}, false
}
