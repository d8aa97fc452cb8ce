package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// maxBelow bounds the author domains listed of one policy domain.
const maxBelow = 50

// Summary tells how mail fares.
type Summary struct {
	Window  Window        `json:"window"`
	Before  *Window       `json:"before"` // what Change is against; null: nothing
	LeftOut LeftOut       `json:"left_out"`
	Total   DomainTotal   `json:"total"`
	Domains []DomainTotal `json:"domains"`
}

// DomainTotal is the mail of a policy domain.
type DomainTotal struct {
	Domain string `json:"domain,omitempty"`
	archive.Counts
	Passed int64    `json:"passed"`
	Share  *float64 `json:"pass_share"` // 0 to 1; null without messages
	// Earlier is the same over as many days before; null if it was not asked for.
	Earlier *archive.Counts `json:"before,omitempty"`
	// Change is that of Share: 0.02 is two points more. Null if a share is not known.
	Change *float64 `json:"pass_share_change"`
	First  Date     `json:"first"` // days with messages
	Last   Date     `json:"last"`
	Policy *Seen    `json:"policy,omitempty"` // as the last report had it
	// Authors are the domains in From, the most used first.
	Authors []Author `json:"header_from,omitempty"`
	// MoreAuthors are those that are not listed.
	MoreAuthors int `json:"more_header_from,omitempty"`
}

// Author is the mail of a domain in From.
type Author struct {
	Domain string `json:"domain"` // foreign text
	archive.Counts
	Passed int64    `json:"passed"`
	Share  *float64 `json:"pass_share"`
	// Silent authors never passed: a name that is not used, or not set up.
	Silent bool `json:"never_passed"`
	First  Date `json:"first"`
	Last   Date `json:"last"`
}

// Summary tells how the mail of each domain fares, and what changed.
func (q Query) Summary(ctx context.Context) (*Summary, error) {
	_, w, err := q.days(ctx)
	if err != nil {
		return nil, err
	}
	s := &Summary{Window: w, Domains: []DomainTotal{}}
	if s.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	list, err := q.Archive.Totals(ctx, q.filter(), archive.ByDomain)
	if err != nil {
		return nil, err
	}
	earlier, err := q.earlier(ctx, s)
	if err != nil {
		return nil, err
	}
	policies, err := q.policies(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, t := range list {
		known[t.Key] = true
		s.Domains = append(s.Domains, domainTotal(t, earlier))
	}
	for d, c := range earlier {
		if !known[d] && c.Messages > 0 { // it has gone silent: that is news
			s.Domains = append(s.Domains, domainTotal(archive.Total{Key: d}, earlier))
		}
	}
	var all archive.Total
	for i := range s.Domains {
		d := &s.Domains[i]
		d.Policy = policies[d.Domain]
		all.Add(d.Counts)
		span(&all.First, &all.Last, d.First.Time, d.Last.Time)
		if err := q.authors(ctx, d); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(s.Domains, func(a, b DomainTotal) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(a.Domain, b.Domain))
	})
	var sum map[string]archive.Counts
	if earlier != nil {
		var c archive.Counts
		for _, x := range earlier {
			c.Add(x)
		}
		sum = map[string]archive.Counts{"": c}
	}
	s.Total = domainTotal(all, sum)
	return s, nil
}

func domainTotal(t archive.Total, earlier map[string]archive.Counts) DomainTotal {
	d := DomainTotal{Domain: t.Key, Counts: t.Counts, Passed: t.Passed(), First: date(t.First), Last: date(t.Last)}
	d.Share = share(d.Passed, d.Messages)
	if earlier != nil {
		c := earlier[t.Key]
		d.Earlier = &c
		if was := share(c.Passed(), c.Messages); was != nil && d.Share != nil {
			x := *d.Share - *was
			d.Change = &x
		}
	}
	return d
}

// earlier gives the sums of as many days before the window, nil if it has no
// beginning of the caller's choice.
func (q Query) earlier(ctx context.Context, s *Summary) (map[string]archive.Counts, error) {
	b, ok := q.before(s.Window)
	if !ok {
		return nil, nil
	}
	s.Before = &Window{date(b.Since), Date{b.Until.AddDate(0, 0, -1)}}
	list, err := q.Archive.Totals(ctx, b.filter(), archive.ByDomain)
	out := map[string]archive.Counts{}
	for _, t := range list {
		out[t.Key] = t.Counts
	}
	return out, err
}

// maxAuthorQueries bounds the domains whose authors are told apart: each costs a
// question to the archive.
const maxAuthorQueries = 50

func (q Query) authors(ctx context.Context, d *DomainTotal) error {
	if d.Messages == 0 || len(q.Domains) > maxAuthorQueries {
		return nil
	}
	f := q.filter()
	f.Domains = []string{d.Domain}
	list, err := q.Archive.Totals(ctx, f, archive.ByHeaderFrom)
	if err != nil {
		return err
	}
	for _, t := range list {
		a := Author{Domain: t.Key, Counts: t.Counts, Passed: t.Passed(), First: date(t.First), Last: date(t.Last)}
		a.Share = share(a.Passed, a.Messages)
		a.Silent = a.Passed == 0 && a.Messages > 0
		d.Authors = append(d.Authors, a)
	}
	slices.SortFunc(d.Authors, func(a, b Author) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(a.Domain, b.Domain))
	})
	if n := len(d.Authors) - maxBelow; n > 0 {
		d.Authors, d.MoreAuthors = d.Authors[:maxBelow], n
	}
	return nil
}

// Seen is a published policy as reporters saw it; empty is not said.
type Seen struct {
	P       string `json:"p"`
	SP      string `json:"sp"`
	NP      string `json:"np"`
	Testing string `json:"t"`
	Pct     string `json:"pct"`
	ADKIM   string `json:"adkim"`
	ASPF    string `json:"aspf"`
	First   Date   `json:"first"` // days that reports with it begin
	Last    Date   `json:"last"`
	Reports int64  `json:"reports"`
}

func seen(p archive.Policy, first Date) Seen {
	return Seen{P: p.P, SP: p.SP, NP: p.NP, Testing: p.Testing, Pct: p.Pct, ADKIM: p.ADKIM, ASPF: p.ASPF, First: first}
}

// policies gives the policy of each domain in its last report.
func (q Query) policies(ctx context.Context) (map[string]*Seen, error) {
	f := q.filter()
	f.Kind = archive.Aggregate
	out := map[string]*Seen{}
	for r, err := range q.Archive.Reports(ctx, f) {
		if err != nil {
			return nil, err
		}
		if r.Policy.P == "" {
			continue
		}
		s := out[r.Domain]
		if s == nil || s.key() != policyKey(r.Policy) {
			x := seen(r.Policy, date(r.Begin))
			s, out[r.Domain] = &x, &x
		}
		s.Last = date(r.Begin)
		s.Reports++
	}
	return out, nil
}

func policyKey(p archive.Policy) [5]string { return [5]string{p.P, p.SP, p.NP, p.Testing, p.Pct} }

func (s *Seen) key() [5]string { return [5]string{s.P, s.SP, s.NP, s.Testing, s.Pct} }
