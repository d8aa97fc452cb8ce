package dkim

import (
	"crypto/rsa"
	"crypto/sha256"

	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
)

// Budgets of one message for explanations, so that a hostile one costs no more
// than about 50 milliseconds.
const (
	maxHashed = 40 << 20 // octets hashed
	maxChecks = 256      // Ed25519 verifications
)

// explainer looks for the change that makes a signature verify when undone.
type explainer struct {
	hashed int
	checks int
	bodies []bodyFinding // of signatures before, by what they looked for
}

type bodyFinding struct {
	want    [sha256.Size]byte
	relaxed bool
	length  int64
	change  *Change
}

// spend takes from the budget and reports whether there was enough.
func (e *explainer) spend(octets int) bool {
	e.hashed += octets
	return e.hashed <= maxHashed
}

// explain adds to a failed signature what explains it.
func (v *verifier) explain(f *signature.Field, s *Signature) {
	if s.BodyHash != Same {
		c, looked := v.ex.body(f, v.m)
		switch {
		case c != nil:
			s.Change = c
			s.Explanation += ": " + c.Detail
		case !looked:
			s.Explanation += "; the body is too large to look for the change"
		}
	}
	if s.HeaderHash != Differs {
		return
	}
	accept := v.ex.acceptor(s, f)
	if accept == nil {
		return
	}
	if c := v.ex.header(f, &v.m.Header, accept); c != nil {
		if s.Change == nil {
			s.Change = c
		}
		if s.Reason == ReasonMismatch {
			s.Reason = ReasonHeaderAltered // undoing the change proves that the key fits
		}
		s.Explanation += ": " + c.Detail
	} else if s.Reason == ReasonHeaderAltered {
		s.Explanation += "; no change of a single field explains it"
	}
}

// acceptor is the test that a hash has to pass to be the one that was signed. It
// is nil when there can be none: the signature is of another RSA key.
func (e *explainer) acceptor(s *Signature, f *signature.Field) func([sha256.Size]byte) bool {
	pub := s.Record.Key.Public()
	if k, ok := pub.(*rsa.PublicKey); ok {
		want, ok := signature.Signed(k, f.Signature)
		if !ok {
			return nil
		}
		return func(sum [sha256.Size]byte) bool { return sum == want }
	}
	return func(sum [sha256.Size]byte) bool {
		e.checks++
		return e.checks <= maxChecks && signature.Check(pub, sum, f.Signature)
	}
}
