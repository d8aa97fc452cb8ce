package mailrules

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/resolve"
)

const maxSkew = trace.MaxSkew

// span prints a duration for people.
func span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d seconds", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// noClient says that there is no client whose names could be judged.
func noClient(c *audit.Case) bool {
	f := c.Mail
	if inside(c) {
		return true
	}
	if !f.Client.IP.IsValid() {
		c.Unknown("the client: %s", f.SPF.Reason)
		return true
	}
	return false
}

var clientName = audit.Rule{
	ID: "AUTH018", Slug: "mail-client-name", Severity: audit.Error, Since: since,
	Title: "The address that sent the mail has no confirmed name",
	Refs:  []audit.Ref{says(8601, "3"), gmailSenders, yahooSenders},
	Doc: audit.Doc{
		Impact: "Gmail refuses mail from an address without PTR record, or with one that does not lead back, with 550 5.7.25 or delays it with 451 4.7.23; others file it as spam.",
		Remedy: "Let the owner of the address (the hoster) publish a PTR record with the name of the mail server, and publish an address record of that name which leads back.",
		Bad: []audit.Scenario{
			zoned("25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.", ""),
			zoned("PTR mail.example.org", "PTR other.example.org"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noClient(c) {
			return
		}
		switch r := f.PTR; {
		case r.Confirmed == resolve.Present:
		case r.Confirmed == resolve.Unavailable || r.Verdict == iprev.TempError:
			c.Unknown("the names of %s: %s", f.Client.IP, r.Why)
		default:
			c.Report(audit.Subject{Name: r.Reverse, Type: resolve.TypePTR}, "%s: %s.", f.Client.IP, strings.TrimSuffix(r.Why, "."))
		}
	},
}

var clientGeneric = audit.Rule{
	ID: "AUTH019", Slug: "mail-client-generic", Severity: audit.Warning, Since: since,
	Title: "The name of the sending address looks like one given by the thousand",
	Refs:  []audit.Ref{yahooSenders},
	Doc: audit.Doc{
		Impact: "Yahoo asks for a name that is not generic, and many receivers refuse or distrust mail from names that look like those of dial-up lines and rented machines as they come.",
		Remedy: "Give the address a PTR record with the name of the mail server, such as mail.example.org.",
		Bad: []audit.Scenario{zoned("PTR mail.example.org.", "PTR host-192-0-2-25.dyn.isp.example.\nhost-192-0-2-25.dyn.isp.example. 3600 IN A 192.0.2.25",
			"mail.example.org. 3600 IN A", "mail.example.org. 3600 IN A")},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noClient(c) {
			return
		}
		if f.PTR.PTR != resolve.Present {
			c.NotApplicable("%s has no name: see AUTH018", f.Client.IP)
			return
		}
		if l, ok := f.PTR.Generic(); ok {
			c.Report(audit.Subject{Name: f.PTR.Reverse, Type: resolve.TypePTR}, "%s: %s.", f.PTR.Names[0].Name, strings.TrimSuffix(l.Why, "."))
		}
	},
}

var clientHelo = audit.Rule{
	ID: "AUTH020", Slug: "mail-client-helo", Severity: audit.Warning, Since: since,
	Title: "The sending server does not give its own name in EHLO",
	Refs:  []audit.Ref{must(5321, "4.1.1.1"), must(5321, "2.3.5")},
	Doc: audit.Doc{
		Impact: "A name without a dot, an address, or a name that does not exist is what viruses say in EHLO. Many receivers refuse it (504 5.5.2, 550 5.7.1) or count it in their spam score, and SPF for bounces goes by that name.",
		Remedy: "Set the name of the server (myhostname in Postfix, primary_hostname in Exim) to a full name with an address record that leads to the sending address, best the name of its PTR record.",
		Bad: []audit.Scenario{
			mailed("from mail.example.org (", "from localhost ("),
			mailed("from mail.example.org (", "from gone.example.org ("),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noClient(c) {
			return
		}
		h := f.PTR.HELO
		switch {
		case f.Client.Helo == "":
			c.Unknown("the name that the client gave in EHLO is not in the mail")
		case h.Form == iprev.Invalid || h.Problem != "":
			c.Report(part("EHLO"), "The server said %s in EHLO: %s.", short(f.Client.Helo), strings.TrimSuffix(h.Problem, "."))
		case h.Resolves == resolve.Absent:
			c.Report(audit.Subject{Name: h.Name, Type: resolve.TypeA, Term: "EHLO"}, "The name %s, which the server gives in EHLO, has no address.", h.Name)
		case h.Form == iprev.Literal:
			c.Report(part("EHLO"), "The server gives an address, %s, in EHLO instead of its name.", short(f.Client.Helo)).At(audit.Notice)
		case h.Resolves == resolve.Unavailable:
			c.Unknown("whether %s has an address: %s", h.Name, h.Why)
		case h.Matches == resolve.Absent && h.IsPTR == resolve.Absent:
			c.Report(audit.Subject{Name: h.Name, Type: resolve.TypeA, Term: "EHLO"}, "The name %s, which the server gives in EHLO, does not lead to %s.", h.Name, f.Client.IP).At(audit.Notice)
		}
	},
}

var tlsOld = audit.Rule{
	ID: "AUTH021", Slug: "mail-tls-old", Severity: audit.Warning, Since: since,
	Title: "The mail was handed over with an outdated version of TLS",
	Refs:  []audit.Ref{must(8996, "4"), gmailSenders},
	Doc: audit.Doc{
		Impact: "SSL 3, TLS 1.0 and TLS 1.1 can be broken and are being switched off: then the mail goes in the clear, or not at all. Gmail wants TLS and refuses bulk mail without it with 550 5.7.29.",
		Remedy: "Let the sending server use TLS 1.2 and 1.3: a newer TLS library, and no fixed list of versions in its settings.",
		Bad:    []audit.Scenario{mailed("TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", "TLSv1 with cipher AES256-SHA (256/256 bits)")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		b := f.Border()
		switch {
		case b == nil:
			c.Unknown("TLS: no Received field says how the receiver took the mail")
		case f.Client.Inside:
			c.NotApplicable("the mail was handed in on the same system")
		case !b.TLS.Used:
			// A field that says nothing proves nothing: many systems do not tell.
			c.Unknown("TLS: the field of %s does not say whether it was used", short(b.By))
		default:
			switch v := strings.TrimPrefix(strings.TrimPrefix(b.TLS.Version, "TLS"), "v"); {
			case strings.HasPrefix(b.TLS.Version, "SSL"), v == "1", v == "1.0", v == "1.1":
				c.Report(part("Received field of %s", short(b.By)), "The mail came over %s (%s).", b.TLS.Version, short(b.TLS.Cipher))
			}
		}
	},
}

var domainNoMail = audit.Rule{
	ID: "AUTH022", Slug: "mail-domain-no-mail", Severity: audit.Warning, Since: since,
	Title: "A domain that replies or bounces go to takes no mail",
	Refs:  []audit.Ref{must(5321, "5.1"), should(7505, "4.2"), yahooSenders},
	Doc: audit.Doc{
		Impact: "Many receivers refuse mail whose envelope sender or From names a domain that does not exist or takes no mail (Postfix: 550 5.1.8 or 5.7.27, Yahoo: 553), because nobody could answer or get the bounce.",
		Remedy: "Use a domain in MAIL FROM, From and Reply-To that has MX records, or publish them. A domain with a null MX (RFC 7505) is not to be used as a sender.",
		Bad: []audit.Scenario{
			zoned("example.org. 3600 IN MX 10 mail.example.org.", "example.org. 3600 IN MX 0 ."),
			mailed("Subject:", "Reply-To: help@gone.example\nSubject:"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		words := map[string]string{"null-mx": "says with a null MX that it takes no mail", "none": "has neither MX nor address records", "nxdomain": "does not exist"}
		for _, b := range f.Mailboxes {
			switch b.State {
			case resolve.Unavailable:
				c.Unknown("whether %s takes mail: %v", b.Domain, b.Err)
			case resolve.Absent:
				where := strings.Join(b.Fields, " and ")
				x := c.Report(audit.Subject{Name: b.Domain, Type: resolve.TypeMX, Term: where}, "The domain %s in %s %s.", b.Domain, where, words[b.How])
				if where != "Reply-To" {
					x.At(audit.Error)
				}
				for _, q := range b.Asked {
					x.About(f, q.Name, q.Type)
				}
			}
		}
		if len(f.Mailboxes) == 0 {
			c.NotApplicable("the mail names no domain as its sender")
		}
	},
}

// freemail are domains of mailbox providers, whose mail only they send.
var freemail = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "yahoo.com": true, "ymail.com": true, "aol.com": true, "outlook.com": true, "hotmail.com": true,
	"live.com": true, "msn.com": true, "icloud.com": true, "me.com": true, "mac.com": true, "gmx.de": true, "gmx.net": true, "web.de": true,
	"proton.me": true, "protonmail.com": true, "mail.ru": true, "yandex.ru": true, "qq.com": true, "163.com": true,
}

var fromFreemail = audit.Rule{
	ID: "AUTH023", Slug: "mail-from-freemail", Severity: audit.Error, Since: since,
	Title: "From names a mailbox provider that did not send the mail",
	Refs:  []audit.Ref{gmailSenders, yahooSenders},
	Doc: audit.Doc{
		Impact: "Only Gmail can sign mail of gmail.com, only Yahoo that of yahoo.com. A mail from elsewhere with such an address in From fails DMARC, whatever you publish; Gmail and Yahoo ask for quarantine or reject.",
		Remedy: "Put an address of your own domain into From, and the address of the mailbox provider into Reply-To.",
		Bad:    []audit.Scenario{{Zone: zone + "gmail.com. 3600 IN MX 10 mx.gmail.example.\n_dmarc.gmail.com. 3600 IN TXT \"v=DMARC1; p=none; sp=quarantine\"\n", Mail: strings.Replace(plain, "Shop <news@example.org>", "Shop <shop.example@gmail.com>", 1), Signers: signed}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noAuthor(c) {
			return
		}
		if !freemail[f.Author.String()] {
			return
		}
		if f.AlignedPass("dkim") || f.AlignedPass("spf") {
			return
		}
		if undecided(f) || !f.SPF.Checked || f.DMARC.Now.Result == "temperror" {
			c.Unknown("whether %s sent the mail: not all of SPF and DKIM could be judged", f.Author)
			return
		}
		c.Report(field("From"), "The address in From is one of %s, and nothing shows that the mail comes from there.", f.Author)
	},
}
