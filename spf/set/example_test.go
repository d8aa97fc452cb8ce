package set_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// What a new record would change, before it is published.
func ExampleDiff() {
	zone := zonetest.MustParse(`
example.org.      3600 IN TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com ~all"
_spf.example.com. 3600 IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
`)
	domain := resolve.MustName("example.org")
	next := set.WithRecords(zone, map[resolve.Name]string{domain: "v=spf1 ip4:192.0.2.128/25 include:_spf.example.com ~all"})

	before, _ := set.Resolve(context.Background(), zone, domain, spf.Options{})
	after, _ := set.Resolve(context.Background(), next, domain, spf.Options{})
	for _, d := range set.Diff(before, after) {
		fmt.Printf("%s: %s, %s before and %s after\n", d.Kind, d.Set, d.Old, d.New)
	}
	// Output: lose: 192.0.2.0/25, pass before and softfail after
}

// Everything that passes, as networks.
func ExampleMap_With() {
	zone := zonetest.MustParse(`example.org. 3600 IN TXT "v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/30 -all"`)
	m, _ := set.Resolve(context.Background(), zone, resolve.MustName("example.org"), spf.Options{})
	fmt.Println(m.With(spf.Pass))
	// Output: 192.0.2.0, 192.0.2.2/31
}

func ExampleSet_Minus() {
	net := set.Of(netip.MustParsePrefix("192.0.2.0/29"))
	hole := set.Of(netip.MustParsePrefix("192.0.2.4/32"))
	fmt.Println(net.Minus(hole).Prefixes())
	// Output: [192.0.2.0/30 192.0.2.5/32 192.0.2.6/31]
}
