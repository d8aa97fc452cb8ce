package sqlite

import (
	"bytes"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// sums collects what a batch adds to the sums, so that a sum is written once
// for many reports.
type sums struct {
	days      map[dayKey]*counts
	sources   map[sourceKey]*counts
	flows     map[flowKey]*flowSum
	selectors map[selectorKey]*[2]int64 // pass, fail
	lastDay   dayKey                    // the entry of days used last
	lastSum   *counts
	stale     map[staleKey]bool // months whose least and greatest values have to be found anew
	shares    []archive.Share
	buf       []byte
}

type dayKey struct {
	domain   int64
	day      archive.Day
	class    class
	reporter int64
	p        int64
}

// source is text in the keys because a slice cannot be in one.
type sourceKey struct {
	domain int64
	source string
	day    archive.Day
	class  class
}

type flowKey struct {
	domain         int64
	source         string
	look, reporter int64
	month          month
	class          class
}

type flowSum struct {
	messages, records int64
	first, last       archive.Day
}

type selectorKey struct {
	domain, signer, selector, reporter int64
	day                                archive.Day
	class                              class
}

type staleKey struct {
	domain int64
	month  month
}

// class tells reports apart that a filter can leave out.
type class uint8

const (
	classForged class = 1 << iota
	classAlien
)

func classOf(o archive.Origin) (c class) {
	if o.Proof == archive.Forged {
		c |= classForged
	}
	if o.Alien {
		c |= classAlien
	}
	return c
}

// part is what the sums need of a report.
type part struct {
	id                  int64
	domain, reporter, p int64
	class               class
	begin, end          time.Time
	first, last         archive.Day
	sign                int64       // 1 to add, -1 to take away
	before              archive.Day // only days before this one; 0 for all
}

func (p *part) has(d archive.Day) bool { return p.before == 0 || d < p.before }

func newSums() *sums {
	s := &sums{}
	s.clear()
	return s
}

func (s *sums) clear() {
	s.days, s.sources, s.flows = map[dayKey]*counts{}, map[sourceKey]*counts{}, map[flowKey]*flowSum{}
	s.selectors, s.lastSum = map[selectorKey]*[2]int64{}, nil
}

// full bounds the memory of a batch: some MB.
func (s *sums) full() bool {
	return len(s.days)+len(s.sources)+len(s.flows)+len(s.selectors) > 6<<10
}

func (s *sums) dayOf(p *part, d archive.Day) *counts {
	k := dayKey{p.domain, d, p.class, p.reporter, p.p}
	if s.lastSum == nil || s.lastDay != k {
		c := s.days[k]
		if c == nil {
			c = new(counts)
			s.days[k] = c
		}
		s.lastDay, s.lastSum = k, c
	}
	return s.lastSum
}

func (s *sums) sourceOf(p *part, source []byte, d archive.Day) *counts {
	c := s.sources[sourceKey{p.domain, string(source), d, p.class}]
	if c == nil {
		c = new(counts)
		s.sources[sourceKey{p.domain, string(source), d, p.class}] = c
	}
	return c
}

// report counts a report itself.
func (s *sums) report(p *part) {
	if p.has(p.first) {
		s.dayOf(p, p.first)[cReports] += p.sign
	}
	if p.sign < 0 {
		for m := monthOf(p.first); m <= monthOf(p.last); m++ {
			if s.stale == nil {
				s.stale = map[staleKey]bool{}
			}
			s.stale[staleKey{p.domain, m}] = true
		}
	}
}

// record counts a record. With again, the report has had one of the same source.
//
// Of a report that is spread over days only the sums that do not grow with its
// records are kept: a hostile one would make 400 rows of each. What it says of
// sources, flows and selectors is read from the records.
func (s *sums) record(p *part, source []byte, look *lookInfo, n int64, again bool) {
	if p.first != p.last {
		s.spread(p, look, n)
		return
	}
	if !p.has(p.first) {
		return
	}
	day, from := s.dayOf(p, p.first), s.sourceOf(p, source, p.first)
	day[cRecords] += p.sign
	from[cRecords] += p.sign
	if !again {
		from[cReports] += p.sign
	}
	if n == 0 {
		return
	}
	day.messages(look.verdict, p.sign*n)
	from.messages(look.verdict, p.sign*n)
	for _, g := range look.signers {
		s.sign(selectorKey{p.domain, g.domain, g.selector, p.reporter, p.first, p.class}, g.pass, p.sign*n)
	}
	if p.sign > 0 { // what is taken away makes its month stale
		s.flow(p, source, look.id, n)
	}
}

func (s *sums) spread(p *part, look *lookInfo, n int64) {
	if p.has(p.first) {
		s.dayOf(p, p.first)[cRecords] += p.sign
	}
	s.shares = archive.Spread(s.shares[:0], p.begin, p.end, n)
	for _, share := range s.shares {
		if share.Messages > 0 && p.has(share.Day) {
			s.dayOf(p, share.Day).messages(look.verdict, p.sign*share.Messages)
		}
	}
}

func (s *sums) sign(k selectorKey, pass bool, n int64) {
	v := s.selectors[k]
	if v == nil {
		v = new([2]int64)
		s.selectors[k] = v
	}
	if pass {
		v[0] += n
	} else {
		v[1] += n
	}
}

func (s *sums) flow(p *part, source []byte, look, n int64) {
	k := flowKey{p.domain, string(source), look, p.reporter, monthOf(p.first), p.class}
	v := s.flows[k]
	if v == nil {
		v = &flowSum{first: p.first, last: p.first}
		s.flows[k] = v
	}
	v.messages += n
	v.records++
	v.first, v.last = min(v.first, p.first), max(v.last, p.first)
}

// seen tells whether a source has come before; the records of a report come in
// the order of their sources.
type seen struct{ last []byte }

func (s *seen) again(source []byte) bool {
	if s.last != nil && bytes.Equal(s.last, source) {
		return true
	}
	s.last = append(s.last[:0], source...)
	return false
}
