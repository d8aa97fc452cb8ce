package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/apply"
	"github.com/mailcheck-go/mailcheck/internal/render"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve/client"
)

// fixApplyOptions are the flags of "fix apply" and "fix undo".
type fixApplyOptions struct {
	providerFlags
	serverFlags
	clock
	steps   []string
	confirm []string
	yes     bool
	undo    string
	format  string
	color   string
}

// serverFlags say how the name servers of the zone are found.
type serverFlags struct {
	resolvers []string
	port      uint16
	timeout   time.Duration
}

func (f *serverFlags) add(cmd *cobra.Command, timeout time.Duration, what string) {
	fs := cmd.Flags()
	fs.StringArrayVar(&f.resolvers, "resolver", nil, "DNS `server` by which the zone's own servers are found, repeatable (default: the system's)")
	fs.Uint16Var(&f.port, "authoritative-port", 0, "`port` of the zone's own servers (default 53)")
	fs.DurationVar(&f.timeout, "timeout", timeout, what)
}

func (f *serverFlags) open() (*client.Client, error) {
	c, err := client.New(client.Options{Servers: f.resolvers, AuthoritativePort: f.port})
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: err, Hint: "name a DNS server with --resolver"}
	}
	return c, nil
}

func newFixApply(s Streams) *cobra.Command {
	o := &fixApplyOptions{}
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Carry out a plan that was reviewed",
		Long: `Carry out a plan: each change is made only if every authoritative name server still
has the records that the plan was made for. Steps for a person and steps behind a
gate are left; --step chooses steps, a gated one too.

Before the first change the way back is saved, as a plan that 'fix undo' takes.
The plan is confirmed on a terminal, or by --yes; steps that have cost mail
elsewhere need a word of their own: their ID with --confirm.

Exit status: 0 applied, or there already; 2 a name server did not tell what it has;
3 wrong usage; 4 the zone is not what the plan was made for, or a change failed.`,
		Example: `  mailcheck fix apply plan.json --dns-server 192.0.2.53 --tsig-key update.key
  mailcheck fix apply plan.json --provider cloudflare --yes
  mailcheck fix apply plan.json --exec ./my-dns --step stage-1 --confirm stage-1`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args, false) },
	}
	o.flags(cmd)
	return cmd
}

func newFixUndo(s Streams) *cobra.Command {
	o := &fixApplyOptions{}
	cmd := &cobra.Command{
		Use:   "undo FILE",
		Short: "Take back what 'fix apply' did",
		Long: `Take back what 'fix apply' did, last step first. FILE is what apply saved. A record
set that is not as apply left it is not touched, and the rest is not either.

Exit status: as that of 'fix apply'.`,
		Example: `  mailcheck fix undo example.org-20261123T120000Z.undo.json --dns-server 192.0.2.53 --tsig-key update.key`,
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args, true) },
	}
	o.flags(cmd)
	return cmd
}

func (o *fixApplyOptions) flags(cmd *cobra.Command) {
	o.providerFlags.add(cmd)
	o.serverFlags.add(cmd, 2*time.Minute, "time for all of it")
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringSliceVar(&o.steps, "step", nil, "apply only the step with this `ID`, repeatable")
	fs.StringSliceVar(&o.confirm, "confirm", nil, "confirm the step with this `ID`, repeatable")
	fs.BoolVar(&o.yes, "yes", false, "confirm this plan")
	fs.StringVar(&o.undo, "undo", "", "`file` for the way back (default: DOMAIN-TIME.undo.json here)")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	fs.StringVar(&o.color, "color", "auto", "colour the text: auto, always or never")
}

// fixApplyView is the document of schema mailcheck.fix-apply/1.
type fixApplyView struct {
	Schema string             `json:"schema"`
	Domain string             `json:"domain"`
	Steps  []apply.StepResult `json:"steps"`
	Undo   nullable           `json:"undo"` // file; null if nothing was changed
	Error  nullable           `json:"error"`
}

func (o *fixApplyOptions) run(cmd *cobra.Command, s Streams, args []string, undo bool) error {
	p, now, err := o.check(cmd, s, args)
	if err != nil {
		return err
	}
	if o.undo != "" {
		if _, err := os.Lstat(o.undo); err == nil {
			return usage("name a new file, or leave --undo out", "--undo %s: the file exists, and a way back is not overwritten", o.undo)
		}
	}
	if undo && p.UndoOf.IsZero() {
		return usage("mailcheck fix apply carries out a plan", "%s is a plan, and not the way back from one", args[0])
	}
	prov, err := o.providerFlags.open(s)
	if err != nil {
		return err
	}
	c, err := o.serverFlags.open()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := o.agree(s, p, args[0]); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), o.timeout)
	defer cancel()
	saved := ""
	res, err := apply.Run(ctx, p, apply.Options{
		Servers: c, Provider: prov, Steps: o.steps, Now: now,
		Undo: func(u *fix.Plan) error {
			if saved != "" {
				return writePlan(saved, u) // with one step more
			}
			var err error
			saved, err = o.saveUndo(u, now())
			return err
		},
		Progress: func(r apply.StepResult) {
			if s.ErrTTY && r.Outcome != apply.NotDone && r.Outcome != apply.Left {
				fmt.Fprintf(s.Err, "mailcheck: %s: %s\n", safe.Text(r.ID), r.Outcome)
			}
		},
	})
	if stopped := interrupted(cmd); stopped != nil && err == nil {
		err = stopped
	}
	return o.print(s, p, res, saved, err)
}

func (o *fixApplyOptions) check(cmd *cobra.Command, s Streams, args []string) (*fix.Plan, func() time.Time, error) {
	if len(args) != 1 {
		return nil, nil, usage(cmd.CommandPath()+" plan.json", "'%s' takes one plan", cmd.CommandPath())
	}
	for _, e := range []error{oneOf(cmd, "output", o.format, "text", "json"), oneOf(cmd, "color", o.color, "auto", "always", "never")} {
		if e != nil {
			return nil, nil, e
		}
	}
	if o.timeout <= 0 {
		return nil, nil, usage("for example --timeout 2m", "--timeout must be positive")
	}
	now, err := o.now()
	if err != nil {
		return nil, nil, err
	}
	p, err := loadPlan(s, args[0])
	if err != nil {
		return nil, nil, err
	}
	for _, id := range slices.Concat(o.steps, o.confirm) {
		if !slices.ContainsFunc(p.Steps, func(x fix.Step) bool { return x.ID == id }) {
			return nil, nil, usage("the IDs stand in brackets: mailcheck fix show "+args[0], "the plan has no step %q", id)
		}
	}
	return p, now, nil
}

func loadPlan(s Streams, path string) (*fix.Plan, error) {
	text, err := readPlan(s, path)
	if err != nil {
		return nil, err
	}
	p, err := fix.DecodePlan(text)
	if err != nil {
		return nil, &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", path, err), Hint: "mailcheck fix plan DOMAIN --out plan.json makes one"}
	}
	return p, nil
}

// agree has a person agree to the plan and to each step that wants it.
func (o *fixApplyOptions) agree(s Streams, p *fix.Plan, path string) error {
	ask := s.InTTY && s.ErrTTY && path != "-"
	in := newAnswers(s.In)
	n := 0
	for _, x := range p.Steps {
		if x.Change == nil || !(len(o.steps) == 0 && x.Gate == nil || slices.Contains(o.steps, x.ID)) {
			continue
		}
		n++
		if x.Confirm == "" || slices.Contains(o.confirm, x.ID) {
			continue
		}
		if !ask {
			return usage("read the step, then give --confirm "+x.ID, "step %s needs a confirmation of its own: %s", x.ID, x.Confirm)
		}
		fmt.Fprintf(s.Err, "Step %s: %s.\nType %s to confirm: ", safe.Text(x.ID), safe.Text(x.Confirm), safe.Text(x.ID))
		if got, err := in.next(); err != nil || got != x.ID {
			return usage("nothing was changed", "step %s was not confirmed", x.ID)
		}
	}
	if o.yes || n == 0 {
		return nil
	}
	if !ask {
		return usage("review it, then give --yes", "the plan has not been confirmed")
	}
	if err := render.Plan(s.Err, "text", p, render.Options{Color: useColor(s, o.color) && s.ErrTTY, Width: textWidth(s.Width)}); err != nil {
		return err
	}
	fmt.Fprintf(s.Err, "\nApply %s to %s? Type yes: ", plural(n, "change", "changes"), p.Domain)
	if got, err := in.next(); err != nil || !strings.EqualFold(got, "yes") {
		return usage("nothing was changed", "the plan was not confirmed")
	}
	return nil
}

// saveUndo writes the way back to a file that is not there yet: an earlier way
// back is the only one to what was before, and may be the file that is carried out
// now.
func (o *fixApplyOptions) saveUndo(u *fix.Plan, at time.Time) (string, error) {
	text, err := u.Encode()
	if err != nil {
		return "", err
	}
	stem := fmt.Sprintf("%s-%s", u.Domain, at.UTC().Format("20060102T150405Z"))
	for n := 1; ; n++ {
		file := o.undo
		switch {
		case file == "" && n == 1:
			file = stem + ".undo.json"
		case file == "":
			file = fmt.Sprintf("%s-%d.undo.json", stem, n)
		}
		err := createFile(file, text)
		if errors.Is(err, fs.ErrExist) && o.undo == "" && n < 100 {
			continue
		}
		return file, err
	}
}

// createFile writes a file that must not exist, and makes sure that it is on the
// disk.
func createFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path) // half a way back is none
	}
	return err
}

// writePlan replaces a file as a whole, and makes sure that it is on the disk: the
// change that it takes back comes right after.
func writePlan(path string, p *fix.Plan) error {
	text, err := p.Encode()
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".mailcheck-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err
}

func (o *fixApplyOptions) print(s Streams, p *fix.Plan, res *apply.Result, undo string, failed error) error {
	if res.Undo == nil && undo != "" {
		// Nothing was done after all: there is nothing to take back.
		if err := os.Remove(undo); err != nil {
			fmt.Fprintf(s.Err, "mailcheck: warning: %s\n", safe.Text(err.Error()))
		}
		undo = ""
	}
	v := fixApplyView{Schema: "mailcheck.fix-apply/1", Domain: p.Domain.String(), Steps: res.Steps, Undo: nullable(undo)}
	if failed != nil {
		v.Error = nullable(failed.Error())
	}
	if v.Steps == nil {
		v.Steps = []apply.StepResult{}
	}
	if o.format == "json" {
		if err := printJSON(s.Out, v); err != nil {
			return err
		}
	} else if err := v.text(s); err != nil {
		return err
	}
	return applyError(failed, p, undo)
}

func applyError(err error, p *fix.Plan, undo string) error {
	if err == nil {
		return nil
	}
	e := &Error{Code: ExitFailed, Err: err}
	switch {
	case errors.Is(err, apply.ErrStale):
		e.Hint = "make a new plan: mailcheck fix plan " + p.Domain.String()
	case errors.Is(err, apply.ErrUnknown):
		e.Code, e.Hint = ExitIncomplete, "try again when every name server answers"
	case errors.Is(err, apply.ErrAuth):
		e.Hint = "check the key or the token"
	case errors.Is(err, apply.ErrTemp):
		e.Hint = "apply the plan again: what is done is recognised"
	}
	if x, ok := errors.AsType[*Error](err); ok {
		e = x
	}
	if undo != "" && e.Hint == "" {
		e.Hint = "mailcheck fix undo " + undo + " takes back what was done"
	}
	return e
}

func (v fixApplyView) text(s Streams) error {
	p := newSheet(s)
	for _, x := range v.Steps {
		if x.Outcome == apply.Left {
			continue // nobody asked for it; -o json has it
		}
		p.hang("", string(x.Outcome), 10, x.Title+" ["+x.ID+"]")
		if x.Error == "" {
			continue
		}
		p.hang("", "", 10, x.Error)
		for _, n := range x.Servers {
			p.hang("", "", 12, n.Server+": "+n.Words())
		}
	}
	if v.Undo != "" {
		p.WriteByte('\n')
		p.para("The way back: mailcheck fix undo %s", v.Undo)
	}
	return p.flush(s.Out)
}
