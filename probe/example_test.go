package probe_test

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/probetest"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func ExampleMX() {
	// In place of the Internet: a zone, and two hosts in memory.
	z := zonetest.MustParse(`$ORIGIN example.org.
@   MX 10 mx1
@   MX 20 mx2
mx1 A  192.0.2.1
mx2 A  192.0.2.2
`)
	ca, _ := probetest.NewCA(time.Now())
	good, _ := ca.Issue(probetest.Spec{Names: []string{"mx1.example.org"}})
	own, _ := ca.Issue(probetest.Spec{Names: []string{"localhost"}, SelfSigned: true})
	network := new(probetest.Network).
		Add("192.0.2.1:25", probetest.Host{Certificate: good}).
		Add("192.0.2.2:25", probetest.Host{Certificate: own})

	res, err := probe.MX(context.Background(), z, resolve.MustName("example.org"), probe.Options{
		Name:  "mail.example.com",
		Roots: ca.Pool(),
		Dial:  network.DialContext,
		Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, // not public
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range res.Exchanges {
		for _, a := range x.Attempts {
			fmt.Println(x.Host, a.Address, a.Connect, a.STARTTLS, a.TLS.Version, a.Certificate.OK())
			if c := a.Certificate.Chain; c.Problem != "" {
				fmt.Println("  chain:", c.Problem)
			}
			if c := a.Certificate.Name; c.Problem != "" {
				fmt.Println("  name:", c.Problem)
			}
		}
	}
	// Output:
	// mx1.example.org 192.0.2.1:25 accepted present TLS 1.3 good
	// mx2.example.org 192.0.2.2:25 accepted present TLS 1.3 bad
	//   chain: self-signed
	//   name: name-mismatch
}

// A network that lets nothing out to port 25 is told from a host that is down.
func ExampleOptions_control() {
	z := zonetest.MustParse("example.org. MX 10 mx.example.org.\nmx.example.org. A 192.0.2.1\n")
	var nothing probetest.Network // a black hole
	res, _ := probe.MX(context.Background(), z, resolve.MustName("example.org"), probe.Options{
		Control:        []string{"192.0.2.99:25"}, // or probe.DefaultControl()
		ConnectTimeout: 10 * time.Millisecond,
		Dial:           nothing.DialContext,
		Allow:          []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	fmt.Println(res.Paths[0].State)
	a := res.Exchanges[0].Attempts[0]
	fmt.Println(a.Connect, a.STARTTLS, a.Failure)
	// Output:
	// blocked
	// unknown unavailable connect: blocked on the way out of this network: control hosts are silent too; seen: timeout
}

func ExampleAddress() {
	network := new(probetest.Network).Add("192.0.2.1:25", probetest.Host{
		On: map[probetest.Step]probetest.Action{probetest.Banner: probetest.Say("554 5.7.1 no service\r\n")},
	})
	a, _ := probe.Address(context.Background(), resolve.MustName("mx.example.org"), netip.MustParseAddr("192.0.2.1"), probe.SMTP, probe.Options{
		Dial:  network.DialContext,
		Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	fmt.Println(a.Connect, a.Greeting)
	fmt.Println(a.Failure)
	fmt.Println(a.Failure.Reply.Code, a.Failure.Reply.Enhanced)
	// Output:
	// accepted refused
	// banner: rejected: 554 "5.7.1 no service"
	// 554 5.7.1
}
