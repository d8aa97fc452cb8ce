package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe/send"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// secretFlags say where a password or token is. It never stands on the command
// line, where everybody on the machine can read it.
type secretFlags struct {
	prefix                 string // of the flags' names
	env, file, run, bearer string
}

func (f *secretFlags) add(fs *pflag.FlagSet, prefix, what string) {
	f.prefix = prefix
	fs.StringVar(&f.env, prefix+"password-env", "", "environment `variable` with the password of "+what)
	fs.StringVar(&f.file, prefix+"password-file", "", "`file` with the password of "+what+" in its first line")
	fs.StringVar(&f.run, prefix+"password-command", "", "shell `command` that prints the password of "+what)
	fs.StringVar(&f.bearer, prefix+"token-command", "", "shell `command` that prints an OAuth 2.0 access token for "+what)
}

// secret is a way to ask for it, nil if none is given.
type secret func(context.Context) (string, error)

func (f *secretFlags) read(s Streams) (password, token secret, err error) {
	given := 0
	for _, v := range []string{f.env, f.file, f.run, f.bearer} {
		if v != "" {
			given++
		}
	}
	if given > 1 {
		return nil, nil, usage("keep one of them", "--%[1]spassword-env, --%[1]spassword-file, --%[1]spassword-command and --%[1]stoken-command exclude each other", f.prefix)
	}
	switch {
	case f.bearer != "":
		return nil, func(ctx context.Context) (string, error) { return runSecret(ctx, s, f.bearer) }, nil
	case f.run != "":
		return func(ctx context.Context) (string, error) { return runSecret(ctx, s, f.run) }, nil, nil
	case f.file != "":
		return func(context.Context) (string, error) { return readSecret(f.file) }, nil, nil
	case f.env != "":
		return func(context.Context) (string, error) {
			if v := s.Getenv(f.env); v != "" {
				return v, nil
			}
			return "", fmt.Errorf("the environment has no %s", f.env)
		}, nil, nil
	}
	return nil, nil, nil
}

// sendFlags are the flags of the commands that send a probe.
type sendFlags struct {
	networkFlags
	secretFlags

	message                send.Message
	via, user, mechanism   string
	key, selector, signFor string
	proof                  string
	notify                 []string
	ret, envid             string
	tls                    string
	requireTLS, loopback   bool
	sending                time.Duration
}

func (f *sendFlags) add(cmd *cobra.Command) {
	f.networkFlags.add(cmd)
	fs := cmd.Flags()
	f.secretFlags.add(fs, "", "the submission server")
	m := &f.message
	fs.StringVar(&m.From, "from", "", "`address` of the sender, in a domain of yours")
	fs.StringVar(&m.To, "to", "", "`address` of the one recipient")
	fs.StringVar(&m.MailFrom, "mail-from", "", "`address` of the envelope, to which bounces go (default: --from)")
	fs.StringVar(&m.Token, "token", "", "`token` of the probe (default: a new one)")
	fs.BoolVar(&m.PlusTag, "plus-tag", false, "put the token behind a plus sign into the recipient's address")
	fs.StringVar(&m.Subject, "subject", "", "`words` before the token (default: mailcheck probe)")
	fs.StringVar(&m.OneClick, "one-click", "", "https `URL` for one-click unsubscription (RFC 8058)")
	fs.BoolVar(&m.UTF8, "smtputf8", false, "send with SMTPUTF8 (RFC 6531), also if the addresses do not need it")
	fs.BoolVar(&m.SpamTest, "spam-test", false, "put the line into the mail that every spam filter takes for spam (GTUBE)")
	fs.StringVar(&f.via, "via", "", "submission server as `host[:port]`; TLS comes first on port 465 (default: the MX hosts of the recipient)")
	fs.StringVar(&f.user, "user", "", "`name` to log in with at the submission server")
	fs.StringVar(&f.mechanism, "auth", "", "`mechanism` of the login: plain, login, scram-sha-256, xoauth2 or oauthbearer (default: the best that is offered)")
	fs.BoolVar(&f.loopback, "plain-loopback", false, "log in without TLS at a server on a loopback address")
	fs.StringVar(&f.key, "key", "", "private DKIM key `file` to sign with")
	fs.StringVar(&f.selector, "selector", "", "`selector` of the key")
	fs.StringVar(&f.signFor, "sign-domain", "", "`domain` of the key (default: that of --from)")
	fs.StringVar(&f.proof, "proof-file", "", "`file` with a secret, of which a record in the sender's domain holds the hash")
	fs.StringSliceVar(&f.notify, "dsn", nil, "ask for `reports`: never, or of success, failure, delay (RFC 3461)")
	fs.StringVar(&f.ret, "dsn-return", "", "what a report returns: `full` or hdrs")
	fs.StringVar(&f.envid, "envid", "", "`identifier` that reports repeat (default: the token)")
	fs.StringVar(&f.tls, "tls", "auto", "`demand` on TLS: auto, encrypted, verified or none")
	fs.BoolVar(&f.requireTLS, "requiretls", false, "no host may pass the mail on without TLS (RFC 8689)")
	fs.DurationVar(&f.sending, "send-timeout", send.DefaultTimeout, "time for the sending")
}

// options reads the flags. Nothing is asked of the network.
func (f *sendFlags) options(cmd *cobra.Command, s Streams, dry bool) (send.Options, error) {
	var opt send.Options
	if f.message.From == "" || f.message.To == "" {
		return opt, usage("for example --from probe@example.org --to postmaster@example.net", "--from and --to are needed")
	}
	if err := oneOf(cmd, "tls", f.tls, "auto", "encrypted", "verified", "none"); err != nil {
		return opt, err
	}
	if f.sending <= 0 {
		return opt, usage("for example --send-timeout 1m", "--send-timeout must be positive")
	}
	n, err := f.networkFlags.read()
	if err != nil {
		return opt, err
	}
	opt = send.Options{
		Name: n.helo, Roots: n.roots, Allow: n.allow, Timeout: f.sending, DryRun: dry, RequireTLS: f.requireTLS,
		DSN:      send.DSN{Notify: f.notify, Return: f.ret, EnvelopeID: f.envid},
		Security: map[string]send.Security{"encrypted": send.Encrypted, "verified": send.Verified, "none": send.Plain}[f.tls],
		Ledger:   ledger(s),
	}
	if f.proof != "" {
		if opt.Secret, err = readSecret(f.proof); err != nil {
			return opt, usage("name a readable file", "--proof-file: %w", err)
		}
	}
	if err := f.submission(s, &opt); err != nil {
		return opt, err
	}
	opt.Sign, err = f.sign(s)
	return opt, err
}

// ledger is where the pace is kept between runs.
func ledger(s Streams) *send.Ledger {
	dir := s.Getenv("XDG_STATE_HOME")
	if home := s.Getenv("HOME"); dir == "" && home != "" {
		dir = filepath.Join(home, ".local", "state")
	}
	if !filepath.IsAbs(dir) {
		return nil // in memory: a process sends one probe
	}
	return &send.Ledger{Dir: filepath.Join(dir, "mailcheck", "probes")}
}

func (f *sendFlags) submission(s Streams, opt *send.Options) error {
	password, token, err := f.secretFlags.read(s)
	switch {
	case err != nil:
		return err
	case f.via == "" && (f.user != "" || password != nil || token != nil):
		return usage("for example --via mail.example.org:587", "a login needs a server: --via")
	case f.via == "":
		return nil
	case f.user == "" && (password != nil || token != nil):
		return usage("for example --user probe@example.org", "a password needs a name: --user")
	}
	sub := &send.Submission{Host: f.via, User: f.user, Password: password, Token: token, Mechanism: f.mechanism, PlainLoopback: f.loopback}
	if host, port, err := net.SplitHostPort(f.via); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return usage("for example --via mail.example.org:587", "--via: %q is no port", port)
		}
		sub.Host, sub.Port = host, uint16(n)
	}
	sub.Host = strings.Trim(sub.Host, "[]")
	sub.ImplicitTLS = sub.Port == 465
	if a, err := netip.ParseAddr(sub.Host); err == nil {
		// Who types an address means it.
		a = a.Unmap().WithZone("")
		opt.Allow = append(opt.Allow, netip.PrefixFrom(a, a.BitLen()))
	}
	opt.Submission = sub
	return nil
}

func (f *sendFlags) sign(s Streams) (*dkim.SignOptions, error) {
	if f.key == "" {
		if f.selector != "" || f.signFor != "" {
			return nil, usage("for example --key s1.pem --selector s1", "--selector and --sign-domain are about a key: --key")
		}
		return nil, nil
	}
	domain := f.signFor
	if domain == "" {
		domain = f.message.From[strings.LastIndexByte(f.message.From, '@')+1:]
	}
	name, err := parseDomain(domain, "--from")
	if err != nil {
		return nil, err
	}
	if _, err := keyName(name, f.selector); err != nil {
		return nil, err
	}
	k, err := readKey(s, f.key)
	if err != nil {
		return nil, err
	}
	for _, w := range k.Warnings(false) {
		fmt.Fprintf(s.Err, "mailcheck: warning: %s\n", safe.Text(w))
	}
	return &dkim.SignOptions{Domain: name, Selector: f.selector, Key: k.Signer()}, nil
}

// prepare gets the policy that REQUIRETLS may need (RFC 8689, Section 4.2.1).
func (f *sendFlags) prepare(ctx context.Context, res *resolver, opt *send.Options) {
	opt.Resolver = res
	if !opt.RequireTLS || opt.Submission != nil || opt.DryRun {
		return
	}
	domain, err := resolve.ParseName(f.message.To[strings.LastIndexByte(f.message.To, '@')+1:])
	if err != nil || mtasts.Lookup(ctx, res, domain).State != resolve.Present {
		return
	}
	n := network{allow: opt.Allow}
	got := mtasts.Fetch(ctx, res, domain, mtasts.Options{Dial: n.dialer().DialContext, Roots: opt.Roots})
	if got.State == resolve.Present {
		opt.Policy = &got.Policy
	}
}

// sendError gives the errors of sending their exit codes and hints.
func sendError(err error) error {
	var owner *send.OwnerError
	e := &Error{Code: ExitUsage, Err: err}
	switch {
	case err == nil:
		return nil
	case errors.As(err, &owner) && owner.State == resolve.Unavailable:
		e.Code, e.Hint = ExitIncomplete, "ask again, or another --resolver"
	case errors.Is(err, send.ErrOwner):
		e.Hint = "sign with the domain's key (--key, --selector), log in at its server (--via, --user), or see --proof-file"
	case errors.Is(err, send.ErrRoute):
		e.Code = ExitIncomplete
	case errors.Is(err, send.ErrNoMail):
		e.Code = ExitFailed
	case errors.Is(err, send.ErrPace):
		e.Hint = "probes to a domain are a minute apart"
	case errors.Is(err, send.ErrVerify):
		e.Hint = "leave --stop-at out"
	case errors.Is(err, send.ErrAddress):
		e.Hint = "one address, as in postmaster@example.org"
		if a := (*send.AddressError)(nil); errors.As(err, &a) && a.Hint != "" {
			e.Hint = a.Hint
		}
	}
	return e
}

// sendExit is the exit code of an outcome.
func sendExit(o send.Outcome) int {
	switch o {
	case send.Accepted, send.Stopped, send.Planned:
		return ExitOK
	case send.Unknown:
		return ExitIncomplete
	}
	return ExitFailed
}
