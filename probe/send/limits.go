package send

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Pace is the time that has to pass between two probes to one domain.
const Pace = 60 * time.Second

// Errors of the limits.
var (
	ErrPace = errors.New("send: too soon for another probe to this domain")
	// ErrOwner: nothing proves that the domain of the sender is the caller's.
	ErrOwner = errors.New("send: the sender's domain is not proven")
	// ErrVerify: to stop behind the recipient is to find out whether an address exists.
	ErrVerify = errors.New("send: addresses of others are not tried out")
)

// PaceError is a probe that has to wait.
type PaceError struct {
	Domain resolve.Name
	Wait   time.Duration
}

// Error tells how long.
func (e *PaceError) Error() string {
	return fmt.Sprintf("%v: %s, wait %v", ErrPace, e.Domain, e.Wait.Round(time.Second))
}

// Unwrap returns ErrPace.
func (e *PaceError) Unwrap() error { return ErrPace }

// Ledger remembers when which domain got a probe. It is safe for concurrent use.
type Ledger struct {
	// Dir holds a file for each domain, so that the limit holds for all processes;
	// empty keeps it in memory. The names of the files do not tell the domains.
	Dir string

	mu   sync.Mutex
	last map[resolve.Name]time.Time
}

// process is the ledger of calls without one: the limit holds for a process then.
var process Ledger

// Reserve notes a probe to a domain, or returns a *PaceError.
func (l *Ledger) Reserve(domain resolve.Name, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Dir != "" {
		return l.reserveFile(domain, now)
	}
	if last, ok := l.last[domain]; ok {
		if wait := left(last, now); wait > 0 {
			return &PaceError{domain, wait}
		}
	}
	if l.last == nil {
		l.last = map[resolve.Name]time.Time{}
	}
	for d, t := range l.last {
		if left(t, now) <= 0 {
			delete(l.last, d)
		}
	}
	l.last[domain] = now
	return nil
}

// left is how long a domain has to be left alone.
func left(last, now time.Time) time.Duration {
	if last.After(now) {
		return Pace // a clock was set back: not for longer than that
	}
	return Pace - now.Sub(last)
}

// staleLock is the age at which the lock of a process is taken for forgotten.
const staleLock = 10 * time.Second

func (l *Ledger) reserveFile(domain resolve.Name, now time.Time) error {
	if err := os.MkdirAll(l.Dir, 0o700); err != nil {
		return fmt.Errorf("send: ledger: %w", err)
	}
	sum := sha256.Sum256([]byte(domain.String()))
	path := filepath.Join(l.Dir, hex.EncodeToString(sum[:12]))
	unlock, err := lock(path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("send: ledger: %w", err)
	default:
		last, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(text[:min(len(text), 64)])))
		if err != nil {
			// A file that cannot be read is no file that is not there: when it was
			// written is known all the same.
			info, err := os.Stat(path)
			if err != nil {
				return fmt.Errorf("send: ledger: %w", err)
			}
			last = info.ModTime()
		}
		if last.After(now) {
			// The clock was set back, or the file is wrong. It counts as one from now,
			// once.
			if err := write(path, now); err != nil {
				return err
			}
		}
		if wait := left(last, now); wait > 0 {
			return &PaceError{domain, wait}
		}
	}
	return write(path, now)
}

func write(path string, now time.Time) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, []byte(now.UTC().Format(time.RFC3339Nano)+"\n"), 0o600); err != nil {
		return fmt.Errorf("send: ledger: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("send: ledger: %w", err)
	}
	return nil
}

func lock(path string) (func(), error) {
	for range 2 {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			f.Close()
			return func() { os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("send: ledger: %w", err)
		}
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) < staleLock {
			break
		}
		os.Remove(path)
	}
	return nil, fmt.Errorf("%w: another probe to the same domain is being sent", ErrPace)
}

// Ownership says how the domain of a sender was proven.
type Ownership string

// Ways to prove a domain.
const (
	OwnedByKey    Ownership = "dkim-key" // the key that signs is published for the domain
	OwnedByRecord Ownership = "record"   // the record of Proof is there
	OwnedByLogin  Ownership = "login"    // a submission server answers for who logs in there
)

// proofLabel is where the record of Proof stands.
const proofLabel = "_mailcheck-probe"

// Proof is the record that proves a domain to the holder of a secret, which is any
// text of 16 octets and more that nobody can guess: its name, and the text.
func Proof(domain resolve.Name, secret string) (resolve.Name, string, error) {
	if len(secret) < 16 {
		return resolve.Name{}, "", fmt.Errorf("%w: the secret of the record has less than 16 octets", ErrOwner)
	}
	name, err := domain.Below(proofLabel)
	sum := sha256.Sum256([]byte("mailcheck probe of " + domain.String() + "\x00" + secret))
	return name, "mailcheck-probe=" + hex.EncodeToString(sum[:16]), err
}

// OwnerError is a domain that is not proven. State is Absent if there is no proof,
// and Unavailable if that could not be found out.
type OwnerError struct {
	Domain resolve.Name
	State  resolve.State
	Why    string
}

// Error says why.
func (e *OwnerError) Error() string {
	word := ""
	if e.State == resolve.Unavailable {
		word = " (unknown)"
	}
	return fmt.Sprintf("%v%s: %s: %s", ErrOwner, word, e.Domain, e.Why)
}

// Unwrap returns ErrOwner.
func (e *OwnerError) Unwrap() error { return ErrOwner }

// owner finds out whether a domain is the caller's.
func (o *Options) owner(ctx context.Context, domain resolve.Name) (Ownership, error) {
	if s := o.Submission; s != nil && s.login() {
		return OwnedByLogin, nil
	}
	e := &OwnerError{Domain: domain, State: resolve.Absent, Why: "neither a DKIM key of it signs, nor is there a login"}
	if s := o.Sign; s != nil {
		switch {
		case !domain.Within(s.Domain) || s.Domain.NumLabels() < 2:
			e.Why = fmt.Sprintf("the key is for %s", s.Domain)
		default:
			state, why := published(ctx, o.Resolver, s)
			if state == resolve.Present {
				return OwnedByKey, nil
			}
			e.State, e.Why = state, why
		}
	}
	if o.Secret == "" {
		return "", e
	}
	name, want, err := Proof(domain, o.Secret)
	if err != nil {
		return "", err
	}
	a, err := o.Resolver.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	for _, t := range a.TXT() {
		if t.Joined() == want {
			return OwnedByRecord, nil
		}
	}
	if s := resolve.StateOf(err); err != nil && s == resolve.Unavailable {
		e.State, e.Why = s, err.Error()
	} else {
		e.Why += fmt.Sprintf("; %s has no TXT record %q", name, want)
	}
	return "", e
}

// published compares the key in DNS with the one that signs.
func published(ctx context.Context, r resolve.Resolver, s *dkim.SignOptions) (resolve.State, string) {
	k, err := keys.FromSigner(s.Key)
	if err != nil {
		return resolve.Absent, err.Error()
	}
	res := dkim.Lookup(ctx, r, s.Domain, s.Selector)
	for _, rec := range res.Records {
		if rec.Usable() && k.Matches(rec.Key) {
			return resolve.Present, ""
		}
	}
	if res.State == resolve.Unavailable {
		return resolve.Unavailable, fmt.Sprintf("%v", res.Err)
	}
	return resolve.Absent, fmt.Sprintf("the key in DNS at selector %.80q of %s is not the one that signs", s.Selector, s.Domain)
}

// mayStop tells whether a probe may end behind RCPT: that is what tools for
// guessing addresses do, so only for addresses that say nothing about a person,
// or in a proven domain.
func (d draft) mayStop() error {
	if strings.EqualFold(d.to.local, "postmaster") || d.to.domain == d.from.domain {
		return nil
	}
	return fmt.Errorf("%w: only postmaster@%s, or an address in the sender's own domain", ErrVerify, d.to.domain)
}
