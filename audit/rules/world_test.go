package rules

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
)

var worldTime = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func worldClock() time.Time { return worldTime }

// authorities are the one that is trusted and one that is not.
var authorities = sync.OnceValue(func() [2]*probetest.CA {
	var out [2]*probetest.CA
	for i := range out {
		ca, err := probetest.NewCA(worldTime)
		if err != nil {
			panic(err)
		}
		out[i] = ca
	}
	return out
})

// certificates are made once for each sort and name.
var certificates = struct {
	sync.Mutex
	made map[string]*tls.Certificate
}{made: map[string]*tls.Certificate{}}

func certificate(t *testing.T, sort, name string) *tls.Certificate {
	t.Helper()
	certificates.Lock()
	defer certificates.Unlock()
	if c := certificates.made[sort+" "+name]; c != nil {
		return c
	}
	ca, spec := authorities()[0], probetest.Spec{Names: []string{name}}
	switch sort {
	case "self-signed":
		spec.SelfSigned, spec.CommonName = true, name
	case "untrusted":
		ca = authorities()[1]
	case "incomplete":
		spec.Bare = true
	case "expired":
		spec.From, spec.To = worldTime.AddDate(0, 0, -90), worldTime.AddDate(0, 0, -2)
	case "expiring":
		spec.From, spec.To = worldTime.AddDate(0, 0, -85), worldTime.AddDate(0, 0, 5)
	case "wrong-name":
		spec.Names = []string{"www.example.net"}
	case "rsa1024":
		spec.RSA = 1024
	}
	c, err := ca.Issue(spec)
	if err != nil {
		t.Fatal(err)
	}
	certificates.made[sort+" "+name] = c
	return c
}

const controlHost = "192.0.2.240:25"

// world adds to the options what a scenario says of hosts and servers.
func world(t *testing.T, s audit.Scenario, opt *facts.Options) {
	t.Helper()
	if s.Hosts != nil {
		opt.Probe = mailHosts(t, s.Hosts)
		if s.Policy != "" {
			opt.Fetch = &mtasts.Options{Dial: policyHost(t, s.Policy), Roots: authorities()[0].Pool(), Now: worldClock, Timeout: time.Second}
		}
	}
	if s.Lists != nil {
		opt.BlockLists = blockLists(t, s.Lists)
	}
	if s.Servers != nil {
		z := nameServers(t, s.Servers)
		opt.NameServers = func(context.Context, resolve.Name) (nameserver.Zone, error) { return z, nil }
	}
	if s.Security != nil {
		known := security(t, s.Security)
		opt.Validate = func(_ context.Context, q resolve.Question) dnssec.Result {
			if r, ok := known[q]; ok {
				return r
			}
			return dnssec.Result{Question: q, Status: dnssec.Insecure, Reason: dnssec.ReasonNoDS}
		}
	}
}

// digest replaces {tlsa} by the record of the key of mail.example.org.
func digest(t *testing.T, s audit.Scenario) string {
	if !strings.Contains(s.Zone, "{tlsa}") {
		return s.Zone
	}
	sort := "good"
	if len(s.Hosts) > 0 {
		sort = strings.Fields(s.Hosts[0])[1]
	}
	leaf, err := x509.ParseCertificate(certificate(t, presented(sort), "mail.example.org").Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	return strings.ReplaceAll(s.Zone, "{tlsa}", "3 1 1 "+hex.EncodeToString(sum[:]))
}

// presented is the sort of certificate of a host that is bad in another way.
func presented(sort string) string {
	if slices.Contains([]string{"self-signed", "untrusted", "incomplete", "expired", "expiring", "wrong-name", "rsa1024"}, sort) {
		return sort
	}
	return "good"
}

func mailHosts(t *testing.T, lines []string) *probe.Options {
	t.Helper()
	n := &probetest.Network{}
	n.Add(controlHost, probetest.Host{Certificate: certificate(t, "good", "control.example")})
	for i, line := range lines {
		w := strings.Fields(line)
		address := netip.AddrPortFrom(netip.MustParseAddr(w[0]), 25).String()
		name := "mail.example.org"
		if i > 0 && w[0] == "192.0.2.26" {
			name = "mx2.example.org"
		}
		h := probetest.Host{Name: name, Certificate: certificate(t, presented(w[1]), name)}
		switch w[1] {
		case "refused":
			n.Refuse(address)
			continue
		case "silent":
			n.Fail(address, syscall.ETIMEDOUT)
			continue
		case "no-starttls":
			h.Certificate = nil
		case "tls10":
			h.TLS = func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10 }
		case "broken-tls":
			h.On = map[probetest.Step]probetest.Action{probetest.Handshake: probetest.Then(probetest.Say("500 what is this\r\n"), probetest.Drop())}
		case "injected":
			h.On = map[probetest.Step]probetest.Action{probetest.STARTTLS: probetest.Say("220 go ahead\r\n250 injected\r\n")}
		case "rejects":
			h.On = map[probetest.Step]probetest.Action{probetest.Banner: probetest.Then(probetest.Say("554 5.7.1 no service for you\r\n"), probetest.Drop())}
		case "local-name":
			h.Name = "localhost"
		case "good", "self-signed", "untrusted", "incomplete", "expired", "expiring", "wrong-name", "rsa1024":
		default:
			t.Fatalf("no host is %q", w[1])
		}
		n.Add(address, h)
	}
	return &probe.Options{
		Dial: n.DialContext, Roots: authorities()[0].Pool(), Now: worldClock, Control: []string{controlHost},
		Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		Route: func(netip.Addr) (netip.Addr, error) { return netip.MustParseAddr("2606:4700::1"), nil },
		Name:  "probe.example.net", ConnectTimeout: time.Second, StepTimeout: time.Second,
	}
}

// policyHost dials a web server that serves the policy.
func policyHost(t *testing.T, policy string) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	sort, head, body := "good", "200 OK\r\nContent-Type: text/plain", policy
	switch {
	case strings.HasPrefix(policy, "status "):
		head, body = strings.TrimPrefix(policy, "status ")+" no", ""
	case policy == "redirect":
		head, body = "301 Moved\r\nLocation: https://www.example.org/", ""
	case policy == "html":
		head, body = "200 OK\r\nContent-Type: text/html", enforce
	case policy == "self-signed", policy == "wrong-name":
		sort, body = policy, enforce
	case policy == "silent":
		return func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ETIMEDOUT }
	}
	c := certificate(t, sort, "mta-sts.example.org")
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_ = far.SetDeadline(time.Now().Add(2 * time.Second))
			conn := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{*c}})
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, len(body), body)
			_ = conn.Close()
		}()
		return near, nil
	}
}

func nameServers(t *testing.T, lines []string) nameserver.Zone {
	t.Helper()
	z := nameserver.Zone{Zone: resolve.MustName("example.org"), Agree: true}
	newest, older := uint32(8), uint32(7)
	for _, line := range lines {
		w := strings.Fields(line)
		if w[0] == "parent" {
			parent(t, &z.Delegation, w[1:])
			continue
		}
		s := nameserver.Server{Host: resolve.MustName(w[0]), HostState: resolve.Present, Answers: resolve.Present, Serial: &newest,
			Said: []string{"10 mail.example.org."}, TCP: resolve.Present, EDNS: resolve.Present}
		if w[1] != "-" {
			s.Addr = netip.MustParseAddr(w[1])
		}
		switch w[2] {
		case "good":
		case "lame":
			s.Answers, s.Problem, s.Serial, s.Said = resolve.Absent, "refused", nil, nil
		case "stale":
			s.Serial, s.Stale = &older, true
		case "differs":
			s.Said, z.Agree = []string{"10 old.example.net."}, false
		case "no-tcp":
			s.TCP = resolve.Absent
		case "no-edns":
			s.EDNS = resolve.Absent
		case "silent":
			s.Answers, s.TCP, s.EDNS, s.Problem, s.Serial = resolve.Unavailable, resolve.Unavailable, resolve.Unavailable, "no answer in time", nil
		case "gone":
			s.HostState, s.Answers, s.Problem, s.Serial = resolve.Absent, resolve.Unavailable, "no such name", nil
		case "alias":
			s.Alias = resolve.MustName("ns.example.net")
		default:
			t.Fatalf("no server is %q", w[2])
		}
		s.ParentOnly, s.OldGlue = slices.Contains(w[3:], "parent-only"), slices.Contains(w[3:], "old-glue")
		if !s.ParentOnly && !slices.Contains(z.Delegation.Own, s.Host) {
			z.Delegation.Own = append(z.Delegation.Own, s.Host)
		}
		z.Servers = append(z.Servers, s)
	}
	return z
}

// parent reads what the zone above says.
func parent(t *testing.T, d *nameserver.Delegation, w []string) {
	t.Helper()
	d.Asked, d.Parent, d.OwnState, d.Server = true, resolve.MustName("org"), resolve.Present, "203.0.113.1:53"
	switch w[0] {
	case "silent":
		d.State, d.Problem = resolve.Unavailable, "no answer in time"
		return
	case "shared":
		d.State, d.Shared = resolve.Unavailable, true
		return
	case "denies":
		d.State, d.Problem = resolve.Absent, "no such name"
		return
	}
	d.State = resolve.Present
	if w[0] == "missing" {
		w = w[1:]
		d.Missing = append(d.Missing, resolve.MustName(w[0]))
	}
	h := resolve.MustName(w[0])
	d.NS = append(d.NS, h)
	for _, a := range w[1:] {
		g := nameserver.Glue{Host: h, State: resolve.Present}
		switch text, flag, _ := strings.Cut(a, "="); flag {
		case "old":
			g.State = resolve.Absent
			g.Addr = netip.MustParseAddr(text)
		case "unknown":
			g.State = resolve.Unavailable
			g.Addr = netip.MustParseAddr(text)
		default:
			g.Addr = netip.MustParseAddr(a)
		}
		d.Glue = append(d.Glue, g)
	}
}

func security(t *testing.T, lines []string) map[resolve.Question]dnssec.Result {
	t.Helper()
	out := map[resolve.Question]dnssec.Result{}
	for _, line := range lines {
		w := strings.Fields(line)
		q := resolve.Question{Name: resolve.MustName(w[0])}
		if err := q.Type.UnmarshalText([]byte(w[1])); err != nil {
			t.Fatal(err)
		}
		r := dnssec.Result{Question: q, Status: dnssec.Status(w[2])}
		if len(w) > 3 {
			if text, ok := strings.CutPrefix(w[3], "expires="); ok {
				d, err := time.ParseDuration(text)
				if err != nil {
					t.Fatal(err)
				}
				r.Expires = worldTime.Add(d)
			} else {
				r.Reason = dnssec.Reason(w[3])
			}
		}
		out[q] = r
	}
	return out
}

// runOptional runs a scenario as an audit does that was, or was not, told to look
// beyond DNS.
func runOptional(t *testing.T, s audit.Scenario, r resolve.Resolver, insist bool) audit.Report {
	t.Helper()
	opt := facts.Options{Now: worldClock}
	world(t, s, &opt)
	if !insist {
		opt.Optional = facts.Network
	}
	return audit.Run(facts.Gather(t.Context(), r, resolve.MustName("example.org"), opt), All(), audit.Options{})
}

func blockLists(t *testing.T, lines []string) facts.BlockListFunc {
	t.Helper()
	return func(_ context.Context, addrs []netip.Addr, domains []resolve.Name) dnsbl.Report {
		var r dnsbl.Report
		add := func(target string, x dnsbl.Result) {
			x.List, x.Listed = dnsbl.Lists()[0], resolve.Absent
			x.Query = resolve.MustName("query." + x.List.Zone.String())
			for _, line := range lines {
				switch w := strings.Fields(line); {
				case w[1] != target:
				case w[2] == "listed":
					x.Listed, x.Why = resolve.Present, "listed"
				default:
					x.Listed, x.Why = resolve.Unavailable, "the list is not usable"
				}
			}
			r.Results = append(r.Results, x)
		}
		for _, a := range addrs {
			add(a.String(), dnsbl.Result{Addr: a})
		}
		for _, d := range domains {
			add(d.String(), dnsbl.Result{Domain: d})
		}
		return r
	}
}
