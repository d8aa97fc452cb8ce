package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimDangling = audit.Rule{
	ID: "DKIM008", Slug: "dkim-dangling-alias", Severity: audit.Error, Since: "0.1",
	Title: "A selector is an alias of a name without a key",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2"}, {RFC: 6376, Section: "6.1.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Signatures with this selector fail. The record here is right as far as it goes; the key is missing at the other end of the CNAME: signing was never switched on at the provider, the account was closed, or the target is misspelt.",
		Remedy: "Compare the target with what the provider's panel shows and switch DKIM on there. If the provider is no longer used, remove the CNAME: whoever gets hold of the target could publish a key for your domain.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME s1.vendor.example.", Selectors: []string{"s1"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME s1.vendor.example.\ns1.vendor.example. 3600 IN A 192.0.2.1", Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME s1.vendor.example.\ns1.vendor.example. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, k := range c.Facts.DKIM.Results {
			if !k.Dangling || k.Wildcard {
				continue
			}
			at := audit.Subject{Name: k.Name, Type: resolve.TypeTXT}
			p, known := providers.BySelectorTarget(k.Target)
			f := c.Report(at, "%s leads to %s, which has no TXT record", k.Name, k.Target)
			switch {
			case k.Given:
			case known && sibling(c.Facts, k, p.ID):
				// Microsoft 365 fills the second selector only when it rotates the first.
				f.At(audit.Notice)
				f.Advise("Nothing to do while the provider's other selector signs: %s fills this one when it rotates keys.", p.Name)
			default:
				f.At(audit.Warning)
			}
		}
	},
}

// sibling reports whether another selector that leads to the provider has a key.
func sibling(s *facts.Snapshot, k dkim.Result, provider string) bool {
	for _, o := range s.DKIM.Results {
		if o.Name == k.Name || !o.Usable() || o.Target.IsZero() {
			continue
		}
		if p, ok := providers.BySelectorTarget(o.Target); ok && p.ID == provider {
			return true
		}
	}
	return false
}
