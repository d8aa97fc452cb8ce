package facts_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// Addresses are derived from what the domain itself publishes, the best founded
// first, and never from what a provider lists.
func TestDerived(t *testing.T) {
	const provider = "spf.example.net. 1 IN TXT \"v=spf1 ip4:203.0.113.1 -all\"\n"
	pool := "pool.example.net. 1 IN A 203.0.113.11\npool.example.net. 1 IN A 203.0.113.12\npool.example.net. 1 IN A 203.0.113.13\npool.example.net. 1 IN A 203.0.113.14\npool.example.net. 1 IN A 203.0.113.15\n"
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("ip4:198.51.100.%d", i+1)
	}
	txt := func(record string) string { return "example.org. 1 IN TXT \"" + record + "\"\n" }
	web := "example.org. 1 IN A 192.0.2.80\n"
	for _, tt := range []struct {
		name, zone string
		opt        facts.Options
		want       string
	}{
		{"MX and single hosts", mx + web + txt("v=spf1 a mx ip4:192.0.2.1 ip6:2001:db8::1 ip4:192.0.2.0/28 include:spf.example.net -all") + provider, facts.Options{},
			"mx 192.0.2.25 mail.example.org mx; spf 192.0.2.1 ip4:192.0.2.1; spf 2001:db8::1 ip6:2001:db8::1; spf 192.0.2.80 example.org a weak"},
		{"a network lets the MX host send", mx + txt("v=spf1 ip4:192.0.2.0/24 -all"), facts.Options{}, "mx 192.0.2.25 mail.example.org ip4:192.0.2.0/24"},
		{"a provider's network does not", mx + txt("v=spf1 include:wide.example.net -all") + "wide.example.net. 1 IN TXT \"v=spf1 ip4:192.0.2.0/24 -all\"\n", facts.Options{}, ""},
		{"given wins", mx + txt("v=spf1 mx -all"), facts.Options{Addresses: []netip.Addr{netip.MustParseAddr("192.0.2.25")}}, "given 192.0.2.25"},
		{"given only", mx + txt("v=spf1 mx -all"), facts.Options{GivenOnly: true}, ""},
		{"a pool is no host", txt("v=spf1 a:pool.example.net -all") + pool, facts.Options{}, ""},
		{"not more than one record", mx + txt("v=spf1 mx -all") + txt("v=spf1 -all"), facts.Options{}, ""},
		{"none", mx, facts.Options{}, ""},
		{"a cap", txt("v=spf1 " + strings.Join(many[:8], " ") + " -all"), facts.Options{}, "6 addresses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := gather(zonetest.MustParse(tt.zone), tt.opt)
			var out []string
			for _, x := range s.Senders {
				w := []string{string(x.Origin), x.Address.String()}
				if !x.Host.IsZero() {
					w = append(w, x.Host.String())
				}
				if x.Term != "" {
					w = append(w, x.Term)
				}
				if x.Weak {
					w = append(w, "weak")
				}
				out = append(out, strings.Join(w, " "))
				// The zone speaks for no reverse tree, so that there is no name is unknown.
				if x.Derived() && (x.PTR.State != resolve.Unavailable || x.Confirmed != resolve.Unavailable) {
					t.Errorf("%s: PTR %v, confirmed %v", x.Address, x.PTR.State, x.Confirmed)
				}
			}
			got := strings.Join(out, "; ")
			if tt.want == "6 addresses" {
				if len(out) != facts.MaxDerived {
					t.Errorf("%d addresses", len(out))
				}
			} else if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if (s.Kind == facts.Sends) != (strings.Contains(tt.zone, "spf1")) {
				t.Errorf("kind %s", s.Kind)
			}
		})
	}
}
