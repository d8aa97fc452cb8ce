package insight

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Query chooses what is asked about. The zero value but for Archive asks about
// everything there is.
type Query struct {
	Archive archive.Reader
	Domains []string // policy domains: lower case, no final dot; empty: all
	// Networks choose mail by the address it came from; empty: all.
	Networks []netip.Prefix
	// Names choose sources by the name or the ID that Sources shows; empty: all. They
	// count for Sources, Failures and Evidence.
	Names []string
	// Since is the first day, Until the first after the last, as in
	// archive.Filter.
	Since, Until time.Time
	// At is now. It decides what is late; zero means the end of the window.
	At time.Time
	// Everything also counts reports that are forged or about other people's
	// domains.
	Everything bool
	// Labels are what the owner says of sources; the first that fits counts.
	Labels []Label
	// Live is what DNS says now; see Look. Nil: not asked.
	Live *Live
}

// Label is the owner's word on a source.
type Label struct {
	// Source is a network, or the name or ID of a source as Sources shows it.
	Source string
	// Class is Passing or Own for one's own, Forwarding, List or Spoofing.
	Class Class
	// Domain is the policy domain that it is said of; empty: all.
	Domain string
}

// Date is a day in answers; zero is none.
type Date struct{ time.Time }

// String gives 2026-11-23.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// MarshalJSON gives "2026-11-23", and null for none.
func (d Date) MarshalJSON() ([]byte, error) {
	if d.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + d.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (d *Date) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*d = Date{}
		return nil
	}
	t, err := time.Parse(`"`+time.DateOnly+`"`, string(b))
	d.Time = t
	return err
}

// Window is the days that an answer is about, both ends in it. Those of a query
// without bounds are the days that messages are known of.
type Window struct {
	First Date `json:"first"`
	Last  Date `json:"last"`
}

// Days is the length in days; 0 if a bound is missing.
func (w Window) Days() int {
	if w.First.IsZero() || w.Last.IsZero() {
		return 0
	}
	return int(archive.DayOf(w.Last.Time)-archive.DayOf(w.First.Time)) + 1
}

// LeftOut tells what an answer does not count.
type LeftOut struct {
	// Of reports whose mail is forged, and of those about domains that are not
	// ours; what is both counts as forged.
	Forged archive.Counts `json:"forged"`
	Alien  archive.Counts `json:"alien"`
}

// Any reports whether anything was left out.
func (l LeftOut) Any() bool { return l.Forged.Reports+l.Alien.Reports > 0 }

// share is a part of a whole, or nil if there is no whole: an unknown share is
// not a share of zero.
func share(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	f := float64(part) / float64(whole)
	return &f
}

func (q Query) filter() archive.Filter {
	return archive.Filter{Domains: q.Domains, Since: q.Since, Until: q.Until, Sources: q.Networks, NoForged: !q.Everything, NoAlien: !q.Everything}
}

// leftOut counts what the filter keeps out.
func (q Query) leftOut(ctx context.Context) (LeftOut, error) {
	var l LeftOut
	if q.Everything {
		return l, nil
	}
	f := q.filter()
	kept, err := total(ctx, q.Archive, f)
	if err != nil {
		return l, err
	}
	f.NoAlien = false
	withAlien, err := total(ctx, q.Archive, f)
	if err != nil {
		return l, err
	}
	f.NoForged = false
	all, err := total(ctx, q.Archive, f)
	if err != nil {
		return l, err
	}
	l.Alien, l.Forged = minus(withAlien, kept), minus(all, withAlien)
	return l, nil
}

func total(ctx context.Context, r archive.Reader, f archive.Filter) (archive.Counts, error) {
	list, err := r.Totals(ctx, f, archive.ByNothing)
	var c archive.Counts
	for _, t := range list {
		c.Add(t.Counts)
	}
	return c, err
}

func minus(a, b archive.Counts) archive.Counts {
	return archive.Counts{
		Messages: a.Messages - b.Messages, Both: a.Both - b.Both, DKIMOnly: a.DKIMOnly - b.DKIMOnly, SPFOnly: a.SPFOnly - b.SPFOnly,
		Neither: a.Neither - b.Neither, None: a.None - b.None, Quarantine: a.Quarantine - b.Quarantine, Reject: a.Reject - b.Reject,
		Other: a.Other - b.Other, Overridden: a.Overridden - b.Overridden, Rows: a.Rows - b.Rows, Reports: a.Reports - b.Reports,
	}
}

// days gives the totals by day, and the window they stand for.
func (q Query) days(ctx context.Context) ([]archive.Total, Window, error) {
	days, err := q.Archive.Totals(ctx, q.filter(), archive.ByDay)
	if err != nil {
		return nil, Window{}, err
	}
	return days, q.window(days), nil
}

// window closes the open ends of a query by the days that messages are known of.
func (q Query) window(days []archive.Total) Window {
	var w Window
	if !q.Since.IsZero() {
		w.First = date(q.Since)
	}
	if !q.Until.IsZero() {
		w.Last = date(archive.DayOf(q.Until).Time().AddDate(0, 0, -1))
	}
	for _, t := range days {
		d, err := time.Parse(time.DateOnly, t.Key)
		if err != nil {
			continue
		}
		if q.Since.IsZero() && (w.First.IsZero() || d.Before(w.First.Time)) {
			w.First = Date{d}
		}
		if q.Until.IsZero() && d.After(w.Last.Time) {
			w.Last = Date{d}
		}
	}
	return w
}

// before is the query for as many days before the window, or false if the window
// has no beginning of the caller's choice.
func (q Query) before(w Window) (Query, bool) {
	n := w.Days()
	if q.Since.IsZero() || n <= 0 {
		return q, false
	}
	b := q
	b.Until = w.First.Time
	b.Since = w.First.AddDate(0, 0, -n)
	return b, true
}

// now is the day that lateness is counted from: the first after the window, or
// At if that is earlier or the window has no end of the caller's choice.
func (q Query) now(w Window) time.Time {
	end := w.Last.Time
	if !end.IsZero() {
		end = end.AddDate(0, 0, 1)
	}
	switch {
	case q.At.IsZero():
		return end
	case q.Until.IsZero() || end.IsZero() || q.At.Before(end):
		return q.At
	}
	return end
}

func date(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	return Date{archive.DayOf(t).Time()}
}

// organization is the registered domain a name is below, by the public suffix
// list; the name itself if that says nothing. Reports are about the past and come
// from receivers that use the list: a tree walk today would not tell more.
func organization(name string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
		return org
	}
	return name
}

// within reports whether a name is another or below it.
func within(name, parent string) bool {
	return parent != "" && (name == parent || strings.HasSuffix(name, "."+parent))
}

// network is the part of the address space that is named when nothing else is:
// the smallest that is commonly routed.
func network(a netip.Addr) netip.Prefix {
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, _ := a.Prefix(bits)
	return p
}

func add(list []string, limit int, words ...string) []string {
	for _, w := range words {
		if w != "" && len(list) < limit && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}
