package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var senderRules = []*audit.Rule{&ptrMissing, &ptrUnconfirmed, &ptrGeneric, &heloInvalid, &heloUnresolved, &heloMismatch}

// noSenders notes that no sending address was given.
func noSenders(c *audit.Case) bool {
	if len(c.Facts.Senders) == 0 {
		c.NotApplicable("no sending address was given (--ip)")
		return true
	}
	return false
}

func ptrSubject(x facts.Sender) audit.Subject {
	return audit.Subject{Name: facts.ReverseName(x.Address), Type: resolve.TypePTR, Term: x.Address.String()}
}

const ptrImpact = "Gmail refuses the mail with 550 5.7.25 or delays it with 421 4.7.0, over IPv6 always; Yahoo, Microsoft and many others do the same or worse."

var gmailPTR = audit.Ref{Title: "Gmail email sender guidelines", URL: "https://support.google.com/mail/answer/81126"}

// noPTR notes an address whose reverse name is unknown; that one is missing is
// said by IP001.
func noPTR(c *audit.Case, x facts.Sender) {
	if x.PTR.State == resolve.Unavailable {
		c.Unknown("the PTR of %s is unknown: %v", x.Address, x.PTR.Err)
	}
}

// noHELO notes that it is not known what the sending hosts say.
func noHELO(c *audit.Case) bool {
	if noSenders(c) {
		return true
	}
	if c.Facts.Senders[0].HELO.Form == "" {
		c.NotApplicable("the name that the sending hosts say in EHLO was not given (--helo)")
		return true
	}
	return false
}

const (
	heloImpact = "Receivers look at the name in EHLO: many refuse one that is no name, and count one that does not lead to the address as a sign of spam."
	heloZone   = "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"
)
