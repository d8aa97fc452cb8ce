package arc

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/internal/message"
	"github.com/mailcheck-go/mailcheck/dkim/internal/signature"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Validate reads a message and validates its chain (RFC 8617, Section 5.2).
//
// The message is read once, in flat memory; without ARC fields only its header is.
// An error is that of the reader or of the context. Every fault of the chain, DNS
// trouble among them, is [Fail] (RFC 8617, Section 5.2.1); the signatures of the
// sets say whether asking again may help.
func Validate(ctx context.Context, r io.Reader, resolver resolve.Resolver, opts Options) (Result, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.MaxHeaderBytes == 0 {
		opts.MaxHeaderBytes = dkim.MaxHeaderBytes
	}
	v := validator{opts: opts, m: message.New(), keys: newKeys(ctx, resolver)}
	defer v.m.Close()
	limits := message.Limits{Header: opts.MaxHeaderBytes, Body: opts.MaxBodyBytes}
	err := v.m.Read(ctx, r, limits, v.plan)
	v.keys.wait()
	if err != nil {
		return Result{}, fmt.Errorf("arc: reading the message: %w", err)
	}
	v.judge()
	return v.out, nil
}

type validator struct {
	opts  Options
	m     *message.Message
	keys  *keys
	chain chain
	sound bool // worth checking signatures
	last  int  // the highest set whose signatures are checked
	out   Result
}

// plan collects the sets, and asks for keys if the chain is worth it.
func (v *validator) plan() []message.BodySpec {
	c := &v.chain
	c.collect(&v.m.Header)
	v.out.Sets = c.describe()
	v.out.Status = None
	if v.m.HeaderOver {
		v.out.Limits = append(v.out.Limits, dkim.Limit{Kind: "header", Limit: int64(v.opts.MaxHeaderBytes), Text: "the header block is longer, so the chain was not validated"})
		v.fail(ReasonLimit, 0, "the header block is over the limit")
		return nil
	}
	if c.total == 0 {
		v.out.Explanation = "the message has no ARC sets"
		return nil
	}
	if c.top > 0 {
		if seal := c.sets[c.top].fields[fieldSeal]; seal != nil {
			v.out.Sealer = seal.Domain
		}
	}
	v.last = c.top
	if why, at, text := c.structure(); why != "" {
		v.fail(why, at, text)
		if why != ReasonSaidFail || c.top == 1 || !c.below(c.top) {
			return nil
		}
		v.last-- // the verdict stands; the sets below show what the sealer found
	}
	v.sound = true
	specs := []message.BodySpec{}
	for i := v.last; i >= 1; i-- {
		s := &c.sets[i]
		for _, kind := range [...]int{fieldMessage, fieldSeal} {
			if s.faults[kind] == nil {
				v.keys.start(s.fields[kind])
			}
		}
		if s.faults[fieldMessage] == nil {
			specs = append(specs, s.fields[fieldMessage].Body())
		}
	}
	return specs
}

func (v *validator) fail(why Reason, at int, text string) {
	v.out.Status, v.out.Reason, v.out.Instance, v.out.Explanation = Fail, why, at, text
}

// judge goes through steps 4 to 7 of RFC 8617, Section 5.2. It checks older sets
// even when the verdict is known, as far as that shows who broke the chain.
func (v *validator) judge() {
	switch {
	case !v.sound:
		return
	case v.m.BodyOver:
		v.out.Limits = append(v.out.Limits, dkim.Limit{Kind: "body", Limit: v.opts.MaxBodyBytes, Text: "the body is longer, so the chain was not validated"})
		if v.out.Status != Fail {
			v.fail(ReasonLimit, 0, "the body is over the limit")
		}
		return
	}
	oldest := v.last + 1
	for i := v.last; i >= 1; i-- {
		v.message(i)
		if v.out.Sets[i-1].Message.Status != dkim.Pass {
			break
		}
		oldest = i
	}
	broken := v.seals()
	newest := v.out.Sets[v.last-1]
	text := ""
	switch {
	case oldest > v.last:
		text = v.messageText(newest)
	case broken > 0:
		s := v.out.Sets[broken-1].Seal
		text = fmt.Sprintf("the seal of set %d by %+.80q does not verify: %s", broken, s.Domain, s.Explanation)
	}
	switch {
	case v.out.Status == Fail: // said by the newest sealer
		if text != "" {
			v.out.Explanation += "; " + text
		} else {
			v.out.Explanation += "; the sets below verify as they are now"
		}
	case oldest > v.last:
		v.fail(ReasonMessage, v.last, text)
	case broken > 0:
		v.fail(ReasonSeal, broken, text)
	default:
		v.pass(oldest)
	}
}

func (v *validator) pass(oldest int) {
	v.out.Status = Pass
	v.out.Explanation = fmt.Sprintf("%d sets; %+.80q vouches for them, and the message was not changed since it was sealed first", v.chain.top, v.out.Sealer)
	if v.chain.top == 1 {
		v.out.Explanation = fmt.Sprintf("1 set; %+.80q vouches for it, and the message was not changed since", v.out.Sealer)
	}
	if oldest == 1 {
		return
	}
	v.out.OldestPass = oldest
	before := v.out.Sets[oldest-2].Message
	switch before.Status {
	case dkim.Fail:
		v.out.ChangedBy = v.out.Sets[oldest-1].Message.Domain
		v.out.Explanation = fmt.Sprintf("%d sets; %+.80q vouches for them; the message was changed after %+.80q (set %d) and before or by %+.80q (set %d)", v.chain.top, v.out.Sealer,
			before.Domain, oldest-1, v.out.ChangedBy, oldest)
	default:
		v.out.Explanation = fmt.Sprintf("%d sets; %+.80q vouches for them; the message was not changed since set %d, before that it is not known: %s",
			v.chain.top, v.out.Sealer, oldest, before.Explanation)
	}
}

// messageText says who changed a message whose newest signature fails.
func (v *validator) messageText(s Set) string {
	m := s.Message
	if m.Status == dkim.Fail {
		by := "by a host that added no set"
		if v.last < v.chain.top {
			by = fmt.Sprintf("before or by %+.80q (set %d)", v.out.Sealer, v.chain.top)
		}
		if m.Reason == dkim.ReasonWrongKey {
			return fmt.Sprintf("the message signature of set %d by %+.80q does not verify: %s", s.Instance, m.Domain, m.Explanation)
		}
		return fmt.Sprintf("the message was changed after %+.80q sealed it in set %d, %s: %s", m.Domain, s.Instance, by, m.Explanation)
	}
	return fmt.Sprintf("the message signature of set %d by %+.80q cannot be used: %s", s.Instance, m.Domain, m.Explanation)
}

// message checks the ARC-Message-Signature of set i.
func (v *validator) message(i int) {
	f, bad := v.chain.sets[i].fields[fieldMessage], v.chain.sets[i].faults[fieldMessage]
	out := &v.out.Sets[i-1].Message
	switch now := v.opts.Now().Unix(); {
	case bad != nil:
	case f.Expires >= 0 && now > f.Expires:
		bad = &signature.Fault{Reason: string(dkim.ReasonExpired), Detail: "the signature has expired"}
	default:
		for _, n := range f.Names {
			// RFC 8617, Section 4.1.2: fields of ARC are not signed. See the package comment.
			if strings.EqualFold(n, "arc-seal") {
				bad = &signature.Fault{Reason: signature.Syntax, Detail: "h= lists ARC-Seal"}
			}
		}
	}
	if bad != nil {
		out.Status, out.Reason, out.Explanation = dkim.PermError, dkim.Reason(bad.Reason), bad.Detail
		return
	}
	sum, _ := v.m.BodySum(f.Body())
	out.BodyHash = dkim.Differs
	if !sum.Short && sum.Sum == f.BodyHash {
		out.BodyHash = dkim.Same
	}
	if !v.check(f, out, f.Hash(&v.m.Header)) {
		return
	}
	switch {
	case out.BodyHash == dkim.Differs:
		out.Status, out.Reason, out.Explanation = dkim.Fail, dkim.ReasonBodyAltered, "the body was altered"
	case out.HeaderHash == dkim.Differs:
		out.Status = dkim.Fail
		out.Reason, out.Explanation = why(f, out, "a signed header field was altered")
	default:
		out.Status = dkim.Pass
	}
}

// seals checks the seals from the first on, each of which covers the sets up to
// its own, and returns the highest instance that fails.
func (v *validator) seals() (broken int) {
	h := &v.m.Header
	w := sha256.New()
	for i := 1; i <= v.last; i++ {
		s := &v.chain.sets[i]
		h.Write(w, s.index[fieldResults], true)
		h.Write(w, s.index[fieldMessage], true)
		f, bad := s.fields[fieldSeal], s.faults[fieldSeal]
		out := &v.out.Sets[i-1].Seal
		if bad != nil {
			out.Status, out.Reason, out.Explanation = dkim.PermError, dkim.Reason(bad.Reason), bad.Detail
		} else if v.check(f, out, sealHash(w, f, h)) {
			if out.Status = dkim.Pass; out.HeaderHash != dkim.Same {
				out.Status = dkim.Fail
				out.Reason, out.Explanation = why(f, out, "a field of a set up to it was altered")
			}
		}
		if out.Status != dkim.Pass {
			broken = i
		}
		h.Write(w, s.index[fieldSeal], true)
	}
	return broken
}

// sealHash is the hash of what a seal covers: all before it and the seal itself.
func sealHash(w hash.Hash, f *signature.Field, h *message.Header) (out [sha256.Size]byte) {
	own := w
	if c, ok := w.(hash.Cloner); ok {
		if clone, err := c.Clone(); err == nil {
			own = clone
		}
	}
	f.WriteSelf(own, h)
	own.Sum(out[:0])
	return out
}

// why tells an altered field from another key, which an RSA signature shows.
func why(f *signature.Field, out *Signature, altered string) (dkim.Reason, string) {
	k, ok := out.public.(*rsa.PublicKey)
	if !ok {
		return dkim.ReasonMismatch, altered + ", or another key was used"
	}
	if _, ok := signature.Signed(k, f.Signature); !ok {
		return dkim.ReasonWrongKey, "it was not made with the published key, or b= was damaged"
	}
	return dkim.ReasonHeaderAltered, altered
}

// check compares a signature with its key. It is false, with the status set, when
// that cannot be done.
func (v *validator) check(f *signature.Field, out *Signature, digest [sha256.Size]byte) bool {
	if f.Algorithm == "rsa-sha1" {
		out.Status, out.Reason, out.Explanation = dkim.Policy, dkim.ReasonSHA1, "a=rsa-sha1 counts as no signature since RFC 8301"
		return false
	}
	matches := v.keys.get(f).KeysFor(f.KeyType(), v.opts.MaxKeyBits)
	out.KeyBits = matches[0].Record.Key.Bits
	if matches[0].Status != dkim.Pass {
		out.Status, out.Reason, out.Explanation = matches[0].Status, matches[0].Reason, matches[0].Detail
		return false
	}
	out.HeaderHash, out.public = dkim.Differs, matches[0].Public
	for i, k := range matches {
		if i < maxTries && k.Status == dkim.Pass && signature.Check(k.Public, digest, f.Signature) {
			out.HeaderHash = dkim.Same
			break
		}
	}
	return true
}

// maxTries bounds the key records that one signature is checked with.
const maxTries = 2
