package planner

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// hasOld reports that the records are the old key and nothing else.
func (b *rotation) hasOld(has []resolve.Record) bool {
	key, ok := soleKey(has)
	return ok && key.SHA256 == b.Old.SHA256
}

// soleKey is the key of a record set of one record.
func soleKey(has []resolve.Record) (dkim.Key, bool) {
	if len(has) != 1 {
		return dkim.Key{}, false
	}
	txt, ok := has[0].Data.(resolve.TXT)
	if !ok {
		return dkim.Key{}, false
	}
	rec, err := dkim.ParseRecord(txt.Joined())
	return rec.Key, err == nil || rec.Key.Revoked
}

// behind plans the last two phases.
func (b *rotation) behind() error {
	has, err := b.opt.Current(b.old, resolve.TypeTXT)
	if err != nil {
		return err
	}
	if b.Phase == rotate.Delete {
		if len(has) == 0 {
			return nil
		}
		return b.remove(has, b.until("the old key has been revoked for "+days(b.Hold.Duration())))
	}
	if err := b.idle(); err != nil {
		return err
	}
	switch key, _ := soleKey(has); {
	case b.opt.Status.Action == rotate.DoRestore:
		return b.restore(has)
	case len(has) == 0:
		return nil // whoever deletes in place of revoking is done too
	case key.Revoked:
		return b.remove(has, &fix.Gate{NotBefore: b.opt.At.Add(b.Hold.Duration()), Condition: "the old key has been revoked for " + days(b.Hold.Duration()), Command: b.opt.Advance})
	case !b.hasOld(has):
		return fmt.Errorf("%w: the record at %s is not the key that the rotation began with", fix.ErrConflict, b.old)
	}
	due := b.NotBefore
	if due.Before(b.opt.At) {
		due = b.opt.At
	}
	revoked, err := b.revoke(has, b.until("mail signed with the old key is no more under way"))
	if err != nil {
		return err
	}
	return b.remove(revoked, &fix.Gate{NotBefore: due.Add(b.Hold.Duration()), Condition: "the old key has been revoked for " + days(b.Hold.Duration()), Command: b.opt.Advance})
}

// until is the gate of the phase; nil once its time has come.
func (b *rotation) until(condition string) *fix.Gate {
	if !b.opt.At.Before(b.NotBefore) {
		return nil
	}
	return &fix.Gate{NotBefore: b.NotBefore, Condition: condition, Command: b.opt.Advance}
}

// idle refuses to revoke a key that signs. Mail of before the switch arrives for
// some days; what is signed later comes from a signer that nobody switched.
func (b *rotation) idle() error {
	s := b.opt.Signed
	if s == nil {
		return nil
	}
	switched := b.Proven()
	quiet := switched.Add(rotate.MinKeep)
	switch {
	case s.Last.After(quiet):
		return &StillSigningError{Selector: b.Old.Selector, Switched: switched, Last: s.Last}
	case !s.Until.After(quiet):
		b.plan.Unknown = append(b.plan.Unknown, fmt.Sprintf("no report is of later than %s, so it is not known whether something still signs with %s", quiet.Format(time.DateOnly), b.Old.Selector))
	}
	return nil
}

// restore brings the old key back.
func (b *rotation) restore(has []resolve.Record) error {
	e := fix.Edit{Name: b.old, Op: fix.AddRecord, Value: b.Old.Record, Why: "the old key, which is gone too early"}
	if len(has) == 1 {
		if txt, ok := has[0].Data.(resolve.TXT); ok {
			e.Op, e.Record = fix.ReplaceRecord, txt.Joined()
		}
	}
	c, err := change(e, has)
	if err != nil || c == nil {
		return err
	}
	b.add(fix.Step{ID: "restore-1", Title: "publish the old DKIM key at " + b.old.String() + " again", Risk: fix.Low, Reversible: true, Change: c,
		Wait: fix.Duration(b.CacheWait()), Why: []string{"mail signed with it is under way until " + b.NotBefore.UTC().Format(time.DateOnly)},
		Breaks: keyConcern.breaks, Check: fix.Check{Expect: "every name server has the old key"}})
	return nil
}

// revoke leaves the old record with an empty p=. It returns what stands there then.
func (b *rotation) revoke(has []resolve.Record, gate *fix.Gate) ([]resolve.Record, error) {
	i := slices.IndexFunc(has, func(r resolve.Record) bool { _, ok := r.Data.(resolve.TXT); return ok })
	if i < 0 {
		return nil, fmt.Errorf("%w: there is no record at %s", fix.ErrConflict, b.old)
	}
	// RFC 6376, Section 3.6.1: an empty p= revokes the key; a missing record may be
	// taken for a fault of the DNS.
	c, err := change(fix.Edit{Name: b.old, Op: fix.ReplaceRecord, Record: has[i].Data.(resolve.TXT).Joined(), Value: rotate.Revocation, Why: "the old key is revoked"}, has)
	if err != nil {
		return nil, err
	}
	b.add(fix.Step{ID: "revoke-1", Title: "revoke the old DKIM key at " + b.old.String(), Risk: fix.High, Reversible: true, Change: c, Gate: gate,
		Wait:    fix.Duration(b.Hold.Duration()),
		Why:     []string{"a key that nobody signs with can only be stolen", "its record stays for " + days(b.Hold.Duration()) + ", so that what fails now fails with \"revoked\" and the key can be put back"},
		Breaks:  "mail signed with the old key fails, also what is still in queues",
		Confirm: "the old DKIM key is revoked: mail that is still signed with it, or under way, will fail",
		Check:   fix.Check{Expect: "every name server has the revoked record"},
	})
	return c.NewRecords()
}

// remove takes a record away for good: that of the old key, once it is revoked.
func (b *rotation) remove(has []resolve.Record, gate *fix.Gate) error {
	if key, ok := soleKey(has); !ok || !key.Revoked {
		return fmt.Errorf("%w: the record at %s is not the revoked key alone", fix.ErrConflict, b.old)
	}
	return b.end(b.old, has, b.Old, gate)
}

// end deletes the record of a key.
func (b *rotation) end(name resolve.Name, has []resolve.Record, side rotate.Side, gate *fix.Gate) error {
	txt, ok := has[0].Data.(resolve.TXT)
	if !ok {
		return fmt.Errorf("%w: there is no text at %s", fix.ErrConflict, name)
	}
	c, err := change(fix.Edit{Name: name, Op: fix.RemoveRecord, Record: txt.Joined(), Why: "the selector is not used any more"}, has)
	if err != nil || c == nil {
		return err
	}
	s := fix.Step{ID: "delete-1", Title: "delete the record of selector " + side.Selector + " at " + name.String(), Risk: fix.Medium, Reversible: true, Change: c, Gate: gate,
		Why: []string{"the name may be used again only with the same key, so it is better gone"}, Breaks: "a signature of the selector finds no key",
		Confirm: "a DKIM record is taken out: mail that is still under way and signed with it will fail",
		Manual:  []fix.Manual{{Title: "delete the private key of selector " + side.Selector + " where it is kept", Text: cmp.Or(side.KeyFile, "the signer's configuration names the file")}},
		Check:   fix.Check{Expect: "no name server has the record"}}
	b.add(s)
	return nil
}

// back plans what an aborted rotation leaves.
func (b *rotation) back() error {
	b.plan.Goal = fmt.Sprintf("go back to DKIM selector %s", b.Old.Selector)
	has, err := b.opt.Current(b.new, resolve.TypeTXT)
	if err != nil {
		return err
	}
	var gate *fix.Gate
	if b.From == rotate.Prove || b.From == rotate.Retire {
		b.sign(b.Old, "sign with the old key again", []string{"the rotation was given up after the switch"})
		at := b.opt.At
		if n := len(b.Events); n > 0 {
			at = b.Events[n-1].At
		}
		if at = at.Add(b.Keep.Duration()); b.opt.At.Before(at) {
			gate = &fix.Gate{NotBefore: at, Condition: "mail signed with the new key is no more under way", Command: b.opt.Advance}
		}
	}
	if key, ok := soleKey(has); !ok || key.SHA256 != b.New.SHA256 {
		return nil // it was not published, or another key stands there now
	}
	return b.end(b.new, has, b.New, gate)
}

// days is a time span in whole days.
func days(d time.Duration) string {
	n := int64(d / (24 * time.Hour))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
