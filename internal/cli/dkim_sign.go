package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

type signOptions struct {
	domainFlag
	clock
	selector string
	key      string
	identity string
	headers  string
	oversign string
	canon    string
	expires  time.Duration
}

func newDKIMSign(s Streams) *cobra.Command {
	o := &signOptions{}
	cmd := &cobra.Command{
		Use:   "sign [FILE]",
		Short: "Sign a message, read from a file or standard input, and print it",
		Long: `Sign a message with a DKIM key and write it to standard output, unchanged but for the
DKIM-Signature field in front. The fields that are signed, and those that are listed
once more so that none can be added, are sensible by themselves.

A message with bare CR or mixed line ends, or with lines in its header that are no
field, is refused: relays would change it and break the signature.
Exit status: 0 signed, 3 wrong usage or a message that cannot be signed.`,
		Example: `  mailcheck dkim sign --key s1.pem --domain example.org --selector s1 < mail.eml > signed.eml
  mailcheck dkim sign mail.eml --key s1.pem --domain example.org --selector s1 --expires 336h
  mailcheck dkim sign mail.eml --key s1.pem --domain example.org --selector s1 --headers From,To,Subject,Date --oversign=From`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.domainFlag.add(cmd)
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.selector, "selector", "", "`selector` of the key")
	fs.StringVar(&o.key, "key", "", "private key `file`")
	fs.StringVar(&o.identity, "identity", "", "`address` for i=, within the domain")
	fs.StringVar(&o.headers, "headers", "", "`names` of the header fields to sign (default: what RFC 6376 advises)")
	fs.StringVar(&o.oversign, "oversign", "default", "`names` of the fields that nobody may add, default or none")
	fs.Lookup("oversign").NoOptDefVal = "default"
	fs.StringVar(&o.canon, "canonicalization", "relaxed/relaxed", "canonical `form` of header and body: relaxed or simple")
	fs.DurationVar(&o.expires, "expires", 0, "time after which the signature is not valid any more, such as 336h")
	return cmd
}

func (o *signOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := o.need(cmd, nil)
	if err != nil {
		return err
	}
	now, err := o.now()
	if err != nil {
		return err
	}
	if o.key == "-" {
		return usage("name the key's file", "standard input is the message, so the key cannot be read from it")
	}
	if _, err := keyName(domain, o.selector); err != nil {
		return err
	}
	opt := dkim.SignOptions{Domain: domain, Selector: o.selector, Identity: o.identity, Now: now, Expires: o.expires}
	if o.expires < 0 {
		return usage("for example --expires 336h", "--expires must not be negative")
	}
	if opt.SimpleHeader, opt.SimpleBody, err = canonical(o.canon); err != nil {
		return err
	}
	if o.headers != "" {
		opt.Headers = fieldNames(o.headers)
	}
	switch o.oversign {
	case "default":
	case "none":
		opt.Oversign = []string{}
	default:
		opt.Oversign = fieldNames(o.oversign)
	}
	k, err := readKey(s, o.key)
	if err != nil {
		return err
	}
	for _, w := range k.Warnings(false) {
		fmt.Fprintf(s.Err, "mailcheck: warning: %s\n", safe.Text(w))
	}
	opt.Key = k.Signer()
	if len(args) == 0 {
		args = []string{"-"}
	}
	in, _, err := openMessage(cmd, s, args)
	if err != nil {
		return err
	}
	defer in.Close()
	var r io.Reader = in
	if args[0] == "-" {
		r = s.In // a redirected file can be read twice
	}
	if _, err := dkim.Sign(cmd.Context(), s.Out, r, opt); err != nil {
		if e := interrupted(cmd); e != nil {
			return e
		}
		if closedPipe(err) {
			return err
		}
		hint := "see 'mailcheck dkim sign --help'"
		if errors.Is(err, dkim.ErrMessage) {
			hint = "give the message as it is sent, with CRLF or with LF line ends throughout"
		}
		return &Error{Code: ExitUsage, Err: err, Hint: hint}
	}
	return nil
}

// fieldNames reads a list with commas, or with colons as in h=.
func fieldNames(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ':' || r == ' ' })
}

// canonical reads c=: one word stands for the header, and the body is then simple
// (RFC 6376, Section 3.5).
func canonical(word string) (simpleHeader, simpleBody bool, err error) {
	header, body, both := strings.Cut(word, "/")
	if !both {
		body = "simple"
	}
	for _, w := range []string{header, body} {
		if w != "simple" && w != "relaxed" {
			return false, false, usage("for example --canonicalization relaxed/relaxed", "unknown canonicalization %q", word)
		}
	}
	return header == "simple", body == "simple", nil
}
