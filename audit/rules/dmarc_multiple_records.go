package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dmarcMultiple = audit.Rule{
	ID: "DMARC002", Slug: "dmarc-multiple-records", Severity: audit.Error, Since: "0.1",
	Title: "Several DMARC records stand at one name, so none of them counts",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10"}, {RFC: 7489, Section: "6.6.3"}},
	Doc: audit.Doc{
		Impact: "Receivers discard all of them. Those that follow RFC 9989 go on to the parent domain's record, those that follow RFC 7489 apply no DMARC at all: mail can be forged, no reports come, and receivers that ask bulk senders for a policy find none.",
		Remedy: "Keep one record and delete the others. Two reporting services go into one rua, separated by a comma.",
		Bad: []audit.Scenario{
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1; p=reject")},
			// The same policy written twice: one can go.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=DMARC1;p=none;rua=mailto:dmarc@example.org;")},
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=none") + dmarcAt("example.org", "v=DMARC1; p=reject")},
			// The parent's record takes over, but only for receivers that follow RFC 9989.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("news.example.org", "v=DMARC1; p=none") + dmarcAt("news.example.org", "v=DMARC1; p=quarantine") + dmarcAt("example.org", "v=DMARC1; p=none; sp=reject; rua=mailto:dmarc@example.org")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// Other TXT records there do not count.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=spf1 -all") + dmarcAt("example.org", "site-verification=1234")},
			// The strings of one record are joined.
			{Zone: dmarcSends + "_dmarc.example.org. 3600 IN TXT \"v=DMARC1; p=no\" \"ne; rua=mailto:dmarc@example.org\"\n"},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DMARC
		steps := dmarcSteps(d)
		dmarcUnread(c, steps)
		for _, step := range steps {
			if step.Several == nil {
				continue
			}
			text := fmt.Sprintf("%d DMARC records at %s, so receivers discard all of them: %q and %q", len(step.Several), step.Name, short(step.Several[0]), short(step.Several[1]))
			if p := d.Policy; p.State == resolve.Present {
				text += fmt.Sprintf("; receivers that follow RFC 9989 go on to the record of %s (%s), older ones apply none", p.Domain, p.Effective)
			}
			c.Report(audit.TXT(step.Name), "%s", text).At(dmarcLost(c.Facts))
		}
	},
	// Which policy is meant only the owner knows, unless all say the same.
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		for _, step := range dmarcSteps(s.DMARC) {
			if step.Name != f.Subject.Name || step.Several == nil {
				continue
			}
			var edits []fix.Edit
			for _, text := range step.Several[1:] {
				if !sameTags(step.Several[0], text) {
					return nil
				}
				edits = append(edits, fix.Edit{Name: step.Name, Type: resolve.TypeTXT, Op: fix.RemoveRecord, Record: text, Why: "another record says the same, and only one may stand here"})
			}
			return edits
		}
		return nil
	},
}

// sameTags reports whether two records differ in white space and order alone.
func sameTags(a, b string) bool {
	tags := func(text string) []string {
		rec, _ := dmarc.Parse(text)
		var out []string
		for _, t := range rec.Tags {
			out = append(out, t.Name+"="+strings.Join(strings.Fields(t.Value), " "))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(tags(a), tags(b))
}
