package mtasts

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const maxRecords = 100 // TXT records judged at one name; the rest is counted

// Discovery is the MTA-STS record of a domain.
type Discovery struct {
	Domain resolve.Name
	Name   resolve.Name // _mta-sts.example.org

	// State is Present if senders find one valid record, Absent if they find none,
	// because there is none, more than one, or one that is not valid, and Unavailable
	// if the lookup failed.
	State  resolve.State
	Err    error // of the lookup, or a *ParseError if the one record is not valid
	Why    string
	Answer resolve.Answer

	Found  []Found // every TXT record at the name, in the order of the answer
	Record Record  // the one that counts; also set if it is not valid
}

// Found is one TXT record.
type Found struct {
	TXT    resolve.TXT
	Record Record
	Err    error // of Parse
	STS    bool  // it starts with v=STSv1; others are discarded
}

// Lookup finds the MTA-STS record of a domain (RFC 8461, Section 3.1). The policy
// domain is the recipient's domain itself: a parent's record does not count for it
// (Section 3.4). There is no error: what could not be found out is Unavailable in
// the result.
func Lookup(ctx context.Context, r resolve.Resolver, domain resolve.Name) Discovery {
	d := Discovery{Domain: domain}
	name, err := domain.Below("_mta-sts")
	if err != nil || domain.IsRoot() {
		d.State, d.Err, d.Why = resolve.Absent, err, "the domain can have no record"
		return d
	}
	d.Name = name
	d.Answer, d.Err = r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	d.State = resolve.StateOf(d.Err)
	switch d.State {
	case resolve.Absent:
		d.Why = "there is no record"
		return d
	case resolve.Unavailable:
		d.Why = "whether there is a record is unknown"
		return d
	}
	d.judge()
	return d
}

// judge chooses the record.
func (d *Discovery) judge() {
	count, chosen := 0, Found{}
	txts := d.Answer.TXT()
	for _, t := range txts[:min(len(txts), maxRecords)] {
		f := Found{TXT: t}
		text := t.Joined() // RFC 8461, Section 3.1: strings are joined without spaces
		f.Record, f.Err = Parse(text)
		f.STS = len(text) >= len(recordStart) && text[:len(recordStart)] == recordStart
		if f.STS {
			count++
			chosen = f
		}
		d.Found = append(d.Found, f)
	}
	switch {
	case len(txts) > maxRecords:
		d.State, d.Why = resolve.Absent, fmt.Sprintf("there are %d TXT records", len(txts))
	case count == 0:
		d.State, d.Why = resolve.Absent, "there is a TXT record, but none that starts with v=STSv1;"
	case count > 1:
		// RFC 8461, Section 3.1: if there is not exactly one, there is no MTA-STS.
		d.State, d.Why = resolve.Absent, fmt.Sprintf("there are %d records, so senders act as if there was none", count)
	case chosen.Err != nil:
		d.State, d.Err, d.Record = resolve.Absent, chosen.Err, chosen.Record
		d.Why = "the record is not valid, so senders act as if there was none"
	default:
		d.Record, d.Why = chosen.Record, "there is a record"
	}
}
