package mailrules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var dmarcFails = audit.Rule{
	ID: "AUTH010", Slug: "mail-dmarc-fails", Severity: audit.Error, Since: since,
	Title: "DMARC fails for this mail",
	Refs:  []audit.Ref{says(9989, "5.3"), gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Neither SPF nor DKIM passes for the domain that readers see in From. With p=reject the mail is refused (550 5.7.26 at Gmail, 550 5.7.509 at Microsoft), with p=quarantine it is filed as spam; with p=none it is taken, and still refused by Gmail, Yahoo and Outlook.com if it is bulk mail.",
		Remedy: "Let the service that sent the mail sign with a DKIM key of the domain in From, or use an envelope sender of that domain with an SPF record that lists it. A signature of the service's own domain does not help.",
		Bad: []audit.Scenario{
			{Zone: strings.ReplaceAll(zone, "ip4:192.0.2.25", "ip4:192.0.2.99"), Mail: plain},
			{Zone: zone + "bounces.example.com. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n", Mail: strings.Replace(plain, "<news@example.org>", "<b1@bounces.example.com>", 1), Signers: []string{"esp.example s1"}},
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if inside(c) || noAuthor(c) {
			return
		}
		v := f.DMARC.Now
		switch {
		case f.Undecided != "":
			c.Unknown("DMARC: %s", f.Undecided)
		case v.Result == dmarc.ResultTempError:
			c.Unknown("DMARC: %s", v.Why)
		case v.Result == dmarc.ResultNone:
			c.NotApplicable("no DMARC policy applies to %s", f.Author)
		case v.Result == dmarc.ResultPermError:
			c.Report(policyAt(f), "DMARC ends in permerror: %s.", v.Why).At(audit.Warning).Advise("Repair the DMARC record: mailcheck audit %s --only DMARC.", f.Author)
		case v.Result == dmarc.ResultFail && passedThere(f, "dmarc"):
			c.Unknown("DMARC passed when the mail came, says %s, and fails now: see AUTH016", short(f.Claims.Receiver))
		case v.Result == dmarc.ResultFail:
			x := c.Report(policyAt(f), "%s The policy asks for: %s.", alignments(f), v.Disposition)
			if v.Disposition == dmarc.None {
				x.At(audit.Warning)
			}
			if f.Forwarding.Kind != mail.Direct {
				x.Message += " " + forwardWords(f)
				x.Advise("%s", forwardAdvice(f))
			}
		}
	},
}

// passedThere reports whether the receiver saw a pass that is gone since.
func passedThere(f *mail.Facts, method string) bool {
	return slices.ContainsFunc(f.Checks, func(c mail.Check) bool { return c.Method == method && c.PassedThere() })
}

// forwardAdvice is what helps a forwarded mail that fails DMARC.
func forwardAdvice(f *mail.Facts) string {
	if len(f.DKIM.Signatures) == 0 {
		return "Sign the mail with DKIM before it leaves: a signature survives a forwarder that changes nothing, and SPF never does."
	}
	if f.Forwarding.Kind == mail.List {
		return "The list changes the mail and so breaks the author's signature: let it leave subject and body alone, or replace From by its own address; it should seal the mail with ARC too."
	}
	return "The forwarder changes the mail and so breaks the author's signature: let it send the mail on as it came, and seal it with ARC."
}

// noAuthor says that DMARC has no one to be about.
func noAuthor(c *audit.Case) bool {
	if c.Mail.Author.IsZero() {
		c.NotApplicable("From does not name one domain: see MSG001")
		return true
	}
	return false
}

// policyAt is the subject of findings about the policy: its record, or where that
// would be.
func policyAt(f *mail.Facts) audit.Subject {
	d := f.DMARC.Now.Policy.Domain
	if d.IsZero() {
		d = f.Author
	}
	n, err := d.Below("_dmarc")
	if err != nil {
		return audit.TXT(d)
	}
	return audit.TXT(n).WithTerm("From: " + f.Author.String())
}

// alignments tells in words what SPF and each signature are to the author's domain.
func alignments(f *mail.Facts) string {
	var out []string
	for _, a := range f.DMARC.Now.Alignments {
		word := a.Result
		if a.Result == "pass" && a.State == resolve.Absent {
			word = "pass, but is not aligned"
		}
		out = append(out, fmt.Sprintf("%s of %s: %s", strings.ToUpper(a.Method), a.Domain, word))
	}
	if len(f.DKIM.Signatures) == 0 {
		out = append(out, "no DKIM signature")
	}
	return "Nothing passes for " + f.Author.String() + ", the domain in From: " + some(out) + "."
}

var dmarcNoPolicy = audit.Rule{
	ID: "AUTH011", Slug: "mail-dmarc-no-policy", Severity: audit.Warning, Since: since,
	Title: "No DMARC policy applies to the domain in From",
	Refs:  []audit.Ref{says(9989, "4.10.1"), gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Bulk mail of a domain without DMARC policy is refused by Gmail (550 5.7.40), Yahoo and Outlook.com (550 5.7.515). Anybody can write the domain into From.",
		Remedy: "Publish a DMARC record; p=none with rua= is enough to begin with: mailcheck dmarc new.",
		Bad:    []audit.Scenario{zoned(`_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"`, "")},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noAuthor(c) {
			return
		}
		switch p := f.Policy.Policy; p.State {
		case resolve.Unavailable:
			c.Unknown("the DMARC policy of %s: %v", f.Author, p.Err)
		case resolve.Absent:
			c.Report(policyAt(f), "No DMARC record applies to %s: %s.", f.Author, strings.TrimSuffix(p.Why, "."))
		}
	},
}

var notAligned = audit.Rule{
	ID: "AUTH012", Slug: "mail-not-aligned", Severity: audit.Warning, Since: since,
	Title: "Neither SPF nor DKIM passes for the domain in From",
	Refs:  []audit.Ref{says(9989, "4.4"), gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "The domain in From has no DMARC policy, so nothing is refused for this alone. But Gmail, Yahoo and Outlook.com want bulk mail to be aligned (421 4.7.32, 550 5.7.515), and once a policy is published such mail will be refused.",
		Remedy: "Sign with a DKIM key of the domain in From, or use an envelope sender of that domain, before a policy is published.",
		Bad: []audit.Scenario{{Zone: strings.ReplaceAll(strings.ReplaceAll(zone, "v=DMARC1", "nothing"), "ip4:192.0.2.25", "ip4:192.0.2.99"),
			Mail: plain, Signers: []string{"esp.example s1"}}},
		Good: []audit.Scenario{zoned("v=DMARC1", "nothing")},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if inside(c) || noAuthor(c) {
			return
		}
		if f.Policy.Policy.State == resolve.Present {
			c.NotApplicable("a DMARC policy applies, and AUTH010 judges by it")
			return
		}
		if f.AlignedPass("spf") || f.AlignedPass("dkim") {
			return
		}
		if !f.SPF.Checked || f.SPF.Result.Status == spf.TempError || undecided(f) {
			c.Unknown("alignment: not all of SPF and DKIM could be judged")
			return
		}
		for _, a := range f.DMARC.Now.Alignments {
			if a.Result == "pass" && a.State == resolve.Unavailable {
				c.Unknown("alignment of %s: %v", a.Domain, a.Err)
				return
			}
		}
		c.Report(part("From: %s", f.Author), "%s", alignments(f))
	},
}

var oneLeg = audit.Rule{
	ID: "AUTH013", Slug: "mail-dmarc-one-leg", Severity: audit.Notice, Since: since,
	Title: "DMARC passes by one of SPF and DKIM alone",
	Refs:  []audit.Ref{says(9989, "5.5"), outlookSenders},
	Doc: audit.Doc{
		Impact: "The mail passes now. If it passes by SPF alone, it fails as soon as a recipient forwards it. If it passes by DKIM alone, it fails when a gateway changes it on its way. Outlook.com wants both SPF and DKIM to pass for bulk mail, and one of them to be aligned.",
		Remedy: "Set up the other one for the domain in From too: a DKIM key of that domain, or an envelope sender in it with an SPF record that lists the hosts.",
		Bad: []audit.Scenario{
			{Zone: zone, Mail: plain},
			zoned("ip4:192.0.2.25", "ip4:192.0.2.99"),
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if noAuthor(c) {
			return
		}
		bySPF, byDKIM := f.AlignedPass("spf"), f.AlignedPass("dkim")
		switch {
		case f.DMARC.Now.Result != dmarc.ResultPass:
			c.NotApplicable("DMARC does not pass")
		case bySPF && byDKIM:
		case bySPF && (undecided(f) || passedThere(f, "dkim")):
			c.Unknown("DKIM could not be judged as it was when the mail came")
		case bySPF:
			c.Report(part("From: %s", f.Author).WithTerm("SPF alone"), "DMARC passes by SPF of %s alone; no DKIM signature of the domain in From verifies.", f.SPF.Result.Domain).At(audit.Warning)
		case byDKIM && (!f.SPF.Checked || f.SPF.Result.Status == spf.TempError):
			c.Unknown("SPF: %s", orElse(f.SPF.Reason, "a lookup failed"))
		case byDKIM && f.Forwarding.Kind == mail.Direct && f.SPF.Identity == "mailfrom":
			c.Report(part("From: %s", f.Author).WithTerm("DKIM alone"), "DMARC passes by DKIM alone: SPF of %s is %s%s.", f.SPF.Result.Domain, f.SPF.Result.Status,
				map[bool]string{true: ", and not aligned with From"}[f.SPF.Passes()])
		}
	},
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

var arcBroken = audit.Rule{
	ID: "AUTH014", Slug: "mail-arc-broken", Severity: audit.Notice, Since: since,
	Title: "The ARC chain of the mail is broken",
	Refs:  []audit.Ref{says(8617, "5.2")},
	Doc: audit.Doc{
		Impact: "A chain that fails is as good as none: a receiver cannot take the forwarder's word that the mail was good when it came in. If DMARC fails too, the mail is judged by the author's policy alone.",
		Remedy: "The host that the finding names has to seal last, after all its changes, with a key that is published; a host that changes mail behind a sealer has to add a set of its own.",
		Bad: []audit.Scenario{mailed("From: Example", "ARC-Seal: i=1; a=rsa-sha256; d=fwd.example; s=a; t=1793534400; cv=none; b=AAAA\n"+
			"ARC-Message-Signature: i=1; a=rsa-sha256; d=fwd.example; s=a; c=relaxed/relaxed; h=from; bh=AAAA; b=AAAA\n"+
			"ARC-Authentication-Results: i=1; mx.fwd.example; spf=pass smtp.mailfrom=news@example.org\nFrom: Example")},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) {
			return
		}
		switch f.ARC.Status {
		case arc.None:
			c.NotApplicable("the mail has no ARC sets")
			return
		case arc.Pass:
			return
		}
		for _, s := range f.ARC.Sets {
			if s.Message.Status == "temperror" || s.Seal.Status == "temperror" {
				c.Unknown("the ARC chain: a key could not be read")
				return
			}
		}
		x := c.Report(part("ARC set %d", f.ARC.Instance), "The chain fails: %s", f.ARC.Explanation)
		if f.DMARC.Now.Result == dmarc.ResultFail {
			x.At(audit.Warning)
		}
	},
}

var forwardedUnsealed = audit.Rule{
	ID: "AUTH015", Slug: "mail-forwarded-unsealed", Severity: audit.Warning, Since: since,
	Title: "A forwarder broke the authentication and did not seal the mail",
	Refs:  []audit.Ref{says(8617, "1"), icloudSenders},
	Doc: audit.Doc{
		Impact: "The mail was good when the forwarder took it, and is not any more. With an ARC seal Microsoft, Yahoo, iCloud and others can believe the forwarder that it was; without, they judge by the author's DMARC policy and refuse the mail or file it as spam.",
		Remedy: "Let the forwarder or list add ARC headers, rewrite the envelope sender, and change nothing that the author has signed.",
		Bad: []audit.Scenario{{Zone: zone, Signers: signed, Mail: strings.Replace(plain, "Received: from mail.example.org (mail.example.org [192.0.2.25])",
			"Received: from fwd.example (fwd.example [198.51.100.7])\n\tby mx.example.net with ESMTPS id 9; Sun, 01 Nov 2026 12:00:04 +0000\n"+
				"Received: from mail.example.org (mail.example.org [192.0.2.25])", 1),
			Changes: []string{"Subject: Your order", "Subject: [fwd] Your order", "by mx.example.net (Postfix)", "by fwd.example (Postfix)"}}},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if f.Forwarding.Kind == mail.Direct {
			c.NotApplicable("there is no sign that the mail was forwarded")
			return
		}
		if f.DMARC.Now.Result != dmarc.ResultFail {
			return // pass, or undecided, which AUTH010 tells
		}
		if !slices.ContainsFunc(f.ARC.Sets, func(s arc.Set) bool { return s.Seal.Present }) {
			c.Report(part("ARC-Seal field").WithTerm(short(f.Forwarding.By)), "%s DMARC fails since, and there is no ARC set.", forwardWords(f))
		}
	},
}
