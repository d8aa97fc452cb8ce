package zonetest

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func serve(t testing.TB, text string, opt ServerOptions) *Server {
	t.Helper()
	s, err := Serve(mustParse(t, text, Options{}), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func query(name string, typ uint16) *dns.Msg {
	return new(dns.Msg).SetQuestion(name, typ)
}

func exchangeWith(s *Server, network string, m *dns.Msg) (*dns.Msg, error) {
	return exchangeWithin(10*time.Second, s, network, m)
}

func exchangeWithin(d time.Duration, s *Server, network string, m *dns.Msg) (*dns.Msg, error) {
	c := dns.Client{Net: network, Timeout: d, UDPSize: dns.MaxMsgSize}
	r, _, err := c.Exchange(m, s.Addr())
	return r, err
}

func sections(m *dns.Msg) string {
	var out []string
	for _, sec := range [][]dns.RR{m.Answer, m.Ns} {
		var types []string
		for _, rr := range sec {
			types = append(types, dns.TypeToString[rr.Header().Rrtype])
		}
		out = append(out, strings.Join(types, " "))
	}
	return strings.Join(out, "|")
}

func TestServer(t *testing.T) {
	text := sample + "\nother.example.org. SOA . . 1 1 1 1 1\nwww.other.example.org. A 192.0.2.8\n$ORIGIN example.com.\ncross CNAME www.other.example.org.\n"
	auth := serve(t, text, ServerOptions{})
	rec := serve(t, text, ServerOptions{Recursive: true, SetAD: true})
	for _, c := range []struct {
		name          string
		typ           uint16
		auth, recurse string // rcode, sections, flags
	}{
		{"mail.example.com.", dns.TypeA, "NOERROR A| aa", "NOERROR A| ra ad"},
		{"nope.example.com.", dns.TypeA, "NXDOMAIN |SOA aa", "NXDOMAIN |SOA ra ad"},
		{"ent.example.com.", dns.TypeA, "NOERROR |SOA aa", "NOERROR |SOA ra ad"},
		{"www.example.com.", dns.TypeA, "NOERROR CNAME A| aa", "NOERROR CNAME A| ra ad"},
		{"away.example.com.", dns.TypeA, "NOERROR CNAME| aa", "SERVFAIL | ra"},
		{"cross.example.com.", dns.TypeA, "NOERROR CNAME| aa", "NOERROR CNAME A| ra ad"},
		{"loop1.example.com.", dns.TypeA, "NOERROR CNAME CNAME| aa", "SERVFAIL | ra"},
		{"x.sub.example.com.", dns.TypeA, "NOERROR |NS", "SERVFAIL | ra"},
		{"tosub.example.com.", dns.TypeA, "NOERROR CNAME|NS aa", "SERVFAIL | ra"},
		{"q.wild.example.com.", dns.TypeTXT, "NOERROR TXT| aa", "NOERROR TXT| ra ad"},
		{"example.net.", dns.TypeA, "REFUSED |", "SERVFAIL | ra"},
		{"example.com.", dns.TypeANY, "NOTIMP |", "NOTIMP | ra"},
	} {
		for _, network := range []string{"udp", "tcp"} {
			for s, want := range map[*Server]string{auth: c.auth, rec: c.recurse} {
				r, err := exchangeWith(s, network, query(c.name, c.typ))
				if err != nil {
					t.Errorf("%s %s: %v", c.name, network, err)
					continue
				}
				got := dns.RcodeToString[r.Rcode] + " " + sections(r)
				for flag, set := range map[string]bool{"aa": r.Authoritative, "ra": r.RecursionAvailable} {
					if set {
						got += " " + flag
					}
				}
				if r.AuthenticatedData {
					got += " ad"
				}
				if got != want {
					t.Errorf("%s %s: got %q, want %q", c.name, network, got, want)
				}
			}
		}
	}
	if n := auth.Queries(); n != 22 {
		t.Errorf("%d questions counted", n)
	}
}

func TestServerReferralGlue(t *testing.T) {
	s := serve(t, sample, ServerOptions{})
	r, err := exchangeWith(s, "udp", query("a.sub.example.com.", dns.TypeTXT))
	if err != nil || len(r.Extra) != 1 || r.Extra[0].Header().Name != "ns.sub.example.com." {
		t.Errorf("%v, %v", r, err)
	}
}

func TestServerKeepsCase(t *testing.T) {
	s := serve(t, sample, ServerOptions{})
	r, err := exchangeWith(s, "udp", query("wWw.eXample.COM.", dns.TypeA))
	if err != nil || r.Question[0].Name != "wWw.eXample.COM." || r.Answer[0].Header().Name != "wWw.eXample.COM." {
		t.Errorf("%v, %v", r, err)
	}
}

func TestServerOddQueries(t *testing.T) {
	s := serve(t, sample, ServerOptions{})
	status := query("example.com.", dns.TypeA)
	status.Opcode = dns.OpcodeStatus
	chaos := query("example.com.", dns.TypeTXT)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	none := query("example.com.", dns.TypeA)
	none.Question = nil
	version := query("example.com.", dns.TypeA)
	version.SetEdns0(1232, false)
	version.IsEdns0().SetVersion(1)
	for _, c := range []struct {
		query *dns.Msg
		want  int
	}{{status, dns.RcodeNotImplemented}, {chaos, dns.RcodeRefused}, {none, dns.RcodeFormatError}, {version, dns.RcodeBadVers}} {
		if r, err := exchangeWith(s, "tcp", c.query); err != nil || r.Rcode != c.want {
			t.Errorf("%v: %v, %v", c.query, r, err)
		}
	}
	// What is no message gets FORMERR if it has a header, and nothing otherwise; a
	// response gets nothing.
	c, err := net.Dial("udp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	response, _ := new(dns.Msg).SetReply(query("example.com.", dns.TypeA)).Pack()
	for _, b := range [][]byte{{1, 2, 3}, response, []byte("\xab\xcd\x01\x00\x00\x09\x00\x00\x00\x00\x00\x00x")} {
		if _, err := c.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 512)
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
	n, err := c.Read(buf)
	if err != nil || n != header || string(buf[:4]) != "\xab\xcd\x81\x01" {
		t.Errorf("% x, %v", buf[:n], err)
	}
	if s.Queries() != 0 {
		t.Errorf("%d questions counted", s.Queries())
	}
}

func TestServerTruncation(t *testing.T) {
	big := "big.example. TXT " + strings.Repeat(`"`+strings.Repeat("x", 255)+`" `, 250) // 64,000 octets
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, "mid.example. TXT \"%d %s\"\n", i, strings.Repeat("y", 60))
	}
	var over strings.Builder
	for i := range 3 {
		fmt.Fprintf(&over, "over.example. TXT %s \"%d\"\n", strings.Repeat(`"`+strings.Repeat("z", 255)+`" `, 100), i)
	}
	s := serve(t, big+"\n"+many.String()+over.String(), ServerOptions{})
	for _, c := range []struct {
		name      string
		network   string
		edns      uint16
		records   int
		truncated bool
		rcode     int
	}{
		{"mid.example.", "udp", 0, 0, true, 0},
		{"mid.example.", "udp", 1232, 0, true, 0},
		{"mid.example.", "udp", 4096, 40, false, 0},
		{"mid.example.", "udp", 100, 0, true, 0},
		{"mid.example.", "tcp", 0, 40, false, 0},
		{"big.example.", "udp", 4096, 0, true, 0},
		{"big.example.", "udp", 65535, 1, false, 0},
		{"big.example.", "tcp", 0, 1, false, 0},
		{"over.example.", "tcp", 0, 0, false, dns.RcodeServerFailure},
	} {
		m := query(c.name, dns.TypeTXT)
		if c.edns > 0 {
			m.SetEdns0(c.edns, true)
		}
		r, err := exchangeWith(s, c.network, m)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if len(r.Answer) != c.records || r.Truncated != c.truncated || r.Rcode != c.rcode {
			t.Errorf("%+v: %d records, TC %v, %d", c, len(r.Answer), r.Truncated, r.Rcode)
		}
		if opt := r.IsEdns0(); (opt != nil) != (c.edns > 0) || opt != nil && !opt.Do() {
			t.Errorf("%+v: OPT %v", c, opt)
		}
	}
}

func TestServerFaults(t *testing.T) {
	s := serve(t, sample, ServerOptions{})
	z := s.zone.Load()
	name := resolve.MustName("mail.example.com")
	for _, c := range []struct {
		fault    Fault
		udp, tcp string // what a strict client sees
	}{
		{Fault{RCode: resolve.ServFail}, "SERVFAIL", "SERVFAIL"},
		{Fault{RCode: resolve.Refused}, "REFUSED", "REFUSED"},
		{Fault{Timeout: true}, "i/o timeout", "i/o timeout"},
		{Fault{Drop: true}, "i/o timeout", "EOF"},
		{Fault{Malformed: true}, "dns:", "dns:"},
		{Fault{Truncate: true}, "TC", "NOERROR"},
		{Fault{Truncate: true, NoTCP: true}, "TC", "EOF"},
		{Fault{WrongID: true}, "i/o timeout", "id mismatch"},
		{Fault{WrongQuestion: true}, "another.question", "another.question"},
		{Fault{Delay: 20 * time.Millisecond}, "NOERROR", "NOERROR"},
	} {
		z.Inject(name, 0, c.fault)
		for network, want := range map[string]string{"udp": c.udp, "tcp": c.tcp} {
			start := time.Now()
			patience := 10 * time.Second
			if want == "i/o timeout" {
				patience = 100 * time.Millisecond
			}
			r, err := exchangeWithin(patience, s, network, query("www.example.com.", dns.TypeA)) // an alias of the name
			got := fmt.Sprint(err)
			if err == nil {
				got = dns.RcodeToString[r.Rcode] + " " + r.Question[0].Name
				if r.Truncated {
					got += " TC"
				}
			}
			if !strings.Contains(got, want) || time.Since(start) < c.fault.Delay {
				t.Errorf("%+v %s: got %q, want %q", c.fault, network, got, want)
			}
		}
	}
	z.Inject(name, 0, Fault{RCode: resolve.ServFail, Times: 1})
	for i, want := range []int{dns.RcodeServerFailure, dns.RcodeSuccess} {
		if r, err := exchangeWith(s, "udp", query("mail.example.com.", dns.TypeA)); err != nil || r.Rcode != want {
			t.Errorf("question %d: %v, %v", i, r, err)
		}
	}
	s.SetZone(mustParse(t, "mail.example.com. A 192.0.2.99", Options{}))
	if r, err := exchangeWith(s, "udp", query("mail.example.com.", dns.TypeA)); err != nil || len(r.Answer) != 1 || !strings.HasSuffix(r.Answer[0].String(), "192.0.2.99") {
		t.Errorf("other zone: %v, %v", r, err)
	}
}

// Hundreds of queries at once on one client socket are all answered, and delays
// run side by side.
func TestServerInFlight(t *testing.T) {
	const count = 400
	var logged atomic.Int64
	s := serve(t, sample, ServerOptions{Delay: 100 * time.Millisecond, Log: func(q resolve.Question, transport string) {
		if transport == "udp" || transport == "tcp" {
			logged.Add(1)
		}
	}})
	for _, network := range []string{"udp", "tcp"} {
		c, err := dns.Dial(network, s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if u, ok := c.Conn.(*net.UDPConn); ok {
			_ = u.SetReadBuffer(readBuffer)
		}
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := range count {
				m := query("mail.example.com.", dns.TypeA)
				m.Id = uint16(i)
				if err := c.WriteMsg(m); err != nil {
					t.Error(err)
				}
			}
		})
		seen := map[uint16]bool{}
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		for len(seen) < count {
			r, err := c.ReadMsg()
			if err != nil {
				t.Errorf("%s: %d replies: %v", network, len(seen), err)
				break
			}
			seen[r.Id] = true
		}
		wg.Wait()
		c.Close()
		if d := time.Since(start); d > 15*time.Second { // one by one they take 40
			t.Errorf("%s: delays are served one by one: %v", network, d)
		}
	}
	if s.Queries() != 2*count || logged.Load() != 2*count {
		t.Errorf("%d questions, %d logged", s.Queries(), logged.Load())
	}
}

func TestServe(t *testing.T) {
	z := MustParse(sample)
	for name, opt := range map[string]ServerOptions{"not loopback": {Addr: "192.0.2.1:0"}, "every interface": {Addr: "0.0.0.0:0"}, "no port": {Addr: "127.0.0.1"}, "name": {Addr: "localhost:53"}} {
		if s, err := Serve(z, opt); err == nil {
			s.Close()
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Serve(nil, ServerOptions{}); err == nil {
		t.Error("no zone: no error")
	}
	s, err := Serve(z, ServerOptions{Delay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(z, ServerOptions{Addr: s.Addr()}); err == nil {
		t.Error("port in use: no error")
	}
	// Close does not wait for a delayed reply, and may be called again.
	c, err := dns.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.WriteMsg(query("mail.example.com.", dns.TypeA)); err != nil {
		t.Fatal(err)
	}
	for s.Queries() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
