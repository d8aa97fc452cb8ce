package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var senderRules = []*audit.Rule{&ptrMissing, &ptrUnconfirmed, &ptrGeneric}

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
