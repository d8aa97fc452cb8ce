package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const defaultInFlight = 256

// Options says whom to ask and how. The zero value asks the servers of the
// system's resolv.conf.
type Options struct {
	// Servers are asked in this order: "192.0.2.53", "192.0.2.53:5353",
	// "[2001:db8::1]:53", "udp://…", "tcp://dns.example:53",
	// "tls://dns.example:853", "tls://192.0.2.53#dns.example" with the name in the
	// certificate, or "https://dns.example/dns-query". Certificates are verified.
	// Names of servers are looked up with the system's resolver; proxies are not used.
	Servers    []string
	ResolvConf string // read if Servers is empty; empty: /etc/resolv.conf

	// Timeout bounds one lookup with all servers and retries, from its first query
	// on; waiting for one of InFlight does not count. 0: what resolv.conf says, or
	// 5 s. The context of a lookup may end it earlier.
	Timeout   time.Duration
	InFlight  int  // queries at the same time for each server, but for those long without response; 0: 256
	CacheSize int  // answers kept; 0: 100000; negative: none
	DNSSEC    bool // ask for DNSSEC records (DO) and return RRSIGs

	// CheckingDisabled asks resolvers not to validate (CD), so that names whose
	// signatures are broken can be looked at too.
	CheckingDisabled bool

	TLS  *tls.Config // for tls:// and https://; nil: the system's roots
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Now  func() time.Time // nil: time.Now; ages the cache and dates answers

	// AuthoritativePort is where the servers of zones are asked; 0: 53.
	AuthoritativePort uint16
	// OnDisagreement is called, from the goroutine that asks, when
	// [Client.Authoritative] sees servers of one zone differ. If it is nil, only as
	// many servers are asked as it takes to get an answer.
	OnDisagreement func(Comparison)
}

// Client asks name servers. It is safe for concurrent use. Identical questions
// asked at the same time are asked once.
type Client struct {
	opt     Options
	tls     *tls.Config
	servers []*server
	sends   int // of one query to one server
	cache   *cache
	flights flights
	zones   zoneCache
	stats   counters

	base context.Context // ends with Close
	stop context.CancelFunc
	busy sync.WaitGroup
}

// New makes a client. Errors are *[ConfigError]. Nothing is asked yet.
func New(opt Options) (*Client, error) {
	c := &Client{opt: opt, sends: defaultSends, cache: newCache(opt.CacheSize)}
	names := opt.Servers
	if len(names) == 0 {
		path := opt.ResolvConf
		if path == "" {
			path = defaultResolvConf
		}
		conf, err := readResolvConf(path)
		if err != nil {
			return nil, err
		}
		names = conf.servers
		if c.opt.Timeout <= 0 {
			c.opt.Timeout = conf.lookupTime()
		}
		if conf.attempts > 0 {
			c.sends = conf.attempts
		}
	}
	if len(names) > maxServers {
		return nil, &ConfigError{Source: names[maxServers], Reason: fmt.Sprintf("more than %d servers", maxServers), Hint: "one to three are enough"}
	}
	if c.opt.Timeout <= 0 {
		c.opt.Timeout = defaultTimeout
	}
	if c.opt.InFlight <= 0 {
		c.opt.InFlight = defaultInFlight
	}
	if c.opt.Now == nil {
		c.opt.Now = time.Now
	}
	if c.opt.AuthoritativePort == 0 {
		c.opt.AuthoritativePort = 53
	}
	if c.tls = opt.TLS.Clone(); c.tls == nil {
		c.tls = &tls.Config{}
	}
	// RFC 9325, Section 3.1.1: nothing below TLS 1.2.
	c.tls.MinVersion = max(c.tls.MinVersion, tls.VersionTLS12)
	if c.tls.ClientSessionCache == nil {
		c.tls.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	for _, n := range names {
		e, err := parseServer(n)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, c.newServer(e))
	}
	c.flights.m = map[resolve.Question]*flight{}
	c.base, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// Servers lists the servers that are asked, in order, for reports.
func (c *Client) Servers() []string {
	out := make([]string, len(c.servers))
	for i, s := range c.servers {
		out[i] = s.label
	}
	return out
}

// Resolve implements [resolve.Resolver]. Errors are *[resolve.Error]. A SERVFAIL
// or REFUSED is final only when every server has been tried. A response that is
// not authoritative and refers elsewhere is resolve.ErrServFail, as is every
// response code without a reason of its own.
func (c *Client) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	if a, err, ok := c.cache.get(q, c.opt.Now()); ok {
		c.stats.hits.Add(1)
		return a, err
	}
	if q.Name.IsZero() {
		return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrMalformed, Question: q, Detail: "no name to ask for"}
	}
	return c.flights.do(ctx, c, q)
}

// Close cancels what is under way, waits for it and closes all connections.
// Lookups after it fail with resolve.ErrCanceled.
func (c *Client) Close() error {
	c.flights.close()
	c.stop()
	c.busy.Wait()
	for _, s := range c.servers {
		s.close()
	}
	return nil
}

// Stats counts what a client has done.
type Stats struct {
	Queries      uint64 // messages sent, retransmits and TCP included
	Retransmits  uint64 // UDP queries sent again as nothing came
	TCPFallbacks uint64 // truncated UDP responses
	CacheHits    uint64
	Merged       uint64 // lookups that shared the query of another one
	Ignored      uint64 // packets that were no response to the query; many may mean forgery
}

// String is "12 queries (1 retransmitted, 0 over TCP after truncation), 30 from cache, 2 merged".
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d queries (%d retransmitted, %d over TCP after truncation), %d from cache, %d merged",
		s.Queries, s.Retransmits, s.TCPFallbacks, s.CacheHits, s.Merged)
	if s.Ignored > 0 {
		fmt.Fprintf(&b, ", %d foreign packets ignored", s.Ignored)
	}
	return b.String()
}

type counters struct {
	queries, retransmits, tcp, hits, merged, ignored atomic.Uint64
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	return Stats{
		Queries:      c.stats.queries.Load(),
		Retransmits:  c.stats.retransmits.Load(),
		TCPFallbacks: c.stats.tcp.Load(),
		CacheHits:    c.stats.hits.Load(),
		Merged:       c.stats.merged.Load(),
		Ignored:      c.stats.ignored.Load(),
	}
}
