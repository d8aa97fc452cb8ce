package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Address holds one conversation with one address, as host. The error is about
// the options; all else is in the Attempt.
func Address(ctx context.Context, host resolve.Name, addr netip.Addr, port Port, opt Options) (Attempt, error) {
	a := Attempt{Host: host, Address: netip.AddrPortFrom(addr.Unmap(), port.Number), ImplicitTLS: port.ImplicitTLS}
	p, err := newProber(opt)
	if err != nil {
		return a, err
	}
	p.attempt(ctx, &a, false)
	return a, nil
}

// attempt fills in a. A brief one ends after the greeting.
func (p *prober) attempt(ctx context.Context, a *Attempt, brief bool) {
	start := p.Now()
	ctx, cancel := context.WithTimeout(ctx, p.HostTimeout)
	defer cancel()
	conn, err := p.connect(ctx, a)
	a.Timing.ConnectMS = p.since(start)
	if err != nil {
		a.Timing.TotalMS = p.since(start)
		a.fail(err)
		a.Connect = refusal(err)
		return
	}
	a.Connect = Accepted
	c := smtp.NewClient(conn, smtp.Options{Timeout: p.StepTimeout, Now: p.Now})
	defer c.Close()
	name := p.Name
	if name == "" {
		name = literal(conn.LocalAddr())
	}
	p.converse(ctx, a, talk{client: c, name: name, brief: brief})
	// A host that does not answer QUIT is not worth a word.
	_ = c.Quit(ctx)
	a.Observations, a.Transcript = c.Observations(), c.Transcript()
	a.Timing.TotalMS = p.since(start)
}

// connect dials, and tells apart what lies with the host and what with us.
func (p *prober) connect(ctx context.Context, a *Attempt) (net.Conn, *smtp.Error) {
	addr := a.Address.Addr()
	if err := p.guard.Check(addr); err != nil {
		return nil, forbidden(err)
	}
	if err := ctx.Err(); err != nil {
		e := smtp.NewError(smtp.StepConnect, err)
		e.Detail = "not tried, the run was over"
		return nil, e
	}
	if known := p.known(wayTo(a.Address)); known != nil {
		switch known.State {
		case Blocked:
			return nil, &smtp.Error{Step: smtp.StepConnect, Cause: smtp.Blocked, Detail: "not dialed: control hosts are silent"}
		case NoRoute:
			return nil, &smtp.Error{Step: smtp.StepConnect, Cause: smtp.NoIPv6, Detail: "not dialed"}
		}
	}
	var source netip.Addr
	if addr.Is6() {
		var err error
		if source, err = p.Route(addr); err != nil {
			return nil, &smtp.Error{Step: smtp.StepConnect, Cause: smtp.NoIPv6, Detail: "no route from this machine", Err: err}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, p.ConnectTimeout)
	defer cancel()
	conn, err := p.Dial(ctx, "tcp", a.Address.String())
	if err == nil {
		return conn, nil
	}
	if errors.Is(err, netguard.ErrForbidden) {
		return nil, forbidden(err)
	}
	e := smtp.NewError(smtp.StepConnect, err)
	// A private source address reaches no public one, unless something
	// translates; nothing did.
	if e.Cause != smtp.ConnectionRefused && source.IsValid() &&
		netguard.Classify(source) != "" && netguard.Classify(addr) == "" {
		e.Cause, e.Detail = smtp.NoIPv6, "this machine has no public IPv6 address, only "+source.String()
	}
	return nil, e
}

func forbidden(err error) *smtp.Error {
	e := &smtp.Error{Step: smtp.StepConnect, Cause: smtp.Forbidden, Detail: "the address is not public", Err: err}
	if g, ok := errors.AsType[*netguard.Error](err); ok {
		e.Detail = g.Error()
	}
	return e
}

// talk is what a conversation needs.
type talk struct {
	client *smtp.Client
	name   string
	brief  bool
}

func (p *prober) converse(ctx context.Context, a *Attempt, t talk) {
	c := t.client
	if a.ImplicitTLS {
		if t.brief = false; !p.secure(ctx, a, c.Handshake) {
			return
		}
	}
	start := p.Now()
	banner, err := c.Banner(ctx)
	a.Timing.BannerMS = p.since(start)
	if len(banner.Lines) > 0 {
		a.Banner = &banner
	}
	if err != nil {
		a.Greeting = a.fail(err)
		return
	}
	start = p.Now()
	hello, err := c.Hello(ctx, t.name)
	a.Timing.EHLOMS = p.since(start)
	if err != nil {
		a.Greeting = a.fail(err)
		return
	}
	a.Greeting = Accepted
	if a.ImplicitTLS {
		a.SecureHello, a.Secure = &hello, Accepted
		return
	}
	a.Hello, a.STARTTLS = &hello, offered(hello)
	if a.STARTTLS != resolve.Present || t.brief || !p.secure(ctx, a, c.StartTLS) {
		return
	}
	again, err := c.Hello(ctx, t.name)
	if err != nil {
		a.Secure = a.fail(err)
		return
	}
	a.SecureHello, a.Secure = &again, Accepted
}

// offered reads whether STARTTLS is among the extensions. A host that refuses
// EHLO for the name we gave may offer it to others.
func offered(h smtp.Hello) resolve.State {
	if _, ok := h.Extension("STARTTLS"); ok {
		return resolve.Present
	}
	// RFC 5321, Section 4.2.4: 500 and 502 are the answers of a host that does
	// not know the command, and so has no extensions.
	if h.Refused != nil && h.Refused.Code != 500 && h.Refused.Code != 502 {
		return resolve.Unavailable
	}
	return resolve.Absent
}

// secure turns on TLS and judges what was shown.
func (p *prober) secure(ctx context.Context, a *Attempt, start func(context.Context, string) (smtp.Session, error)) bool {
	began := p.Now()
	// RFC 8461, Section 4.1 and RFC 7672, Section 8.1: SNI is the MX host.
	s, err := start(ctx, a.Host.String())
	a.Timing.TLSMS = p.since(began)
	if e, ok := errors.AsType[*smtp.Error](err); !ok || e.Step == smtp.StepTLS {
		a.TLS = &s
	}
	if len(s.Chain) > 0 {
		v := cert.Judge(s.Chain, a.Host.String(), p.Roots, p.Now())
		a.Certificate = &v
	}
	if err != nil {
		a.Secure = a.fail(err)
		return false
	}
	return true
}

// fail keeps the first failure and returns the state it leaves.
func (a *Attempt) fail(err error) State {
	e, ok := errors.AsType[*smtp.Error](err)
	if !ok {
		e = smtp.NewError(smtp.StepConnect, err)
	}
	if a.Failure == nil {
		// Plain data: what the system said does not survive JSON, the cause does.
		a.Failure = &smtp.Error{Step: e.Step, Cause: e.Cause, Detail: e.Detail, Reply: e.Reply}
	}
	return refusal(e)
}

func refusal(e *smtp.Error) State {
	if e.Temporary() {
		return Unknown
	}
	return Refused
}

// heard reports whether the host said anything at all.
func (a *Attempt) heard() bool {
	if a.Banner != nil || a.TLS != nil && len(a.TLS.Chain) > 0 {
		return true
	}
	for _, e := range a.Transcript.Entries {
		if e.Direction == smtp.Received {
			return true
		}
	}
	return false
}

func (p *prober) since(t time.Time) int64 { return p.Now().Sub(t).Milliseconds() }

// literal is the address of our end (RFC 5321, Section 4.1.3).
func literal(a net.Addr) string {
	addr := addrOf(a)
	switch {
	case addr.Is4():
		return "[" + addr.String() + "]"
	case addr.Is6():
		return "[IPv6:" + addr.String() + "]"
	}
	return "[127.0.0.1]"
}
