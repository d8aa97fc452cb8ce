package send

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/send/internal/wire"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// sender holds what all attempts of a run need.
type sender struct {
	Options
	draft  draft
	mail   []byte
	route  Route
	guard  netguard.Guard
	secret string
	token  bool // secret is an OAuth token
}

// talk is one attempt under way.
type talk struct {
	*sender
	*Attempt
	host  RouteHost
	c     *wire.Client
	hello string // what EHLO says
	plain bool   // STARTTLS failed before: go on without
}

// attempt holds one conversation.
func (s *sender) attempt(ctx context.Context, h RouteHost, addr netip.AddrPort, plain bool) Attempt {
	a := Attempt{Host: h.Host, Address: addr, ImplicitTLS: s.Submission != nil && s.Submission.ImplicitTLS}
	start := s.Now()
	ctx, cancel := context.WithTimeout(ctx, s.HostTimeout)
	defer cancel()
	conn, err := s.connect(ctx, addr)
	a.Timing.ConnectMS = s.since(start)
	if err != nil {
		a.Failure, a.Timing.TotalMS = plainData(err), s.since(start)
		return a
	}
	a.Local, _ = netip.ParseAddrPort(conn.LocalAddr().String())
	t := &talk{sender: s, Attempt: &a, host: h, plain: plain, hello: s.Name,
		c: wire.New(conn, wire.Options{Timeout: s.StepTimeout, End: s.EndTimeout, Now: s.Now})}
	if t.hello == "" {
		t.hello = literal(a.Local.Addr())
	}
	if err := t.converse(ctx); err != nil {
		a.Failure = plainData(err)
	}
	a.wrote = t.c.WroteEnd
	t.c.Quit(ctx)
	a.Observations, a.Transcript = t.c.Observations(), t.c.Transcript()
	a.Timing.TotalMS = s.since(start)
	return a
}

func (s *sender) connect(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	if err := s.guard.Check(addr.Addr()); err != nil {
		return nil, wire.Fail(smtp.StepConnect, smtp.Forbidden, "%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, netguard.DefaultTimeout)
	defer cancel()
	conn, err := s.Dial(ctx, "tcp", addr.String())
	switch {
	case err == nil:
		return conn, nil
	case errors.Is(err, netguard.ErrForbidden):
		return nil, wire.Fail(smtp.StepConnect, smtp.Forbidden, "%v", err)
	}
	return nil, smtp.NewError(smtp.StepConnect, err)
}

// converse is the conversation up to the answer to the mail.
func (t *talk) converse(ctx context.Context) error {
	if t.ImplicitTLS {
		if err := t.secure(ctx, t.c.Handshake); err != nil {
			return err
		}
	}
	if err := t.timed(&t.Timing.BannerMS, func() error { _, err := t.c.Banner(ctx); return err }); err != nil {
		return err
	}
	if err := t.greet(ctx); err != nil {
		return err
	}
	if err := t.upgrade(ctx); err != nil {
		return err
	}
	if err := t.login(ctx); err != nil {
		return err
	}
	return t.deliver(ctx)
}

func (t *talk) greet(ctx context.Context) error {
	return t.timed(&t.Timing.EHLOMS, func() error {
		h, err := t.c.Hello(ctx, t.hello)
		if err == nil {
			t.Hello = &h
		}
		return err
	})
}

// verified reports whether the certificate has to be trusted.
func (t *talk) verified() bool {
	return t.Security == Verified || t.RequireTLS || t.Submission != nil && t.Submission.login() && t.Security != Plain ||
		t.Policy != nil && t.Policy.Mode == mtasts.Enforce
}

// upgrade turns on TLS as far as it is wanted.
func (t *talk) upgrade(ctx context.Context) error {
	if t.ImplicitTLS || t.Security == Plain || t.plain {
		return nil
	}
	must := t.verified() || t.Security == Encrypted
	if _, ok := t.Hello.Extension("STARTTLS"); !ok {
		switch {
		case must && t.loopbackLogin():
			return nil
		case must:
			return wire.Fail(smtp.StepSTARTTLS, NotOffered, "TLS is required, and the host does not offer STARTTLS")
		}
		return nil
	}
	if err := t.secure(ctx, t.c.StartTLS); err != nil {
		return err
	}
	return t.greet(ctx) // RFC 3207, Section 4.2: what was heard in clear does not count
}

// loopbackLogin reports whether a login without TLS is allowed here.
func (t *talk) loopbackLogin() bool {
	return t.Submission != nil && t.Submission.PlainLoopback && t.Address.Addr().IsLoopback() &&
		t.Security == Opportunistic && !t.RequireTLS
}

func (t *talk) secure(ctx context.Context, start func(context.Context, string, uint16) (smtp.Session, error)) error {
	version := uint16(tls.VersionTLS12)
	if !t.verified() && t.Security != Encrypted {
		version = tls.VersionTLS10 // old TLS hides more than none
	}
	return t.timed(&t.Timing.TLSMS, func() error {
		s, err := start(ctx, t.Attempt.Host, version)
		if e, ok := errors.AsType[*smtp.Error](err); !ok || e.Step == smtp.StepTLS {
			t.TLS = &s
		}
		if len(s.Chain) > 0 {
			v := cert.Judge(s.Chain, t.Attempt.Host, t.Roots, t.Now())
			t.Certificate = &v
		}
		if err == nil && t.verified() {
			err = t.trust()
		}
		return err
	})
}

// trust refuses a certificate that is not trusted, before anything is said.
func (t *talk) trust() error {
	if v := t.Certificate; v == nil || v.OK() != cert.Good {
		detail := "nothing was presented"
		if v != nil {
			var why []string
			for _, c := range []cert.Check{v.Chain, v.Name, v.Time} {
				if c.State != cert.Good {
					why = append(why, strings.TrimSpace(string(c.Problem)+" "+c.Detail))
				}
			}
			detail = strings.Join(why, "; ")
		}
		t.c.Close() // nothing is said to who is not the one, not even QUIT
		return wire.Fail(smtp.StepTLS, Untrusted, "%s", detail)
	}
	return nil
}

func (t *talk) login(ctx context.Context) error {
	s := t.Submission
	if s == nil || !s.login() {
		return nil
	}
	if t.TLS == nil && !t.loopbackLogin() {
		return wire.Fail(StepAuth, NotOffered, "no password is sent without TLS")
	}
	x, _ := t.Hello.Extension("AUTH")
	name, ok := s.choose(x.Params, t.token)
	if !ok {
		return wire.Fail(StepAuth, NotOffered, "the server offers no login by %s", name)
	}
	t.Mechanism = name
	return t.timed(&t.Timing.AuthMS, func() error { return authenticate(ctx, t.c, name, s.User, t.secret) })
}

// deliver hands over the mail.
func (t *talk) deliver(ctx context.Context) error {
	mail, rcpt, err := t.parameters()
	if err != nil {
		return err
	}
	if err := t.timed(&t.Timing.MailMS, func() error { return t.command(ctx, StepMail, mail, 250) }); err != nil {
		return err
	}
	// RFC 5321, Section 3.3: 251 takes the mail as well, and forwards it.
	if err := t.timed(&t.Timing.RcptMS, func() error { return t.command(ctx, StepRcpt, rcpt, 250, 251) }); err != nil {
		return err
	}
	if t.StopAtRcpt {
		_, _ = t.c.Command(ctx, StepRcpt, "RSET")
		return nil
	}
	return t.timed(&t.Timing.DataMS, func() error {
		r, err := t.c.Data(ctx, t.mail)
		if r.Code != 0 {
			t.Reply = &r
		}
		return err
	})
}

func (t *talk) command(ctx context.Context, step smtp.Step, line string, codes ...int) error {
	r, err := t.c.Command(ctx, step, line)
	if err != nil {
		return err
	}
	t.Reply = &r
	return t.c.Expect(r, codes...)
}

// parameters are the commands of the envelope, for what the host offers.
func (t *talk) parameters() (mail, rcpt string, err error) {
	has := func(word string) bool { _, ok := t.Hello.Extension(word); return ok }
	if t.draft.utf8 && !has("SMTPUTF8") {
		return "", "", wire.Fail(StepMail, NotOffered, "the mail needs SMTPUTF8")
	}
	if t.RequireTLS {
		if err := t.mayRequire(has); err != nil {
			return "", "", err
		}
	}
	if x, ok := t.Hello.Extension("SIZE"); ok && len(x.Params) > 0 {
		if n, err := strconv.ParseInt(string(x.Params[0]), 10, 64); err == nil && n > 0 && n < int64(len(t.mail)) {
			return "", "", wire.Fail(StepMail, NotOffered, "the host takes %d octets, and the mail has %d", n, len(t.mail))
		}
	}
	dsn := t.DSN
	if dsn.wanted() && !has("DSN") {
		// RFC 3461, Section 5.2.2: the mail goes without.
		t.Left, dsn = append(t.Left, "DSN"), DSN{}
	}
	offers := offer{size: has("SIZE"), eight: has("8BITMIME"), requireTLS: t.RequireTLS}
	return t.draft.mailCommand(offers, dsn, len(t.mail)), t.draft.rcptCommand(dsn), nil
}

// mayRequire checks what RFC 8689, Section 4.2.1 demands of the sender: TLS, a
// certificate that was verified, a host whose name cannot be forged, and the
// extension.
func (t *talk) mayRequire(has func(string) bool) error {
	switch {
	case t.TLS == nil || !t.TLS.Established:
		return wire.Fail(StepMail, NotOffered, "REQUIRETLS needs TLS")
	case t.Submission == nil && !t.route.Authentic && !t.covered(t.host.name):
		return wire.Fail(StepMail, Untrusted, "REQUIRETLS needs a host that DNSSEC or an MTA-STS policy vouches for (RFC 8689, Section 4.2.1)")
	case !has("REQUIRETLS"):
		return wire.Fail(StepMail, NotOffered, "the host does not offer REQUIRETLS")
	}
	return nil
}

// covered reports whether the policy lists a host.
func (s *sender) covered(host resolve.Name) bool {
	p := s.Policy
	return p != nil && (p.Mode == mtasts.Enforce || p.Mode == mtasts.Testing) && len(mtasts.Check(*p, []resolve.Name{host}).Uncovered) == 0
}

func (t *talk) timed(ms *int64, f func() error) error {
	start := t.Now()
	err := f()
	*ms += t.since(start)
	return err
}

func (s *sender) since(t time.Time) int64 { return s.Now().Sub(t).Milliseconds() }

// plainData keeps of an error what survives JSON.
func plainData(err error) *smtp.Error {
	e, ok := errors.AsType[*smtp.Error](err)
	if !ok {
		e = smtp.NewError(smtp.StepConnect, err)
	}
	return &smtp.Error{Step: e.Step, Cause: e.Cause, Detail: e.Detail, Reply: e.Reply}
}

// literal is the address of our end (RFC 5321, Section 4.1.3).
func literal(a netip.Addr) string {
	switch a = a.Unmap().WithZone(""); {
	case a.Is4():
		return "[" + a.String() + "]"
	case a.Is6():
		return "[IPv6:" + a.String() + "]"
	}
	return "[127.0.0.1]"
}
