package dnssectest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec"
	"github.com/mailcheck-go/mailcheck/resolve/dnssec/dnssectest"
)

func ExampleServe() {
	world, err := dnssectest.New(time.Now(), dnssectest.Zone{Name: "example.org", Text: "_25._tcp.mx TLSA 3 1 1 00", WrongDS: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := dnssectest.Serve(world)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	c, err := client.New(client.Options{Servers: []string{server.Addr()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	v, err := dnssec.New(dnssec.Options{Exchange: c.Exchange, Anchors: world.Anchors()})
	if err != nil {
		fmt.Println(err)
		return
	}
	r := v.Validate(context.Background(), resolve.Question{Name: resolve.MustName("_25._tcp.mx.example.org"), Type: resolve.TypeTLSA})
	fmt.Println(r.Status, r.Reason, r.At)
	// Output: bogus ds-mismatch example.org
}
