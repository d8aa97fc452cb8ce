package flatten_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf/flatten"
)

var providers = zonetest.MustParse(`
example.org.      3600 IN TXT "v=spf1 include:_spf.example.com -all"
_spf.example.com. 3600 IN TXT "v=spf1 include:_a.example.com include:_b.example.com ~all"
_a.example.com.   3600 IN TXT "v=spf1 ip4:192.0.2.0/25 -all"
_b.example.com.   3600 IN TXT "v=spf1 ip4:192.0.2.128/25 exists:%{i}._spf.example.com -all"
`)

// The records to publish for one include, proven to pass the same hosts.
func ExampleMake() {
	plan, err := flatten.Make(context.Background(), providers, resolve.MustName("example.org"),
		[]resolve.Name{resolve.MustName("_spf.example.com")},
		flatten.Options{Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range plan.Records {
		fmt.Println(r.Name, r.Text)
	}
	fmt.Println(plan.Domain, plan.New)
	fmt.Println("lookups:", plan.Before, "->", plan.After)
	// Output:
	// _spf-spf-example-com.example.org v=spf1 ip4:192.0.2.0/24 exists:%{i}._spf.example.com -all
	// example.org v=spf1 include:_spf-spf-example-com.example.org -all
	// lookups: 4 -> 2
}

// On a later day, the provider has moved.
func ExampleCompare() {
	ctx, domain := context.Background(), resolve.MustName("example.org")
	then := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	plan, _ := flatten.Make(ctx, providers, domain, []resolve.Name{resolve.MustName("_spf.example.com")}, flatten.Options{Now: then})

	name := resolve.MustName("_a.example.com")
	moved := providers.Replace(name, resolve.TypeTXT, []resolve.Record{{Data: resolve.SplitTXT("v=spf1 ip4:198.51.100.0/25 -all")}})
	for _, d := range flatten.Compare(ctx, moved, plan.Lock()) {
		fmt.Printf("%s: added %s, removed %s\n", d.Include, d.Added, d.Removed)
	}
	// Output: _spf.example.com: added 198.51.100.0/25, removed 192.0.2.0/25
}
