package cli

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

//go:embed lab.zone
var labZone string

// labDomains are the sample domains and what they show.
var labDomains = []struct{ name, about string }{
	{"healthy.example", "a domain that does it right"},
	{"story.example", "years of good mail with SPF alone; now all is refused"},
	{"parked.example", "a name that neither sends nor receives, and says so"},
}

func newLab(s Streams) *cobra.Command {
	var format, color, listen string
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "See it work: audit three sample domains on an embedded name server",
		Long: `Start an authoritative name server on a loopback port, with three sample domains,
and audit them through it. Nothing leaves the machine and no rights are needed.
With --listen the server stays, so that other commands can be tried on it.`,
		Example: `  mailcheck lab
  mailcheck lab -o json
  mailcheck lab --listen 127.0.0.1:5300      then: mailcheck audit story.example --resolver 127.0.0.1:5300`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf(cmd, "output", format, render.Formats()...); err != nil {
				return err
			}
			if err := oneOf(cmd, "color", color, "auto", "always", "never"); err != nil {
				return err
			}
			return lab(cmd.Context(), s, format, useColor(s, color), listen)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "output `format`: "+strings.Join(render.Formats(), ", "))
	cmd.Flags().StringVar(&color, "color", "auto", "colour the text: auto, always or never")
	cmd.Flags().StringVar(&listen, "listen", "", "loopback `address` to keep the name server on until interrupted")
	return cmd
}

// lab serves the sample zone and audits its domains over real DNS messages.
func lab(ctx context.Context, s Streams, format string, color bool, listen string) error {
	zone, err := zonetest.Parse(labZone, zonetest.Options{World: true, File: "lab.zone"})
	if err != nil {
		return err
	}
	server, err := zonetest.Serve(zone, zonetest.ServerOptions{Addr: listen, Recursive: true})
	if err != nil {
		return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the name server of the lab does not start: %w", err), Hint: "choose another --listen address"}
	}
	defer server.Close()
	if listen != "" {
		fmt.Fprintf(s.Err, "serving %d names on %s; try: mailcheck audit story.example --resolver %s\n", len(zone.Names()), server.Addr(), server.Addr())
		<-ctx.Done()
		return nil
	}
	c, err := client.New(client.Options{Servers: []string{server.Addr()}})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := labReports(ctx, s, c, format, color); err != nil {
		return err
	}
	if format == "text" {
		_, err = fmt.Fprint(s.Out, labNext)
	}
	return err
}

const labNext = `
That was the lab. For a real domain, type:

  mailcheck audit example.org                 audit your own domain
  mailcheck audit example.org --selector s1   name the DKIM selector in use
  mailcheck explain DMARC001                  what a finding means
  mailcheck audit --help                      everything else
`

func labReports(ctx context.Context, s Streams, r resolve.Resolver, format string, color bool) error {
	printer, err := render.New(format, s.Out, render.Options{Color: color, Width: textWidth(s.Width), Version: version, FailOn: audit.Error, Rules: rules.All()})
	if err != nil {
		return err
	}
	if format == "text" {
		fmt.Fprintf(s.Out, "mailcheck lab: three sample domains, audited through a name server on loopback.\n")
	}
	if err := printer.Begin(); err != nil {
		return err
	}
	for _, d := range labDomains {
		if format == "text" {
			fmt.Fprintf(s.Out, "\n----- %s: %s\n\n", d.name, d.about)
		}
		snap := facts.Gather(ctx, r, resolve.MustName(d.name), facts.Options{Resolver: "the lab's name server"})
		if err := printer.Report(audit.Run(snap, rules.All(), audit.Options{Profiles: rules.Profiles()})); err != nil {
			return err
		}
	}
	return printer.End()
}
