// Package digest puts the answers of DMARC reports (RFC 9990) on one page, for
// somebody who reads one page a week or a month: a boss, a client.
//
// Such a reader asks: is it all right, what changed, what has to be done. Tables of
// addresses do not answer that, and the services that do are paid for. The page
// says it in sentences, with the few numbers behind them.
//
// For most uses, call [Make] and write the result with [Digest.Text] or
// [Digest.HTML]. The HTML is one file with its charts in it: no script, nothing
// loaded from elsewhere, every foreign word escaped.
package digest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

// Period is what a page is about.
type Period string

// Periods. A week begins on Monday.
const (
	Week  Period = "week"
	Month Period = "month"
)

// What is shown, and from when on something is news. They are ours.
const (
	maxSources  = 10
	maxNews     = 12
	trend       = 12   // periods of the long chart
	newsPoints  = 0.01 // of the share that passes
	newsVolume  = 0.5  // of the messages
	newsFailing = 10   // messages of a source
)

// Digest is one page.
type Digest struct {
	Title   string         `json:"title"`
	Domains []string       `json:"domains"`
	Window  insight.Window `json:"window"`
	Verdict string         `json:"verdict"` // one sentence
	Good    bool           `json:"good"`
	// News are what changed, Todo what to do; foreign names in them are escaped.
	News    []string            `json:"news"`
	Todo    []string            `json:"todo"`
	Notes   []string            `json:"notes"`
	Total   insight.DomainTotal `json:"total"`
	Days    []insight.Period    `json:"days"`
	Trend   []insight.Period    `json:"trend"`
	Unit    Period              `json:"trend_unit"`
	Sources []insight.Source    `json:"sources"`
	More    int                 `json:"more_sources"`

	Classes   []insight.ClassTotal      `json:"failing_by_class"`
	Readiness []insight.DomainReadiness `json:"readiness"`
	TLS       *insight.TLS              `json:"tls"` // null without TLS reports
}

// Span gives the last whole period before a time: its first day, and the first
// after it.
func Span(p Period, now time.Time) (since, until time.Time) {
	d := archive.DayOf(now).Time()
	if p == Month {
		until = time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
		return until.AddDate(0, -1, 0), until
	}
	until = d.AddDate(0, 0, -(int(d.Weekday())+6)%7)
	return until.AddDate(0, 0, -7), until
}

// Make gathers a page for the days of the query, which need both bounds: see Span.
func Make(ctx context.Context, q insight.Query, p Period) (*Digest, error) {
	d := &Digest{Unit: p, Domains: []string{}, News: []string{}, Todo: []string{}, Notes: []string{}, Sources: []insight.Source{}}
	sum, err := q.Summary(ctx)
	if err != nil {
		return nil, err
	}
	d.Window, d.Total = sum.Window, sum.Total
	for _, x := range sum.Domains {
		d.Domains = append(d.Domains, x.Domain)
	}
	src, err := q.Sources(ctx)
	if err != nil {
		return nil, err
	}
	if d.Sources = src.List; len(d.Sources) > maxSources {
		d.More = len(d.Sources) - maxSources + src.More.Sources
		d.Sources = d.Sources[:maxSources]
	}
	fail, err := q.Failures(ctx)
	if err != nil {
		return nil, err
	}
	d.Classes = fail.Classes
	if err := d.charts(ctx, q, p); err != nil {
		return nil, err
	}
	long := q // readiness looks at more days than a week has
	long.Since = time.Time{}
	ready, err := long.Readiness(ctx, insight.ReadyOptions{})
	if err != nil {
		return nil, err
	}
	d.Readiness = slices.DeleteFunc(ready.Domains, func(r insight.DomainReadiness) bool { return !slices.Contains(d.Domains, r.Domain) })
	rep, err := q.Reporters(ctx)
	if err != nil {
		return nil, err
	}
	tls, err := q.TLS(ctx)
	if err != nil {
		return nil, err
	}
	if len(tls.Policies) > 0 {
		d.TLS = tls
	}
	d.title()
	d.news(sum, src, rep)
	d.todo(fail)
	d.verdict(fail)
	if sum.LeftOut.Any() {
		d.Notes = append(d.Notes, fmt.Sprintf("%d forged reports, and %d about domains that are not ours, are left out.", sum.LeftOut.Forged.Reports, sum.LeftOut.Alien.Reports))
	}
	return d, nil
}

func (d *Digest) charts(ctx context.Context, q insight.Query, p Period) error {
	days, err := q.Timeline(ctx, insight.Day)
	if err != nil {
		return err
	}
	d.Days = days.Periods
	long, unit := q, insight.Week
	if p == Month {
		unit = insight.Month
		long.Since = q.Since.AddDate(0, 1-trend, 0)
	} else {
		long.Since = q.Since.AddDate(0, 0, 7*(1-trend))
	}
	t, err := long.Timeline(ctx, unit)
	if err != nil {
		return err
	}
	// What is from before the first report is no news.
	i := slices.IndexFunc(t.Periods, func(x insight.Period) bool { return x.Messages > 0 })
	if i >= 0 {
		d.Trend = t.Periods[i:]
	}
	return nil
}

func (d *Digest) title() {
	name := strings.Join(d.Domains, ", ")
	switch {
	case len(d.Domains) > 3:
		name = fmt.Sprintf("%s and %d more domains", strings.Join(d.Domains[:2], ", "), len(d.Domains)-2)
	case len(d.Domains) == 0:
		name = "no domain"
	}
	d.Title = "Mail of " + safe.Text(name)
}

// news says what changed against the days before.
func (d *Digest) news(sum *insight.Summary, src *insight.Sources, rep *insight.Reporters) {
	say := func(format string, args ...any) {
		if len(d.News) < maxNews {
			d.News = append(d.News, safe.Text(fmt.Sprintf(format, args...)))
		}
	}
	if c := sum.Total.Change; c != nil {
		switch {
		case *c <= -newsPoints:
			say("The part that passes fell by %.1f points, to %s.", -*c*100, rate(sum.Total.Share))
		case *c >= newsPoints:
			say("The part that passes rose by %.1f points, to %s.", *c*100, rate(sum.Total.Share))
		}
	}
	if e := sum.Total.Earlier; e != nil && e.Messages > 0 {
		if x := float64(sum.Total.Messages)/float64(e.Messages) - 1; x >= newsVolume || x <= -newsVolume {
			say("There were %s messages, %s before.", number(sum.Total.Messages), number(e.Messages))
		}
	}
	for _, x := range src.List {
		if x.New && src.NewKnown {
			say("New: %s sent %s messages as %s; %s pass.", x.Name, number(x.Messages), x.Domain, rate(x.Share))
		}
	}
	for _, x := range sum.Domains {
		if x.Messages == 0 {
			say("No report about %s came any more.", x.Domain)
		}
	}
	for _, x := range d.Days {
		if x.Drop {
			say("On %s only %s passed, usually %s do.", x.First, rate(x.Share), rate(x.Usual))
		}
	}
	for _, x := range rep.List {
		if x.Silent {
			say("%s has not reported since %s.", x.Reporter, x.Last)
		}
	}
}

// todo says what to do, the most mail first.
func (d *Digest) todo(fail *insight.Failures) {
	list := slices.Clone(fail.List)
	slices.SortStableFunc(list, func(a, b insight.Failure) int { return cmp.Compare(b.Messages, a.Messages) })
	for _, x := range list {
		if len(d.Todo) >= maxNews || x.Messages < newsFailing {
			continue
		}
		switch x.Class {
		case insight.Own:
			text := fmt.Sprintf("%s: %s messages for %s fail.", x.Source, number(x.Messages), x.Domain)
			for _, f := range x.Fixes {
				text += " " + sentence(f.Text)
			}
			d.Todo = append(d.Todo, safe.Text(text))
		case insight.Unknown:
			d.Todo = append(d.Todo, safe.Text(fmt.Sprintf("%s: find out whether it is ours; %s messages for %s fail.", x.Source, number(x.Messages), x.Domain)))
		}
	}
	if d.TLS != nil {
		for _, p := range d.TLS.Policies {
			for _, f := range p.Failures {
				if len(d.Todo) < maxNews && f.Sessions >= newsFailing {
					d.Todo = append(d.Todo, safe.Text(fmt.Sprintf("TLS to %s: %s sessions failed with %s. %s", cmp.Or(f.ReceivingMX, p.Domain), number(f.Sessions), f.Type, sentence(f.Advice))))
				}
			}
		}
	}
}

func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func (d *Digest) verdict(fail *insight.Failures) {
	if d.Total.Messages == 0 {
		d.Verdict = "No reports came: nothing is known of these days."
		return
	}
	var own, forged int64
	for _, c := range fail.Classes {
		switch c.Class {
		case insight.Own, insight.Unknown:
			own += c.Messages
		case insight.Spoofing:
			forged += c.Messages
		}
	}
	mine := d.Total.Messages - forged
	d.Good = float64(own) <= (1-insight.ReadyShare)*float64(mine)
	switch {
	case d.Good && mine < insight.ReadyMessages:
		d.Verdict = fmt.Sprintf("Little was reported: of %s messages that may be ours, %s pass.", number(mine), rate(part(d.Total.Passed, mine)))
	case d.Good:
		d.Verdict = fmt.Sprintf("All is well: of %s messages that may be ours, %s pass.", number(mine), rate(part(d.Total.Passed, mine)))
	default:
		d.Verdict = fmt.Sprintf("There is something to do: %s of %s messages that may be ours pass by nothing.", number(own), number(mine))
	}
	if forged > 0 {
		d.Verdict += fmt.Sprintf(" %s more look forged.", number(forged))
	}
}

func part(a, b int64) *float64 {
	if b <= 0 {
		return nil
	}
	f := float64(a) / float64(b)
	return &f
}

func number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// rate writes a share so that what is less than all never reads 100 %.
func rate(f *float64) string {
	switch {
	case f == nil:
		return "-"
	case *f < 1 && *f >= 0.9995:
		return ">99.9%"
	case *f > 0 && *f < 0.001:
		return "<0.1%"
	}
	return fmt.Sprintf("%.1f%%", *f*100)
}
