package netguard_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
)

func TestClassify(t *testing.T) {
	cases := []struct{ addr, class string }{
		// Public.
		{"1.1.1.1", ""}, {"8.8.8.8", ""}, {"172.15.255.255", ""}, {"172.32.0.0", ""}, {"100.63.255.255", ""}, {"100.128.0.0", ""},
		{"192.0.1.1", ""}, {"198.17.255.255", ""}, {"198.20.0.0", ""}, {"223.255.255.255", ""}, {"11.0.0.1", ""}, {"168.63.129.17", ""},
		{"2606:4700::1111", ""}, {"2a00:1450:4001:800::1a", ""}, {"2001:4860:4860::8888", ""}, {"2001:200::1", ""},
		{"64:ff9b::808:808", ""}, {"2002:808:808::1", ""}, {"::ffff:8.8.8.8", ""},
		// RFC 6890, Section 2.2.2.
		{"0.0.0.0", "this network"}, {"0.1.2.3", "this network"}, {"10.0.0.1", "private"}, {"10.255.255.255", "private"},
		{"100.64.0.1", "carrier NAT"}, {"100.127.255.255", "carrier NAT"}, {"127.0.0.1", "loopback"}, {"127.1.2.3", "loopback"},
		{"169.254.0.1", "link-local"}, {"169.254.169.254", "cloud metadata"}, {"169.254.170.2", "cloud metadata"},
		{"168.63.129.16", "cloud metadata"}, {"100.100.100.200", "cloud metadata"},
		{"172.16.0.1", "private"}, {"172.31.255.255", "private"}, {"192.0.0.1", "protocol assignments"}, {"192.0.2.1", "documentation"},
		{"192.88.99.1", "6to4 relay"}, {"192.168.1.1", "private"}, {"198.18.0.1", "benchmarking"}, {"198.19.255.255", "benchmarking"},
		{"198.51.100.1", "documentation"}, {"203.0.113.1", "documentation"}, {"224.0.0.1", "multicast"}, {"239.255.255.255", "multicast"},
		{"240.0.0.1", "reserved"}, {"255.255.255.255", "broadcast"},
		// RFC 6890, Section 2.2.3.
		{"::", "unspecified"}, {"::1", "loopback"}, {"::7f00:1", "IPv4-compatible"}, {"100::1", "discard"}, {"2001::1", "Teredo"},
		{"2001:10::1", "protocol assignments"}, {"2001:db8::1", "documentation"}, {"3fff::1", "documentation"},
		{"fc00::1", "private"}, {"fd12::1", "private"}, {"fd00:ec2::254", "cloud metadata"}, {"fd20:ce::254", "cloud metadata"},
		{"fe80::1", "link-local"}, {"fe80::1%eth0", "link-local"}, {"febf::1", "link-local"}, {"fec0::1", "site-local"},
		{"ff02::1", "multicast"}, {"64:ff9b:1::7f00:1", "local NAT64"}, {"4000::1", "not allocated"}, {"5f00::1", "not allocated"},
		{"200::1", "not allocated"}, {"e000::1", "not allocated"},
		// The same in disguise.
		{"::ffff:127.0.0.1", "loopback"}, {"::ffff:169.254.169.254", "cloud metadata"}, {"::ffff:10.0.0.1", "private"},
		{"64:ff9b::7f00:1", "loopback in NAT64"}, {"64:ff9b::a9fe:a9fe", "cloud metadata in NAT64"}, {"64:ff9b::c0a8:101", "private in NAT64"},
		{"2002:7f00:1::1", "loopback in 6to4"}, {"2002:a9fe:a9fe::", "cloud metadata in 6to4"}, {"2002:c0a8:101::1", "private in 6to4"},
		{"2600::5efe:7f00:1", "loopback in ISATAP"}, {"2600::200:5efe:a00:1", "private in ISATAP"},
	}
	for _, c := range cases {
		if got := netguard.Classify(netip.MustParseAddr(c.addr)); got != c.class {
			t.Errorf("Classify(%s) = %q, want %q", c.addr, got, c.class)
		}
		err := netguard.Guard{}.Check(netip.MustParseAddr(c.addr))
		if (err != nil) != (c.class != "") || err != nil && !errors.Is(err, netguard.ErrForbidden) {
			t.Errorf("Check(%s) = %v", c.addr, err)
		}
	}
	if got := netguard.Classify(netip.Addr{}); got != "no address" {
		t.Errorf("Classify of no address = %q", got)
	}
}

func TestAllow(t *testing.T) {
	g := netguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for addr, ok := range map[string]bool{
		"127.0.0.1": true, "::ffff:127.0.0.1": true, "fd00::1": true, "fd00::1%eth0": true,
		"10.0.0.1": false, "::1": false,
		// What a gateway would do with an address is not what was allowed.
		"64:ff9b::7f00:1": false, "2002:7f00:1::1": false,
	} {
		if err := g.Check(netip.MustParseAddr(addr)); (err == nil) != ok {
			t.Errorf("Check(%s) = %v, want allowed %v", addr, err, ok)
		}
	}
}

func TestControl(t *testing.T) {
	for address, ok := range map[string]bool{
		"8.8.8.8:25": true, "[2606:4700::1]:443": true, "127.0.0.1:25": false, "[::ffff:127.0.0.1]:25": false,
		"[fe80::1%eth0]:25": false, "/run/docker.sock": false, "": false, "localhost:25": false,
	} {
		if err := (netguard.Guard{}).Control("tcp", address, nil); (err == nil) != ok || err != nil && !errors.Is(err, netguard.ErrForbidden) {
			t.Errorf("Control(%q) = %v, want allowed %v", address, err, ok)
		}
	}
}

// dial tries one address with a resolver that answers with what a name holds.
func dial(t *testing.T, d *netguard.Dialer, address string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", address)
	if err == nil {
		conn.Close()
	}
	return err
}

func TestDialPayloads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	// A resolver of the system turns the odd forms into addresses, as inet_aton does.
	d := &netguard.Dialer{Lookup: func(_ context.Context, name string) ([]netip.Addr, error) {
		switch name {
		case "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "localhost", "localhost.", "mx.evil.example":
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		case "metadata.google.internal":
			return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
		}
		return nil, errors.New("no such name")
	}}
	for _, host := range []string{"127.0.0.1", "::ffff:127.0.0.1", "::1", "2130706433", "0x7f.1", "127.1", "0177.0.0.1",
		"localhost", "localhost.", "mx.evil.example", "metadata.google.internal", "0.0.0.0", "::", "169.254.169.254", "fe80::1%lo"} {
		if err := dial(t, d, net.JoinHostPort(host, port)); !errors.Is(err, netguard.ErrForbidden) {
			t.Errorf("dial %s: %v, want forbidden", host, err)
		}
	}
	d.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	if err := dial(t, d, net.JoinHostPort("mx.evil.example", port)); err != nil {
		t.Errorf("an allowed address: %v", err)
	}
	for _, network := range []string{"unix", "udp", "ip4:icmp", ""} {
		if _, err := d.DialContext(t.Context(), network, "127.0.0.1:25"); !errors.Is(err, netguard.ErrForbidden) {
			t.Errorf("network %q: %v, want forbidden", network, err)
		}
	}
}

// TestRebinding has a name that is public when it is looked at and loopback when
// it is dialed.
func TestRebinding(t *testing.T) {
	asked := 0
	lookup := func(context.Context, string) ([]netip.Addr, error) {
		if asked++; asked == 1 {
			return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	first, _ := lookup(t.Context(), "")
	if (netguard.Guard{}).Check(first[0]) != nil {
		t.Fatal("the first answer is public")
	}
	if err := dial(t, &netguard.Dialer{Lookup: lookup}, "rebind.example:80"); !errors.Is(err, netguard.ErrForbidden) {
		t.Errorf("dial: %v, want forbidden", err)
	}
}

func TestDialTriesAll(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := &netguard.Dialer{
		Guard: netguard.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:127.0.0.1")}, nil
		},
	}
	if err := dial(t, d, "two.example:"+strings.TrimPrefix(l.Addr().String(), "127.0.0.1:")); err != nil {
		t.Errorf("the second address is allowed: %v", err)
	}
	if _, err := d.DialContext(t.Context(), "tcp6", "two.example:25"); err == nil || !strings.Contains(err.Error(), "no address for tcp6") {
		t.Errorf("tcp6: %v", err)
	}
}

// TestHTTP uses the dialer where a web client does, a redirect included.
func TestHTTP(t *testing.T) {
	inner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("secret")) }))
	defer inner.Close()
	c := &http.Client{Transport: &http.Transport{DialContext: (&netguard.Dialer{}).DialContext}}
	if _, err := c.Get(inner.URL); !errors.Is(err, netguard.ErrForbidden) {
		t.Errorf("GET %s: %v, want forbidden", inner.URL, err)
	}
}
