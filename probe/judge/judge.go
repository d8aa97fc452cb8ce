// Package judge authenticates one mail as the host that took it would: SPF of the
// client (RFC 7208), the DKIM signatures (RFC 6376), the chain of forwarders
// (RFC 8617), and DMARC from them (RFC 9989).
//
// Who sends a probe to himself wants to know what a receiver would make of it, and
// what a receiver made of it has to be held against something. [Mail] gives all
// four verdicts for a mail and the address that it came from; the packages below
// give the reasons.
package judge

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Input is a mail and what the receiving host knew of it.
type Input struct {
	Raw []byte
	// IP is the client; not valid if it is not known, and then nothing is said of SPF.
	IP       netip.Addr
	Helo     string
	MailFrom string           // without brackets; empty for the null reverse-path
	Now      func() time.Time // nil: time.Now
}

// Verdicts are what became of it. Texts of the mail in it are foreign.
type Verdicts struct {
	SPFKnown bool // false if the client is not known
	SPF      spf.Result
	DKIM     dkim.Verification
	ARC      arc.Result
	DMARC    dmarc.Evaluation
	Author   message.Author
}

// Mail judges one mail. The error is that of the context.
func Mail(ctx context.Context, r resolve.Resolver, in Input) (Verdicts, error) {
	if in.Now == nil {
		in.Now = time.Now
	}
	v := Verdicts{Author: message.Parse(in.Raw, message.Options{}).Author()}
	ids := dmarc.Identifiers{From: v.Author.Domains}
	if in.IP.IsValid() {
		v.SPFKnown = true
		v.SPF = spf.Check(ctx, r, spf.Args{IP: in.IP, Helo: in.Helo, MailFrom: in.MailFrom}, spf.Options{Now: in.Now})
		if !v.SPF.Domain.IsZero() {
			ids.SPF = dmarc.Identifier{Domain: v.SPF.Domain, Result: string(v.SPF.Status)}
		}
	}
	var err error
	v.DKIM, v.ARC, err = arc.VerifyMessage(ctx, bytes.NewReader(in.Raw), r, dkim.VerifyOptions{Now: in.Now, Explain: true})
	if err != nil {
		return v, err
	}
	for _, s := range v.DKIM.Signatures {
		if d, err := resolve.ParseName(strings.TrimSpace(s.Domain)); err == nil {
			ids.DKIM = append(ids.DKIM, dmarc.Identifier{Domain: d, Result: string(s.Status)})
		}
	}
	var d dmarc.Discovery
	if len(ids.From) > 0 {
		d = dmarc.Discover(ctx, r, ids.From[0], dmarc.Options{})
	}
	v.DMARC = dmarc.Evaluate(ctx, r, ids, d)
	return v, ctx.Err()
}
