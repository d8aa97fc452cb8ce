package facts

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Kind is what a domain does with mail, as far as its records tell.
type Kind string

// The kinds.
const (
	Sends       Kind = "sends"       // something is authorised to send for it
	Receives    Kind = "receives"    // it takes mail and declares that it sends none
	Parked      Kind = "parked"      // it declares that it does neither
	Nonexistent Kind = "nonexistent" // NXDOMAIN
	Undecided   Kind = "unknown"     // its records do not tell, or could not be read
)

// classify works out the kind with its evidence. An MX record is evidence of
// receiving and says nothing about sending.
func (s *Snapshot) classify() {
	say := func(format string, args ...any) { s.KindReason = append(s.KindReason, fmt.Sprintf(format, args...)) }
	if s.Exists == resolve.Absent {
		s.Kind = Nonexistent
		say("DNS says that the name does not exist (NXDOMAIN)")
		return
	}
	takes, refuses := s.receives(say)
	sends, declines := s.sends(say)
	switch {
	case sends:
		s.Kind = Sends
	case declines && refuses:
		s.Kind = Parked
		if s.DMARC.Policy.State == resolve.Present && s.DMARC.Policy.Effective == dmarc.Reject {
			say("DMARC policy is reject")
		}
	case declines && takes:
		s.Kind = Receives
	default:
		s.Kind = Undecided
		if !declines && s.SPF.State != resolve.Unavailable {
			say("nothing says whether it sends mail")
		}
	}
}

// receives reports evidence for and against taking mail; neither is possible.
func (s *Snapshot) receives(say func(string, ...any)) (takes, refuses bool) {
	m := s.MX.Value
	switch {
	case s.MX.State == resolve.Unavailable:
		say("MX is unknown")
	case s.MX.State == resolve.Present && m.NullMX() && len(m.Exchanges) == 1:
		say("null MX: it takes no mail")
		return false, true
	case s.MX.State == resolve.Present:
		say("it has %d MX", len(m.Exchanges)+m.Skipped)
		return true, false
	case m.Fallback.State == resolve.Present:
		say("no MX, but an address that mail falls back to")
		return true, false
	case m.Fallback.State == resolve.Absent:
		say("no MX and no address: it cannot take mail")
		return false, true
	}
	return false, false
}

// sends reports evidence for and against sending; neither is possible.
func (s *Snapshot) sends(say func(string, ...any)) (sends, declines bool) {
	if len(s.GivenSenders()) > 0 {
		say("sending addresses were given")
		sends = true
	}
	for _, k := range s.DKIM.Results {
		if k.Given || k.Usable() && !k.Wildcard {
			say("DKIM selector %s", k.Selector)
			sends = true
			break
		}
	}
	switch {
	case s.SPF.State == resolve.Unavailable:
		say("SPF is unknown")
	case len(s.SPF.Records) > 1:
		say("it has %d SPF records", len(s.SPF.Records))
		sends = true
	case s.SPF.Root == nil:
	default:
		switch yes, no := authorises(s.SPF.Root.Record); {
		case yes:
			say("its SPF record authorises senders")
			sends = true
		case no && !sends:
			say("its SPF record authorises nobody")
			declines = true
		}
	}
	return sends, declines
}

// authorises reports whether a record lets something send, or declares that
// nothing does, as "v=spf1 -all" says (RFC 7208, Section 10.1.2). A record may
// do neither: "v=spf1 ?all" says nothing, and a misspelt mechanism is no
// declaration that there are no senders.
func authorises(r spf.Record) (yes, no bool) {
	garbled := false
	for i, t := range r.Terms {
		switch t.Kind {
		case spf.All:
			return t.Qualifier == '+', (t.Qualifier == '-' || t.Qualifier == '~') && !garbled
		case spf.Exp:
		case spf.Unknown:
			garbled = garbled || mistaken(r, i)
		case spf.Invalid:
			garbled = true
		case spf.Redirect:
			return true, false
		default:
			if t.Qualifier == '+' || t.Qualifier == '?' {
				return true, false
			}
		}
	}
	return false, false
}

// mistaken reports a modifier that was meant as a mechanism: include=, ip4=.
func mistaken(r spf.Record, term int) bool {
	for _, o := range r.Lint() {
		if o.Term == term && o.Kind == spf.LikelyMistake {
			return true
		}
	}
	return false
}
