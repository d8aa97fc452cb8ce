package mailrules

import (
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim"
)

var dkimUnsigned = audit.Rule{
	ID: "AUTH003", Slug: "mail-dkim-unsigned", Severity: audit.Warning, Since: since,
	Title: "The mail has no DKIM signature",
	Refs:  []audit.Ref{gmailSenders, yahooSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "Without a signature everything rests on SPF, which breaks as soon as somebody forwards the mail. Bulk mail without DKIM is refused by Gmail (550 5.7.30), Yahoo and Outlook.com (550 5.7.515).",
		Remedy: "Sign all outgoing mail with a key of the domain in From: mailcheck dkim keygen makes one, mailcheck dkim setup writes the settings of common servers. If a signer is set up, see whether the mail passed it: mail of scripts on the host, and of a second server, often does not.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) {
			return
		}
		if len(f.DKIM.Signatures) > 0 || f.DKIM.Status() != dkim.None {
			return
		}
		x := c.Report(part("DKIM-Signature field"), "There is no DKIM-Signature field in the mail.").At(worse(f, audit.Warning))
		if f.Envelope.Null {
			x.At(worse(f, audit.Notice)) // bounces are seldom signed, and rarely refused for it
		}
	},
}

var dkimNoneVerifies = audit.Rule{
	ID: "AUTH004", Slug: "mail-dkim-none-verifies", Severity: audit.Warning, Since: since,
	Title: "No DKIM signature of the mail verifies",
	Refs:  []audit.Ref{says(6376, "6.1"), gmailSenders, outlookSenders},
	Doc: audit.Doc{
		Impact: "A signature that does not verify counts as none (RFC 6376, Section 6.1). Everything rests on SPF then, and bulk mail is refused by Gmail (550 5.7.30), Yahoo and Outlook.com (550 5.7.515).",
		Remedy: "Do what the finding says: publish the key, or sign after the last program that changes the mail. Footers, tags in the subject, virus scanners and relays that re-encode or fold anew all come before the signer, or not at all.",
		Bad: []audit.Scenario{
			{Zone: zone, Mail: plain, Signers: signed, Changes: []string{"Subject: Your order", "Subject: [shop] Your order"}},
			{Zone: zone, Mail: plain, Signers: signed, Changes: []string{"on its way.\n", "on its way.\n-- \nThis mail was checked.\n"}},
			{Zone: zone, Mail: "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=gone; c=relaxed/relaxed;\n\th=from:subject; bh=AAAA; b=AAAA\n" + plain},
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) {
			return
		}
		if len(f.DKIM.Signatures) == 0 {
			if f.DKIM.Status() != dkim.None {
				c.Unknown("not all signatures were looked at")
				return
			}
			c.NotApplicable("the mail has no signature")
			return
		}
		if len(passing(f)) > 0 {
			return
		}
		for i := range f.DKIM.Signatures {
			s := &f.DKIM.Signatures[i]
			if s.Status == dkim.TempError || s.Status == dkim.Neutral {
				c.Unknown("signature of %s: %s", short(s.Domain), short(s.Explanation))
				continue
			}
			if k := f.SignatureCheck(i); k != nil && k.PassedThere() {
				// What the mail and the key were then cannot be checked any more.
				c.Unknown("the signature of %s verified when the mail came, says %s, and does not now: %s", short(s.Domain), short(f.Claims.Receiver), short(k.Difference.Text))
				continue
			}
			broken(c, s).At(worse(f, audit.Warning))
		}
	},
}

// broken reports a signature that does not verify, with what is to be done.
func broken(c *audit.Case, s *dkim.Signature) *audit.Finding {
	x := c.Report(signature(s), "The signature of %s (selector %s) ends in %s: %s", short(s.Domain), short(s.Selector), s.Status, s.Explanation)
	switch s.Reason {
	case dkim.ReasonNoKey, dkim.ReasonNotKey, dkim.ReasonKeySyntax:
		x.Advise("Publish the public key at %s: mailcheck dkim record makes the record from the private key. A key must stay for some days after the last mail was signed with it.", s.Key.Name)
	case dkim.ReasonRevoked, dkim.ReasonExpired:
		x.Advise("Let the signer use a selector whose key is published and not revoked, and let signatures live for a week at least, or without x=.")
	case dkim.ReasonWrongKey, dkim.ReasonKeyType:
		x.Advise("The private key that signs and the record at %s do not belong together: mailcheck dkim match compares them.", s.Key.Name)
	case dkim.ReasonSHA1, dkim.ReasonKeyShort:
		x.Advise("Sign with rsa-sha256 and a key of 2048 bits: mailcheck dkim rotate does it without a gap.")
	}
	return x
}

var dkimOneFails = audit.Rule{
	ID: "AUTH005", Slug: "mail-dkim-one-fails", Severity: audit.Notice, Since: since,
	Title: "One of the DKIM signatures does not verify",
	Refs:  []audit.Ref{says(6376, "6.1")},
	Doc: audit.Doc{
		Impact: "Another signature verifies, and a broken one counts as none, so receivers take the mail as signed. If the broken one is that of the author's domain, DMARC cannot rest on DKIM.",
		Remedy: "Find out which program changed the mail between the two signatures, or publish the key that is missing. A signature that nobody needs is best not made.",
		Bad: []audit.Scenario{
			{Zone: zone, Mail: plain, Signers: signed, Changes: []string{"Return-Path:", "DKIM-Signature: v=1; a=rsa-sha256; d=esp.example; s=gone; c=relaxed/relaxed;\n\th=from:subject; bh=AAAA; b=AAAA\nReturn-Path:"}},
		},
		Good: []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) {
			return
		}
		n := len(passing(f))
		if n == 0 {
			c.NotApplicable("no signature verifies")
			return
		}
		for i := range f.DKIM.Signatures {
			s := &f.DKIM.Signatures[i]
			switch s.Status {
			case dkim.Pass:
			case dkim.TempError, dkim.Neutral:
				c.Unknown("signature of %s: %s", short(s.Domain), short(s.Explanation))
			default:
				x := broken(c, s)
				if !f.AlignedPass("dkim") && !f.Author.IsZero() && strings.EqualFold(s.Domain, f.Author.String()) {
					x.At(audit.Warning)
				}
			}
		}
	},
}

var dkimWeakKey = audit.Rule{
	ID: "AUTH006", Slug: "mail-dkim-weak-key", Severity: audit.Notice, Since: since,
	Title: "The mail is signed with a short key",
	Refs:  []audit.Ref{should(8301, "3.2")},
	Doc: audit.Doc{
		Impact: "Receivers take RSA keys from 1024 bits; those under 2048 bits should not be used for signing any more. Who can factor the key can sign in the name of the domain.",
		Remedy: "Rotate to a key of 2048 bits: mailcheck dkim rotate start.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain, Signers: []string{"example.org short1024"}}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) || nonePass(c) {
			return
		}
		for _, s := range passing(f) {
			if has(s, dkim.NoteWeakKey) {
				c.Report(signature(s), "The key of %s has %d bits.", short(s.Domain), s.KeyBits)
			}
		}
	},
}

func nonePass(c *audit.Case) bool {
	if len(passing(c.Mail)) == 0 {
		c.NotApplicable("no signature verifies")
		return true
	}
	return false
}

func has(s *dkim.Signature, kind dkim.NoteKind) bool {
	return slices.ContainsFunc(s.Notes, func(n dkim.Note) bool { return n.Kind == kind })
}

var dkimLength = audit.Rule{
	ID: "AUTH007", Slug: "mail-dkim-length", Severity: audit.Warning, Since: since,
	Title: "The signature covers a part of the body only",
	Refs:  []audit.Ref{says(6376, "8.2")},
	Doc: audit.Doc{
		Impact: "With l= anybody can append text to the mail, or hide the true text below another, and the signature still verifies: a forgery that passes DMARC. Gmail and others have begun to ignore or to punish it.",
		Remedy: "Take the body length out of the signer's settings (BodyLengths in OpenDKIM), so that the whole body is signed.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain, Signers: []string{"example.org length"}}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		if unjudged(c) || nonePass(c) {
			return
		}
		for _, s := range passing(c.Mail) {
			if s.BodyLength < 0 {
				continue
			}
			x := c.Report(signature(s), "The signature of %s covers %d octets of the body (l=).", short(s.Domain), s.BodyLength)
			if has(s, dkim.NoteAppended) {
				x.Message += " The body is longer than that: what follows is not signed."
				x.At(audit.Error)
			}
		}
	},
}

var dkimCoverage = audit.Rule{
	ID: "AUTH008", Slug: "mail-dkim-coverage", Severity: audit.Notice, Since: since,
	Title: "The signature leaves fields open that readers see",
	Refs:  []audit.Ref{should(6376, "5.4.1"), says(6376, "8.15")},
	Doc: audit.Doc{
		Impact: "A field that is not signed can be changed, and one that the signature does not rule out can be added, and the signature still verifies. So an old mail of yours can be sent on with another subject or recipient, to millions of people (a replay).",
		Remedy: "Sign From, To, Cc, Subject, Date, Reply-To and the MIME fields, and oversign them: list each once more than it occurs. mailcheck dkim setup shows the setting for common signers.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain, Signers: []string{"example.org from-only"}}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) || nonePass(c) {
			return
		}
		for _, s := range passing(f) {
			for _, n := range s.Notes {
				switch n.Kind {
				case dkim.NoteUnsigned:
					c.Report(signature(s).WithTerm("unsigned "+some(n.Fields)), "The signature of %s does not cover %s.", short(s.Domain), some(n.Fields))
				case dkim.NoteExtra:
					c.Report(signature(s).WithTerm("more "+some(n.Fields)), "The mail has more fields %s than the signature of %s covers: one of them was added, and readers may see that one.", some(n.Fields), short(s.Domain)).At(audit.Error)
				}
			}
		}
	},
}

var dkimClock = audit.Rule{
	ID: "AUTH009", Slug: "mail-dkim-clock", Severity: audit.Warning, Since: since,
	Title: "The signature was made in the future",
	Refs:  []audit.Ref{says(6376, "3.5")},
	Doc: audit.Doc{
		Impact: "The time t= of the signature is later than the time at which the mail came in. Verifiers may refuse such a signature, and some do.",
		Remedy: "Set the clock of the signing server by NTP.",
		Bad:    []audit.Scenario{{Zone: zone, Mail: plain, Signers: []string{"example.org future"}}},
		Good:   []audit.Scenario{good()},
	},
	Check: func(c *audit.Case) {
		f := c.Mail
		if unjudged(c) || nonePass(c) {
			return
		}
		at := f.Arrived
		if at.IsZero() {
			at = f.At
		}
		for _, s := range passing(f) {
			if d := s.Time.Sub(at); !s.Time.IsZero() && d > maxSkew {
				c.Report(signature(s), "The signature of %s has a time that is %s after the mail came in.", short(s.Domain), span(d))
			}
		}
	},
}
