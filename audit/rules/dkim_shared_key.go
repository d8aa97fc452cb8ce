package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimSharedKey = audit.Rule{
	ID: "DKIM015", Slug: "dkim-shared-key", Severity: audit.Notice, Since: "0.1",
	Title: "One key stands under several selectors",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.1"}},
	Doc: audit.Doc{
		Impact: "A new selector with the old key is no rotation: whoever got the old private key can still sign.",
		Remedy: "Make a key pair of its own for each selector, or remove the selectors that are not used.",
		Bad:    []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\ns2._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1", "s2"}}},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048 + "\ns2._domainkey.example.org. 3600 IN TXT " + other2048, Selectors: []string{"s1", "s2"}},
			// Two aliases of one vendor record are the vendor's business.
			{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME k.vendor.example.\ns2._domainkey.example.org. 3600 IN CNAME k.vendor.example.\nk.vendor.example. 3600 IN TXT " + key2048, Selectors: []string{"s1", "s2"}},
		},
	},
	Check: func(c *audit.Case) {
		first := map[string]dkim.Result{}
		eachKey(c, func(k dkim.Result, r dkim.Record) {
			if !r.Usable() || !k.Target.IsZero() {
				return
			}
			if o, ok := first[r.Key.SHA256]; ok {
				c.Report(selectorSubject(k), "the key of selector %s is also that of %s", k.Selector, o.Selector).About(c.Facts, o.Name, selectorSubject(o).Type)
				return
			}
			first[r.Key.SHA256] = k
		})
	},
}
