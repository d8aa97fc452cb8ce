package rules

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dmarc"
)

var dmarcUnrelated = audit.Rule{
	ID: "DMARC022", Slug: "dmarc-unrelated-text", Severity: audit.Notice, Since: "0.1",
	Title: "A text at the _dmarc name has nothing to do with DMARC",
	Refs:  []audit.Ref{{RFC: 9989, Section: "4.10"}, {RFC: 4592, Section: "2.1"}},
	Doc: audit.Doc{
		Impact: "Receivers ignore it, so mail is not harmed. It shows that a record was published at the wrong name, or that a wildcard TXT record answers for names that nobody thought of.",
		Remedy: "Delete it, or move it to where it belongs: SPF to the domain itself, a DKIM key below _domainkey. If it comes from a wildcard, a record of its own at the _dmarc name ends that.",
		Bad: []audit.Scenario{
			dmarcZone("v=spf1 -all"),
			dmarcZone("v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQ"),
			dmarcZone("site-verification=1234"),
			dmarcZone(" "),
			// A wildcard.
			{Domain: "news.example.org", Zone: dmarcSends + dmarcSub + dmarcAt("example.org", "v=DMARC1; p=reject; rua=mailto:dmarc@example.org") + "*.news.example.org. 3600 IN TXT \"v=spf1 -all\"\n"},
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "v=spf1 -all")},
		},
		Good: []audit.Scenario{
			dmarcZone("v=DMARC1; p=none; rua=mailto:dmarc@example.org"),
			// A token beside a record is harmless and may be needed.
			{Zone: dmarcSends + dmarcAt("example.org", "v=DMARC1; p=none; rua=mailto:dmarc@example.org") + dmarcAt("example.org", "site-verification=1234")},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		what := map[dmarc.Class]string{
			dmarc.ClassSPF: "an SPF record", dmarc.ClassDKIM: "a DKIM key",
			dmarc.ClassBlank: "a blank text", dmarc.ClassOther: "a text that is not about DMARC",
		}
		steps := dmarcSteps(c.Facts.DMARC)
		dmarcUnread(c, steps)
		for _, step := range steps {
			seen := map[string]bool{}
			for _, m := range step.Misses {
				term := strings.TrimSpace(short(m.Text))
				if what[m.Class] == "" || seen[term] || m.Class == dmarc.ClassOther && (step.Usable || step.Several != nil) {
					continue
				}
				if len(seen) == maxUnrelated {
					break
				}
				seen[term] = true
				text := fmt.Sprintf("%s stands at %s", what[m.Class], step.Name)
				if term != "" {
					text += fmt.Sprintf(": %q", short(m.Text))
				}
				c.Report(audit.TXT(step.Name).WithTerm(term), "%s", text)
			}
		}
	},
}

// maxUnrelated is the number of texts that are reported for one name: a wildcard
// can bring all of a domain's verification tokens.
const maxUnrelated = 3
