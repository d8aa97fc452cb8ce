package message

import (
	"net/mail"
	"strings"
	"time"
)

// ParseDate reads a date of mail (RFC 5322, Section 3.3 and the obsolete forms of
// Section 4.3) and many that are none by the letter, in UTC. strict reports
// whether it is of the current form.
func ParseDate(text string) (t time.Time, strict, ok bool) {
	s := strings.Join(strings.Fields(StripComments(text)), " ")
	if s == "" || len(s) > 100 {
		return time.Time{}, false, false
	}
	last := s[strings.LastIndexByte(s, ' ')+1:]
	if named := strings.IndexFunc(last, func(r rune) bool { return r < 'A' }) < 0; !named {
		if t, err := mail.ParseDate(s); err == nil && plausible(t) {
			numeric := len(s) >= 5 && (s[len(s)-5] == '+' || s[len(s)-5] == '-')
			return t.UTC(), numeric, true
		}
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			return t.UTC(), false, true
		}
	}
	// A zone without a known meaning is taken as UTC (RFC 5322, Section 4.3).
	if i := strings.LastIndexByte(s, ' '); i > 0 {
		for _, layout := range zoneless {
			if t, err := time.Parse(layout, s[:i]); err == nil && plausible(t) {
				return t.Add(-oldZone(s[i+1:])), false, true
			}
		}
	}
	for _, layout := range zoneless {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			return t, false, true
		}
	}
	return time.Time{}, false, false
}

func plausible(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2200 }

var dateLayouts = []string{
	"Mon, 2 Jan 2006 15:04:05 -07:00", "2 Jan 2006 15:04:05 -07:00", "Mon, 2 Jan 2006 15:04 -0700",
	"Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 -0700 2006", "Mon Jan 2 15:04:05 2006",
	"Mon, Jan 2 2006 15:04:05 -0700", "Mon, Jan 2, 2006 15:04:05 -0700",
	"Monday, 2 January 2006 15:04:05 -0700", "Monday, January 2, 2006 15:04:05 -0700", "Mon, 2 January 2006 15:04:05 -0700",
	"Mon, 2-Jan-2006 15:04:05 -0700", "2-Jan-2006 15:04:05 -0700", "2006-01-02 15:04:05 -0700",
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05-0700", "Mon, 2 Jan 2006 15:04:05.999 -0700",
	"Mon,2 Jan 2006 15:04:05 -0700", "Mon 2 Jan 2006 15:04:05 -0700",
}

var zoneless = []string{
	"Mon, 2 Jan 2006 15:04:05", "2 Jan 2006 15:04:05", "Mon, 2 Jan 06 15:04:05", "2 Jan 06 15:04:05", "Mon, 2 Jan 2006 15:04",
	"Mon 2 Jan 2006 15:04:05", "Monday, 2 January 2006 15:04:05", "2006-01-02 15:04:05", "2006/01/02 15:04:05",
	"Mon Jan 2 15:04:05 2006", "Mon, Jan 2 2006 15:04:05",
}

// oldZone is the offset of a zone name (RFC 5322, Section 4.3), 0 if it has none.
func oldZone(name string) time.Duration {
	hours := map[string]float64{
		"EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8,
		// Not of the RFC, and seen in mail.
		"CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "MESZ": 2, "MEZ": 1, "BST": 1, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
		"IST": 5.5, "AEST": 10, "AEDT": 11, "HKT": 8, "SGT": 8,
	}
	return time.Duration(hours[strings.ToUpper(strings.Trim(name, "()\"'"))] * float64(time.Hour))
}
