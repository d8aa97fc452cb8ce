package insight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Unit is the length of the periods of a timeline.
type Unit string

// Units. A week begins on Monday.
const (
	Day   Unit = "day"
	Week  Unit = "week"
	Month Unit = "month"
)

// ErrUnit is the error of a timeline in a unit that there is none of.
var ErrUnit = errors.New("insight: a timeline is by day, week or month")

// Thresholds of a drop. They are ours.
const (
	dropPoints   = 0.05 // of the share that passes
	dropMessages = 20   // in the period
	dropPeriods  = 7    // that it is compared with
	maxPeriods   = 4000 // of a timeline: ten years of days
)

// Timeline tells how mail fares over time.
type Timeline struct {
	Window  Window   `json:"window"`
	LeftOut LeftOut  `json:"left_out"`
	Unit    Unit     `json:"unit"`
	Periods []Period `json:"periods"`
	// Earlier sums what is from before the first period: a timeline has no more than
	// 4,000.
	Earlier archive.Counts `json:"earlier"`
	// Silent is the number of periods without any report.
	Silent int `json:"periods_without_reports"`
}

// Period is a part of a timeline. The first and the last may be cut by the window.
type Period struct {
	First Date `json:"first"`
	Last  Date `json:"last"`
	archive.Counts
	Passed int64    `json:"passed"`
	Share  *float64 `json:"pass_share"`
	// Drop says that clearly less passes than did in the middle of the periods
	// before; Usual is what did.
	Drop  bool     `json:"drop"`
	Usual *float64 `json:"usual_share"`
}

// Timeline tells how the mail of all chosen domains fares over time.
func (q Query) Timeline(ctx context.Context, unit Unit) (*Timeline, error) {
	if unit != Day && unit != Week && unit != Month {
		return nil, fmt.Errorf("%w, not %.20q", ErrUnit, unit)
	}
	days, w, err := q.days(ctx)
	if err != nil {
		return nil, err
	}
	t := &Timeline{Window: w, Unit: unit, Periods: []Period{}}
	if t.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	if w.Days() <= 0 {
		return t, nil
	}
	at := map[time.Time]int{}
	for d := begin(w, unit); !d.After(w.Last.Time); d = next(d, unit) {
		at[d] = len(t.Periods)
		p := Period{First: Date{d}, Last: Date{next(d, unit).AddDate(0, 0, -1)}}
		if d.Before(w.First.Time) {
			p.First = w.First
		}
		if p.Last.After(w.Last.Time) {
			p.Last = w.Last
		}
		t.Periods = append(t.Periods, p)
	}
	for _, x := range days {
		d, err := time.Parse(time.DateOnly, x.Key)
		if err != nil {
			continue
		}
		if i, ok := at[start(d, unit)]; ok {
			t.Periods[i].Add(x.Counts)
		} else {
			t.Earlier.Add(x.Counts)
		}
	}
	for i := range t.Periods {
		p := &t.Periods[i]
		p.Passed = p.Counts.Passed()
		p.Share = share(p.Passed, p.Messages)
		if p.Reports == 0 && p.Messages == 0 {
			t.Silent++
		}
		t.drop(i)
	}
	return t, nil
}

// drop compares a period with the middle of those before it.
func (t *Timeline) drop(i int) {
	p := &t.Periods[i]
	var before []float64
	for j := i - 1; j >= 0 && len(before) < dropPeriods; j-- {
		if b := t.Periods[j]; b.Messages >= dropMessages {
			before = append(before, *b.Share)
		}
	}
	if len(before) < 2 || p.Messages < dropMessages {
		return
	}
	slices.Sort(before)
	usual := before[len(before)/2]
	p.Usual = &usual
	p.Drop = usual-*p.Share > dropPoints
}

// begin is the start of the first period, the last maxPeriods of the window being
// shown.
func begin(w Window, unit Unit) time.Time {
	days := maxPeriods
	switch unit {
	case Week:
		days *= 7
	case Month:
		days *= 28
	}
	first := w.First.Time
	if w.Days() > days {
		first = w.Last.AddDate(0, 0, 1-days)
	}
	return start(first, unit)
}

func start(d time.Time, unit Unit) time.Time {
	switch unit {
	case Week:
		return d.AddDate(0, 0, -(int(d.Weekday())+6)%7)
	case Month:
		return time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
	}
	return d
}

func next(d time.Time, unit Unit) time.Time {
	switch unit {
	case Week:
		return d.AddDate(0, 0, 7)
	case Month:
		return d.AddDate(0, 1, 0)
	}
	return d.AddDate(0, 0, 1)
}
