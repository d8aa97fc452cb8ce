package cli

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type keygenOptions struct {
	domainFlag
	lookupOptions
	clock
	selector string
	keyType  string
	bits     int
	key      string
	dir      string
	form     string
	from     string
	origin   string
	server   string
	probe    bool
}

func newDKIMKeygen(s Streams) *cobra.Command {
	o := &keygenOptions{}
	cmd := &cobra.Command{
		Use:     "keygen DOMAIN",
		Aliases: []string{"new"},
		Short:   "Make a key, and print the record that publishes it",
		Long: `Make a DKIM key for a domain, write it to a file, and print its record in the forms
that name servers and DNS panels want.

The file is PKCS#8 PEM with mode 0600. It must not exist: a key is never
overwritten. RSA of 2048 bits is what every receiver verifies; --type both makes an
Ed25519 key as a second selector besides. DNS is asked only with --check, and then
the domain's own name servers, so that no cache learns that the selector is missing.`,
		Example: `  mailcheck dkim keygen example.org
  mailcheck dkim keygen example.org --selector s2 --key /root/s2.pem --server opendkim
  mailcheck dkim keygen example.org --type both --dir keys
  mailcheck dkim keygen example.org --from old.pem --form rspamd --key new.key`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.domainFlag.add(cmd)
	o.lookupOptions.add(cmd)
	o.clock.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.selector, "selector", "", "`selector` of the key (default: mcYYYYMM)")
	fs.StringVar(&o.keyType, "type", dkim.KeyRSA, "`type` of the key: rsa, ed25519 or both")
	fs.IntVar(&o.bits, "bits", 0, "length of an RSA key: 2048, 3072 or 4096 (default 2048)")
	fs.StringVar(&o.key, "key", "", "`file` to write the private key to (default: SELECTOR.DOMAIN.pem)")
	fs.StringVar(&o.dir, "dir", "", "`directory` for the file")
	fs.StringVar(&o.form, "form", "pkcs8", "`form` of the file: pkcs8, pkcs1, rspamd, dkimpy or base64")
	fs.StringVar(&o.from, "from", "", "write the key of this `file` in another form, instead of making one")
	fs.StringVar(&o.origin, "origin", "", "`zone` that holds the record (default: the domain)")
	fs.StringVar(&o.server, "server", "", "print the set-up of this mail `server` too")
	fs.BoolVar(&o.probe, "check", false, "ask the domain's name servers whether the selector is free")
	return cmd
}

// keygenView is the document of schema mailcheck.dkim-keygen/1.
type keygenView struct {
	Schema   string     `json:"schema"`
	Domain   string     `json:"domain"`
	Keys     []madeView `json:"keys"`
	Setup    *guideView `json:"setup"` // null if not asked for
	Warnings []string   `json:"warnings"`
}

type madeView struct {
	Selector string    `json:"selector"`
	Mode     string    `json:"mode"`
	Key      keyView   `json:"key"`
	Record   formsView `json:"record"`
}

// wanted is a key to make.
type wanted struct {
	selector, file string
	name           resolve.Name
	key            keys.Key
	form           keys.Form
}

func (o *keygenOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	domain, err := o.need(cmd, args)
	if err != nil {
		return err
	}
	todo, origin, err := o.plan(cmd, s, domain)
	if err != nil {
		return err
	}
	if o.probe {
		if err := o.free(cmd, s, todo); err != nil {
			return err
		}
	}
	for i := range todo {
		if err := o.make(&todo[i]); err != nil {
			return err
		}
	}
	v := keygenView{Schema: "mailcheck.dkim-keygen/1", Domain: domain.String(), Keys: []madeView{}, Warnings: []string{}}
	var forSetup []setup.Key
	for _, w := range todo {
		r, err := w.key.Record()
		if err != nil {
			return &Error{Code: ExitFailed, Err: err}
		}
		k := viewKey(w.file, w.key, len(todo) == 1)
		k.Form = string(w.form)
		v.Warnings = append(v.Warnings, k.Warnings...)
		v.Keys = append(v.Keys, madeView{w.selector, "0600", k, viewForms(setup.FormsOf(w.name, origin, r))})
		forSetup = append(forSetup, setup.Key{Selector: w.selector, Type: w.key.Type(), File: w.file})
	}
	if o.server != "" {
		g, err := setup.Make(o.server, domain, forSetup...)
		if err != nil {
			return setupError(err)
		}
		gv := viewGuide(g)
		v.Setup = &gv
	}
	if o.format == "json" {
		return printJSON(s.Out, v)
	}
	return v.text(s)
}

// plan checks the flags and decides which keys to make; nothing is written.
func (o *keygenOptions) plan(cmd *cobra.Command, s Streams, domain resolve.Name) ([]wanted, resolve.Name, error) {
	var origin resolve.Name
	for _, e := range []error{
		o.check(cmd),
		oneOf(cmd, "type", o.keyType, dkim.KeyRSA, dkim.KeyEd25519, "both"),
		oneOf(cmd, "form", o.form, keyFormWords()...),
	} {
		if e != nil {
			return nil, origin, e
		}
	}
	if o.origin != "" {
		var err error
		if origin, err = parseDomain(o.origin, "--origin"); err != nil {
			return nil, origin, err
		}
	}
	types := []string{o.keyType}
	switch {
	case o.keyType == "both":
		types = []string{dkim.KeyRSA, dkim.KeyEd25519}
		if o.key != "" || o.from != "" {
			return nil, origin, usage("name a directory with --dir", "--type both writes two files, so --key and --from cannot be used")
		}
	case cmd.Flags().Changed("bits") && o.keyType == dkim.KeyEd25519:
		return nil, origin, usage("leave --bits out", "Ed25519 keys have one length")
	case o.from != "" && (cmd.Flags().Changed("bits") || cmd.Flags().Changed("type")):
		return nil, origin, usage("leave them out", "with --from the key has its type and length, so --type and --bits cannot be used")
	case o.key == "-":
		return nil, origin, usage("name a file with --key", "a private key is written to a file only")
	case o.key != "" && o.dir != "":
		return nil, origin, usage("drop one of the two", "--key and --dir exclude each other")
	}
	if o.server != "" {
		if err := checkServer(o.server); err != nil {
			return nil, origin, err
		}
	}
	now, err := o.now()
	if err != nil {
		return nil, origin, err
	}
	var out []wanted
	for _, t := range types {
		w := wanted{}
		if o.from != "" {
			if w.key, err = readKey(s, o.from); err != nil {
				return nil, origin, err
			}
			t = w.key.Type()
		}
		w.selector = cmp.Or(o.selector, keys.SelectorFor(t, now()))
		if len(types) == 2 && t == dkim.KeyEd25519 && o.selector != "" {
			w.selector += "e"
		}
		if w.name, err = keyName(domain, w.selector); err != nil {
			return nil, origin, err
		}
		w.file = cmp.Or(o.key, filepath.Join(o.dir, w.selector+"."+domain.String()+".pem"))
		if w.form, err = keyForm(o.form, t); err != nil {
			return nil, origin, err
		}
		if _, err := os.Lstat(w.file); err == nil {
			return nil, origin, usage("choose another --selector or --key, or use the key that is there", "%+q exists, and a key is never overwritten", w.file)
		}
		if o.from == "" {
			opt := keys.Options{Type: t}
			if t == dkim.KeyRSA {
				opt.Bits = o.bits
			}
			if w.key, err = keys.Generate(opt); err != nil {
				return nil, origin, keyError("--bits", err)
			}
		}
		out = append(out, w)
	}
	return out, origin, nil
}

// free refuses selectors at which something stands already.
func (o *keygenOptions) free(cmd *cobra.Command, s Streams, todo []wanted) error {
	d := o.lookupOptions
	d.authoritative = !d.offline
	ctx, res, done, err := d.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	for _, w := range todo {
		_, err := res.Resolve(ctx, resolve.Question{Name: w.name, Type: resolve.TypeTXT})
		switch resolve.StateOf(err) {
		case resolve.Present:
			return &Error{Code: ExitFindings, Err: fmt.Errorf("selector %s is in use: there is a record at %s", w.selector, w.name), Hint: "a new key needs a new selector: choose another with --selector"}
		case resolve.Unavailable:
			if e := interrupted(cmd); e != nil {
				return e
			}
			return &Error{Code: ExitIncomplete, Err: fmt.Errorf("whether selector %s is free is unknown: %w", w.selector, err), Hint: "leave --check out, or try again later"}
		}
	}
	return nil
}

func (o *keygenOptions) make(w *wanted) error {
	if o.dir != "" {
		if err := os.MkdirAll(o.dir, 0o700); err != nil {
			return writeError(err)
		}
	}
	if err := w.key.Create(w.file, w.form); err != nil {
		return writeError(err)
	}
	return nil
}

func (v keygenView) text(s Streams) error {
	p := newSheet(s)
	for i, k := range v.Keys {
		if i > 0 {
			p.WriteByte('\n')
		}
		p.field("Key", "%s", k.Key.words())
		p.field("Selector", "%s", k.Selector)
		p.field("Private key", "%s (mode %s, %s)", k.Key.File, k.Mode, k.Key.Form)
		p.WriteString("\nPublish this record, then switch the signer on:\n\n")
		p.publish(k.Record)
	}
	for _, w := range v.Warnings {
		p.WriteByte('\n')
		p.para("Warning: %s.", w)
	}
	if v.Setup != nil {
		p.WriteByte('\n')
		v.Setup.write(p)
	}
	p.head("Then")
	for _, k := range v.Keys {
		p.whole("  ", fmt.Sprintf("mailcheck dkim match --key %s --domain %s --selector %s", k.Key.File, v.Domain, k.Selector))
	}
	if v.Setup == nil {
		p.whole("  ", fmt.Sprintf("mailcheck dkim setup SERVER --domain %s --selector %s --key %s", v.Domain, v.Keys[0].Selector, safe.Text(string(v.Keys[0].Key.File))))
	}
	return p.flush(s.Out)
}
