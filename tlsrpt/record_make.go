package tlsrpt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// ErrEdit matches the error of [NewRecord] and of an edit that would not give a
// valid record.
var ErrEdit = errors.New("tlsrpt: invalid edit")

// NewRecord is the record that asks for reports at the given places, each a mail
// address, a mailto or an https URI. Errors match [ErrEdit].
func NewRecord(places ...string) (Record, error) {
	value, err := ruaValue(places)
	if err != nil {
		return Record{}, err
	}
	r, err := ParseRecord(recordStart + " rua=" + value)
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	return r, nil
}

// SetRUA changes the places and leaves every other byte as it is; further copies of
// rua go. The record has to be one that reporters take for a TLS-RPT record. Errors
// match [ErrEdit].
func (r Record) SetRUA(places ...string) (Record, error) {
	value, err := ruaValue(places)
	switch {
	case err != nil:
		return r, err
	case !strings.HasPrefix(r.text, recordStart):
		return r, fmt.Errorf("%w: %s does not start with v=TLSRPTv1;", ErrEdit, quoteRecord(r.text))
	}
	var b strings.Builder
	from, done := 0, false
	for i, f := range r.Fields {
		switch {
		case f.Name != "rua" || i == 0:
		case !done:
			b.WriteString(r.text[from:f.Offset] + "rua=" + value)
			from = f.start + len(strings.TrimRight(f.Raw, recordWSP))
			done = true
		default:
			b.WriteString(r.text[from : f.start-1])
			from = f.start + len(f.Raw)
		}
	}
	b.WriteString(r.text[from:])
	text := b.String()
	if !done {
		body := strings.TrimRight(text, recordWSP+";")
		text = body + "; rua=" + value + strings.TrimRight(text[len(body):], recordWSP)
	}
	out, err := ParseRecord(text)
	if err != nil {
		return r, fmt.Errorf("%w: %w", ErrEdit, err)
	}
	return out, nil
}

// ruaValue makes the value of rua.
func ruaValue(places []string) (string, error) {
	var list []string
	for _, s := range places {
		if strings.Contains(s, "@") && !strings.Contains(s, ":") {
			// RFC 8460, Section 3: these three have to be percent-encoded.
			s = "mailto:" + strings.NewReplacer("%", "%25", ",", "%2C", "!", "%21", ";", "%3B", "?", "%3F").Replace(s)
		}
		u, p := parsePlace(s)
		if !u.Valid || strings.ContainsAny(s, ",;") || badRecordOctet(s) >= 0 {
			return "", fmt.Errorf("%w: %s is no place for reports: a mail address, mailto: or https: is needed%s", ErrEdit, quoteRecord(s), hintOf(p))
		}
		list = append(list, s)
	}
	if len(list) == 0 || len(list) > maxURIs {
		return "", fmt.Errorf("%w: %d places for reports", ErrEdit, len(list))
	}
	return strings.Join(list, ","), nil
}

func hintOf(p Problem) string {
	if p.Suggestion == "" {
		return ""
	}
	return ", such as " + quoteRecord(p.Suggestion)
}

const maxFound = 100 // TXT records judged at one name

// Discovery is the TLS-RPT record of a domain.
type Discovery struct {
	Domain resolve.Name
	Name   resolve.Name // _smtp._tls.example.org

	// State is Present if reporters find one valid record, Absent if they find none,
	// because there is none, more than one, or one that is not valid, and Unavailable
	// if the lookup failed.
	State  resolve.State
	Err    error // of the lookup, or a *RecordError if the one record is not valid
	Why    string
	Answer resolve.Answer

	Found  []Found // every TXT record at the name, in the order of the answer
	Record Record  // the one that counts; also set if it is not valid
}

// Found is one TXT record.
type Found struct {
	TXT    resolve.TXT
	Record Record
	Err    error // of ParseRecord
	TLSRPT bool  // it starts with v=TLSRPTv1; others are discarded
}

// Lookup finds the TLS-RPT record of a domain (RFC 8460, Section 3). Places at other
// domains need no consent there, unlike those of DMARC. For reports about DANE the
// domain is that of the MX host (RFC 8460, Section 1.1). There is no error: what
// could not be found out is Unavailable in the result.
func Lookup(ctx context.Context, r resolve.Resolver, domain resolve.Name) Discovery {
	d := Discovery{Domain: domain}
	name, err := domain.Below("_smtp._tls")
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
	case resolve.Unavailable:
		d.Why = "whether there is a record is unknown"
	default:
		d.judge()
	}
	return d
}

// judge chooses the record.
func (d *Discovery) judge() {
	count, chosen := 0, Found{}
	txts := d.Answer.TXT()
	for _, t := range txts[:min(len(txts), maxFound)] {
		f := Found{TXT: t}
		text := t.Joined()
		f.Record, f.Err = ParseRecord(text)
		f.TLSRPT = strings.HasPrefix(text, recordStart)
		if f.TLSRPT {
			count++
			chosen = f
		}
		d.Found = append(d.Found, f)
	}
	switch {
	case len(txts) > maxFound:
		d.State, d.Why = resolve.Absent, fmt.Sprintf("there are %d TXT records", len(txts))
	case count == 0:
		d.State, d.Why = resolve.Absent, "there is a TXT record, but none that starts with v=TLSRPTv1;"
	case count > 1:
		// RFC 8460, Section 3: if there is not exactly one, nobody reports.
		d.State, d.Why = resolve.Absent, fmt.Sprintf("there are %d records, so reporters act as if there was none", count)
	case chosen.Err != nil:
		d.State, d.Err, d.Record = resolve.Absent, chosen.Err, chosen.Record
		d.Why = "the record is not valid, so nobody sends reports"
	default:
		d.Record, d.Why = chosen.Record, "there is a record"
	}
}
