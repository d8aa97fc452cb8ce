package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	wire "github.com/mailcheck-go/mailcheck/probe/smtp"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults and limits. None of them is from an RFC: they are enough for a mail that
// a person wants to look at, and too little to hurt.
const (
	DefaultLife     = time.Hour
	DefaultMessage  = 2 << 20 // octets of a mail
	DefaultSession  = 5 * time.Minute
	DefaultIdle     = time.Minute
	DefaultConns    = 50
	DefaultRate     = 30   // connections of one address (of one /64 with IPv6) in a minute
	MaxLive         = 16   // addresses at a time: with the mails in memory they bound it
	MaxLine         = 2000 // octets; RFC 5321, Section 4.5.3.1.6 has 1000
	maxRecipients   = 1    // of a mail
	maxRefused      = 5    // recipients refused in a connection before it is closed
	maxTransactions = 10   // of a connection
)

// Errors.
var (
	ErrOptions = errors.New("listen: bad options")
	ErrFull    = errors.New("listen: too many addresses are waiting for a mail")
	ErrToken   = errors.New("listen: not a token, or one that was given out before")
)

// Options of a listener. Domain and Deliver are required.
type Options struct {
	Domain resolve.Name // of the addresses
	Host   string       // the name of this host, in the greeting; empty: Domain
	// Deliver gets each mail, once, in a goroutine of its own. Serve returns when all
	// calls have.
	Deliver func(Mail)
	// Event hears what was refused; nil: nobody does. It is called from many
	// goroutines.
	Event func(Event)

	Certificate *tls.Certificate // for STARTTLS; nil: one made by SelfSigned
	NoTLS       bool             // do not offer STARTTLS

	Now func() time.Time // nil: time.Now

	// 0 means the constant of that name.
	Life       time.Duration // of an address
	Session    time.Duration // of a connection, in all
	Idle       time.Duration // of the wait for a command, or for a whole mail
	MaxMessage int64
	MaxConns   int
	Rate       int
}

// Listener gives out addresses and takes a mail for each. It is safe for
// concurrent use.
type Listener struct {
	opt Options

	mu      sync.Mutex
	tokens  map[string]*ticket
	conns   int
	open    map[*guarded]bool
	recent  map[string]*rate
	serving sync.WaitGroup // connections and calls of Deliver
}

// ticket is the state of one token.
type ticket struct {
	until time.Time
	used  bool
}

// New makes a listener.
func New(opt Options) (*Listener, error) {
	if opt.Deliver == nil || opt.Domain.IsZero() || opt.Domain.IsRoot() {
		return nil, fmt.Errorf("%w: Domain and Deliver are needed", ErrOptions)
	}
	if opt.Host == "" {
		opt.Host = opt.Domain.String()
	}
	if err := wire.CheckName(opt.Host); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Event == nil {
		opt.Event = func(Event) {}
	}
	opt.Life, opt.Session, opt.Idle = orDefault(opt.Life, DefaultLife), orDefault(opt.Session, DefaultSession), orDefault(opt.Idle, DefaultIdle)
	opt.MaxMessage, opt.MaxConns, opt.Rate = orDefault(opt.MaxMessage, DefaultMessage), orDefault(opt.MaxConns, DefaultConns), orDefault(opt.Rate, DefaultRate)
	if opt.Certificate == nil && !opt.NoTLS {
		c, err := SelfSigned(opt.Host, opt.Now())
		if err != nil {
			return nil, err
		}
		opt.Certificate = c
	}
	l := &Listener{opt: opt, tokens: map[string]*ticket{}, recent: map[string]*rate{}, open: map[*guarded]bool{}}
	return l, nil
}

// server makes the server of one connection. Each has its own, as that is the only
// way to see what a connection says inside TLS.
func (l *Listener) server(t *tap) *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{l: l, conn: c, tap: t, peer: addrPort(c.Conn().RemoteAddr())}, nil
	}))
	s.Domain, s.Debug = l.opt.Host, t
	s.MaxRecipients, s.MaxMessageBytes, s.MaxLineLength = maxRecipients, l.opt.MaxMessage, MaxLine
	s.ReadTimeout, s.WriteTimeout = l.opt.Idle, l.opt.Idle
	s.EnableSMTPUTF8, s.EnableDSN, s.EnableREQUIRETLS = true, true, true
	s.ErrorLog = quiet{}
	if !l.opt.NoTLS {
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*l.opt.Certificate}, MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true}
	}
	return s
}

// quiet takes the errors of connections, which Event hears of in our words.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Issue gives out the address of a token, which is good for one mail. An empty
// token means a new one.
func (l *Listener) Issue(tok string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.opt.Now()
	for t, x := range l.tokens {
		// What is over is still known for a while, to tell senders what happened.
		if now.After(x.until.Add(l.opt.Life)) {
			delete(l.tokens, t)
		}
	}
	live := 0
	for _, x := range l.tokens {
		if !x.used && !now.After(x.until) {
			live++
		}
	}
	if live >= MaxLive || len(l.tokens) >= 100*MaxLive {
		return "", ErrFull
	}
	if tok == "" {
		tok = token.New(nil)
	}
	if _, known := l.tokens[tok]; known || !token.Valid(tok) {
		return "", fmt.Errorf("%w: %.40q", ErrToken, tok)
	}
	l.tokens[tok] = &ticket{until: now.Add(l.opt.Life)}
	return token.Address(tok, l.opt.Domain.String()), nil
}

// Serve takes connections until the context ends, and then waits for those that
// are open and for Deliver. It closes ln. A listener serves once.
func (l *Listener) Serve(ctx context.Context, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var err error
	for {
		var c *guarded
		if c, err = l.accept(ln); err != nil {
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() && ctx.Err() == nil {
				continue
			}
			break
		}
		l.serving.Go(func() {
			t := &tap{}
			// It ends with the connection, and says that the listener is closed.
			_ = l.server(t).Serve(&single{conn: c})
			c.Close()
		})
	}
	ln.Close()
	l.closeAll()
	l.serving.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("listen: %w", err)
}

// live says whether a mail for a token may come, and why not.
func (l *Listener) live(tok string) *smtp.SMTPError {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tokens[tok]
	switch {
	case t == nil:
		return refusal(550, smtp.EnhancedCode{5, 1, 1}, "no such address here")
	case t.used:
		return refusal(550, smtp.EnhancedCode{5, 2, 1}, "this address has had its mail")
	case l.opt.Now().After(t.until):
		return refusal(550, smtp.EnhancedCode{5, 2, 1}, "this address has expired")
	}
	return nil
}

// take uses a token up; only one mail of several that come at once gets it.
func (l *Listener) take(tok string) *smtp.SMTPError {
	if e := l.live(tok); e != nil {
		return e
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.tokens[tok]; t != nil && !t.used {
		t.used = true
		return nil
	}
	return refusal(550, smtp.EnhancedCode{5, 2, 1}, "this address has had its mail")
}

func refusal(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}
