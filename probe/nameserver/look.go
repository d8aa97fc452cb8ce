package nameserver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// DefaultTimeout bounds one question to one server. Resolvers go on to the next
// server sooner than that.
const DefaultTimeout = 3 * time.Second

// Asker finds the servers of a zone and compares them; *client.Client is one.
type Asker interface {
	AskAuthoritative(ctx context.Context, q resolve.Question) (client.Comparison, error)
}

// Options tune [Look]. The zero value asks public addresses only.
type Options struct {
	// Dial connects to "192.0.2.1:53" over udp or tcp; it has to refuse what may
	// not be asked. Nil dials public addresses only.
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	Port    uint16        // 0: 53
	Timeout time.Duration // of one question; 0: DefaultTimeout
}

// Zone is the zone that holds a name, and how its servers answer.
type Zone struct {
	Zone    resolve.Name
	Servers []Server
	// Agree says that all servers that answered say the same of the MX records.
	Agree bool

	Delegation Delegation
}

// Server is one address of a name server, or a host without one.
type Server struct {
	Host resolve.Name
	Addr netip.Addr // not valid if the host has none
	// Problem tells why there is no address, or no answer.
	Problem string
	// HostState is the state of the host's addresses.
	HostState resolve.State

	// Answers is Present if the server answers with authority, Absent if it is
	// lame: it responds, and not as a server of the zone. Unavailable: nothing
	// usable came.
	Answers resolve.State
	// ParentOnly says that the zone above names the host and the zone does not,
	// OldGlue that the address is one that only the zone above gives.
	ParentOnly, OldGlue bool
	// Alias is set if the host is an alias of that name.
	Alias resolve.Name

	Serial *uint32 // nil: it did not tell
	Stale  bool    // another server has a newer serial
	Said   []string

	// TCP and EDNS are Present if they work, Absent if they are proven not to,
	// Unavailable if it could not be found out.
	TCP, EDNS resolve.State
}

// String is "ns1.example.org (192.0.2.1)".
func (s Server) String() string { return client.NameServer{Host: s.Host, Addr: s.Addr}.String() }

// Look asks every server of the zone that holds the name for its MX records and
// the zone's serial, over UDP with EDNS and over TCP, and the zone above for the
// servers that it refers to. The error is that of finding the zone's servers.
func Look(ctx context.Context, a Asker, name resolve.Name, opt Options) (Zone, error) {
	if opt.Dial == nil {
		opt.Dial = Dial()
	}
	if opt.Port == 0 {
		opt.Port = 53
	}
	if opt.Timeout <= 0 {
		opt.Timeout = DefaultTimeout
	}
	c, err := a.AskAuthoritative(ctx, resolve.Question{Name: name, Type: resolve.TypeMX})
	z := Zone{Zone: c.Zone, Agree: c.Agree}
	if len(c.Answers) == 0 {
		if err == nil {
			err = errors.New("nameserver: no server was found")
		}
		return z, err
	}
	z.delegation(ctx, a, &c)
	z.Servers = make([]Server, len(c.Answers))
	var wg sync.WaitGroup
	for i, x := range c.Answers {
		s := &z.Servers[i]
		*s = Server{Host: x.Server.Host, Addr: x.Server.Addr, Serial: x.Serial, Stale: slices.Contains(c.Stale, x.Server),
			Alias: x.Server.Alias, ParentOnly: !z.Delegation.Lists(x.Server.Host), OldGlue: z.Delegation.oldGlue(x.Server.Host, x.Server.Addr)}
		if !s.Addr.IsValid() {
			s.HostState = resolve.StateOf(x.Server.Err)
			s.problem(x.Server.Err)
			continue
		}
		s.HostState = resolve.Present
		s.take(x, slices.Contains(c.Lame, x.Server), slices.Contains(c.Failed, x.Server))
		if s.Answers == resolve.Present {
			s.look(ctx, opt, z.Zone, &wg)
		}
	}
	wg.Wait()
	z.settle()
	return z, nil
}

func (s *Server) take(x client.ServerAnswer, lame, failed bool) {
	switch {
	case lame:
		s.Answers = resolve.Absent
		s.problem(x.Err)
	case failed:
		s.problem(x.Err)
	default:
		s.Answers = resolve.Present
		for _, r := range x.Answer.Records {
			s.Said = append(s.Said, r.Data.String())
		}
		slices.Sort(s.Said)
	}
}

func (s *Server) problem(err error) {
	if err != nil {
		s.Problem = err.Error()
	}
}

// settle takes silence over TCP for a refusal only where another server shows
// that TCP leaves this network. Servers that the comparison did not hold count too.
func (z *Zone) settle() {
	var first *Server
	for i := range z.Servers {
		s := &z.Servers[i]
		if s.Answers != resolve.Present {
			continue
		}
		if first == nil {
			first = s
		}
		z.Agree = z.Agree && slices.Equal(first.Said, s.Said)
	}
	open := slices.ContainsFunc(z.Servers, func(s Server) bool { return s.TCP == resolve.Present })
	for i := range z.Servers {
		if s := &z.Servers[i]; s.TCP == silent {
			s.TCP = resolve.Unavailable
			if open {
				s.TCP = resolve.Absent
			}
		}
	}
}

// silent marks, until settle, a server whose TCP port gave no sign.
const silent = resolve.State(255)

func (o Options) tcp(ctx context.Context, addr netip.Addr, zone resolve.Name) resolve.State {
	for range 2 { // one lost packet proves nothing
		_, err := o.ask(ctx, "tcp", addr, query(zone, true))
		switch {
		case err == nil:
			return resolve.Present
		case errors.Is(err, syscall.ECONNREFUSED):
			return resolve.Absent
		case errors.Is(err, netguard.ErrForbidden) || ctx.Err() != nil:
			return resolve.Unavailable
		}
	}
	return silent
}

// edns is Absent if the server answers without the option and not with it, or
// answers that it does not know it (RFC 6891, Section 7).
func (o Options) edns(ctx context.Context, addr netip.Addr, zone resolve.Name) resolve.State {
	for range 2 {
		r, err := o.ask(ctx, "udp", addr, query(zone, true))
		switch {
		case err == nil && (r.rcode == resolve.FormErr || r.rcode == resolve.NotImp):
			return resolve.Absent
		case err == nil:
			return resolve.Present // without the option in the answer it works all the same
		case errors.Is(err, netguard.ErrForbidden) || ctx.Err() != nil:
			return resolve.Unavailable
		}
	}
	if _, err := o.ask(ctx, "udp", addr, query(zone, false)); err == nil {
		return resolve.Absent
	}
	return resolve.Unavailable
}
