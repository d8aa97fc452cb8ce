package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type setupOptions struct {
	domainFlag
	server    string
	selectors []string
	files     []string
	keyType   string
	format    string
}

func newDKIMSetup(s Streams) *cobra.Command {
	o := &setupOptions{}
	cmd := &cobra.Command{
		Use:   "setup [SERVER]",
		Short: "Print what makes a mail server sign with a key",
		Long: `Print the exact lines, file modes, reload command and self-test that make a mail
server sign with a key. Without a server, list those that are known.

Give --key and --selector twice to sign with an RSA and an Ed25519 key. The type
is read from the key file; the key itself is not printed.`,
		Example: `  mailcheck dkim setup
  mailcheck dkim setup opendkim --domain example.org --selector s1 --key s1.pem
  mailcheck dkim setup rspamd --domain example.org --selector s1 --key s1.pem --selector s1e --key s1e.pem`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return serverIDs(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.domainFlag.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.server, "server", "", "the mail `server`, instead of the argument")
	fs.StringArrayVar(&o.selectors, "selector", nil, "`selector` of the key, repeatable")
	fs.StringArrayVar(&o.files, "key", nil, "`file` of the private key, repeatable")
	fs.StringVar(&o.keyType, "type", "", "`type` of the key, rsa or ed25519, if its file is not on this machine")
	fs.StringVarP(&o.format, "output", "o", "text", "output `format`: text or json")
	return cmd
}

func serverIDs() []string {
	var out []string
	for _, x := range setup.Servers() {
		out = append(out, x.ID)
	}
	return out
}

func checkServer(word string) error {
	ids := serverIDs()
	for _, id := range ids {
		if strings.EqualFold(id, word) {
			return nil
		}
	}
	hint := "known are " + strings.Join(ids, ", ")
	if best := nearest(word, ids); best != "" {
		hint = "did you mean " + best + "? " + hint
	}
	return usage(hint, "no set-up for a server called %q", word)
}

func setupError(err error) error {
	hint := "mailcheck dkim setup lists the servers"
	switch {
	case errors.Is(err, setup.ErrUnsupported):
		hint = "make an RSA key: mailcheck dkim keygen DOMAIN"
	case errors.Is(err, dkim.ErrSelector):
		return selectorError(err)
	case errors.Is(err, setup.ErrKey):
		hint = "names in a configuration can have letters, digits, hyphens, dots and slashes"
	}
	return &Error{Code: ExitUsage, Err: err, Hint: hint}
}

func (o *setupOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := oneOf(cmd, "output", o.format, "text", "json"); err != nil {
		return err
	}
	switch {
	case len(args) > 1 || len(args) == 1 && o.server != "":
		return usage("mailcheck dkim setup opendkim --domain example.org --selector s1 --key s1.pem", "'%s' takes one server", cmd.CommandPath())
	case len(args) == 1:
		o.server = args[0]
	case o.server == "":
		return o.servers(s)
	}
	if err := checkServer(o.server); err != nil {
		return err
	}
	domain, err := o.need(cmd, nil)
	if err != nil {
		return usage("for example --domain example.org", "%w", err)
	}
	list, err := o.keys(cmd, s, domain)
	if err != nil {
		return err
	}
	g, err := setup.Make(o.server, domain, list...)
	if err != nil {
		return setupError(err)
	}
	v := viewGuide(g)
	if o.format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	v.write(p)
	return p.flush(s.Out)
}

// keys pairs the selectors and the files, and reads the types of the keys.
func (o *setupOptions) keys(cmd *cobra.Command, s Streams, domain resolve.Name) ([]setup.Key, error) {
	if len(o.selectors) == 0 || len(o.selectors) != len(o.files) || len(o.files) > setup.MaxKeys {
		return nil, usage("for example --selector s1 --key s1.pem", "give --selector and --key once for each key, at most %d", setup.MaxKeys)
	}
	if o.keyType != "" {
		if err := oneOf(cmd, "type", o.keyType, dkim.KeyRSA, dkim.KeyEd25519); err != nil {
			return nil, err
		}
	}
	var out []setup.Key
	for i, sel := range o.selectors {
		if _, err := keyName(domain, sel); err != nil {
			return nil, err
		}
		k := setup.Key{Selector: sel, Type: o.keyType, File: o.files[i]}
		if k.Type == "" {
			read, err := readKey(s, o.files[i])
			if err != nil {
				if e, ok := errors.AsType[*Error](err); ok {
					e.Hint += "; --type says what key it is without reading it"
				}
				return nil, err
			}
			k.Type = read.Type()
		}
		out = append(out, k)
	}
	return out, nil
}

// guideView is the document of schema mailcheck.dkim-setup/1.
type guideView struct {
	Schema string     `json:"schema"`
	Server string     `json:"server"`
	Name   string     `json:"name"`
	Proven nullable   `json:"proven"`
	Domain string     `json:"domain"`
	Keys   []usedView `json:"keys"`
	Steps  []stepView `json:"steps"`
	Reload []string   `json:"reload"`
	Test   []string   `json:"test"`
	Notes  []string   `json:"notes"`
}

type usedView struct {
	Selector string `json:"selector"`
	Type     string `json:"type"`
	File     string `json:"file"`
}

type stepView struct {
	Do    string   `json:"do"`
	File  nullable `json:"file"`
	Mode  nullable `json:"mode"`
	Owner nullable `json:"owner"`
	Text  nullable `json:"-"`
	Lines []string `json:"lines"` // of the file, or commands if file is null
}

func viewGuide(g setup.Guide) guideView {
	v := guideView{
		Schema: "mailcheck.dkim-setup/1", Server: g.ID, Name: g.Name, Proven: nullable(g.Proven), Domain: g.Domain.String(),
		Keys: []usedView{}, Steps: []stepView{}, Reload: list(g.Reload), Test: list(g.Test), Notes: list(g.Notes),
	}
	for _, k := range g.Keys {
		v.Keys = append(v.Keys, usedView{k.Selector, k.Type, k.File})
	}
	for _, st := range g.Steps {
		x := stepView{Do: st.Do, File: nullable(st.File), Mode: nullable(st.Mode), Owner: nullable(st.User), Lines: []string{}}
		for line := range strings.Lines(st.Text) {
			x.Lines = append(x.Lines, strings.TrimRight(line, "\n"))
		}
		v.Steps = append(v.Steps, x)
	}
	return v
}

func (v guideView) write(p *sheet) {
	p.para("%s: sign mail of %s", v.Name, v.Domain)
	for i, st := range v.Steps {
		p.WriteByte('\n')
		p.hang("", fmt.Sprintf("%d.", i+1), 3, st.Do)
		if st.File != "" {
			owner := ""
			if st.Owner != "" {
				owner = ", owner " + string(st.Owner)
			}
			p.hang("", "", 3, fmt.Sprintf("%s (mode %s%s)", st.File, st.Mode, owner))
		}
		if len(st.Lines) > 0 {
			p.WriteByte('\n')
		}
		for _, line := range st.Lines {
			p.WriteString("     " + line + "\n") // our own templates; tabs are part of some files
		}
	}
	for _, part := range []struct {
		title string
		lines []string
	}{{"Reload", v.Reload}, {"Test", v.Test}} {
		if len(part.lines) > 0 {
			p.head(part.title)
			for _, line := range part.lines {
				p.whole("     ", line)
			}
		}
	}
	p.head("Notes")
	for _, n := range v.Notes {
		p.item("%s", n)
	}
	if v.Proven != "" {
		p.item("These lines were tried with %s.", v.Proven)
	} else {
		p.item("These lines follow the documentation; they were not tried with the daemon.")
	}
	p.item("Publish the record before the server signs with the key: mailcheck dkim match tells whether it is there.")
}

// servers lists what is known.
func (o *setupOptions) servers(s Streams) error {
	v := serversView{Schema: "mailcheck.dkim-servers/1"}
	for _, x := range setup.Servers() {
		v.Servers = append(v.Servers, setupServerView{x.ID, x.Name, x.Ed25519, nullable(x.Proven)})
	}
	if o.format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	for _, x := range v.Servers {
		kinds := "RSA"
		if x.Ed25519 {
			kinds = "RSA and Ed25519"
		}
		p.hang("", x.ID, 26, fmt.Sprintf("%s; %s", x.Name, kinds))
	}
	p.WriteString("\n  mailcheck dkim setup SERVER --domain example.org --selector s1 --key s1.pem\n")
	return p.flush(s.Out)
}
