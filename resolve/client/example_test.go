package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const exampleZone = `
$ORIGIN example.org.
$TTL 300
@       SOA   ns1 hostmaster 7 3600 600 86400 60
@       NS    ns1
ns1     A     127.0.0.1
@       TXT   "v=spf1 mx -all"
_dmarc  CNAME policy
policy  TXT   "v=DMARC1; p=reject"
`

func ExampleClient_Resolve() {
	server, err := zonetest.Serve(zonetest.MustParse(exampleZone), zonetest.ServerOptions{Recursive: true})
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
	for _, name := range []string{"example.org", "_dmarc.example.org", "_dmarc.www.example.org"} {
		a, err := c.Resolve(context.Background(), resolve.Question{Name: resolve.MustName(name), Type: resolve.TypeTXT})
		switch {
		case err == nil:
			fmt.Printf("%s: %s at %s\n", name, a.TXT()[0], a.Owner())
		case errors.Is(err, resolve.ErrAbsent):
			fmt.Printf("%s: %s\n", name, a.RCode)
		default:
			fmt.Println("unknown:", err)
		}
	}
	// Output:
	// example.org: "v=spf1 mx -all" at example.org
	// _dmarc.example.org: "v=DMARC1; p=reject" at policy.example.org
	// _dmarc.www.example.org: NXDOMAIN
}

func ExampleNew_noServer() {
	_, err := client.New(client.Options{Servers: []string{"http://dns.example/"}})
	if e, ok := errors.AsType[*client.ConfigError](err); ok {
		fmt.Println(e)
		fmt.Println("hint:", e.Hint)
	}
	// Output:
	// client: "http://dns.example/": DNS over HTTP without TLS is not supported
	// hint: give an address such as 192.0.2.53, [2001:db8::1]:53, tls://dns.example or https://dns.example/dns-query
}

func ExampleClient_AskAuthoritative() {
	server, err := zonetest.Serve(zonetest.MustParse(exampleZone), zonetest.ServerOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()

	// One server plays both parts here, so the port of the zone's servers is its.
	port := netip.MustParseAddrPort(server.Addr()).Port()
	c, err := client.New(client.Options{Servers: []string{server.Addr()}, AuthoritativePort: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	all, err := c.AskAuthoritative(context.Background(), resolve.Question{Name: resolve.MustName("example.org"), Type: resolve.TypeTXT})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range all.Answers {
		fmt.Println(a.Server, *a.Serial, a.Answer.TXT())
	}
	fmt.Println("agree:", all.Agree)
	// Output:
	// ns1.example.org (127.0.0.1) 7 ["v=spf1 mx -all"]
	// agree: true
}
