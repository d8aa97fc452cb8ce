package mailrules

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/message/authres"
)

// results makes the plain mail with a field of the receiver on top.
func results(value string) audit.Scenario {
	s := good()
	s.Changes = []string{"Return-Path:", "Authentication-Results: mx.example.net; " + value + "\nReturn-Path:"}
	return s
}

// explained are causes of differences that lie in time, or in the way of checking,
// and in nobody's fault.
var explained = map[mail.Cause]bool{
	mail.RecordChanged: true, mail.KeyGone: true, mail.KeyReplaced: true, mail.Clock: true, mail.OurDNS: true, mail.Follows: true,
	mail.AlteredSince: true, mail.FooterSince: true, mail.OtherDomain: true, mail.OtherClient: true, mail.ARCTrust: true, mail.ReceiverPolicy: true, mail.Override: true, mail.Guessed: true,
}

var verdictDiffers = audit.Rule{
	ID: "AUTH016", Slug: "mail-verdict-differs", Severity: audit.Warning, Since: since,
	Title: "The receiver's verdict on the authentication is not ours",
	Refs:  []audit.Ref{says(8601, "2.7")},
	Doc: audit.Doc{
		Impact: "The receiver acted on its own verdict, not on what can be seen now. A passing verdict that cannot be repeated tells that a key was withdrawn too early or that the mail was changed since; a failing one that cannot be repeated tells of trouble that is over, or of DNS that does not answer everybody alike.",
		Remedy: "Read the cause in the finding. Where the receiver's lookup failed, see whether all name servers of the domain answer, over TCP and IPv6 too: mailcheck audit --authoritative.",
		Bad: []audit.Scenario{
			results("spf=temperror smtp.mailfrom=news@example.org"),
			results("dkim=fail header.d=example.org header.s=s1"),
			results("dmarc=fail header.from=example.org"),
		},
		Good: []audit.Scenario{results("spf=pass smtp.mailfrom=news@example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"), good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if f.Claims.Receiver == "" {
			c.NotApplicable("the mail has no Authentication-Results that can be believed")
			return
		}
		for i := range f.Checks {
			k := &f.Checks[i]
			d := k.Difference
			if d == nil {
				continue
			}
			term := strings.TrimSpace(strings.ToUpper(k.Method) + " " + short(k.Domain) + " " + short(k.Selector))
			x := c.Report(part("%s", term), "%s says %s=%s for %s, and we find %s: %s.", short(f.Claims.Receiver), k.Method, short(d.Theirs), orElse(short(k.Domain), "the mail"), k.Ours, strings.TrimSuffix(d.Text, "."))
			if explained[d.Cause] {
				x.At(audit.Notice)
			}
		}
	},
}

var verdictForged = audit.Rule{
	ID: "AUTH017", Slug: "mail-verdict-forged", Severity: audit.Warning, Since: since,
	Title: "A verdict in the receiver's name stands where senders can write",
	Refs:  []audit.Ref{must(8601, "5"), says(8601, "7.1")},
	Doc: audit.Doc{
		Impact: "The field has the authserv-id of the receiver and stands below its Received field, where whoever sent the mail could write it. A filter or mail program that looks for the name alone believes it. The receiver has to remove such fields when mail comes in.",
		Remedy: "At the receiver: remove Authentication-Results with its own authserv-id from incoming mail (RemoveARFrom in OpenDKIM, authentication results removal in rspamd is on by default). If the field is true, put the mail's own filter before the border, or name it with --authserv-id and --received-by.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: strings.Replace(plain, "From: Example", "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\nFrom: Example", 1), Signers: signed}},
		Good:   []audit.Scenario{good(), results("spf=pass smtp.mailfrom=news@example.org")},
	},
	Check: func(c *audit.Case) {
		for _, x := range c.Mail.Claims.Fields {
			if x.Why == authres.Unproven && !x.Trusted && claimsPass(x.Results) {
				c.Report(part("Authentication-Results field %d", x.Index+1), "The field of %s stands below the receiver's own Received field and says: %s.", short(x.Results.ServID), short(x.Results.String()))
			}
		}
	},
}

func claimsPass(r authres.Results) bool {
	for _, x := range r.Results {
		if x.Value == "pass" {
			return true
		}
	}
	return false
}
