package rotate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Schema is the version of the file.
const Schema = "mailcheck.dkim-rotation/1"

// MaxFile bounds the file that is read, in octets, and maxEvents its history.
const (
	MaxFile   = 1 << 20
	maxEvents = 1000
)

// Times to wait.
const (
	// MinWait is the least time between publishing and switching. Resolvers may hold
	// the absence of the name for the negative TTL (RFC 2308, Section 5); those that
	// stretch short TTLs are given an hour.
	MinWait = time.Hour
	// MaxNegative bounds a negative TTL: resolvers hold no absence longer than a few
	// hours (RFC 2308, Section 5, names one to three), a day is generous.
	MaxNegative = 24 * time.Hour
	// DefaultKeep is how long the old key stays after the switch: mail waits in queues
	// for up to 5 days (RFC 5321, Section 4.5.4.1), and is read and forwarded later.
	DefaultKeep = 14 * 24 * time.Hour
	// MinKeep is the time that queues need.
	MinKeep = 5 * 24 * time.Hour
	// DefaultHold is how long the revoked record stays, so that what fails now fails
	// with "revoked" and can still be put back.
	DefaultHold = 7 * 24 * time.Hour
)

// Phase is the step that a rotation waits for.
type Phase string

// The phases, in order. Aborted can follow each but the last two before it.
const (
	Publish Phase = "publish" // the new record is to be published
	Wait    Phase = "wait"    // every server has it; caches may still deny it
	Switch  Phase = "switch"  // the signer is to be switched
	Prove   Phase = "prove"   // a message signed with the new key is awaited
	Retire  Phase = "retire"  // after a while, the old key is to be emptied
	Delete  Phase = "delete"  // after a while, the old record is to be deleted
	Done    Phase = "done"
	Aborted Phase = "aborted"
)

var phases = []Phase{Publish, Wait, Switch, Prove, Retire, Delete, Done, Aborted}

// Rotation is the state of a rotation. It is plain data.
type Rotation struct {
	Schema string       `json:"schema"`
	Domain resolve.Name `json:"domain"`
	Phase  Phase        `json:"phase"`
	Old    Side         `json:"old"`
	New    Side         `json:"new"`

	NotBefore time.Time `json:"not_before,omitzero"`  // of the phase's step
	From      Phase     `json:"aborted_in,omitempty"` // the phase that was aborted
	Keep      Seconds   `json:"keep_seconds"`         // the old key after the switch
	Hold      Seconds   `json:"hold_seconds"`         // the revoked record
	Events    []Event   `json:"events"`
}

// Seconds is a duration in a file.
type Seconds int64

// Duration converts it.
func (s Seconds) Duration() time.Duration { return time.Duration(s) * time.Second }

// Side is one of the two keys.
type Side struct {
	Selector string `json:"selector"`
	Record   string `json:"record"` // the text to publish, or as it was published
	SHA256   string `json:"sha256"` // of the public key, as dkim.Key has it
	KeyFile  string `json:"key_file,omitempty"`
	TTL      uint32 `json:"ttl,omitempty"`          // of the record, in seconds
	Negative uint32 `json:"negative_ttl,omitempty"` // of its absence before it was published
}

// Event is a line of the history.
type Event struct {
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Errors. Each error of this package but those of lookups matches one of them.
var (
	ErrFile     = errors.New("rotate: not a usable rotation file")
	ErrVendor   = errors.New("rotate: the selector belongs to a provider") // *[VendorError]
	ErrOldKey   = errors.New("rotate: the old key cannot be rotated")      // it is missing, or unusable
	ErrNewKey   = errors.New("rotate: the new key cannot be used")         // the same, taken, or refused by verifiers
	ErrTooLate  = errors.New("rotate: too late")                           // the old key is gone
	ErrFinished = errors.New("rotate: the rotation is over")
)

// VendorError is a selector that is a CNAME: whoever runs the target rotates it.
type VendorError struct {
	Name, Target resolve.Name
}

// Error names both ends.
func (e *VendorError) Error() string {
	return fmt.Sprintf("%v: %s leads to %s", ErrVendor, e.Name, e.Target)
}

// Unwrap returns [ErrVendor].
func (e *VendorError) Unwrap() error { return ErrVendor }

// Env is the world that a rotation looks at.
type Env struct {
	Ask Ask
	Now func() time.Time // nil: time.Now
}

func (e Env) now() time.Time {
	if e.Now == nil {
		return time.Now().UTC().Truncate(time.Second)
	}
	return e.Now().UTC().Truncate(time.Second)
}

// Plan is what [Start] begins with.
type Plan struct {
	Domain      resolve.Name
	OldSelector string
	NewSelector string
	NewRecord   dkim.Record
	KeyFile     string        // of the new private key, for the instructions
	Keep        time.Duration // 0: DefaultKeep
	Hold        time.Duration // 0: DefaultHold
}

// Start looks at both selectors and makes a rotation in phase [Publish]. The old
// key must be published at every server, and nothing but the new key may stand at
// the new selector. No resolver's cache is asked, so that none learns of a
// selector before it exists.
func Start(ctx context.Context, env Env, p Plan) (*Rotation, error) {
	oldName, err := dkim.KeyName(p.Domain, p.OldSelector)
	if err != nil {
		return nil, err
	}
	newName, err := dkim.KeyName(p.Domain, p.NewSelector)
	if err != nil {
		return nil, err
	}
	r := &Rotation{
		Schema: Schema, Domain: p.Domain, Phase: Publish,
		Old:  Side{Selector: p.OldSelector},
		New:  Side{Selector: p.NewSelector, Record: p.NewRecord.String(), SHA256: p.NewRecord.Key.SHA256, KeyFile: p.KeyFile},
		Keep: seconds(p.Keep, DefaultKeep), Hold: seconds(p.Hold, DefaultHold),
	}
	switch {
	case oldName == newName:
		// RFC 6376, Section 3.1: a selector is not used again with another key.
		return nil, fmt.Errorf("%w: a new key needs a new selector, and both are called %s", ErrNewKey, p.NewSelector)
	case !p.NewRecord.Usable():
		return nil, fmt.Errorf("%w: verifiers do not accept its record", ErrNewKey)
	}
	if err := r.readOld(ctx, env, oldName); err != nil {
		return nil, err
	}
	if r.Old.SHA256 == r.New.SHA256 {
		return nil, fmt.Errorf("%w: it is the key that selector %s has already", ErrNewKey, p.OldSelector)
	}
	if err := r.readNew(ctx, env, newName); err != nil {
		return nil, err
	}
	r.note(env, "started: %s is to replace %s", p.NewSelector, p.OldSelector)
	return r, nil
}

func seconds(d, def time.Duration) Seconds {
	if d <= 0 {
		d = def
	}
	return Seconds(d / time.Second)
}

// readOld fills the old side from what the servers say.
func (r *Rotation) readOld(ctx context.Context, env Env, name resolve.Name) error {
	seen, err := look(ctx, env, name)
	if err != nil {
		return err
	}
	for _, s := range seen {
		switch {
		case !s.Target.IsZero():
			return &VendorError{Name: name, Target: s.Target}
		case s.State == resolve.Unavailable:
			continue // another server tells; Advance asks all of them
		case s.State == resolve.Absent:
			return fmt.Errorf("%w: %s says that there is no record at %s", ErrOldKey, s.Server, name)
		case len(s.Records) != 1 || !s.Records[0].Usable():
			return fmt.Errorf("%w: the record at %s is not one usable key", ErrOldKey, name)
		}
		r.Old.Record, r.Old.SHA256, r.Old.TTL = s.Records[0].Text, s.Records[0].Key.SHA256, max(r.Old.TTL, s.ttl)
	}
	if r.Old.SHA256 == "" {
		return unanswered(name, seen)
	}
	return nil
}

// readNew refuses a selector that is taken, and learns how long its absence may
// be remembered.
func (r *Rotation) readNew(ctx context.Context, env Env, name resolve.Name) error {
	seen, err := look(ctx, env, name)
	if err != nil {
		return err
	}
	known := false
	for _, s := range seen {
		switch {
		case s.State == resolve.Unavailable:
			continue
		case s.State == resolve.Present && !s.holds(r.New.SHA256) || !s.Target.IsZero():
			return fmt.Errorf("%w: something else stands at %s already, or a wildcard answers for it", ErrNewKey, name)
		}
		known = true
		r.New.Negative = max(r.New.Negative, s.negative)
	}
	if !known {
		return unanswered(name, seen)
	}
	return nil
}

// note writes a line of the history.
func (r *Rotation) note(env Env, format string, args ...any) {
	r.Events = append(r.Events, Event{env.now(), fmt.Sprintf(format, args...)})
}

// Encode writes the file.
func (r *Rotation) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// Decode reads the file. Errors match [ErrFile].
func Decode(data []byte) (*Rotation, error) {
	fail := func(format string, args ...any) (*Rotation, error) {
		return nil, fmt.Errorf("%w: %s", ErrFile, fmt.Sprintf(format, args...))
	}
	if len(data) > MaxFile {
		return fail("more than %d octets", MaxFile)
	}
	var r Rotation
	if err := json.Unmarshal(data, &r); err != nil {
		return fail("%v", err)
	}
	switch {
	case r.Schema != Schema:
		return fail("schema %+q, want %s", shorten(r.Schema), Schema)
	case !known(r.Phase):
		return fail("unknown phase %+q", shorten(string(r.Phase)))
	case r.From != "" && !known(r.From):
		return fail("unknown phase %+q", shorten(string(r.From)))
	case r.Domain.IsZero() || r.Domain.IsRoot():
		return fail("no domain")
	case len(r.Events) > maxEvents:
		return fail("more than %d events", maxEvents)
	case r.Keep <= 0 || r.Hold <= 0 || r.Keep.Duration() > maxSpan || r.Hold.Duration() > maxSpan:
		return fail("keep_seconds or hold_seconds is out of range")
	}
	for _, s := range []Side{r.Old, r.New} {
		if _, err := dkim.KeyName(r.Domain, s.Selector); err != nil {
			return fail("%v", err)
		}
		if rec, err := dkim.ParseRecord(s.Record); err != nil || rec.Key.SHA256 != s.SHA256 || s.SHA256 == "" {
			return fail("the record of selector %s and its sha256 do not agree", s.Selector)
		}
	}
	if r.Old.Selector == r.New.Selector || r.Old.SHA256 == r.New.SHA256 {
		return fail("both selectors or both keys are the same")
	}
	return &r, nil
}

// maxSpan bounds the waits, so that sums with them stay dates.
const maxSpan = 10 * 365 * 24 * time.Hour

func known(p Phase) bool {
	for _, x := range phases {
		if x == p {
			return true
		}
	}
	return false
}

func shorten(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
