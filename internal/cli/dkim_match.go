package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/keys"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type matchOptions struct {
	domainFlag
	lookupOptions
	evidence
	key string
}

func newDKIMMatch(s Streams) *cobra.Command {
	o := &matchOptions{}
	cmd := &cobra.Command{
		Use:   "match [DOMAIN]",
		Short: "Does the published key fit the private one? If not, which does?",
		Long: `Compare a private key with what the domain publishes. With --selector, the key of
that selector is compared first; if it does not fit, and without --selector, the
other selectors that can be found are tried, to say which of them does.

Exit status: 0 the key fits and verifiers can use the record, 1 it does not, 2 not
known, 3 wrong usage. Selectors cannot be listed, so without --selector a key that
fits nowhere is status 2.`,
		Example: `  mailcheck dkim match --key s1.pem --domain example.org --selector s1
  mailcheck dkim match --key /var/lib/rspamd/dkim/example.org.key --domain example.org
  mailcheck dkim match --key s1.pem --domain example.org --selector s1 --authoritative -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.domainFlag.add(cmd)
	o.lookupOptions.add(cmd)
	o.evidence.add(cmd)
	cmd.Flags().StringVar(&o.key, "key", "", "private key `file`, - for standard input")
	return cmd
}

// matchView is the document of schema mailcheck.dkim-match/1.
type matchView struct {
	Schema      string        `json:"schema"`
	Domain      string        `json:"domain"`
	Key         keyView       `json:"key"`
	Result      string        `json:"result"` // match, mismatch, missing, unusable or unknown
	Explanation string        `json:"explanation"`
	Matches     []string      `json:"matches"` // selectors whose key fits
	Selectors   []matchedView `json:"selectors"`
	Tried       int           `json:"tried"`
	Publish     *formsView    `json:"publish"` // for the selector given, if its record is not right; null else
}

type matchedView struct {
	Selector string   `json:"selector"`
	Name     string   `json:"name"`
	Given    bool     `json:"given"`
	State    string   `json:"state"`
	CNAME    nullable `json:"cname"`
	Fits     string   `json:"fits"` // yes, no, unknown
	Usable   bool     `json:"usable"`
	Detail   string   `json:"detail"`
}

func (o *matchOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	domain, err := o.need(cmd, args)
	if err != nil {
		return err
	}
	k, err := readKey(s, o.key)
	if err != nil {
		return err
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	found, err := o.collect(ctx, s, res, domain)
	if err != nil {
		return err
	}
	v, err := matchKey(ctx, res, domain, k, found)
	if err != nil {
		return err
	}
	v.Key = viewKey(o.key, k, false)
	if err := interrupted(cmd); err != nil {
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
	switch v.Result {
	case "match":
		return nil
	case "unknown":
		return exit(ExitIncomplete)
	}
	return exit(ExitFindings)
}

// matchKey compares the key with the selector given, and with all that can be
// found if that one does not fit.
func matchKey(ctx context.Context, r resolve.Resolver, domain resolve.Name, k keys.Key, found *collected) (*matchView, error) {
	v := &matchView{Schema: "mailcheck.dkim-match/1", Domain: domain.String(), Matches: []string{}, Selectors: []matchedView{}}
	opt := dkim.Options{Selectors: found.selectors()}
	d := dkim.Discover(ctx, r, domain, opt)
	if len(found.asked) == 0 || !fitsAny(d, k) {
		opt.Candidates, opt.Common = found.candidates(), true
		d = dkim.Discover(ctx, r, domain, opt)
	}
	v.Tried = d.Tried
	for _, x := range d.Results {
		m := matchOne(x, k)
		m.Given = found.isAsked(x.Selector)
		v.Selectors = append(v.Selectors, m)
		if m.Fits == "yes" {
			v.Matches = append(v.Matches, m.Selector)
		}
	}
	return v, v.judge(domain, k, found, d)
}

func fitsAny(d dkim.Discovery, k keys.Key) bool {
	for _, x := range d.Results {
		if matchOne(x, k).Fits == "yes" {
			return true
		}
	}
	return false
}

// matchOne compares with one selector.
func matchOne(x dkim.Result, k keys.Key) matchedView {
	m := matchedView{Selector: safe.Text(x.Selector), Name: x.Name.String(), State: stateWord(x.State), CNAME: nameOrNull(x.Target), Usable: x.Usable() && !x.Several(), Fits: "no"}
	switch {
	case x.State == resolve.Unavailable:
		m.Fits, m.Detail = "unknown", string(errorText(x.Err))
	case x.Dangling:
		m.Detail = fmt.Sprintf("the CNAME leads to %s, which has no TXT record", x.Target)
	case x.State == resolve.Absent:
		m.Detail = "there is no record"
	case len(x.Records) == 0:
		m.Detail = "the TXT record is no key record"
	}
	for _, rec := range x.Records {
		switch detail := compareKey(rec, k); {
		case detail == "":
			m.Fits = "yes"
			m.Detail = "the published key fits"
			if err := rec.Err(); err != nil {
				m.Detail = fmt.Sprintf("the published key fits, but verifiers do not use its record: %v", err)
			}
		case m.Detail == "":
			m.Detail = detail
		}
	}
	if x.Several() {
		m.Detail += fmt.Sprintf("; %d TXT records stand there, and which of them verifiers take is undefined", len(x.Texts))
	}
	m.Detail = safe.Text(m.Detail)
	return m
}

// compareKey tells how a record differs from the key; empty if it fits.
func compareKey(rec dkim.Record, k keys.Key) string {
	if k.Matches(rec.Key) {
		return ""
	}
	want, err := k.Record()
	if err != nil {
		return err.Error()
	}
	wantP, _ := want.Get("p")
	gotP, _ := rec.Get("p")
	gotP = strings.Join(strings.Fields(gotP), "")
	fixed, repaired := rec.Repaired()
	switch {
	case rec.Key.Revoked:
		return "the key is revoked (p= is empty)"
	case repaired && k.Matches(fixed.Key):
		return "it is this key, but its record was mangled, and verifiers cannot read it"
	case len(gotP) >= 16 && len(gotP) < len(wantP) && strings.HasPrefix(wantP, gotP):
		// Panels that cut a text at 255 characters without a word.
		return fmt.Sprintf("it is this key, cut after %d of %d characters of p=", len(gotP), len(wantP))
	case rec.Key.Type == "":
		return fmt.Sprintf("the published key cannot be read: %v", rec.Err())
	case rec.Key.Type != k.Type():
		return fmt.Sprintf("another key is published: it is of type %s, the private one of type %s", rec.Key.Type, k.Type())
	case rec.Key.Bits != k.Bits():
		return fmt.Sprintf("another key is published: it has %d bits, the private one %d", rec.Key.Bits, k.Bits())
	}
	return "another key is published"
}

// judge draws the conclusion.
func (v *matchView) judge(domain resolve.Name, k keys.Key, found *collected, d dkim.Discovery) error {
	asked, unknown := (*matchedView)(nil), len(d.Unanswered) > 0 || d.Domainkey.State == resolve.Unavailable
	usable := false
	for i, m := range v.Selectors {
		unknown = unknown || m.Fits == "unknown"
		usable = usable || m.Fits == "yes" && m.Usable
		if m.Given && asked == nil {
			asked = &v.Selectors[i]
		}
	}
	others := ""
	if len(v.Matches) > 0 {
		others = fmt.Sprintf("; the key published at selector %s does fit", strings.Join(v.Matches, ", "))
	}
	switch {
	case asked != nil && asked.Fits == "unknown":
		v.Result, v.Explanation = "unknown", fmt.Sprintf("the record of selector %s could not be read: %s", asked.Selector, asked.Detail)
		return nil
	case asked != nil && asked.Fits == "yes":
		v.Result, v.Explanation = "match", asked.Detail
		if !asked.Usable {
			v.Result = "unusable"
		}
	case asked != nil && asked.State == "absent":
		v.Result, v.Explanation = "missing", asked.Detail+" at selector "+asked.Selector+others
	case asked != nil:
		v.Result, v.Explanation = "mismatch", "selector "+asked.Selector+": "+asked.Detail+others
	case len(v.Matches) > 0:
		v.Result, v.Explanation = "match", fmt.Sprintf("the key published at selector %s fits", strings.Join(v.Matches, ", "))
		if !usable {
			v.Result = "unusable"
		}
	case d.Conclusion == dkim.NoKeys:
		v.Result, v.Explanation = "missing", fmt.Sprintf("no selector exists: the name server denies everything below %s", d.Domainkey.Name)
	case unknown:
		v.Result, v.Explanation = "unknown", "not every selector tried did answer, and none that did has this key"
	default:
		v.Result, v.Explanation = "unknown", fmt.Sprintf("none of the %d selectors tried has this key; selectors cannot be listed, so give the one in use with --selector", v.Tried)
	}
	if asked != nil && v.Result != "match" && asked.CNAME == "" {
		name, err := keyName(domain, found.asked[0])
		if err != nil {
			return err
		}
		r, err := k.Record()
		if err != nil {
			return keyError("", err)
		}
		f := viewForms(setup.FormsOf(name, resolve.Name{}, r))
		v.Publish = &f
	}
	return nil
}

func (v *matchView) text(s Streams) error {
	p := newSheet(s)
	p.field("Private key", "%s, SHA-256 of its public half %s", v.Key.words(), v.Key.SHA256[:16])
	p.field("Result", "%s: %s", v.Result, v.Explanation)
	if len(v.Selectors) > 0 {
		p.head("Selectors")
		for _, m := range v.Selectors {
			p.item("%s: %s", m.Selector, m.Detail)
		}
	}
	if v.Publish != nil {
		p.head("To use this key with this selector, publish")
		p.WriteByte('\n')
		p.whole("", v.Publish.Zone)
		if len(v.Matches) > 0 {
			p.WriteByte('\n')
			p.para("Or make the signer use selector %s.", v.Matches[0])
		}
	}
	return p.flush(s.Out)
}
