package insight

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// IdleDays is how long a selector has not passed before it counts as unused. It is
// ours: what is sent once a month has to show.
const IdleDays = 45

// Selectors tells which DKIM keys sign.
type Selectors struct {
	Window Window     `json:"window"`
	List   []Selector `json:"selectors"`
	// Unnamed is the mail signed for the owner whose reporters do not tell the
	// selector.
	Unnamed int64 `json:"messages_without_selector"`
}

// Use is how a selector is used.
type Use string

// Uses.
const (
	InUse   Use = "in-use"
	Failing Use = "failing" // signs, and passes for less than half
	Broken  Use = "broken"  // signs, and never passes
	Idle    Use = "unused"  // has not passed for IdleDays: can be retired
)

// Selector is one key of the owner's.
type Selector struct {
	Policy    string   `json:"policy_domain"`
	Domain    string   `json:"domain"`
	Selector  string   `json:"selector"`
	Pass      int64    `json:"pass"`
	Fail      int64    `json:"fail"`
	Share     *float64 `json:"pass_share"`
	First     Date     `json:"first"`
	Last      Date     `json:"last_pass"`
	LastFail  Date     `json:"last_fail"`
	Reporters int      `json:"reporters"`
	Use       Use      `json:"use"`
	// Key is the state of the published key: present, absent, revoked, unusable or
	// unknown; empty if DNS was not asked.
	Key      string `json:"key,omitempty"`
	Target   string `json:"cname,omitempty"`
	Provider string `json:"provider,omitempty"`
	Advice   string `json:"advice"`
}

// Selectors tells which keys of the chosen domains sign mail, which of them fail,
// and which can be retired. To tell what is unused it needs reports of IdleDays at
// least.
func (q Query) Selectors(ctx context.Context) (*Selectors, error) {
	_, w, err := q.days(ctx)
	if err != nil {
		return nil, err
	}
	list, err := q.Archive.Selectors(ctx, q.filter())
	if err != nil {
		return nil, err
	}
	out := &Selectors{Window: w, List: []Selector{}}
	end := q.now(w)
	for _, s := range list {
		if organization(s.Domain) != organization(s.Policy) {
			continue
		}
		if s.Selector == "" {
			out.Unnamed += s.Pass + s.Fail
			continue
		}
		x := Selector{Policy: s.Policy, Domain: s.Domain, Selector: s.Selector, Pass: s.Pass, Fail: s.Fail, Share: share(s.Pass, s.Pass+s.Fail),
			First: date(s.First), Last: date(s.Last), LastFail: date(s.LastFail), Reporters: s.Reporters}
		x.judge(q.Live, end)
		out.List = append(out.List, x)
	}
	slices.SortFunc(out.List, func(a, b Selector) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), cmp.Compare(b.Pass, a.Pass), cmp.Compare(b.Fail, a.Fail), strings.Compare(a.Selector, b.Selector), strings.Compare(a.Domain, b.Domain))
	})
	return out, nil
}

func (s *Selector) judge(live *Live, end time.Time) {
	idle := func(d Date) bool { return !d.IsZero() && end.Sub(d.Time) > IdleDays*24*time.Hour }
	switch {
	case s.Pass == 0 && !idle(s.LastFail):
		s.Use, s.Advice = Broken, "signatures with it never pass: publish the key that the sender uses, or find who else signs with this name"
	case s.Pass == 0 || idle(s.Last) && (s.LastFail.IsZero() || idle(s.LastFail)):
		s.Use = Idle
		s.Advice = "no mail for " + plural(int64(end.Sub(laterOf(s.Last, s.LastFail).Time)/(24*time.Hour)), "day", "days") + ": retire it, unless something signs with it rarely"
	case s.Pass < s.Fail:
		s.Use, s.Advice = Failing, "most signatures with it fail: the mail is changed on its way, or some server signs with an old key"
	case idle(s.Last):
		s.Use, s.Advice = Broken, "it passed once and does not any more: was the key changed?"
	default:
		s.Use, s.Advice = InUse, ""
	}
	r, asked := live.key(keyName(s.Selector, s.Domain))
	if !asked {
		return
	}
	if !r.Target.IsZero() {
		s.Target = r.Target.String()
		if p, ok := providers.BySelectorTarget(r.Target); ok {
			s.Provider = p.Name
		}
	}
	switch {
	case r.State == resolve.Unavailable:
		s.Key = "unknown"
	case r.State == resolve.Absent:
		s.Key = "absent"
		if s.Use == Idle {
			s.Use, s.Advice = Idle, "retired: there is no key any more"
		} else {
			s.Advice = "signatures with it are in the reports, and there is no key now: publish it again, or nothing passes"
		}
	case len(r.Records) > 0 && r.Records[0].Key.Revoked:
		s.Key = "revoked"
	case !r.Usable():
		s.Key = "unusable"
	default:
		s.Key = "present"
	}
}

func laterOf(a, b Date) Date {
	if b.After(a.Time) {
		return b
	}
	return a
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// Known lists the selectors of a domain that reports have seen, for
// dkim.Discover; the most used first.
func Known(ctx context.Context, r archive.Reader, domain string) ([]string, error) {
	list, err := r.Selectors(ctx, archive.Filter{NoForged: true})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(s archive.Selector) bool { return s.Domain != domain || s.Selector == "" })
	slices.SortStableFunc(list, func(a, b archive.Selector) int { return cmp.Compare(b.Pass, a.Pass) })
	var out []string
	for _, s := range list {
		out = add(out, maxLiveSelectors, s.Selector)
	}
	return out, nil
}
