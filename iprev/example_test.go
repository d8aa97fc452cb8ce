package iprev_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/iprev"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// The address has a name, but the name leads elsewhere: many receivers refuse.
func ExampleCheck() {
	zone := zonetest.MustParse(`
7.100.51.198.in-addr.arpa. 3600 IN PTR mail.example.org.
mail.example.org.          3600 IN A   198.51.100.70
`)
	r := iprev.Check(context.Background(), zone, netip.MustParseAddr("198.51.100.7"), iprev.Options{HELO: "localhost.localdomain"})
	fmt.Println(r.Verdict, "-", r.Why)
	fmt.Println(r.HELO.Form, "-", r.HELO.Why)
	// Output:
	// fail - the PTR name mail.example.org leads to 198.51.100.70, not back
	// invalid - the greeting is not valid: names below .localdomain do not exist for others
}

func ExampleLooksGeneric() {
	addr := netip.MustParseAddr("198.51.100.7")
	for _, name := range []string{"mail.example.org", "static.7.100.51.198.clients.example.net", "vmi123456.example.net"} {
		if l := iprev.LooksGeneric(resolve.MustName(name), addr); l.Is() {
			fmt.Println(name, "-", l.Why)
		}
	}
	// Output:
	// static.7.100.51.198.clients.example.net - "7.100.51.198" in the name is the address, or part of it
	// vmi123456.example.net - "vmi123456" is the number of a rented machine
}
