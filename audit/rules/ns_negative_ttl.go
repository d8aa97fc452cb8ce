package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxNegativeTTL is the upper end of what RFC 2308, Section 5 finds sensible.
const maxNegativeTTL = 24 * 3600

var negativeTTL = audit.Rule{
	ID: "NS009", Slug: "negative-ttl-long", Severity: audit.Notice, Needs: facts.Existence, Since: "0.1",
	Title: "Resolvers remember for long that a name does not exist",
	Refs:  []audit.Ref{{RFC: 2308, Section: "5"}},
	Doc: audit.Doc{
		Impact: "A record that is published after somebody has looked for it, such as a new DKIM key, stays invisible for that time.",
		Remedy: "Lower the last number of the SOA record, and the TTL of the record itself, to between five minutes and three hours.",
		Bad:    []audit.Scenario{{Zone: oneHost + "example.org. 604800 IN SOA ns1.example.org. hostmaster.example.org. 7 7200 3600 1209600 604800\n"}},
		Good: []audit.Scenario{
			{Zone: nsZone},
			// RFC 2308, Section 5: the smaller of the two counts.
			{Zone: oneHost + "example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 7 7200 3600 1209600 604800\n"},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		z := c.Facts.Around.Zone
		if z == nil {
			c.NotApplicable("no answer showed the SOA record of the zone")
			return
		}
		d, ok := z.Data.(resolve.SOA)
		if !ok {
			return
		}
		// RFC 2308, Section 3: servers set the TTL of the SOA in a negative answer to
		// the smaller of the two, and caches count it down.
		ttl := min(d.Minimum, z.TTL)
		if ttl > maxNegativeTTL {
			f := c.Report(audit.Subject{Name: z.Name, Type: resolve.TypeSOA}, "that a name does not exist is kept for %d hours", ttl/3600)
			if len(f.Evidence) == 0 {
				f.Evidence = append(f.Evidence, audit.Evidence{Name: z.Name, Type: resolve.TypeSOA, State: resolve.Present, At: c.Facts.At, Records: []string{z.String()}})
			}
		}
	},
}
