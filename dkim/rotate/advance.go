package rotate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Action is what a person has to do.
type Action string

// The actions.
const (
	DoPublish Action = "publish-new"  // publish Status.Value at Status.Name
	DoWait    Action = "wait"         // until Status.Due
	DoSwitch  Action = "switch"       // make the signer use the new selector
	DoProve   Action = "send-message" // send a message and keep its source
	DoRetire  Action = "revoke-old"   // replace the record at Status.Name by Status.Value
	DoDelete  Action = "delete-old"   // delete the record at Status.Name
	DoRepair  Action = "repair-new"   // the new record is gone or differs: publish it again
	DoRestore Action = "restore-old"  // the old key is gone too early: publish it again
	DoConfirm Action = "advance"      // nothing but to go on
	DoNothing Action = "none"
)

// Status is where a rotation stands.
type Status struct {
	Phase   Phase
	Action  Action
	Do      string       // the action in words
	Name    resolve.Name // of the record the action is about; zero if it is about none
	Value   string       // its text
	Due     time.Time    // the action is not due before; zero: now
	Ready   bool         // [Rotation.Advance] goes on without a person doing anything first
	Blocked []string     // why it does not go on
	New     []Seen       // what the servers say of the new selector
	Old     []Seen       // and of the old one, where it matters
	Unknown bool         // a server did not answer, so nothing can be concluded from it
}

// Proof is a verified signature of a message.
type Proof struct {
	Domain, Selector string // d= and s=
	Pass             bool
	SHA256           string // of the key that verified it
}

// Input is what a person adds to [Rotation.Advance].
type Input struct {
	Switched bool    // the signer uses the new selector now
	Proofs   []Proof // the signatures of a message that was sent since
	// WithoutFailed goes on although a server did not answer. The others must agree.
	WithoutFailed bool
}

// Words says in a few words what a server has.
func (r *Rotation) Words(s Seen) string { return s.word(r.Old.SHA256, r.New.SHA256) }

// tell says what a server has, as a reason why the rotation does not go on.
func (r *Rotation) tell(s Seen, name resolve.Name) string {
	if s.State == resolve.Unavailable {
		return fmt.Sprintf("%s does not tell what stands at %s, so it is unknown: %v", s.Server, name, resolve.ReasonOf(s.Err))
	}
	return fmt.Sprintf("%s has %s at %s", s.Server, r.Words(s), name)
}

// Check asks the servers and tells what is due. It changes nothing.
func (r *Rotation) Check(ctx context.Context, env Env) (Status, error) {
	return r.check(ctx, env, Input{})
}

// Advance goes to the next phase if what the phase waits for has happened, and
// tells what is due then. One call goes on by several phases if nothing holds
// them. What does not go on is told in Status.Blocked; that is no error.
func (r *Rotation) Advance(ctx context.Context, env Env, in Input) (Status, error) {
	if r.Phase == Done || r.Phase == Aborted {
		return Status{Phase: r.Phase, Action: DoNothing}, fmt.Errorf("%w: its phase is %s", ErrFinished, r.Phase)
	}
	for range phases {
		st, err := r.check(ctx, env, in)
		if err != nil || !st.Ready || !r.step(env, st, in) {
			return st, err
		}
	}
	return r.check(ctx, env, in)
}

// step does the transition of a phase that is ready. It reports whether it did.
func (r *Rotation) step(env Env, st Status, in Input) bool {
	now := env.now()
	switch r.Phase {
	case Publish:
		wait := negativeWait(r.New.Negative)
		r.Phase, r.NotBefore = Wait, now.Add(wait)
		r.note(env, "every name server has the new key; caches may deny it for %s", span(wait))
	case Wait:
		r.Phase, r.NotBefore = Switch, time.Time{}
		r.note(env, "the wait is over")
	case Switch:
		if !in.Switched && len(in.Proofs) == 0 {
			return false
		}
		r.Phase = Prove
		r.note(env, "the signer was switched to %s", r.New.Selector)
	case Prove:
		if !r.proven(in.Proofs) {
			return false
		}
		r.Phase, r.NotBefore = Retire, now.Add(r.Keep.Duration())
		r.note(env, "a message signed with %s verifies; the old key stays for %s", r.New.Selector, span(r.Keep.Duration()))
	case Retire:
		if gone(st.Old) {
			r.Phase, r.NotBefore = Done, time.Time{}
			r.note(env, "the old record is deleted; done")
			break
		}
		r.Phase, r.NotBefore = Delete, now.Add(r.Hold.Duration())
		r.note(env, "the old key is revoked; its record stays for %s", span(r.Hold.Duration()))
	case Delete:
		r.Phase, r.NotBefore = Done, time.Time{}
		r.note(env, "the old record is deleted; done")
	default:
		return false
	}
	return true
}

// proven reports a passing signature of the domain with the new selector and key.
func (r *Rotation) proven(list []Proof) bool {
	for _, p := range list {
		if p.Pass && strings.EqualFold(p.Selector, r.New.Selector) && strings.EqualFold(strings.TrimSuffix(p.Domain, "."), r.Domain.String()) && p.SHA256 == r.New.SHA256 {
			return true
		}
	}
	return false
}

// check looks at what the phase depends on.
func (r *Rotation) check(ctx context.Context, env Env, in Input) (Status, error) {
	st := Status{Phase: r.Phase, Due: r.NotBefore}
	if r.Phase == Done || r.Phase == Aborted {
		st.Action, st.Do = DoNothing, "Nothing: the rotation is over."
		if r.Phase == Aborted {
			st.Do = r.undo(&st)
		}
		return st, nil
	}
	newName, err := dkim.KeyName(r.Domain, r.New.Selector)
	if err != nil {
		return st, err
	}
	if st.New, err = look(ctx, env, newName); err != nil {
		return st, err
	}
	published := st.all(st.New, in, func(s Seen) bool { return s.holds(r.New.SHA256) }, func(s Seen) string { return r.tell(s, newName) })
	if r.Phase == Publish {
		st.Action, st.Do = DoPublish, "Publish the new key at the new selector. Change nothing else yet."
		st.Name, st.Value, st.Ready = newName, r.New.Record, published
		switch {
		case published:
			st.Action, st.Do = DoConfirm, "Every name server has the new key."
		case st.Unknown:
			st.Action, st.Do = DoWait, askAgain
		}
		return st, nil
	}
	// From here on the new key must stay where it is: mail is, or will be, signed
	// with it.
	if !published {
		if !st.Unknown {
			st.Action, st.Do = DoRepair, "Publish the new key again: it is not at every name server any more."
			st.Name, st.Value = newName, r.New.Record
			return st, nil
		}
		st.Action, st.Do = DoWait, askAgain
		return st, nil
	}
	switch r.Phase {
	case Wait:
		st.wait(env, r.NotBefore, "Wait until no cache can deny the new key. Do not switch the signer yet.")
	case Switch:
		st.Action, st.Do, st.Ready = DoSwitch, "Switch the signer to the new selector, then go on.", true
		if !in.Switched && len(in.Proofs) == 0 {
			st.Blocked = append(st.Blocked, "it is not known whether the signer was switched")
		}
	case Prove:
		st.Action, st.Do, st.Ready = DoProve, "Send a message to an address elsewhere and give its source: it must be signed with the new selector.", true
		if len(in.Proofs) > 0 && !r.proven(in.Proofs) {
			st.Blocked = append(st.Blocked, r.disproof(in.Proofs))
		} else if len(in.Proofs) == 0 {
			st.Blocked = append(st.Blocked, "no signed message was given")
		}
	case Retire, Delete:
		return st, r.checkOld(ctx, env, in, &st)
	}
	return st, nil
}

const askAgain = "Ask again later: not every name server answers."

// checkOld judges the old selector in the last two phases.
func (r *Rotation) checkOld(ctx context.Context, env Env, in Input, st *Status) error {
	name, err := dkim.KeyName(r.Domain, r.Old.Selector)
	if err != nil {
		return err
	}
	if st.Old, err = look(ctx, env, name); err != nil {
		return err
	}
	early := env.now().Before(r.NotBefore)
	st.Name = name
	tell := func(s Seen) string { return r.tell(s, name) }
	deleted := func(s Seen) bool { return s.State == resolve.Absent && s.Target.IsZero() }
	if r.Phase == Retire {
		if early {
			st.wait(env, r.NotBefore, "Keep the old key: mail signed with it is still under way.")
			st.Name = resolve.Name{}
			var other Status
			if !other.all(st.Old, in, func(s Seen) bool { return s.holds(r.Old.SHA256) }, tell) && !other.Unknown {
				st.Action, st.Do = DoRestore, "Publish the old key again: it is gone before mail signed with it can have arrived."
				st.Name, st.Value, st.Blocked = name, r.Old.Record, append(st.Blocked, other.Blocked...)
			}
			return nil
		}
		st.Action, st.Do, st.Value = DoRetire, "Revoke the old key: leave its record with an empty p=.", Revocation
		st.Ready = st.all(st.Old, in, func(s Seen) bool { return s.revoked() || deleted(s) }, tell)
		return nil
	}
	if early {
		st.wait(env, r.NotBefore, "Leave the revoked record for a while, so that the key can still be put back.")
		st.Name = resolve.Name{}
		return nil
	}
	st.Action, st.Do = DoDelete, "Delete the old record, and the old private key."
	st.Ready = st.all(st.Old, in, deleted, tell)
	return nil
}

// CacheWait is how long caches may deny the new key once every server has it.
func (r *Rotation) CacheWait() time.Duration { return negativeWait(r.New.Negative) }

// Proven is when a message proved the new key, in phase [Retire]; else it is zero.
func (r *Rotation) Proven() time.Time {
	if r.Phase != Retire {
		return time.Time{}
	}
	return r.NotBefore.Add(-r.Keep.Duration())
}

// Revocation is the text that revokes a key (RFC 6376, Section 3.6.1).
const Revocation = "v=DKIM1; p="

// wait sets the action of a phase that waits for a date.
func (st *Status) wait(env Env, until time.Time, do string) {
	st.Due = until
	if now := env.now(); now.Before(until) {
		st.Action, st.Do = DoWait, do
		st.Blocked = append(st.Blocked, fmt.Sprintf("it is %s too early", span(until.Sub(now))))
		return
	}
	st.Action, st.Do, st.Ready = DoConfirm, "The wait is over.", true
}

// all reports whether every server is as it should be. A server without an answer
// is not, unless the input says to go on without it and another one answers.
func (st *Status) all(seen []Seen, in Input, ok func(Seen) bool, tell func(Seen) string) bool {
	good, bad := 0, 0
	for _, s := range seen {
		switch {
		case s.State == resolve.Unavailable:
			st.Unknown = true
			if !in.WithoutFailed {
				bad++
				st.Blocked = append(st.Blocked, tell(s))
			}
		case ok(s):
			good++
		default:
			bad++
			st.Blocked = append(st.Blocked, tell(s))
		}
	}
	if bad > 0 {
		// What one server proves is not unknown, whatever the others do.
		st.Unknown = st.Unknown && good+countUnknown(seen) == len(seen)
	}
	return bad == 0 && good > 0
}

func countUnknown(seen []Seen) int {
	n := 0
	for _, s := range seen {
		if s.State == resolve.Unavailable {
			n++
		}
	}
	return n
}

func gone(seen []Seen) bool {
	for _, s := range seen {
		if s.State == resolve.Present {
			return false
		}
	}
	return len(seen) > 0
}

// disproof says why signatures prove nothing.
func (r *Rotation) disproof(list []Proof) string {
	var own []string
	for _, p := range list {
		if !strings.EqualFold(p.Domain, r.Domain.String()) {
			continue
		}
		what := "does not verify"
		if p.Pass {
			what = "verifies"
		}
		own = append(own, fmt.Sprintf("%+q, which %s", shorten(p.Selector), what))
	}
	if own == nil {
		return fmt.Sprintf("the message has no signature of %s", r.Domain)
	}
	return fmt.Sprintf("the message is signed with %s; wanted is %s", strings.Join(own[:min(len(own), 5)], " and "), r.New.Selector)
}

// Abort gives the rotation up and tells what has to be undone. Once the old key
// is revoked it is [ErrTooLate]: then a new rotation leads back.
func (r *Rotation) Abort(ctx context.Context, env Env) (Status, error) {
	switch r.Phase {
	case Done, Aborted:
		return Status{Phase: r.Phase, Action: DoNothing}, fmt.Errorf("%w: its phase is %s", ErrFinished, r.Phase)
	case Delete:
		return Status{Phase: r.Phase}, fmt.Errorf("%w: the old key is revoked; start a rotation to a third key instead", ErrTooLate)
	case Prove, Retire:
		st, err := r.back(ctx, env)
		if err != nil {
			return st, err
		}
	}
	r.From, r.Phase, r.NotBefore = r.Phase, Aborted, time.Time{}
	r.note(env, "aborted in phase %s", r.From)
	return r.check(ctx, env, Input{})
}

// back makes sure that the signer can return to the old key.
func (r *Rotation) back(ctx context.Context, env Env) (Status, error) {
	st := Status{Phase: r.Phase}
	name, err := dkim.KeyName(r.Domain, r.Old.Selector)
	if err != nil {
		return st, err
	}
	if st.Old, err = look(ctx, env, name); err != nil {
		return st, err
	}
	for _, s := range st.Old {
		if s.State != resolve.Unavailable && !s.holds(r.Old.SHA256) {
			return st, fmt.Errorf("%w: %s has %s at %s; publish the old key again before the signer goes back to it", ErrTooLate, s.Server, r.Words(s), name)
		}
	}
	return st, nil
}

// undo says what an aborted rotation leaves to do.
func (r *Rotation) undo(st *Status) string {
	st.Action = DoDelete
	st.Name, _ = dkim.KeyName(r.Domain, r.New.Selector)
	if r.From == Prove || r.From == Retire {
		return fmt.Sprintf("Switch the signer back to %s. Leave the record of %s for %s, as mail signed with it is under way, then delete it.", r.Old.Selector, r.New.Selector, span(r.Keep.Duration()))
	}
	return fmt.Sprintf("Delete the record of %s, if it was published. The signer stays with %s.", r.New.Selector, r.Old.Selector)
}

// span is a duration in days, hours and minutes.
func span(d time.Duration) string {
	d = d.Round(time.Minute)
	days, hours, minutes := d/(24*time.Hour), d%(24*time.Hour)/time.Hour, d%time.Hour/time.Minute
	var out []string
	for _, p := range []struct {
		n    time.Duration
		unit string
	}{{days, "day"}, {hours, "hour"}, {minutes, "minute"}} {
		switch {
		case p.n == 1:
			out = append(out, "1 "+p.unit)
		case p.n > 1:
			out = append(out, fmt.Sprintf("%d %ss", p.n, p.unit))
		}
	}
	if out == nil {
		return "less than a minute"
	}
	return strings.Join(out[:min(len(out), 2)], " ")
}
