package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

var errNoDomain = errors.New("dmarc: the root is no mail domain")

// Options of [Discover]. The zero value is the usual choice.
type Options struct {
	// Exists is what is already known of the existence of the domain itself:
	// Absent means that a query for it gave NXDOMAIN. Unavailable, the zero value,
	// lets Discover find out when it matters.
	Exists resolve.State

	// Denial also asks, for a domain that seems to exist without having TXT
	// records, whether its zone uses compact denial of existence (RFC 9824): then
	// names that do not exist look as if they did. It costs one query.
	Denial bool
}

// Discovery is all that DMARC says about one Author Domain.
type Discovery struct {
	Domain resolve.Name

	// Exists is Absent when the domain does not exist (NXDOMAIN), in which case np
	// counts. It is Unavailable when that is unknown or did not matter.
	Exists        resolve.State
	existsErr     error
	CompactDenial bool // the domain only seems to exist (RFC 9824); receivers may take sp for np

	Steps []Step // the tree walk from Domain, in its order

	Policy         Applied      // of receivers that follow RFC 9989
	Organizational Organization // by the tree walk

	Legacy       Applied        // of receivers that follow RFC 7489
	LegacyDomain resolve.Name   // organizational domain by the public suffix list
	Differences  []Disagreement // where the two generations part
}

// Applied is the policy that receivers of one generation apply to a domain.
type Applied struct {
	// State is Present if a policy applies, be it none; Absent if there is no
	// DMARC for the domain; Unavailable if a failed lookup leaves that open.
	State resolve.State
	Err   error // why it is Unavailable

	// Domain is where the record was found, the DMARC Policy Domain, and Record
	// the record there. They are also set when State is Absent because the record
	// is ignored (see Effect).
	Domain resolve.Name
	Record Record
	Effect Effect

	Tag       string // "p", "sp" or "np": the tag that was looked up first
	Source    string // the tag whose value was taken, in the fallback np, sp, p; empty if none was
	Value     Policy // what applies, before t=y
	Testing   bool   // t=y lowers it
	Effective Policy // what applies in the end
	Percent   int    // share of failing mail that gets it: 100 but for pct under RFC 7489
	Why       string // in words
}

// Discover finds the policy of an Author Domain (RFC 9989, Section 4.10.1) and
// its organizational domain (Section 4.10.2), and the same in the eyes of
// receivers that follow RFC 7489. It asks at most MaxQueries TXT records at
// _dmarc names, and few others: the one that the public suffix list points to
// if the walk does not pass it, and the domain itself if np hangs on that.
//
// There is no error: what could not be found out is Unavailable in the result.
func Discover(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) Discovery {
	d := Discovery{Domain: domain, Exists: opt.Exists}
	if domain.IsZero() || domain.IsRoot() {
		d.Policy = Applied{Err: errNoDomain, Why: errNoDomain.Error()}
		d.Legacy, d.Organizational = d.Policy, Organization{Err: errNoDomain, Why: errNoDomain.Error()}
		return d
	}
	m := newMemo(r)
	d.Steps = walk(ctx, m, domain)
	d.Organizational = selectOrganization(domain, d.Steps)
	d.exists(ctx, m, opt)
	d.policy()
	d.legacy(ctx, m)
	d.compare()
	return d
}

// exists finds out whether the domain exists. Only NXDOMAIN for the domain
// itself says that it does not (RFC 9989, Section 3.2.13).
func (d *Discovery) exists(ctx context.Context, r resolve.Resolver, opt Options) {
	own := d.Steps[0]
	if d.Exists == resolve.Unavailable && !own.Name.IsZero() {
		// RFC 8020: a name above one that exists does exist, and an alias exists
		// even if it leads nowhere.
		if own.State == resolve.Present || errors.Is(own.Err, resolve.ErrNoData) || len(own.Answer.Chain) > 0 {
			d.Exists = resolve.Present
		}
	}
	inherits := !own.Usable && own.State != resolve.Unavailable
	if d.Exists == resolve.Unavailable && inherits {
		_, err := r.Resolve(ctx, resolve.Question{Name: d.Domain, Type: resolve.TypeTXT})
		d.existsErr = err
		switch {
		case errors.Is(err, resolve.ErrNXDomain):
			d.Exists = resolve.Absent
		case resolve.StateOf(err) != resolve.Unavailable:
			d.Exists = resolve.Present
		}
	}
	if opt.Denial && inherits && d.Exists == resolve.Present && own.State == resolve.Absent {
		d.CompactDenial = deniesCompactly(ctx, r, d.Domain)
	}
}

// deniesCompactly looks for the NXNAME bit in the NSEC record of a name (RFC
// 9824, Section 3.1).
func deniesCompactly(ctx context.Context, r resolve.Resolver, n resolve.Name) bool {
	a, err := r.Resolve(ctx, resolve.Question{Name: n, Type: resolve.TypeNSEC})
	if err != nil {
		return false
	}
	for _, rec := range a.Records {
		for f := range strings.FieldsSeq(rec.Data.String()) {
			if f == "NXNAME" || f == "TYPE128" {
				return true
			}
		}
	}
	return false
}

// policy chooses the record (RFC 9989, Section 4.10.1).
func (d *Discovery) policy() {
	own := &d.Steps[0]
	if own.State == resolve.Unavailable {
		d.Policy = Applied{Err: own.Err, Why: fmt.Sprintf("whether %s has a record is unknown", d.Domain)}
		return
	}
	if own.Usable {
		// The record of the Author Domain settles it, whatever is above.
		own.Chosen = true
		d.Policy = apply(own.Domain, own.Record, own.Record.Effect(), "p")
		return
	}
	for i := range d.Steps {
		if s := &d.Steps[i]; s.State == resolve.Unavailable {
			d.Policy = Applied{Err: s.Err, Why: fmt.Sprintf("%s has no record of its own, and whether %s has one is unknown", d.Domain, s.Domain)}
			return
		}
	}
	s := d.inherited()
	if s == nil {
		d.Policy = Applied{State: resolve.Absent, Why: "no record was found, so DMARC is not applied"}
		return
	}
	s.Chosen = true
	e := s.Record.Effect()
	switch {
	case d.Exists == resolve.Absent:
		d.Policy = apply(s.Domain, s.Record, e, "np")
	case d.Exists == resolve.Present || !e.Applies || e.SP == e.NP:
		d.Policy = apply(s.Domain, s.Record, e, "sp")
	default:
		d.Policy = Applied{Domain: s.Domain, Record: s.Record, Effect: e, Err: d.existsErr}
		d.Policy.Why = fmt.Sprintf("the record of %s applies, but it is unknown whether %s exists, and so whether sp or np counts", s.Domain, d.Domain)
	}
}

// inherited is the step of the organizational domain or else of the public
// suffix domain; records in between count for nothing.
func (d *Discovery) inherited() *Step {
	var psd *Step
	for i := range d.Steps {
		s := &d.Steps[i]
		switch {
		case !s.Usable:
		case s.Domain == d.Organizational.Domain:
			return s
		case s.Record.PSD == "y":
			psd = s
		}
	}
	return psd
}

// apply fills in what a record says to a domain for which tag counts.
func apply(domain resolve.Name, rec Record, e Effect, tag string) Applied {
	a := Applied{State: resolve.Present, Domain: domain, Record: rec, Effect: e, Tag: tag, Percent: e.Percent}
	if !e.Applies {
		a.State = resolve.Absent
		a.Why = fmt.Sprintf("the record of %s is ignored: %s", domain, e.Why)
		return a
	}
	a.Effective = map[string]Policy{"p": e.P, "sp": e.SP, "np": e.NP}[tag]
	a.Value, a.Testing = None, e.Testing
	if e.Off {
		a.Why = fmt.Sprintf("the record of %s applies: %s", domain, e.Why)
		return a
	}
	// RFC 9989, Section 4.7: np falls back to sp, and sp to p.
	switch {
	case tag == "np" && rec.NP != "":
		a.Source, a.Value = "np", rec.NP
	case tag != "p" && rec.SP != "":
		a.Source, a.Value = "sp", rec.SP
	default:
		a.Source, a.Value = "p", rec.P
	}
	a.Why = fmt.Sprintf("the record of %s applies with %s=%s", domain, a.Source, a.Value)
	if a.Testing {
		a.Why += fmt.Sprintf(", which t=y lowers to %s", a.Effective)
	}
	return a
}
