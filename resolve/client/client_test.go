package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestQuery(t *testing.T) {
	var mu sync.Mutex
	var got []*dns.Msg
	addr := listen(t, edited(zone(t, soaRR, `example.org. 60 IN TXT "v=spf1 -all"`), func(_ string, r, m *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.Copy())
		m.AuthenticatedData, m.Authoritative = true, true
	}))
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, do := range []bool{false, true} {
		c := newClient(t, Options{Servers: []string{addr}, DNSSEC: do, Now: func() time.Time { return at }})
		a, err := c.Resolve(ctx, txtQ)
		want(t, a, err, nil)
		mu.Lock()
		q := got[len(got)-1]
		mu.Unlock()
		opt := q.IsEdns0()
		if !q.RecursionDesired || !q.AuthenticatedData || q.CheckingDisabled || opt == nil || opt.UDPSize() != 1232 || opt.Do() != do {
			t.Errorf("DNSSEC %v: query is\n%v", do, q)
		}
		if a.TXT()[0].Joined() != "v=spf1 -all" || !a.AuthenticData || !a.Authoritative || !a.RecursionAvailable ||
			a.Server != addr || a.Transport != resolve.UDP || a.Truncated || a.Cached || a.Size == 0 || !a.At.Equal(at) || a.Elapsed <= 0 {
			t.Errorf("answer %+v", a)
		}
	}
}

// RFC 5452, Sections 4.3 and 9.2: neither ids nor ports are predictable.
func TestIDsAndPorts(t *testing.T) {
	var mu sync.Mutex
	ids, ports := map[uint16]bool{}, map[string]bool{}
	h := zone(t, `example.org. 0 IN TXT "x"`)
	addr := packetServer(t, func(pc net.PacketConn, from net.Addr, q []byte) {
		mu.Lock()
		ids[uint16(q[0])<<8|uint16(q[1])] = true
		ports[from.String()] = true
		mu.Unlock()
		pc.WriteTo(pack(t, h, q), from)
	})
	c := newClient(t, Options{Servers: []string{addr}})
	const n = 64
	for range n {
		a, err := c.Resolve(ctx, txtQ)
		want(t, a, err, nil)
	}
	if len(ids) < n-4 || len(ports) < n-16 {
		t.Errorf("%d ids and %d ports in %d queries", len(ids), len(ports), n)
	}
}

func TestResponseCodes(t *testing.T) {
	for _, tt := range []struct {
		rcode  int
		reason error
	}{
		{dns.RcodeNameError, resolve.ErrNXDomain},
		{dns.RcodeServerFailure, resolve.ErrServFail},
		{dns.RcodeRefused, resolve.ErrRefused},
		{dns.RcodeNotAuth, resolve.ErrServFail},
		{dns.RcodeNotImplemented, resolve.ErrServFail},
		{dns.RcodeFormatError, resolve.ErrServFail},
		{dns.RcodeSuccess, resolve.ErrNoData},
	} {
		c := newClient(t, Options{Servers: []string{listen(t, code(tt.rcode))}})
		a, err := c.Resolve(ctx, txtQ)
		e := want(t, a, err, tt.reason)
		if int(a.RCode) != tt.rcode || int(e.RCode) != tt.rcode || e.Server == "" || a.Server == "" {
			t.Errorf("rcode %d: answer %+v, error %+v", tt.rcode, a, e)
		}
	}
}

// RFC 6891, Section 7: a server without EDNS gets the question without it.
func TestWithoutEDNS(t *testing.T) {
	for _, rcode := range []int{dns.RcodeFormatError, dns.RcodeNotImplemented, dns.RcodeBadVers} {
		good := zone(t, `example.org. 60 IN TXT "x"`)
		var n atomic.Int32
		c := newClient(t, Options{Servers: []string{listen(t, func(network string, r *dns.Msg) *dns.Msg {
			n.Add(1)
			if r.IsEdns0() == nil {
				return good(network, r)
			}
			m := new(dns.Msg).SetRcode(r, rcode)
			if rcode > 15 {
				m.SetEdns0(1232, false)
			} else {
				m.Question = nil // some send the bare header
			}
			return m
		})}})
		a, err := c.Resolve(ctx, txtQ)
		want(t, a, err, nil)
		if n.Load() != 2 {
			t.Errorf("%d queries", n.Load())
		}
	}
}

func TestTruncation(t *testing.T) {
	big := zone(t, fmt.Sprintf("example.org. 60 IN TXT %s", strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 40)))
	h := edited(big, func(network string, r, m *dns.Msg) {
		if network == "udp" {
			m.Truncated, m.Answer = true, nil
		}
	})
	c := newClient(t, Options{Servers: []string{listen(t, h)}})
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if !a.Truncated || a.Transport != resolve.TCP || len(a.TXT()[0].Strings) != 40 || a.Size < 10000 {
		t.Errorf("answer %+v", a)
	}
	if s := c.Stats(); s.TCPFallbacks != 1 || s.Queries != 2 {
		t.Errorf("stats %v", s)
	}
	// TCP refused: neither absent nor a part of the records.
	c = newClient(t, Options{Servers: []string{listenOn(t, "127.0.0.1:0", h, false)}})
	a, err = c.Resolve(ctx, txtQ)
	e := want(t, a, err, resolve.ErrNetwork)
	if !a.Truncated || !strings.Contains(e.Detail, "truncated") || !strings.Contains(e.Detail, "TCP") {
		t.Errorf("answer %+v, error %v", a, err)
	}
	// Truncated over TCP too.
	c = newClient(t, Options{Servers: []string{listen(t, edited(big, func(_ string, _, m *dns.Msg) { m.Truncated = true }))}})
	a, err = c.Resolve(ctx, txtQ)
	want(t, a, err, resolve.ErrNetwork)
	if !a.Truncated {
		t.Error("not marked as truncated")
	}
}

// RFC 5452, Section 9.1: what does not match is ignored and waiting goes on.
func TestForgedResponses(t *testing.T) {
	honest := zone(t, `example.org. 60 IN TXT "honest"`)
	forged := zone(t, `example.org. 60 IN TXT "forged"`, `example.net. 60 IN TXT "forged"`)
	for name, change := range map[string]func(b []byte) []byte{
		"id":         func(b []byte) []byte { b[1]++; return b },
		"QR":         func(b []byte) []byte { b[2] &^= 0x80; return b },
		"opcode":     func(b []byte) []byte { b[2] |= 0x20; return b },
		"type":       func(b []byte) []byte { b[12+13+1]++; return b },
		"class":      func(b []byte) []byte { b[12+13+3]++; return b },
		"name":       func(b []byte) []byte { b[13] = 'f'; return b },
		"short":      func(b []byte) []byte { return b[:11] },
		"empty":      func([]byte) []byte { return nil },
		"noquestion": func(b []byte) []byte { b[5] = 0; return b[:12] },
		"two":        func(b []byte) []byte { b[5] = 2; return b },
		"nxdomain":   func(b []byte) []byte { b[5], b[3] = 0, b[3]|3; return b[:12] },
		"garbage":    func([]byte) []byte { return []byte("not DNS at all, but long enough for it") },
		"malformed":  func(b []byte) []byte { return b[:len(b)-3] },
		"liar":       func(b []byte) []byte { b[7]++; return b },
	} {
		t.Run(name, func(t *testing.T) {
			asked := false
			addr := packetServer(t, func(pc net.PacketConn, from net.Addr, q []byte) {
				if asked { // who stopped listening gets nothing more
					return
				}
				asked = true
				pc.WriteTo(change(pack(t, forged, q)), from)
				// From another port: the connected socket never sees it.
				if other, err := net.ListenPacket("udp", "127.0.0.1:0"); err == nil {
					other.WriteTo(pack(t, forged, q), from)
					other.Close()
				}
				b := pack(t, honest, q)
				copy(b[13:], "EXAMPLE") // RFC 4343: case does not matter
				pc.WriteTo(b, from)
			})
			c := newClient(t, Options{Servers: []string{addr}})
			a, err := c.Resolve(ctx, txtQ)
			want(t, a, err, nil)
			if got := a.TXT()[0].Joined(); got != "honest" {
				t.Errorf("took the %s answer", got)
			}
			if s := c.Stats(); s.Ignored == 0 && name != "malformed" && name != "liar" {
				t.Errorf("nothing was ignored: %v", s)
			}
		})
	}
}

func TestMalformed(t *testing.T) {
	h := zone(t, `example.org. 60 IN TXT "x"`)
	for name, change := range map[string]func(b []byte) []byte{
		"cut":          func(b []byte) []byte { return b[:len(b)-1] },
		"count":        func(b []byte) []byte { b[7] = 2; return b },
		"too many":     func(b []byte) []byte { b[6] = 0xff; return b },
		"string":       func(b []byte) []byte { b[len(b)-2] = 200; return b },
		"empty rdata":  func(b []byte) []byte { b[len(b)-3] = 0; return b[:len(b)-2] },
		"pointer loop": func(b []byte) []byte { b[12+13+4], b[12+13+5] = 0xc0, 12+13+4; return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := packetServer(t, func(pc net.PacketConn, from net.Addr, q []byte) {
				r := new(dns.Msg)
				r.Unpack(q)
				m := h("udp", r)
				m.Compress, m.Extra = false, nil
				b, _ := m.Pack()
				pc.WriteTo(change(b), from)
			})
			c := newClient(t, Options{Servers: []string{addr}, Timeout: time.Second})
			a, err := c.Resolve(ctx, txtQ)
			want(t, a, err, resolve.ErrMalformed)
		})
	}
}

func TestRetransmit(t *testing.T) {
	t.Parallel()
	var n atomic.Int32
	good := zone(t, `example.org. 60 IN TXT "x"`)
	c := newClient(t, Options{Servers: []string{listen(t, func(network string, r *dns.Msg) *dns.Msg {
		if n.Add(1) == 1 {
			return nil
		}
		return good(network, r)
	})}})
	start := time.Now()
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if d := time.Since(start); d < minRetransmit || d > 2*time.Second || c.Stats().Retransmits != 1 {
		t.Errorf("answered after %v, %v", d, c.Stats())
	}
}

func TestTimeouts(t *testing.T) {
	addr := listen(t, silence)
	c := newClient(t, Options{Servers: []string{addr}, Timeout: 150 * time.Millisecond})
	start := time.Now()
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, resolve.ErrTimeout)
	if d := time.Since(start); d < 140*time.Millisecond || d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	if errors.Is(err, resolve.ErrAbsent) || !errors.Is(err, resolve.ErrTemporary) {
		t.Errorf("a timeout is %v", resolve.StateOf(err))
	}
	c = newClient(t, Options{Servers: []string{addr}})
	dctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	a, err = c.Resolve(dctx, txtQ)
	want(t, a, err, resolve.ErrTimeout)
	cctx, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	a, err = c.Resolve(cctx, txtQ)
	want(t, a, err, resolve.ErrCanceled)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not unwrap to the context's error", err)
	}
}

func TestUnreachable(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := pc.LocalAddr().String()
	pc.Close()
	for _, s := range []string{addr, "tcp://" + addr, "tls://" + addr, "https://" + addr + "/dns-query"} {
		c := newClient(t, Options{Servers: []string{s}})
		start := time.Now()
		a, err := c.Resolve(ctx, txtQ)
		e := want(t, a, err, resolve.ErrNetwork)
		if time.Since(start) > time.Second || !strings.Contains(e.Detail, "refused") {
			t.Errorf("%s: after %v: %v", s, time.Since(start), err)
		}
	}
}

func TestFailover(t *testing.T) {
	good := listen(t, zone(t, `example.org. 60 IN TXT "x"`))
	quiet, servfail, refused := listen(t, silence), listen(t, code(dns.RcodeServerFailure)), listen(t, code(dns.RcodeRefused))
	closed := func() string {
		pc, _ := net.ListenPacket("udp", "127.0.0.1:0")
		defer pc.Close()
		return pc.LocalAddr().String()
	}()
	for _, tt := range []struct {
		name    string
		servers []string
		reason  error
		atMost  time.Duration
	}{
		{"servfail", []string{servfail, good}, nil, 1500 * time.Millisecond},
		{"refused", []string{refused, servfail, good}, nil, 1500 * time.Millisecond},
		{"unreachable", []string{closed, good}, nil, 1500 * time.Millisecond},
		{"silent", []string{quiet, good}, nil, 1900 * time.Millisecond},
		{"servfail beats timeout", []string{servfail, quiet}, resolve.ErrServFail, 11500 * time.Millisecond},
		{"servfail beats timeout, late", []string{quiet, servfail}, resolve.ErrServFail, 11500 * time.Millisecond},
		{"last error", []string{servfail, refused}, resolve.ErrRefused, 1500 * time.Millisecond},
		{"no server at all", []string{quiet, closed}, resolve.ErrNetwork, 11500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, Options{Servers: tt.servers, Timeout: 2 * time.Second})
			start := time.Now()
			a, err := c.Resolve(ctx, txtQ)
			want(t, a, err, tt.reason)
			if d := time.Since(start); d > tt.atMost {
				t.Errorf("took %v", d)
			}
			if tt.reason == nil && a.Server != good {
				t.Errorf("answer is from %s", a.Server)
			}
		})
	}
}

// The first server is still listened to when the next one was asked.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	slow := zone(t, `example.org. 60 IN TXT "slow"`)
	first := listen(t, func(network string, r *dns.Msg) *dns.Msg {
		time.Sleep(750 * time.Millisecond)
		return slow(network, r)
	})
	c := newClient(t, Options{Servers: []string{first, listen(t, silence)}})
	start := time.Now()
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if a.Server != first || time.Since(start) > 3*time.Second {
		t.Errorf("answer from %s after %v", a.Server, time.Since(start))
	}
}

// A dead first server delays the first lookups, not all of them.
func TestDeadServerIsAskedLast(t *testing.T) {
	t.Parallel()
	quiet := listen(t, silence)
	c := newClient(t, Options{Servers: []string{quiet, listen(t, zone(t, `example.org. 60 IN TXT "x"`))}, CacheSize: -1})
	for range downAfter {
		a, err := c.Resolve(ctx, txtQ)
		want(t, a, err, nil)
	}
	start := time.Now()
	a, err := c.Resolve(ctx, txtQ)
	want(t, a, err, nil)
	if d := time.Since(start); d > 2*minRetransmit {
		t.Errorf("took %v", d)
	}
	if got := c.Servers(); got[0] != quiet {
		t.Errorf("Servers() = %v: not as configured", got)
	}
}

func TestMergedLookups(t *testing.T) {
	var n atomic.Int32
	good := zone(t, `example.org. 0 IN TXT "x"`)
	c := newClient(t, Options{Servers: []string{listen(t, func(network string, r *dns.Msg) *dns.Msg {
		n.Add(1)
		time.Sleep(100 * time.Millisecond)
		return good(network, r)
	})}})
	var wg sync.WaitGroup
	// The first caller gives up; the others get their answer all the same.
	cctx, cancel := context.WithCancel(ctx)
	wg.Go(func() {
		_, err := c.Resolve(cctx, txtQ)
		if !errors.Is(err, resolve.ErrCanceled) {
			t.Errorf("first caller: %v", err)
		}
	})
	time.Sleep(20 * time.Millisecond)
	for range 20 {
		wg.Go(func() {
			a, err := c.Resolve(ctx, txtQ)
			if err != nil || len(a.Records) != 1 {
				t.Errorf("%v %v", a, err)
				return
			}
			a.Records[0].TTL++ // a copy: the race detector watches
		})
	}
	time.Sleep(20 * time.Millisecond)
	cancel()
	wg.Wait()
	if n.Load() != 1 || c.Stats().Merged != 20 {
		t.Errorf("%d queries, %v", n.Load(), c.Stats())
	}
}

func TestInFlight(t *testing.T) {
	var now, most atomic.Int32
	good := zone(t, `*. 60 IN TXT "x"`)
	c := newClient(t, Options{InFlight: 4, Servers: []string{listen(t, func(network string, r *dns.Msg) *dns.Msg {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
		return good(network, r)
	})}})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() { c.Resolve(ctx, ask(fmt.Sprintf("n%d.example", i), resolve.TypeTXT)) })
	}
	wg.Wait()
	if most.Load() > 4 || most.Load() < 2 {
		t.Errorf("%d queries at once", most.Load())
	}
	// A caller that waits for a slot can give up.
	c = newClient(t, Options{InFlight: 1, Servers: []string{listen(t, silence)}})
	go c.Resolve(ctx, txtQ)
	time.Sleep(10 * time.Millisecond)
	dctx, cancel := context.WithTimeout(ctx, 15*time.Millisecond)
	defer cancel()
	if _, err := c.Resolve(dctx, ask("late.example", resolve.TypeTXT)); !errors.Is(err, resolve.ErrTimeout) {
		t.Errorf("waiting caller: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	quiet := listen(t, silence)
	good := listen(t, zone(t, `example.org. 60 IN TXT "x"`))
	before := runtime.NumGoroutine()
	c, err := New(Options{Servers: []string{quiet, "tcp://" + good}})
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 50)
	for i := range 50 {
		go func() {
			_, err := c.Resolve(ctx, ask(fmt.Sprintf("n%d.example", i), resolve.TypeTXT))
			errs <- err
		}()
	}
	time.Sleep(50 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := <-errs; !errors.Is(err, resolve.ErrCanceled) {
			t.Fatalf("after Close: %v", err)
		}
	}
	if _, err := c.Resolve(ctx, txtQ); !errors.Is(err, resolve.ErrCanceled) {
		t.Errorf("lookup after Close: %v", err)
	}
	for range 50 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}

func TestStatsAndServers(t *testing.T) {
	c := newClient(t, Options{Servers: []string{"192.0.2.53", "[2001:db8::1]", "tls://dns.example", "https://dns.example"}})
	if got, want := c.Servers(), []string{"192.0.2.53:53", "[2001:db8::1]:53", "tls://dns.example:853", "https://dns.example/dns-query"}; !slices.Equal(got, want) {
		t.Errorf("Servers() = %q", got)
	}
	if got := (Stats{Queries: 2, CacheHits: 1, Ignored: 3}).String(); !strings.Contains(got, "2 queries") || !strings.Contains(got, "3 foreign") {
		t.Errorf("Stats: %q", got)
	}
}
