package facts

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Options of [Gather]. The zero value asks what DNS alone can tell.
type Options struct {
	Selectors []string     // DKIM selectors known to be in use
	Addresses []netip.Addr // addresses that mail is sent from
	// GivenOnly leaves it at Addresses; else the addresses that MX and SPF show to
	// send are looked at too.
	GivenOnly bool
	Resolver  string           // who is asked, for the report
	Now       func() time.Time // nil: time.Now

	// Probe says how to talk to the mail hosts; nil: they are left alone.
	Probe *probe.Options
	// Paths tells over which ways connections leave this network, as probe.Paths
	// does; nil: it is found out for this domain alone.
	Paths func(context.Context) []probe.Path
	// HELO is what the sending hosts say in EHLO; empty: not known.
	HELO string
	// Fetch says how to get the MTA-STS policy; nil: it is not asked for.
	Fetch *mtasts.Options
	// NameServers looks at the name servers of a domain, as nameserver.Look does;
	// nil: they are not asked.
	NameServers func(context.Context, resolve.Name) (nameserver.Zone, error)
	// Validate says what DNSSEC proves, as dnssec.Validator's Status does; nil:
	// nothing is validated.
	Validate func(context.Context, resolve.Question) dnssec.Result
	// BlockLists asks block lists about the sending addresses and the domain; nil:
	// none is asked.
	BlockLists BlockListFunc
	// Optional are facts that nobody insists on: that they could not be found out
	// makes no report incomplete.
	Optional Set
}

// Snapshot is what was known of a domain at one moment. It is read-only once
// gathered.
type Snapshot struct {
	Domain   resolve.Name
	At       time.Time // when gathering began
	Elapsed  time.Duration
	Resolver string

	Kind       Kind
	KindReason []string // the evidence for Kind, in words

	// Exists is Absent if the domain is proven not to exist (NXDOMAIN).
	Exists resolve.State

	MX      Fact[MailExchange]
	SPF     spf.Analysis    // its State and Err are the fact's
	DMARC   dmarc.Discovery // see DMARC.Policy.State
	Reports []dmarc.Destination
	DKIM    dkim.Discovery
	Senders []Sender // those given, then those derived

	Transport Transport
	Around    Surroundings
	Brand     Brand
	Listings  Listings

	// Misplaced holds records found where receivers do not look for them. The
	// likely places are asked only when the right one is empty.
	Misplaced []Misplaced

	// Loops holds the alias chains without end behind answers that failed.
	Loops []resolve.Answer

	Optional Set // see Options.Optional

	gaps map[Set]error
	memo *memo
}

// Misplaced is a record at a name where no receiver looks for it.
type Misplaced struct {
	Kind  string // "spf", "dkim" or "dmarc"
	Name  resolve.Name
	Right resolve.Name // where it belongs
	Text  string
}

// Seen returns the lookup of a question, if it was asked for this snapshot.
func (s *Snapshot) Seen(q resolve.Question) (Observation, bool) {
	if s.memo == nil {
		return Observation{}, false
	}
	return s.memo.get(q)
}

// Observations lists every lookup of the snapshot in the order of asking.
func (s *Snapshot) Observations() []Observation {
	if s.memo == nil {
		return nil
	}
	return s.memo.seen()
}

// Queries counts the questions asked for the snapshot. Some may have been
// answered from a cache.
func (s *Snapshot) Queries() int { return len(s.Observations()) }

// Current tells the records at a name as the snapshot saw them. A name that was
// not asked, or whose answer is unavailable, is an error: nothing is edited on a
// guess.
func (s *Snapshot) Current(name resolve.Name, t resolve.Type) ([]resolve.Record, error) {
	o, ok := s.Seen(resolve.Question{Name: name, Type: t})
	switch {
	case !ok:
		return nil, errors.New("facts: " + name.String() + " " + t.String() + " was not asked")
	case len(o.Answer.Chain) > 0:
		return nil, errors.New("facts: " + name.String() + " is an alias; its records are elsewhere")
	case o.Err != nil && !errors.Is(o.Err, resolve.ErrAbsent):
		return nil, o.Err
	}
	return o.Answer.Records, nil
}
