package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

type dmarcLintOptions struct {
	lookupOptions
	record string
}

func newDMARCLint(s Streams) *cobra.Command {
	o := &dmarcLintOptions{}
	cmd := &cobra.Command{
		Use:   "lint {DOMAIN | --record TEXT}",
		Short: "Show what is wrong with a record, and the record repaired",
		Long: `Show every problem of a DMARC record with its place, what receivers of either
generation make of it, and the repaired record where only one repair is sensible.

The record is the text given with --record (- reads it from standard input), or
what is published for DOMAIN. Exit status: 0 nothing, or nothing worse than a
warning, 1 the record is broken, 2 it could not be read, 3 wrong usage.`,
		Example: `  mailcheck dmarc lint --record 'v=DMARC1; p=rejct; rua=mailto:d@example.org'
  mailcheck dmarc lint example.org
  dig +short TXT _dmarc.example.org | tr -d '"' | mailcheck dmarc lint --record -`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, s, args) },
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.record, "record", "", "the `text` of the record, or - to read it from standard input")
	return cmd
}

func (o *dmarcLintOptions) run(cmd *cobra.Command, s Streams, args []string) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	given := cmd.Flags().Changed("record")
	if given && len(args) > 0 {
		return usage("drop one of the two", "--record and a domain exclude each other")
	}
	v := lintView{Schema: "mailcheck.dmarc-lint/1", Records: []recordLint{}}
	switch {
	case given:
		text, err := recordText(s.In, o.record)
		if err != nil {
			return err
		}
		v.add(text)
	default:
		domain, err := oneDomain(cmd, args)
		if err != nil {
			return err
		}
		if err := o.published(cmd, s, domain, &v); err != nil {
			return err
		}
	}
	err := error(nil)
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

// maxRecordText bounds what is read from standard input: more than a TXT record
// can hold.
const maxRecordText = 1 << 17

func recordText(in io.Reader, flag string) (string, error) {
	if flag != "-" {
		return flag, nil
	}
	b, err := io.ReadAll(io.LimitReader(in, maxRecordText))
	if err != nil {
		return "", usage("give the text with --record", "standard input: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

func (o *dmarcLintOptions) published(cmd *cobra.Command, s Streams, domain resolve.Name, v *lintView) error {
	name, err := domain.Below("_dmarc")
	if err != nil {
		return usage("receivers cannot ask it either", "no record can be published for %s: %w", domain, err)
	}
	ctx, res, done, err := o.session(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer done()
	a, err := res.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	if err := interrupted(cmd); err != nil {
		return err
	}
	switch resolve.StateOf(err) {
	case resolve.Unavailable:
		return &Error{Code: ExitIncomplete, Err: fmt.Errorf("the record is unknown: %w", err), Hint: "try again, or give its text with --record"}
	case resolve.Absent:
		return &Error{Code: ExitFindings, Err: fmt.Errorf("there is no record at %s", name), Hint: "mailcheck dmarc check " + domain.String() + " shows which record applies"}
	}
	v.Name = nullable(name.String())
	for _, t := range a.TXT() {
		if len(v.Records) == maxLinted {
			break
		}
		v.add(t.Joined())
	}
	for _, r := range v.Records {
		if r.IsRecord {
			v.count++
		}
	}
	return nil
}

// maxLinted bounds the records shown for one name.
const maxLinted = 20

// lintView is the document of schema mailcheck.dmarc-lint/1.
type lintView struct {
	Schema  string       `json:"schema"`
	Name    nullable     `json:"name"` // null for a text given
	Records []recordLint `json:"records"`

	count int // DMARC records at Name
}

type recordLint struct {
	Record         string      `json:"record"`
	IsRecord       bool        `json:"is_record"`
	Class          string      `json:"class"`
	Problems       []faultView `json:"problems"`
	RFC9989        effectView  `json:"rfc9989"`
	RFC7489        effectView  `json:"rfc7489"`
	Repaired       nullable    `json:"repaired"`         // null if nothing, or nothing sure, is to be repaired
	RepairedEffect *effectView `json:"repaired_rfc9989"` // what the repaired record does
	Remaining      int         `json:"remaining"`        // problems that the repair leaves

	text string
}

type faultView struct {
	Kind       string   `json:"kind"`
	Severity   string   `json:"severity"`
	Tag        nullable `json:"tag"`
	Offset     int      `json:"offset"` // octets
	Message    string   `json:"message"`
	RFC9989    string   `json:"rfc9989"`
	RFC7489    string   `json:"rfc7489"`
	Suggestion nullable `json:"suggestion"`
}

type effectView struct {
	Applies  bool     `json:"applies"`
	Off      bool     `json:"off"`
	P        nullable `json:"p"`
	SP       nullable `json:"sp"`
	NP       nullable `json:"np"`
	Testing  bool     `json:"testing"`
	Percent  int      `json:"pct"`
	Disputed bool     `json:"disputed"`
	Why      string   `json:"why"`
}

func viewEffect(e dmarc.Effect) effectView {
	return effectView{e.Applies, e.Off, nullable(e.P), nullable(e.SP), nullable(e.NP), e.Testing, e.Percent, e.Disputed, safe.Text(e.Why)}
}

func viewFaults(r dmarc.Record) []faultView {
	out := []faultView{}
	for _, p := range r.Problems {
		now, old := r.Consequence(p)
		out = append(out, faultView{
			Kind: string(p.Kind), Severity: weight(r, p), Tag: nullable(p.Tag), Offset: p.Offset, Message: safe.Text(p.Message),
			RFC9989: safe.Text(now), RFC7489: safe.Text(old), Suggestion: nullable(p.Suggestion),
		})
	}
	return out
}

func (v *lintView) add(text string) {
	r, err := dmarc.Parse(text)
	x := recordLint{
		Record: safe.Text(text), IsRecord: err == nil, Class: string(dmarc.Classify(text)), Problems: viewFaults(r),
		RFC9989: viewEffect(r.Effect()), RFC7489: viewEffect(r.EffectRFC7489()), text: r.String(),
	}
	if fixed := repaired(r); fixed.String() != r.String() {
		e := viewEffect(fixed.Effect())
		x.Repaired, x.RepairedEffect, x.Remaining = nullable(fixed.String()), &e, len(fixed.Problems)
	}
	v.Records = append(v.Records, x)
}

// maxRepairs bounds the repairs of one record; each takes a problem away, so it
// is met only by a text that is nothing but problems.
const maxRepairs = 100

// repaired makes the repairs that leave no choice. A pct that samples is left:
// whether the policy or the share was meant, only its owner knows.
func repaired(r dmarc.Record) dmarc.Record {
	for range maxRepairs {
		done := false
		for _, p := range r.Problems {
			if p.Kind == dmarc.RemovedTag && p.Tag == "pct" && r.Percent < 100 {
				continue
			}
			next, err := r.Repair(p)
			if err != nil || errors.Is(parseError(next), dmarc.ErrNotDMARC) && p.Kind != dmarc.Quoted && p.Kind != dmarc.LeadingText {
				continue
			}
			r, done = next, true
			break
		}
		if !done {
			break
		}
	}
	return r
}

func parseError(r dmarc.Record) error {
	_, err := dmarc.Parse(r.String())
	return err
}

// status is 1 if a record is broken, or if there are several or none.
func (v *lintView) status() int {
	for _, r := range v.Records {
		for _, p := range r.Problems {
			if p.Severity == "error" && (v.Name == "" || r.IsRecord || likelyMistake(dmarc.Class(r.Class))) {
				return ExitFindings
			}
		}
	}
	if v.Name != "" && v.count != 1 {
		return ExitFindings
	}
	return ExitOK
}
