package mtasts_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A date with hyphens is no id, so the domain has no MTA-STS.
func ExampleLookup() {
	zone := zonetest.MustParse(`_mta-sts.example.org. 3600 IN TXT "v=STSv1; id=2026-11-23"`)
	d := mtasts.Lookup(context.Background(), zone, resolve.MustName("example.org"))
	fmt.Println(d.State, "-", d.Why)
	for _, p := range d.Record.Problems {
		fmt.Printf("offset %d: %s\n", p.Offset, p)
	}
	// Output:
	// absent - the record is not valid, so senders act as if there was none
	// offset 16: the id "2026-11-23" has something else than letters and digits in it, so senders act as if there was no MTA-STS; did you mean "20261123"?
}

// The dial function is where a caller decides which addresses may be asked.
func ExampleFetch() {
	ctx := context.Background()
	f := mtasts.Fetch(ctx, resolve.Offline, resolve.MustName("example.org"), mtasts.Options{Timeout: 10 * time.Second})
	fmt.Println(f.URL)
	fmt.Println(f.State, "-", f.Why)
	// Output:
	// https://mta-sts.example.org/.well-known/mta-sts.txt
	// unavailable - the addresses of mta-sts.example.org are unknown
}

// A new MX host that the policy does not list gets no mail.
func ExampleCheck() {
	p, err := mtasts.ParsePolicy("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: mx1.example.org\n")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := mtasts.Check(p, []resolve.Name{resolve.MustName("mx1.example.org"), resolve.MustName("mx2.example.org")})
	fmt.Println(c.Lost, "-", c.Why)
	p, err = p.AddMX(mtasts.Pattern{Name: resolve.MustName("mx2.example.org")})
	fmt.Println(err)
	fmt.Print(p)
	// Output:
	// true - the policy does not cover mx2.example.org, so senders that follow it deliver nothing there
	// <nil>
	// version: STSv1
	// mode: enforce
	// max_age: 604800
	// mx: mx1.example.org
	// mx: mx2.example.org
}

func ExampleNewPolicy() {
	p, err := mtasts.NewPolicy(mtasts.PolicyOptions{Hosts: []resolve.Name{resolve.MustName("mx1.example.org")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range p.Lines {
		fmt.Println(l.Raw)
	}
	fmt.Println("_mta-sts.example.org TXT", resolve.SplitTXT(mtasts.NewRecord(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)).String()))
	// Output:
	// version: STSv1
	// mode: testing
	// max_age: 86400
	// mx: mx1.example.org
	// _mta-sts.example.org TXT "v=STSv1; id=20261123120000"
}

// Senders notice a changed policy by its id.
func ExampleDriftOf() {
	before, _ := mtasts.ParsePolicy("version: STSv1\nmode: testing\nmax_age: 86400\nmx: mx1.example.org\n")
	now, _ := before.Set("mode", "enforce")
	fmt.Println(mtasts.DriftOf(mtasts.Version{ID: "1", Hash: before.Hash()}, mtasts.Version{ID: "1", Hash: now.Hash()}))
	// Output:
	// stale
}

func ExampleServerConfig() {
	text, err := mtasts.ServerConfig(mtasts.Caddy, resolve.MustName("example.org"))
	fmt.Println(err)
	fmt.Print(text)
	// Output:
	// <nil>
	// # The policy is the file /var/www/mta-sts/.well-known/mta-sts.txt
	// mta-sts.example.org {
	// 	handle /.well-known/mta-sts.txt {
	// 		root * /var/www/mta-sts
	// 		header Content-Type "text/plain; charset=utf-8"
	// 		file_server
	// 	}
	// 	# Senders follow no redirect, so nothing else is answered.
	// 	handle {
	// 		respond 404
	// 	}
	// }
}
