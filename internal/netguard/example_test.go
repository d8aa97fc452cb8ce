package netguard_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/internal/netguard"
)

func ExampleDialer() {
	// The resolver of the run, so that the answers are those of the audit.
	lookup := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("169.254.169.254")}, nil
	}
	d := &netguard.Dialer{Lookup: lookup}
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DialContext: d.DialContext}}
	_, err := client.Get("https://mta-sts.example.org/.well-known/mta-sts.txt")
	fmt.Println(err)
	// Output: Get "https://mta-sts.example.org/.well-known/mta-sts.txt": dial tcp 169.254.169.254:443: 169.254.169.254: address is not public (cloud metadata)
}

func ExampleGuard_Check() {
	var g netguard.Guard
	fmt.Println(g.Check(netip.MustParseAddr("64:ff9b::7f00:1")))
	fmt.Println(g.Check(netip.MustParseAddr("9.9.9.9")))
	// Output:
	// 64:ff9b::7f00:1: address is not public (loopback in NAT64)
	// <nil>
}
