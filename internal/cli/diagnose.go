package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/audit/rules"
	"github.com/mailcheck-go/mailcheck/diagnose"
	"github.com/mailcheck-go/mailcheck/diagnose/remedy"
	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/dsn"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// diagnoseOptions are the flags of "diagnose".
type diagnoseOptions struct {
	lookupOptions
	clock
	domain    string
	ip        string
	selectors []string
	code      string
	operator  string
	log       bool
	noAudit   bool
}

func newDiagnose(s Streams) *cobra.Command {
	o := &diagnoseOptions{}
	cmd := &cobra.Command{
		Use:   "diagnose TEXT|FILE|-",
		Short: "From a reply, a bounce or a mail log to the cause and one fix",
		Long: `Tell why mail was refused, delayed or lost: from a reply line, a bounce, a line of a
mail log or a whole log (plain or gzip, of any size). Then the domain and the
address that the reply names are audited as they are now, and what the reply says
becomes one concrete fix.

The records of the sender do not always matter: a full mailbox is the recipient's
affair, and what nothing was said about stays unknown.

Exit status: 0 nothing of yours is to be mended; 1 there is; 2 the cause, or what the
records say of it, is unknown; 3 wrong usage.`,
		Example: `  mailcheck diagnose '550-5.7.26 This mail has been blocked because the sender is unauthenticated ...'
  mailcheck diagnose bounce.eml --domain example.org
  mailcheck diagnose /var/log/mail.log
  journalctl -u postfix | mailcheck diagnose - --log
  mailcheck diagnose --explain-code 5.7.26 --operator gmail`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.lookupOptions.add(cmd)
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domain, "domain", "", "`domain` that sent the mail, when the text does not name it")
	fs.StringVar(&o.ip, "ip", "", "`address` that sent the mail, when the text does not name it")
	fs.StringSliceVar(&o.selectors, "selector", nil, "DKIM `selector` in use, repeatable")
	fs.StringVar(&o.code, "explain-code", "", "tell what a `code` can mean, such as 5.7.26 or 550")
	fs.StringVar(&o.operator, "operator", "", "the `receiver` whose code it is, such as gmail")
	fs.BoolVar(&o.log, "log", false, "the input is a mail log")
	fs.BoolVar(&o.noAudit, "no-audit", false, "ask no DNS: tell the cause only")
	return cmd
}

// diagnoseView is the document of schema mailcheck.diagnose/1.
type diagnoseView struct {
	Schema  string            `json:"schema"`
	Input   string            `json:"input"`          // reply, line, bounce, mail or log
	Kind    string            `json:"kind,omitempty"` // of a mail: failed, delayed, delivered, …
	Results []diagnosisView   `json:"results"`
	Log     *diagnose.Summary `json:"log,omitempty"`
	Notes   []string          `json:"notes"`
}

// diagnosisView is one verdict: of a reply, a recipient, or a group of a log.
type diagnosisView struct {
	Recipient string `json:"recipient,omitempty"`
	diagnose.Result
	Audit *remedy.Advice `json:"audit"` // null if nothing was asked

	domain resolve.Name
}

const (
	maxBounce = 64 << 20 // octets of a mail
	maxJoined = 10       // verdicts of one input that are joined with an audit
	maxPeek   = 64 << 10
)

func (o *diagnoseOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.code != "" {
		if len(args) > 0 {
			return usage("drop one of the two", "--explain-code takes no text besides")
		}
		return o.explain(s)
	}
	if o.operator != "" {
		return usage("for example --explain-code 5.7.26 --operator gmail", "--operator goes with --explain-code")
	}
	v, err := o.read(cmd.Context(), s, args)
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err != nil {
		return err
	}
	if err := o.join(cmd, s, v); err != nil {
		return err
	}
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	return v.verdict()
}

// read decides what the input is, by its content, and reads it.
func (o *diagnoseOptions) read(ctx context.Context, s Streams, args []string) (*diagnoseView, error) {
	v := &diagnoseView{Schema: "mailcheck.diagnose/1", Results: []diagnosisView{}, Notes: []string{}}
	if len(args) == 0 {
		return nil, usage("mailcheck diagnose '550 5.7.26 …', or a file, or -", "nothing to diagnose given")
	}
	in := s.In
	switch {
	case len(args) == 1 && args[0] == "-":
	case len(args) == 1 && isFile(args[0]):
		f, err := os.Open(args[0])
		if err != nil {
			return nil, usage("name a readable file", "%w", err)
		}
		defer f.Close()
		in = f
	case len(args) == 1 && !strings.ContainsAny(args[0], " \n") && strings.ContainsAny(args[0], "/."):
		return nil, usage("give a text in quotes, a file that is there, or -", "%.80q is no file", args[0])
	default:
		v.Input = "reply"
		o.one(v, diagnose.Reply(strings.Join(args, " ")), "")
		return v, nil
	}
	r := bufio.NewReaderSize(in, maxPeek)
	head, _ := r.Peek(maxPeek)
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, usage("name a text, a mail or a log", "gzip: %w", err)
		}
		r = bufio.NewReaderSize(z, maxPeek)
		head, _ = r.Peek(maxPeek)
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, usage("mailcheck diagnose --help shows what it reads", "the input is empty")
	}
	if o.log || isLog(head) {
		return v, o.whole(ctx, s, r, v)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxBounce+1))
	switch {
	case err != nil:
		return nil, usage("name a readable file", "%w", err)
	case len(text) > maxBounce:
		return nil, usage("give --log if it is a log", "more than %d octets, which is no mail", maxBounce)
	}
	return v, o.mail(text, v)
}

func isFile(path string) bool {
	_, err := os.Stat(path)
	return err == nil && len(path) < 4096
}

// isLog tells whether most of the first lines are a mail server's.
func isLog(head []byte) bool {
	n, known := 0, 0
	for line := range bytes.Lines(head) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if _, ok := diagnose.LogLine(string(line)); ok {
			known++
		}
		if n++; n == 50 {
			break
		}
	}
	return known > 1 && known*2 > n || known == 1 && n == 1
}

// one adds a verdict. The domain is what is known besides the reply.
func (o *diagnoseOptions) one(v *diagnoseView, r diagnose.Result, recipient string) *diagnosisView {
	v.Results = append(v.Results, diagnosisView{Recipient: recipient, Result: r})
	return &v.Results[len(v.Results)-1]
}

// mail reads a bounce; a text that is no mail is read as a reply.
func (o *diagnoseOptions) mail(text []byte, v *diagnoseView) error {
	rep, ok := dsn.ReadEvent(text)
	if !ok {
		m := message.Parse(text, message.Options{})
		if !isMail(&m.Header) {
			v.Input = "reply"
			o.one(v, diagnose.Bounce(string(text)), "")
			return nil
		}
		rep = dsn.Read(m)
	}
	v.Input, v.Kind = "bounce", string(rep.Kind)
	switch rep.Kind {
	case dsn.None:
		v.Input = "mail"
		v.Notes = append(v.Notes, "this mail is no bounce: mailcheck audit message looks at a mail that arrived")
		return nil
	case dsn.AutoReply, dsn.Disposition, dsn.Feedback:
		v.Notes = append(v.Notes, map[dsn.Kind]string{
			dsn.AutoReply:   "this is an answer of a program, such as a holiday notice: the mail was delivered",
			dsn.Disposition: "this is a receipt: the mail was delivered",
			dsn.Feedback:    "this is a complaint or a failure report about a mail, and no bounce: mailcheck reports import reads it",
		}[rep.Kind])
		return nil
	}
	var author resolve.Name
	if rep.Original != nil {
		author = addressDomain(rep.Original.From)
	}
	if author.IsZero() {
		author = addressDomain(rep.Addressee)
	}
	for _, x := range rep.Recipients {
		d := o.one(v, diagnose.DSN(diagnose.Recipient{Action: action(x), Status: x.Status, DiagnosticCode: x.Diagnostic, RemoteMTA: x.RemoteMTA,
			Recipient: x.Address(), Text: rep.Text}), x.Address())
		d.domain = author
	}
	if len(rep.Recipients) == 0 {
		o.one(v, diagnose.Bounce(rep.Text), "").domain = author
	}
	return nil
}

// action is what happened to a recipient, also where the report does not say it
// in a field of its own.
func action(x dsn.Recipient) string {
	if x.Action != "" {
		return x.Action
	}
	switch x.Kind {
	case dsn.Failed, dsn.Delayed, dsn.Delivered, dsn.Relayed, dsn.Expanded:
		return string(x.Kind)
	}
	return ""
}

func addressDomain(text string) resolve.Name {
	a, ok := message.ParseAddress(text)
	if !ok {
		return resolve.Name{}
	}
	n, err := a.DomainName()
	if err != nil {
		return resolve.Name{}
	}
	return n
}

// isMail tells a mail from a text that only has a colon in its first line.
func isMail(h *message.Header) bool {
	for _, name := range []string{"From", "Received", "Subject", "Date", "Message-ID", "Return-Path", "Content-Type"} {
		if _, ok := h.Get(name); ok {
			return true
		}
	}
	return false
}

// whole reads a log of any size.
func (o *diagnoseOptions) whole(ctx context.Context, s Streams, r io.Reader, v *diagnoseView) error {
	v.Input = "log"
	now, err := o.now()
	if err != nil {
		return err
	}
	opt := diagnose.Options{Now: now()}
	start := time.Now()
	shown := false
	if s.ErrTTY {
		opt.Progress = func(n, lines int64) {
			if time.Since(start) > 2*time.Second {
				shown = true
				fmt.Fprintf(s.Err, "\rmailcheck: %d MiB, %d lines", n>>20, lines)
			}
		}
	}
	sum, err := diagnose.Log(ctx, r, opt)
	if shown {
		fmt.Fprintln(s.Err)
	}
	if err != nil && ctx.Err() == nil {
		return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the log was read up to octet %d: %w", sum.Bytes, err), Hint: "is it a whole file?"}
	}
	v.Log = &sum
	if sum.Known == 0 {
		v.Notes = append(v.Notes, "no line is one that a known mail server wrote")
	}
	for _, g := range sum.Groups {
		if g.Deferred+g.Bounced+g.Expired == 0 || len(v.Results) >= maxJoined {
			continue
		}
		d := o.one(v, g.Result, "")
		if len(g.Senders) > 0 {
			d.domain, _ = resolve.ParseName(g.Senders[0].Name)
		}
	}
	return nil
}

// join audits what the verdicts are about.
func (o *diagnoseOptions) join(cmd *cobra.Command, s Streams, v *diagnoseView) error {
	given, ip, err := o.subject()
	if err != nil || o.noAudit {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && len(o.servers) == 0 && len(o.zones) == 0 {
			v.Notes = append(v.Notes, "the records were not audited: "+e.Error())
			return nil // the cause is known without
		}
		return err
	}
	defer done()
	for i := range v.Results {
		d := &v.Results[i]
		if i >= maxJoined {
			v.Notes = append(v.Notes, fmt.Sprintf("only the first %d verdicts were joined with an audit", maxJoined))
			break
		}
		opt := remedy.Options{Resolver: res, Rules: rules.All(), Domain: given, IP: ip}
		if opt.Domain.IsZero() && d.Said.Domain == "" {
			opt.Domain = d.domain
		}
		opt.Facts.Selectors, opt.Facts.Resolver = o.selectors, res.about
		a, err := remedy.Find(ctx, d.Result, opt)
		if stopped := interrupted(cmd); stopped != nil {
			return stopped
		}
		if err != nil {
			a.Verdict, a.Why = remedy.Undecided, "the audit did not end in time"
		}
		d.Audit = &a
	}
	return nil
}

func (o *diagnoseOptions) subject() (resolve.Name, netip.Addr, error) {
	var domain resolve.Name
	var ip netip.Addr
	var err error
	if o.domain != "" {
		if domain, err = parseDomain(o.domain, "--domain"); err != nil {
			return domain, ip, err
		}
	}
	if o.ip != "" {
		list, err := parseAddrs([]string{o.ip})
		if err != nil {
			return domain, ip, err
		}
		ip = list[0]
	}
	return domain, ip, checkSelectors(o.selectors)
}
