package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
)

const (
	// RFC 1035, Section 4.2.1 (and RFC 7208, Section 3.4): UDP without EDNS.
	udpSize = 512
	// What most resolvers offer with EDNS since 2020, so that nothing is fragmented.
	ednsSize = 1232
)

var spfSize = audit.Rule{
	ID: "SPF021", Slug: "spf-size", Severity: audit.Notice, Needs: facts.SPF, Since: "0.1",
	Title: "The TXT records of the domain make a large DNS answer",
	Refs:  []audit.Ref{{RFC: 7208, Section: "3.4", Level: audit.Should}},
	Doc: audit.Doc{
		Impact: "All TXT records of a name come in one answer. Above 512 octets it needs EDNS, above about 1232 it comes over TCP: where TCP port 53 is blocked at the name servers or on the way, receivers get no SPF record at all and answer 451 or go on without it.",
		Remedy: "Delete TXT records that nobody needs any more, such as old verification tokens. If the SPF record itself is long, move networks into a record of their own and include it.",
		Bad: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"a-verification=" + spfPadding + "\"\nexample.org. 3600 IN TXT \"b-verification=" + spfPadding + "\"\nexample.org. 3600 IN TXT \"c-verification=" + spfPadding + "\""},
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"a=" + spfPadding + "\" \"" + spfPadding + "\"\nexample.org. 3600 IN TXT \"b=" + spfPadding + "\" \"" + spfPadding + "\"\nexample.org. 3600 IN TXT \"c=" + spfPadding + "\" \"" + spfPadding + "\"\nexample.org. 3600 IN TXT \"d=" + spfPadding + "\" \"" + spfPadding + "\""},
		},
		Good: []audit.Scenario{
			{Zone: "example.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.1 -all\"\nexample.org. 3600 IN TXT \"a-verification=" + spfPadding + "\""},
		},
	},
	Check: func(c *audit.Case) {
		if spfRecord(c) == nil {
			return
		}
		a := c.Facts.SPF
		if a.AnswerSize <= udpSize {
			return
		}
		f := c.Report(audit.TXT(c.Facts.Domain), "the answer with the TXT records of %s (%d) has %d octets, the SPF record %d of them",
			c.Facts.Domain, len(a.Answer.TXT()), a.AnswerSize, len(a.Root.Text))
		if a.AnswerSize > ednsSize {
			f.At(audit.Warning)
		}
	},
}

var spfPadding = strings.Repeat("0123456789", 16)
