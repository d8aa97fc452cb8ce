package archive

import (
	"math/bits"
	"time"
)

// Day is a number of days since 1970-01-01 UTC.
type Day int32

// DayOf gives the day of a time.
func DayOf(t time.Time) Day {
	s := t.Unix()
	d := s / 86400
	if s%86400 < 0 {
		d--
	}
	return Day(d)
}

// Time gives the beginning of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String gives 2026-11-23.
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// MarshalText gives String.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

const (
	// spanWhole is the longest span that counts for one day: reporters overrun
	// a day by seconds, or by an hour when clocks change.
	spanWhole = 26 * time.Hour
	// maxSpread bounds the days one report is spread over; one that claims
	// more counts for the day it begins in.
	maxSpread = 400
)

// Days gives the first and the last day that a report counts for.
func Days(begin, end time.Time) (first, last Day) {
	first, last = DayOf(begin), DayOf(end.Add(-time.Second))
	if end.Unix()-begin.Unix() <= int64(spanWhole/time.Second) || last-first >= maxSpread || last < first {
		return first, first
	}
	return first, last
}

// Share is messages of a day.
type Share struct {
	Day      Day
	Messages int64
}

// Spread gives the messages of a report by day, in whole messages that add up
// to n. It appends to to. Days without messages are left out, but the first day
// is there even so.
func Spread(to []Share, begin, end time.Time, n int64) []Share {
	first, last := Days(begin, end)
	if last == first || n <= 0 {
		return append(to, Share{first, n})
	}
	span := end.Unix() - begin.Unix()
	var given int64
	for d := first; d <= last; d++ {
		// The sum up to the end of day d, rounded down, less what was given:
		// rounding never adds up to more or less than n.
		till := min((int64(d)+1)*86400, end.Unix()) - begin.Unix()
		hi, lo := bits.Mul64(uint64(n), uint64(till))
		q, _ := bits.Div64(hi, lo, uint64(span))
		share := int64(q) - given
		given = int64(q)
		if share > 0 || d == first {
			to = append(to, Share{d, share})
		}
	}
	return to
}

// Within gives the part of n messages that falls into the filter's days.
func (f Filter) Within(begin, end time.Time, n int64) int64 {
	if f.Since.IsZero() && f.Until.IsZero() {
		return n
	}
	var buf [8]Share
	var sum int64
	for _, s := range Spread(buf[:0], begin, end, n) {
		if f.HasDay(s.Day) {
			sum += s.Messages
		}
	}
	return sum
}

// Overlaps tells whether a report counts for any of the filter's days.
func (f Filter) Overlaps(begin, end time.Time) bool {
	if !f.Since.IsZero() && !f.Until.IsZero() && DayOf(f.Since) >= DayOf(f.Until) {
		return false // no day is chosen
	}
	first, last := Days(begin, end)
	return (f.Since.IsZero() || last >= DayOf(f.Since)) && (f.Until.IsZero() || first < DayOf(f.Until))
}

// HasDay tells whether a day is chosen.
func (f Filter) HasDay(d Day) bool {
	return (f.Since.IsZero() || d >= DayOf(f.Since)) && (f.Until.IsZero() || d < DayOf(f.Until))
}
