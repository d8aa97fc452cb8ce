package cli

import (
	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcCheckOptions struct {
	lookupOptions
	reports bool
	denial  bool
}

func newDMARCCheck(s Streams) *cobra.Command {
	o := &dmarcCheckOptions{}
	cmd := &cobra.Command{
		Use:   "check DOMAIN",
		Short: "Find the policy that applies to a domain, and where it comes from",
		Long: `Find the DMARC policy that receivers apply to a domain at any depth: the tree walk
of RFC 9989 with every name asked, the organizational domain, and the same
question by RFC 7489.

Exit status: 0 a policy applies, 1 none applies or a record is faulty, 2 a failed
lookup leaves the policy open, 3 wrong usage. The names above a zone that is
given with --zone are asked of the network; with --offline they are unknown.`,
		Example: `  mailcheck dmarc check example.org
  mailcheck dmarc check a.b.shop.example.org -o json
  mailcheck dmarc check example.org --reports
  mailcheck dmarc check example.org --zone example.org.zone --offline`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.reports, "reports", false, "also check whether reports can arrive at the addresses of rua and ruf")
	cmd.Flags().BoolVar(&o.denial, "denial", false, "also find out whether names that do not exist look as if they did (RFC 9824)")
	return cmd
}

func (o *dmarcCheckOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := oneDomain(cmd, args)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	d := dmarc.Discover(ctx, res, domain, dmarc.Options{Denial: o.denial})
	var dest []dmarc.Destination
	if o.reports {
		dest = dmarc.CheckDestinations(ctx, res, d)
	}
	if err := interrupted(cmd); err != nil {
		return err
	}
	v := viewCheck(d, dest, o.reports)
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s, d, o)
	}
	if err != nil {
		return err
	}
	return exit(checkStatus(d, dest))
}

// checkStatus is the exit status: a finding outweighs an unknown.
func checkStatus(d dmarc.Discovery, dest []dmarc.Destination) int {
	status := ExitOK
	raise := func(s int) {
		if status != ExitFindings {
			status = s
		}
	}
	for _, a := range []dmarc.Applied{d.Policy, d.Legacy} {
		if a.State == resolve.Unavailable {
			raise(ExitIncomplete)
		}
	}
	if d.Policy.State == resolve.Absent || d.Policy.Effect.Off {
		raise(ExitFindings)
	}
	for _, p := range d.Policy.Record.Problems {
		if errorWeight(d.Policy.Record, p) {
			raise(ExitFindings)
		}
	}
	if own := ownStep(d); own != nil && !own.Usable {
		for _, s := range d.Steps {
			if s.Several != nil {
				raise(ExitFindings)
			}
		}
		for _, m := range own.Misses {
			if likelyMistake(m.Class) {
				raise(ExitFindings)
			}
		}
	}
	for _, x := range dest {
		switch {
		case x.Authorized == resolve.Absent, x.URI.Scheme == "mailto" && x.Receives == resolve.Absent:
			raise(ExitFindings)
		case x.Authorized == resolve.Unavailable, x.URI.Scheme == "mailto" && x.Receives == resolve.Unavailable:
			raise(ExitIncomplete)
		}
	}
	return status
}

// likelyMistake reports the classes of text that were meant as a DMARC record.
func likelyMistake(c dmarc.Class) bool {
	switch c {
	case dmarc.ClassCase, dmarc.ClassQuoted, dmarc.ClassLeading, dmarc.ClassTags:
		return true
	}
	return false
}

func ownStep(d dmarc.Discovery) *dmarc.Step {
	if len(d.Steps) == 0 {
		return nil
	}
	return &d.Steps[0]
}
