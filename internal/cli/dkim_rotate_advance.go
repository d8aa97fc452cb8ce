package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/rotate"
)

type rotateAdvanceOptions struct {
	rotateOptions
	switched bool
	without  bool
	message  string
}

func newRotateAdvance(s Streams) *cobra.Command {
	o := &rotateAdvanceOptions{}
	cmd := &cobra.Command{
		Use:   "advance [DOMAIN]",
		Short: "Go to the next step, if what the step waits for has happened",
		Long: `Go to the next step of a rotation, if what the step waits for has happened. Say with
--switched that the signer uses the new selector, and give with --message a message
that was sent since: its signature proves it.

Exit status: 0 gone on, 1 not yet, 2 not known, 3 wrong usage, 4 the state could not
be written.`,
		Example: `  mailcheck dkim rotate advance example.org
  mailcheck dkim rotate advance example.org --switched
  mailcheck dkim rotate advance example.org --message sent.eml`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.BoolVar(&o.switched, "switched", false, "the signer uses the new selector now")
	fs.StringVar(&o.message, "message", "", "`file` with a message sent since the switch, - for standard input")
	fs.BoolVar(&o.without, "without-failed", false, "go on though a name server does not answer, if the others agree")
	return cmd
}

func (o *rotateAdvanceOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	x, domain, err := o.begin(cmd, s, args, false)
	if err != nil {
		return err
	}
	defer x.close()
	in := rotate.Input{Switched: o.switched, WithoutFailed: o.without}
	if o.message != "" {
		if in.Proofs, err = o.proofs(x, s); err != nil {
			return err
		}
	}
	before := x.state.Phase
	st, err := x.state.Advance(x.ctx, x.env, in)
	if e := interrupted(cmd); e != nil {
		return e
	}
	// What was reached before an error is kept.
	moved := x.state.Phase != before
	if moved {
		if err := x.save(false); err != nil {
			return err
		}
	}
	if err != nil {
		return rotateError(err, domain)
	}
	if err := o.show(cmd, s, x, viewRotation(x, st, moved, o.server), st); err != nil {
		return err
	}
	switch {
	case moved:
		return nil
	case st.Unknown:
		return exit(ExitIncomplete)
	}
	return exit(ExitFindings)
}

// proofs verifies the message.
func (o *rotateAdvanceOptions) proofs(x *rotating, s Streams) ([]rotate.Proof, error) {
	r := s.In
	if o.message != "-" {
		f, err := os.Open(o.message)
		if err != nil {
			return nil, usage("name the file of a message", "--message: %w", err)
		}
		defer f.Close()
		r = f
	}
	v, err := dkim.Verify(x.ctx, r, x.res, dkim.VerifyOptions{Now: x.env.Now})
	if err != nil {
		return nil, usage("name the file of a message", "--message: %w", err)
	}
	var out []rotate.Proof
	for _, sig := range v.Signatures {
		if sig.Status == dkim.TempError {
			return nil, &Error{Code: ExitIncomplete, Err: fmt.Errorf("the key of selector %+q could not be read: %s", sig.Selector, sig.Explanation), Hint: "try again later"}
		}
		out = append(out, rotate.Proof{Domain: sig.Domain, Selector: sig.Selector, Pass: sig.Status == dkim.Pass, SHA256: sig.Record.Key.SHA256})
	}
	if out == nil {
		// One that says nothing is still a message that was given.
		out = []rotate.Proof{{}}
	}
	return out, nil
}
