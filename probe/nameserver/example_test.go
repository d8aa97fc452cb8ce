package nameserver_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/probe/nameserver"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// A *client.Client takes the place of the fixed answer.
func ExampleLook() {
	lame := client.NameServer{Host: resolve.MustName("ns2.example.net"), Addr: netip.MustParseAddr("192.0.2.53")}
	asker := servers{Zone: resolve.MustName("example.org"), Lame: []client.NameServer{lame},
		Answers: []client.ServerAnswer{{Server: lame, Err: &resolve.Error{Reason: resolve.ErrRefused}}}}
	z, err := nameserver.Look(context.Background(), asker, resolve.MustName("example.org"), nameserver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range z.Servers {
		fmt.Println(s, s.Answers)
	}
	// Output: ns2.example.net (192.0.2.53) absent
}
