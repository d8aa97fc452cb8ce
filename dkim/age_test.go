package dkim_test

import (
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
)

func TestSelectorDate(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct{ selector, want string }{
		{"20230601", "2023-06-01"},
		{"mc202306", "2023-06-30"},
		{"mc202306e", "2023-06-30"},
		{"s2023-06-15", "2023-06-15"},
		{"2023_06", "2023-06-30"},
		{"2019", "2019-12-31"},
		{"dkim2019", "2019-12-31"},
		{"may2013", "2013-12-31"},
		{"062013", "2013-06-30"},
		{"2026", "2026-11-01"}, // no later than now
		{"201602.mail", "2016-02-29"},
		{"s1", ""},
		{"rsa2048", ""}, // in the future
		{"key1024", ""}, // before DKIM
		{"20231301", ""},
		{"20270101", ""},
		{"123456789", ""},
		{"20230", ""},
		{"", ""},
		{"yg4mwqurec7fkhzutopddd3ytuaq2019", ""}, // random
		{"default", ""},
	} {
		got, ok := dkim.SelectorDate(tt.selector, now)
		text := ""
		if ok {
			text = got.Format(time.DateOnly)
		}
		if text != tt.want {
			t.Errorf("SelectorDate(%q) = %q, want %q", tt.selector, text, tt.want)
		}
	}
}

func FuzzSelectorDate(f *testing.F) {
	f.Add("mc202306e")
	f.Add("9999-99-99_1")
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if d, ok := dkim.SelectorDate(s, now); ok && (d.After(now) || d.Year() < 2007) {
			t.Errorf("SelectorDate(%q) = %v", s, d)
		}
	})
}
