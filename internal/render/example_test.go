package render_test

import (
	"os"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func ExampleNew() {
	p, err := render.New("text", os.Stdout, render.Options{Quiet: true})
	if err != nil {
		panic(err)
	}
	defer p.End()
	p.Report(audit.Report{
		Domain: resolve.MustName("example.org"),
		Kind:   facts.Sends,
		Rules:  []audit.RuleResult{{ID: "SPF001", Outcome: audit.Pass}, {ID: "MX001", Outcome: audit.Unknown, Reason: "no answer in time"}},
	})
	// Output:
	// example.org (sends): NOT FULLY CHECKED - 1 passed, 1 unknown
	//   not checked: no answer in time (1 rule)
}
