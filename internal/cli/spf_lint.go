package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

type spfLintOptions struct {
	lookupOptions
	record string
}

func newSPFLint(s Streams) *cobra.Command {
	o := &spfLintOptions{}
	cmd := &cobra.Command{
		Use:   "lint {DOMAIN | --record TEXT}",
		Short: "Show what is wrong with a record, and the record repaired",
		Long: `Show every syntax error of an SPF record with its place and what was probably
meant, what is legal and does harm, and the repaired record.

The record is the text given with --record (- reads it from standard input), for
which nothing is asked of DNS, or what is published for DOMAIN with all that it
leads to. Exit status: 0 nothing, or nothing worse than a warning, 1 the record
is broken, 2 something could not be read, 3 wrong usage.`,
		Example: `  mailcheck spf lint --record 'v=spf1 ipv4:192.0.2.1~all'
  mailcheck spf lint example.org
  dig +short TXT example.org | tr -d '"' | grep spf1 | mailcheck spf lint --record -`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.record, "record", "", "the `text` of the record, or - to read it from standard input")
	return cmd
}

// spfLintView is the document of schema mailcheck.spf-lint/1.
type spfLintView struct {
	Schema   string           `json:"schema"`
	Domain   nullable         `json:"domain"` // null for a text given
	Records  []spfRecordLint  `json:"records"`
	Near     []nearView       `json:"near_misses"` // texts that were meant as SPF and are read by nobody
	Problems []spfProblemView `json:"problems"`    // that end evaluation; empty for a text given
	Unknown  []spfProblemView `json:"unknown"`
	Lookups  *int             `json:"lookups"` // worst case; null for a text given
	Voids    *int             `json:"void_lookups"`
}

type spfRecordLint struct {
	Record       string            `json:"record"`
	Errors       []syntaxView      `json:"errors"`
	Observations []observationView `json:"observations"`
	Repaired     nullable          `json:"repaired"`  // null if nothing is, or can be, repaired
	Remaining    int               `json:"remaining"` // errors that the repair leaves

	text string
}

type syntaxView struct {
	Offset     int      `json:"offset"` // octets
	End        int      `json:"end"`
	Term       string   `json:"term"`
	Reason     string   `json:"reason"`
	Expected   nullable `json:"expected"`
	Suggestion nullable `json:"suggestion"`
	Drop       bool     `json:"drop"` // best removed
}

type observationView struct {
	Kind       string   `json:"kind"`
	Severity   string   `json:"severity"`
	Term       int      `json:"term"` // index; -1 for the record as a whole
	Text       string   `json:"text"`
	Message    string   `json:"message"`
	Suggestion nullable `json:"suggestion"`
}

type nearView struct {
	Text       string   `json:"text"`
	Reason     string   `json:"reason"`
	Suggestion nullable `json:"suggestion"`
}

type spfProblemView struct {
	Domain  string   `json:"domain"`
	Term    nullable `json:"term"`
	Target  nullable `json:"target"`
	Message string   `json:"message"`
	Every   bool     `json:"every_sender"` // no sender gets a verdict; otherwise those that match earlier do
}

func (o *spfLintOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	given := cmd.Flags().Changed("record")
	if given && len(args) > 0 {
		return usage("drop one of the two", "--record and a domain exclude each other")
	}
	v := &spfLintView{Schema: "mailcheck.spf-lint/1", Records: []spfRecordLint{}, Near: []nearView{}, Problems: []spfProblemView{}, Unknown: []spfProblemView{}}
	if given {
		text, err := recordText(s.In, o.record)
		if err != nil {
			return err
		}
		v.add(text)
		v.near(spf.Select([]string{text}).Near)
	} else {
		domain, err := oneDomain(cmd, args)
		if err != nil {
			return err
		}
		ctx, res, done, err := o.session(cmd.Context(), s)
		if err != nil {
			return err
		}
		defer done()
		a, _ := spf.Analyze(ctx, res, domain, spf.Options{})
		if err := interrupted(cmd); err != nil {
			return err
		}
		switch {
		case a.State == resolve.Unavailable:
			return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the record is unknown: %w", a.Err), Hint: lookupHint(a.Err)}
		case a.State == resolve.Absent && len(a.Near) == 0:
			return &Error{Code: ExitFindings, Err: fmt.Errorf("there is no SPF record at %s", domain), Hint: "mailcheck spf new --domain " + domain.String() + " writes one"}
		}
		v.published(a)
	}
	var err error
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

func (v *spfLintView) published(a spf.Analysis) {
	v.Domain = nullable(a.Domain.String())
	for _, text := range a.Records[:min(len(a.Records), maxLinted)] {
		v.add(text)
	}
	v.near(a.Near)
	v.Problems, v.Unknown = viewSPFProblems(a.Problems, a.Domain), viewSPFProblems(a.Unknown, resolve.Name{})
	v.Lookups, v.Voids = &a.Lookups, &a.Voids
}

// viewSPFProblems leaves out the syntax errors of one record, which are shown
// with their place.
func viewSPFProblems(list []spf.Problem, shown resolve.Name) []spfProblemView {
	out := []spfProblemView{}
	for _, p := range list {
		if p.Domain == shown && errors.Is(p.Err, spf.ErrSyntax) {
			continue
		}
		out = append(out, spfProblemView{p.Domain.String(), nullable(p.Text), nameOrNull(p.Target), spfProblem(p.Err), p.Every})
	}
	return out
}

func (v *spfLintView) near(list []spf.NearMiss) {
	for _, n := range list[:min(len(list), maxLinted)] {
		v.Near = append(v.Near, nearView{safe.Text(n.Text), n.Reason, nullable(n.Suggestion)})
	}
}

func (v *spfLintView) add(text string) {
	r, err := spf.Parse(text)
	x := spfRecordLint{Record: safe.Text(text), Errors: []syntaxView{}, Observations: []observationView{}, text: text}
	syntax, _ := errors.AsType[spf.SyntaxErrors](err)
	for _, e := range syntax {
		x.Errors = append(x.Errors, syntaxView{e.Offset, e.End, safe.Text(e.Term), safe.Text(e.Reason), nullable(e.Expected), nullable(e.Suggestion), e.Drop})
	}
	for _, n := range r.Lint() {
		w := observed[n.Kind]
		message := w.message
		if n.Other >= 0 && n.Other < len(r.Terms) {
			message = strings.ReplaceAll(message, "an earlier term", r.Terms[n.Other].Text)
		}
		x.Observations = append(x.Observations, observationView{string(n.Kind), w.severity, n.Term, safe.Text(n.Text), safe.Text(message), nullable(n.Suggestion)})
	}
	if len(syntax) > 0 {
		fixed, err := r.Repair()
		rest, _ := errors.AsType[spf.SyntaxErrors](err)
		if x.Remaining = len(rest); fixed.Text != text {
			x.Repaired = nullable(fixed.Text)
		}
	}
	v.Records = append(v.Records, x)
}

// observed are the observations by their effect on delivery.
var observed = map[spf.ObservationKind]struct{ severity, message string }{
	spf.AfterAll:        {"warning", "stands after all and is never evaluated"},
	spf.SecondAll:       {"warning", "is a second all and is never evaluated"},
	spf.RedirectIgnored: {"warning", "has no effect beside all"},
	spf.NoEnd:           {"warning", "the record has neither all nor redirect: hosts that are not listed get neutral, as if there were no record"},
	spf.PassAll:         {"error", "lets every host in the world pass"},
	spf.NeutralAll:      {"warning", "says nothing about hosts that are not listed"},
	spf.UnknownModifier: {"notice", "is a modifier that nobody knows, and is ignored"},
	spf.LikelyMistake:   {"warning", "is read as an unknown modifier and ignored"},
	spf.Duplicate:       {"notice", "matches only what an earlier term has matched"},
	spf.Covered:         {"notice", "lies inside an earlier term"},
	spf.UsesPTR:         {"warning", "uses ptr, which is slow, fails at large receivers and should not be published (RFC 7208, Section 5.5)"},
	spf.SenderMacro:     {"notice", "depends on the sender, so that receivers cannot cache its answers"},
	spf.HostBits:        {"notice", "has bits set beyond its prefix length: the whole network matches"},
	spf.SpecialRange:    {"warning", "holds private or reserved addresses, which never send over the Internet"},
	spf.WideRange:       {"warning", "is a very wide range: everybody in it passes"},
	spf.Widened:         {"notice", "matches the neighbours of these hosts too"},
	spf.NotPassInclude:  {"warning", "turns what the included record passes into another result"},
	spf.TrailingDot:     {"notice", "ends with a dot, which should not be published (RFC 7208, Section 7.3)"},
	spf.OddTarget:       {"warning", "leads to something that is no name to look up"},
}

// status is 1 if evaluation ends without a verdict, or everybody passes.
func (v *spfLintView) status() int {
	if len(v.Problems) > 0 || len(v.Records) != 1 {
		return ExitFindings
	}
	for _, o := range v.Records[0].Observations {
		if o.Severity == "error" {
			return ExitFindings
		}
	}
	switch {
	case len(v.Records[0].Errors) > 0:
		return ExitFindings
	case len(v.Unknown) > 0:
		return ExitIncomplete
	}
	return ExitOK
}
