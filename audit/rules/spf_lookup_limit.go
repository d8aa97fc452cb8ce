package rules

import (
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfLookupLimit = audit.Rule{
	ID: "SPF006", Slug: "spf-lookup-limit", Severity: audit.Error, Needs: facts.SPF, Since: "0.1",
	Title: "SPF evaluation needs more than 10 DNS lookups",
	Refs:  []audit.Ref{{RFC: 7208, Section: "4.6.4", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Receivers stop at the eleventh lookup with permerror. Terms are evaluated from left to right, so senders that an early term lists still pass, and those listed later fail: mail of one provider arrives while that of another is refused or junked. DMARC counts permerror as a failure.",
		Remedy: "Every include, a, mx, ptr, exists and redirect costs one lookup, those inside included records too, and a repeated include costs again; ip4, ip6 and all cost nothing. Remove the includes of providers that are no longer used or that send with a return-path of their own, remove repeated ones, replace a and mx by ip4 and ip6 where the addresses are yours, and move a bulk sender to a subdomain with its own record.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:a.example.net include:b.example.net -all\"\n" +
				"a.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net -all\"\n" +
				"b.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net -all\"\n" + spfHosts},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:a.example.net ip4:192.0.2.200 include:a.example.net -all\"\n" +
				"a.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net -all\"\n" + spfHosts},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 include:a.example.net include:b.example.net ip4:192.0.2.200 ip6:2001:db8::1 -all\"\n" +
				"a.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net -all\"\n" +
				"b.example.net. 3600 IN TXT \"v=spf1 a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net -all\"\n" + spfHosts},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 mx a a:h1.example.net a:h2.example.net a:h3.example.net a:h4.example.net a:h5.example.net exists:%{i}.example.net -all a:h6.example.net a:h7.example.net redirect=spf.example.net\"\n" +
				"example.org. 3600 IN A 192.0.2.9\nexample.org. 3600 IN MX 10 h1.example.net.\nexample.org. 3600 IN MX 10 h2.example.net.\nexample.org. 3600 IN MX 10 h3.example.net.\n" + spfHosts},
		},
	},
	Check: func(c *audit.Case) {
		root := spfRecord(c)
		if root == nil {
			return
		}
		s := c.Facts
		if b := s.SPF.Break; b != nil {
			least := ""
			if len(s.SPF.Unknown) > 0 || s.SPF.Truncated {
				least = "at least "
			}
			who := "senders that an earlier term lists still get their result"
			if b.Every {
				who = "no earlier term can match, so it breaks for every sender"
			}
			f := c.Report(audit.TXT(s.Domain), "evaluation needs %s%d lookups, %d are allowed; the %dth is %s in the record of %s%s, and %s. Lookups by term: %s",
				least, s.SPF.Lookups, spf.MaxLookups, spf.MaxLookups+1, spfText(b.Text), b.Domain, spfReach(root, b.Domain), who, spfCosts(root))
			f.About(s, b.Domain, resolve.TypeTXT)
			if edits := spfFewer(s); len(edits) > 0 {
				f.Advise("Remove the repeated terms: they cost lookups again and match nothing new.")
			}
			return
		}
		spfOpen(c, recordLookup)
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit { return spfFewer(s) },
}

// spfInbound lets the domain of a scenario take mail, and has a key that says
// that it sends: a repaired SPF record must not be the first sign of that.
const spfInbound = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.1\n" +
	"default._domainkey.example.org. 3600 IN TXT " + keyEd + "\n"

// spfHosts are ten hosts for the scenarios.
const spfHosts = "h1.example.net. 3600 IN A 192.0.2.1\nh2.example.net. 3600 IN A 192.0.2.2\nh3.example.net. 3600 IN A 192.0.2.3\nh4.example.net. 3600 IN A 192.0.2.4\nh5.example.net. 3600 IN A 192.0.2.5\n" +
	"h6.example.net. 3600 IN A 192.0.2.6\nh7.example.net. 3600 IN A 192.0.2.7\nh8.example.net. 3600 IN A 192.0.2.8\nh9.example.net. 3600 IN A 192.0.2.9\nh10.example.net. 3600 IN A 192.0.2.10"

// spfCosts says what each term of the record costs, with the records it includes.
func spfCosts(n *spf.Node) string {
	const most = 25
	var out []string
	for i := range n.Terms {
		x := &n.Terms[i]
		if x.Lookups == 0 {
			continue
		}
		if len(out) == most {
			out = append(out, "...")
			break
		}
		text := fmt.Sprintf("%s %d", spfText(n.Record.Terms[i].Text), x.Lookups)
		if x.Child != nil && x.Lookups > 1 {
			var inner []string
			for j := range x.Child.Terms {
				if y := &x.Child.Terms[j]; y.Lookups > 1 && len(inner) < most {
					inner = append(inner, fmt.Sprintf("%s %d", spfText(x.Child.Record.Terms[j].Text), y.Lookups))
				}
			}
			if len(inner) > 0 {
				text += " (of these " + strings.Join(inner, ", ") + ")"
			}
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// spfFewer are the edits that keep the limit by removing repeated terms alone;
// none if that is not enough.
func spfFewer(s *facts.Snapshot) []fix.Edit {
	root := s.SPF.Root
	if root == nil || len(root.Syntax) > 0 || s.SPF.Truncated {
		return nil
	}
	saved := 0
	var edits []fix.Edit
	for _, o := range spfSeen(root.Record, spf.Duplicate) {
		if o.Term < len(root.Terms) && root.Terms[o.Term].Lookups > 0 {
			saved += root.Terms[o.Term].Lookups
			edits = append(edits, spfRepeated(s, o))
		}
	}
	for _, p := range s.SPF.Problems { // a broken include stays broken
		if !errors.Is(p.Err, spf.ErrTooManyLookups) && p.Domain == s.Domain {
			return nil
		}
	}
	if s.SPF.Lookups-saved > spf.MaxLookups {
		return nil
	}
	return edits
}
