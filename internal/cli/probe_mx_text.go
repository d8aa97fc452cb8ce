package cli

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func chainOf(a probe.Attempt) []*x509.Certificate {
	if a.TLS == nil {
		return nil
	}
	return a.TLS.Chain
}

func (v probeMXView) text(s Streams) error {
	p := newSheet(s)
	switch {
	case v.NullMX && len(v.Hosts) == 0:
		p.para("%s takes no mail: it has a null MX (RFC 7505).", v.Domain)
		return p.flush(s.Out)
	case v.MX == "unknown":
		p.para("%s: the MX records are unknown: %s", v.Domain, v.Error)
		return p.flush(s.Out)
	case len(v.Hosts) == 0:
		p.para("%s has no mail host: no MX record and no address.", v.Domain)
		return p.flush(s.Out)
	case v.MX == "absent":
		p.para("%s has no MX record: mail goes to its own addresses.", v.Domain)
	default:
		p.para("%s has %s.", v.Domain, count(int64(len(v.Hosts)+v.Skipped), "mail host", "mail hosts"))
	}
	v.textPaths(p)
	p.field("MTA-STS", "%s", v.stsWords())
	for _, h := range v.Hosts {
		p.head(fmt.Sprintf("%d %s", h.Preference, h.Host))
		if h.Error != "" {
			p.field("Address", "%s", h.Error)
		}
		p.field("TLSA", "%s", h.TLSA.Why)
		if h.STS != "no-policy" {
			p.field("Policy", "the host is %s by it", h.STS)
		}
		for _, a := range h.Attempts {
			a.text(p)
		}
	}
	return p.flush(s.Out)
}

func (v probeMXView) textPaths(p *sheet) {
	for _, x := range v.Paths {
		way := fmt.Sprintf("IPv%d, port %d", x.Family, x.Port)
		switch x.State {
		case probe.Blocked:
			p.field("Way out", "%s: blocked. Hosts that are certainly up do not answer either, so what is silent below says nothing about the domain.", way)
		case probe.Intercepted:
			p.field("Way out", "%s: something on the way takes STARTTLS out of what hosts offer.", way)
		case probe.NoRoute:
			p.field("Way out", "%s: this machine has no way there.", way)
		case probe.Unproven:
			p.field("Way out", "%s: nothing answered, and nothing proves that connections leave this network.", way)
		}
	}
}

func (v probeMXView) stsWords() string {
	switch {
	case v.STS.Record != "present":
		return v.STS.Why
	case v.STS.Policy == "not-asked":
		return "there is a record; the policy was not asked for"
	case v.STS.Policy == "present":
		return fmt.Sprintf("policy with mode %s", v.STS.Mode)
	}
	return "policy " + v.STS.Policy + ": " + v.STS.Why
}

// text writes one conversation, what is wrong last.
func (a attemptView) text(p *sheet) {
	p.WriteByte('\n')
	p.whole("  ", a.Address.String())
	line := func(label, format string, args ...any) { p.hang("    ", label, 16, fmt.Sprintf(format, args...)) }
	line("connection", "%s, %d ms", a.Connect, a.Timing.ConnectMS)
	if a.Banner != nil {
		line("banner", "%s", shorten(strings.TrimSpace(a.Banner.String())))
	}
	if a.Hello != nil {
		var words []string
		for _, x := range a.Hello.Extensions {
			words = append(words, x.Keyword)
		}
		line(a.Hello.Verb, "%s; %s", shorten(string(a.Hello.Domain)), shorten(strings.Join(words, " ")))
	}
	if a.Greeting == probe.Accepted && !a.ImplicitTLS {
		line("STARTTLS", "%s", map[resolve.State]string{resolve.Present: "offered", resolve.Absent: "not offered", resolve.Unavailable: "unknown"}[a.STARTTLS])
	}
	if a.TLS != nil && a.TLS.Established {
		line("TLS", "%s, %s, %d ms", a.TLS.Version, a.TLS.Cipher, a.Timing.TLSMS)
	}
	a.textCertificate(line)
	if a.DANE != nil {
		line("DANE", "%s: %s", a.DANE.Verdict, a.DANE.Why)
	}
	if a.STS != "no-policy" {
		line("MTA-STS", "%s", a.STS)
	}
	for _, o := range a.Observations {
		line("odd", "%s in %s: %.120q", o.Kind, o.Step, string(o.Text))
	}
	if a.Failure != nil {
		line("stopped", "%v", a.Failure)
	}
	for _, x := range a.Problems {
		line("PROBLEM", "%s", x)
	}
}

func (a attemptView) textCertificate(line func(string, string, ...any)) {
	if a.Certificate == nil || len(chainOf(a.Attempt)) == 0 {
		return
	}
	leaf := a.TLS.Chain[0]
	line("certificate", "for %s, until %s", shorten(strings.Join(leaf.DNSNames, ", ")), leaf.NotAfter.UTC().Format(time.DateOnly))
	for _, x := range []struct {
		name  string
		check cert.Check
	}{{"chain", a.Certificate.Chain}, {"name", a.Certificate.Name}, {"time", a.Certificate.Time}, {"key", a.Certificate.Key}} {
		text := x.check.State.String()
		if x.check.Problem != "" {
			text += ": " + string(x.check.Problem)
		}
		if x.check.Detail != "" {
			text += ", " + x.check.Detail
		}
		line("  "+x.name, "%s", text)
	}
}
