package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var senderRules = []*audit.Rule{&ptrMissing, &ptrUnconfirmed, &ptrGeneric, &heloInvalid, &heloUnresolved, &heloMismatch}

// noSenders notes that no sending address is known. Of addresses that nobody
// gave it notes that they are inferred.
func noSenders(c *audit.Case) bool {
	if len(c.Facts.Senders) == 0 {
		c.NotApplicable("no sending address was given (--ip), and MX and SPF show none")
		return true
	}
	if len(c.Facts.GivenSenders()) == 0 {
		c.Inferred()
	}
	return false
}

// seenSenders are the senders of which a fact is known. What is unknown of an
// address that was given leaves the rule open. Nobody asked about one that is
// derived, so it is passed over; if there is no other, the rule does not apply.
func seenSenders(c *audit.Case, state func(facts.Sender) resolve.State, what func(facts.Sender) string) []facts.Sender {
	if noSenders(c) {
		return nil
	}
	var out []facts.Sender
	open := ""
	for _, x := range c.Facts.Senders {
		switch {
		case state(x) != resolve.Unavailable:
			out = append(out, x)
		case x.Derived():
			open = what(x)
		default:
			c.Unknown("%s", what(x))
		}
	}
	if len(out) == 0 && open != "" {
		c.NotApplicable("no sending address was given (--ip); of those that MX and SPF show, %s", open)
	}
	return out
}

// reverseNames are the senders of which it is known whether they have a PTR.
func reverseNames(c *audit.Case) []facts.Sender {
	return seenSenders(c, func(x facts.Sender) resolve.State { return x.PTR.State }, func(x facts.Sender) string {
		return fmt.Sprintf("the PTR of %s%s is unknown: %v", x.Address, whence(x), x.PTR.Err)
	})
}

// whence says where an address comes from that nobody gave.
func whence(x facts.Sender) string {
	switch {
	case !x.Derived():
		return ""
	case x.Origin == facts.FromMX:
		return fmt.Sprintf(" (derived from MX: it is %s, and the SPF term %s lets it send)", x.Host, spfText(x.Term))
	case !x.Host.IsZero():
		return fmt.Sprintf(" (derived from SPF: it is %s, and the term %s lets it send)", x.Host, spfText(x.Term))
	}
	return fmt.Sprintf(" (derived from SPF: the term %s lets it send)", spfText(x.Term))
}

// derive makes a finding about an address that nobody gave as weak as the
// inference: that a host may send does not show that it does.
func derive(c *audit.Case, f *audit.Finding, x facts.Sender, most audit.Severity, remedy string) {
	if !x.Derived() {
		return
	}
	if x.Weak {
		most = audit.Notice
	}
	f.At(min(f.Severity, most)).About(c.Facts, c.Facts.Domain, resolve.TypeTXT)
	f.Advise("If %s sends mail for the domain: %s If it does not, take it out of the SPF record.", x.Address, remedy)
}

func ptrSubject(x facts.Sender) audit.Subject {
	return audit.Subject{Name: facts.ReverseName(x.Address), Type: resolve.TypePTR, Term: x.Address.String()}
}

const ptrImpact = "Gmail refuses the mail with 550 5.7.25 or delays it with 421 4.7.0, over IPv6 always; Yahoo, Microsoft and many others do the same or worse."

var gmailPTR = audit.Ref{Title: "Gmail email sender guidelines", URL: "https://support.google.com/mail/answer/81126"}

// noHELO notes that it is not known what the sending hosts say.
func noHELO(c *audit.Case) bool {
	if noSenders(c) {
		return true
	}
	if c.Facts.Senders[0].HELO.Form == "" { // those given come first
		c.NotApplicable("the name that the sending hosts say in EHLO was not given (--helo)")
		return true
	}
	return false
}

const (
	heloImpact = "Receivers look at the name in EHLO: many refuse one that is no name, and count one that does not lead to the address as a sign of spam."
	// reverseZone lets the world have a reverse tree.
	reverseZone = "2.0.192.in-addr.arpa. 3600 IN SOA ns1.example.net. hostmaster.example.net. 1 7200 3600 1209600 3600\n"
	heloZone    = "25.2.0.192.in-addr.arpa. 3600 IN PTR mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\nexample.org. 3600 IN TXT \"v=spf1 ip4:192.0.2.25 -all\"\n"
)
