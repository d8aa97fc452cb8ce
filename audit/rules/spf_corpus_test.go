package rules

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// corpusFaults maps the chapters of the corpus of faulty records to the rules of
// which one must speak, and to the number of domains that are no fault of SPF, or
// whose fault another rule reports.
var corpusFaults = []struct {
	chapter string
	rules   []audit.ID
	except  int
}{
	{"SPF needs more than 10", []audit.ID{"SPF006"}, 0},
	{"SPF include/redirect loop", []audit.ID{"SPF014"}, 0},
	{"two version tags", []audit.ID{"SPF018"}, 0},
	{"not starting with", []audit.ID{"SPF004"}, 0},
	{"more than one all", []audit.ID{"SPF017"}, 0},
	{"terms after all", []audit.ID{"SPF016", "SPF003", "SPF018"}, 0},
	{"no all", []audit.ID{"SPF010"}, 0},
	{"redirect together", []audit.ID{"SPF012"}, 1}, // the redirect itself is a syntax error
	{"pass for everybody", []audit.ID{"SPF008"}, 0},
	{"unknown mechanism", []audit.ID{"SPF003"}, 0},
	{"odd modifier", []audit.ID{"SPF003", "SPF018"}, 0},
	{"bad ip4", []audit.ID{"SPF003"}, 0},
	{"bad ip6", []audit.ID{"SPF003"}, 0},
	{"a: with an address", []audit.ID{"SPF003"}, 0},
	{"bad include", []audit.ID{"SPF003", "SPF011"}, 1}, // odd, but it leads to a record
	{"ptr", []audit.ID{"SPF013"}, 0},
	{"non-ASCII", []audit.ID{"SPF003", "SPF004"}, 0},
	{"include of a name", []audit.ID{"SPF011"}, 0},
	{"published twice", []audit.ID{"SPF002"}, 4}, // three are about DMARC, one lacks its included records
}

func TestSPFCorpus(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "corpus", "dns")
	broken := filepath.Join(dir, "realworld-broken.zone")
	z, err := zonetest.Load(filepath.Join(dir, "realworld.zone"), broken)
	if err != nil {
		t.Skip("the corpus of real DNS records is not there: ", err)
	}
	f, err := os.Open(broken)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []audit.Rule
	for _, r := range spfRules {
		list = append(list, *r)
	}
	chapter := -1
	missed := make([][]string, len(corpusFaults))
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if title, ok := strings.CutPrefix(lines.Text(), "; ==== "); ok {
			chapter = -1
			for i, c := range corpusFaults {
				if strings.HasPrefix(title, c.chapter) {
					chapter = i
				}
			}
		}
		rest, ok := strings.CutPrefix(lines.Text(), "; WRONG: ")
		text, _, _ := strings.Cut(rest, ":")
		if !ok || chapter < 0 {
			continue
		}
		name, err := resolve.NameFromText(text)
		if err != nil {
			t.Fatal(err)
		}
		r := audit.Run(facts.Gather(context.Background(), z, name, facts.Options{}), list, audit.Options{})
		if !slices.ContainsFunc(corpusFaults[chapter].rules, func(id audit.ID) bool { return r.Outcome(id) == audit.Fail }) {
			missed[chapter] = append(missed[chapter], text)
		}
	}
	for i, c := range corpusFaults {
		if len(missed[i]) != c.except {
			t.Errorf("%s: no finding of %v for %v, %d expected", c.chapter, c.rules, missed[i], c.except)
		}
	}
}
