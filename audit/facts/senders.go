package facts

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// MaxPTR is the number of PTR names that are looked up forward; RFC 8601,
// Section 3 asks for a limit and names 10.
const MaxPTR = 10

// Sender is one address that mail is sent from.
type Sender struct {
	Address netip.Addr
	// Origin tells how that is known. Term is the SPF term that lets a derived address
	// send, as written; Host the host that has it, if a name led there. Weak says that
	// nothing but the address of the domain's web site speaks for it.
	Origin Origin
	Term   string
	Host   resolve.Name
	Weak   bool

	// PTR is the reverse lookup; State Absent is "no name".
	PTR Fact[[]resolve.Name]
	// Confirmed tells whether one of the names leads back to the address
	// (RFC 8601, Section 3): Present if so, Absent if proven not.
	Confirmed resolve.State
	// SPF is the result for mail from postmaster at the domain. It is empty for a
	// derived address, which Term passes.
	SPF spf.Result
	// HELO is what the host says in EHLO, held against DNS; its Form is empty if
	// that is not known, as of a derived address.
	HELO iprev.HELO
}

// Derived reports an address that nobody gave.
func (s Sender) Derived() bool { return s.Origin == FromMX || s.Origin == FromSPF }

// GivenSenders are the senders that the user named.
func (s *Snapshot) GivenSenders() []Sender {
	return slices.DeleteFunc(slices.Clone(s.Senders), Sender.Derived)
}

func (g *gatherer) sender(ctx context.Context, addr netip.Addr) Sender {
	s := Sender{Address: addr, Origin: Given}
	var wg sync.WaitGroup
	wg.Go(func() { s.PTR, s.Confirmed = g.reverse(ctx, addr) })
	wg.Go(func() {
		s.SPF = spf.Check(ctx, g.memo, spf.Args{
			IP: addr, Helo: g.snap.Domain.String(), MailFrom: "postmaster@" + g.snap.Domain.String(),
		}, spf.Options{})
	})
	if g.helo != "" {
		wg.Go(func() { s.HELO = iprev.Check(ctx, g.memo, addr, iprev.Options{HELO: g.helo}).HELO })
	}
	wg.Wait()
	return s
}

func (g *gatherer) reverse(ctx context.Context, addr netip.Addr) (Fact[[]resolve.Name], resolve.State) {
	name := ReverseName(addr)
	a, err := g.memo.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypePTR})
	f := Fact[[]resolve.Name]{State: resolve.StateOf(err), Err: err, Trace: []resolve.Answer{a}}
	for _, h := range a.Hosts() {
		f.Value = append(f.Value, h.Name)
	}
	if f.State != resolve.Present {
		return f, f.State
	}
	t := resolve.TypeAAAA
	if addr.Is4() {
		t = resolve.TypeA
	}
	confirmed := resolve.Absent
	for i, h := range f.Value {
		if i == MaxPTR {
			break
		}
		got := g.family(ctx, h, t)
		if got.State == resolve.Unavailable && confirmed == resolve.Absent {
			confirmed = resolve.Unavailable
		}
		for _, x := range got.Value {
			if x == addr {
				return f, resolve.Present
			}
		}
	}
	return f, confirmed
}

// ReverseName is the name under which an address has its PTR records (RFC 1035,
// Section 3.5; RFC 3596, Section 2.5).
func ReverseName(addr netip.Addr) resolve.Name {
	const hex = "0123456789abcdef"
	var b []byte
	if addr = addr.Unmap(); addr.Is4() {
		a := addr.As4()
		n, err := resolve.NameFromText(netip.AddrFrom4([4]byte{a[3], a[2], a[1], a[0]}).String() + ".in-addr.arpa")
		if err != nil {
			return resolve.Name{}
		}
		return n
	}
	a := addr.As16()
	for i := len(a) - 1; i >= 0; i-- {
		b = append(b, hex[a[i]&15], '.', hex[a[i]>>4], '.')
	}
	n, err := resolve.NameFromText(string(b) + "ip6.arpa")
	if err != nil {
		return resolve.Name{}
	}
	return n
}

var errNoAddresses = errors.New("no sending address was given")
