package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxUDP is the size up to which responses are usually sent over UDP: 1280 octets,
// the least MTU of IPv6, less the headers. Larger ones would need fragments (RFC
// 9715, Section 3.1), so resolvers and servers have agreed on it since 2020.
const maxUDP = 1232

// paddedKey is a key record with a note that makes it too long.
var paddedKey = `"v=DKIM1; k=rsa; n=` + strings.Repeat("padding-", 25) + `" "` + strings.Repeat("padding-", 30) + `" "` + strings.Repeat("padding-", 30) + `" "` +
	strings.Repeat("padding-", 25) + `; p=" "` + keyP2048[:200] + `" "` + keyP2048[200:] + `"`

var dkimLargeAnswer = audit.Rule{
	ID: "DKIM017", Slug: "dkim-large-answer", Severity: audit.Notice, Since: "0.1",
	Title: "The answer with a DKIM key does not fit into one UDP response",
	Refs: []audit.Ref{
		{RFC: 9715, Section: "3.1"},
		{RFC: 6376, Section: "3.3.3"},
		{Title: "DNS flag day 2020", URL: "https://www.dnsflagday.net/2020/"},
	},
	Doc: audit.Doc{
		Impact: "The answer is truncated and has to be fetched again over TCP. Verifiers behind a firewall that blocks TCP to port 53 cannot read the key and treat the mail as unsigned, or put it off.",
		Remedy: "Leave one record at the selector, with an RSA key of 2048 bits: its answer has about 500 octets. Make a new key under a new selector if this one is longer.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + paddedKey, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			// Two records that fit are DKIM003's.
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\ns1._domainkey.example.org. 3600 IN TXT " + other2048, Selectors: []string{"s1"}},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		n := 0
		for _, k := range c.Facts.DKIM.Results {
			if k.State != resolve.Present || k.Wildcard {
				if k.State == resolve.Unavailable {
					c.Unknown("the answer for selector %s is unknown: %v", k.Selector, k.Err)
				}
				continue
			}
			n++
			if size := wireSize(k); size > maxUDP {
				f := c.Report(selectorSubject(k), "the answer for selector %s takes at least %d octets, more than the %d of one UDP response", k.Selector, size, maxUDP)
				if k.Answer.Truncated {
					f.At(audit.Warning) // a server did truncate it
				}
			}
		}
		if n == 0 {
			c.NotApplicable("no selector with a record is known")
		}
	},
}

// wireSize is the least size of a response with the records of a selector: the
// header, the question, the OPT record, and each record with a compressed owner
// (RFC 1035, Section 4.1.4).
func wireSize(k dkim.Result) int {
	const header, question, opt, fixed = 12, 4, 11, 12
	size := header + len(k.Name.String()) + 2 + question + opt
	for _, a := range k.Answer.Chain {
		size += fixed + len(a.Target.String()) + 2
	}
	for _, t := range k.Answer.TXT() {
		size += fixed + t.WireLen()
	}
	return size
}
