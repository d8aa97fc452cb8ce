package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

type spfNarrowOptions struct {
	lookupOptions
	domain   string
	evidence string
	exact    bool
	plan     string
}

func newSPFNarrow(s Streams) *cobra.Command {
	o := &spfNarrowOptions{}
	cmd := &cobra.Command{
		Use:   "narrow --domain DOMAIN --evidence FILE",
		Short: "Propose the narrowest record that passes the mail that was seen",
		Long: `Propose the narrowest record that still passes all legitimate mail in the evidence:
terms by which nothing passed are dropped, wide ranges shrink to what was seen,
includes that are used stay whole. Each step says what it stops and what evidence
it rests on; the whole is proven for every address.

The evidence is JSON,
  {"schema": "mailcheck.spf-evidence/1", "days": 60, "hosts": [
    {"ip": "192.0.2.1", "domain": "example.org", "count": 120, "legitimate": true}]}
or CSV with the columns ip, domain, count and legitimate, of which ip is needed,
and a first line "# days: 60". Without a domain (that of MAIL FROM) it is the one
of --domain; mail is legitimate unless the evidence denies it.

Exit status: 0 a proposal, or nothing to narrow; 1 there is no usable record; 2 the
evidence is too thin to rely on the proposal, or a lookup failed; 3 wrong usage.`,
		Example: `  mailcheck spf narrow --domain example.org --evidence senders.csv
  mailcheck reports evidence --domain example.org | mailcheck spf narrow --domain example.org --evidence - --plan plan.json
  mailcheck spf narrow --domain example.org --evidence senders.json --exact -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd, s) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.domain, "domain", "", "`domain` whose record is narrowed")
	cmd.Flags().StringVar(&o.evidence, "evidence", "", "`file` with the mail that was seen, - for standard input")
	cmd.Flags().StringVar(&o.plan, "plan", "", "save the change to a `file`, for 'fix apply', unless the evidence is thin")
	cmd.Flags().BoolVar(&o.exact, "exact", false, "shrink small ranges too, to the addresses that were seen")
	return cmd
}

// spfNarrowView is the document of schema mailcheck.spf-narrow/1.
type spfNarrowView struct {
	Schema     string           `json:"schema"`
	Domain     string           `json:"domain"`
	Old        string           `json:"old"`
	Record     string           `json:"record"`
	Unchanged  bool             `json:"unchanged"`
	Lookups    int              `json:"lookups"`
	OldLookups int              `json:"old_lookups"`
	Evidence   evidenceView     `json:"evidence"`
	Steps      []narrowStepView `json:"steps"`
	Edits      []fix.Edit       `json:"edits"`
	Results    []differenceView `json:"result_changes"`
	NotPassing []seenView       `json:"not_passing"` // legitimate, and passing neither before nor after
	Refused    []seenView       `json:"refused"`     // not legitimate, and passing before only
	Passing    []seenView       `json:"passing"`     // not legitimate, and passing still
}

type evidenceView struct {
	Days      int      `json:"days"` // 0: not known
	Hosts     int      `json:"hosts"`
	Mails     uint64   `json:"mails"`
	Elsewhere uint64   `json:"other_domains"` // mails that this record does not matter to
	Thin      bool     `json:"thin"`
	Why       []string `json:"why_thin"`
}

type narrowStepView struct {
	Term   string        `json:"term"`
	Action string        `json:"action"`
	New    nullable      `json:"new"`
	Why    string        `json:"why"`
	Hosts  int           `json:"hosts"`
	Mails  uint64        `json:"mails"`
	Stops  addressesView `json:"stops"`
	Record string        `json:"record"`
}

type seenView struct {
	IP    string `json:"ip"`
	Count uint64 `json:"count"`
}

func (o *spfNarrowOptions) run(cmd *cobra.Command, s Streams) error {
	domain, err := ownDomain(cmd, o.domain)
	if err != nil {
		return err
	}
	if err := o.check(cmd); err != nil {
		return err
	}
	if o.evidence == "" {
		return usage("mailcheck spf narrow --help shows its form", "no --evidence given")
	}
	text, err := readFile(s.In, o.evidence, narrow.MaxOctets)
	if err != nil {
		return err
	}
	e, err := narrow.Parse(text)
	if err != nil {
		return &Error{Code: ExitUsage, Err: fmt.Errorf("%s: %w", o.evidence, err), Hint: "mailcheck spf narrow --help shows the form of evidence"}
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	p, err := narrow.Propose(ctx, res, domain, e, narrow.Options{Exact: o.exact})
	if stopped := interrupted(cmd); stopped != nil {
		return stopped
	}
	switch {
	case errors.Is(err, narrow.ErrRecord):
		return &Error{Code: ExitFindings, Err: err, Hint: "mailcheck spf lint " + domain.String()}
	case errors.Is(err, narrow.ErrNoEvidence):
		return &Error{Code: ExitIncomplete, Err: err, Hint: "the evidence has to name this domain as that of MAIL FROM"}
	case err != nil:
		return &Error{Code: ExitIncomplete, Err: err, Hint: lookupHint(err)}
	}
	v := viewNarrow(p)
	if o.format == "json" {
		err = printJSON(s.Out, v)
	} else {
		err = v.text(s)
	}
	if err != nil {
		return err
	}
	if v.Evidence.Thin {
		return exit(ExitIncomplete)
	}
	return o.save(ctx, res, p, v.Edits)
}

// save writes the change as a plan. Thin evidence never becomes one.
func (o *spfNarrowOptions) save(ctx context.Context, r *resolver, p narrow.Plan, edits []fix.Edit) error {
	if o.plan == "" || len(edits) == 0 {
		return nil
	}
	changes, err := fix.Merge(edits, func(n resolve.Name, t resolve.Type) ([]resolve.Record, error) {
		a, err := r.Resolve(ctx, resolve.Question{Name: n, Type: t})
		if err == nil && len(a.Chain) > 0 {
			err = fmt.Errorf("%s is an alias: the record has to be changed at %s", n, a.Chain[len(a.Chain)-1].Target)
		}
		return a.Records, err
	})
	if err != nil || len(changes) != 1 {
		return &Error{Code: ExitIncomplete, Err: fmt.Errorf("no plan: %w", err), Hint: lookupHint(err)}
	}
	plan := onePlan(p.Domain, time.Now(), fix.Step{ID: "spf-1", Title: "narrow the SPF record at " + p.Domain.String(), Risk: fix.High, Change: &changes[0],
		Why:    []string{fmt.Sprintf("narrowed to the %d mails that were seen in %d days (sending hosts: %d), all of which still pass", p.Mails, p.Days, p.Hosts)},
		Breaks: "mail from an address that the record leaves out fails SPF: without an aligned signature it is junked or refused"})
	r.wholeTTL(ctx, plan)
	return savePlan(o.plan, plan)
}

// readFile reads a file of bounded size, or standard input.
func readFile(in io.Reader, path string, limit int64) ([]byte, error) {
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, usage("name a readable file, or - for standard input", "%w", err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, usage("name a readable file, or - for standard input", "%s: %w", path, err)
	}
	return text, nil
}

func viewNarrow(p narrow.Plan) spfNarrowView {
	v := spfNarrowView{
		Schema: "mailcheck.spf-narrow/1", Domain: p.Domain.String(), Old: safe.Text(p.Old), Record: safe.Text(p.New), Unchanged: p.Old == p.New,
		Lookups: p.After, OldLookups: p.Before, Results: viewDifferences(p.Changes), Steps: []narrowStepView{}, Edits: []fix.Edit{},
		Evidence:   evidenceView{p.Days, p.Hosts, p.Mails, p.Elsewhere, len(p.Thin) > 0, append([]string{}, p.Thin...)},
		NotPassing: viewSeen(p.NotPassing), Refused: viewSeen(p.Refused), Passing: viewSeen(p.Passing),
	}
	for _, x := range p.Steps {
		v.Steps = append(v.Steps, narrowStepView{safe.Text(x.Term), string(x.Action), nullable(x.New), safe.Text(x.Why), x.Hosts, x.Mails, viewAddresses(x.Stops), safe.Text(x.Record)})
	}
	if !v.Unchanged {
		v.Edits = append(v.Edits, fix.Edit{Name: p.Domain, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: p.Old, Value: p.New, Why: "authorize only what sends"})
	}
	return v
}

func viewSeen(list []narrow.Host) []seenView {
	out := []seenView{}
	for _, h := range list {
		out = append(out, seenView{h.IP.String(), h.Count})
	}
	return out
}

func (v spfNarrowView) text(s Streams) error {
	p := newSheet(s)
	period := "over a period that is not known"
	if v.Evidence.Days > 0 {
		period = "over " + plural(v.Evidence.Days, "day", "days")
	}
	p.para("Evidence for %s: %s legitimate mails from %s, %s", v.Domain, grouped(v.Evidence.Mails), plural(v.Evidence.Hosts, "host", "hosts"), period)
	if v.Evidence.Thin {
		p.WriteByte('\n')
		p.para("THIN EVIDENCE: do not rely on what follows.")
		for _, w := range v.Evidence.Why {
			p.item("%s", w)
		}
	}
	p.WriteByte('\n')
	for _, x := range v.Steps {
		words := x.Term
		if x.New != "" {
			words += " by " + string(x.New)
		}
		p.hang("", x.Action, 9, words)
		p.hang("", "", 9, x.Why+seenWords(x))
		if len(x.Stops.Ranges) > 0 {
			p.hang("", "", 9, "stops "+x.Stops.words())
		}
	}
	writeSeen(p, "Legitimate, and not passing today: add it first", v.NotPassing)
	writeSeen(p, "Not legitimate, and stopped", v.Refused)
	writeSeen(p, "Not legitimate, and passing still", v.Passing)
	p.WriteByte('\n')
	if v.Unchanged {
		p.para("Nothing to narrow.")
		return p.flush(s.Out)
	}
	title := "Publish at %s, in place of the old record:"
	if v.Evidence.Thin {
		title = "What would be published at %s, if the evidence were enough:"
	}
	p.para(title, v.Domain)
	p.whole("", zoneLine(v.Domain, v.Record))
	p.field("Lookups", "at worst %d of %d, before %d", v.Lookups, spf.MaxLookups, v.OldLookups)
	p.head("What changes")
	writeDifferences(p, v.Results)
	return p.flush(s.Out)
}

func seenWords(x narrowStepView) string {
	if x.Hosts == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s mails from %s)", grouped(x.Mails), plural(x.Hosts, "host", "hosts"))
}

func writeSeen(p *sheet, title string, list []seenView) {
	if len(list) == 0 {
		return
	}
	p.head(title)
	var words []string
	for _, h := range list[:min(len(list), maxShownRanges)] {
		words = append(words, fmt.Sprintf("%s (%s)", h.IP, grouped(h.Count)))
	}
	if more := len(list) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("and %d more", more))
	}
	p.item("%s", strings.Join(words, ", "))
}
