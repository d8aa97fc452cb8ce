package send

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/probe/token"
)

// Send sends one probe. An error means that none was sent and no host was spoken
// to: it matches ErrAddress, ErrMessage, ErrOptions, ErrOwner, ErrPace, ErrVerify,
// ErrNoMail or ErrRoute, or is that of the password. What hosts said and did is in
// the Result, and no error.
func Send(ctx context.Context, m Message, opt Options) (Result, error) {
	res := Result{Outcome: NotSent, Attempts: []Attempt{}}
	if err := opt.fill(); err != nil {
		return res, err
	}
	start := opt.Now()
	res.At = start.Round(0).UTC()
	d, err := m.check(start)
	if err != nil {
		return res, err
	}
	res.Token, res.MessageID = d.Token, token.MessageID(d.Token, d.from.domain.String())
	res.From, res.MailFrom, res.To, res.SMTPUTF8 = d.from.String(), d.mailFrom.String(), d.to.String(), d.utf8
	if opt.DSN.wanted() && opt.DSN.EnvelopeID == "" {
		opt.DSN.EnvelopeID = d.Token
	}
	s := &sender{Options: opt, draft: d, guard: netguard.Guard{Allow: opt.Allow}}
	if s.mail, err = d.signed(ctx, opt.Sign); err != nil {
		return res, err
	}
	res.Message, res.Commands = s.mail, s.commands()
	if opt.DryRun {
		res.Outcome, res.Why = Planned, s.plan()
		return res, nil
	}
	ctx, cancel := context.WithTimeout(ctx, opt.Timeout)
	defer cancel()
	if err := s.permit(ctx, &res); err != nil {
		return res, err
	}
	s.run(ctx, &res)
	res.ElapsedMS = s.since(start)
	return res, nil
}

// permit checks all limits, finds the way and gets the password, so that nothing
// is left to fail before the first host is dialed.
func (s *sender) permit(ctx context.Context, res *Result) error {
	var err error
	if res.Owner, err = s.owner(ctx, s.draft.from.domain); err != nil {
		return err
	}
	if env := s.draft.mailFrom.domain; env != s.draft.from.domain {
		if _, err := s.owner(ctx, env); err != nil {
			return fmt.Errorf("envelope sender: %w", err)
		}
	}
	if s.StopAtRcpt {
		if err := s.draft.mayStop(); err != nil {
			return err
		}
	}
	if s.route, err = s.Options.route(ctx, s.draft); err != nil {
		res.Route = s.route
		return err
	}
	res.Route = s.route
	if sub := s.Submission; sub != nil && sub.login() {
		if s.secret, s.token, err = sub.credentials(ctx); err != nil {
			return fmt.Errorf("send: %w", err)
		}
	}
	return s.Ledger.Reserve(s.draft.to.domain, s.Now())
}

// run tries host after host, until one decides.
func (s *sender) run(ctx context.Context, res *Result) {
	port := uint16(25)
	if s.Submission != nil {
		port = s.Submission.Port
	}
	for _, h := range s.route.Hosts {
		if p := s.Policy; s.Submission == nil && p != nil && p.Mode == mtasts.Enforce && !s.covered(h.name) {
			res.Attempts = append(res.Attempts, Attempt{Host: h.Host, Failure: &smtp.Error{Step: smtp.StepConnect, Cause: Untrusted,
				Detail: "the MTA-STS policy does not list the host"}})
			continue
		}
		for _, addr := range h.Addresses {
			plain := false
			for again := true; again; {
				if len(res.Attempts) == MaxAttempts || ctx.Err() != nil {
					s.conclude(res)
					return
				}
				a := s.attempt(ctx, h, netip.AddrPortFrom(addr, port), plain)
				res.Attempts = append(res.Attempts, a)
				if s.final(&a) {
					s.conclude(res)
					return
				}
				again = !plain && s.mayFallBack(&a)
				plain = true
			}
		}
	}
	s.conclude(res)
}

// final reports whether an attempt decides about the mail, so that no other host
// is to be asked.
func (s *sender) final(a *Attempt) bool {
	f := a.Failure
	switch {
	case f == nil, a.wrote && f.Reply == nil, f.Step == StepAuth:
		return true // and a password is not tried twice
	case f.Reply == nil:
		return false
	}
	// RFC 5321, Section 4.2.1: 5yz is for good. A host that refuses the connection or
	// the greeting says nothing about the mail, though, and another may take it.
	return f.Reply.Code >= 500 && (f.Step == StepMail || f.Step == StepRcpt || f.Step == StepData || f.Step == StepEnd)
}

// mayFallBack reports whether the mail may go to the same address without TLS.
func (s *sender) mayFallBack(a *Attempt) bool {
	t := talk{sender: s, Attempt: a}
	if a.Failure == nil || s.Security != Opportunistic || t.verified() || a.ImplicitTLS {
		return false
	}
	return (a.Failure.Step == smtp.StepTLS || a.Failure.Step == smtp.StepSTARTTLS) && a.Failure.Cause != Injected
}

// conclude sums up the attempts.
func (s *sender) conclude(res *Result) {
	last := res.Last()
	if last == nil {
		res.Why = "no address was tried"
		return
	}
	f := last.Failure
	switch {
	case f == nil && s.StopAtRcpt:
		res.Outcome, res.Why = Stopped, last.Host+" takes mail for the recipient; none was sent"
		return
	case f == nil:
		res.Outcome, res.Why, res.SentAt = Accepted, "taken by "+last.Host+": "+said(last.Reply), s.Now().Round(0).UTC()
		return
	case last.wrote && f.Reply == nil:
		res.Outcome, res.Why = Unknown, fmt.Sprintf("%s got the mail and did not answer: %v", last.Host, f)
		return
	case s.final(last) && f.Reply != nil && f.Reply.Code >= 500 && f.Step != StepAuth:
		res.Outcome, res.Why = Rejected, fmt.Sprintf("%s: %v", last.Host, f)
		return
	}
	// The most telling failure: a host that said "later", or else the last.
	i := slices.IndexFunc(res.Attempts, func(a Attempt) bool {
		return a.Failure.Reply != nil && a.Failure.Reply.Code/100 == 4 && a.Failure.Step != StepAuth
	})
	if i >= 0 {
		res.Outcome, last = Deferred, &res.Attempts[i]
	}
	res.Why = fmt.Sprintf("%s: %v", last.Host, last.Failure)
	if n := len(res.Attempts); n > 1 {
		res.Why += fmt.Sprintf(" (%d attempts)", n)
	}
}

func said(r *smtp.Reply) string {
	if r == nil || len(r.Lines) == 0 {
		return "without a word"
	}
	return fmt.Sprintf("%d %s", r.Code, strconv.QuoteToASCII(shorten(string(r.Lines[0]))))
}

// offer is what of a host's extensions changes the envelope.
type offer struct{ size, eight, requireTLS bool }

func (d draft) mailCommand(o offer, dsn DSN, size int) string {
	line := "MAIL FROM:<" + d.mailFrom.String() + ">"
	if o.size {
		line += " SIZE=" + strconv.Itoa(size) // RFC 1870, Section 6
	}
	if d.utf8 {
		line += " SMTPUTF8" // RFC 6531, Section 3.4
		if o.eight {
			line += " BODY=8BITMIME"
		}
	}
	if o.requireTLS {
		line += " REQUIRETLS" // RFC 8689, Section 2
	}
	if dsn.Return != "" {
		line += " RET=" + dsn.Return
	}
	if dsn.EnvelopeID != "" {
		line += " ENVID=" + xtext(dsn.EnvelopeID)
	}
	return line
}

func (d draft) rcptCommand(dsn DSN) string {
	line := "RCPT TO:<" + d.to.String() + ">"
	if len(dsn.Notify) > 0 {
		line += " NOTIFY=" + strings.Join(dsn.Notify, ",")
		if d.to.ascii() {
			line += " ORCPT=rfc822;" + xtext(d.to.String()) // RFC 3461, Section 4.2
		}
	}
	return line
}

// xtext encodes a value (RFC 3461, Section 4).
func xtext(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// commands are what is said to a host that offers everything.
func (s *sender) commands() []string {
	name := s.Name
	if name == "" {
		name = "[this host's address]"
	}
	out := []string{"EHLO " + name}
	implicit := s.Submission != nil && s.Submission.ImplicitTLS
	if s.Security != Plain && !implicit {
		out = append(out, "STARTTLS", "EHLO "+name)
	}
	if sub := s.Submission; sub != nil && sub.login() {
		word := sub.Mechanism
		if word == "" {
			if word = "SCRAM-SHA-256, PLAIN or LOGIN"; sub.Token != nil {
				word = "XOAUTH2 or OAUTHBEARER"
			}
		}
		out = append(out, "AUTH "+word+" ***")
	}
	o := offer{size: true, eight: true, requireTLS: s.RequireTLS}
	out = append(out, s.draft.mailCommand(o, s.DSN, len(s.mail)), s.draft.rcptCommand(s.DSN))
	if s.StopAtRcpt {
		return append(out, "RSET", "QUIT")
	}
	return append(out, "DATA", fmt.Sprintf("(%d octets)", len(s.mail)), ".", "QUIT")
}

func (s *sender) plan() string {
	to := "the MX hosts of " + s.draft.to.domain.String() + ", port 25"
	if sub := s.Submission; sub != nil {
		to = fmt.Sprintf("%s, port %d", sub.Host, sub.Port)
	}
	return "a dry run: it would go to " + to + "; nothing was looked up and no socket was opened"
}

// IsLimit reports whether an error is one of the limits that keep a probe from
// being misused, and not trouble with the way.
func IsLimit(err error) bool {
	return errors.Is(err, ErrOwner) || errors.Is(err, ErrPace) || errors.Is(err, ErrVerify)
}
