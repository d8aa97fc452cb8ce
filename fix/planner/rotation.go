package planner

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Errors of [Rotation], beside that of RotationOptions.Current.
var (
	ErrOver         = errors.New("planner: the rotation leaves nothing to do")
	ErrStillSigning = errors.New("planner: the old key still signs") // *[StillSigningError]
)

// StillSigningError is mail that was signed with the old key after the signer was
// switched: some other server signs with it.
type StillSigningError struct {
	Selector string
	Switched time.Time // when a message proved the new key
	Last     time.Time // the last day on which reports have such mail
}

// Error names the days.
func (e *StillSigningError) Error() string {
	return fmt.Sprintf("%v: reports have mail signed with %s of %s, and the signer was switched by %s", ErrStillSigning, e.Selector, e.Last.Format(time.DateOnly), e.Switched.Format(time.DateOnly))
}

// Unwrap returns [ErrStillSigning].
func (e *StillSigningError) Unwrap() error { return ErrStillSigning }

// RotationOptions is what a plan of a rotation is made of.
type RotationOptions struct {
	Status rotate.Status // as Check or Advance told it
	// Current tells the records of a name as every server of the domain has them.
	Current fix.Current
	At      time.Time
	Tool    string
	// Server is the one that signs, an ID of package dkim/setup; empty if it is none
	// of those.
	Server string
	// Advance is the command that takes the rotation to its next phase.
	Advance string
	// Signed is what reports tell of the old key; nil if none were asked.
	Signed *Signed
}

// Signed is what reports tell of a selector.
type Signed struct {
	Last  time.Time // the last day with mail that it signed and that passed; zero: none
	Until time.Time // the last day that there are reports of
}

// rotation is a plan in the making.
type rotation struct {
	*rotate.Rotation
	opt      RotationOptions
	plan     *fix.Plan
	old, new resolve.Name
	last     []string // IDs that the next step depends on
}

// Rotation plans what is left of the rotation of a DKIM key, from its present
// phase on: the new record, the switch of the signer, its proof, and, behind gates
// until their time has come, the revocation of the old key and the end of its
// record. Who applies a step still has the rotation advance by its own checks.
func Rotation(r *rotate.Rotation, opt RotationOptions) (*fix.Plan, error) {
	b := &rotation{Rotation: r, opt: opt, plan: &fix.Plan{
		Schema: fix.PlanSchema, Domain: r.Domain, Created: opt.At.UTC().Truncate(time.Second), Tool: opt.Tool,
		Goal:  fmt.Sprintf("rotate the DKIM key from selector %s to %s", r.Old.Selector, r.New.Selector),
		Steps: []fix.Step{}, Decisions: []fix.Decision{}, Before: []fix.Defect{}, After: []fix.Defect{}, Unknown: []string{},
	}}
	var err error
	if b.old, err = dkim.KeyName(r.Domain, r.Old.Selector); err != nil {
		return nil, err
	}
	if b.new, err = dkim.KeyName(r.Domain, r.New.Selector); err != nil {
		return nil, err
	}
	switch r.Phase {
	case rotate.Publish, rotate.Wait, rotate.Switch, rotate.Prove:
		err = b.ahead()
	case rotate.Retire, rotate.Delete:
		err = b.behind()
	case rotate.Aborted:
		err = b.back()
	}
	if err == nil && len(b.plan.Steps) == 0 {
		err = fmt.Errorf("%w: its phase is %s", ErrOver, r.Phase)
	}
	if err != nil {
		return nil, err
	}
	return b.plan, nil
}

// add puts a step behind the others.
func (b *rotation) add(s fix.Step) {
	s.Findings, s.Depends = []string{}, append([]string{}, b.last...)
	if s.Why == nil {
		s.Why = []string{}
	}
	if s.Manual == nil {
		s.Manual = []fix.Manual{}
	}
	if s.Change != nil {
		s.Check = fix.Check{Kind: "record", Expect: s.Check.Expect, Command: "mailcheck fix verify PLAN"}
	}
	b.last = []string{s.ID}
	b.plan.Steps = append(b.plan.Steps, s)
}

// change merges one edit into records.
func change(e fix.Edit, has []resolve.Record) (*fix.Change, error) {
	e.Type = resolve.TypeTXT
	list, err := fix.Merge([]fix.Edit{e}, func(resolve.Name, resolve.Type) ([]resolve.Record, error) { return has, nil })
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// ahead plans the phases up to the proof, and what follows behind gates.
func (b *rotation) ahead() error {
	if err := b.publish(); err != nil {
		return err
	}
	if b.Phase != rotate.Prove {
		b.sign(b.New, "sign with the new key", b.signWhy())
	}
	b.add(fix.Step{ID: "prove-1", Title: "prove the new key with a message", Risk: fix.Low, Reversible: true,
		Wait:   fix.Duration(b.Keep.Duration()),
		Why:    []string{"a signer that was switched in one place may not be in another", "the days until the old key goes count from here"},
		Breaks: "nothing: a message is sent and looked at",
		Manual: []fix.Manual{{Title: "send a message to an address elsewhere, keep its source as it arrived, and give it", Text: b.opt.Advance + " --message FILE"}},
		Check:  fix.Check{Kind: "manual", Expect: "the message has a signature of " + b.New.Selector + " that passes", Command: b.opt.Advance + " --message FILE"},
	})
	earliest := b.opt.At.Add(b.Keep.Duration())
	switch b.Phase {
	case rotate.Publish:
		earliest = earliest.Add(b.CacheWait())
	case rotate.Wait:
		if b.NotBefore.After(b.opt.At) {
			earliest = b.NotBefore.Add(b.Keep.Duration())
		}
	}
	has, err := b.opt.Current(b.old, resolve.TypeTXT)
	if err == nil && !b.hasOld(has) {
		err = errors.New("it is not the old key alone")
	}
	if err != nil {
		// What comes in weeks is planned anew then: it must not stop what is due now.
		b.plan.Unknown = append(b.plan.Unknown, fmt.Sprintf("the record at %s is not what the rotation began with, so its end is not planned: %v", b.old, err))
		return nil
	}
	gate := &fix.Gate{NotBefore: earliest, Condition: "a message has proven the new key and " + days(b.Keep.Duration()) + " have passed since", Command: b.opt.Advance}
	revoked, err := b.revoke(has, gate)
	if err != nil {
		return err
	}
	return b.remove(revoked, &fix.Gate{NotBefore: earliest.Add(b.Hold.Duration()), Condition: "the old key has been revoked for " + days(b.Hold.Duration()), Command: b.opt.Advance})
}

// publish is the step of the new record. It stays in the plan while the record has
// to stay where it is, so that verifying the plan proves that it does.
func (b *rotation) publish() error {
	var has []resolve.Record
	text := b.New.Record
	for _, s := range b.opt.Status.New {
		switch {
		case s.Holds(b.New):
			text = s.Texts[0] // the same key may have been published in other words
		case s.State == resolve.Present && has == nil:
			var err error
			if has, err = b.opt.Current(b.new, resolve.TypeTXT); err != nil {
				return err
			}
		}
	}
	e := fix.Edit{Name: b.new, Op: fix.AddRecord, Value: text, Why: "the new key"}
	if len(has) > 0 {
		txt, ok := has[0].Data.(resolve.TXT)
		if !ok || len(has) > 1 {
			return fmt.Errorf("%w: there are several records at %s", fix.ErrConflict, b.new)
		}
		e.Op, e.Record = fix.ReplaceRecord, txt.Joined()
	}
	c, err := change(e, has)
	if err != nil || c == nil {
		return err
	}
	b.add(fix.Step{ID: "dkim-1", Title: "publish the new DKIM key at " + b.new.String(), Risk: fix.Low, Reversible: true, Change: c,
		Wait:   fix.Duration(max(b.CacheWait(), time.Duration(c.TTL)*time.Second)),
		Why:    []string{"every name server, and every cache that may deny it, has to have the key before mail is signed with it"},
		Breaks: keyConcern.breaks,
		Check:  fix.Check{Expect: "every name server has the new key"},
	})
	return nil
}

func (b *rotation) signWhy() []string {
	why := []string{"not before every name server has the record, and no cache can deny it: until then each signature would fail"}
	if b.Phase == rotate.Wait {
		why = append(why, "caches may deny the record until "+b.NotBefore.UTC().Format(time.RFC3339))
	}
	return append(why, "the old key stays published: mail signed with it is still under way")
}

// sign is the step that no record makes.
func (b *rotation) sign(side rotate.Side, title string, why []string) {
	s := fix.Step{ID: "sign-1", Title: title, Risk: fix.Medium, Reversible: true, Why: why,
		Breaks: "a signature by a key that is not the published one fails; unsigned mail has SPF alone",
		Check:  fix.Check{Kind: "manual", Expect: "mail is signed with selector " + side.Selector, Command: b.opt.Advance + " --switched"}}
	rec, _ := dkim.ParseRecord(side.Record)
	g, err := setup.Make(b.opt.Server, b.Domain, setup.Key{Selector: side.Selector, Type: rec.Key.Type, File: side.KeyFile})
	if err != nil { // no server was named: the person knows theirs
		text := "mailcheck dkim setup --help lists the servers that lines are known for"
		if b.opt.Server != "" {
			text = err.Error()
		}
		s.Manual = []fix.Manual{{Title: "make your mail server sign with selector " + side.Selector, Text: text}}
	} else {
		s.Title += " in " + g.Name
		s.Manual = guided(g)
	}
	b.add(s)
}

// guided are the steps of a guide.
func guided(g setup.Guide) []fix.Manual {
	var out []fix.Manual
	for _, x := range g.Steps {
		m := fix.Manual{Title: x.Do, Text: x.Text}
		if x.File != "" {
			m.Title += " (" + strings.TrimSpace(strings.Join([]string{x.File, x.Mode, x.User}, " ")) + ")"
		}
		out = append(out, m)
	}
	for _, x := range []struct {
		title string
		lines []string
	}{{"take it into use", g.Reload}, {"test it", g.Test}} {
		if len(x.lines) > 0 {
			out = append(out, fix.Manual{Title: x.title, Text: strings.Join(x.lines, "\n")})
		}
	}
	return out
}
