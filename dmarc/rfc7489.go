package dmarc

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// legacyDomain is the organizational domain by the public suffix list (RFC 7489,
// Section 3.2): one label below the longest public suffix. A public suffix
// stands for itself.
func legacyDomain(n resolve.Name) resolve.Name {
	suffix, _ := publicsuffix.PublicSuffix(n.String())
	return n.Suffix(strings.Count(suffix, ".") + 2)
}

// legacy finds the policy as RFC 7489, Section 6.6.3 does: the record of the
// domain, or else that of its organizational domain.
func (d *Discovery) legacy(ctx context.Context, r resolve.Resolver) {
	d.LegacyDomain = legacyDomain(d.Domain)
	own := d.Steps[0]
	s, tag := own, "p"
	if own.State != resolve.Unavailable && !own.Usable && own.Several == nil && d.LegacyDomain != d.Domain {
		s, tag = d.stepOf(ctx, r, d.LegacyDomain), "sp"
	}
	switch {
	case s.State == resolve.Unavailable:
		d.Legacy = Applied{Err: s.Err, Why: fmt.Sprintf("whether %s has a record is unknown", s.Domain)}
	case s.Several != nil:
		// RFC 7489, Section 6.6.3, step 5: several records end the discovery.
		d.Legacy = Applied{State: resolve.Absent, Why: fmt.Sprintf("%s has %d records, so DMARC is not applied", s.Domain, s.count)}
	case !s.Usable:
		d.Legacy = Applied{State: resolve.Absent, Why: "no record was found, so DMARC is not applied"}
	default:
		d.Legacy = apply(s.Domain, s.Record, s.Record.EffectRFC7489(), tag)
		if d.Legacy.Percent < 100 && d.Legacy.State == resolve.Present && d.Legacy.Value.Strength() > 0 {
			d.Legacy.Why += fmt.Sprintf(" to %d%% of the mail that fails", d.Legacy.Percent)
		}
	}
}

// stepOf finds the step of a domain, and asks if the walk did not pass it.
func (d *Discovery) stepOf(ctx context.Context, r resolve.Resolver, domain resolve.Name) Step {
	for _, s := range d.Steps {
		if s.Domain == domain {
			return s
		}
	}
	return ask(ctx, r, domain)
}

// Disagreement is a point in which receivers that follow RFC 9989 and RFC 7489
// treat a domain differently.
type Disagreement struct {
	About   string // "record", "policy", "share", "subdomains" or "organizational domain"
	RFC9989 string // what the one has
	RFC7489 string // what the other has
}

// String puts the point in words.
func (d Disagreement) String() string {
	return fmt.Sprintf("%s: %s under RFC 9989, %s under RFC 7489", d.About, d.RFC9989, d.RFC7489)
}

// compare lists where the generations part. Nothing is said of what is unknown,
// nor of a domain that neither has a policy for.
func (d *Discovery) compare() {
	add := func(about, now, old string) {
		if now != old {
			d.Differences = append(d.Differences, Disagreement{about, now, old})
		}
	}
	if d.Policy.State == resolve.Absent && d.Legacy.State == resolve.Absent {
		return
	}
	if d.Organizational.State == resolve.Present {
		add("organizational domain", d.Organizational.Domain.String(), d.LegacyDomain.String())
	}
	if d.Policy.State == resolve.Unavailable || d.Legacy.State == resolve.Unavailable {
		return
	}
	add("record", place(d.Policy), place(d.Legacy))
	add("policy", d.Policy.words(), d.Legacy.words())
	if d.Policy.State != resolve.Present || d.Legacy.State != resolve.Present {
		return
	}
	if d.Legacy.Value.Strength() > 0 {
		add("share", fmt.Sprintf("%d%%", d.Policy.Percent), fmt.Sprintf("%d%%", d.Legacy.Percent))
	}
	now, old := d.Policy.Effect, d.Legacy.Effect
	if d.Policy.Domain == d.Organizational.Domain && d.Legacy.Domain == d.LegacyDomain {
		add("subdomains", fmt.Sprintf("%s, or %s if they do not exist", now.SP, now.NP), fmt.Sprintf("%s, or %s if they do not exist", old.SP, old.NP))
	}
}

func place(a Applied) string {
	if a.State != resolve.Present {
		return "none"
	}
	return "at " + a.Domain.String()
}

func (a Applied) words() string {
	if a.State != resolve.Present {
		return "no DMARC"
	}
	return string(a.Effective)
}
