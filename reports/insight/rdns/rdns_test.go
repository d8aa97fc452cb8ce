package rdns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/reports/archive/memory"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const zone = `
$ORIGIN .
. 60 IN SOA a. b. 1 2 3 4 5
10.2.0.192.in-addr.arpa. 60 IN PTR mail.example.org.
10.2.0.192.in-addr.arpa. 60 IN PTR liar.example.com.
mail.example.org. 60 IN A 192.0.2.10
liar.example.com. 60 IN A 192.0.2.99
11.2.0.192.in-addr.arpa. 60 IN PTR liar.example.com.
12.2.0.192.in-addr.arpa. 60 IN PTR broken.example.com.
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 60 IN PTR six.example.org.
six.example.org. 60 IN AAAA 2001:db8::1
`

func world(t *testing.T) *zonetest.Zone {
	t.Helper()
	z, err := zonetest.Parse(zone, zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	z.Inject(resolve.MustName("broken.example.com"), resolve.TypeA, zonetest.Fault{RCode: resolve.ServFail})
	z.Inject(resolve.MustName("13.2.0.192.in-addr.arpa"), resolve.TypePTR, zonetest.Fault{Timeout: true})
	return z
}

// TestLookup confirms names and keeps three states apart.
func TestLookup(t *testing.T) {
	z := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	for _, c := range []struct {
		addr  string
		state string
		names []string
	}{
		{"192.0.2.10", "present", []string{"mail.example.org"}},
		{"192.0.2.11", "absent", nil},      // the name leads elsewhere
		{"192.0.2.12", "unavailable", nil}, // the name might lead back
		{"192.0.2.14", "absent", nil},
		{"2001:db8::1", "present", []string{"six.example.org"}},
	} {
		n := Lookup(ctx, z, netip.MustParseAddr(c.addr))
		if n.State != c.state || !slices.Equal(n.Names, c.names) {
			t.Errorf("%s: %s %q, want %s %q", c.addr, n.State, n.Names, c.state, c.names)
		}
	}
}

func TestFill(t *testing.T) {
	s := memory.New()
	asked := 0
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Type == resolve.TypePTR {
			asked++
		}
		return world(t).Resolve(ctx, q)
	})
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("::ffff:192.0.2.12"), netip.MustParseAddr("192.0.2.14")}
	now := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	opt := Options{Max: 2, Workers: 1, Now: now}
	got, err := Fill(t.Context(), r, s, addrs, opt)
	if err != nil || got != (Result{Asked: 2, Named: 1, Unavailable: 1, Left: 1}) {
		t.Errorf("first: %+v, %v", got, err)
	}
	got, err = Fill(t.Context(), r, s, addrs, opt)
	if err != nil || got != (Result{Known: 2, Asked: 1}) || asked != 3 {
		t.Errorf("second: %+v, %v, %d asked", got, err, asked)
	}
	// What was unavailable is asked for again the next day, what was known is not.
	opt.Now = now.Add(25 * time.Hour)
	got, err = Fill(t.Context(), r, s, addrs, opt)
	if err != nil || got.Known != 2 || got.Asked != 1 {
		t.Errorf("next day: %+v, %v", got, err)
	}
}

// TestFillEnds keeps what it found when the time is over.
func TestFillEnds(t *testing.T) {
	s := memory.New()
	ctx, cancel := context.WithCancel(t.Context())
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		if q.Type == resolve.TypePTR && q.Name == resolve.MustName("14.2.0.192.in-addr.arpa") {
			cancel()
		}
		if ctx.Err() != nil {
			return resolve.Answer{}, &resolve.Error{Reason: resolve.ErrCanceled, Question: q}
		}
		return world(t).Resolve(ctx, q)
	})
	addrs := []netip.Addr{netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.14"), netip.MustParseAddr("192.0.2.15")}
	_, err := Fill(ctx, r, s, addrs, Options{Workers: 1})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	names, err := s.Names(t.Context(), addrs)
	if err != nil || len(names) != 1 || names[0].Names[0] != "mail.example.org" {
		t.Errorf("kept %v, %v", names, err)
	}
}

func ExampleFill() {
	z := zonetest.MustParse("10.2.0.192.in-addr.arpa. 60 IN PTR mail.example.org.\nmail.example.org. 60 IN A 192.0.2.10\n")
	store := memory.New()
	addr := netip.MustParseAddr("192.0.2.10")
	if _, err := Fill(context.Background(), z, store, []netip.Addr{addr}, Options{}); err != nil {
		fmt.Println(err)
		return
	}
	var names []archive.Name
	names, _ = store.Names(context.Background(), []netip.Addr{addr})
	fmt.Println(names[0].State, names[0].Names)
	// Output: present [mail.example.org]
}
