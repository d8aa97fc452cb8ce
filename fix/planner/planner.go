package planner

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// Reasons why there is no plan.
var (
	ErrNoDomain = errors.New("planner: the domain does not exist")
	ErrUnknown  = errors.New("planner: the domain's records could not be read")
	ErrAnswer   = errors.New("planner: an answer cannot be used")
)

// ErrReceives is an [ErrAnswer]: a domain that has MX hosts is not to be parked.
var ErrReceives = fmt.Errorf("%w", ErrAnswer)

// Options are what [Build] needs. Resolver and Rules have to be set.
type Options struct {
	Resolver resolve.Resolver
	Rules    []audit.Rule
	Facts    facts.Options
	Audit    audit.Options
	Answers  Answers
	Tool     string           // "mailcheck 0.1", for the plan
	Now      func() time.Time // nil: time.Now
}

// Answers are what only a person knows. The zero value repairs what the records
// alone decide.
type Answers struct {
	// Park says that the domain sends and receives no mail.
	Park bool
	// Senders are SPF terms of those who send for the domain, as "ip4:192.0.2.1"
	// or "include:_spf.example.net".
	Senders []string
	// Complete says that Senders are all there are: the SPF record is narrowed to
	// them, as far as they are addresses.
	Complete bool
	// Evidence is mail that was seen; the SPF record is narrowed to it.
	Evidence *narrow.Evidence
	// ReportTo is the mail address for DMARC and TLS reports.
	ReportTo string
	// Keys are DKIM keys to publish. Server is the one that will sign with them:
	// an ID of package dkim/setup; empty if it is none of those.
	Keys   []Key
	Server string
	// MakeKeys makes them if no usable key was found and Keys is empty; nil: a
	// missing key is for a person to decide.
	MakeKeys func() ([]Key, error)
}

// Key is a DKIM key that was made for the domain.
type Key struct {
	setup.Key
	Record dkim.Record
}

// Result is a plan and the audits it rests on.
type Result struct {
	Plan          *fix.Plan
	Before, After audit.Report
}

// maxRounds bounds how often repairs are looked for in what earlier repairs
// left: a record that is put together from two may then be over a limit.
const maxRounds = 12

// Build audits a domain, merges what is to be done and audits the result. The
// error matches ErrNoDomain, ErrUnknown or ErrAnswer, or is the context's.
func Build(ctx context.Context, domain resolve.Name, opt Options) (*Result, error) {
	now := time.Now
	if opt.Now != nil {
		now = opt.Now
	}
	if err := opt.Answers.valid(); err != nil {
		return nil, err
	}
	b := &builder{domain: domain, opt: opt, at: now().UTC().Truncate(time.Second)}
	before, snap, err := b.audit(ctx, opt.Resolver)
	if err != nil {
		return nil, err
	}
	switch {
	case snap.Exists == resolve.Absent:
		return nil, fmt.Errorf("%w: %s", ErrNoDomain, domain)
	case snap.SPF.State == resolve.Unavailable && snap.DMARC.Policy.State == resolve.Unavailable:
		return nil, fmt.Errorf("%w: %s", ErrUnknown, domain)
	}
	b.before, b.snap = before, snap
	if a := &b.opt.Answers; a.MakeKeys != nil && len(a.Keys) == 0 && snap.DKIM.Conclusion != dkim.KeyFound && !a.Park {
		if a.Keys, err = a.MakeKeys(); err != nil {
			return nil, err
		}
	}
	if err := b.goals(ctx); err != nil {
		return nil, err
	}
	after, err := b.repair(ctx)
	if err != nil {
		return nil, err
	}
	if after, err = b.guard(ctx, after); err != nil {
		return nil, err
	}
	p, err := b.plan(ctx, after)
	if err != nil {
		return nil, err
	}
	return &Result{Plan: p, Before: before, After: after}, nil
}

// builder is a plan in the making.
type builder struct {
	domain resolve.Name
	opt    Options
	at     time.Time
	before audit.Report
	snap   *facts.Snapshot

	work    []*work // one a record set
	manual  []fix.Step
	refused map[string]string // fingerprint of a finding: why its repair is left out
}

// work is what is planned for a record set.
type work struct {
	change fix.Change
	rules  []string
}

func (b *builder) changes() []fix.Change {
	var out []fix.Change
	for _, w := range b.work {
		out = append(out, w.change)
	}
	return out
}

// audit judges the domain as a resolver shows it.
func (b *builder) audit(ctx context.Context, r resolve.Resolver) (audit.Report, *facts.Snapshot, error) {
	o := b.opt.Facts
	for _, k := range b.opt.Answers.Keys {
		if !slices.Contains(o.Selectors, k.Selector) {
			o.Selectors = append(slices.Clip(o.Selectors), k.Selector)
		}
	}
	o.Addresses = append(slices.Clip(o.Addresses), addresses(b.opt.Answers.Senders)...)
	snap := facts.Gather(ctx, r, b.domain, o)
	if err := context.Cause(ctx); err != nil {
		return audit.Report{}, nil, err
	}
	return audit.Run(snap, b.opt.Rules, b.opt.Audit), snap, nil
}

// planned audits the zone as it will be.
func (b *builder) planned(ctx context.Context) (audit.Report, *facts.Snapshot, error) {
	r, err := fix.Planned(b.opt.Resolver, b.changes())
	if err != nil {
		return audit.Report{}, nil, err
	}
	return b.audit(ctx, r)
}

// repair takes in what the rules propose, round by round, until they have no
// more to propose.
func (b *builder) repair(ctx context.Context) (audit.Report, error) {
	for range maxRounds {
		rep, snap, err := b.planned(ctx)
		if err != nil {
			return rep, err
		}
		more := false
		for _, f := range rep.Findings {
			// Two rules may wish for different texts of one record. The one that comes
			// second may fit in the next round, so a refusal stands only if it is the last.
			delete(b.refused, f.Fingerprint)
			if f.Suppressed != nil {
				continue
			}
			rule := b.rule(f.Rule)
			if rule == nil || rule.Repair == nil {
				continue
			}
			edits := rule.Repair(snap, f)
			if len(edits) == 0 {
				continue
			}
			changed, err := b.merge(ctx, string(f.Rule), edits)
			if err != nil {
				b.refuse(f.Fingerprint, err.Error())
			}
			more = more || changed
		}
		if !more {
			return rep, nil
		}
	}
	rep, _, err := b.planned(ctx)
	return rep, err
}

func (b *builder) rule(id audit.ID) *audit.Rule {
	for i := range b.opt.Rules {
		if b.opt.Rules[i].ID == id {
			return &b.opt.Rules[i]
		}
	}
	return nil
}

func (b *builder) refuse(fingerprint, why string) {
	if b.refused == nil {
		b.refused = map[string]string{}
	}
	if b.refused[fingerprint] == "" {
		b.refused[fingerprint] = why
	}
}

// merge applies edits on top of what is planned. It reports whether anything is
// different after it; edits that do not apply leave everything as it was.
func (b *builder) merge(ctx context.Context, rule string, edits []fix.Edit) (bool, error) {
	planned, err := fix.Planned(b.opt.Resolver, b.changes())
	if err != nil {
		return false, err
	}
	changes, err := fix.Merge(edits, func(n resolve.Name, t resolve.Type) ([]resolve.Record, error) { return present(ctx, planned, n, t) })
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		b.compose(rule, c)
	}
	return len(changes) > 0, nil
}

// compose joins a change with what is planned for the record set: old is what
// the zone has now, new what it will have.
func (b *builder) compose(rule string, c fix.Change) {
	i := slices.IndexFunc(b.work, func(w *work) bool { return w.change.Name == c.Name && w.change.Type == c.Type })
	if i < 0 {
		b.work = append(b.work, &work{change: c, rules: []string{rule}})
		return
	}
	w := b.work[i]
	w.change.New = c.New
	for _, y := range c.Why {
		if !slices.Contains(w.change.Why, y) {
			w.change.Why = append(w.change.Why, y)
		}
	}
	if !slices.Contains(w.rules, rule) {
		w.rules = append(w.rules, rule)
	}
	switch {
	case slices.Equal(w.change.Old, w.change.New):
		b.work = slices.Delete(b.work, i, i+1)
	case len(w.change.New) == 0:
		w.change.Verb = fix.Delete
	case len(w.change.Old) == 0:
		w.change.Verb = fix.Create
	default:
		w.change.Verb = fix.Update
	}
}

// errAlias tells that the records are somebody else's to change.
type errAlias struct{ name, target resolve.Name }

func (e *errAlias) Error() string {
	return fmt.Sprintf("%s is an alias of %s: the record has to be changed there, by whoever runs that name", e.name, e.target)
}

// present reads a record set that is to be edited.
func present(ctx context.Context, r resolve.Resolver, n resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	a, err := r.Resolve(ctx, resolve.Question{Name: n, Type: t})
	if len(a.Chain) > 0 && t != resolve.TypeCNAME {
		return nil, &errAlias{n, a.Chain[len(a.Chain)-1].Target}
	}
	if resolve.StateOf(err) == resolve.Unavailable {
		return nil, err // never an edit on a guess
	}
	return a.Records, nil
}

// addresses are the single addresses among SPF terms.
func addresses(terms []string) []netip.Addr {
	var out []netip.Addr
	for _, t := range terms {
		if len(t) > 4 && (t[:4] == "ip4:" || t[:4] == "ip6:") {
			if a, err := netip.ParseAddr(t[4:]); err == nil {
				out = append(out, a)
			}
		}
	}
	return out
}
