package dnsbl_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/dnsbl"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// The one list names the address; the other answers every question with an error
// code, as it does for public resolvers, and is not believed.
func ExampleCheck() {
	zone := zonetest.MustParse(`
2.0.0.127.bl.spamcop.net.    60 IN A   127.0.0.2
7.100.51.198.bl.spamcop.net. 60 IN A   127.0.0.2
7.100.51.198.bl.spamcop.net. 60 IN TXT "Blocked - see https://www.spamcop.net/bl.shtml?198.51.100.7"
*.zen.spamhaus.org.          60 IN A   127.255.255.254
`)
	var lists []dnsbl.List
	for _, id := range []string{"spamhaus-zen", "spamcop"} {
		if l, ok := dnsbl.ByID(id); ok {
			lists = append(lists, l)
		}
	}
	report := dnsbl.Check(context.Background(), zone, dnsbl.Options{Lists: lists}, []netip.Addr{netip.MustParseAddr("198.51.100.7")}, nil)
	for _, r := range report.Results {
		fmt.Printf("%s: %s - %s\n", r.List.Name, r.Listed, r.Why)
	}
	// Output:
	// Spamhaus ZEN: unavailable - the list cannot be used: the list answers 127.255.255.254: it does not answer public resolvers
	// SpamCop Blocking List: present - listed: reported for spam in the last hours
}

// A list that a refusal names may be long gone.
func ExampleByZone() {
	l, ok := dnsbl.ByZone(resolve.MustName("dnsbl.sorbs.net"))
	fmt.Println(ok, l.Name, l.Dropped, "-", l.Reason)
	// Output:
	// true SORBS 2024-06-05 - its owner closed it; the zones were emptied
}

func ExamplePublicResolver() {
	fmt.Println(dnsbl.PublicResolver(netip.MustParseAddr("8.8.8.8")))
	// Output: Google true
}
