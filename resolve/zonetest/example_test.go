package zonetest_test

import (
	"context"
	"fmt"
	"net"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func ExampleMustParse() {
	z := zonetest.MustParse(`
$ORIGIN example.com.
@       MX   10 mail
mail    A    192.0.2.25
_dmarc  TXT  "v=DMARC1; " "p=reject"
`)
	ctx := context.Background()
	a, err := z.Resolve(ctx, resolve.Question{Name: resolve.MustName("_dmarc.example.com"), Type: resolve.TypeTXT})
	fmt.Println(a.TXT()[0].Joined(), err)

	_, err = z.Resolve(ctx, resolve.Question{Name: resolve.MustName("example.com"), Type: resolve.TypeTXT})
	fmt.Println(err, resolve.StateOf(err))

	z.Inject(resolve.MustName("_dmarc.example.com"), resolve.TypeTXT, zonetest.Fault{RCode: resolve.ServFail})
	_, err = z.Resolve(ctx, resolve.Question{Name: resolve.MustName("_dmarc.example.com"), Type: resolve.TypeTXT})
	fmt.Println(err, resolve.StateOf(err))
	// Output:
	// v=DMARC1; p=reject <nil>
	// example.com TXT: no record of this type (zone) absent
	// _dmarc.example.com TXT: server failure (zone) unavailable
}

func ExampleServe() {
	z := zonetest.MustParse("example.com. TXT \"v=spf1 -all\"")
	s, err := zonetest.Serve(z, zonetest.ServerOptions{Recursive: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr())
	}}
	txt, err := r.LookupTXT(context.Background(), "example.com.")
	fmt.Println(txt, err)
	fmt.Println(s.Queries(), "question")
	// Output:
	// [v=spf1 -all] <nil>
	// 1 question
}

func ExampleZone_Replace() {
	old := zonetest.MustParse("example.com. TXT \"v=spf1 +all\"")
	name := resolve.MustName("example.com")
	fixed := old.Replace(name, resolve.TypeTXT, []resolve.Record{{TTL: 300, Data: resolve.TXT{Strings: []string{"v=spf1 -all"}}}})
	fmt.Print(old.String() + fixed.String())
	// Output:
	// example.com. 3600 IN TXT "v=spf1 +all"
	// example.com. 300 IN TXT "v=spf1 -all"
}
