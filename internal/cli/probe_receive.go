package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/probe/receive"
	"github.com/mailcheck-go/mailcheck/probe/token"
	"github.com/mailcheck-go/mailcheck/reports/mailbox"
)

// seedFlags say how to read the mailbox that probes go to.
type seedFlags struct {
	secretFlags
	insecure       bool
	inbox, junk    []string
	hosts, servIDs []string
	wait, interval time.Duration
}

func (f *seedFlags) add(cmd *cobra.Command, prefix string) {
	fs := cmd.Flags()
	f.secretFlags.add(fs, prefix, "the mailbox")
	fs.BoolVar(&f.insecure, "insecure", false, "log in without TLS if the server of an imap:// URL offers none")
	fs.StringSliceVar(&f.inbox, "inbox", nil, "`folder` that counts as the inbox, repeatable")
	fs.StringSliceVar(&f.junk, "junk", nil, "`folder` that holds spam, repeatable (default: the one marked \\Junk, or by its name)")
	fs.StringSliceVar(&f.hosts, "receiver-host", nil, "`host` or domain of the receiver, whose fields in the header are facts, repeatable")
	fs.StringSliceVar(&f.servIDs, "authserv-id", nil, "`identity` of the receiver in Authentication-Results, repeatable")
	fs.DurationVar(&f.wait, "wait", receive.DefaultWait, "time to wait for the mail; 0s looks once")
	fs.DurationVar(&f.interval, "interval", receive.DefaultInterval, "time between two looks")
}

// open makes a seed of a maildir or of a URL.
func (f *seedFlags) open(s Streams, arg, ca string) (receive.Seed, func(), error) {
	password, bearer, err := f.secretFlags.read(s)
	if err != nil {
		return nil, nil, err
	}
	if !isMailURL(arg) {
		seed, err := receive.NewMaildir(arg, receive.MaildirOptions{Inbox: f.inbox, Junk: f.junk})
		if err != nil {
			return nil, nil, usage("name a maildir, or imaps://user@host", "%w", err)
		}
		return seed, func() {}, nil
	}
	a, err := mailbox.ParseURL(arg)
	if err != nil {
		return nil, nil, usage("for example imaps://seed@imap.example.org --"+f.prefix+"password-file secret", "%w", err)
	}
	if password == nil && bearer == nil {
		return nil, nil, usage("give --"+f.prefix+"password-file, --"+f.prefix+"password-env, --"+f.prefix+"password-command or --"+f.prefix+"token-command", "no password for %s", a)
	}
	opt := mailbox.Options{Plain: f.insecure, Password: password, Token: bearer}
	if ca != "" {
		if opt.TLS, err = trust(ca); err != nil {
			return nil, nil, err
		}
	}
	seed := receive.NewIMAP(func(ctx context.Context) (mailbox.Mailbox, error) { return mailbox.Dial(ctx, a, opt) },
		receive.IMAPOptions{Inbox: f.inbox, Junk: f.junk})
	return seed, func() { seed.Close() }, nil
}

func (f *seedFlags) look() (receive.Options, error) {
	opt := receive.Options{Hosts: f.hosts, ServIDs: f.servIDs, Wait: f.wait, Interval: f.interval}
	switch {
	case f.wait < 0 || f.wait > receive.MaxWait:
		return opt, usage("for example --wait 10m", "--wait must not be negative, and be at most %v", receive.MaxWait)
	case f.interval < time.Second/10:
		return opt, usage("for example --interval 10s", "--interval must be at least 100ms")
	}
	if f.wait == 0 {
		opt.Wait = -1
	}
	return opt, nil
}

type probeReceiveOptions struct {
	resolverFlags
	seedFlags
	token, sent  string
	to, mailFrom string
	direct       bool
	ca, format   string
}

func newProbeReceive(s Streams) *cobra.Command {
	o := &probeReceiveOptions{}
	cmd := &cobra.Command{
		Use:   "receive MAILDIR|IMAP-URL|FILE|- --token TOKEN",
		Short: "Find a probe in a mailbox: where it landed, how long each hop took, what the receiver said",
		Long: `Look for the probe with the token in a maildir, in a mailbox on a server, or in one
saved mail, until it is there or --wait is over. Show the folder, the delay of each
hop, the receiver's own Authentication-Results and what its filter wrote, beside our
own verdict on the mail, with each difference explained.

A mail that a rule of the mailbox let through proves nothing on the mail of others:
its verdict is called void. Mails are neither marked nor moved.
Exit status: 0 it is in the inbox and passes, 1 it is spam, or fails, or bounced,
2 not there, void or not known, 3 wrong usage.`,
		Example: `  mailcheck probe receive ~/Maildir --token TOKEN
  mailcheck probe receive imaps://seed@imap.example.org --password-file secret --token TOKEN --wait 10m
  mailcheck probe receive saved.eml -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.resolverFlags.add(cmd)
	o.seedFlags.add(cmd, "")
	fs := cmd.Flags()
	fs.StringVar(&o.token, "token", "", "`token` of the probe (default for a saved mail: the one in it)")
	fs.StringVar(&o.sent, "sent", "", "`time` at which it was sent, as in 2026-11-30T12:00:00Z, for the delay")
	fs.StringVar(&o.to, "to", "", "`address` that it was sent to, to tell whether it was forwarded")
	fs.StringVar(&o.mailFrom, "mail-from", "", "`address` of its envelope, for the same")
	fs.BoolVar(&o.direct, "direct", false, "it was handed to an MX host by its author, so that any host in between forwarded it")
	fs.StringVar(&o.ca, "ca-file", "", "PEM `file` with the certificates to trust rather than the system's")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func (o *probeReceiveOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	if len(args) != 1 {
		return usage("for example mailcheck probe receive ~/Maildir --token TOKEN", "'%s' takes one mailbox or saved mail, not %d", cmd.CommandPath(), len(args))
	}
	opt, err := o.look()
	if err != nil {
		return err
	}
	opt.Token, opt.To, opt.MailFrom, opt.Direct = strings.ToLower(o.token), o.to, o.mailFrom, o.direct
	if o.sent != "" {
		if opt.SentAt, err = time.Parse(time.RFC3339, o.sent); err != nil {
			return usage("as in --sent 2026-11-30T12:00:00Z (RFC 3339)", "--sent: %q is no time", o.sent)
		}
	}
	if o.token != "" && !token.Valid(opt.Token) {
		return usage("the token is in what probe send printed", "--token: %.40q is no token", o.token)
	}
	res, err := o.resolverFlags.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	r, err := o.find(cmd, s, args[0], opt)
	if e := interrupted(cmd); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	return o.report(cmd, s, receiveRun{res, r})
}

// find takes the mail from wherever it is.
func (o *probeReceiveOptions) find(cmd *cobra.Command, s Streams, arg string, opt receive.Options) (receive.Result, error) {
	if info, err := os.Stat(arg); arg == "-" || !isMailURL(arg) && err == nil && info.Mode().IsRegular() {
		return readSaved(s, arg, opt)
	}
	if opt.Token == "" {
		return receive.Result{}, usage("the token is in what probe send printed", "--token is needed")
	}
	seed, done, err := o.seedFlags.open(s, arg, o.ca)
	if err != nil {
		return receive.Result{}, err
	}
	defer done()
	r, err := receive.Find(cmd.Context(), seed, opt)
	if err != nil {
		return r, &Error{Code: ExitIncomplete, Err: err}
	}
	return r, nil
}

// readSaved reads one mail.
func readSaved(s Streams, path string, opt receive.Options) (receive.Result, error) {
	in := io.NopCloser(s.In)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return receive.Result{}, usage("name a readable file", "%w", err)
		}
		in = f
	}
	defer in.Close()
	raw, err := io.ReadAll(io.LimitReader(in, receive.MaxMail+1))
	switch {
	case err != nil:
		return receive.Result{}, usage("name a readable file", "%w", err)
	case len(raw) > receive.MaxMail:
		return receive.Result{}, usage("a probe has some two thousand octets", "%s has more than %d octets: it is no probe", path, receive.MaxMail)
	}
	h := message.ParseHeader(raw, message.Options{})
	got := token.InHeader(&h)
	if got == "" || opt.Token != "" && opt.Token != got {
		return receive.Result{}, usage("mailcheck dkim verify and mailcheck dmarc eval take any mail", "%s is not the probe that was looked for", path)
	}
	opt.Token = got
	return receive.Read(receive.Mail{Raw: raw}, opt), nil
}

type receiveRun struct {
	res    *resolver
	result receive.Result
}

func (o *probeReceiveOptions) report(cmd *cobra.Command, s Streams, run receiveRun) error {
	r := run.result
	var v *judge.Verdicts
	var differs []receive.Difference
	if r.Outcome == receive.Arrived {
		own, err := r.Judge(cmd.Context(), run.res, nil)
		if e := interrupted(cmd); e != nil {
			return e
		}
		if err != nil {
			return &Error{Code: ExitIncomplete, Err: err}
		}
		v, differs = &own, r.Compare(own)
	}
	status, why := r.Status(v)
	view := viewReceive(r, v, differs)
	view.Schema, view.Status, view.Why = "mailcheck.probe-receive/1", string(status), safe.Text(why)
	var err error
	if o.format == "json" {
		err = printJSON(s.Out, view)
	} else {
		p := newSheet(s)
		p.field("Probe", "%s: %s", view.Status, view.Why)
		view.text(p)
		err = p.flush(s.Out)
	}
	if err != nil {
		return err
	}
	return exit(statusExit(status))
}

func statusExit(s receive.Status) int {
	switch s {
	case receive.Pass:
		return ExitOK
	case receive.Fail:
		return ExitFindings
	case receive.NotSent:
		return ExitFailed
	}
	return ExitIncomplete
}

// errSeed tells the error of a mailbox from those of sending.
func errSeed(err error) bool { return errors.Is(err, receive.ErrSeed) }
