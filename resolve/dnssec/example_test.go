package dnssec_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec/dnssectest"
)

// A zone that was not signed again in time is lost to validating receivers. The
// Exchange of a real program is that of a client: client.New(…), then c.Exchange.
func ExampleValidator_Validate() {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	world, err := dnssectest.New(at,
		dnssectest.Zone{Name: "example.org", Text: "@ MX 10 mx\nmx A 192.0.2.1"},
		dnssectest.Zone{Name: "example.com", Text: "@ MX 10 mx", Inception: at.AddDate(0, 0, -30), Expiration: at.AddDate(0, 0, -2)},
		dnssectest.Zone{Name: "example.net", Text: "@ MX 10 mx", Unsigned: true},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := dnssec.New(dnssec.Options{Exchange: world.Exchange, Anchors: world.Anchors(), Clock: func() time.Time { return at }})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, domain := range []string{"example.org", "example.com", "example.net"} {
		fmt.Println(v.Validate(context.Background(), resolve.Question{Name: resolve.MustName(domain), Type: resolve.TypeMX}))
	}
	// Output:
	// example.org MX: secure
	// example.com MX: bogus (expired) at example.com: the signature of example.com DNSKEY expired at 2026-10-30T12:00:00Z
	// example.net MX: insecure (no-ds) at example.net: example.net is delegated and its parent zone proves that it has no DS
}

func ExampleTrustedAD() {
	fmt.Println(dnssec.TrustedAD("127.0.0.1:53"), dnssec.TrustedAD("192.0.2.53:53"))
	// Output:
	// true false
}
