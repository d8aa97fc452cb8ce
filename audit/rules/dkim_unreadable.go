package rules

import (
	"errors"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
)

var dkimUnreadable = audit.Rule{
	ID: "DKIM004", Slug: "dkim-unreadable", Severity: audit.Error, Since: "0.1",
	Title: "A DKIM key record cannot be read",
	Refs:  []audit.Ref{{RFC: 6376, Section: "3.6.1", Level: audit.Must}, {RFC: 6376, Section: "6.1.2", Level: audit.Must}},
	Doc: audit.Doc{
		Impact: "Every signature made with this selector fails (\"key syntax error\"), as if the mail were unsigned.",
		Remedy: "Publish the record again as the signer or the provider gives it: one line of text, no quotes, backslashes or line breaks inside; a text over 255 octets split into strings that join without anything between.",
		Bad: []audit.Scenario{
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1\\; k=rsa\\; p=" "` + keyP2048[:200] + `" "` + keyP2048[200:] + `"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=rsa; p=` + keyP2048[:200] + `"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=rsa; p=not*base64"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; k=rsa"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=spf1 -all"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM2; p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
		},
		Good: []audit.Scenario{
			{Zone: signs + "s1._domainkey.example.org. 3600 IN TXT " + key2048, Selectors: []string{"s1"}},
			// v and k are optional (RFC 6376, Section 3.6.1).
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "p=` + keyP2048[:100] + `" "` + keyP2048[100:] + `"`, Selectors: []string{"s1"}},
			{Zone: signs + `s1._domainkey.example.org. 3600 IN TXT "v=DKIM1; p="`, Selectors: []string{"s1"}},
		},
	},
	Check: func(c *audit.Case) {
		if gone(c) {
			return
		}
		for _, k := range c.Facts.DKIM.Results {
			if len(k.Texts) != 1 || k.Wildcard && !k.Given {
				continue
			}
			if k.NotKey() {
				if k.Given {
					c.Report(selectorSubject(k), "the text %s is no key record", quoteShort(k.Texts[0]))
				}
				continue
			}
			r := k.Records[0]
			err := r.Err()
			if err == nil || errors.Is(err, dkim.ErrRefused) && !tooMuch(r) {
				continue // readable: other rules judge the key
			}
			p, _ := errors.AsType[*dkim.Problem](err)
			if p == nil {
				c.Report(selectorSubject(k), "%v", err)
				continue
			}
			at := selectorSubject(k)
			at.Term = p.Tag
			f := c.Report(at, "%s, at offset %d", p.Detail, p.At)
			if p.Hint != "" {
				f.Advise("%s.", upper(p.Hint))
			}
		}
	},
	Repair: func(s *facts.Snapshot, f audit.Finding) []fix.Edit {
		return replaceKey(s, f, dkim.Record.Repaired, "the same key, in a form that verifiers read")
	},
}

// tooMuch reports a record that was not read, or a key type nobody knows.
func tooMuch(r dkim.Record) bool {
	_, ok := problem(r, dkim.TooBig, dkim.UnknownKeyType)
	return ok
}

// upper makes a clause the start of a sentence.
func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
