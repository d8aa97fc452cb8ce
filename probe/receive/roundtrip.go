package receive

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message/authres"
	"github.com/mailcheck-go/mailcheck/message/verdict"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Difference is a method of which we and the receiver think differently, or of
// which only one says something.
type Difference struct {
	Method string `json:"method"` // spf, dkim, dmarc
	Domain string `json:"domain,omitempty"`
	Ours   string `json:"ours"`   // empty: nothing
	Theirs string `json:"theirs"` // empty: nothing
	Why    string `json:"why"`
}

// Judge is our own verdict on a mail that arrived, for the host that handed it to
// the receiver.
func (r *Result) Judge(ctx context.Context, dns resolve.Resolver, now func() time.Time) (judge.Verdicts, error) {
	in := judge.Input{Raw: r.Raw, Now: now}
	if c := r.Trace.Client; !c.Inside {
		in.IP, in.Helo = c.IP, c.Helo
	}
	if in.MailFrom = r.Trace.MailFrom.Address; r.Trace.MailFrom.Source == "" {
		in.IP = netip.Addr{} // without the envelope sender SPF has nothing to be about
	}
	return judge.Mail(ctx, dns, in)
}

// Compare holds our verdict against the receiver's, as far as its own fields tell
// it.
func (r *Result) Compare(v judge.Verdicts) []Difference {
	out := []Difference{}
	theirs := r.Auth.Trusted()
	if len(theirs) == 0 {
		return out // it says nothing that can be believed: there is nothing to compare
	}
	by := func(method, domain string) string {
		for _, x := range theirs {
			if x.Method == method && (domain == "" || strings.EqualFold(x.Domain(), domain)) {
				return x.Value
			}
		}
		return ""
	}
	if v.SPFKnown {
		out = r.differ(out, Difference{Method: "spf", Domain: v.SPF.Domain.String(), Ours: string(v.SPF.Status), Theirs: by("spf", "")}, v)
	}
	for _, s := range v.DKIM.Signatures {
		out = r.differ(out, Difference{Method: "dkim", Domain: s.Domain, Ours: string(s.Status), Theirs: by("dkim", s.Domain)}, v)
	}
	return r.differ(out, Difference{Method: "dmarc", Domain: v.DMARC.Author.String(), Ours: string(v.DMARC.Now.Result), Theirs: by("dmarc", "")}, v)
}

func (r *Result) differ(out []Difference, d Difference, v judge.Verdicts) []Difference {
	if d.Ours == d.Theirs || d.Theirs == "" && d.Ours == "none" {
		return out
	}
	switch {
	case d.Theirs == "":
		d.Why = "the receiver says nothing of it"
	case strings.HasSuffix(d.Ours, "temperror") || strings.HasSuffix(d.Theirs, "temperror"):
		d.Why = "one of the two could not ask DNS"
	case d.Method == "spf" && r.Forwarded.Seen:
		d.Why = "the mail was forwarded: it depends on which host SPF is asked about"
	case d.Method == "dkim" && d.Theirs == string(dkim.Pass):
		d.Why = "the mail was changed after the receiver looked at it"
		for _, s := range v.DKIM.Signatures {
			if s.Domain == d.Domain && s.Explanation != "" {
				d.Why += ": " + s.Explanation
			}
		}
	case d.Method == "dmarc":
		d.Why = "SPF or DKIM differ, or the receiver has another rule"
	default:
		d.Why = "the record may have changed since, or the receiver asks another server"
	}
	return append(out, d)
}

// Status is the answer of a monitor.
type Status string

// Statuses.
const (
	Pass    Status = "pass"    // it is in the inbox, and DMARC passes
	Fail    Status = "fail"    // junk, a bounce, or authentication that fails
	Unknown Status = "unknown" // it is not there, it is void, or something could not be found out
	NotSent Status = "not-sent"
)

// RoundtripResult is a probe from its first octet to the mailbox.
type RoundtripResult struct {
	Status Status `json:"status"`
	Why    string `json:"why"`

	Sent     send.Result  `json:"sent"`
	Received *Result      `json:"received"` // nil if it was not sent
	Differs  []Difference `json:"differences"`

	Verdicts *judge.Verdicts `json:"-"` // ours; nil if it did not arrive
}

// Roundtrip sends a probe, finds it, and compares what we and the receiver think
// of it. Its errors are those of send.Send, and of Find with the result of the
// sending.
func Roundtrip(ctx context.Context, m send.Message, opt send.Options, seed Seed, look Options) (RoundtripResult, error) {
	res := RoundtripResult{Status: NotSent, Differs: []Difference{}}
	sent, err := send.Send(ctx, m, opt)
	if res.Sent = sent; err != nil {
		return res, err
	}
	if sent.Outcome != send.Accepted && sent.Outcome != send.Unknown {
		res.Why = sent.Why
		return res, nil
	}
	look.Token, look.To, look.MailFrom, look.Direct = sent.Token, sent.To, sent.MailFrom, opt.Submission == nil
	if look.SentAt = sent.SentAt; look.SentAt.IsZero() {
		look.SentAt = sent.At
	}
	got, err := Find(ctx, seed, look)
	res.Received = &got
	if err != nil {
		res.Status, res.Why = Unknown, err.Error()
		return res, err
	}
	if got.Outcome == Arrived {
		v, err := got.Judge(ctx, opt.Resolver, opt.Now)
		if err != nil {
			return res, err
		}
		res.Verdicts, res.Differs = &v, got.Compare(v)
	}
	res.Status, res.Why = got.Status(res.Verdicts)
	return res, nil
}

// Status sums up a result, with our own verdicts if there are any.
func (r *Result) Status(v *judge.Verdicts) (Status, string) {
	switch r.Outcome {
	case Bounced:
		return Fail, "a report says that it was not delivered"
	case NotArrived:
		return Unknown, "it is not in the mailbox yet"
	}
	if r.Placement == verdict.Spam || r.Placement == verdict.Phish || r.Placement == verdict.Blocked {
		return Fail, "it is in the folder for spam"
	}
	if v != nil {
		switch v.DMARC.Now.Result {
		case "fail", "permerror":
			return Fail, fmt.Sprintf("DMARC: %s", v.DMARC.Now.Result)
		case "temperror":
			return Unknown, "DMARC could not be evaluated"
		}
	}
	if d, ok := first(r.Auth.Trusted(), "dmarc"); ok && d.Value == "fail" {
		return Fail, "the receiver says that DMARC fails"
	}
	if r.Void {
		return Unknown, "the verdict is void: " + r.VoidWhy
	}
	if r.Placement != verdict.Inbox {
		return Unknown, "where it was put is not known"
	}
	return Pass, "it is in the inbox"
}

func first(list []authres.Result, method string) (authres.Result, bool) {
	for _, x := range list {
		if x.Method == method {
			return x, true
		}
	}
	return authres.Result{}, false
}
