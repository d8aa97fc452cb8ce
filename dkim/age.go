package dkim

import (
	"strings"
	"time"
)

// Limits of dates in selectors. Longer selectors are random strings, in which four
// digits mean nothing; no DKIM key is older than RFC 4871.
const (
	maxDated  = 24 // octets
	firstYear = 2007
)

// SelectorDate reads the date that many senders put into the name of a selector,
// as in "20230601", "s2023-06", "mc202306" or "2023": RFC 6376, Section 3.1,
// proposes months. It returns the last day that the date can mean, so that a key
// never looks older than it is. Dates after now, and digits that are no date, are
// not ok.
func SelectorDate(selector string, now time.Time) (last time.Time, ok bool) {
	if len(selector) > maxDated {
		return time.Time{}, false
	}
	for _, label := range strings.Split(selector, ".") {
		if t, found := labelDate(label); found && !t.start.After(now) && (!ok || t.end.After(last)) {
			last, ok = t.end, true
		}
	}
	if ok && last.After(now) {
		last = now
	}
	return last, ok
}

type period struct{ start, end time.Time }

// labelDate finds a date in one label: the longest that a run of digits, or runs
// joined by single hyphens or underscores, can mean.
func labelDate(label string) (period, bool) {
	var runs []string // digits; "" stands for anything that separates them for good
	for i := 0; i < len(label); {
		j := i
		for j < len(label) && label[j] >= '0' && label[j] <= '9' {
			j++
		}
		switch {
		case j > i:
			runs = append(runs, label[i:j])
			i = j
		case label[i] == '-' || label[i] == '_':
			i++
		default:
			runs = append(runs, "")
			i++
		}
	}
	for n := 3; n >= 1; n-- {
		for i := 0; i+n <= len(runs); i++ {
			if p, ok := dateOf(runs[i : i+n]); ok {
				return p, true
			}
		}
	}
	return period{}, false
}

// dateOf reads YYYY MM DD, YYYY MM or YYYY, each in runs of its own or in one run.
func dateOf(runs []string) (period, bool) {
	for i, r := range runs {
		if r == "" || len(runs) > 1 && len(r) != 2 && (i > 0 || len(r) != 4) {
			return period{}, false
		}
	}
	digits := strings.Join(runs, "")
	layouts := map[int][]string{8: {"20060102"}, 6: {"200601", "012006"}, 4: {"2006"}}[len(digits)]
	for _, layout := range layouts {
		t, err := time.Parse(layout, digits)
		if err != nil || t.Year() < firstYear || t.Year() > 9000 {
			continue
		}
		switch len(digits) {
		case 8:
			return period{t, t}, true
		case 6:
			return period{t, t.AddDate(0, 1, -1)}, true
		}
		return period{t, t.AddDate(1, 0, -1)}, true
	}
	return period{}, false
}
