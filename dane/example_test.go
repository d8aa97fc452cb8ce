package dane_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A public key; a certificate or a private key does as well.
const publicKey = `-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
`

func ExampleGenerate() {
	r, err := dane.Generate([]byte(publicKey), dane.Params{})
	if err != nil {
		fmt.Println(err)
		return
	}
	owner, err := dane.Owner(resolve.MustName("mx.example.org"), 25)
	fmt.Println(owner.FQDN(), "IN TLSA", r, err)
	// Output:
	// _25._tcp.mx.example.org. IN TLSA 3 1 1 a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f <nil>
}

// Nobody validated the answers here, so what is found proves nothing.
func ExampleLookup() {
	zone := zonetest.MustParse(`
mx.example.org.          3600 IN A 192.0.2.25
_25._tcp.mx.example.org. 3600 IN TLSA 3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6
_25._tcp.mx.example.org. 3600 IN TLSA 1 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6
`)
	set := dane.Lookup(context.Background(), zone, resolve.MustName("mx.example.org"), dane.Options{})
	fmt.Println(set.State, set.Security, "-", set.Why)
	for _, r := range set.Records {
		fmt.Printf("%s %s %q\n", r.Params, r.Usage, r.Unusable())
	}
	// Output:
	// present indeterminate - 2 records, and whether DNSSEC proves them is unknown
	// 3 1 1 DANE-EE ""
	// 1 1 1 PKIX-EE "usage 1 (PKIX-EE) is not for mail: 2 or 3 is needed"
}

func ExampleVerify() {
	r, err := dane.Parse("1 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6")
	if err != nil {
		fmt.Println(err)
		return
	}
	base := resolve.MustName("mx.example.org")
	set := dane.Set{Base: base, State: resolve.Present, Security: dane.Insecure, Records: []dane.Record{r}}
	res := dane.Verify(set, nil, []resolve.Name{base}, time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))
	fmt.Println(res.Verdict, "-", res.Why)
	fmt.Println(res.Records[0].Outcome, "-", res.Records[0].Why)
	// Output:
	// not-applicable - unusable without DNSSEC, so senders do as if there were no TLSA records
	// unusable - usage 1 (PKIX-EE) is not for mail: 2 or 3 is needed
}

func ExampleCheckRollover() {
	live, err := dane.ReadMaterial([]byte(publicKey))
	if err != nil {
		fmt.Println(err)
		return
	}
	record, err := live[0].Record(dane.Params{})
	if err != nil {
		fmt.Println(err)
		return
	}
	block, _ := pem.Decode([]byte(publicKey))
	block.Bytes[len(block.Bytes)-1] ^= 1 // another key
	next, err := dane.ReadMaterial(block.Bytes)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := dane.CheckRollover([]dane.Record{record}, live, next)
	fmt.Println(r.Ready, "-", r.Why)
	fmt.Println(len(r.Missing), "to publish")
	// Output:
	// false - no record matches the next certificate: publish it and wait for the TTL of the old records before the change
	// 1 to publish
}
