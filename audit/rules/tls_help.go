package rules

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// noProbe notes that there is nothing seen of mail hosts to judge.
func noProbe(c *audit.Case) bool {
	t := &c.Facts.Transport
	switch {
	case gone(c):
	case !t.ProbeAsked:
		c.NotApplicable("the mail hosts were not talked to")
	case t.Probe.MX == resolve.Unavailable:
		c.Unknown("the mail hosts are unknown: %s", t.Probe.Error)
	case t.Probe.NullMX && len(t.Probe.Exchanges) == 0:
		c.NotApplicable("the domain takes no mail (null MX)")
	case len(t.Probe.Exchanges) == 0:
		c.NotApplicable("there is no mail host")
	default:
		return false
	}
	return true
}

// sight is what one conversation tells of a question.
type sight uint8

const (
	dark sight = iota // nothing
	fine
	bad
)

// hostFinding is a finding about one mail host.
type hostFinding struct {
	*audit.Finding
	host resolve.Name
	at   probe.Attempt
}

// perHost judges every conversation and reports each host once, by its first bad
// address. A host of which nothing was seen is unknown.
func perHost(c *audit.Case, judge func(probe.Attempt) (sight, string)) []hostFinding {
	var out []hostFinding
	for _, x := range c.Facts.Transport.Probe.Exchanges {
		var first *probe.Attempt
		text, seen, more := "", false, 0
		var why string
		for i := range x.Attempts {
			a := &x.Attempts[i]
			switch v, t := judge(*a); v {
			case fine:
				seen = true
			case bad:
				if seen = true; first == nil {
					first, text = a, t
				} else {
					more++
				}
			default:
				if a.Failure != nil && why == "" {
					why = a.Failure.Error()
				}
			}
		}
		switch {
		case first != nil:
			if more > 0 {
				text += fmt.Sprintf(" (and %d more of its addresses)", more)
			}
			f := c.Report(hostSubject(x.Host, *first), "%s %s", at(x.Host, *first), text)
			out = append(out, hostFinding{f, x.Host, *first})
		case !seen && len(x.Attempts) > 0:
			if why == "" {
				why = "its conversation did not get that far"
			}
			c.Unknown("%s: %s", x.Host, why)
		}
	}
	return out
}

func hostSubject(host resolve.Name, a probe.Attempt) audit.Subject {
	t := resolve.TypeAAAA
	if a.Address.Addr().Is4() {
		t = resolve.TypeA
	}
	return audit.Subject{Name: host, Type: t, Term: a.Address.Addr().String()}
}

func at(host resolve.Name, a probe.Attempt) string {
	return fmt.Sprintf("%s (%s)", host, a.Address.Addr())
}

// covered reports whether a policy in enforce mode makes senders insist on TLS
// with a certificate for the host.
func covered(s *facts.Snapshot, host resolve.Name) bool {
	p := s.Transport.Policy
	if !s.Transport.PolicyAsked || p.State != resolve.Present || s.Transport.STS.State != resolve.Present || p.Policy.Mode != mtasts.Enforce {
		return false
	}
	for _, m := range p.Policy.MX {
		if m.Match(host) {
			return true
		}
	}
	return false
}

// promised reports whether TLSA records that DNSSEC proves make senders insist on
// TLS with the host.
func promised(s *facts.Snapshot, host resolve.Name) bool {
	set, ok := s.Transport.Set(host)
	return ok && set.State == resolve.Present && set.Security == dane.Secure
}

// weigh raises a finding to what the promises of the domain make of it.
func weigh(s *facts.Snapshot, f hostFinding, danePromise bool) {
	switch {
	case covered(s, f.host):
		f.At(audit.Error).Message += "; the MTA-STS policy is in enforce mode, so senders that follow it do not deliver to this host"
	case danePromise && promised(s, f.host):
		f.At(audit.Error).Message += "; the host has TLSA records, so senders that follow DANE keep the mail"
	}
}

// byAuthority reports whether the certificate matters by its names, dates and
// authority: DANE-EE looks at none of them (RFC 7672, Section 3.1).
func byAuthority(s *facts.Snapshot, a probe.Attempt) bool {
	if a.Certificate == nil || a.TLS == nil || len(a.TLS.Chain) == 0 {
		return false
	}
	return covered(s, a.Host) || !promised(s, a.Host)
}

func days(d time.Duration) int { return int(d.Hours() / 24) }

// Zones that the scenarios of mail hosts share.
const (
	oneHost   = "example.org. 3600 IN MX 10 mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n"
	twoHosts  = oneHost + "example.org. 3600 IN MX 20 mx2.example.org.\nmx2.example.org. 3600 IN A 192.0.2.26\n"
	stsRecord = "_mta-sts.example.org. 3600 IN TXT \"v=STSv1; id=20261101\"\n"
	stsZone   = oneHost + stsRecord + "mta-sts.example.org. 3600 IN A 192.0.2.80\n"
	enforce   = "version: STSv1\nmode: enforce\nmax_age: 1209600\nmx: mail.example.org\n"
	reports   = "_smtp._tls.example.org. 3600 IN TXT \"v=TLSRPTv1; rua=mailto:tls@example.org\"\n"
	tlsaZone  = oneHost + "_25._tcp.mail.example.org. 3600 IN TLSA {tlsa}\n"
)

var proven = []string{"example.org MX secure", "mail.example.org A secure", "mail.example.org AAAA secure", "_25._tcp.mail.example.org TLSA secure"}

const opportunistic = "Senders without MTA-STS or DANE do not check the certificate of a mail host, so mail keeps coming. "
