package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/flatten"
)

type spfFlattenOptions struct {
	lookupOptions
	domain   string
	includes []string
	lock     string
	fromLock bool
	maxAge   time.Duration
}

func newSPFFlatten(s Streams) *cobra.Command {
	o := &spfFlattenOptions{}
	cmd := &cobra.Command{
		Use:   "flatten --domain DOMAIN --include NAME",
		Short: "Replace an include by the networks that it passes",
		Long: `Replace the includes that you name, and no others, by their networks, in records
of your own at _spf-<vendor>.DOMAIN. What depends on the sender (exists, ptr,
macros) stays as it is, and every address is proven to have the same result.

Flattening has a price: when the provider moves, mail is refused until the copy is
renewed, and addresses that the provider gives up still pass. 'mailcheck spf
narrow' or 'mailcheck spf remove' is better if a term is not needed. Keep the file
of --lock, and run 'mailcheck spf drift --lock FILE' every day.

--from-lock prints the records of the lock again, and refuses one that is too old.
Exit status: 0, 1 refused, 2 a lookup failed, 3 wrong usage.`,
		Example: `  mailcheck spf flatten --domain example.org --include _spf.example.com --lock spf.lock
  mailcheck spf flatten --domain example.org --include amazon-ses -o json
  mailcheck spf flatten --from-lock --lock spf.lock`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&o.domain, "domain", "", "`domain` whose record is flattened")
	fs.StringArrayVar(&o.includes, "include", nil, "`name` of an include of the record, or ID of its provider, repeatable")
	fs.StringVar(&o.lock, "lock", "", "`file` that keeps what was copied from where and when")
	fs.BoolVar(&o.fromLock, "from-lock", false, "print the records of the lock, and ask nothing")
	fs.DurationVar(&o.maxAge, "max-age", flatten.MaxAge, "age from which a lock is refused")
	return cmd
}

// spfFlattenView is the document of schema mailcheck.spf-flatten/1.
type spfFlattenView struct {
	Schema     string           `json:"schema"`
	Domain     string           `json:"domain"`
	Old        nullable         `json:"old"` // null if read from a lock
	Record     nullable         `json:"record"`
	Lookups    *int             `json:"lookups"`
	OldLookups *int             `json:"old_lookups"`
	Records    []flatten.Record `json:"records"` // to publish first
	Includes   []flattenedView  `json:"includes"`
	Edits      []fix.Edit       `json:"edits"`
	Repaired   []differenceView `json:"repaired"` // permerror before, and not any more; all other results are equal
	LockFile   nullable         `json:"lock_file"`
}

type flattenedView struct {
	Include  string   `json:"include"`
	Provider nullable `json:"provider"`
	Name     string   `json:"name"`
	Time     string   `json:"time"`
	Hash     string   `json:"hash"`
	Networks int      `json:"networks"`
	Terms    []string `json:"terms"` // kept, as they depend on the sender
	Hosts    []string `json:"hosts"` // a and mx terms, whose addresses were copied
}

func (o *spfFlattenOptions) run(cmd *cobra.Command, s Streams) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.maxAge <= 0 {
		return usage("for example --max-age 168h", "--max-age must be positive")
	}
	if o.fromLock {
		return o.reprint(s)
	}
	domain, err := ownDomain(cmd, o.domain)
	if err != nil {
		return err
	}
	if len(o.includes) == 0 {
		return usage("name each one with --include; 'mailcheck spf tree "+domain.String()+"' shows them", "no include named: flattening is done for those that you ask for only")
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	names, err := includeNames(o.includes)
	if err != nil {
		return err
	}
	p, err := flatten.Make(ctx, res, domain, names, flatten.Options{Now: time.Now(), Label: vendorLabel})
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	if err != nil {
		return flattenError(err, domain)
	}
	v := spfFlattenView{
		Schema: "mailcheck.spf-flatten/1", Domain: domain.String(), Old: nullable(p.Old), Record: nullable(p.New), Lookups: &p.After, OldLookups: &p.Before,
		Records: p.Records, Includes: viewFlattened(p.Includes), Repaired: viewDifferences(p.Repaired), LockFile: nullable(o.lock), Edits: []fix.Edit{},
	}
	for _, r := range p.Records {
		v.Edits = append(v.Edits, fix.Edit{Name: r.Name, Type: resolve.TypeTXT, Op: fix.AddRecord, Value: r.Text, Why: "the copy of an include"})
	}
	v.Edits = append(v.Edits, fix.Edit{Name: domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: p.Old, Value: p.New, Why: "include the copy"})
	if o.lock != "" {
		if err := writeLock(s, o.lock, p.Lock()); err != nil {
			return err
		}
	}
	return v.print(s, o.format)
}

// includeNames reads names, and IDs of providers that have one include.
func includeNames(words []string) ([]resolve.Name, error) {
	var out []resolve.Name
	for _, w := range words {
		if row, ok := providers.ByID(strings.ToLower(w)); ok && len(row.Includes) > 0 {
			out = append(out, row.Includes[0])
			continue
		}
		n, err := parseDomain(strings.TrimPrefix(w, "include:"), "--include")
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// vendorLabel names a copy after the provider.
func vendorLabel(include resolve.Name) string {
	row, _ := providers.ByInclude(include)
	if len(row.Includes) > 1 {
		return "" // several includes of one provider need several names
	}
	return row.ID
}

func flattenError(err error, domain resolve.Name) error {
	e := &Error{Code: ExitFindings, Err: err, Hint: "mailcheck spf tree " + domain.String() + " shows what the record leads to"}
	switch {
	case errors.Is(err, flatten.ErrUnknown):
		e.Code, e.Hint = ExitIncomplete, lookupHint(err)
	case errors.Is(err, flatten.ErrNoGain), errors.Is(err, flatten.ErrOwnName), errors.Is(err, flatten.ErrTooLarge):
		e.Hint = "leave the include as it is"
	case errors.Is(err, flatten.ErrNotIncluded), errors.Is(err, flatten.ErrBroken), errors.Is(err, flatten.ErrDiffers):
	default:
		e.Code = ExitIncomplete
	}
	return e
}

func viewFlattened(list []flatten.Include) []flattenedView {
	out := []flattenedView{}
	for _, x := range list {
		out = append(out, flattenedView{
			x.Include.String(), nullable(includeOwner(spf.Include, x.Include)), x.Name.String(), x.Time.Format(time.RFC3339), x.Hash, len(x.Networks),
			append([]string{}, x.Terms...), append([]string{}, x.Hosts...),
		})
	}
	return out
}

// writeLock writes the lock so that it appears only when whole.
func writeLock(s Streams, path string, l flatten.Lock) error {
	text, err := l.Marshal()
	if err != nil {
		return err
	}
	out, err := openOutput(s.Out, path)
	if err != nil {
		return err
	}
	defer out.abandon()
	if _, err := out.Write(text); err != nil {
		return err
	}
	return out.commit()
}

func readLock(s Streams, path string) (flatten.Lock, error) {
	if path == "" {
		return flatten.Lock{}, usage("it is what 'mailcheck spf flatten --lock FILE' wrote", "no --lock given")
	}
	text, err := readFile(s.In, path, 8<<20)
	if err != nil {
		return flatten.Lock{}, err
	}
	l, err := flatten.ParseLock(text)
	if err != nil {
		return l, &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", path, err), Hint: "make a new one: mailcheck spf flatten --lock"}
	}
	return l, nil
}

// reprint prints the records of a lock that is not stale.
func (o *spfFlattenOptions) reprint(s Streams) error {
	l, err := readLock(s, o.lock)
	if err != nil {
		return err
	}
	if err := l.Fresh(flatten.Options{Now: time.Now(), MaxAge: o.maxAge}); err != nil {
		return &Error{Code: ExitFindings, Err: err, Hint: "copy it anew: mailcheck spf flatten --domain " + l.Domain.String() + " --lock " + o.lock + " --include …"}
	}
	v := spfFlattenView{Schema: "mailcheck.spf-flatten/1", Domain: l.Domain.String(), Includes: viewFlattened(l.Includes), Repaired: []differenceView{}, Records: []flatten.Record{}, Edits: []fix.Edit{}, LockFile: nullable(o.lock)}
	for _, x := range l.Includes {
		v.Records = append(v.Records, x.Records...)
	}
	return v.print(s, o.format)
}

func (v spfFlattenView) print(s Streams, format string) error {
	if format == "json" {
		return printJSON(s.Out, v)
	}
	p := newSheet(s)
	p.para("Publish first:")
	for _, r := range v.Records {
		p.whole("", fmt.Sprintf("%s IN TXT %s", r.Name.FQDN(), resolve.SplitTXT(r.Text)))
	}
	if v.Record != "" {
		p.WriteByte('\n')
		p.para("and then at %s, in place of the old record:", v.Domain)
		p.whole("", zoneLine(v.Domain, string(v.Record)))
	}
	p.WriteByte('\n')
	if v.Lookups != nil {
		p.field("Lookups", "at worst %d of %d, before %d", *v.Lookups, spf.MaxLookups, *v.OldLookups)
		p.field("Proof", "every address has the result that it had")
	}
	for _, d := range v.Repaired {
		p.field("Repaired", "from %s to %s: %s", d.Old, d.New, d.words())
	}
	for _, x := range v.Includes {
		p.field("Copied", "%s (%s), %s, at %s", x.Include, cmp.Or(string(x.Provider), "provider not known"), plural(x.Networks, "network", "networks"), x.Time)
		if len(x.Terms) > 0 {
			p.field("", "kept, as they depend on the sender: %s", strings.Join(x.Terms, " "))
		}
		if len(x.Hosts) > 0 {
			p.field("", "copied, though the answer may depend on who asks: %s", strings.Join(x.Hosts, " "))
		}
	}
	if v.Record != "" {
		p.WriteByte('\n')
		p.para("The copy ages: what the provider adds is refused, what it gives up still passes.")
		lock := cmp.Or(string(v.LockFile), "FILE")
		if v.LockFile == "" {
			writeNext(p, "run it with --lock FILE, and 'mailcheck spf drift --lock FILE' every day")
		} else {
			writeNext(p, "mailcheck spf drift --lock "+lock+", every day")
		}
	}
	return p.flush(s.Out)
}
