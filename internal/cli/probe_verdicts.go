package cli

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/spf"
)

// verdictsView is our own verdict on a mail, in the documents of probe listen,
// receive and roundtrip.
type verdictsView struct {
	SPF   methodView   `json:"spf"`
	DKIM  []methodView `json:"dkim"`
	ARC   methodView   `json:"arc"`
	DMARC methodView   `json:"dmarc"`
}

// methodView is the outcome of one method. Result is "unknown" where what it needs
// is not known.
type methodView struct {
	Result string   `json:"result"`
	Domain nullable `json:"domain"`
	Why    nullable `json:"why"`
}

func viewVerdicts(v judge.Verdicts) *verdictsView {
	out := &verdictsView{DKIM: []methodView{}}
	out.SPF = methodView{Result: "unknown", Why: "the client that handed the mail over is not known"}
	if v.SPFKnown {
		out.SPF = methodView{string(v.SPF.Status), nameOrNull(v.SPF.Domain), nullable(spfWhy(v.SPF))}
	}
	for _, s := range v.DKIM.Signatures {
		out.DKIM = append(out.DKIM, methodView{string(s.Status), nullable(s.Domain), nullable(s.Explanation)})
	}
	out.ARC = methodView{string(v.ARC.Status), nullable(v.ARC.Sealer), nullable(v.ARC.Explanation)}
	out.DMARC = methodView{string(v.DMARC.Now.Result), nameOrNull(v.DMARC.Author), nullable(v.DMARC.Now.Why)}
	return out
}

func spfWhy(r spf.Result) string {
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.Term != "" && r.InnerTerm != "" && r.InnerTerm != r.Term:
		return fmt.Sprintf("matched by %s, and in it by %s of %s", r.Term, r.InnerTerm, r.InnerRecord)
	case r.Term != "":
		return fmt.Sprintf("matched by %s of %s", r.Term, r.Record)
	}
	return ""
}

// code is the exit code that the verdicts make.
func verdictExit(v judge.Verdicts) int {
	switch v.DMARC.Now.Result {
	case dmarc.ResultPass:
		return ExitOK
	case dmarc.ResultTempError:
		return ExitIncomplete
	case dmarc.ResultNone:
		// Without a policy one of the two is all that can be asked for.
		if v.SPFKnown && v.SPF.Status == spf.Pass || v.DKIM.Status() == "pass" {
			return ExitOK
		}
		if v.SPF.Status == spf.TempError || v.DKIM.Status() == "temperror" {
			return ExitIncomplete
		}
	}
	return ExitFindings
}

func (m methodView) line() string {
	out := m.Result
	if m.Domain != "" {
		out += " for " + string(m.Domain)
	}
	if m.Why != "" {
		out += ": " + string(m.Why)
	}
	return safe.Text(out)
}

func (v *verdictsView) text(p *sheet) {
	p.field("SPF", "%s", v.SPF.line())
	if len(v.DKIM) == 0 {
		p.field("DKIM", "none: the mail has no signature")
	}
	for _, d := range v.DKIM {
		p.field("DKIM", "%s", d.line())
	}
	p.field("ARC", "%s", v.ARC.line())
	p.field("DMARC", "%s", v.DMARC.line())
}
