// Command plan works out how to repair a domain, tries the repair on the zone as it
// would be, and prints it. It writes nothing.
//
//	plan example.org dmarc@example.org
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

func run(ctx context.Context, w io.Writer, args []string, r resolve.Resolver) error {
	if len(args) != 2 {
		return errors.New("usage: plan DOMAIN REPORT-ADDRESS")
	}
	domain, err := resolve.ParseName(args[0])
	if err != nil {
		return err
	}
	result, err := planner.Build(ctx, domain, planner.Options{
		Resolver: r,
		Rules:    rules.All(),
		Answers:  planner.Answers{ReportTo: args[1]}, // what the records cannot tell
		Tool:     "example",
	})
	if errors.Is(err, planner.ErrUnknown) {
		return fmt.Errorf("DNS does not tell enough to plan with: %w", err)
	} else if err != nil {
		return err
	}

	var now []fix.Change
	for _, step := range result.Plan.Steps {
		switch {
		case step.Gate != nil: // the next stages of DMARC wait for reports
			fmt.Fprintf(w, "later %s: %s\n", step.ID, step.Title)
		case step.Change == nil:
			fmt.Fprintf(w, "you   %s: %s\n", step.ID, step.Title)
		default:
			fmt.Fprintf(w, "now   %s: %s\n", step.ID, step.Title)
			for _, line := range step.Change.Zone() {
				fmt.Fprintln(w, line) // in master file form: foreign octets are escaped
			}
			now = append(now, *step.Change)
		}
	}
	fmt.Fprintf(w, "findings: %d now, %d after\n", len(result.Plan.Before), len(result.Plan.After))

	// A dry run: any question can be asked of the zone as it would be.
	planned, err := fix.Planned(r, now)
	if err != nil {
		return err
	}
	d := dmarc.Discover(ctx, planned, domain, dmarc.Options{})
	fmt.Fprintf(w, "DMARC then: %q\n", d.Policy.Why)
	return nil
}

func main() {
	r, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	if err := run(context.Background(), os.Stdout, os.Args[1:], r); err != nil {
		log.Fatal(err)
	}
}
