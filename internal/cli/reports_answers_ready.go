package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/reports/insight"
)

func newReportsReadiness(s Streams) *cobra.Command {
	o := &answerOptions{}
	var small bool
	cmd := &cobra.Command{
		Use:   "readiness",
		Short: "Is the next stage of the DMARC policy safe?",
		Long: fmt.Sprintf(`Tell whether the next stage of the policy is safe, by replaying the mail of the last
%d days with reports under it: what share of real mail it would hit, which sources
stand in the way and how to fix them, and what the verdict rests on.

It says yes if every source that sends for the domain passes for %.0f%% of its mail, and
no more than %.0f%% comes from sources that nobody can place; and only on reports of %d
days from %d reporters, a large one among them, about %d messages, none of them
older than %d days, from a stage that has lasted %d days. --small asks for less mail
over a longer time. Forged mail is left out. Say what you know with --ours,
--forwarder and --forger.

Without --dns the stage is the one that the reports tell.
Exit status: 0 safe, 1 not safe, 2 not known, 3 wrong usage, 4 the archive failed.
At the end of the way the question is whether it is safe to stay there.`,
			insight.ReadyWindow, insight.ReadyShare*100, insight.ReadyUnknown*100, insight.ReadyDays, insight.ReadyReporters, insight.ReadyMessages, insight.ReadyFresh, insight.ReadyStage),
		Example: `  mailcheck reports readiness --domain example.org --dns
  mailcheck reports readiness --domain example.org --forger 198.51.100.0/24 -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return o.readiness(cmd, s, args, small) },
	}
	o.add(cmd, tables...)
	cmd.Flags().BoolVar(&small, "small", false, "the domain sends hardly any mail: take less of it for enough, over a longer time")
	return cmd
}

func (o *answerOptions) readiness(cmd *cobra.Command, s Streams, args []string, small bool) error {
	q, done, err := o.query(cmd, s, args)
	if err != nil {
		return err
	}
	defer done()
	v, err := q.Readiness(cmd.Context(), insight.ReadyOptions{Small: small})
	if err != nil {
		return storeError("this archive", err)
	}
	o.unmatched(s, v.Unmatched)
	for i := range v.Domains {
		noNull(&v.Domains[i].Reasons)
	}
	a := answer{title: "Readiness for the next stage"}
	a.json = readinessView{"mailcheck.reports-readiness/1", v}
	a.table.head = strings.Fields("domain answer stage next_stage real_messages hit_messages hit_share doubtful_messages forged_messages days reporters messages first last reasons")
	blocking := table{title: "In the way", head: []string{"domain", "source", "class", "messages", "failing", "pass share", "fix"}}
	for _, x := range v.Domains {
		a.table.row(x.Domain, string(x.Answer), x.Stage, x.Next, x.Real, x.Hit, x.HitShare, x.Doubtful, x.Forged, x.Evidence.Days, x.Evidence.Reporters, x.Evidence.Messages, x.Evidence.First, x.Evidence.Last, verdictTexts(x.Reasons))
		for _, b := range append(x.Blocking[:len(x.Blocking):len(x.Blocking)], x.ToLabel...) {
			blocking.row(x.Domain, b.Source, string(b.Class), b.Messages, b.Failing, b.Share, fixWords(b.Fixes))
		}
	}
	a.more = []table{blocking}
	switch v.Answer {
	case insight.NotSafe:
		a.code = ExitFindings
	case insight.NotKnown:
		a.code = ExitIncomplete
	}
	if len(v.Domains) == 0 {
		a.empty = o.nothing(cmd, "aggregate report")
	}
	a.text = func(p *sheet) {
		for i, d := range v.Domains {
			if i > 0 {
				p.WriteByte('\n')
			}
			readinessText(p, d)
		}
	}
	return o.print(s, a)
}

func verdictTexts(list []insight.Reason) string {
	var out []string
	for _, r := range list {
		out = append(out, r.Text)
	}
	return strings.Join(out, "; ")
}

var answerWords = map[insight.Answer]string{insight.Safe: "SAFE", insight.NotSafe: "NOT SAFE", insight.NotKnown: "NOT KNOWN"}

func readinessText(p *sheet, d insight.DomainReadiness) {
	readinessBody(p, d)
	readinessNext(p, d)
}

func readinessBody(p *sheet, d insight.DomainReadiness) {
	step := "going on to " + d.Next
	switch {
	case d.Next == "" && d.Stage == "":
		step = "the next stage"
	case d.Next == "":
		step = "staying at " + d.Stage + ", the end of the way,"
	}
	p.para("%s: %s is %s", d.Domain, step, answerWords[d.Answer])
	p.WriteByte('\n')
	if d.Stage != "" {
		from := "by the reports"
		if d.StageFrom == "dns" {
			from = "by DNS"
		}
		p.field("Stage", "%s, %s", d.Stage, from)
	}
	stage := "the next stage"
	if d.Next == "" {
		stage = "the policy"
	}
	e := d.Evidence
	p.field("Evidence", "%s in %s from %s, %s with reports, %s", messages(e.Messages), plural(int(e.Reports), "report", "reports"), plural(e.Reporters, "reporter", "reporters"), plural(e.Days, "day", "days"), windowWords(insight.Window{First: e.First, Last: e.Last}))
	p.field("Real mail", "%s; %s would hit %s of them (%s)", messages(d.Real), stage, counted(d.Hit), rate(d.HitShare))
	if d.Hit > 0 {
		p.field("", "own sources %s, forwarded %s, mailing lists %s", counted(d.HitOwn), counted(d.HitForwarding), counted(d.HitList))
	}
	if d.Doubtful > 0 {
		p.field("Doubtful", "%s that nobody can place (%s)", messages(d.Doubtful), rate(d.DoubtfulShare))
	}
	if d.Forged > 0 {
		p.field("Forged", "%s, not counted", messages(d.Forged))
	}
	if len(d.Reasons) > 0 {
		p.head("Why")
		for _, a := range []insight.Answer{insight.NotSafe, insight.NotKnown, insight.Safe} {
			for _, r := range d.Reasons {
				if r.Answer == a {
					p.item("%s", r.Text)
				}
			}
		}
	}
	blockers(p, "In the way", d.Blocking)
	blockers(p, "Say what these are (--ours, --forwarder, --forger)", d.ToLabel)
	if d.Answer == insight.Safe && d.Next != "" && len(d.Before) > 0 {
		p.head("What no report shows, and has to be true")
		for _, b := range d.Before {
			p.item("%s", b)
		}
	}
}

func blockers(p *sheet, title string, list []insight.Blocker) {
	if len(list) == 0 {
		return
	}
	p.head(title)
	const shown = 15
	for _, b := range list[:min(len(list), shown)] {
		p.item("%s: %s of %s fail", b.Source, counted(b.Failing), messages(b.Messages))
		p.hang("    ", "from", 10, addressWords(b.Addresses, len(b.Addresses)))
		for i, w := range b.Why {
			p.hang("    ", first(i, "why"), 10, w)
		}
		for i, f := range b.Fixes {
			writeFix(p, "  "+first(i, "fix"), f)
		}
	}
	if more := len(list) - shown; more > 0 {
		p.para("and %d more", more)
	}
}

func readinessNext(p *sheet, d insight.DomainReadiness) {
	switch {
	case d.Answer == insight.Safe && d.Next != "":
		writeNext(p, "mailcheck dmarc stage "+d.Domain)
		if d.Record != "" {
			p.whole("", zoneLine("_dmarc."+d.Domain, d.Record))
		}
	case d.Answer == insight.NotSafe && d.Next == "" && d.Stage != "" && d.Stage != string(dmarc.None):
		writeNext(p, "fix the sources, or mailcheck dmarc stage "+d.Domain+" --back until they are")
	}
}
