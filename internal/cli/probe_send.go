package cli

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

type probeSendOptions struct {
	resolverFlags
	sendFlags
	stopAt string
	dry    bool
	format string
}

func newProbeSend(s Streams) *cobra.Command {
	o := &probeSendOptions{}
	cmd := &cobra.Command{
		Use:   "send --from ADDRESS --to ADDRESS",
		Short: "Send one probe mail to one recipient, and show all that was said",
		Long: `Send one mail with a token to one recipient, and show the conversation with the
time of every step. It goes to the MX hosts of the recipient's domain, or with --via
to a submission server. With --key it is signed.

This is no tool for many mails: one recipient, one mail for each run, a minute between
two to one domain, and a fixed text that says who sent it and how to stop it. The
sender's domain has to be yours, which is proven by its DKIM key, by logging in at a
server, or by a TXT record with the hash of the secret in --proof-file.

--dry-run prints the mail and the plan, asks nothing of DNS and opens no socket.
Passwords come from the environment, a file or a command, and are never shown.
Exit status: 0 a host took the mail, 2 not known, 3 wrong usage or a limit, 4 it could
not be handed over.`,
		Example: `  mailcheck probe send --from probe@example.org --to postmaster@example.net --key s1.pem --selector s1 --dry-run
  mailcheck probe send --from probe@example.org --to me@gmail.com --key s1.pem --selector s1 --helo mail.example.org
  mailcheck probe send --from probe@example.org --to me@gmail.com --via mail.example.org --user probe --password-file secret
  mailcheck probe send --from probe@example.org --to me@gmail.com --via smtp.example.org:465 --user probe --token-command 'oauth-token' -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.resolverFlags.add(cmd)
	o.sendFlags.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.stopAt, "stop-at", "", "`step` to leave after, without a mail: rcpt, for a postmaster address or one of your own domain")
	fs.BoolVar(&o.dry, "dry-run", false, "print the mail and the plan, and open no socket")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func (o *probeSendOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if err := oneOf(cmd, "stop-at", o.stopAt, "", "rcpt"); err != nil {
		return err
	}
	opt, err := o.options(cmd, s, o.dry)
	if err != nil {
		return err
	}
	opt.StopAtRcpt = o.stopAt == "rcpt"
	if !o.dry {
		res, err := o.open(s)
		if err != nil {
			return err
		}
		defer res.close()
		o.prepare(cmd.Context(), res, &opt)
	}
	r, err := send.Send(cmd.Context(), o.message, opt)
	if e := interrupted(cmd); e != nil {
		return e
	}
	if err != nil {
		return sendError(err)
	}
	v := viewSend(r)
	v.Schema = "mailcheck.probe-send/1"
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		p := newSheet(s)
		v.text(p)
		if o.dry {
			v.plan(p)
		}
		err = p.flush(s.Out)
	}
	if err != nil {
		return err
	}
	return exit(sendExit(r.Outcome))
}

// sendView is the document of schema mailcheck.probe-send/1.
type sendView struct {
	Schema    string        `json:"schema,omitempty"`
	Outcome   string        `json:"outcome"`
	Why       string        `json:"why"`
	Token     string        `json:"token"`
	MessageID string        `json:"message_id"`
	From      string        `json:"from"`
	MailFrom  string        `json:"mail_from"`
	To        string        `json:"to"`
	SMTPUTF8  bool          `json:"smtputf8"`
	Proof     nullable      `json:"proof"` // of the sender's domain: dkim-key, record or login
	Route     send.Route    `json:"route"`
	Commands  []string      `json:"commands"`
	Message   string        `json:"message"`
	Attempts  []sendAttempt `json:"attempts"`
	At        string        `json:"at"`
	SentAt    nullable      `json:"sent_at"`
	ElapsedMS int64         `json:"elapsed_ms"`
}

type sendAttempt struct {
	Host        string           `json:"host"`
	Address     string           `json:"address"`
	TLS         nullable         `json:"tls"`         // version and cipher, null without
	Certificate nullable         `json:"certificate"` // good, bad or unknown
	Problems    []string         `json:"certificate_problems"`
	Mechanism   nullable         `json:"auth"`
	Reply       *smtp.Reply      `json:"reply"`
	Left        []string         `json:"left"` // extensions asked for and not offered
	Failure     *failureView     `json:"failure"`
	Odd         []string         `json:"observations"`
	Timing      send.Timing      `json:"timing"`
	Transcript  []smtp.Entry     `json:"transcript"`
	Dropped     int              `json:"transcript_dropped"`
	lines       []transcriptLine // for the text
}

type transcriptLine struct{ at, mark, text string }

type failureView struct {
	Step   string `json:"step"`
	Cause  string `json:"cause"`
	Detail string `json:"detail"`
}

func viewSend(r send.Result) *sendView {
	v := &sendView{
		Outcome: string(r.Outcome), Why: safe.Text(r.Why), Token: r.Token, MessageID: r.MessageID, From: safe.Text(r.From),
		MailFrom: safe.Text(r.MailFrom), To: safe.Text(r.To), SMTPUTF8: r.SMTPUTF8, Proof: nullable(r.Owner), Route: r.Route,
		Commands: shown(r.Commands), Message: string(r.Message), Attempts: []sendAttempt{},
		At: r.At.Format(time.RFC3339), SentAt: timeOrNull(r.SentAt), ElapsedMS: r.ElapsedMS,
	}
	if v.Route.Hosts == nil {
		v.Route.Hosts = []send.RouteHost{}
	}
	for i := range v.Route.Hosts {
		if v.Route.Hosts[i].Addresses == nil {
			v.Route.Hosts[i].Addresses = []netip.Addr{}
		}
		v.Route.Hosts[i].Error = safe.Text(v.Route.Hosts[i].Error)
	}
	for _, a := range r.Attempts {
		v.Attempts = append(v.Attempts, viewSendAttempt(a))
	}
	return v
}

func viewSendAttempt(a send.Attempt) sendAttempt {
	x := sendAttempt{Host: a.Host, Mechanism: nullable(a.Mechanism), Reply: a.Reply, Left: append([]string{}, a.Left...), Odd: []string{},
		Timing: a.Timing, Transcript: append([]smtp.Entry{}, a.Transcript.Entries...), Dropped: a.Transcript.Dropped}
	if a.Address.IsValid() {
		x.Address = a.Address.String()
	}
	if a.TLS != nil && a.TLS.Established {
		x.TLS = nullable(a.TLS.Version + " " + a.TLS.Cipher)
	}
	x.Problems = []string{}
	if c := a.Certificate; c != nil {
		x.Certificate = nullable(c.OK().String())
		for _, k := range []cert.Check{c.Chain, c.Name, c.Time, c.Key} {
			if k.Problem != "" {
				x.Problems = append(x.Problems, string(k.Problem))
			}
		}
	}
	if f := a.Failure; f != nil {
		x.Failure = &failureView{string(f.Step), string(f.Cause), safe.Text(f.Detail)}
	}
	for _, o := range a.Observations {
		x.Odd = append(x.Odd, string(o.Kind))
	}
	for _, e := range a.Transcript.Entries {
		mark := map[smtp.Direction]string{smtp.Sent: ">", smtp.Received: "<", smtp.Note: "*"}[e.Direction]
		x.lines = append(x.lines, transcriptLine{fmt.Sprintf("%6d ms", e.AtMS), mark, string(e.Text)})
	}
	return x
}

func (v *sendView) text(p *sheet) {
	p.field("Probe", "%s: %s", v.Outcome, v.Why)
	p.field("From", "%s", v.From)
	if v.MailFrom != v.From {
		p.field("Envelope", "%s", v.MailFrom)
	}
	p.field("To", "%s", v.To)
	p.field("Token", "%s", v.Token)
	if v.Proof != "" {
		p.field("Proven by", "%s", v.Proof)
	}
	for _, a := range v.Attempts {
		p.head(safe.Text(strings.TrimSpace(a.Host + " " + a.Address)))
		if a.TLS != "" {
			why := ""
			if len(a.Problems) > 0 {
				why = ": " + strings.Join(a.Problems, ", ")
			}
			p.item("%s, certificate %s%s", a.TLS, dash(a.Certificate), why)
		}
		if a.Mechanism != "" {
			p.item("logged in by %s", a.Mechanism)
		}
		for _, l := range a.Left {
			p.item("not offered, so left out: %s", l)
		}
		for _, l := range a.Odd {
			p.item("odd: %s", l)
		}
		if a.Failure != nil {
			p.item("failed at %s: %s %s", a.Failure.Step, a.Failure.Cause, a.Failure.Detail)
		}
		for _, l := range a.lines {
			p.whole("  ", l.at+" "+l.mark+" "+l.text)
		}
		if a.Dropped > 0 {
			p.item("%d more lines are left out", a.Dropped)
		}
	}
}

// plan shows what a dry run would do.
func (v *sendView) plan(p *sheet) {
	p.head("Commands")
	for _, c := range v.Commands {
		p.whole("  ", c)
	}
	p.head("Mail")
	for l := range strings.SplitSeq(strings.TrimSuffix(v.Message, "\r\n"), "\r\n") {
		p.whole("  ", l)
	}
}
