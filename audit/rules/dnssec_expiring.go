package rules

import (
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

// signatureMargin is under what signers keep: the usual ones sign anew with days
// or weeks left, but some sign for a day at a time, which is why this is short.
const signatureMargin = 12 * time.Hour

var dnssecExpiring = audit.Rule{
	ID: "DNSSEC002", Slug: "dnssec-expiring", Severity: audit.Warning, Needs: facts.DNSSEC, Since: "0.1",
	Title: "DNSSEC signatures of a name that mail needs expire within hours",
	Refs:  []audit.Ref{{RFC: 6781, Section: "4.4.2"}},
	Doc: audit.Doc{
		Impact: "When they expire, validating resolvers give no answer any more, and mail stops in both directions.",
		Remedy: "See whether the signer still runs, and sign the zone anew. A zone that is signed afresh each hour may be well: then accept the finding in the configuration.",
		Bad:    []audit.Scenario{{Zone: oneHost, Security: []string{"example.org MX secure expires=3h"}}},
		Good:   []audit.Scenario{{Zone: oneHost, Security: []string{"example.org MX secure expires=200h"}}},
	},
	Check: func(c *audit.Case) {
		for _, r := range validations(c) {
			if r.Status != dnssec.Secure || r.Expires.IsZero() {
				continue
			}
			if left := r.Expires.Sub(c.Facts.At); left < signatureMargin {
				c.Report(audit.Subject{Name: r.Question.Name, Type: r.Question.Type}, "the first signature in the proof of %s expires at %s, in %v",
					r.Question, r.Expires.UTC().Format(time.RFC3339), left.Round(time.Minute))
			}
		}
	},
}
