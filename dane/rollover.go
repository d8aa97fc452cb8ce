package dane

import (
	"fmt"
	"slices"
)

// Rollover says how records stand to the certificate in use and the one to come
// (RFC 7671, Section 8.1; RFC 7672, Section 4).
type Rollover struct {
	Live    []Record // records of what is in use
	Next    []Record // records of what comes next, and not of what is in use
	Stale   []Record // of neither: leftovers, or records of a key that is kept elsewhere
	Missing []Record // to be published before the change

	// Ready says that mail keeps coming through the change. Whether the records have
	// been in DNS for as long as their TTL, so that no old answer is left, is for
	// the caller to see.
	Ready  bool
	Single bool   // there is one record of what is in use, and none to fall back on
	Why    string // in words
}

// CheckRollover compares records with the material in use and the next. Either list
// starts with the server's own certificate or key; issuers follow. An empty next
// stands for "not known yet". Records that no sender can use count for nothing.
func CheckRollover(records []Record, live, next []Material) Rollover {
	var r Rollover
	for _, rec := range records {
		switch {
		case rec.Unusable() != "":
			r.Stale = append(r.Stale, rec)
		case rec.fits(live):
			r.Live = append(r.Live, rec)
		case rec.fits(next):
			r.Next = append(r.Next, rec)
		default:
			r.Stale = append(r.Stale, rec)
		}
	}
	r.Single = len(r.Live) == 1 && len(r.Next) == 0
	if len(next) == 0 {
		r.Ready = false
		r.Why = "the next key is not known"
		if r.Single {
			r.Why = "there is one record, of the key in use: publish that of the next key before the change"
		}
		if len(r.Live) == 0 && len(records) > 0 {
			r.Why = "no record matches what is in use"
		}
		return r
	}
	through := slices.ContainsFunc(records, func(rec Record) bool { return rec.Unusable() == "" && rec.fits(next) && !outranked(rec, records) })
	r.Ready = through
	if !through {
		r.Missing = missing(records, live, next)
	}
	switch {
	case through && len(r.Next) == 0:
		r.Why = "the records in use match the next certificate too"
	case through:
		r.Why = fmt.Sprintf("%s published for the next certificate", plural(len(r.Next)))
	default:
		r.Why = "no record matches the next certificate: publish it and wait for the TTL of the old records before the change"
	}
	if len(r.Stale) > 0 {
		r.Why += fmt.Sprintf("; %s nothing that is known", map[bool]string{true: "1 record matches", false: fmt.Sprintf("%d records match", len(r.Stale))}[len(r.Stale) == 1])
	}
	return r
}

func plural(n int) string {
	if n == 1 {
		return "1 record is"
	}
	return fmt.Sprintf("%d records are", n)
}

// missing makes the records of the next material that correspond to those in use.
func missing(records []Record, live, next []Material) []Record {
	var out []Record
	add := func(m Material, p Params) {
		if rec, err := m.Record(p); err == nil && !slices.ContainsFunc(out, rec.Equal) {
			out = append(out, rec)
		}
	}
	for _, rec := range records {
		if rec.Unusable() != "" || !rec.fits(live) {
			continue
		}
		if rec.Usage == DANEEE {
			add(next[0], rec.Params)
			continue
		}
		for _, m := range next[1:] {
			if m.Issuer() {
				add(m, rec.Params)
			}
		}
	}
	if len(out) == 0 {
		add(next[0], Params{DANEEE, SPKI, SHA256})
	}
	return out
}

// fits reports whether the record is of the server's certificate or key under usage
// 3, or of an issuer under usage 2.
func (r Record) fits(list []Material) bool {
	for i, m := range list {
		if (r.Usage == DANEEE) != (i == 0) {
			continue
		}
		part := m.PublicKey
		if r.Selector == Cert {
			if m.Certificate == nil {
				continue
			}
			part = m.Certificate.Raw
		}
		if d := r.Matching.digest(part); d != nil && string(d) == string(r.Data) {
			return true
		}
	}
	return false
}

// outranked reports whether a stronger digest of the same sort makes senders pass
// the record over (RFC 7671, Section 9).
func outranked(r Record, records []Record) bool {
	return r.Matching != Full && r.Matching < strongestDigests(records)[kind{r.Usage, r.Selector}]
}
