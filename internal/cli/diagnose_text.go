package cli

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/diagnose"
	"github.com/mailcheck-go/mailcheck/diagnose/cause"
	"github.com/mailcheck-go/mailcheck/diagnose/remedy"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// verdict is the exit status: what is ours to mend, or what stayed unknown.
func (v *diagnoseView) verdict() error {
	ours, unknown := false, len(v.Results) == 0 && v.Input == "mail"
	for _, d := range v.Results {
		switch {
		case d.Cause == cause.Delivered:
		case d.Cause == cause.Unknown, d.Audit != nil && d.Audit.Verdict == remedy.Undecided && d.Cause != cause.Delivered:
			unknown = true
		case d.Audit == nil:
			ours = ours || d.Whose == cause.SendingDomain || d.Whose == cause.SenderHost || d.Whose == cause.SenderContent
		default:
			ours = ours || d.Audit.Verdict == remedy.Confirmed || d.Audit.Verdict == remedy.NotInDNS
		}
	}
	switch {
	case ours:
		return exit(ExitFindings)
	case unknown:
		return exit(ExitIncomplete)
	}
	return nil
}

func (v *diagnoseView) text(s Streams) error {
	p := newSheet(s)
	if v.Log != nil {
		v.logText(p)
	}
	for i := range v.Results {
		if i > 0 || v.Log != nil {
			p.WriteByte('\n')
		}
		v.Results[i].write(p)
	}
	for _, n := range v.Notes {
		p.WriteByte('\n')
		p.para("%s.", strings.TrimRight(n, "."))
	}
	return p.flush(s.Out)
}

func (d *diagnosisView) write(p *sheet) {
	head := string(d.Cause)
	if d.Recipient != "" {
		head += ", for " + d.Recipient
	}
	if d.Operator != "" {
		head += ", by " + operatorName(d.Operator)
	}
	p.field("Cause", "%s", head)
	p.field("Meaning", "%s", d.Meaning)
	again := "the mail will not be tried again"
	switch {
	case d.RetryUnknown:
		again = "whether the mail is tried again is unknown"
	case d.Temporary:
		again = "the mail will be tried again"
	}
	if d.Cause != cause.Delivered {
		p.field("Whose", "%s; %s", whoseWords(d.Whose), again)
	}
	if said := saidWords(d.Said); said != "" {
		p.field("It says", "%s", said)
	}
	p.field("Sure", "%s", sureWords(d.Result))
	for _, n := range d.Notes {
		p.field("Note", "%s", n)
	}
	a := d.Audit
	if a == nil || a.Verdict == remedy.NotOurs {
		if d.Advice != "" {
			p.field("Do", "%s", d.Advice)
		}
		return
	}
	p.field("Audit", "%s: %s", a.Verdict, a.Why)
	for _, f := range a.Findings {
		p.field("Found", "%s: %s", f.Rule, f.Message)
	}
	for _, f := range a.Also {
		p.field("Also", "%s: %s", f.Rule, f.Message)
	}
	p.field("Do", "%s", a.Fix.Text)
	for _, c := range a.Fix.Changes {
		for _, old := range c.Old {
			p.whole("  ", "- "+c.Name.FQDN()+" IN "+c.Type.String()+" "+old)
		}
		for _, now := range c.New {
			p.whole("  ", "+ "+c.Name.FQDN()+" IN "+c.Type.String()+" "+now)
		}
	}
	if a.Fix.Command != "" {
		p.field("Next", "%s", a.Fix.Command)
	}
}

func operatorName(id string) string {
	for _, o := range diagnose.Operators() {
		if o.ID == id {
			return o.Name
		}
	}
	return id
}

func whoseWords(w cause.Whose) string {
	return map[cause.Whose]string{
		cause.Nobody: "nobody's", cause.SendingDomain: "yours: the domain's records or keys", cause.SenderHost: "yours: the sending host",
		cause.SenderContent: "yours: the message", cause.RecipientSide: "the recipient's", cause.Receiver: "the receiving system's",
		cause.Network: "the network's", cause.NotKnown: "unknown",
	}[w]
}

func saidWords(x diagnose.Said) string {
	var parts []string
	for _, f := range [][2]string{{"address", x.IP}, {"domain", x.Domain}, {"SPF", x.SPF}, {"DKIM", x.DKIM}, {"DMARC", x.DMARC}, {"list", x.List}, {"see", x.URL}} {
		if f[1] != "" {
			parts = append(parts, f[0]+" "+f[1])
		}
	}
	return strings.Join(parts, ", ")
}

func sureWords(r diagnose.Result) string {
	code := strings.TrimSpace(r.Code + " " + r.Enhanced)
	if code != "" {
		code = ", code " + code
	}
	return string(r.Confidence) + code
}

// maxLogLines bounds the groups of a log that the text shows; JSON has all.
const maxLogLines = 30

func (v *diagnoseView) logText(p *sheet) {
	l := v.Log
	p.para("%d lines, %d of them a mail server's; attempts: %d sent, %d deferred, %d bounced, %d expired, %d refused here", l.Lines, l.Known, l.Sent, l.Deferred, l.Bounced, l.Expired, l.Refused)
	n := 0
	for _, g := range l.Groups {
		if g.Deferred+g.Bounced+g.Expired+g.Refused == 0 {
			continue
		}
		if n == 0 {
			p.WriteByte('\n')
		}
		if n++; n > maxLogLines {
			p.para("and more, in the JSON form")
			break
		}
		p.hang("", g.Day, 12, fmt.Sprintf("%s at %s: %d deferred, %d bounced, %d expired, %d refused; %d recipients", g.Cause, g.Receiver,
			g.Deferred, g.Bounced, g.Expired, g.Refused, g.Recipients))
	}
}

// explain tells what a code can mean.
func (o *diagnoseOptions) explain(s Streams) error {
	x, err := diagnose.Explain(o.code, o.operator)
	if err != nil {
		return &Error{Code: ExitUsage, Err: err, Hint: "for example --explain-code 5.7.26 --operator gmail"}
	}
	if o.format == "json" {
		return printJSON(s.Out, explanationView{"mailcheck.diagnose-code/1", x})
	}
	p := newSheet(s)
	p.field("Code", "%s", strings.TrimSpace(x.Code+" "+x.Enhanced))
	p.field("Cause", "%s", x.General.Cause)
	p.field("Meaning", "%s", x.General.Meaning)
	if x.General.Advice != "" {
		p.field("Do", "%s", x.General.Advice)
	}
	for _, e := range x.Entries {
		p.WriteByte('\n')
		p.field("With", "%s, by %s", e.Cause, operatorName(e.Operator))
		p.field("Words", "%s", safe.Text(e.Example))
		p.field("Meaning", "%s", e.Meaning)
	}
	return p.flush(s.Out)
}
