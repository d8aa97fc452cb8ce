package dkim

import (
	"context"
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// maxTries bounds the key records that one signature is checked with.
const maxTries = 4

// Verify reads a message and judges its signatures (RFC 6376, Section 6.1).
//
// The message is read once. Its body is hashed as it passes by, once for each
// canonical form that signatures use, while the keys are looked up. Memory does
// not grow with the body, unless opts.Explain asks for explanations.
//
// An error is that of the reader or of the context. Everything that can be wrong
// with a message or a key is in the result.
func Verify(ctx context.Context, r io.Reader, resolver resolve.Resolver, opts VerifyOptions) (Verification, error) {
	v := verifier{opts: opts, resolver: resolver, ctx: ctx, m: message.New()}
	defer v.m.Close()
	if opts.Now == nil {
		v.opts.Now = time.Now
	}
	limits := message.Limits{Header: orDefault(opts.MaxHeaderBytes, MaxHeaderBytes), Body: opts.MaxBodyBytes}
	if opts.Explain {
		limits.Keep = MaxExplained
	}
	err := v.m.Read(ctx, r, limits, v.plan)
	v.keys.wait()
	if err != nil {
		return Verification{}, fmt.Errorf("dkim: reading the message: %w", err)
	}
	v.limits(limits)
	for i := range v.parsed {
		v.judge(i)
	}
	v.out.BodySize = v.m.Size
	return v.out, nil
}

func orDefault(n, or int) int {
	if n == 0 {
		return or
	}
	return n
}

type verifier struct {
	ctx      context.Context
	opts     VerifyOptions
	resolver resolve.Resolver
	m        *message.Message
	keys     lookups
	parsed   []*signature.Field // beside out.Signatures; nil for one that cannot be used
	found    int                // DKIM-Signature fields
	out      Verification
	ex       explainer
}

// plan reads the signatures once the header is there, and starts the lookups.
func (v *verifier) plan() []message.BodySpec {
	h := &v.m.Header
	max := orDefault(v.opts.MaxSignatures, MaxSignatures)
	specs := []message.BodySpec(nil)
	for i := range h.Fields {
		if h.Is(i, "arc-seal") {
			v.out.Seals++
		}
		if !h.Is(i, "dkim-signature") {
			continue
		}
		if v.found++; v.found > max {
			continue
		}
		f, bad := signature.Parse(h, i, signature.DKIM)
		s := describe(f)
		if bad == nil {
			bad = v.screen(f, &s)
		}
		if bad != nil && s.Status == "" {
			s.Status, s.Reason, s.Explanation = PermError, Reason(bad.Reason), bad.Detail
			if bad.Reason == signature.Limit {
				s.Status = Neutral
			}
		}
		if v.m.HeaderOver {
			s.Status, s.Reason, s.Explanation = Neutral, ReasonLimit, overLimit
		}
		if s.Status != "" {
			f = nil
		} else {
			specs = append(specs, f.Body())
			v.keys.start(v.ctx, v.resolver, f.Name, f.Selector)
		}
		v.out.Signatures = append(v.out.Signatures, s)
		v.parsed = append(v.parsed, f)
	}
	v.notes()
	return specs
}

const overLimit = "the message is over a limit and was not read to its end"

// describe fills in what a field says about itself.
func describe(f *signature.Field) Signature {
	s := Signature{
		Domain: f.Domain, Selector: f.Selector, Identity: f.Identity, Algorithm: f.Algorithm,
		SignedHeaders: f.Names, BodyLength: f.Length, Canonicalization: canonNames[bit(f.RelaxedHeader)][bit(f.RelaxedBody)],
		Time: unix(f.Time), Expires: unix(f.Expires),
	}
	if s.Identity == "" && s.Domain != "" {
		s.Identity = "@" + s.Domain
	}
	return s
}

var canonNames = [2][2]string{{"simple/simple", "simple/relaxed"}, {"relaxed/simple", "relaxed/relaxed"}}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// maxTime is the end of the year 9999, the last that a date can be written for.
const maxTime = 253402300799

func unix(sec int64) time.Time {
	if sec < 0 {
		return time.Time{}
	}
	return time.Unix(min(sec, maxTime), 0).UTC()
}

// screen finds what needs no key: a hash that counts no more, and expiry.
func (v *verifier) screen(f *signature.Field, s *Signature) *signature.Fault {
	// RFC 8301, Section 3.1: rsa-sha1 is not verified.
	if f.Algorithm == "rsa-sha1" {
		s.Status, s.Reason = Policy, ReasonSHA1
		s.Explanation = "a=rsa-sha1 counts as no signature since RFC 8301: sign with rsa-sha256"
		return nil
	}
	now := v.opts.Now()
	// RFC 6376, Section 3.5: x= in the past is an expired signature.
	if f.Expires >= 0 && now.Unix() > f.Expires {
		return &signature.Fault{Reason: string(ReasonExpired), Detail: "the signature expired at " + unix(f.Expires).Format(time.RFC3339)}
	}
	if f.Time > now.Add(clockSkew).Unix() {
		s.Notes = append(s.Notes, Note{Kind: NoteFuture, Detail: "t= is " + unix(f.Time).Format(time.RFC3339) + ", which is to come"})
	}
	if _, err := KeyName(f.Name, f.Selector); err != nil {
		return &signature.Fault{Reason: signature.Selector, Detail: fmt.Sprintf("s=%+.60q makes no name for a key", f.Selector)}
	}
	return nil
}

// clockSkew is how far clocks may be apart before a note is made of it.
const clockSkew = 5 * time.Minute

// limits says what was not looked at.
func (v *verifier) limits(l message.Limits) {
	if v.m.HeaderOver {
		v.limit("header", int64(l.Header), 0, "the header block is longer, so the signatures were not verified")
	}
	if max := orDefault(v.opts.MaxSignatures, MaxSignatures); v.found > max {
		v.limit("signatures", int64(max), int64(v.found), "the signatures below those were not looked at")
	}
	if v.m.BodyOver {
		v.limit("body", l.Body, 0, "the body is longer, so the signatures were not verified")
	}
}

func (v *verifier) limit(kind string, limit, found int64, text string) {
	v.out.Limits = append(v.out.Limits, Limit{Kind: kind, Limit: limit, Found: found, Text: text})
}

// judge finishes a signature when the body is hashed and the key is there.
func (v *verifier) judge(i int) {
	f, s := v.parsed[i], &v.out.Signatures[i]
	if f == nil {
		return
	}
	s.Key = v.keys.get(f.Name, f.Selector)
	if v.m.BodyOver {
		s.Status, s.Reason, s.Explanation = Neutral, ReasonLimit, overLimit
		return
	}
	sum, _ := v.m.BodySum(f.Body())
	s.BodyHash = Differs
	if !sum.Short && sum.Sum == f.BodyHash {
		s.BodyHash = Same
	}
	v.coverage(f, s, sum)

	keys := s.Key.KeysFor(f.KeyType(), v.opts.MaxKeyBits)
	s.useKey(keys[0])
	if s.Key.Several() {
		s.Notes = append(s.Notes, Note{Kind: NoteSeveralKeys, Detail: "there are several TXT records at the selector: receivers may use either"})
	}
	// RFC 6376, Section 3.6.1: with t=s the domains of i= and d= are the same.
	if keys[0].Status == Pass && keys[0].Record.HasFlag("s") && f.Identity != "" && f.IdentityName != f.Name {
		s.Status, s.Reason = PermError, ReasonKeyIdentity
		s.Explanation = fmt.Sprintf("the key has t=s, so the domain of i=%+.80q must be d=%+.80q itself", f.Identity, f.Domain)
		return
	}
	if keys[0].Status != Pass {
		s.Status, s.Reason, s.Explanation = keys[0].Status, keys[0].Reason, keys[0].Detail
		if s.BodyHash == Differs {
			s.Explanation += "; the body was altered as well"
		}
		return
	}
	digest := f.Hash(&v.m.Header)
	s.HeaderHash = Differs
	for i, k := range keys {
		if i < maxTries && k.Status == Pass && signature.Check(k.Public, digest, f.Signature) {
			s.HeaderHash = Same
			s.useKey(k)
			break
		}
	}
	v.conclude(f, s, sum)
}

func (s *Signature) useKey(k KeyMatch) {
	s.Record, s.KeyBits, s.Testing = k.Record, k.Record.Key.Bits, k.Record.HasFlag("y")
}

// conclude gives the status of a signature that could be checked.
func (v *verifier) conclude(f *signature.Field, s *Signature, sum message.BodySum) {
	switch {
	case s.BodyHash == Same && s.HeaderHash == Same:
		s.Status = Pass
		v.keyNotes(s)
		return
	case sum.Short:
		s.Status, s.Reason = Fail, ReasonBodyTruncated
		s.Explanation = fmt.Sprintf("the body has %d octets, fewer than the %d of l=: its end is missing", sum.Length, f.Length)
	case s.BodyHash != Same:
		s.Status, s.Reason = Fail, ReasonBodyAltered
		s.Explanation = "the body was altered after signing"
	default:
		s.Status = Fail
		s.Reason, s.Explanation = headerReason(s.Record.Key.Public(), f)
	}
	v.keyNotes(s)
	if s.BodyHash != Same {
		s.Explanation += v.headerToo(f, s)
	}
	if v.opts.Explain {
		v.explain(f, s)
	}
}

// headerReason tells trouble with the key from trouble with the message. An RSA
// signature shows which hash it was made over, an Ed25519 signature does not.
func headerReason(pub crypto.PublicKey, f *signature.Field) (Reason, string) {
	k, ok := pub.(*rsa.PublicKey)
	if !ok {
		return ReasonMismatch, "a signed header field was altered, or the signature was made with another key"
	}
	if _, ok := signature.Signed(k, f.Signature); ok {
		return ReasonHeaderAltered, "the key fits, but a signed header field was altered after signing"
	}
	return ReasonWrongKey, "the signature was not made with the published key, or b= was damaged"
}

// headerToo says how the header fares when the body differs.
func (v *verifier) headerToo(f *signature.Field, s *Signature) string {
	if s.HeaderHash == Same {
		return "; the signed header fields are intact and the key fits"
	}
	switch why, _ := headerReason(s.Record.Key.Public(), f); why {
	case ReasonHeaderAltered:
		return "; a signed header field was altered as well, the key fits"
	case ReasonWrongKey:
		return "; the signature was not made with the published key either, or b= was damaged"
	}
	return "; the signature over the header fails as well"
}
