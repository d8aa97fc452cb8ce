package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

func newDKIM(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dkim",
		Short: "Make, publish, find, prove and rotate DKIM keys; verify and sign mail",
		Long: `Make, publish, find, prove and rotate DKIM keys (RFC 6376, RFC 8301, RFC 8463), and
verify and sign mail.

Nothing is changed in DNS or at a mail server: the commands print what to publish
and what to configure. Private keys are written to files only, never to a report.
Exit status: 0 good, 1 a finding, 2 something could not be known, 3 wrong usage,
4 a file could not be written. A finding outweighs an unknown.`,
		Example: `  mailcheck dkim keygen example.org
  mailcheck dkim match --key mc202611.example.org.pem --domain example.org
  mailcheck dkim find example.org --message signed.eml
  mailcheck dkim setup opendkim --domain example.org --selector mc202611 --key mc202611.example.org.pem
  mailcheck dkim rotate start example.org --from s1 --key s2.pem --to s2`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDKIMKeygen(s), newDKIMRecord(s), newDKIMMatch(s), newDKIMFind(s), newDKIMSetup(s), newDKIMRotate(s), newDKIMVerify(s), newDKIMSign(s))
	return cmd
}

// domainFlag is a domain given as the argument or with --domain.
type domainFlag struct{ domain string }

func (f *domainFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.domain, "domain", "", "the `domain`, instead of the argument")
}

// name reads the domain. It is zero if none was given.
func (f *domainFlag) name(cmd *cobra.Command, args []string) (resolve.Name, error) {
	switch {
	case len(args) > 1:
		return resolve.Name{}, usage("run it once for each domain", "'%s' takes one domain, not %d", cmd.CommandPath(), len(args))
	case len(args) == 1 && f.domain != "" && !strings.EqualFold(args[0], f.domain):
		return resolve.Name{}, usage("give it once", "two domains: the argument %q and --domain %q", args[0], f.domain)
	case len(args) == 0 && f.domain == "":
		return resolve.Name{}, nil
	}
	return parseDomain(cmp.Or(f.domain, strings.Join(args, "")), "")
}

// need is name, where a domain is needed.
func (f *domainFlag) need(cmd *cobra.Command, args []string) (resolve.Name, error) {
	n, err := f.name(cmd, args)
	if err == nil && n.IsZero() {
		return n, usage(cmd.CommandPath()+" example.org", "no domain given")
	}
	return n, err
}

// keyName is the name of a selector's record, with the errors of a user.
func keyName(domain resolve.Name, selector string) (resolve.Name, error) {
	n, err := dkim.KeyName(domain, selector)
	if err != nil {
		return n, selectorError(err)
	}
	return n, nil
}

func selectorError(err error) error {
	hint := "the selector is the s= tag of a DKIM-Signature field"
	if e, ok := errors.AsType[*dkim.SelectorError](err); ok && e.Hint != "" {
		hint = fmt.Sprintf("did you mean %+q?", e.Hint)
	}
	return &Error{Code: ExitUsage, Err: err, Hint: hint}
}

// readKey reads a private key; - is standard input. What is wrong with the mode of
// its file goes to standard error.
func readKey(s Streams, path string) (keys.Key, error) {
	if path == "" {
		return keys.Key{}, usage("for example --key s1.example.org.pem", "no key file given")
	}
	if path == "-" {
		data, err := io.ReadAll(io.LimitReader(s.In, keys.MaxFile+1))
		if err != nil {
			return keys.Key{}, usage("", "standard input: %w", err)
		}
		k, err := keys.Parse(data)
		return k, keyError("standard input", err)
	}
	k, warn, err := keys.ReadFile(path)
	for _, w := range warn {
		fmt.Fprintf(s.Err, "mailcheck: warning: %s: %s\n", safe.Text(path), safe.Text(w))
	}
	return k, keyError(path, err)
}

// keyError is the error of a key file; nothing of the file is in it.
func keyError(path string, err error) error {
	if err == nil {
		return nil
	}
	hint := "name a file with a private key: PEM, or the base64 of OpenDKIM, rspamd or dkimpy"
	if e, ok := errors.AsType[*keys.Error](err); ok {
		hint = cmp.Or(e.Hint, hint)
		err = fmt.Errorf("%+q: %w", path, err)
	}
	return &Error{Code: ExitUsage, Err: err, Hint: hint}
}

// writeError is the error of a file that could not be written.
func writeError(err error) error {
	switch e, ok := errors.AsType[*keys.Error](err); {
	case ok:
		return &Error{Code: ExitUsage, Err: err, Hint: e.Hint}
	case errors.Is(err, fs.ErrExist):
		return &Error{Code: ExitUsage, Err: err, Hint: "choose another file"}
	}
	return &Error{Code: ExitFailed, Err: err, Hint: "choose a directory that you may write to"}
}

// keyForms are the words of --form.
var keyForms = []struct {
	word string
	rsa  keys.Form
	ed   keys.Form
}{
	{"pkcs8", keys.FormPKCS8, keys.FormPKCS8},
	{"pkcs1", keys.FormPKCS1, ""},
	{"rspamd", keys.FormPKCS8, keys.FormBareKeyPair},
	{"dkimpy", keys.FormPKCS8, keys.FormBareSeed},
	{"base64", keys.FormBarePKCS8, keys.FormBarePKCS8},
}

func keyFormWords() []string {
	var out []string
	for _, f := range keyForms {
		out = append(out, f.word)
	}
	return out
}

// keyForm is the form of a word for a type of key.
func keyForm(word, keyType string) (keys.Form, error) {
	for _, f := range keyForms {
		if f.word != word {
			continue
		}
		form := f.rsa
		if keyType == dkim.KeyEd25519 {
			form = f.ed
		}
		if form == "" {
			return "", usage("use --form pkcs8", "an Ed25519 key has no form %s", word)
		}
		return form, nil
	}
	return "", usage("--form takes "+strings.Join(keyFormWords(), ", "), "unknown form %q", word)
}

// keyView shows a private key by its public half.
type keyView struct {
	File     nullable `json:"file"`
	Type     string   `json:"type"`
	Bits     int      `json:"bits"`
	Form     string   `json:"form"`
	SHA256   string   `json:"sha256"` // of the public key
	Warnings []string `json:"warnings"`
}

func viewKey(file string, k keys.Key, alone bool) keyView {
	return keyView{File: nullable(file), Type: k.Type(), Bits: k.Bits(), Form: string(k.Form()), SHA256: k.Fingerprint(), Warnings: list(k.Warnings(alone))}
}

func (v keyView) words() string {
	name := "RSA"
	if v.Type == dkim.KeyEd25519 {
		return "Ed25519"
	}
	return fmt.Sprintf("%s, %d bits", name, v.Bits)
}

// formsView is a record in the forms in which it is published.
type formsView struct {
	Name     string      `json:"name"`
	Origin   string      `json:"origin"`
	Relative nullable    `json:"relative"`
	Absolute string      `json:"absolute"`
	TTL      uint32      `json:"ttl"`
	Line     string      `json:"line"`
	Strings  []string    `json:"strings"`
	Quoted   string      `json:"quoted"`
	Zone     string      `json:"zone"`
	Panels   []panelView `json:"panels"`
}

type panelView struct {
	Products []string `json:"products"`
	Host     string   `json:"host"`
	Value    string   `json:"value"`
	Note     string   `json:"note"`
}

func viewForms(f setup.Forms) formsView {
	v := formsView{
		Name: f.Name.String(), Origin: f.Origin.String(), Relative: nullable(f.Relative), Absolute: f.Absolute, TTL: f.TTL,
		Line: safe.Text(f.Line), Strings: []string{}, Quoted: safe.Text(f.Quoted), Zone: safe.Text(f.Zone), Panels: []panelView{},
	}
	for _, s := range f.Strings {
		v.Strings = append(v.Strings, safe.Text(s))
	}
	for _, p := range f.Panels() {
		v.Panels = append(v.Panels, panelView{p.Products, p.Host, safe.Text(p.Value), p.Note})
	}
	return v
}

// publish prints the record for people: the zone form for name servers, then name
// and value for panels. Of two values that are the same, one is printed.
func (p *sheet) publish(v formsView) {
	p.whole("", v.Zone)
	p.WriteByte('\n')
	name := "In a panel the name is " + v.Absolute
	if v.Relative != "" {
		name = fmt.Sprintf("In a panel the name is %s, as most append the zone %s; in full it is %s", v.Relative, v.Origin, v.Absolute)
	}
	p.para("%s", name)
	printed := map[string]bool{v.Zone: true}
	for _, x := range v.Panels {
		if printed[x.Value] {
			continue
		}
		printed[x.Value] = true
		var products []string
		for _, y := range v.Panels {
			if y.Value == x.Value {
				products = append(products, y.Products...)
			}
		}
		p.WriteByte('\n')
		p.para("Value for %s (%s):", strings.Join(products, ", "), x.Note)
		p.WriteByte('\n')
		p.whole("", x.Value)
	}
}

// clock reads --at.
type clock struct{ at string }

func (c *clock) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.at, "at", "", "take this `time` instead of now, as in 2026-11-30T12:00:00Z")
}

func (c *clock) now() (func() time.Time, error) {
	if c.at == "" {
		return time.Now, nil
	}
	t, err := time.Parse(time.RFC3339, c.at)
	if err != nil {
		return nil, usage("as in --at 2026-11-30T12:00:00Z (RFC 3339)", "--at: %q is no time", c.at)
	}
	return func() time.Time { return t }, nil
}

// maxInput bounds a text read from a file or from standard input, in octets.
const maxInput = 1 << 20

// readInput reads a small text; - is standard input.
func readInput(s Streams, path string) (string, error) {
	r := s.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", usage("name a readable file, or - for standard input", "%w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return "", usage("name a readable file, or - for standard input", "%w", err)
	}
	if len(b) > maxInput {
		return "", usage("give one record", "%q has more than %d octets", path, maxInput)
	}
	return string(b), nil
}
