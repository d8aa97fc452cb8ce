package sqlite

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// verdict says which counters the messages of a look add to: bits 0 and 1 which
// mechanism passed, 2 and 3 what the receiver did, 4 whether it overrode.
type verdict uint8

func verdictOf(l *archive.Look) (v verdict) {
	c := archive.CountsOf(l, 1)
	v = verdict(c.DKIMOnly + 2*c.SPFOnly + 3*c.Both)
	v |= verdict(c.Quarantine+2*c.Reject+3*c.Other) << 2
	return v | verdict(c.Overridden)<<4
}

// counts are the counters of a sum, in the order of the columns.
type counts [10]int64

const (
	cBoth = iota
	cDKIM
	cSPF
	cNeither
	cQuarantine
	cReject
	cOther
	cOverridden
	cRecords
	cReports
)

var (
	byMechanism   = [4]int{cNeither, cDKIM, cSPF, cBoth}
	byDisposition = [4]int{-1, cQuarantine, cReject, cOther}
)

func (c *counts) messages(v verdict, n int64) {
	c[byMechanism[v&3]] += n
	if i := byDisposition[v>>2&3]; i >= 0 {
		c[i] += n
	}
	if v>>4 != 0 {
		c[cOverridden] += n
	}
}

func (c *counts) add(o *counts) {
	for i, n := range o {
		c[i] += n
	}
}

func (c *counts) sum() int64 { return c[cBoth] + c[cDKIM] + c[cSPF] + c[cNeither] }

func (c *counts) export() archive.Counts {
	n := c.sum()
	return archive.Counts{
		Messages: n, Both: c[cBoth], DKIMOnly: c[cDKIM], SPFOnly: c[cSPF], Neither: c[cNeither],
		None: n - c[cQuarantine] - c[cReject] - c[cOther], Quarantine: c[cQuarantine], Reject: c[cReject], Other: c[cOther],
		Overridden: c[cOverridden], Rows: c[cRecords], Reports: c[cReports],
	}
}

// counts reads the counters from column i on.
func (r *record) counts(i int) (c counts) {
	for k := range c {
		c[k] = r.int(i + k)
	}
	return c
}

// month counts from January 1970.
type month = int64

func monthOf(d archive.Day) month {
	y, m, _ := d.Time().Date()
	return int64(y-1970)*12 + int64(m) - 1
}

// monthDay is the first day of a month.
func monthDay(m month) archive.Day {
	return archive.DayOf(time.Date(1970, time.Month(m)+1, 1, 0, 0, 0, 0, time.UTC))
}

// An address is kept in octets after one that tells the family, so that the
// addresses of a prefix are one range.
const (
	noAddress = 0
	inet4     = 4
	inet6     = 6
)

func appendSource(b []byte, a netip.Addr) []byte {
	switch a = a.Unmap(); {
	case a.Is4():
		v := a.As4()
		return append(append(b, inet4), v[:]...)
	case a.Is6():
		v := a.As16()
		return append(append(b, inet6), v[:]...)
	}
	return append(b, noAddress)
}

// sourceOf reads what appendSource has written.
func sourceOf(b []byte) (netip.Addr, error) {
	if len(b) == 1 && b[0] == noAddress {
		return netip.Addr{}, nil
	}
	if len(b) > 0 {
		a, ok := netip.AddrFromSlice(b[1:])
		if ok && (b[0] == inet4 && a.Is4() || b[0] == inet6 && a.Is6()) {
			return a, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: an address of %d octets", archive.ErrCorrupt, len(b))
}

// sourceRange gives the first and the last address of a prefix as they are kept.
func sourceRange(p netip.Prefix) (from, to []byte, ok bool) {
	if !p.IsValid() {
		return nil, nil, false
	}
	p = p.Masked()
	if p.Addr().Is4In6() {
		return nil, nil, false // netip: such a prefix contains none of the addresses that are kept
	}
	from = appendSource(nil, p.Addr())
	to = append([]byte(nil), from...)
	for i := p.Bits(); i < p.Addr().BitLen(); i++ {
		to[1+i/8] |= 0x80 >> (i % 8)
	}
	return from, to, true
}

// keyOctets is a key in octets.
func keyOctets(k archive.Key) []byte {
	var b []byte
	for _, s := range []string{string(k.Kind), k.Reporter, k.ReportID, k.Domain} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return binary.AppendVarint(binary.AppendVarint(b, k.Begin), k.End)
}
