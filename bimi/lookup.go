package bimi

import (
	"context"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// DefaultSelector is the selector of mail without a BIMI-Selector field.
const DefaultSelector = "default"

const maxRecords = 100 // TXT records judged at one name

// LookupOptions tune [Lookup]. The zero value asks for the default record of the
// domain alone.
type LookupOptions struct {
	Selector string // empty: DefaultSelector
	// OrgDomain is the organizational domain of the author's domain, as DMARC finds
	// it. Zero, or the domain itself: there is nothing to fall back to.
	OrgDomain resolve.Name
	// LocalPart is the local part of the author's address, for records with lps=.
	// Empty: it is not tried as a selector.
	LocalPart string
}

// Discovery is the BIMI record for mail of a domain.
type Discovery struct {
	Domain resolve.Name

	// State is Present if receivers find one valid record, also one that declines,
	// Absent if they find none, because there is none, more than one, or one that is
	// not valid, and Unavailable if a lookup failed.
	State resolve.State
	Err   error // of the lookup, or a *ParseError if the one record is not valid
	Why   string

	Record   Record       // the one that counts; also set if it is not valid
	Found    resolve.Name // the domain at which it was found: the author's or the organizational one
	Selector string       // under which it was found
	Queries  []Query      // in the order in which they were made
}

// Declined reports whether the domain says that it has no logo.
func (d Discovery) Declined() bool { return d.State == resolve.Present && d.Record.Declined }

// Query is one name that was asked.
type Query struct {
	Name     resolve.Name // default._bimi.example.org
	Domain   resolve.Name
	Selector string
	Answer   resolve.Answer
	Err      error
	Texts    []Text // every TXT record at the name, in the order of the answer
}

// Text is one TXT record.
type Text struct {
	TXT    resolve.TXT
	Record Record
	Err    error // of Parse
	BIMI   bool  // it starts with v=BIMI1; others are discarded
}

// RecordName is the name of a record.
func RecordName(domain resolve.Name, selector string) (resolve.Name, error) {
	if !isSelector(selector) {
		return resolve.Name{}, fmt.Errorf("%w: %s", ErrSelector, clip(selector))
	}
	n, err := domain.Below(selector + "._bimi")
	if err != nil || domain.IsRoot() || domain.IsZero() {
		return resolve.Name{}, fmt.Errorf("%w: %s below %s makes no name", ErrSelector, clip(selector), domain)
	}
	return n, nil
}

// isSelector reports whether the text is a selector: labels of letters, digits and
// hyphens (draft, Section "Selectors").
func isSelector(s string) bool {
	for _, l := range strings.Split(s, ".") {
		if l == "" || len(l) > resolve.MaxLabel || l[0] == '-' || l[len(l)-1] == '-' ||
			strings.IndexFunc(l, func(c rune) bool { return !isAlnum(c) && c != '-' }) >= 0 {
			return false
		}
	}
	return len(s) <= resolve.MaxName
}

// Lookup finds the record for mail of a domain (draft, Section "Assertion Record
// Discovery"): at the domain, then at the organizational one. Only where nothing was
// found does the search go on; two records at one name end it. There is no error:
// what could not be found out is Unavailable in the result.
func Lookup(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt LookupOptions) Discovery {
	d := Discovery{Domain: domain}
	if opt.Selector == "" {
		opt.Selector = DefaultSelector
	}
	domains := []resolve.Name{domain}
	if !opt.OrgDomain.IsZero() && opt.OrgDomain != domain {
		domains = append(domains, opt.OrgDomain)
	}
	for _, at := range domains {
		if d.at(ctx, r, at, opt.Selector) {
			d.localPart(ctx, r, opt.LocalPart)
			return d
		}
	}
	return d
}

// at asks one name. It reports whether the search is over.
func (d *Discovery) at(ctx context.Context, r resolve.Resolver, domain resolve.Name, selector string) bool {
	q := Query{Domain: domain, Selector: selector}
	if q.Name, q.Err = RecordName(domain, selector); q.Err != nil {
		d.State, d.Err, d.Why = resolve.Absent, q.Err, "there can be no record"
		return false
	}
	d.Found, d.Selector = resolve.Name{}, selector
	q.Answer, q.Err = r.Resolve(ctx, resolve.Question{Name: q.Name, Type: resolve.TypeTXT})
	state := resolve.StateOf(q.Err)
	var records []Text
	if state == resolve.Present {
		records = q.read()
	}
	d.Queries = append(d.Queries, q)
	switch {
	case state == resolve.Unavailable:
		d.State, d.Err = resolve.Unavailable, q.Err
		d.Why = fmt.Sprintf("whether there is a record at %s is unknown", q.Name)
		return true
	case state == resolve.Absent:
		d.State, d.Err, d.Why = resolve.Absent, q.Err, "there is no record"
		return false
	case len(records) == 0:
		d.State, d.Err, d.Why = resolve.Absent, nil, "there is a TXT record, but none that starts with v=BIMI1"
		return false
	}
	d.Found, d.Err = domain, nil
	if n := len(records); n > 1 {
		// Draft, Section "Assertion Record Discovery": several records end it.
		d.State, d.Why = resolve.Absent, fmt.Sprintf("there are %d records, so receivers act as if there was none", n)
		return true
	}
	d.Record, d.Err = records[0].Record, records[0].Err
	d.State, d.Why = resolve.Present, "there is a record"
	switch {
	case d.Err != nil:
		d.State, d.Why = resolve.Absent, "the record is not valid, so receivers show no logo"
	case d.Record.Declined:
		d.Why = "there is a record that declines: the domain wants no logo shown"
	}
	return true
}

// read sorts the TXT records of an answer and returns those that are BIMI records.
func (q *Query) read() []Text {
	var records []Text
	txts := q.Answer.TXT()
	for _, t := range txts[:min(len(txts), maxRecords)] {
		text := t.Joined() // RFC 7208, Section 3.3: joined without spaces
		x := Text{TXT: t, BIMI: startsRecord(text)}
		x.Record, x.Err = Parse(text)
		if x.BIMI {
			records = append(records, x)
		}
		q.Texts = append(q.Texts, x)
	}
	return records
}

// localPart tries the local part of the sender as a selector, if the record wants it.
func (d *Discovery) localPart(ctx context.Context, r resolve.Resolver, local string) {
	if local == "" || d.State != resolve.Present || !d.Record.Wants(local) {
		return
	}
	selector, ok := LocalPartSelector(local)
	if !ok || strings.EqualFold(selector, d.Selector) {
		return
	}
	before := *d
	d.at(ctx, r, before.Found, selector)
	if d.State == resolve.Absent {
		// Draft, Section "Assertion Record Discovery": without a valid record there,
		// the first one counts.
		queries := d.Queries
		*d = before
		d.Queries = queries
	}
}
