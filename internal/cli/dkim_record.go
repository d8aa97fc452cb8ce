package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

type recordOptions struct {
	domainFlag
	lookupOptions
	selector string
	record   string
	file     string
	key      string
	origin   string
}

func newDKIMRecord(s Streams) *cobra.Command {
	o := &recordOptions{}
	cmd := &cobra.Command{
		Use:   "record [DOMAIN]",
		Short: "Judge a key record, and print it in every form in which it is published",
		Long: `Judge a DKIM key record, and print it as one line, as quoted strings, in zone file
form and as DNS panels want it, with its relative and its absolute name.

The record is that of DOMAIN and --selector in DNS, the text of --record, what is in
--file (the text, a zone file or the file of opendkim-genkey), or the public half of
the private key in --key.

Exit status: 0 verifiers can use the record, 1 they cannot or it is missing, 2 it
could not be read, 3 wrong usage.`,
		Example: `  mailcheck dkim record example.org --selector s1
  mailcheck dkim record example.org --selector s1 --key s1.pem
  mailcheck dkim record --record 'v=DKIM1; k=rsa; p=MIIB'
  mailcheck dkim record --file s1.txt -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.domainFlag.add(cmd)
	o.lookupOptions.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.selector, "selector", "", "`selector` of the record")
	fs.StringVar(&o.record, "record", "", "the `text` of a record, instead of asking DNS")
	fs.StringVar(&o.file, "file", "", "`file` with the record, - for standard input, instead of asking DNS")
	fs.StringVar(&o.key, "key", "", "private key `file` to make the record from, instead of asking DNS")
	fs.StringVar(&o.origin, "origin", "", "`zone` that holds the record (default: the domain)")
	return cmd
}

func (o *recordOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	domain, err := o.name(cmd, args)
	if err != nil {
		return err
	}
	given := 0
	for _, f := range []string{"record", "file", "key"} {
		if cmd.Flags().Changed(f) {
			given++
		}
	}
	if given > 1 {
		return usage("drop all but one", "--record, --file and --key exclude each other")
	}
	var name, origin resolve.Name
	if o.origin != "" {
		if origin, err = parseDomain(o.origin, "--origin"); err != nil {
			return err
		}
	}
	switch {
	case o.selector != "" && !domain.IsZero():
		if name, err = keyName(domain, o.selector); err != nil {
			return err
		}
	case given == 0:
		return usage("mailcheck dkim record example.org --selector s1, or --record, --file or --key", "give a domain and a selector, or a record")
	case o.selector != "":
		return usage("mailcheck dkim record example.org --selector "+o.selector, "--selector needs a domain")
	}
	v, err := o.read(cmd, s, domain, name)
	if err != nil {
		return err
	}
	v.fill(name, origin)
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	return exit(v.status())
}

// read gets the record from where the flags say.
func (o *recordOptions) read(cmd *cobra.Command, s Streams, domain, name resolve.Name) (*recordView, error) {
	v := &recordView{Schema: "mailcheck.dkim-record/1", Name: nameOrNull(name), Domain: nameOrNull(domain), Selector: nullable(o.selector), State: "present", Records: []pubView{}, Other: []string{}}
	switch {
	case cmd.Flags().Changed("record"):
		v.Source = "text"
		if err := noPrivateKey("--record", o.record); err != nil {
			return nil, err
		}
		v.add([]string{o.record})
	case o.file != "":
		v.Source = "file"
		text, err := readInput(s, o.file)
		if err != nil {
			return nil, err
		}
		if err := noPrivateKey("--file", text); err != nil {
			return nil, err
		}
		v.add(recordTexts(text, domain))
	case cmd.Flags().Changed("key"):
		v.Source = "key"
		k, err := readKey(s, o.key)
		if err != nil {
			return nil, err
		}
		r, err := k.Record()
		if err != nil {
			return nil, keyError(o.key, err)
		}
		v.add([]string{r.String()})
	default:
		v.Source = "dns"
		ctx, res, done, err := o.session(cmd.Context(), s)
		if err != nil {
			return nil, err
		}
		defer done()
		v.lookup(ctx, res, domain, o.selector)
		if err := interrupted(cmd); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// noPrivateKey refuses a private key given as a record, before any of it is shown.
func noPrivateKey(flag, text string) error {
	if k, err := keys.Parse([]byte(text)); err == nil && !k.IsZero() {
		return usage("--key makes the record of a private key", "%s holds a private key, not a record", flag)
	}
	return nil
}

func (v *recordView) lookup(ctx context.Context, r resolve.Resolver, domain resolve.Name, selector string) {
	v.result = dkim.Lookup(ctx, r, domain, selector)
	v.State, v.Error, v.CNAME = stateWord(v.result.State), errorText(v.result.Err), nameOrNull(v.result.Target)
	v.Provider = providerOf(v.result.Target)
	v.add(v.result.Texts)
}

// add parses texts; what is no key record at all is kept apart.
func (v *recordView) add(texts []string) {
	for _, t := range texts {
		r, err := dkim.ParseRecord(t)
		if v.Source == "dns" {
			if p, ok := errors.AsType[*dkim.Problem](err); ok && p.Kind == dkim.NotKey {
				v.Other = append(v.Other, safe.Text(t))
				continue
			}
		}
		v.parsed = append(v.parsed, r)
	}
}

// recordTexts finds the records in a file: those of a zone file at names of keys,
// quoted strings, or the text as it is.
func recordTexts(text string, domain resolve.Name) []string {
	text = strings.TrimSpace(text)
	origin := domain
	if origin.IsZero() {
		origin = resolve.MustName("example.invalid")
	}
	for _, zone := range []string{text, "k._domainkey IN TXT " + text} {
		if !strings.Contains(zone, `"`) || !strings.Contains(strings.ToUpper(zone), "TXT") {
			continue
		}
		z, err := zonetest.Parse(zone+"\n", zonetest.Options{Origin: origin, World: true})
		if err != nil {
			continue
		}
		var out []string
		for _, n := range z.Names() {
			if !strings.Contains(n.String(), "._domainkey.") {
				continue
			}
			for _, r := range z.Records(n, resolve.TypeTXT) {
				if t, ok := r.Data.(resolve.TXT); ok {
					out = append(out, t.Joined())
				}
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	if text == "" {
		return nil
	}
	return []string{text}
}
