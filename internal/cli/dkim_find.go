package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type findOptions struct {
	domainFlag
	lookupOptions
	evidence
	clock
	known bool
}

func newDKIMFind(s Streams) *cobra.Command {
	o := &findOptions{}
	cmd := &cobra.Command{
		Use:   "find DOMAIN",
		Short: "Find the selectors of a domain, and say what each answer proves",
		Long: `Find the DKIM selectors of a domain: those that evidence names (--selector, --message,
--reports, --from-archive, --keytable, mailcheck.yaml), then those of the providers
that its MX and SPF records name, then common names. A made-up selector is asked for
as well, so that a wildcard fools nobody.

Selectors cannot be listed. Finding none proves nothing, unless the name server
denies _domainkey itself (RFC 8020).
Exit status: 0 a usable key was found, 1 there is none or those found are unusable,
2 not known, 3 wrong usage.`,
		Example: `  mailcheck dkim find example.org
  mailcheck dkim find example.org --message signed.eml --message ~/Maildir/cur
  mailcheck dkim find example.org --reports ~/dmarc-reports
  mailcheck dkim find example.org --selector s1 --known-only -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.domainFlag.add(cmd)
	o.lookupOptions.add(cmd)
	o.evidence.add(cmd)
	o.clock.add(cmd)
	cmd.Flags().BoolVar(&o.known, "known-only", false, "ask only for the selectors that evidence names: guess none")
	return cmd
}

// findView is the document of schema mailcheck.dkim-find/1.
type findView struct {
	Schema     string         `json:"schema"`
	Domain     string         `json:"domain"`
	Conclusion string         `json:"conclusion"` // found, none or unknown
	Meaning    string         `json:"meaning"`
	Tried      int            `json:"tried"`
	Skipped    int            `json:"skipped"`
	Unanswered []string       `json:"unanswered"`
	Domainkey  probeView      `json:"domainkey"`
	Wildcard   *probeView     `json:"random"` // null if no selector was guessed
	Selectors  []selectorView `json:"selectors"`
	Siblings   []siblingView  `json:"provider_selectors"`
	Partial    []string       `json:"partial"` // evidence that could not be read
}

type probeView struct {
	Name   string   `json:"name"`
	State  string   `json:"state"`
	Error  nullable `json:"error"`
	Proves string   `json:"proves"`
}

type selectorView struct {
	Selector string    `json:"selector"`
	Name     nullable  `json:"name"`
	Sources  []string  `json:"sources"`
	State    string    `json:"state"`
	Error    nullable  `json:"error"`
	CNAME    nullable  `json:"cname"`
	Provider nullable  `json:"provider"`
	Wildcard bool      `json:"wildcard"`
	Usable   bool      `json:"usable"`
	Dated    nullable  `json:"dated"` // the date in the selector's name
	Proves   string    `json:"proves"`
	Records  []pubView `json:"records"`
	Other    []string  `json:"other"`
}

// siblingView is a selector that the provider of a found one also uses.
type siblingView struct {
	Provider string   `json:"provider"`
	Found    []string `json:"found"`
	NotFound []string `json:"not_found"`
}

func (o *findOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	domain, err := o.need(cmd, args)
	if err != nil {
		return err
	}
	now, err := o.now()
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
	opt := dkim.Options{Selectors: found.selectors()}
	if !o.known {
		opt.Candidates, opt.Common = found.candidates(), true
	}
	d := dkim.Discover(ctx, res, domain, opt)
	if err := interrupted(cmd); err != nil {
		return err
	}
	v := viewFind(domain, d, found, now())
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s, found)
	}
	if err != nil {
		return err
	}
	return exit(v.status())
}

func (v *findView) status() int {
	if slices.ContainsFunc(v.Selectors, func(x selectorView) bool { return x.Usable }) {
		return ExitOK
	}
	if v.Conclusion == string(dkim.KeysUnknown) {
		return ExitIncomplete
	}
	return ExitFindings
}

func viewFind(domain resolve.Name, d dkim.Discovery, found *collected, now time.Time) *findView {
	v := &findView{
		Schema: "mailcheck.dkim-find/1", Domain: domain.String(), Conclusion: string(d.Conclusion), Tried: d.Tried, Skipped: d.Skipped,
		Unanswered: list(d.Unanswered), Selectors: []selectorView{}, Siblings: siblings(d), Partial: list(found.partial),
		Domainkey: probeView{d.Domainkey.Name.String(), stateWord(d.Domainkey.State), errorText(d.Domainkey.Err), provesDomainkey(d)},
	}
	if d.Random.Name != (resolve.Name{}) {
		w := probeView{d.Random.Name.String(), stateWord(d.Random.State), errorText(d.Random.Err), "no wildcard answers: what was found is there"}
		switch {
		case d.Random.Exists():
			w.Proves = "a selector made up at random answers: a wildcard stands here, and its answer proves nothing"
		case d.Random.State == resolve.Unavailable:
			w.Proves = "whether a wildcard answers is unknown"
		}
		v.Wildcard = &w
	}
	for _, r := range d.Results {
		v.Selectors = append(v.Selectors, viewSelector(r, found, now))
	}
	v.Meaning = meaning(d, v)
	return v
}

func viewSelector(r dkim.Result, found *collected, now time.Time) selectorView {
	x := selectorView{
		Selector: safe.Text(r.Selector), Name: nameOrNull(r.Name), Sources: []string{}, State: stateWord(r.State), Error: errorText(r.Err), CNAME: nameOrNull(r.Target),
		Provider: providerOf(r.Target), Wildcard: r.Wildcard, Usable: r.Usable() && !r.Several(), Records: []pubView{}, Other: []string{},
	}
	for _, w := range found.why(r.Selector) {
		x.Sources = append(x.Sources, safe.Text(w))
	}
	if t, ok := dkim.SelectorDate(r.Selector, now); ok {
		x.Dated = nullable(t.Format(time.DateOnly))
	}
	for _, rec := range r.Records {
		x.Records = append(x.Records, viewRecord(rec, resolve.Name{}, resolve.Name{}))
	}
	for _, t := range r.Texts {
		if !slices.ContainsFunc(r.Records, func(rec dkim.Record) bool { return rec.Text == t }) {
			x.Other = append(x.Other, safe.Text(t))
		}
	}
	x.Proves = proves(r, found)
	return x
}

// proves says what an answer shows, and no more.
func proves(r dkim.Result, found *collected) string {
	evidence := found.sources[strings.ToLower(r.Selector)] != nil
	switch {
	case errors.Is(r.Err, dkim.ErrSelector):
		return "nothing: it is no selector"
	case r.State == resolve.Unavailable:
		return "nothing: the record could not be read"
	case r.Dangling:
		return fmt.Sprintf("the selector was set up, but the key is missing at %s: signatures with it fail", r.Target)
	case r.State == resolve.Absent:
		return "there is no key: signatures with this selector fail"
	case r.Wildcard:
		return "a wildcard answers, so nobody need have set the selector up"
	case r.Several():
		return "several records: which of them verifiers take is undefined"
	case r.NotKey():
		return "there is a TXT record, but it is no key"
	case !r.Usable() && len(r.Records) > 0 && r.Records[0].Key.Revoked:
		return "the key was retired: signatures with this selector fail"
	case !r.Usable():
		return "a key record stands here, but verifiers cannot use it"
	case evidence:
		return "the selector is in use, and its key is there"
	case !r.Target.IsZero():
		if p := providerOf(r.Target); p != "" {
			return fmt.Sprintf("%s can sign for the domain; whether it does, only a message shows", p)
		}
		return "whoever runs the target can sign for the domain; whether they do, only a message shows"
	}
	return "a key stands here; whether mail is signed with it, only a message shows"
}

func provesDomainkey(d dkim.Discovery) string {
	switch {
	case d.Lying:
		return "nothing: a selector exists below it, so the server breaks RFC 8020"
	case errors.Is(d.Domainkey.Err, resolve.ErrNXDomain) && d.Domainkey.Target.IsZero():
		return "nothing exists below it, if the server follows RFC 8020"
	case errors.Is(d.Domainkey.Err, resolve.ErrNoData):
		return "something exists below it, if the server follows RFC 4592"
	case d.Domainkey.State == resolve.Unavailable:
		return "nothing: it could not be read"
	}
	return "nothing about selectors: a record stands here itself"
}

// meaning sums up.
func meaning(d dkim.Discovery, v *findView) string {
	switch {
	case d.Conclusion == dkim.NoKeys:
		return "The domain has no DKIM keys: the name server denies everything below _domainkey."
	case v.status() == ExitOK:
		return "A key was found. Others may exist under selectors that were not tried."
	case d.Conclusion == dkim.KeyFound:
		return "Key records were found, but none that verifiers can use."
	case len(d.Unanswered) > 0 || d.Domainkey.State == resolve.Unavailable:
		return fmt.Sprintf("Unknown: %d of the %d selectors tried did not answer. Selectors cannot be listed: give one with --selector, or a signed message with --message.", len(d.Unanswered), d.Tried)
	}
	return fmt.Sprintf("Unknown: none of the %d selectors tried has a key, which proves nothing. Selectors cannot be listed: give one with --selector, or a signed message with --message.", d.Tried)
}

// siblings lists the selectors that the providers of found ones use.
func siblings(d dkim.Discovery) []siblingView {
	out := []siblingView{}
	seen := map[string]bool{}
	for _, r := range d.Results {
		if r.Target.IsZero() || r.Wildcard {
			continue
		}
		p, ok := providers.BySelectorTarget(r.Target)
		if !ok || seen[p.ID] {
			continue
		}
		seen[p.ID] = true
		x := siblingView{Provider: p.Name, Found: []string{}, NotFound: []string{}}
		for _, sel := range p.Selectors {
			if sel.Name == "" || strings.Contains(sel.Name, "{") || sel.Type != resolve.TypeCNAME {
				continue
			}
			if slices.ContainsFunc(d.Results, func(o dkim.Result) bool { return strings.EqualFold(o.Selector, sel.Name) && o.Exists() }) {
				x.Found = append(x.Found, sel.Name)
			} else {
				x.NotFound = append(x.NotFound, sel.Name)
			}
		}
		if len(x.Found)+len(x.NotFound) > 1 {
			out = append(out, x)
		}
	}
	return out
}

func (v *findView) text(s Streams, found *collected) error {
	p := newSheet(s)
	p.field("Domain", "%s", v.Domain)
	p.field("Conclusion", "%s", v.Meaning)
	p.field("Tried", "%d selectors", v.Tried)
	p.field("_domainkey", "%s", v.Domainkey.Proves)
	if v.Wildcard != nil {
		p.field("Made-up one", "%s", v.Wildcard.Proves)
	}
	for _, x := range v.Selectors {
		p.WriteByte('\n')
		p.para("%s (%s)", x.Selector, strings.Join(x.Sources, ", "))
		p.hang("", "", 2, x.Proves)
		if x.CNAME != "" {
			by := ""
			if x.Provider != "" {
				by = fmt.Sprintf(" (%s)", x.Provider)
			}
			p.hang("  ", "alias of", 12, string(x.CNAME)+by)
		}
		if x.State == "unknown" {
			p.hang("  ", "error", 12, string(x.Error))
		}
		for _, r := range x.Records {
			p.hang("  ", "key", 12, keyLine(r))
		}
		for _, t := range x.Other {
			p.hang("  ", "other text", 12, safe.Limit(t, 120))
		}
		if x.Dated != "" {
			p.hang("  ", "dated", 12, string(x.Dated)+", by its name")
		}
	}
	for _, x := range v.Siblings {
		if len(x.NotFound) > 0 {
			p.WriteByte('\n')
			p.para("%s rotates between selectors; found are %s, not found %s. Compare with what its panel asks for.", x.Provider, strings.Join(x.Found, ", "), strings.Join(x.NotFound, ", "))
		}
	}
	if len(v.Unanswered) > 0 {
		p.WriteByte('\n')
		p.para("No answer for: %s", strings.Join(v.Unanswered, ", "))
	}
	for _, t := range found.partial {
		p.WriteByte('\n')
		p.para("Not read: %s", t)
	}
	return p.flush(s.Out)
}

func keyLine(r pubView) string {
	var out string
	switch {
	case r.Revoked:
		out = "revoked"
	case r.Key == nil:
		out = "none that can be read"
	case r.Key.Type == dkim.KeyRSA:
		out = fmt.Sprintf("RSA, %d bits", r.Key.Bits)
	default:
		out = "Ed25519"
	}
	for _, x := range r.Problems {
		if x.Effect != string(dkim.Harmless) {
			out += "; " + x.Detail
		}
	}
	return out
}
