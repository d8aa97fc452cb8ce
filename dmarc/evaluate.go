package dmarc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Limits of one message. RFC 9989, Section 11.5 asks for a limit on Author
// Domains without naming one; a message has one in practice, and few signatures.
const (
	maxAuthors    = 4
	maxSignatures = 50
)

var errTooMany = errors.New("dmarc: more signatures than are looked at")

// Result is the outcome of DMARC for a message, in the words of
// Authentication-Results (RFC 9989, Section 9.2).
type Result string

// The results.
const (
	ResultNone      Result = "none"      // no policy applies
	ResultPass      Result = "pass"      // an authenticated identifier is aligned
	ResultFail      Result = "fail"      // none is
	ResultTempError Result = "temperror" // a lookup failed that matters
	ResultPermError Result = "permerror" // the record or the From field cannot be used
)

// Identifiers are what is known of one message.
type Identifiers struct {
	From []resolve.Name // domains of the From field
	SPF  Identifier     // of MAIL FROM, or postmaster@HELO if that is empty; never of HELO alone
	DKIM []Identifier   // d= of every signature, never i=
}

// Identifier is a domain and how its authentication ended, in the words of RFC
// 8601: "pass", "fail", "temperror" and so on.
type Identifier struct {
	Domain resolve.Name
	Result string
}

// Evaluation is what DMARC makes of one message.
type Evaluation struct {
	Author resolve.Name // the Author Domain
	Now    Verdict      // of receivers that follow RFC 9989
	Legacy Verdict      // of receivers that follow RFC 7489
}

// Verdict is the outcome in one generation of receivers.
type Verdict struct {
	Result     Result
	Alignments []Alignment // SPF first, then DKIM in the order given
	Policy     Applied     // of the Author Domain

	// Disposition is what the policy asks for: none unless the result is fail. A
	// receiver that knows nothing else treats reject as quarantine (RFC 9989,
	// Section 7.4).
	Disposition Policy
	Percent     int // share of such mail that gets it, the rest one level less
	Why         string
}

// Alignment is how one identifier relates to the Author Domain.
type Alignment struct {
	Method string // "spf" or "dkim"
	Identifier
	Strict         bool
	Organizational resolve.Name  // of the identifier; zero if it was not needed or is unknown
	State          resolve.State // Present: aligned; Absent: not; Unavailable: unknown
	Err            error         // why it is unknown
	Why            string
}

// authenticated reports whether the identifier may count.
func (a Alignment) authenticated() bool { return strings.EqualFold(a.Result, "pass") }

// undecided reports whether authentication may yet succeed.
func (a Alignment) undecided() bool { return strings.EqualFold(a.Result, "temperror") }

// Evaluate decides what DMARC makes of a message (RFC 9989, Section 5.3), given
// the discovery for its Author Domain. It asks for organizational domains where
// an identifier could share that of the author, and nothing else.
//
// Without an Author Domain, or with several, DMARC cannot be validated (Section
// 5.3.1): the result is permerror. With several, the strictest policy that fails
// is shown (Section 11.5), and discovery runs for those that d is not about.
func Evaluate(ctx context.Context, r resolve.Resolver, ids Identifiers, d Discovery) Evaluation {
	m := newMemo(r)
	m.remember(d.Steps)
	authors := slices.Clone(ids.From)
	slices.SortFunc(authors, func(a, b resolve.Name) int { return strings.Compare(a.String(), b.String()) })
	authors = slices.DeleteFunc(slices.Compact(authors), resolve.Name.IsZero)
	if len(authors) == 0 {
		v := Verdict{Result: ResultPermError, Disposition: None, Percent: 100, Why: "there is no Author Domain, so DMARC cannot be done"}
		return Evaluation{Now: v, Legacy: v}
	}
	var worst Evaluation
	for i, author := range authors[:min(len(authors), maxAuthors)] {
		da := d
		if author != d.Domain {
			da = Discover(ctx, m, author, Options{})
		}
		e := evaluateOne(ctx, m, ids, da)
		if i == 0 || e.Now.Disposition.Strength() > worst.Now.Disposition.Strength() {
			worst = e
		}
	}
	if len(authors) > 1 {
		for _, v := range []*Verdict{&worst.Now, &worst.Legacy} {
			v.Why = fmt.Sprintf("the From field has %d domains, so DMARC cannot be done; for %s it would be %s: %s", len(authors), worst.Author, v.Result, v.Why)
			v.Result = ResultPermError
		}
	}
	return worst
}

func evaluateOne(ctx context.Context, r resolve.Resolver, ids Identifiers, d Discovery) Evaluation {
	org := d.Organizational
	now := comparison{author: d.Domain, rec: d.Policy.Record, org: org.Domain, err: org.Err}
	now.find = func(n resolve.Name) (resolve.Name, error) {
		o := OrganizationalDomain(ctx, r, n)
		return o.Domain, o.Err
	}
	old := comparison{author: d.Domain, rec: d.Legacy.Record, org: d.LegacyDomain}
	old.find = func(n resolve.Name) (resolve.Name, error) { return legacyDomain(n), nil }
	return Evaluation{
		Author: d.Domain,
		Now:    decide(d.Policy, now.all(ids)),
		Legacy: decide(d.Legacy, old.all(ids)),
	}
}

// comparison aligns identifiers with one Author Domain by the rules of one
// generation.
type comparison struct {
	author resolve.Name
	rec    Record       // sets the modes
	org    resolve.Name // of author; zero if unknown because of err
	err    error
	find   func(resolve.Name) (resolve.Name, error) // organizational domain of an identifier
}

func (c comparison) all(ids Identifiers) []Alignment {
	var out []Alignment
	if !ids.SPF.Domain.IsZero() {
		out = append(out, c.align("spf", ids.SPF, c.rec.StrictSPF))
	}
	for i, id := range ids.DKIM {
		if i == maxSignatures {
			out = append(out, Alignment{Method: "dkim", Identifier: id, Err: errTooMany, Why: errTooMany.Error()})
			break
		}
		out = append(out, c.align("dkim", id, c.rec.StrictDKIM))
	}
	return out
}

// align compares an identifier (RFC 9989, Sections 4.4 and 4.10.2).
func (c comparison) align(method string, id Identifier, strict bool) Alignment {
	a := Alignment{Method: method, Identifier: id, Strict: strict, State: resolve.Absent}
	switch {
	case !a.authenticated() && !a.undecided():
		a.Why = "not authenticated, so alignment does not matter"
		if id.Domain == c.author {
			a.State = resolve.Present
		}
		return a
	case id.Domain == c.author:
		a.State, a.Why = resolve.Present, "it is the Author Domain"
		return a
	case strict:
		a.Why = "it is not the Author Domain, as strict mode needs"
		return a
	case !sameTop(id.Domain, c.author):
		a.Why = "it has nothing in common with the Author Domain"
		return a
	case c.err != nil:
		a.State, a.Err, a.Why = resolve.Unavailable, c.err, "the organizational domain of the author is unknown"
		return a
	case !id.Domain.Within(c.org):
		// The organizational domain of a name is always the name or above it, so
		// there is no need to ask.
		a.Why = fmt.Sprintf("it is not within %s, the organizational domain of the author", c.org)
		return a
	}
	org, err := c.find(id.Domain)
	a.Organizational = org
	switch {
	case err != nil:
		a.State, a.Err, a.Why = resolve.Unavailable, err, "its organizational domain is unknown"
	case org == c.org:
		a.State, a.Why = resolve.Present, fmt.Sprintf("both have the organizational domain %s", org)
	default:
		a.Why = fmt.Sprintf("its organizational domain is %s, that of the author is %s", org, c.org)
	}
	return a
}

// sameTop reports whether both names end in the same label.
func sameTop(a, b resolve.Name) bool { return a.Suffix(1) == b.Suffix(1) }

// decide draws the result (RFC 9989, Sections 5.3.5 and 5.3.6).
func decide(p Applied, list []Alignment) Verdict {
	v := Verdict{Alignments: list, Policy: p, Disposition: None, Percent: 100}
	switch {
	case p.State == resolve.Unavailable:
		v.Result, v.Why = ResultTempError, "the policy is unknown: "+p.Why
		return v
	case p.State == resolve.Absent && !p.Domain.IsZero():
		v.Result, v.Why = ResultPermError, p.Why
		return v
	case p.State == resolve.Absent:
		v.Result, v.Why = ResultNone, p.Why
		return v
	}
	var open *Alignment
	for i := range list {
		a := &list[i]
		switch {
		case a.authenticated() && a.State == resolve.Present:
			v.Result = ResultPass
			v.Why = fmt.Sprintf("%s passes for %s and is aligned: %s", a.Method, a.Domain, a.Why)
			return v
		case a.authenticated() && a.State == resolve.Unavailable, a.undecided() && a.State != resolve.Absent, errors.Is(a.Err, errTooMany):
			open = a
		}
	}
	if open != nil {
		v.Result = ResultTempError
		v.Why = fmt.Sprintf("%s for %s could still pass and be aligned, but a lookup failed", open.Method, open.Domain)
		if errors.Is(open.Err, errTooMany) {
			v.Why = errTooMany.Error()
		}
		return v
	}
	v.Result, v.Disposition, v.Percent = ResultFail, p.Effective, p.Percent
	v.Why = "no identifier is both authenticated and aligned; " + p.Why
	return v
}
