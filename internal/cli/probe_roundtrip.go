package cli

import (
	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/probe/receive"
)

type probeRoundtripOptions struct {
	resolverFlags
	sendFlags
	seed   seedFlags
	box    string
	format string
}

func newProbeRoundtrip(s Streams) *cobra.Command {
	o := &probeRoundtripOptions{}
	cmd := &cobra.Command{
		Use:   "roundtrip --from ADDRESS --to ADDRESS --seed MAILDIR|IMAP-URL",
		Short: "Send a probe, find it in the mailbox, and compare the receiver's verdict with ours",
		Long: `Send one probe as "probe send" does, look for it in the mailbox as "probe receive"
does, and compare what we and the receiver think of it. The exit status is for
monitors; run it at most once a minute for a domain.

Exit status: 0 it is in the inbox and passes, 1 it is spam, or fails, or bounced,
2 not there in time, void or not known, 3 wrong usage or a limit, 4 it could not be
sent.`,
		Example: `  mailcheck probe roundtrip --from probe@example.org --to seed@example.net --key s1.pem --selector s1 --seed imaps://seed@imap.example.net --seed-password-file secret
  mailcheck probe roundtrip --from probe@example.org --to seed@example.net --via mail.example.org --user probe --password-file p1 --seed ~/Maildir -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.resolverFlags.add(cmd)
	o.sendFlags.add(cmd)
	o.seed.add(cmd, "seed-")
	fs := cmd.Flags()
	fs.StringVar(&o.box, "seed", "", "`mailbox` of the recipient: a maildir or imaps://user@host")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

// roundtripView is the document of schema mailcheck.probe-roundtrip/1.
type roundtripView struct {
	Schema   string            `json:"schema"`
	Status   string            `json:"status"`
	Why      string            `json:"why"`
	Sent     *sendView         `json:"sent"`
	Received *receiveView      `json:"received"`
	Differs  []probeDifference `json:"differences"`
}

func (o *probeRoundtripOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if o.box == "" {
		return usage("for example --seed imaps://seed@imap.example.net --seed-password-file secret", "--seed is needed")
	}
	opt, err := o.options(cmd, s, false)
	if err != nil {
		return err
	}
	look, err := o.seed.look()
	if err != nil {
		return err
	}
	seed, done, err := o.seed.open(s, o.box, o.networkFlags.ca)
	if err != nil {
		return err
	}
	defer done()
	res, err := o.resolverFlags.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	o.prepare(cmd.Context(), res, &opt)
	r, err := receive.Roundtrip(cmd.Context(), o.message, opt, seed, look)
	if e := interrupted(cmd); e != nil {
		return e
	}
	if err != nil && r.Received == nil {
		return sendError(err)
	}
	if err != nil && !errSeed(err) {
		return &Error{Code: ExitIncomplete, Err: err}
	}
	v := &roundtripView{Schema: "mailcheck.probe-roundtrip/1", Status: string(r.Status), Why: safe.Text(r.Why), Sent: viewSend(r.Sent), Differs: viewProbeDifferences(r.Differs)}
	if r.Received != nil {
		v.Received = viewReceive(*r.Received, r.Verdicts, r.Differs)
	}
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		p := newSheet(s)
		p.field("Roundtrip", "%s: %s", v.Status, v.Why)
		v.Sent.text(p)
		if v.Received != nil {
			p.head("Received")
			v.Received.text(p)
		}
		err = p.flush(s.Out)
	}
	if err != nil {
		return err
	}
	return exit(statusExit(r.Status))
}
