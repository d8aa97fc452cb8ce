package mail

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/spf"
)

// settled is the age from which a record may well have been changed since the mail
// came: most records live for an hour in caches.
const settled = time.Hour

// age tells how old the mail was when it was judged here, in words.
func (f *Facts) age() (time.Duration, string) {
	at := f.Arrived
	if at.IsZero() {
		at = f.Header.Date.Time
	}
	if at.IsZero() || at.After(f.At) {
		return 0, "of unknown age"
	}
	d := f.At.Sub(at)
	switch {
	case d < 2*time.Minute:
		return d, "just in"
	case d < 2*time.Hour:
		return d, fmt.Sprintf("%d minutes old", int(d.Minutes()))
	case d < 48*time.Hour:
		return d, fmt.Sprintf("%d hours old", int(d.Hours()))
	}
	return d, fmt.Sprintf("%d days old", int(d.Hours()/24))
}

func (f *Facts) explainSPF(x Claim) (Cause, string) {
	r := f.SPF.Result
	if d := x.Domain; d != "" && !r.Domain.IsZero() && !strings.EqualFold(d, r.Domain.String()) {
		return OtherDomain, fmt.Sprintf("the receiver judged %.80s, and we %s", d, r.Domain)
	}
	if ip, ok := claimedIP(x); ok && ip != f.Client.IP {
		return OtherClient, fmt.Sprintf("the receiver judged %s, and we %s", ip, f.Client.IP)
	}
	switch {
	case x.Value == "temperror":
		return ReceiverDNS, "a lookup of the receiver failed then"
	case r.Status == spf.TempError:
		return OurDNS, "a lookup of ours failed: " + errText(r.Err)
	case x.result.Raw == "bestguesspass":
		return Guessed, "without a record the receiver guesses; that is no pass"
	case f.Forwarding.Kind != Direct && !f.Client.Given && x.Value == "pass":
		return OtherClient, "the mail was forwarded: the receiver probably judged a host further down its way"
	}
	if d, text := f.age(); d == 0 || d >= settled {
		return RecordChanged, fmt.Sprintf("the mail is %s: the SPF record has probably been changed since", text)
	}
	return Unexplained, "the same address and domain, and another result"
}

// claimedIP finds the address that a receiver says it judged: Gmail and Microsoft
// write it into the comment.
func claimedIP(x Claim) (netip.Addr, bool) {
	for _, c := range x.result.Comments {
		for w := range strings.FieldsSeq(c) {
			if ip, err := netip.ParseAddr(strings.Trim(w, ",;()[]")); err == nil && ip.Zone() == "" {
				return ip.Unmap(), true
			}
		}
	}
	if ip, err := netip.ParseAddr(x.result.Prop("smtp", "remote-ip")); err == nil && ip.Zone() == "" {
		return ip.Unmap(), true
	}
	return netip.Addr{}, false
}

// sinceReasons are the faults of a signature that something after the receiver can
// have made, and what that is.
var sinceReasons = map[dkim.Reason]struct {
	cause Cause
	text  string
}{
	dkim.ReasonNoKey:         {KeyGone, "there is no key under the selector any more: it was rotated and withdrawn since"},
	dkim.ReasonNotKey:        {KeyGone, "there is no key under the selector any more: it was rotated and withdrawn since"},
	dkim.ReasonRevoked:       {KeyGone, "the key was revoked since"},
	dkim.ReasonKeySyntax:     {RecordChanged, "the key record was damaged since, or the receiver reads it with more patience"},
	dkim.ReasonWrongKey:      {KeyReplaced, "another key stands under the selector now, or the signature field was damaged after the receiver had verified it"},
	dkim.ReasonKeyType:       {KeyReplaced, "a key of another type stands under the selector now"},
	dkim.ReasonMismatch:      {KeyReplaced, "another key stands under the selector now, or a signed field was changed since"},
	dkim.ReasonHeaderAltered: {AlteredSince, "a signed field was changed after the receiver had verified it"},
	dkim.ReasonBodyAltered:   {AlteredSince, "the body was changed after the receiver had verified it"},
	dkim.ReasonBodyTruncated: {AlteredSince, "the body was cut after the receiver had verified it"},
	dkim.ReasonExpired:       {Clock, "the signature has expired by the time that we judge it at"},
	dkim.ReasonSHA1:          {ReceiverPolicy, "the receiver still takes SHA-1, which RFC 8301 forbids"},
	dkim.ReasonKeyShort:      {ReceiverPolicy, "the receiver takes keys as short as this one, which RFC 8301 forbids"},
	dkim.ReasonKeyLong:       {ReceiverPolicy, "the key is longer than what we verify with"},
	dkim.ReasonLimit:         {ReceiverPolicy, "a limit of ours was reached"},
}

func (f *Facts) explainDKIM(s *dkim.Signature, x Claim) (Cause, string) {
	_, old := f.age()
	switch {
	case x.Value == "temperror":
		return ReceiverDNS, "the receiver could not read the key then"
	case s.Status == dkim.TempError:
		return OurDNS, "we could not read the key: " + s.Explanation
	case s.Status == dkim.Pass:
		return f.explainOurPass(s, x, old)
	case x.Value == "pass":
		return f.explainTheirPass(s, old)
	case x.Value == "none" || x.Value == "neutral" || x.Value == "policy":
		return ReceiverPolicy, "the receiver did not count the signature, by a rule of its own"
	}
	// Both say that it does not verify, in other words.
	return ReceiverPolicy, "both say that it does not verify, and call it by other words"
}

// explainTheirPass tells what has become of a signature that once was good.
func (f *Facts) explainTheirPass(s *dkim.Signature, old string) (Cause, string) {
	w, ok := sinceReasons[s.Reason]
	if !ok {
		return Unexplained, "the receiver saw a signature that verifies; for us it does not: " + s.Explanation
	}
	text := w.text
	if c := s.Change; c != nil {
		switch c.Kind {
		case dkim.ChangeAppended, dkim.ChangePrepended, dkim.ChangeInserted:
			w.cause, text = FooterSince, "text was added to the body after the receiver had verified it: "+c.Detail
		case dkim.ChangeLineEnds, dkim.ChangeFinalNewline, dkim.ChangeFromQuoted, dkim.ChangeDots:
			text = "the mail was changed when it was stored or saved: " + c.Detail
		default:
			name := c.Field
			if name == "" {
				name = "the body"
			}
			text = fmt.Sprintf("%s was changed after the receiver had verified it: %s", name, c.Detail)
		}
	}
	if w.cause == KeyGone || w.cause == KeyReplaced || w.cause == RecordChanged {
		text += "; the mail is " + old
	}
	return w.cause, text
}

// explainOurPass tells why a receiver refused what verifies here.
func (f *Facts) explainOurPass(s *dkim.Signature, x Claim, old string) (Cause, string) {
	what := strings.ToLower(x.Detail)
	switch {
	case strings.Contains(what, "expired"):
		return Clock, "by the receiver's clock the signature had expired"
	case strings.Contains(what, "no key") || strings.Contains(what, "key not found") || strings.Contains(what, "nxdomain"):
		return RecordChanged, fmt.Sprintf("the receiver found no key; it was published since, or had not reached the receiver yet (the mail is %s)", old)
	case strings.Contains(what, "body hash"):
		return AlteredSince, "for the receiver the body had been changed, and what we have verifies: the receiver changed the mail before it looked, or gave out the original"
	case s.Algorithm == "ed25519-sha256":
		return ReceiverPolicy, "the receiver probably knows no Ed25519 (RFC 8463), as most large ones do not"
	case x.Value == "none" || x.Value == "neutral" || x.Value == "policy":
		if s.Testing {
			return ReceiverPolicy, "the key says t=y, so the receiver treats the mail as not signed"
		}
		if s.KeyBits > 0 && s.KeyBits < 2048 {
			return ReceiverPolicy, fmt.Sprintf("the receiver does not count it, perhaps for the key of %d bits", s.KeyBits)
		}
		return ReceiverPolicy, "the receiver does not count the signature, by a rule of its own"
	}
	if d, text := f.age(); d == 0 || d >= settled {
		return RecordChanged, fmt.Sprintf("the mail is %s: the key has probably been put right since", text)
	}
	return Unexplained, "the signature verifies here and did not there"
}

func (f *Facts) explainARC(x Claim) (Cause, string) {
	switch {
	case x.Value == "temperror" || strings.Contains(strings.ToLower(x.Detail), "timeout"):
		return ReceiverDNS, "a lookup of the receiver failed then"
	case x.Value == "none" && f.receiverSealed():
		return Follows, "the receiver judged the mail before it added its own set"
	case f.ARC.Status == arc.Fail && x.Value == "pass":
		for _, s := range f.ARC.Sets {
			for _, sig := range []arc.Signature{s.Message, s.Seal} {
				if w, ok := sinceReasons[sig.Reason]; ok {
					return w.cause, fmt.Sprintf("set %d: %s", s.Instance, w.text)
				}
			}
		}
	}
	return ARCTrust, "the receiver looked at another part of the chain, or only at sealers that it trusts"
}

// receiverSealed reports whether the newest set stands above the border.
func (f *Facts) receiverSealed() bool {
	border := f.Trace.BorderField()
	if border < 0 || len(f.Claims.ARC) == 0 {
		return false
	}
	for _, i := range f.Claims.ARC[0].Fields {
		if i > border {
			return false
		}
	}
	return len(f.Claims.ARC[0].Fields) > 0
}

func (f *Facts) explainDMARC(x Claim) (Cause, string) {
	if d := x.Domain; d != "" && !f.DMARC.Author.IsZero() && !strings.EqualFold(d, f.DMARC.Author.String()) {
		return OtherDomain, fmt.Sprintf("the receiver judged %.80s, and we %s", d, f.DMARC.Author)
	}
	what := strings.ToLower(x.Detail)
	switch {
	case x.Value == "temperror":
		return ReceiverDNS, "a lookup of the receiver failed then"
	case f.DMARC.Now.Result == "temperror":
		return OurDNS, f.DMARC.Now.Why
	case x.Value == "pass" && (strings.Contains(what, "arc") || strings.Contains(what, "forward")) || x.Value == "bestguesspass":
		return Override, "the receiver overruled it: " + x.Detail
	}
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Difference != nil && (c.Method == "spf" || c.Method == "dkim") {
			return Follows, fmt.Sprintf("it follows from the difference in %s of %.80s", strings.ToUpper(c.Method), c.Domain)
		}
	}
	for i := range f.Checks {
		c := &f.Checks[i]
		if c.Ours == Unchecked && c.Method == "spf" {
			return Follows, "the receiver knew the result of SPF, and we do not: " + c.Why
		}
	}
	if d, text := f.age(); d == 0 || d >= settled {
		return RecordChanged, fmt.Sprintf("the mail is %s: the DMARC record has probably been changed since", text)
	}
	return Unexplained, "the same identifiers, and another result"
}

func errText(err error) string {
	if err == nil {
		return "no reason is known"
	}
	return err.Error()
}
