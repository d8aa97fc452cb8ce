package planner_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

func ExampleBuild() {
	// A resolver of package resolve/client in a program.
	zone := zonetest.MustParse(`
example.org. SOA ns1.example.org. admin.example.org. 1 7200 3600 1209600 3600
example.org. MX 10 mail.example.org.
mail.example.org. A 192.0.2.25
example.org. TXT "v=spf1 mx mx -all"
_dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"
`)
	res, err := planner.Build(context.Background(), resolve.MustName("example.org"), planner.Options{Resolver: zone, Rules: rules.All()})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range res.Plan.Steps {
		if s.Gate == nil && s.Change != nil {
			fmt.Println(s.Title, s.Findings, s.Change.New)
		}
	}
	// Output:
	// correct the SPF record at example.org [SPF023] ["v=spf1 mx -all"]
	// publish the SPF record at mail.example.org [SPF028] ["v=spf1 a -all"]
}
