package dmarc

import (
	"errors"
	"fmt"
)

// ErrStage matches the error of a record that cannot take a step.
var ErrStage = errors.New("dmarc: no step to take")

// StageError tells why a record cannot take a step.
type StageError struct {
	Text      string // the record
	Reason    string
	NoReports bool // for want of a usable rua; StageOptions.Blind overrides it
}

// Error quotes the record, so it is safe to show.
func (e *StageError) Error() string {
	return fmt.Sprintf("%v: %s: %s", ErrStage, clip(e.Text), e.Reason)
}

// Is matches [ErrStage].
func (e *StageError) Is(target error) bool { return target == ErrStage }

// StageOptions of [Record.Advance]. The zero value is the usual choice.
type StageOptions struct {
	Back   bool // one step back, towards none
	Blind  bool // step on though no reports arrive
	KeepNP bool // leave np alone: the record is not that of an organizational domain, or np is meant to follow sp
}

// TagEdit sets a tag, or takes it out if Value is empty.
type TagEdit struct {
	Tag, Value string
	Why        string
}

// Move is one step between "none" and "reject".
type Move struct {
	From, To string // "none", "quarantine; t=y", "quarantine", "reject; t=y" or "reject"; with "; pct=20" while older receivers sample
	Edits    []TagEdit
	Record   Record // after the edits; the same as before if there are none
	Why      []string
	Before   []string // what has to be true first and no record shows
	Notes    []string // what stays as it is and limits the protection
}

// Stage tells how far the record has come: "none", "quarantine; t=y",
// "quarantine", "reject; t=y" or "reject", with "; pct=20" behind it while older
// receivers apply it to a share only; empty if its policy is off.
func (r Record) Stage() string {
	if e := r.Effect(); !e.Applies || e.Off {
		return ""
	}
	s := string(r.P)
	if r.P == None {
		return s
	}
	if r.Testing {
		s += "; t=y"
	}
	if r.Percent < 100 {
		s += fmt.Sprintf("; pct=%d", r.Percent)
	}
	return s
}

// Advance takes the record one step along none, quarantine; t=y, quarantine,
// reject, for one generation of receivers at a time: a t=y or a pct goes before
// p is raised. There is no step from quarantine to reject; t=y, as receivers
// that follow RFC 7489 do not know t and would reject at once. Every byte the
// step is not about stays.
//
// At the end of the way the Move has no edits. The error is a *[StageError].
func (r Record) Advance(opt StageOptions) (Move, error) {
	m := Move{From: r.Stage(), Record: r}
	if m.From == "" {
		return m, &StageError{Text: r.text, Reason: "its policy is off: " + r.Effect().Why}
	}
	if r.Has(DuplicateTag) {
		return m, &StageError{Text: r.text, Reason: "it has a tag twice, so receivers differ about what it says"}
	}
	if opt.Back {
		r.back(&m)
	} else {
		if !anyValid(r.RUA) && m.From != "reject" && !opt.Blind {
			// RFC 9989, Sections 3.2.12 and 5.1: without reports, nobody sees what the step does.
			return m, &StageError{Text: r.text, NoReports: true, Reason: "there is no usable rua, so no report would show which mail of your own fails"}
		}
		r.forward(&m, opt)
	}
	for _, e := range m.Edits {
		next, err := m.Record.apply(e)
		if err != nil {
			return Move{From: m.From, Record: r}, &StageError{Text: r.text, Reason: err.Error()}
		}
		m.Record = next
	}
	m.To = m.Record.Stage()
	m.notes(r)
	return m, nil
}

func (r Record) apply(e TagEdit) (Record, error) {
	if e.Value == "" {
		return r.Remove(e.Tag), nil
	}
	return r.Set(e.Tag, e.Value)
}

func (m *Move) edit(tag, value, why string) {
	m.Edits = append(m.Edits, TagEdit{tag, value, why})
}

// forward chooses the edits of a step towards reject.
func (r Record) forward(m *Move, opt StageOptions) {
	p := r.P
	switch {
	case p == None:
		p = Quarantine
		m.edit("p", string(p), "the first step that asks for something")
		if !r.Testing {
			m.edit("t", "y", "receivers that follow RFC 9989 take it one level lower at first")
		}
		m.Why = append(m.Why,
			"t=y asks receivers to treat quarantine as none and to report as if it counted (RFC 9989, Section 4.7)",
			"receivers that follow RFC 7489 do not know t and file failing mail as spam from now on")
		m.Before = append(m.Before,
			"mail of every system that sends in your name passes SPF or DKIM, aligned, in the reports of some weeks",
			"SPF and DKIM have been in place for at least 48 hours")
	case r.Testing:
		m.edit("t", "", "the rehearsal is over")
		m.Why = append(m.Why, fmt.Sprintf("without t=y all receivers apply %s as it is written", p))
		m.Before = append(m.Before, "the reports since t=y show no legitimate mail that fails")
	case r.Percent < 100:
		m.edit("pct", "", "RFC 9989 removed pct: only receivers that follow RFC 7489 still sample")
		m.Why = append(m.Why, fmt.Sprintf("receivers that follow RFC 9989 apply %s to all mail already; now the others do too", p))
	case p == Quarantine:
		p = Reject
		m.edit("p", string(p), "quarantine has proved harmless")
		m.Why = append(m.Why,
			"reject; t=y would be no gentler: receivers that follow RFC 7489 do not know t and would reject at once",
			"a forgery is refused in place of filed as spam, and a sender whose good mail fails hears of it")
		m.Before = append(m.Before,
			"quarantine has been in force for as long as none was, a month at least, and the reports show no legitimate mail that fails (RFC 9989, Section 7.4)",
			"all mail is signed with DKIM: p=reject must not rest on SPF alone (RFC 9989, Sections 7.4 and 8)",
			"nobody of the domain writes to mailing lists, or they know that such mail may be refused (RFC 9989, Section 7.4)")
	}
	below := or(r.NP, or(r.SP, p))
	if !opt.KeepNP && r.NP == "" && below != Reject {
		m.edit("np", string(Reject), "names that do not exist send no mail")
		m.Why = append(m.Why, "np=reject is safe early: a name that does not exist sends no mail of yours")
	}
}

// back chooses the edits of a step towards none.
func (r Record) back(m *Move) {
	switch {
	case r.P == Reject:
		m.edit("p", string(Quarantine), "mail that fails is no longer to be refused")
		m.Why = append(m.Why, "mail that fails is filed as spam in place of refused")
	case r.P == Quarantine && !r.Testing:
		m.edit("t", "y", "receivers that follow RFC 9989 take it one level lower")
		m.Why = append(m.Why, "receivers that follow RFC 9989 deliver mail that fails; those that follow RFC 7489 do not know t and still file it as spam")
	case r.P == Quarantine:
		m.edit("p", string(None), "mail that fails is to be delivered")
		m.Why = append(m.Why, "all receivers deliver mail that fails, and go on to report")
		if r.SP.Strength() == 0 {
			m.edit("t", "", "there is no policy left that it could lower")
		}
	}
}

// notes tells what the step changes besides p, and what it leaves weak.
func (m *Move) notes(before Record) {
	old, now := before.Effect(), m.Record.Effect()
	if now.SP.Strength() < old.SP.Strength() && now.P.Strength() >= old.P.Strength() {
		m.Notes = append(m.Notes, fmt.Sprintf("t=y lowers sp as well: subdomains get %s in place of %s while it is there", now.SP, old.SP))
	}
	if m.Record.SP != "" && m.Record.SP.Strength() < m.Record.P.Strength() {
		m.Notes = append(m.Notes, fmt.Sprintf("sp=%s holds the subdomains back: they are less protected than the domain", m.Record.SP))
	}
	if m.Record.NP != "" && m.Record.NP.Strength() < m.Record.P.Strength() {
		m.Notes = append(m.Notes, fmt.Sprintf("np=%s leaves names open that do not exist and so send no mail", m.Record.NP))
	}
	if _, found := m.Record.Tag("pct"); found && m.Record.P != None {
		m.Notes = append(m.Notes, "pct stays for now: receivers that follow RFC 9989 ignore it, older ones apply the policy to that share of the mail")
	}
	if len(m.Edits) == 0 && m.From == string(Reject) {
		m.Why = append(m.Why, "reject is the end of the way")
	}
	if len(m.Edits) == 0 && m.From == string(None) {
		m.Why = append(m.Why, "none is the start of the way")
	}
}

// Park lists the edits that make the record that of a domain which sends no
// mail: reject for it and all names below, as written and for every receiver.
func (r Record) Park() []TagEdit {
	m := Move{}
	const why = "the domain sends no mail"
	for _, x := range []struct {
		tag string
		has Policy
	}{{"p", r.P}, {"sp", or(r.SP, Reject)}, {"np", or(r.NP, Reject)}} {
		if _, found := r.Tag(x.tag); x.has != Reject || found && r.invalidPolicy([]string{x.tag}) != "" {
			m.edit(x.tag, string(Reject), why)
		}
	}
	if _, found := r.Tag("t"); found && r.Testing {
		m.edit("t", "", "t=y asks for one level less, and there is nothing to test")
	}
	if r.Percent < 100 {
		m.edit("pct", "", "there is no mail to sample")
	}
	return m.Edits
}

// Cautions lists what the author of a record should know before publishing it,
// though it is valid.
func (r Record) Cautions() []string {
	var out []string
	e := r.Effect()
	if !e.Applies || e.Off {
		return append(out, e.Why)
	}
	reports := anyValid(r.RUA)
	switch {
	case r.P == Reject && !reports:
		out = append(out, "p=reject without rua: no report will tell which mail of your own is refused")
	case r.P == Quarantine && !reports:
		out = append(out, "p=quarantine without rua: no report will tell which mail of your own is filed as spam")
	case r.P == None && !reports:
		// RFC 9989, Section 3.2.12: monitoring needs both.
		out = append(out, "p=none without rua protects nothing and shows nothing")
	}
	if r.SP != "" && r.SP.Strength() < r.P.Strength() {
		out = append(out, fmt.Sprintf("sp=%s leaves subdomains less protected than the domain", r.SP))
	}
	if r.NP != "" && r.NP.Strength() < or(r.SP, r.P).Strength() {
		out = append(out, fmt.Sprintf("np=%s leaves names that do not exist less protected than those that do", r.NP))
	}
	if r.Testing && r.P == Quarantine {
		out = append(out, "quarantine with t=y protects nothing at receivers that follow RFC 9989; older ones ignore t and file failing mail as spam")
	}
	if r.Testing && r.P == Reject {
		out = append(out, "reject with t=y counts as quarantine at receivers that follow RFC 9989; older ones ignore t and reject")
	}
	if r.PSD == "y" {
		out = append(out, "psd=y makes every name one label below an organizational domain of its own: it is for registries only")
	}
	if r.Has(URIScheme) {
		out = append(out, "receivers need only support mailto: in rua and ruf")
	}
	return out
}

// nonsense refuses fields that contradict each other.
func (f Fields) nonsense() error {
	switch {
	case f.FO != "" && len(f.RUF) == 0:
		// RFC 9989, Section 4.7: fo is ignored without ruf.
		return fmt.Errorf("%w: fo says when to send failure reports, and there is no ruf to send them to", ErrEdit)
	case f.Testing && f.P.Strength()+f.SP.Strength()+f.NP.Strength() == 0:
		return fmt.Errorf("%w: t=y lowers a policy by one level, and none has no level below it", ErrEdit)
	case f.PSD == "y" && len(f.RUF) > 0:
		// RFC 9989, Section 10.2: a public suffix domain asks for no failure reports.
		return fmt.Errorf("%w: psd=y and ruf: a public suffix domain must not ask for failure reports about its registrants", ErrEdit)
	}
	return nil
}
