package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/audit/mailrules"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/facts"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/probe/listen"
	"github.com/mailcheck-go/mailcheck/probe/smtp"
)

type probeListenOptions struct {
	resolverFlags
	domain, host, addr string
	cert, certKey      string
	noTLS              bool
	token              string
	wait               time.Duration
	save               string
	format, out        string
}

func newProbeListen(s Streams) *cobra.Command {
	o := &probeListenOptions{}
	cmd := &cobra.Command{
		Use:   "listen --domain DOMAIN",
		Short: "Take one mail at an address made for it, and say what a receiver makes of it",
		Long: `Listen for mail, print an address, wait for one mail to it, and print its SPF, DKIM,
ARC and DMARC verdicts with the envelope, the TLS of the connection and what is odd
about the mail. The address is printed on standard error, so that the report alone is
on standard output.

The MX record of the domain has to lead here, or the sender has to be told to come
here. Nothing is ever relayed, answered or bounced: only the one address is taken,
once, for as long as --wait says. Without --cert, STARTTLS is offered with a
certificate made for this run.

Port 25 needs rights. Give --addr another port and let a packet filter lead there, or
let systemd open it (socket activation, --addr fd:3).
Exit status: 0 the mail passes, 1 it fails, 2 no mail came or not all is known,
3 wrong usage.`,
		Example: `  mailcheck probe listen --domain probe.example.org
  mailcheck probe listen --domain probe.example.org --host mx.example.org --addr :2525 --wait 10m -o json
  mailcheck probe listen --domain probe.example.org -o html --output-file report.html`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.resolverFlags.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domain, "domain", "", "`domain` of the address")
	fs.StringVar(&o.host, "host", "", "`name` of this host, in the greeting (default: the domain)")
	fs.StringVar(&o.addr, "addr", ":25", "`address` to listen on, or fd:3 for a socket that systemd opened")
	fs.StringVar(&o.cert, "cert", "", "PEM `file` with the certificate for STARTTLS")
	fs.StringVar(&o.certKey, "cert-key", "", "PEM `file` with its key")
	fs.BoolVar(&o.noTLS, "no-tls", false, "do not offer STARTTLS")
	fs.StringVar(&o.token, "token", "", "`token` of the address (default: a new one)")
	fs.DurationVar(&o.wait, "wait", listen.DefaultLife, "time to wait for the mail")
	fs.StringVar(&o.save, "save", "", "`file` to write the mail to, with the fields that a receiver puts above it")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text, json or html")
	fs.StringVar(&o.out, "output-file", "", "`file` to write the report to")
	return cmd
}

// maxListenEvents bounds what strangers can make us write.
const maxListenEvents = 50

func (o *probeListenOptions) run(cmd *cobra.Command, s Streams) error {
	if err := oneOf(cmd, "output", o.format, "text", "json", "html"); err != nil {
		return err
	}
	if o.domain == "" {
		return usage("for example --domain probe.example.org", "--domain is needed")
	}
	if o.wait <= 0 || o.wait > 24*time.Hour {
		return usage("for example --wait 10m", "--wait must be positive, and at most a day")
	}
	mails := make(chan listen.Mail, 1)
	opt := listen.Options{Host: o.host, NoTLS: o.noTLS, Life: o.wait, Deliver: func(m listen.Mail) { mails <- m }, Event: listenLog(s)}
	var err error
	if opt.Domain, err = parseDomain(o.domain, "--domain"); err != nil {
		return err
	}
	if err := o.certificate(&opt); err != nil {
		return err
	}
	l, err := listen.New(opt)
	if err != nil {
		return usage("for example --host mx.example.org", "%w", err)
	}
	address, err := l.Issue(o.token)
	if err != nil {
		return usage("leave --token out, and one is made", "%w", err)
	}
	res, err := o.open(s)
	if err != nil {
		return err
	}
	defer res.close()
	out, err := openOutput(s.Out, o.out)
	if err != nil {
		return err
	}
	defer out.abandon()
	ln, err := openListener(o.addr)
	if err != nil {
		return &Error{Code: ExitUsage, Err: err, Hint: "for example --addr :2525; port 25 needs rights"}
	}
	fmt.Fprintf(s.Err, "mailcheck: listening on %s; send one mail to %s\n", safe.Text(ln.Addr().String()), address)
	m, err := o.take(cmd.Context(), l, ln, mails)
	if err != nil {
		if e := interrupted(cmd); e != nil {
			return e
		}
		return err
	}
	return o.report(cmd, out, listenRun{res: res, mail: m, width: s.Width})
}

// take serves until the mail is there or the time is over.
func (o *probeListenOptions) take(ctx context.Context, l *listen.Listener, ln net.Listener, mails <-chan listen.Mail) (listen.Mail, error) {
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, ln) }()
	select {
	case m := <-mails:
		// The sender gets its answer, and then the door is shut.
		grace := time.NewTimer(200 * time.Millisecond)
		defer grace.Stop()
		<-grace.C
		cancel()
		<-done
		return m, nil
	case <-ctx.Done():
		<-done
		return listen.Mail{}, &Error{Code: ExitIncomplete, Err: fmt.Errorf("no mail came within %v", o.wait), Hint: "does the MX record of the domain lead here, and is the port open?"}
	case err := <-done:
		return listen.Mail{}, &Error{Code: ExitIncomplete, Err: err}
	}
}

func (o *probeListenOptions) certificate(opt *listen.Options) error {
	switch {
	case o.cert == "" && o.certKey == "":
		return nil
	case o.cert == "" || o.certKey == "":
		return usage("give both, or none for one made for this run", "--cert and --cert-key belong together")
	case o.noTLS:
		return usage("drop one of the two", "--no-tls excludes --cert")
	}
	c, err := tls.LoadX509KeyPair(o.cert, o.certKey)
	if err != nil {
		return usage("name files in PEM form that belong together", "--cert: %w", err)
	}
	opt.Certificate = &c
	return nil
}

// openListener opens a port, or takes the socket of systemd (sd_listen_fds(3)).
func openListener(addr string) (net.Listener, error) {
	if addr != "fd:3" {
		return net.Listen("tcp", addr)
	}
	f := os.NewFile(3, "socket")
	if f == nil {
		return nil, errors.New("there is no socket at descriptor 3")
	}
	defer f.Close() // FileListener has a copy
	return net.FileListener(f)
}

// listenLog tells on standard error what was refused.
func listenLog(s Streams) func(listen.Event) {
	var mu sync.Mutex
	n := 0
	return func(e listen.Event) {
		mu.Lock()
		defer mu.Unlock()
		if n++; n > maxListenEvents {
			return
		}
		text := ""
		if e.Text != "" {
			text = ": " + safe.Limit(e.Text, 100)
		}
		fmt.Fprintf(s.Err, "mailcheck: refused: %s from %s%s\n", e.Kind, e.Peer.Addr(), text)
		if n == maxListenEvents {
			fmt.Fprintln(s.Err, "mailcheck: more refusals are not shown")
		}
	}
}

type listenRun struct {
	res   *resolver
	mail  listen.Mail
	width int
}

// report judges the mail and writes what came to it.
func (o *probeListenOptions) report(cmd *cobra.Command, out *output, r listenRun) error {
	m := r.mail
	if o.save != "" {
		if err := os.WriteFile(o.save, m.WithTrace(), 0o600); err != nil {
			return usage("name a file that can be written to", "--save: %w", err)
		}
	}
	v, err := judge.Mail(cmd.Context(), r.res, judge.Input{Raw: m.Raw, IP: m.Peer.Addr(), Helo: m.Envelope.Helo, MailFrom: m.Envelope.MailFrom})
	if err != nil {
		if e := interrupted(cmd); e != nil {
			return e
		}
		return &Error{Code: ExitIncomplete, Err: err}
	}
	view := viewListen(m, v)
	view.audit(cmd.Context(), r.res, m)
	switch o.format {
	case "json":
		err = printJSON(out, view)
	case "html":
		err = view.html(out)
	default:
		err = view.text(out, r.width)
	}
	if err == nil {
		err = out.commit()
	}
	if err != nil {
		return err
	}
	return exit(verdictExit(v))
}

// listenView is the document of schema mailcheck.probe-listen/1.
type listenView struct {
	Schema     string          `json:"schema"`
	Token      string          `json:"token"`
	At         string          `json:"at"`
	Peer       string          `json:"peer"`
	Envelope   listen.Envelope `json:"envelope"`
	TLS        *listen.TLS     `json:"tls"`
	Size       int             `json:"size"`
	From       []string        `json:"from"` // domains of the author
	Subject    string          `json:"subject"`
	Verdicts   *verdictsView   `json:"verdicts"`
	Findings   []defectView    `json:"findings"` // of 'audit message'
	Unknown    []string        `json:"unknown"`  // rules that could not decide
	Missing    []string        `json:"missing_fields"`
	Repeated   []string        `json:"repeated_fields"`
	OneClick   bool            `json:"one_click_unsubscribe"`
	Unsub      bool            `json:"unsubscribe_fields"`
	Header     []headerView    `json:"header"`
	MoreFields int             `json:"more_fields"` // of the header, above the limit of this report
}

// defectView is a finding in short.
type defectView struct {
	Severity string `json:"severity"`
	Rule     string `json:"rule"`
	Title    string `json:"title"`
	Message  string `json:"message"`
	Remedy   string `json:"remedy"`
}

type headerView struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// maxShownFields bounds the report; a mail has some twenty.
const maxShownFields = 200

// audit runs the rules of 'audit message' on the mail as it was received.
func (v *listenView) audit(ctx context.Context, res *resolver, m listen.Mail) {
	f := mail.Gather(ctx, res.Resolver, message.Parse(m.WithTrace(), message.Options{}), mail.Options{Name: "the mail", IP: m.Peer.Addr(), Helo: m.Envelope.Helo,
		MailFrom: cmp.Or(m.Envelope.MailFrom, "<>"), Resolver: res.about, Now: func() time.Time { return m.At }})
	rep := audit.RunMail(f, mailrules.All(), audit.Options{})
	v.Findings, v.Unknown = []defectView{}, []string{}
	for _, x := range rep.Findings {
		d := defectView{x.Severity.String(), string(x.Rule), safe.Text(x.Title), safe.Text(x.Message), ""}
		if x.Fix != nil {
			d.Remedy = safe.Text(x.Fix.Text)
		}
		v.Findings = append(v.Findings, d)
	}
	for _, x := range rep.Rules {
		if x.Outcome == audit.Unknown {
			v.Unknown = append(v.Unknown, safe.Text(string(x.ID)+": "+x.Reason))
		}
	}
}

func viewListen(m listen.Mail, v judge.Verdicts) *listenView {
	msg := message.Parse(m.Raw, message.Options{})
	f := facts.Read(msg, m.At)
	out := &listenView{
		Schema: "mailcheck.probe-listen/1", Token: m.Token, At: m.At.Format(time.RFC3339), Peer: m.Peer.String(), Envelope: m.Envelope, TLS: m.TLS,
		Size: len(m.Raw), From: []string{}, Subject: safe.Text(f.Subject), Verdicts: viewVerdicts(v), Missing: append([]string{}, f.Missing...),
		Repeated: []string{}, OneClick: f.Unsubscribe.OneClick, Unsub: f.Unsubscribe.Fields > 0, Header: []headerView{},
	}
	e := &out.Envelope
	e.Helo, e.MailFrom, e.RcptTo, e.EnvelopeID, e.OriginalRecipient = safe.Text(e.Helo), safe.Text(e.MailFrom), safe.Text(e.RcptTo), safe.Text(e.EnvelopeID), safe.Text(e.OriginalRecipient)
	if smtp.CheckName(m.Envelope.Helo) != nil {
		out.Missing = append(out.Missing, "a name in EHLO that is one")
	}
	for _, d := range v.Author.Domains {
		out.From = append(out.From, d.String())
	}
	for _, r := range f.Repeated {
		out.Repeated = append(out.Repeated, safe.Text(r.Name))
	}
	for i, h := range msg.Header.Fields {
		if i == maxShownFields {
			out.MoreFields = len(msg.Header.Fields) - i
			break
		}
		out.Header = append(out.Header, headerView{safe.Limit(h.Name, 80), safe.Limit(h.Value, 500)})
	}
	return out
}
