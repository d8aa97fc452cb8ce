package mailrules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/spf"
)

var spfFails = audit.Rule{
	ID: "AUTH001", Slug: "mail-spf-fails", Severity: audit.Warning, Since: since,
	Title: "SPF does not pass for this mail",
	Refs:  []audit.Ref{says(7208, "2.6"), gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Gmail wants SPF or DKIM to pass for every mail and refuses what has neither with 550 5.7.26; Outlook.com wants both for bulk mail and refuses it with 550 5.7.515. A receiver that follows the record may refuse on a fail at once. A forwarded mail fails because the record knows the author's servers and not the forwarder's; that is harmless as long as a DKIM signature of the author verifies.",
		Remedy: "Add the address that sent the mail to the SPF record of the envelope sender's domain, or send through a host that is in it. For mail that was forwarded the author can do nothing but sign with DKIM; the forwarder can rewrite the envelope sender.",
		Bad: []audit.Scenario{
			zoned("ip4:192.0.2.25", "ip4:192.0.2.99"),
			zoned("ip4:192.0.2.25 -all", "include:gone.example -all"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if inside(c) {
			return
		}
		if !f.SPF.Checked {
			c.Unknown("SPF: %s", f.SPF.Reason)
			return
		}
		r := f.SPF.Result
		switch r.Status {
		case spf.Pass:
			return
		case spf.None, spf.Neutral:
			c.NotApplicable("SPF says nothing of the address: the result is %s", r.Status)
			return
		case spf.TempError:
			c.Unknown("SPF of %s: %v", r.Domain, r.Err)
			return
		}
		at := audit.TXT(r.Domain).WithTerm(f.Client.IP.String())
		x := c.Report(at, "SPF of %s ends in %s for %s: %s.", r.Domain, r.Status, f.Client.IP, short(why(f)))
		x.At(worse(f, audit.Warning))
		if f.Forwarding.Kind != mail.Direct {
			x.Message += " " + forwardWords(f)
			x.At(worse(f, audit.Notice)).Advise("The mail was forwarded, so this is no fault of the author's record: see that the author's DKIM signature survives, and let the forwarder rewrite the envelope sender to a domain of its own.")
			return
		}
		if r.Status == spf.PermError {
			x.Advise("Repair the record: mailcheck audit %s.", r.Domain)
			return
		}
		x.Advise("If %s is one of your servers, or of a service that sends for you, add it to the record of %s: mailcheck spf add, or mailcheck audit %s --ip %s.", f.Client.IP, r.Domain, r.Domain, f.Client.IP)
	},
}

// why is our result of SPF in words.
func why(f *mail.Facts) string {
	for _, c := range f.Checks {
		if c.Method == "spf" {
			return c.Why
		}
	}
	return ""
}

// forwardWords tells of forwarding.
func forwardWords(f *mail.Facts) string {
	s := "The mail was forwarded"
	if f.Forwarding.Kind == mail.List {
		s = "The mail came through a mailing list"
	}
	if f.Forwarding.By != "" {
		s += " by " + short(f.Forwarding.By)
	}
	if len(f.Forwarding.Evidence) > 0 {
		s += " (" + short(f.Forwarding.Evidence[len(f.Forwarding.Evidence)-1]) + ")"
	}
	return s + "."
}

var spfNone = audit.Rule{
	ID: "AUTH002", Slug: "mail-spf-none", Severity: audit.Warning, Since: since,
	Title: "SPF says nothing of the host that sent this mail",
	Refs:  []audit.Ref{says(7208, "2.6.1"), gmailSenders},
	Doc: audit.Doc{
		Impact: "The domain of the envelope sender has no SPF record, or one that says neither yes nor no of the address. Gmail, Yahoo and Outlook.com ask for a pass on bulk mail, and DMARC cannot rest on SPF.",
		Remedy: "Publish an SPF record for the domain of the envelope sender that lists the hosts which send for it: mailcheck spf new. A bounce has no envelope sender: for it the name that the server gives in EHLO needs a record of its own.",
		Bad: []audit.Scenario{
			zoned(`example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.25 -all"`, ""),
			zoned("ip4:192.0.2.25 -all", "ip4:192.0.2.99 ?all"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if inside(c) {
			return
		}
		if !f.SPF.Checked {
			c.Unknown("SPF: %s", f.SPF.Reason)
			return
		}
		r := f.SPF.Result
		switch r.Status {
		case spf.TempError:
			c.Unknown("SPF of %s: %v", r.Domain, r.Err)
		case spf.None, spf.Neutral:
			what := "has no SPF record"
			if r.Status == spf.Neutral {
				what = "says nothing of " + f.Client.IP.String() + " in its SPF record"
			}
			if r.Domain.IsZero() {
				c.Report(part("envelope sender"), "The envelope sender %s has no domain that SPF could be about.", short(f.Envelope.Address)).At(worse(f, audit.Warning))
				return
			}
			x := c.Report(audit.TXT(r.Domain).WithTerm(f.Client.IP.String()), "%s %s.", r.Domain, what).At(worse(f, audit.Warning))
			if f.Envelope.Null {
				x.Message = "The mail is from the null sender, so SPF is about the name in EHLO, and " + x.Message
				x.At(worse(f, audit.Notice))
			}
		}
	},
}
