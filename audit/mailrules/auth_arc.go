package mailrules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
)

var forwardedNoARC = audit.Rule{
	ID: "AUTH024", Slug: "mail-forwarded-no-arc", Severity: audit.Notice, Since: since,
	Title: "A forwarded mail has no ARC headers",
	Refs:  []audit.Ref{icloudSenders, says(8617, "1")},
	Doc: audit.Doc{
		Impact: "This mail passes all the same. iCloud demands ARC headers of forwarded mail, Yahoo and Outlook.com recommend them: without, a receiver cannot tell a forwarder from a forger once the author's signature does not survive. Gmail does not ask for them any more.",
		Remedy: "If the forwarder or list is yours, let it add ARC headers (rspamd, OpenARC, Mailman and Exchange can). A sender has nothing to do.",
		Bad: []audit.Scenario{{Zone: zone, Signers: signed, Mail: strings.Replace(plain, "Received: from mail.example.org (mail.example.org [192.0.2.25])",
			"Received: from fwd.example (fwd.example [198.51.100.7])\n\tby mx.example.net with ESMTPS id 9; Sun, 01 Nov 2026 12:00:04 +0000\n"+
				"Received: from mail.example.org (mail.example.org [192.0.2.25])", 1),
			Changes: []string{"by mx.example.net (Postfix)", "by fwd.example (Postfix)"}}},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		switch {
		case f.Forwarding.Kind == mail.Direct:
			c.NotApplicable("there is no sign that the mail was forwarded")
		case f.DMARC.Now.Result == dmarc.ResultFail:
			c.NotApplicable("DMARC fails too: AUTH015 tells of it")
		case !slices.ContainsFunc(f.ARC.Sets, func(s arc.Set) bool { return s.Seal.Present }):
			c.Report(part("ARC-Seal field").WithTerm(short(f.Forwarding.By)), "%s There is no ARC set.", forwardWords(f))
		}
	},
}
