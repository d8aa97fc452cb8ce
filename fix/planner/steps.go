package planner

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Waits. RFC 2308, Section 5 lets an absence be cached; three hours is its
// advice for the longest, an hour what most zones have.
const (
	minWait   = time.Hour
	mailWait  = 48 * time.Hour      // SPF and DKIM in place before DMARC: what Google asks for
	stageWait = 14 * 24 * time.Hour // a stage of DMARC shows weekly mail twice
)

// plan puts steps in order around what was merged.
func (b *builder) plan(ctx context.Context, after audit.Report) (*fix.Plan, error) {
	p := &fix.Plan{Schema: fix.PlanSchema, Domain: b.domain, Created: b.at, Tool: b.opt.Tool, Goal: b.goalText(),
		Steps: []fix.Step{}, Before: defects(b.before.Findings), After: defects(after.Findings), Decisions: []fix.Decision{}, Unknown: []string{}}
	if a, s := b.opt.Facts.Addresses, b.opt.Facts.Selectors; len(a)+len(s) > 0 {
		p.Given = &fix.Given{Addresses: append([]netip.Addr{}, a...), Selectors: append([]string{}, s...)}
	}
	slices.SortStableFunc(b.work, func(x, y *work) int {
		return cmp.Compare(concernOf(x.change).order, concernOf(y.change).order)
	})
	n := map[string]int{}
	add := func(concern string, s fix.Step) {
		n[concern]++
		s.ID = fmt.Sprintf("%s-%d", concern, n[concern])
		for _, list := range []*[]string{&s.Findings, &s.Depends, &s.Why} {
			if *list == nil {
				*list = []string{}
			}
		}
		if s.Manual == nil {
			s.Manual = []fix.Manual{}
		}
		p.Steps = append(p.Steps, s)
	}
	b.answered(after)
	signed := false
	for _, w := range b.work {
		c := concernOf(w.change)
		if c.order > keyConcern.order && !signed {
			signed = true
			b.signing(p, add)
		}
		add(c.name, b.step(p, w, c))
	}
	if !signed {
		b.signing(p, add)
	}
	for _, s := range b.manual {
		s.Depends = ids(p, "dmarc-")
		add("report", s)
	}
	b.stages(p, add)
	last, err := b.final(ctx, p)
	if err != nil {
		return nil, err
	}
	b.decide(p, after, last)
	return p, nil
}

// final audits the zone as it is when the steps for later are done too.
func (b *builder) final(ctx context.Context, p *fix.Plan) (*audit.Report, error) {
	changes := p.Changes()
	later := false
	for _, s := range p.Steps {
		if s.Gate == nil || s.Change == nil {
			continue
		}
		later = true
		changes = slices.DeleteFunc(changes, func(c fix.Change) bool { return c.Name == s.Change.Name && c.Type == s.Change.Type })
		changes = append(changes, *s.Change)
	}
	if !later {
		return nil, nil
	}
	r, err := fix.Planned(b.opt.Resolver, changes)
	if err != nil {
		return nil, err
	}
	rep, _, err := b.audit(ctx, r)
	return &rep, err
}

// answered notes with each change the findings that are gone after it, also
// those that a person's answer repaired: proving the step means to look again.
func (b *builder) answered(after audit.Report) {
	for _, f := range b.before.Findings {
		if slices.ContainsFunc(after.Findings, func(o audit.Finding) bool { return o.Fingerprint == f.Fingerprint }) {
			continue
		}
		i := slices.IndexFunc(b.work, func(w *work) bool { return w.change.Name == f.Subject.Name && w.change.Type == f.Subject.Type })
		if i < 0 {
			family := strings.ToLower(strings.TrimRight(string(f.Rule), "0123456789"))
			i = slices.IndexFunc(b.work, func(w *work) bool { return concernOf(w.change).name == family })
		}
		if i >= 0 && !slices.Contains(b.work[i].rules, string(f.Rule)) {
			b.work[i].rules = append(b.work[i].rules, string(f.Rule))
		}
	}
}

// signing is the step that no record makes: the server has to use the key.
func (b *builder) signing(p *fix.Plan, add func(string, fix.Step)) {
	keys := b.opt.Answers.Keys
	if len(keys) == 0 {
		return
	}
	s := fix.Step{Title: "sign with the new key", Risk: fix.Medium, Reversible: true, Wait: fix.Duration(minWait), Depends: ids(p, "dkim-"),
		Why:    []string{"a key that nobody signs with proves nothing", "not before every name server has the record: until then each signature would fail"},
		Breaks: "a signature by a key that is not the published one fails; unsigned mail has SPF alone",
		Check:  fix.Check{Kind: "manual", Expect: "a test mail has dkim=pass for the domain", Command: fmt.Sprintf("mailcheck dkim match --key %s --domain %s --selector %s", keys[0].File, b.domain, keys[0].Selector)},
	}
	var list []setup.Key
	for _, k := range keys {
		list = append(list, k.Key)
	}
	g, err := setup.Make(b.opt.Answers.Server, b.domain, list...)
	if err != nil { // no server was named: the person knows theirs
		s.Manual = append(s.Manual, fix.Manual{Title: "make your mail server sign with selector " + keys[0].Selector,
			Text: "mailcheck dkim setup --help lists the servers that lines are known for"})
		add("sign", s)
		return
	}
	for _, x := range g.Steps {
		m := fix.Manual{Title: x.Do, Text: x.Text}
		if x.File != "" {
			m.Title += " (" + strings.TrimSpace(strings.Join([]string{x.File, x.Mode, x.User}, " ")) + ")"
		}
		s.Manual = append(s.Manual, m)
	}
	if len(g.Reload) > 0 {
		s.Manual = append(s.Manual, fix.Manual{Title: "take it into use", Text: strings.Join(g.Reload, "\n")})
	}
	if len(g.Test) > 0 {
		s.Manual = append(s.Manual, fix.Manual{Title: "test it", Text: strings.Join(g.Test, "\n")})
	}
	s.Title = "sign with the new key in " + g.Name
	add("sign", s)
}

// step describes one change.
func (b *builder) step(p *fix.Plan, w *work, c concern) fix.Step {
	s := fix.Step{Title: c.title(w.change), Change: &w.change, Why: w.change.Why, Reversible: true, Risk: c.risk(w.change), Breaks: c.breaks,
		Wait:  fix.Duration(max(minWait, time.Duration(w.change.TTL)*time.Second)),
		Check: fix.Check{Kind: "record", Expect: "every name server has the new records", Command: "mailcheck fix verify PLAN"}}
	for _, r := range w.rules {
		if r != goal {
			s.Findings = append(s.Findings, r)
		}
	}
	if len(s.Findings) > 0 {
		s.Check.Kind, s.Check.Expect = "rule", "every name server has the new records, and "+strings.Join(s.Findings, ", ")+" no more"
	}
	switch c.name {
	case "dmarc":
		if !raises(w.change) {
			break // p=none touches no mail: it need not wait for what it will later rest on
		}
		s.Depends = append(append(ids(p, "spf-"), ids(p, "dkim-")...), ids(p, "sign-")...)
	case "spf":
		s.Depends = ids(p, "host-")
	}
	s.Confirm = confirm(w.change, c, b)
	for _, id := range s.Depends { // what comes before DMARC has to be at work in all mail
		for i := range p.Steps {
			if p.Steps[i].ID == id && c.name == "dmarc" && p.Steps[i].Wait < fix.Duration(mailWait) && raises(w.change) {
				p.Steps[i].Wait = fix.Duration(mailWait)
			}
		}
	}
	return s
}

// ids lists the steps of a concern.
func ids(p *fix.Plan, prefix string) []string {
	out := []string{}
	for _, s := range p.Steps {
		if strings.HasPrefix(s.ID, prefix) && s.Gate == nil {
			out = append(out, s.ID)
		}
	}
	return out
}

// stages adds the way of the DMARC policy to reject. Each is gated: reports tell
// when it is time, not the calendar.
func (b *builder) stages(p *fix.Plan, add func(string, fix.Step)) {
	if !b.sends() {
		return
	}
	name, err := b.domain.Below("_dmarc")
	if err != nil {
		return
	}
	rec, ttl, siblings, ok := b.policy(name)
	if !ok {
		return
	}
	after := b.at
	last := slices.Concat(ids(p, "dmarc-"), ids(p, "spf-"), ids(p, "dkim-"), ids(p, "sign-"))
	for range 8 {
		m, err := rec.Advance(dmarc.StageOptions{KeepNP: b.snap.DMARC.Organizational.Domain != b.domain})
		if err != nil || len(m.Edits) == 0 {
			return
		}
		after = after.Add(stageWait)
		c := fix.Change{Verb: fix.Update, Name: name, Type: resolve.TypeTXT, TTL: ttl, Old: siblings(rec.String()), New: siblings(m.Record.String()), Why: m.Why}
		s := fix.Step{Title: "raise the DMARC policy from " + m.From + " to " + m.To, Change: &c, Why: m.Why, Risk: fix.High, Reversible: true,
			Depends: slices.Clone(last), Wait: fix.Duration(stageWait), Breaks: "mail of a sender that is neither signed nor in the SPF record is junked, or refused at reject",
			Gate: &fix.Gate{NotBefore: after, Condition: "the reports of at least two weeks show that no legitimate mail would be hit",
				Command: "mailcheck rollout " + b.domain.String()},
			Check: fix.Check{Kind: "record", Expect: "every name server has the new record", Command: "mailcheck fix verify PLAN"}}
		add("stage", s)
		last = []string{p.Steps[len(p.Steps)-1].ID}
		rec = m.Record
	}
}

// policy is the DMARC record that there will be, with a function that puts a
// text in its place among its siblings.
func (b *builder) policy(name resolve.Name) (dmarc.Record, uint32, func(string) []string, bool) {
	data, ttl := []string(nil), uint32(fix.DefaultTTL)
	if i := slices.IndexFunc(b.work, func(w *work) bool { return w.change.Name == name && w.change.Type == resolve.TypeTXT }); i >= 0 {
		data, ttl = b.work[i].change.New, b.work[i].change.TTL
		rs, err := b.work[i].change.NewRecords()
		if err != nil {
			return dmarc.Record{}, 0, nil, false
		}
		return pick(rs, data, ttl)
	}
	if b.snap.DMARC.Policy.State != resolve.Present || b.snap.DMARC.Policy.Domain != b.domain {
		return dmarc.Record{}, 0, nil, false
	}
	rs, err := b.snap.Current(name, resolve.TypeTXT)
	if err != nil || len(rs) == 0 {
		return dmarc.Record{}, 0, nil, false
	}
	for _, r := range rs {
		data = append(data, r.Data.String())
	}
	return pick(rs, data, rs[0].TTL)
}

func pick(rs []resolve.Record, data []string, ttl uint32) (dmarc.Record, uint32, func(string) []string, bool) {
	for i, r := range rs {
		d, ok := r.Data.(resolve.TXT)
		if !ok || i >= len(data) {
			continue
		}
		rec, err := dmarc.Parse(d.Joined())
		if err != nil {
			continue
		}
		at := slices.Index(data, d.String())
		if at < 0 {
			continue
		}
		return rec, ttl, func(text string) []string {
			out := slices.Clone(data)
			out[at] = resolve.SplitTXT(text).String()
			return out
		}, true
	}
	return dmarc.Record{}, 0, nil, false
}

// decide lists what is left for a person.
func (b *builder) decide(p *fix.Plan, after audit.Report, last *audit.Report) {
	for _, f := range after.Findings {
		if f.Suppressed != nil {
			continue
		}
		d := fix.Decision{Defect: defect(f), Why: "no change of records alone repairs this, or which one is right only you know"}
		switch a := b.opt.Answers; {
		case b.refused[f.Fingerprint] != "":
			d.Why = b.refused[f.Fingerprint]
		case last != nil && !slices.ContainsFunc(last.Findings, func(o audit.Finding) bool { return o.Fingerprint == f.Fingerprint }):
			d.Why = "the steps for later remove it, when the reports say that it is time"
		case f.Rule == "SPF015" && a.Evidence == nil && !a.Complete:
			d.Why = "no record tells who really sends: name all with --sender and --all-senders, or give --evidence (mailcheck reports evidence writes it)"
		}
		if f.Fix != nil {
			d.Text = f.Fix.Text
		}
		p.Decisions = append(p.Decisions, d)
	}
	for _, what := range []string{"mx", "spf", "narrow", "dmarc", "tlsrpt"} {
		if why := b.refused[what]; why != "" {
			p.Decisions = append(p.Decisions, fix.Decision{Defect: fix.Defect{Subject: what, Severity: "notice", Message: "what was asked for cannot be planned"}, Why: why})
		}
	}
	var reasons []string
	rules := map[string][]string{}
	for _, x := range after.Rules {
		if x.Outcome != audit.Unknown {
			continue
		}
		if rules[x.Reason] == nil {
			reasons = append(reasons, x.Reason)
		}
		rules[x.Reason] = append(rules[x.Reason], string(x.ID))
	}
	for _, y := range reasons {
		p.Unknown = append(p.Unknown, strings.Join(rules[y], ", ")+": "+y)
	}
}

func (b *builder) goalText() string {
	a := b.opt.Answers
	var parts []string
	if a.Park {
		parts = append(parts, "declare that the domain sends and receives no mail")
	}
	if len(a.Keys) > 0 {
		parts = append(parts, "sign mail with DKIM")
	}
	if a.Evidence != nil || a.Complete {
		parts = append(parts, "narrow SPF to what sends")
	}
	if a.ReportTo != "" {
		parts = append(parts, "receive reports at "+a.ReportTo)
	}
	return strings.Join(append([]string{"repair what the audit found"}, parts...), "; ")
}

func defects(list []audit.Finding) []fix.Defect {
	out := []fix.Defect{}
	for _, f := range list {
		if f.Suppressed == nil {
			out = append(out, defect(f))
		}
	}
	return out
}

func defect(f audit.Finding) fix.Defect {
	return fix.Defect{Rule: string(f.Rule), Severity: f.Severity.String(), Subject: f.Subject.String(), Message: f.Message, Fingerprint: f.Fingerprint}
}
