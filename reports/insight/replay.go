package insight

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc"
)

// maxBlockers bounds what is listed of the sources in the way; the sums have all.
const maxBlockers = 200

// replay returns what gives a source's mail the next policy.
func (r *DomainReadiness) replay(next dmarc.Record, known bool) func(*Source) {
	// Receivers that follow RFC 7489 do not know t: the policy counts as written.
	eff := next.EffectRFC7489()
	above, below := !known || eff.P != dmarc.None, !known || eff.SP != dmarc.None
	return func(s *Source) {
		r.Real += s.Passed
		for j := range s.Classes {
			p := &s.Classes[j]
			n := int64(0)
			if above {
				n += p.Failing - p.below
			}
			if below {
				n += p.below
			}
			r.hit(s, p, n)
		}
	}
}

// hit counts the n messages of a part that would get the policy.
func (r *DomainReadiness) hit(s *Source, p *Part, n int64) {
	if p.Class == Unknown || p.Class == Own && s.Provider == "" && p.Confidence == Low {
		r.Doubtful += n
		if n > 0 && len(r.ToLabel) < maxBlockers {
			r.ToLabel = append(r.ToLabel, blocker(s, p, n))
		}
		return
	}
	if p.Class == Spoofing {
		r.Forged += p.Messages
		r.forgedPass += p.Messages - p.Failing
		r.Real -= p.Messages - p.Failing // it passed, and is not the owner's all the same
		return
	}
	r.Real += p.Failing
	switch p.Class {
	case Forwarding:
		r.HitForwarding += n
		r.Hit += n
	case List:
		r.HitList += n
		r.Hit += n
	default:
		r.HitOwn += n
		r.Hit += n
		if mine := s.Passed + p.Failing; n > 0 && float64(n) > (1-ReadyShare)*float64(mine) && len(r.Blocking) < maxBlockers {
			r.Blocking = append(r.Blocking, blocker(s, p, n))
		}
	}
}

func blocker(s *Source, p *Part, n int64) Blocker {
	return Blocker{Source: s.Name, Class: p.Class, Confidence: p.Confidence, Messages: s.Messages, Failing: n, Share: s.Share, Why: p.Why, Addresses: s.Addresses, Fixes: s.Fixes}
}

// judge lists what speaks for and against.
func (q Query) judge(r *DomainReadiness, h *policyHistory, opt ReadyOptions) {
	no := func(code, format string, args ...any) { r.reason(NotSafe, code, format, args...) }
	open := func(code, format string, args ...any) { r.reason(NotKnown, code, format, args...) }
	e := r.Evidence
	if e.Messages == 0 {
		open("no-reports", "no report has mail of %s in these days", r.Domain)
		return
	}
	for _, b := range r.Blocking {
		no("blocking-source", "%s sends for you, and %d of its %s pass by nothing: they %s", b.Source, b.Failing, plural(b.Messages, "message", "messages"), r.fate())
	}
	if r.DoubtfulShare != nil && *r.DoubtfulShare > ReadyUnknown {
		open("unknown-sources", "%s, %s of what may be yours, of sources that nobody can place: say what they are", plural(r.Doubtful, "message", "messages"), percent(*r.DoubtfulShare))
	}
	reporters, messages, days := ReadyReporters, int64(ReadyMessages), ReadyDays
	if opt.Small {
		reporters, messages, days = 1, smallMessages, smallDays
		if n := (Window{e.First, e.Last}).Days(); n < smallSpan {
			open("short-time", "the reports are of %s: with little mail it takes %d", plural(int64(n), "day", "days"), smallSpan)
		}
	}
	if e.Days < days {
		open("few-days", "there are reports of %s in the window: it takes %d", plural(int64(e.Days), "day", "days"), days)
	}
	if e.Reporters < reporters {
		open("few-reporters", "only %s saw mail: it takes %d", plural(int64(e.Reporters), "reporter", "reporters"), reporters)
	} else if len(e.Large) == 0 && !opt.Small {
		open("no-large-reporter", "no receiver of many mailboxes is among the reporters: most of the mail is not seen")
	}
	if r.Real < messages {
		open("few-messages", "there is real mail of %s: it takes %d to see that 1 in 100 fails", plural(r.Real, "message", "messages"), messages)
	}
	if now := q.now(r.Window); !now.IsZero() {
		if age := int(now.Sub(e.Last.AddDate(0, 0, 1)) / (24 * time.Hour)); age > ReadyFresh {
			open("stale", "the last report is of %s, %d days ago: what sends now is not known", e.Last, age)
		}
	}
	if r.Next != "" && r.StageDays > 0 && r.StageDays < ReadyStage && h.changed {
		open("young-stage", "the policy is %s for %s: give it %d", r.Stage, plural(int64(r.StageDays), "day", "days"), ReadyStage)
	}
	r.cautions()
}

// cautions are prices that do not decide.
func (r *DomainReadiness) cautions() {
	caution := func(part int64, code, format string, args ...any) {
		if s := share(part, r.Real); s != nil && *s >= cautionShare {
			r.reason(Safe, code, format, append([]any{percent(*s)}, args...)...)
		}
	}
	word := "it " + r.fate()
	caution(r.HitList, "mailing-lists", "%s of your mail goes over mailing lists that break its signature: "+word+" (RFC 9989, Section 7.4)")
	caution(r.HitForwarding, "forwarders", "%s of your mail is forwarded and loses its signature: "+word+"; nothing you publish changes that")
	if r.Forged > 0 {
		r.reason(Safe, "forgeries", "%s in your name, which look forged, do not count: 'mailcheck reports failures' lists the sources", plural(r.Forged, "message", "messages"))
	}
	if r.forgedPass > 0 {
		r.reason(Safe, "forgeries-pass", "%s of them pass SPF, and no policy stops them: narrow the record ('mailcheck reports evidence', 'mailcheck spf narrow')", plural(r.forgedPass, "message", "messages"))
	}
	if r.LeftOut.Any() {
		r.reason(Safe, "left-out", "%s that are forged, and %d about domains that are not yours, are left out", plural(r.LeftOut.Forged.Reports, "report", "reports"), r.LeftOut.Alien.Reports)
	}
}

// fate is what receivers would do with mail that fails.
func (r *DomainReadiness) fate() string {
	if r.policyWord() == dmarc.Reject {
		return "would be refused"
	}
	return "would be put aside as spam"
}

// policyWord is the policy of the stage asked about.
func (r *DomainReadiness) policyWord() dmarc.Policy {
	stage := r.Next
	if stage == "" {
		stage = r.Stage
	}
	for _, p := range []dmarc.Policy{dmarc.Reject, dmarc.Quarantine} {
		if len(stage) >= len(p) && stage[:len(p)] == string(p) {
			return p
		}
	}
	return dmarc.None
}

func (r *DomainReadiness) reason(a Answer, code, format string, args ...any) {
	r.Reasons = append(r.Reasons, Reason{code, a, fmt.Sprintf(format, args...)})
}

// percent writes a share so that it never looks rounder than it is: what is less
// than all is not 100 %.
func percent(f float64) string {
	switch {
	case f > 0 && f < 0.001:
		return "<0.1%"
	case f < 1 && f > 0.999:
		return ">99.9%"
	}
	return fmt.Sprintf("%.1f%%", f*100)
}
