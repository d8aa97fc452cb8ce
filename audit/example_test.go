package audit_test

import (
	"context"
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// A domain is audited by gathering its facts and running the table over them.
func ExampleRun() {
	resolver := zonetest.MustParse(`
example.org. 3600 IN MX 10 mail.example.org.
mail.example.org. 3600 IN A 192.0.2.25
example.org. 3600 IN TXT "v=spf1 ip4:192.0.2.25 +all"
_dmarc.example.org. 3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.org"
`)
	snapshot := facts.Gather(context.Background(), resolver, resolve.MustName("example.org"), facts.Options{})
	report := audit.Run(snapshot, rules.All(), audit.Options{Only: []string{"SPF"}})
	for _, f := range report.Findings {
		fmt.Println(f.Rule, f.Severity, f.Title)
	}
	// Output: SPF008 error The SPF record lets every host on the Internet pass
}
