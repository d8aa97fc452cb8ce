package insight

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// Thresholds of silence. They are ours: a reporter that has missed three of its own
// intervals, and no fewer than three days, is late.
const (
	silentIntervals = 3
	silentAtLeast   = 3 * 24 * time.Hour
	silentReports   = 3 // days with reports, to know an interval by
	maxSeenPolicies = 20
	maxReasons      = 20
)

// Reporters tells who reports.
type Reporters struct {
	Window  Window     `json:"window"`
	LeftOut LeftOut    `json:"left_out"`
	List    []Reporter `json:"reporters"`
	Silent  int        `json:"silent"`
}

// Reporter is one sender of reports.
type Reporter struct {
	Reporter string   `json:"reporter"`  // foreign text
	Names    []string `json:"org_names"` // foreign text
	archive.Counts
	Passed int64 `json:"passed"`
	First  Date  `json:"first"` // days that reports begin
	Last   Date  `json:"last"`
	// Interval is the usual number of days between reports; 0 if it is not known.
	Interval int `json:"interval_days"`
	// Silent says that reports are overdue since Due.
	Silent bool `json:"silent"`
	Due    Date `json:"due"`
	// Enforces tells what it does with mail that fails under quarantine or reject.
	Enforces Enforcement `json:"enforces"`
	// Blocked is the share of failing mail that it put aside or refused.
	Blocked *float64 `json:"blocked_share"`
	Reasons []Tally  `json:"reasons"`
	// Policies are those it saw, the last one first.
	Policies []Seen `json:"policies"`
	// Incomplete reports have lost something.
	Incomplete int64 `json:"incomplete_reports"`
	Large      bool  `json:"large"` // a receiver of many mailboxes
}

// Enforcement is what a reporter does with a policy.
type Enforcement string

// Enforcements.
const (
	Enforcing    Enforcement = "yes"
	PartlyEnf    Enforcement = "partly"
	NotEnforcing Enforcement = "no"
	NothingToDo  Enforcement = "not-known" // no failing mail, or no policy to enforce
)

// Tally counts messages by a word.
type Tally struct {
	Word     string   `json:"word"`
	Comments []string `json:"comments"` // foreign text
	Messages int64    `json:"messages"`
}

// large are receivers of many mailboxes, by the domains their reports come from.
var large = []string{
	"google.com", "yahoo.com", "yahooinc.com", "yahoo-inc.com", "aol.com", "microsoft.com", "outlook.com", "hotmail.com", "comcast.net",
	"apple.com", "icloud.com", "mail.ru", "corp.mail.ru", "yandex.ru", "yandex.com", "qq.com", "163.com", "netease.com", "gmx.net", "gmx.com",
	"web.de", "1und1.de", "mail.com", "kundenserver.de", "t-online.de", "orange.fr", "laposte.net", "free.fr", "libero.it", "seznam.cz", "docomo.ne.jp",
	"rakuten.co.jp", "fastmail.com", "fastmailteam.com", "proton.me", "protonmail.com", "zoho.com", "zohomail.com", "mimecast.org", "mimecast-report.com",
	"cisco.com", "proofpoint.com", "wp.pl", "onet.pl", "interia.pl", "bt.com", "sky.com", "att.net", "cox.net", "charter.net", "naver.com",
}

func isLarge(reporter string) bool {
	return slices.ContainsFunc(large, func(d string) bool { return within(reporter, d) })
}

// diary is what is gathered of a reporter from the heads of its reports.
type diary struct {
	days       []archive.Day
	names      []string
	policies   []Seen
	enforced   bool // a policy to enforce was seen
	incomplete int64
}

// Reporters tells who reports, who enforces the policy, who has gone silent.
func (q Query) Reporters(ctx context.Context) (*Reporters, error) {
	_, w, err := q.days(ctx)
	if err != nil {
		return nil, err
	}
	out := &Reporters{Window: w, List: []Reporter{}}
	if out.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	totals, err := q.Archive.Totals(ctx, q.filter(), archive.ByReporter)
	if err != nil {
		return nil, err
	}
	// Silence is about those who reported once, so it looks beyond the window's
	// beginning.
	diaries, err := q.diaries(ctx)
	if err != nil {
		return nil, err
	}
	reasons, err := q.reasons(ctx, totals)
	if err != nil {
		return nil, err
	}
	at := map[string]archive.Total{}
	for _, t := range totals {
		at[t.Key] = t
	}
	now := q.now(w)
	for name, d := range diaries {
		r := Reporter{Reporter: name, Names: d.names, Counts: at[name].Counts, Policies: d.policies, Incomplete: d.incomplete, Large: isLarge(name), Reasons: reasons[name]}
		if r.Reasons == nil {
			r.Reasons = []Tally{}
		}
		r.Passed = r.Counts.Passed()
		r.rhythm(d.days, now)
		r.enforcement(d.enforced)
		if r.Silent {
			out.Silent++
		}
		if r.Reports > 0 || r.Silent {
			out.List = append(out.List, r)
		}
	}
	slices.SortFunc(out.List, func(a, b Reporter) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(a.Reporter, b.Reporter))
	})
	return out, nil
}

func (q Query) diaries(ctx context.Context) (map[string]*diary, error) {
	f := q.filter()
	f.Kind = archive.Aggregate
	if !f.Since.IsZero() {
		f.Since = f.Since.AddDate(0, 0, -historyDays)
	}
	out := map[string]*diary{}
	for r, err := range q.Archive.Reports(ctx, f) {
		if err != nil {
			return nil, err
		}
		d := out[r.Reporter]
		if d == nil {
			d = &diary{names: []string{}, policies: []Seen{}}
			out[r.Reporter] = d
		}
		if day := archive.DayOf(r.Begin); len(d.days) == 0 || d.days[len(d.days)-1] != day {
			d.days = append(d.days, day) // reports come in the order of begin
		}
		d.names = add(d.names, 5, r.Org)
		if !r.Complete {
			d.incomplete++
		}
		if (q.Since.IsZero() || !r.End.Before(q.Since)) && r.Policy.P != "" {
			d.policy(r)
		}
	}
	return out, nil
}

func (d *diary) policy(r *archive.Report) {
	d.enforced = d.enforced || enforced(r.Policy.P) || enforced(r.Policy.SP)
	i := slices.IndexFunc(d.policies, func(s Seen) bool { return s.key() == policyKey(r.Policy) })
	if i < 0 {
		if len(d.policies) >= maxSeenPolicies {
			return
		}
		d.policies = slices.Insert(d.policies, 0, seen(r.Policy, date(r.Begin)))
		i = 0
	}
	d.policies[i].Last = date(r.Begin)
	d.policies[i].Reports++
}

func enforced(p string) bool { return p == "quarantine" || p == "reject" }

// rhythm finds the usual interval, and what is overdue.
func (r *Reporter) rhythm(days []archive.Day, now time.Time) {
	if len(days) == 0 {
		return
	}
	last := days[len(days)-1]
	r.First, r.Last = Date{days[0].Time()}, Date{last.Time()}
	if len(days) < silentReports {
		return
	}
	var gaps []int
	for i := 1; i < len(days); i++ {
		gaps = append(gaps, int(days[i]-days[i-1]))
	}
	slices.Sort(gaps)
	r.Interval = gaps[len(gaps)/2]
	// The widest gap it ever kept is no silence yet.
	wait := max(time.Duration(r.Interval*silentIntervals)*24*time.Hour, time.Duration(gaps[len(gaps)-1]+1)*24*time.Hour, silentAtLeast)
	// A report of a day is sent after its end.
	due := last.Time().Add(24*time.Hour + wait)
	if now.After(due) {
		r.Silent, r.Due = true, Date{last.Time().AddDate(0, 0, r.Interval)}
	}
}

func (r *Reporter) enforcement(policy bool) {
	r.Enforces = NothingToDo
	if r.Neither == 0 || !policy {
		return
	}
	blocked := r.Quarantine + r.Reject
	r.Blocked = share(min(blocked, r.Neither), r.Neither)
	switch {
	case blocked == 0:
		r.Enforces = NotEnforcing
	case blocked < r.Neither:
		r.Enforces = PartlyEnf
	default:
		r.Enforces = Enforcing
	}
}

// reasons reads the records of those reporters that give any.
func (q Query) reasons(ctx context.Context, totals []archive.Total) (map[string][]Tally, error) {
	f := q.filter()
	for _, t := range totals {
		if t.Overridden > 0 {
			f.Reporters = append(f.Reporters, t.Key)
		}
	}
	out := map[string][]Tally{}
	if len(f.Reporters) == 0 {
		return out, nil
	}
	for r, err := range q.Archive.Rows(ctx, f) {
		if err != nil {
			return nil, err
		}
		list := out[r.Report.Reporter]
		for _, x := range r.Reasons {
			i := slices.IndexFunc(list, func(t Tally) bool { return t.Word == x.Type })
			if i < 0 && len(list) < maxReasons {
				i = len(list)
				list = append(list, Tally{Word: x.Type, Comments: []string{}})
			}
			if i >= 0 {
				list[i].Messages += r.Messages
				list[i].Comments = add(list[i].Comments, 3, x.Comment)
			}
		}
		out[r.Report.Reporter] = list
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b Tally) int {
			return cmp.Or(cmp.Compare(b.Messages, a.Messages), strings.Compare(a.Word, b.Word))
		})
	}
	return out, nil
}
