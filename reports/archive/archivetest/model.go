package archivetest

import (
	"bytes"
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Model finds answers by walking over lists: slow, short and right.
type Model struct {
	reports []*entry
	inputs  []archive.Input
}

type entry struct {
	head     archive.Report
	rows     []archive.Row // without their shares
	sessions []archive.Session
	sample   *archive.Sample
	sums     []archive.Sum // of all documents that said the same
}

// Add adds a document and tells what should become of it. Only Counted depends
// on what came before; ids are not told.
func (m *Model) Add(d *Document) archive.Added {
	e := entryOf(d)
	added := archive.Added{Outcome: archive.New, Counted: true, Rows: int64(len(e.rows)), Messages: e.head.Messages}
	for _, o := range m.reports {
		if o.head.Key() != e.head.Key() {
			continue
		}
		if o.head.Digest == e.head.Digest {
			o.sums = append(o.sums, d.Origin.Sum)
			return archive.Added{Outcome: archive.Duplicate, Counted: o.head.Counted, Messages: e.head.Messages}
		}
		added.Outcome = archive.Conflicting
	}
	m.reports = append(m.reports, e)
	m.count(e.head.Key())
	added.Counted = e.head.Counted
	return added
}

// count chooses the best report of a key.
func (m *Model) count(k archive.Key) {
	var best *entry
	for _, e := range m.reports {
		if e.head.Key() == k {
			e.head.Counted = false
			if best == nil || archive.Better(&e.head, &best.head) {
				best = e
			}
		}
	}
	best.head.Counted = true
}

func entryOf(d *Document) *entry {
	e := &entry{sums: []archive.Sum{d.Origin.Sum}}
	digest := archive.NewDigest()
	switch {
	case d.Failure != nil:
		head, v := archive.FailureHead(d.Failure, d.Origin)
		head.Digest = digest.Sum(&head, v)
		e.head, e.sample = head, &v
	case d.TLS != nil:
		head, v := archive.TLSHead(d.TLS, d.Origin)
		head.Digest = digest.Sum(&head, v)
		e.head, e.sessions = head, v
	default:
		for _, r := range d.Records {
			l := archive.LookOf(r)
			digest.Row(r.Count, &l)
			e.rows = append(e.rows, archive.Row{Number: r.Number, Count: r.Count, Look: l})
		}
		e.head = archive.AggregateHead(d.Aggregate, d.Origin)
		e.head.Digest = digest.Sum(&e.head, nil)
	}
	return e
}

// Prune removes what is older than a day.
func (m *Model) Prune(before time.Time) (out archive.Pruned) {
	day := archive.DayOf(before)
	m.reports = slices.DeleteFunc(m.reports, func(e *entry) bool {
		if _, last := archive.Days(e.head.Begin, e.head.End); last >= day {
			return false
		}
		out.Reports++
		out.Rows += int64(len(e.rows))
		out.Sums = append(out.Sums, e.sums...)
		return true
	})
	slices.SortFunc(out.Sums, func(a, b archive.Sum) int { return bytes.Compare(a[:], b[:]) })
	n := len(m.inputs)
	m.inputs = slices.DeleteFunc(m.inputs, func(in archive.Input) bool { return archive.DayOf(in.At) < day })
	out.Inputs = int64(n - len(m.inputs))
	return out
}

func oneOf[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

func hasSource(f archive.Filter, a netip.Addr) bool {
	return len(f.Sources) == 0 || slices.ContainsFunc(f.Sources, func(p netip.Prefix) bool { return p.Contains(a) })
}

func (m *Model) chosen(f archive.Filter) (out []*entry) {
	for _, e := range m.reports {
		h := &e.head
		if f.Overlaps(h.Begin, h.End) && oneOf(f.Reporters, h.Reporter) && !(f.NoAlien && h.Origin.Alien) &&
			!(f.NoForged && h.Origin.Proof == archive.Forged) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *entry) int {
		x, y := &a.head, &b.head
		return cmp.Or(x.Begin.Compare(y.Begin), strings.Compare(x.Reporter, y.Reporter), strings.Compare(x.ReportID, y.ReportID),
			strings.Compare(x.Domain, y.Domain), bytes.Compare(x.Digest[:], y.Digest[:]))
	})
	return out
}

// Reports is the answer to Reader.Reports; those of the other methods likewise.
func (m *Model) Reports(f archive.Filter) (out []archive.Report) {
	for _, e := range m.chosen(f) {
		if (e.head.Counted || f.Uncounted) && (f.Kind == "" || f.Kind == e.head.Kind) && oneOf(f.Domains, e.head.Domain) {
			out = append(out, e.head)
		}
	}
	return out
}

// counted gives the reports that count, and with them their records.
func (m *Model) counted(f archive.Filter, kind archive.Kind) (out []*entry) {
	for _, e := range m.chosen(f) {
		if e.head.Counted && e.head.Kind == kind && (kind == archive.TLS || oneOf(f.Domains, e.head.Domain)) {
			out = append(out, e)
		}
	}
	return out
}

func (m *Model) Rows(f archive.Filter) (out []archive.Row) {
	for _, e := range m.counted(f, archive.Aggregate) {
		for _, r := range e.rows {
			r.Report, r.Messages = &e.head, f.Within(e.head.Begin, e.head.End, r.Count)
			if r.Messages > 0 && hasSource(f, r.Source) {
				out = append(out, r)
			}
		}
	}
	return out
}

// piece is what a record has on one day.
type piece struct {
	row      *archive.Row
	entry    *entry
	day      archive.Day
	messages int64
	first    bool // the day the report begins in
}

// pieces gives all of the days that are chosen.
func (m *Model) pieces(f archive.Filter) (out []piece) {
	for _, e := range m.counted(f, archive.Aggregate) {
		for i := range e.rows {
			if r := &e.rows[i]; hasSource(f, r.Source) {
				for j, s := range archive.Spread(nil, e.head.Begin, e.head.End, r.Count) {
					if f.HasDay(s.Day) {
						out = append(out, piece{r, e, s.Day, s.Messages, j == 0})
					}
				}
			}
		}
	}
	return out
}

func widen(first, last *time.Time, d archive.Day) {
	if t := d.Time(); first.IsZero() || t.Before(*first) {
		*first = t
	}
	if t := d.Time(); t.After(*last) {
		*last = t
	}
}

func (m *Model) Totals(f archive.Filter, by archive.Group) (out []archive.Total) {
	groups := map[string]*archive.Total{}
	group := func(k string) *archive.Total {
		if groups[k] == nil {
			groups[k] = &archive.Total{Key: k}
		}
		return groups[k]
	}
	type once struct {
		entry *entry
		key   string
	}
	reports := map[once]bool{}
	for _, p := range m.pieces(f) {
		k := groupKey(by, &p.entry.head, &p.row.Look, p.day)
		if p.first {
			group(k).Rows++
			reports[once{p.entry, k}] = true
		}
		if p.messages > 0 {
			g := group(k)
			g.Add(archive.CountsOf(&p.row.Look, p.messages))
			widen(&g.First, &g.Last, p.day)
		}
	}
	for _, e := range m.counted(f, archive.Aggregate) {
		if first := archive.DayOf(e.head.Begin); len(e.rows) == 0 && f.HasDay(first) && len(f.Sources) == 0 && by != archive.BySource && by != archive.ByHeaderFrom {
			reports[once{e, groupKey(by, &e.head, &archive.Look{}, first)}] = true
		}
	}
	for k := range reports {
		group(k.key).Reports++
	}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, *groups[k])
	}
	return out
}

func groupKey(by archive.Group, h *archive.Report, l *archive.Look, d archive.Day) string {
	switch by {
	case archive.ByDomain:
		return h.Domain
	case archive.ByDay:
		return d.Time().Format("2006-01-02")
	case archive.ByMonth:
		return d.Time().Format("2006-01")
	case archive.BySource:
		if l.Source.IsValid() {
			return l.Source.String()
		}
	case archive.ByReporter:
		return h.Reporter
	case archive.ByHeaderFrom:
		return l.HeaderFrom
	case archive.ByPolicy:
		return h.Policy.P
	}
	return ""
}

func (m *Model) Flows(f archive.Filter) (out []archive.Flow) {
	type id struct{ domain, look string }
	type sum struct {
		archive.Flow
		key       string
		rows      map[*archive.Row]bool
		reporters map[string]bool
	}
	all := map[id]*sum{}
	for _, p := range m.pieces(f) {
		if p.messages == 0 {
			continue
		}
		k := id{p.entry.head.Domain, string(p.row.Look.AppendKey(nil))}
		v := all[k]
		if v == nil {
			v = &sum{archive.Flow{Domain: k.domain, Look: p.row.Look}, k.look, map[*archive.Row]bool{}, map[string]bool{}}
			all[k] = v
		}
		v.Messages += p.messages
		v.rows[p.row] = true
		v.reporters[p.entry.head.Reporter] = true
		widen(&v.First, &v.Last, p.day)
	}
	for _, v := range slices.SortedFunc(maps.Values(all), func(a, b *sum) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(a.Domain, b.Domain), strings.Compare(a.key, b.key))
	}) {
		v.Rows = int64(len(v.rows))
		v.Reporters = slices.Sorted(maps.Keys(v.reporters))
		v.Reporters = v.Reporters[:min(len(v.Reporters), archive.MaxFlowReporters)]
		out = append(out, v.Flow)
	}
	return out
}

func (m *Model) Selectors(f archive.Filter) (out []archive.Selector) {
	type id struct{ policy, domain, selector string }
	all, reporters := map[id]*archive.Selector{}, map[id]map[string]bool{}
	for _, p := range m.pieces(f) {
		if p.messages == 0 {
			continue
		}
		passed := map[id]bool{}
		for _, g := range p.row.Signatures {
			k := id{p.entry.head.Domain, g.Domain, g.Selector}
			passed[k] = passed[k] || g.Result == "pass"
		}
		for k, pass := range passed {
			v := all[k]
			if v == nil {
				v = &archive.Selector{Policy: k.policy, Domain: k.domain, Selector: k.selector}
				all[k], reporters[k] = v, map[string]bool{}
			}
			reporters[k][p.entry.head.Reporter] = true
			if pass {
				v.Pass += p.messages
				widen(&v.First, &v.Last, p.day)
			} else {
				v.Fail += p.messages
				widen(&v.First, &v.LastFail, p.day)
			}
		}
	}
	for k, v := range all {
		v.Reporters = len(reporters[k])
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b archive.Selector) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.Domain, b.Domain), strings.Compare(a.Selector, b.Selector))
	})
	return out
}

func (m *Model) Sessions(f archive.Filter) (out []archive.Session) {
	for _, e := range m.counted(f, archive.TLS) {
		for _, v := range e.sessions {
			if v.Report = &e.head; oneOf(f.Domains, e.head.Domain) || oneOf(f.Domains, v.Domain) {
				out = append(out, v)
			}
		}
	}
	return out
}

func (m *Model) Samples(f archive.Filter) (out []archive.Sample) {
	for _, e := range m.counted(f, archive.Failure) {
		if v := *e.sample; hasSource(f, v.Source) {
			v.Report = &e.head
			out = append(out, v)
		}
	}
	return out
}

func (m *Model) Inputs(f archive.Filter) (out []archive.Input) {
	for _, in := range m.inputs {
		if f.HasDay(archive.DayOf(in.At)) {
			out = append(out, in)
		}
	}
	return out
}
