package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/export"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// fixExportOptions are the flags of "fix export".
type fixExportOptions struct {
	format string
	steps  []string
	all    bool
	origin string
	server string
	file   string
}

func newFixExport(s Streams) *cobra.Command {
	o := &fixExportOptions{}
	var list strings.Builder
	for _, f := range export.Formats() {
		fmt.Fprintf(&list, "\n  %-21s %s", f.ID, f.Title)
	}
	cmd := &cobra.Command{
		Use:   "export PLAN",
		Short: "Write the records of a plan for a name server, DNS tool or panel",
		Long: `Write the records of a plan in the form that a name server, DNS tool or hosting
panel takes. Record sets are whole: records of the same name and type that stay are
in it. Steps behind a gate are left out; --step chooses steps, --all takes them all.

Formats:` + list.String() + `

Prove the result as after 'fix apply': mailcheck fix verify PLAN.

Exit status: 0 written; 3 wrong usage, or the format cannot hold a record.`,
		Example: `  mailcheck fix export plan.json --format nsupdate --dns-server 192.0.2.53 | nsupdate -k update.key
  mailcheck fix export plan.json --format panel --step dkim-1
  mailcheck fix export plan.json --format terraform-cloudflare --output-file mail.tf`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.format, "format", "bind", "`format` to write, one of those above")
	fs.StringSliceVar(&o.steps, "step", nil, "export only the step with this `ID`, repeatable")
	fs.BoolVar(&o.all, "all", false, "export steps behind a gate too")
	fs.StringVar(&o.origin, "origin", "", "apex of the `zone` that the names are in (default: the plan's domain)")
	fs.StringVar(&o.server, "dns-server", "", "primary `server` to name in a script for nsupdate")
	fs.StringVar(&o.file, "output-file", "", "write to this `file` instead of standard output")
	return cmd
}

func (o *fixExportOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if len(args) != 1 {
		return usage("mailcheck fix export plan.json --format bind", "'%s' takes one plan", cmd.CommandPath())
	}
	if err := oneOf(cmd, "format", o.format, exportFormats()...); err != nil {
		return err
	}
	switch {
	case o.all && len(o.steps) > 0:
		return usage("give one of them", "--all and --step exclude each other")
	case o.server != "" && o.format != "nsupdate":
		return usage("give --format nsupdate", "--dns-server is for a script")
	}
	p, err := loadPlan(s, args[0])
	if err != nil {
		return err
	}
	zone := p.Domain
	if o.origin != "" {
		if zone, err = parseDomain(o.origin, "--origin"); err != nil {
			return err
		}
	}
	for _, id := range o.steps {
		i := slices.IndexFunc(p.Steps, func(x fix.Step) bool { return x.ID == id })
		switch {
		case i < 0:
			return usage("the IDs stand in brackets: mailcheck fix show "+args[0], "the plan has no step %q", id)
		case p.Steps[i].Change == nil:
			return usage("mailcheck fix show "+args[0]+" says what to do", "step %s changes no record", id)
		}
	}
	chosen, gated := o.choose(p)
	var changes []fix.Change
	for _, x := range chosen {
		changes = append(changes, *x.Change)
	}
	var doc bytes.Buffer
	if err := export.Write(&doc, o.format, changes, export.Options{Zone: zone, Server: o.server}); err != nil {
		return exportError(err, zone)
	}
	out, err := openOutput(s.Out, o.file)
	if err != nil {
		return err
	}
	defer out.abandon()
	if _, err := out.Write(doc.Bytes()); err != nil {
		return writeError(err)
	}
	if err := out.commit(); err != nil {
		return err
	}
	o.remarks(s, chosen, gated)
	return nil
}

func exportFormats() []string {
	var out []string
	for _, f := range export.Formats() {
		out = append(out, f.ID)
	}
	return out
}

func exportError(err error, zone resolve.Name) error {
	e := &Error{Code: ExitUsage, Err: err}
	switch {
	case errors.Is(err, export.ErrZone):
		e.Hint = "export what is in another zone by itself: --step ID --origin ZONE"
		if parent := zone.Parent(); parent.NumLabels() > 1 {
			e.Hint += ", or name the apex: --origin " + parent.String()
		}
	case errors.Is(err, export.ErrForm):
		e.Hint = "take another --format, or leave the step out with --step"
	case errors.Is(err, export.ErrChange):
		e.Hint = "export single steps with --step"
	}
	return e
}

// choose gives the steps to export, and those that a gate holds back.
func (o *fixExportOptions) choose(p *fix.Plan) (chosen []fix.Step, gated []string) {
	for _, x := range p.Steps {
		switch {
		case x.Change == nil, len(o.steps) > 0 && !slices.Contains(o.steps, x.ID):
		case x.Gate != nil && !o.all && len(o.steps) == 0:
			gated = append(gated, x.ID)
		default:
			chosen = append(chosen, x)
		}
	}
	return chosen, gated
}

// remarks says what a file of records cannot say.
func (o *fixExportOptions) remarks(s Streams, chosen []fix.Step, gated []string) {
	say := func(format string, args ...any) {
		fmt.Fprintf(s.Err, "mailcheck: %s\n", safe.Text(fmt.Sprintf(format, args...)))
	}
	if len(chosen) == 0 {
		say("no record is to be changed")
	}
	if len(gated) > 0 {
		say("left out, as a gate holds them: %s", strings.Join(gated, ", "))
	}
	for _, x := range chosen {
		for _, d := range x.Depends {
			i := slices.IndexFunc(chosen, func(y fix.Step) bool { return y.ID == d })
			if i < 0 {
				continue
			}
			wait := "has taken effect"
			if w := time.Duration(chosen[i].Wait); w > 0 {
				wait += ", " + waitWords(w) + " after it"
			}
			say("warning: %s is for after %s %s; export them one after the other with --step", x.ID, d, wait)
		}
		if x.Confirm != "" {
			say("warning: %s: %s", x.ID, x.Confirm)
		}
		if x.Gate != nil {
			say("warning: %s is not for before %s: %s", x.ID, x.Gate.NotBefore.Format(time.DateOnly), x.Gate.Condition)
		}
	}
}

// waitWords is a time to wait in the largest unit that it is a whole number of.
func waitWords(d time.Duration) string {
	for _, u := range []struct {
		one   time.Duration
		words [2]string
	}{{24 * time.Hour, [2]string{"day", "days"}}, {time.Hour, [2]string{"hour", "hours"}}, {time.Minute, [2]string{"minute", "minutes"}}, {time.Second, [2]string{"second", "seconds"}}} {
		if d >= u.one && d%u.one == 0 {
			return plural(int(d/u.one), u.words[0], u.words[1])
		}
	}
	return d.String()
}
