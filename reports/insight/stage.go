package insight

import (
	"context"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// step finds the stage that the policy is at, and the next.
func (q Query) step(r *DomainReadiness, h *policyHistory) (dmarc.Record, bool) {
	rec, ok := h.record()
	opt := dmarc.StageOptions{Blind: true}
	r.StageFrom, r.StageDays = "reports", h.days
	live := q.Live.of(r.Domain)
	switch {
	case live == nil:
	case live.dmarc.Policy.State == resolve.Unavailable:
		r.reason(NotKnown, "dns-failed", "the DMARC record could not be read, so what is published now is not known")
	case live.dmarc.Policy.State == resolve.Absent || live.dmarc.Policy.Domain != live.name:
		r.Stage, r.StageFrom, r.Next = "", "dns", string(dmarc.None)
		r.reason(NotKnown, "no-record", "%s has no usable DMARC record of its own now: begin with p=none and rua", r.Domain)
		return rec, false
	default:
		if h.p != "" && string(live.dmarc.Policy.Record.P) != h.p {
			r.reason(NotKnown, "policy-changed", "the record says p=%s now, and the reports are about p=%s: wait for reports of the new policy", live.dmarc.Policy.Record.P, h.p)
		} else if now := live.dmarc.Policy.Record.Testing; h.p != "" && h.t != "" && now != (h.t == "y") {
			r.reason(NotKnown, "policy-changed", "the record says t=%s now, and the reports are about t=%s: wait for reports of the new policy", yesNo(now), h.t)
		}
		rec, ok = live.dmarc.Policy.Record, true
		r.StageFrom = "dns"
		org := live.dmarc.Organizational
		opt = dmarc.StageOptions{KeepNP: org.State == resolve.Present && org.Domain != live.name}
	}
	if !ok {
		r.StageFrom = ""
		if h.last.IsZero() {
			return rec, false
		}
		r.reason(NotKnown, "policy-unknown", "the reports do not tell which policy is published: ask DNS with --dns")
		return rec, false
	}
	r.Stage = rec.Stage()
	m, err := rec.Advance(opt)
	if err != nil {
		r.reason(NotKnown, "no-step", "%v", err)
		return rec, true
	}
	if len(m.Edits) > 0 {
		r.Next, r.Edits = m.To, m.Edits
		r.Before = append(r.Before, m.Before...)
		if r.StageFrom == "dns" {
			r.Record = m.Record.String()
		}
	}
	return m.Record, true
}

func yesNo(b bool) string {
	if b {
		return "y"
	}
	return "n"
}

// policyHistory is what the reports say of the policy over time.
type policyHistory struct {
	p, sp, np, t, pct string
	days              int  // that p and t have been so, as far as reports go back
	changed           bool // it was another one before
	last              time.Time
}

// history reads the heads of all reports on a domain, also of before the window.
func (q Query) history(ctx context.Context) (*policyHistory, error) {
	f := q.filter()
	f.Since, f.Kind = time.Time{}, archive.Aggregate
	h := &policyHistory{}
	byDay := map[archive.Day]map[string]int{}
	tests := testWords{}
	for r, err := range q.Archive.Reports(ctx, f) {
		if err != nil {
			return nil, err
		}
		if r.Rows == 0 && r.Messages == 0 {
			continue
		}
		if end := r.End.Add(-time.Second); end.After(h.last) {
			h.last = end
		}
		if r.Policy.P == "" {
			continue
		}
		d := archive.DayOf(r.Begin)
		if byDay[d] == nil {
			byDay[d] = map[string]int{}
		}
		byDay[d][r.Policy.P]++
		tests.add(d, r.Reporter, r.Policy.Testing)
		// Few reporters know np; those who do decide.
		if r.Policy.P != h.p {
			h.np, h.pct = "", ""
		}
		h.p, h.sp = r.Policy.P, r.Policy.SP
		setWord(&h.np, r.Policy.NP)
		h.pct = r.Policy.Pct
	}
	days := make([]archive.Day, 0, len(byDay))
	for d := range byDay {
		days = append(days, d)
	}
	slices.Sort(days)
	if len(days) == 0 {
		return h, nil
	}
	h.p = most(byDay[days[len(days)-1]])
	words := tests.words(days, byDay)
	h.t = words[len(days)-1]
	first := days[len(days)-1]
	for i := len(days) - 1; i >= 0; i-- {
		if most(byDay[days[i]]) != h.p || words[i] != h.t {
			h.changed = true
			break
		}
		first = days[i]
	}
	h.days = int(days[len(days)-1]-first) + 1
	return h, nil
}

// testWords is what reporters say of t, day by day. Few know it (RFC 9990, Section
// 3.1.1.3), and of these some leave it out when it is not y.
type testWords map[archive.Day]map[string]string

func (t testWords) add(d archive.Day, reporter, word string) {
	if t[d] == nil {
		t[d] = map[string]string{}
	}
	if t[d][reporter] != "y" {
		t[d][reporter] = word
	}
}

// words gives the value of t for each day: y, n, or empty as long as nobody told. A
// day without a report of somebody who tells is as the day before.
func (t testWords) words(days []archive.Day, policy map[archive.Day]map[string]int) []string {
	knows := map[string]bool{}
	for _, d := range days {
		for who, word := range t[d] {
			knows[who] = knows[who] || word != ""
		}
	}
	out := make([]string, len(days))
	for i, d := range days {
		told := ""
		for who, word := range t[d] {
			switch {
			case word == "y":
				told = "y"
			case knows[who] && told == "":
				told = "n"
			}
		}
		if told == "" && i > 0 && most(policy[d]) == most(policy[days[i-1]]) {
			told = out[i-1]
		}
		out[i] = told
	}
	return out
}

func setWord(to *string, word string) {
	if word != "" {
		*to = word
	}
}

// most is the word that most reports have; of two, the weaker policy, which is
// the earlier one on the day of a step.
func most(words map[string]int) string {
	best := ""
	for w, n := range words {
		if best == "" || n > words[best] || n == words[best] && dmarc.Policy(w).Strength() < dmarc.Policy(best).Strength() {
			best = w
		}
	}
	return best
}

// record writes the policy as a record.
func (h *policyHistory) record() (dmarc.Record, bool) {
	text := "v=DMARC1; p=" + h.p
	for _, t := range [][2]string{{"sp", h.sp}, {"np", h.np}, {"t", h.t}} {
		if t[1] != "" && (t[0] != "sp" || t[1] != h.p) && (t[0] != "t" || t[1] == "y") {
			text += "; " + t[0] + "=" + t[1]
		}
	}
	if h.pct != "" && h.pct != "100" && h.p != string(dmarc.None) {
		text += "; pct=" + h.pct
	}
	rec, err := dmarc.Parse(text)
	return rec, err == nil && rec.Stage() != ""
}
