package spf_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf"
)

var exampleZone = zonetest.MustParse(`
$ORIGIN example.org.
@        TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.example.net include:gone.example.net ~all"
$ORIGIN example.net.
_spf     TXT "v=spf1 a:out.example.net -all"
out      A   198.51.100.7
`)

func ExampleParse() {
	r, err := spf.Parse("v=spf1 ipv4:192.0.2.1 mx -all")
	if e, found := errors.AsType[*spf.SyntaxError](err); found {
		fmt.Printf("%q at %d: %s; did you mean %q?\n", e.Term, e.Offset, e.Reason, e.Suggestion)
	}
	r, err = r.Repair()
	fmt.Println(r, err)
	// Output:
	// "ipv4:192.0.2.1" at 7: unknown mechanism; did you mean "ip4:192.0.2.1"?
	// v=spf1 ip4:192.0.2.1 mx -all <nil>
}

func ExampleCheck() {
	res := spf.Check(context.Background(), exampleZone, spf.Args{
		IP:       netip.MustParseAddr("198.51.100.7"),
		Helo:     "out.example.net",
		MailFrom: "someone@example.org",
	}, spf.Options{})
	fmt.Println(res.Status, "by", res.Term, "and", res.InnerTerm)
	// Output: pass by include:_spf.example.net and a:out.example.net
}

func ExampleAnalyze() {
	a, err := spf.Analyze(context.Background(), exampleZone, resolve.MustName("example.org"), spf.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("lookups:", a.Lookups, "voids:", a.Voids, "addresses:", a.IPv4Count)
	for _, p := range a.Problems {
		fmt.Printf("%s: %s: no record: %v\n", p.Domain, p.Text, errors.Is(&p, spf.ErrNoRecord))
	}
	// Output:
	// lookups: 3 voids: 1 addresses: 257
	// example.org: include:gone.example.net: no record: true
}
