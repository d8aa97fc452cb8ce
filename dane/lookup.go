package dane

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const maxRecords = 100 // TLSA records judged for one host

// Options tune [Lookup]. The zero value finds the records and proves nothing.
type Options struct {
	Port uint16 // 0: 25

	// Judge says what DNSSEC validation gave for an answer or failure. Nil judges
	// all Indeterminate.
	Judge func(resolve.Answer, error) Security
}

// Set is the TLSA records of one host.
type Set struct {
	Host  resolve.Name // as the MX record has it
	Base  resolve.Name // the TLSA base domain: where records were found, or were looked for last
	Owner resolve.Name // _25._tcp of Base

	// State is Present if there are records, Absent if there are none, Unavailable
	// if that could not be found out: then senders that follow DANE keep the mail,
	// unless the addresses are Insecure (RFC 7672, Section 2.1.2).
	State    resolve.State
	Err      error
	Security Security // of the records and all that leads to them
	Why      string   // in words

	Records []Record

	Addresses Security         // of the host's addresses
	Steps     []Step           // every TLSA lookup, in order
	Lookups   []resolve.Answer // of the host's addresses and alias
}

// Step is one name that was asked for TLSA records.
type Step struct {
	Base     resolve.Name
	State    resolve.State
	Security Security
	Answer   resolve.Answer
	Err      error
}

// Lookup finds the TLSA records of an MX host, or of a domain without MX (RFC 7672,
// Section 2.2). It looks at the security of the host's addresses first: a host
// whose addresses are not secure has no DANE, whatever its records say. There is no
// error: what could not be found out is Unavailable in the result.
func Lookup(ctx context.Context, r resolve.Resolver, host resolve.Name, opt Options) Set {
	s := Set{Host: host, Base: host}
	if opt.Judge == nil {
		opt.Judge = func(resolve.Answer, error) Security { return Indeterminate }
	}
	owner, err := Owner(host, opt.Port)
	if err != nil {
		s.State, s.Err, s.Why = resolve.Absent, err, "the host can have no records"
		return s
	}
	s.Owner = owner
	for _, base := range s.bases(ctx, r, opt) {
		owner, err := Owner(base, opt.Port)
		if err != nil {
			continue
		}
		step := Step{Base: base}
		step.Answer, step.Err = r.Resolve(ctx, resolve.Question{Name: owner, Type: resolve.TypeTLSA})
		step.State = resolve.StateOf(step.Err)
		step.Security = opt.Judge(step.Answer, step.Err)
		s.Steps = append(s.Steps, step)
		s.take(step, owner)
		// RFC 7672, Section 2.2.3: the first name with a secure set is the TLSA base
		// domain. A failure ends the search: there may be records.
		if step.State == resolve.Unavailable || step.Security == Bogus || step.State == resolve.Present && step.Security != Insecure {
			break
		}
	}
	s.settle()
	return s
}

// take makes a step the result, unless an earlier one found more.
func (s *Set) take(step Step, owner resolve.Name) {
	if s.State == resolve.Present && step.State == resolve.Absent && step.Security != Bogus {
		return // records that are not secure were found before
	}
	s.Base, s.Owner, s.State, s.Err = step.Base, owner, step.State, nil
	if step.State == resolve.Unavailable {
		s.Err = step.Err
	}
	s.Security = step.Security
	s.Records = nil
	for _, rec := range step.Answer.Records {
		if d, ok := rec.Data.(resolve.TLSA); ok && len(s.Records) < maxRecords && step.State == resolve.Present {
			s.Records = append(s.Records, FromTLSA(d))
		}
	}
}

// settle adds what the addresses say and puts it into words.
func (s *Set) settle() {
	if s.Addresses == Insecure || s.Addresses == Bogus {
		// RFC 7672, Section 2.2.2: without secure addresses there is no DANE.
		s.Security = s.Addresses
	} else if s.Security == Secure {
		s.Security = worst(s.Security, s.Addresses)
	}
	many := fmt.Sprintf("%d records", len(s.Records))
	if len(s.Records) == 1 {
		many = "1 record"
	}
	switch {
	case s.Security == Bogus:
		s.Why = "DNSSEC validation fails, so senders that follow DANE keep the mail"
	case s.State == resolve.Unavailable && s.Security == Insecure:
		s.Why = "the lookup failed, and as the zone is not signed that does not matter"
	case s.State == resolve.Unavailable:
		s.Why = "the lookup failed, so senders that follow DANE keep the mail while it does"
	case s.State == resolve.Absent:
		s.Why = "there are no records"
	case s.Security == Insecure:
		s.Why = many + ", unusable without DNSSEC"
	case s.Security == Indeterminate:
		s.Why = many + ", and whether DNSSEC proves them is unknown"
	default:
		s.Why = many + ", secure"
	}
}

// bases looks at the host's addresses and returns the names to ask, in order.
func (s *Set) bases(ctx context.Context, r resolve.Resolver, opt Options) []resolve.Name {
	var alias resolve.Answer
	s.Addresses = Secure
	for _, t := range []resolve.Type{resolve.TypeA, resolve.TypeAAAA} {
		a, err := r.Resolve(ctx, resolve.Question{Name: s.Host, Type: t})
		s.Lookups = append(s.Lookups, a)
		s.Addresses = worst(s.Addresses, opt.Judge(a, err))
		if len(a.Chain) > len(alias.Chain) {
			alias = a
		}
	}
	if len(alias.Chain) == 0 {
		return []resolve.Name{s.Host}
	}
	// RFC 7672, Section 2.2.2: an alias that is secure itself keeps its own records
	// usable, even if it leads into a zone that is not.
	own, err := r.Resolve(ctx, resolve.Question{Name: s.Host, Type: resolve.TypeCNAME})
	s.Lookups = append(s.Lookups, own)
	initial := opt.Judge(own, err)
	list := Candidates(s.Host, alias.Owner(), s.Addresses, initial)
	if s.Addresses == Insecure && initial == Secure {
		s.Addresses = Secure
	}
	return list
}

// Candidates are the names at which TLSA records of a host are looked for, in order
// (RFC 7672, Section 2.2.3). expanded is where the host's CNAMEs lead, the host
// itself if it is no alias; addresses is the security of all of that, initial that
// of the first CNAME alone. Where DNSSEC proves neither, the list says where
// records would be.
func Candidates(host, expanded resolve.Name, addresses, initial Security) []resolve.Name {
	switch {
	case expanded == host || expanded.IsZero():
		return []resolve.Name{host}
	case addresses == Insecure && initial == Secure:
		return []resolve.Name{host}
	}
	return []resolve.Name{expanded, host}
}
