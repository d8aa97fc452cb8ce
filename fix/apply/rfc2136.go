package apply

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// RFC2136 is a provider that sends dynamic updates (RFC 2136), signed with TSIG
// (RFC 8945). The old records are prerequisites of the update, so the server
// itself makes sure, in one step, that nobody has changed them meanwhile.
type RFC2136 struct {
	// Server is the primary, "192.0.2.53" or "192.0.2.53:5353".
	Server string
	Key    TSIG          // zero: unsigned, for a server that trusts addresses
	Wait   time.Duration // for one exchange; 0: 10 seconds
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// TSIG is a shared key. Its text is not printed.
type TSIG struct {
	Name      resolve.Name
	Algorithm string // "hmac-sha256"
	Secret    string // base64
}

// String keeps the secret out of logs.
func (k TSIG) String() string { return "key " + k.Name.String() }

// GoString keeps the secret out of logs.
func (k TSIG) GoString() string { return k.String() }

// fudge is how far the clocks may be apart (RFC 8945, Section 10).
const fudge = 300

// Get asks the primary.
func (p *RFC2136) Get(ctx context.Context, _, name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	m := new(dns.Msg)
	m.SetQuestion(name.FQDN(), uint16(t))
	m.RecursionDesired = false
	r, err := p.exchange(ctx, m)
	if err != nil {
		return nil, err
	}
	if r.Rcode == dns.RcodeNameError {
		return nil, nil
	}
	if err := rcode(r.Rcode); err != nil {
		return nil, err
	}
	c := fix.Change{Name: name, Type: t}
	for _, rr := range r.Answer {
		if rr.Header().Rrtype == uint16(t) && strings.EqualFold(rr.Header().Name, name.FQDN()) {
			c.TTL = rr.Header().Ttl
			c.New = append(c.New, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
	}
	rs, err := c.NewRecords()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemp, err)
	}
	return rs, nil
}

// Set sends one update for all changes: the server makes all of them or none.
func (p *RFC2136) Set(ctx context.Context, zone resolve.Name, changes []fix.Change) error {
	m := new(dns.Msg)
	m.SetUpdate(zone.FQDN())
	for _, c := range changes {
		old, err := rrs(c, c.Old, 0)
		if err != nil {
			return err
		}
		now, err := rrs(c, c.New, c.TTL)
		if err != nil {
			return err
		}
		set := []dns.RR{&dns.ANY{Hdr: dns.RR_Header{Name: c.Name.FQDN(), Rrtype: uint16(c.Type), Class: dns.ClassINET}}}
		if len(old) == 0 {
			m.RRsetNotUsed(set) // RFC 2136, Section 2.4.3: RRset does not exist
		} else {
			m.Used(old) // RFC 2136, Section 2.4.2: RRset exists, value dependent
		}
		if len(old) > 0 {
			m.RemoveRRset(set)
		}
		if len(now) > 0 {
			m.Insert(now)
		}
	}
	r, err := p.exchange(ctx, m)
	if err != nil {
		return err
	}
	return rcode(r.Rcode)
}

func rrs(c fix.Change, data []string, ttl uint32) ([]dns.RR, error) {
	var out []dns.RR
	for _, d := range data {
		rr, err := dns.NewRR(fmt.Sprintf("%s %d IN %s %s", c.Name.FQDN(), ttl, c.Type, d))
		if err != nil || rr == nil {
			return nil, fmt.Errorf("%w: %s %s: %w", ErrPlan, c.Name, c.Type, err)
		}
		out = append(out, rr)
	}
	return out, nil
}

// exchange sends over TCP: an update with a key does not fit a datagram, and a
// connection makes sure that a lost response is not taken for a lost request.
func (p *RFC2136) exchange(ctx context.Context, m *dns.Msg) (*dns.Msg, error) {
	wait := p.Wait
	if wait <= 0 {
		wait = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	server := p.Server
	if _, _, err := net.SplitHostPort(server); err != nil {
		server = net.JoinHostPort(strings.Trim(server, "[]"), "53")
	}
	dial := p.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err := dial(ctx, "tcp", server)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemp, err)
	}
	defer nc.Close()
	if d, ok := ctx.Deadline(); ok {
		if err := nc.SetDeadline(d); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTemp, err)
		}
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	conn := &dns.Conn{Conn: nc}
	if p.Key != (TSIG{}) {
		conn.TsigSecret = map[string]string{strings.ToLower(p.Key.Name.FQDN()): p.Key.Secret}
		m.SetTsig(strings.ToLower(p.Key.Name.FQDN()), dns.Fqdn(strings.ToLower(p.Key.Algorithm)), fudge, time.Now().Unix())
	}
	if err := conn.WriteMsg(m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemp, err)
	}
	r, err := conn.ReadMsg()
	switch {
	case errors.Is(err, dns.ErrAuth), errors.Is(err, dns.ErrSig), errors.Is(err, dns.ErrKey), errors.Is(err, dns.ErrSecret), errors.Is(err, dns.ErrTime), errors.Is(err, dns.ErrNoSig):
		if r != nil && r.Rcode == dns.RcodeNotAuth {
			return nil, rcode(r.Rcode)
		}
		return nil, fmt.Errorf("%w: the signature of the response: %w", ErrAuth, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrTemp, err)
	case r.Id != m.Id:
		return nil, fmt.Errorf("%w: a response to another request", ErrTemp)
	case p.Key != (TSIG{}) && r.IsTsig() == nil && r.Rcode == dns.RcodeSuccess:
		return nil, fmt.Errorf("%w: the response is not signed", ErrAuth)
	}
	return r, nil
}

// rcode tells what a response code of an update means (RFC 2136, Section 2.2).
func rcode(code int) error {
	text := dns.RcodeToString[code]
	switch code {
	case dns.RcodeSuccess:
		return nil
	case dns.RcodeYXRrset, dns.RcodeNXRrset, dns.RcodeYXDomain, dns.RcodeNameError:
		return fmt.Errorf("%w: the server says %s", ErrStale, text)
	case dns.RcodeNotAuth, dns.RcodeBadSig, dns.RcodeBadKey, dns.RcodeBadTime:
		return fmt.Errorf("%w: the server says %s", ErrAuth, text)
	case dns.RcodeRefused, dns.RcodeNotZone, dns.RcodeNotImplemented, dns.RcodeFormatError:
		return fmt.Errorf("%w: the server says %s", ErrRefused, text)
	}
	return fmt.Errorf("%w: the server says %s", ErrTemp, text)
}
