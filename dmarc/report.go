package dmarc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxDestinations is the number of report destinations that are checked per
// record. Receivers have limits of their own; RFC 7489, Section 6.2 obliged them
// to two, RFC 9989 to all.
const MaxDestinations = 10

// Destination is one entry of rua or ruf with what DNS says of it (RFC 9990,
// Section 4; RFC 9991, Section 5).
type Destination struct {
	Tag  string // "rua" or "ruf"
	URI  URI
	Host resolve.Name // zero if the URI has none

	// External is Present when the host belongs to another organization than the
	// domain of the record, so that it has to agree; by the tree walk, and by the
	// public suffix list as older reporters do it.
	External       resolve.State
	ExternalLegacy bool

	// Authorized is Present when reports may be sent here: by agreement, or
	// because none is needed.
	Authorized resolve.State
	Query      resolve.Name   // where agreement was sought; zero if it was not
	Answer     resolve.Answer // to Query
	Misses     []NearMiss     // TXT records there that agree to nothing
	Override   []URI          // URIs that replace this one
	Err        error          // the first failure behind an External, Authorized or Receives that is Unavailable

	// Receives is Present when the host takes mail, for a mailto.
	Receives resolve.State
	Mail     string // "mx", "address", "null-mx", "none"; empty if unknown or no mailto

	Problem string // what stops reports, or may; empty if nothing does
}

// CheckDestinations checks the rua and ruf URIs of the record that applies to
// the domain, at most MaxDestinations; entries past that are left out.
func CheckDestinations(ctx context.Context, r resolve.Resolver, d Discovery) []Destination {
	p := d.Policy
	if p.Domain.IsZero() {
		return nil
	}
	var list []Destination
	for _, u := range p.Record.RUA {
		list = append(list, Destination{Tag: "rua", URI: u})
	}
	for _, u := range p.Record.RUF {
		list = append(list, Destination{Tag: "ruf", URI: u})
	}
	list = list[:min(len(list), MaxDestinations)]
	m := newMemo(r)
	m.remember(d.Steps)
	c := destinationCheck{r: m, domain: p.Domain, org: d.Organizational}
	if p.Domain != d.Domain && p.Domain != d.Organizational.Domain {
		// RFC 9990, Section 4: the name where the record was found counts.
		c.org = OrganizationalDomain(ctx, m, p.Domain)
	}
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() { c.check(ctx, &list[i]) })
	}
	wg.Wait()
	return list
}

type destinationCheck struct {
	r      resolve.Resolver
	domain resolve.Name // DMARC Policy Domain
	org    Organization // of domain
}

func (c destinationCheck) check(ctx context.Context, d *Destination) {
	switch {
	case !d.URI.Valid:
		d.External, d.Authorized, d.Receives = resolve.Absent, resolve.Absent, resolve.Absent
		d.Problem = "it is no usable URI, so it is ignored"
		return
	case d.URI.Host == "":
		d.External, d.Authorized, d.Receives = resolve.Absent, resolve.Absent, resolve.Absent
		d.Problem = "it names no host"
		return
	}
	host, err := resolve.ParseName(d.URI.Host)
	if err != nil {
		d.External, d.Authorized, d.Receives = resolve.Absent, resolve.Absent, resolve.Absent
		d.Problem = "its host is no domain name"
		return
	}
	d.Host = host
	d.ExternalLegacy = legacyDomain(host) != legacyDomain(c.domain)
	d.External, d.Err = c.external(ctx, host)
	if d.External == resolve.Absent {
		d.Authorized = resolve.Present
	} else {
		c.authorize(ctx, d)
		if d.External == resolve.Unavailable && d.Authorized == resolve.Absent {
			d.Authorized = resolve.Unavailable // nobody agreed, but perhaps nobody has to
		}
	}
	if d.URI.Scheme == "mailto" {
		c.mail(ctx, d)
	}
	d.Problem = d.problem(c.domain)
}

// external compares the organizational domains. That of the host is the host or
// above it, so often no question is needed.
func (c destinationCheck) external(ctx context.Context, host resolve.Name) (resolve.State, error) {
	switch {
	case host == c.domain:
		return resolve.Absent, nil
	case !sameTop(host, c.domain):
		return resolve.Present, nil
	case c.org.State == resolve.Unavailable:
		return resolve.Unavailable, c.org.Err
	case !host.Within(c.org.Domain):
		return resolve.Present, nil
	}
	o := OrganizationalDomain(ctx, c.r, host)
	switch {
	case o.State == resolve.Unavailable:
		return resolve.Unavailable, o.Err
	case o.Domain == c.org.Domain:
		return resolve.Absent, nil
	}
	return resolve.Present, nil
}

// authorize asks the host for its agreement (RFC 9990, Section 4, steps 2 to 7).
func (c destinationCheck) authorize(ctx context.Context, d *Destination) {
	name, err := d.Host.Below(c.domain.String() + "._report." + label)
	if err != nil {
		// A name too long for DNS cannot be asked, and without an answer there is
		// no agreement.
		d.Authorized = resolve.Absent
		return
	}
	d.Query = name
	d.Answer, err = c.r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	d.Authorized = resolve.StateOf(err)
	if d.Authorized == resolve.Unavailable {
		d.Err = err
		return
	}
	if err != nil {
		return
	}
	d.Authorized = resolve.Absent
	for i, t := range d.Answer.TXT() {
		if i == maxRecords {
			break
		}
		text := t.Joined()
		if class := Classify(text); class != ClassRecord {
			if len(d.Misses) < maxKept {
				d.Misses = append(d.Misses, NearMiss{text, class})
			}
			continue
		}
		// Several records agree as well as one does.
		d.Authorized = resolve.Present
		rec, _ := Parse(text)
		uris := rec.RUA
		if d.Tag == "ruf" {
			uris = rec.RUF
		}
		for _, u := range uris {
			if u.Valid && len(d.Override) < maxURIs {
				d.Override = append(d.Override, u)
			}
		}
	}
	if slices.ContainsFunc(d.Override, func(u URI) bool { return u.Host != d.URI.Host }) {
		// A replacement elsewhere voids both.
		d.Authorized = resolve.Absent
	}
}

// mail finds out whether the host takes mail (RFC 5321, Section 5.1; RFC 7505).
func (c destinationCheck) mail(ctx context.Context, d *Destination) {
	a, err := c.r.Resolve(ctx, resolve.Question{Name: d.Host, Type: resolve.TypeMX})
	if err == nil {
		d.Receives, d.Mail = resolve.Present, "mx"
		if mx := a.MX(); len(mx) == 1 && mx[0].Host.IsRoot() {
			d.Receives, d.Mail = resolve.Absent, "null-mx"
		}
		return
	}
	failed := err
	if resolve.StateOf(err) == resolve.Absent {
		failed = nil
		if errors.Is(err, resolve.ErrNoData) {
			failed = c.address(ctx, d)
		}
		if failed == nil && d.Mail == "" {
			d.Receives, d.Mail = resolve.Absent, "none"
		}
	}
	if failed != nil && d.Err == nil {
		d.Err = failed
	}
}

// address looks for the addresses of an implicit MX.
func (c destinationCheck) address(ctx context.Context, d *Destination) error {
	var failed error
	for _, t := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
		_, err := c.r.Resolve(ctx, resolve.Question{Name: d.Host, Type: t})
		switch resolve.StateOf(err) {
		case resolve.Present:
			d.Receives, d.Mail = resolve.Present, "address"
			return nil
		case resolve.Unavailable:
			failed = err
		}
	}
	return failed
}

// problem puts in words what stands in the way.
func (d *Destination) problem(domain resolve.Name) string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	switch {
	case d.Authorized == resolve.Present:
	case d.Authorized == resolve.Unavailable:
		add("whether %s may get reports about %s is unknown", d.Host, domain)
	case d.Query.IsZero():
		add("the name where %s would agree is too long, so no reports are sent", d.Host)
	case len(d.Override) > 0:
		add("%s sends reports on to another host, so none are sent", d.Host)
	case len(d.Misses) > 0:
		add("%s does not agree to reports about %s: the TXT records at %s have no v=DMARC1 (a wildcard, perhaps), so none are sent", d.Host, domain, d.Query)
	default:
		add("%s does not agree to reports about %s: there is no v=DMARC1 at %s, so none are sent", d.Host, domain, d.Query)
	}
	if d.URI.Scheme != "mailto" {
		add("receivers need not support %s", clip(d.URI.Scheme))
		return strings.Join(list, "; ")
	}
	switch {
	case d.Mail == "null-mx":
		add("%s takes no mail: it has a null MX", d.Host)
	case d.Mail == "none":
		add("%s takes no mail: it has no MX and no address", d.Host)
	case d.Receives == resolve.Unavailable:
		add("whether %s takes mail is unknown", d.Host)
	}
	return strings.Join(list, "; ")
}
