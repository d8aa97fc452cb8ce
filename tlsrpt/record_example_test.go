package tlsrpt_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

// A mail address alone is no URI, so no report comes.
func ExampleLookup() {
	zone := zonetest.MustParse(`_smtp._tls.example.org. 3600 IN TXT "v=TLSRPTv1; rua=tls@example.org"`)
	d := tlsrpt.Lookup(context.Background(), zone, resolve.MustName("example.org"))
	fmt.Println(d.State, "-", d.Why)
	for _, p := range d.Record.Problems {
		fmt.Printf("offset %d: %s\n", p.Offset, p)
	}
	fixed, err := d.Record.SetRUA("tls@example.org")
	fmt.Println(fixed, err)
	// Output:
	// absent - the record is not valid, so nobody sends reports
	// offset 12: rua has no place that can be used, so nobody sends reports
	// offset 16: "tls@example.org" is no URI: it has no scheme such as mailto:, so no reports go there; did you mean "mailto:tls@example.org"?
	// v=TLSRPTv1; rua=mailto:tls@example.org <nil>
}

func ExampleNewRecord() {
	r, err := tlsrpt.NewRecord("tls@example.org", "https://reports.example.net/tls")
	fmt.Println(r, err)
	// Output:
	// v=TLSRPTv1; rua=mailto:tls@example.org,https://reports.example.net/tls <nil>
}
