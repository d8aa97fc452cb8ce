package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimSelectorMissing = audit.Rule{
	ID: "DKIM002", Slug: "dkim-selector-missing", Severity: audit.Error, Since: "0.1",
	Title: "A selector in use has no key record",
	Refs:  []audit.Ref{{RFC: 6376, Section: "6.1.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Every signature made with this selector fails (\"no key for signature\"), as if the mail were unsigned. A server move or a provider change that forgot the record looks like this.",
		Remedy: "Publish the public key of the signing key as TXT at this name. If the signer uses another selector, correct the selector given to mailcheck or in the signer's configuration.",
		Bad: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s2"}},
			{Zone: signs, Selectors: []string{"s1"}},
			// The name exists, without a TXT record: a proxied or flattened alias looks like this.
			{Zone: signs + "s1._domainkey.example.org. 3600 IN A 192.0.2.1", Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "s1._domainkey.example.org. 3600 IN CNAME s1.vendor.example.\ns1.vendor.example. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		if !givenSelector(c.Facts) {
			c.NotApplicable("no selector was given (--selector)")
			return
		}
		for _, k := range c.Facts.DKIM.Results {
			switch {
			case !k.Given || k.Dangling:
			case errors.Is(k.Err, dkim.ErrSelector):
				c.Unknown("%v", k.Err)
			case k.State == resolve.Absent:
				what := "has no TXT record"
				if errors.Is(k.Err, resolve.ErrNXDomain) {
					what = "does not exist"
				}
				c.Report(selectorSubject(k), "%s %s", k.Name, what)
			case k.State == resolve.Unavailable:
				c.Unknown("the key of selector %s is unknown: %v", k.Selector, k.Err)
			}
		}
	},
}
