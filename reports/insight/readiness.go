package insight

import (
	"context"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/reports/archive"
)

// What evidence has to have before Readiness says yes. The numbers are ours, from
// published practice: Google asks for a week of none at least and vendors for
// weeks; a source that fails for 1 mail of 100 is one that is set up.
const (
	ReadyWindow    = 14   // days looked at, unless the query has bounds
	ReadyDays      = 10   // of them with reports: those of weekdays
	ReadyReporters = 3    // at least one of them large
	ReadyMessages  = 100  // of real mail: fewer cannot show a share of 1 in 100
	ReadyShare     = 0.99 // of a source's mail that passes
	ReadyUnknown   = 0.01 // of the mail that nobody can place, at most
	ReadyStage     = 7    // days that a stage lasts
	ReadyFresh     = 7    // days since the last report, at most

	// For a domain with hardly any mail (ReadyOptions.Small): longer, as it cannot
	// be more.
	smallWindow   = 60
	smallMessages = 10
	smallDays     = 5
	smallSpan     = 28 // days between the first and the last report
)

// cautionShare is the part of real mail from which it is worth saying that a step
// has a price: lists, forwarders, mail that rests on SPF alone.
const cautionShare = 0.01

// Answer is a verdict.
type Answer string

// Answers.
const (
	Safe     Answer = "safe"
	NotSafe  Answer = "not-safe"
	NotKnown Answer = "not-known"
)

// ReadyOptions tune Readiness.
type ReadyOptions struct {
	// Small is for a domain with hardly any mail: fewer messages and one reporter
	// are enough, over a longer time.
	Small bool
}

// Readiness tells for each domain whether the next stage of its policy is safe.
type Readiness struct {
	Answer  Answer            `json:"answer"` // the worst of the domains'
	Domains []DomainReadiness `json:"domains"`
	// Unmatched are labels that fit no source of any domain.
	Unmatched []string `json:"labels_without_source"`
}

// DomainReadiness is the answer for one policy domain.
type DomainReadiness struct {
	Domain string `json:"domain"`
	Answer Answer `json:"answer"`
	Window Window `json:"window"`
	// Stage is where the policy is, Next the stage asked about; empty at the end
	// of the way, and then Answer is about staying. See dmarc.Record.Stage.
	Stage     string          `json:"stage"`
	StageFrom string          `json:"stage_from"` // "dns", "reports" or empty
	StageDays int             `json:"stage_days"` // that reports show it for
	Next      string          `json:"next_stage"`
	Record    string          `json:"next_record,omitempty"` // if the record was read
	Edits     []dmarc.TagEdit `json:"-"`
	Before    []string        `json:"before"` // what no report shows and has to be true
	Reasons   []Reason        `json:"reasons"`

	// Real is the mail that is the owner's: it passes, or fails and is no forgery.
	Real int64 `json:"real_messages"`
	// Hit is the real mail that fails and would get the next policy; Doubtful is
	// what nobody can place. Both if all receivers apply the policy as written.
	Hit           int64    `json:"hit_messages"`
	HitShare      *float64 `json:"hit_share"`
	Doubtful      int64    `json:"doubtful_messages"`
	DoubtfulShare *float64 `json:"doubtful_share"`
	// What the hit mail is.
	HitOwn        int64 `json:"hit_misconfigured"`
	HitForwarding int64 `json:"hit_forwarding"`
	HitList       int64 `json:"hit_mailing_list"`
	Forged        int64 `json:"forged_messages"` // in the owner's name: not counted as real

	Blocking []Blocker `json:"blocking"`
	ToLabel  []Blocker `json:"to_label"` // say what they are
	Evidence Basis     `json:"evidence"`
	LeftOut  LeftOut   `json:"left_out"`

	unmatched  []string
	forgedPass int64 // of Forged
}

// Reason is a step of the verdict.
type Reason struct {
	Code string `json:"code"`
	// Answer is what it speaks for: Safe for a caution that does not decide.
	Answer Answer `json:"answer"`
	Text   string `json:"text"`
}

// Blocker is a source that stands in the way.
type Blocker struct {
	Source     string     `json:"source"`
	Class      Class      `json:"class"`
	Confidence Confidence `json:"confidence"`
	Messages   int64      `json:"messages"` // of the source
	Failing    int64      `json:"failing"`
	Share      *float64   `json:"pass_share"`
	Why        []string   `json:"why"`
	Addresses  []Address  `json:"top_addresses"`
	Fixes      []Fix      `json:"fixes"`
}

// Basis is what a verdict rests on.
type Basis struct {
	Days      int      `json:"days"` // with reports
	First     Date     `json:"first"`
	Last      Date     `json:"last"`
	Reports   int64    `json:"reports"`
	Reporters int      `json:"reporters"`
	Large     []string `json:"large_reporters"`
	Messages  int64    `json:"messages"`
}

// Readiness tells whether the next stage of each domain's policy is safe, by
// replaying the mail of the window under it.
func (q Query) Readiness(ctx context.Context, opt ReadyOptions) (*Readiness, error) {
	domains := q.Domains
	if len(domains) == 0 {
		list, err := q.Archive.Totals(ctx, q.filter(), archive.ByDomain)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			domains = append(domains, t.Key)
		}
	}
	out := &Readiness{Answer: Safe, Domains: []DomainReadiness{}, Unmatched: []string{}}
	for i, d := range domains {
		r, err := q.ready(ctx, d, opt)
		if err != nil {
			return nil, err
		}
		out.Answer = worse(out.Answer, r.Answer)
		if i == 0 {
			out.Unmatched = r.unmatched
		} else {
			out.Unmatched = slices.DeleteFunc(out.Unmatched, func(l string) bool { return !slices.Contains(r.unmatched, l) })
		}
		out.Domains = append(out.Domains, *r)
	}
	if len(domains) == 0 {
		out.Answer = NotKnown
	}
	return out, nil
}

// worse is the answer for two: a no outweighs what is not known.
func worse(a, b Answer) Answer {
	switch {
	case a == NotSafe || b == NotSafe:
		return NotSafe
	case a == NotKnown || b == NotKnown:
		return NotKnown
	}
	return Safe
}

func (q Query) ready(ctx context.Context, domain string, opt ReadyOptions) (*DomainReadiness, error) {
	q.Domains = []string{domain}
	r := &DomainReadiness{Domain: domain, Blocking: []Blocker{}, ToLabel: []Blocker{}, Before: []string{}, Evidence: Basis{Large: []string{}}}
	h, err := q.history(ctx)
	if err != nil {
		return nil, err
	}
	if q.Since.IsZero() {
		q.Since = q.windowStart(h, opt)
	}
	next, ok := q.step(r, h)
	see := r.replay(next, ok)
	a, err := q.sources(ctx, see)
	if err != nil {
		return nil, err
	}
	r.HitShare = share(r.Hit, r.Real)
	r.DoubtfulShare = share(r.Doubtful, r.Real+r.Doubtful)
	r.Window, r.unmatched = a.out.Window, a.out.Unmatched
	if r.LeftOut, err = q.leftOut(ctx); err != nil {
		return nil, err
	}
	if err := q.basis(ctx, r, a); err != nil {
		return nil, err
	}
	q.judge(r, h, opt)
	r.Answer = Safe
	for _, x := range r.Reasons {
		r.Answer = worse(r.Answer, x.Answer)
	}
	return r, nil
}

// windowStart is the first day of the default window: it ends with what the
// archive has, so that an archive that is behind is judged by what it knows, and
// then called stale.
func (q Query) windowStart(h *policyHistory, opt ReadyOptions) time.Time {
	n := ReadyWindow
	if opt.Small {
		n = smallWindow
	}
	last := h.last
	if !q.Until.IsZero() && (last.IsZero() || last.After(q.Until)) {
		last = q.Until.AddDate(0, 0, -1)
	}
	if last.IsZero() {
		return time.Time{}
	}
	return archive.DayOf(last).Time().AddDate(0, 0, 1-n)
}

func (q Query) basis(ctx context.Context, r *DomainReadiness, a *analysis) error {
	e := &r.Evidence
	for _, t := range a.days {
		d, err := time.Parse(time.DateOnly, t.Key)
		if err != nil || t.Reports == 0 && t.Messages == 0 {
			continue
		}
		e.Days++
		if e.First.IsZero() {
			e.First = Date{d}
		}
		e.Last = Date{d}
		e.Reports += t.Reports
		e.Messages += t.Messages
	}
	list, err := q.Archive.Totals(ctx, q.filter(), archive.ByReporter)
	if err != nil {
		return err
	}
	for _, t := range list {
		if t.Messages > 0 {
			e.Reporters++
			if isLarge(t.Key) {
				e.Large = add(e.Large, maxAuthors, t.Key)
			}
		}
	}
	return nil
}
