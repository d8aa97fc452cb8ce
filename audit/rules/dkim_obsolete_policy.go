package rules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimObsoletePolicy = audit.Rule{
	ID: "DKIM019", Slug: "dkim-obsolete-policy", Severity: audit.Notice, Since: "0.1",
	Title: "A DomainKeys policy stands at _domainkey, which no receiver reads",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.2.1"}, {RFC: 9989, Section: "4.5"}},
	Doc: audit.Doc{
		Impact: "None on mail: DomainKeys, of which this record was the policy (o=- or o=~), was given up in 2007. What it was meant to say is not heard; receivers follow the DMARC record alone.",
		Remedy: "Remove the TXT record at _domainkey itself, not those of the selectors below it, and say in the DMARC record what should happen to unsigned mail.",
		Bad:    []audit.Scenario{{Zone: signs + "_domainkey.example.org. 3600 IN TXT \"t=y; o=~\"\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}}},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			{Zone: signs + "_domainkey.example.org. 3600 IN TXT \"some other text\"\ns1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		d := c.Facts.DKIM.Domainkey
		if d.State == resolve.Unavailable {
			c.Unknown("what stands at _domainkey is unknown: %v", d.Err)
			return
		}
		if text, ok := domainKeysPolicy(d.Texts); ok {
			c.Report(audit.TXT(d.Name), "the text %s is a policy of DomainKeys", quoteShort(text))
		}
	},
	Repair: func(s *facts.Snapshot, _ audit.Finding) []fix.Edit {
		d := s.DKIM.Domainkey
		text, ok := domainKeysPolicy(d.Texts)
		if !ok || !d.Target.IsZero() {
			return nil
		}
		return []fix.Edit{{Name: d.Name, Type: resolve.TypeTXT, Op: fix.RemoveRecord, Record: text, Why: "DomainKeys is obsolete"}}
	},
}

// domainKeysPolicy finds a text with the tag o= and nothing that DKIM knows.
func domainKeysPolicy(texts []string) (string, bool) {
	for _, t := range texts {
		for _, part := range strings.Split(t, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if value = strings.TrimSpace(value); strings.TrimSpace(name) == "o" && (value == "-" || value == "~" || value == "!" || value == ".") {
				return t, true
			}
		}
	}
	return "", false
}
