package aggregate

import (
	"bytes"
	"time"
)

// Namespace9990 is the XML namespace of RFC 9990, Section 6.1.
const Namespace9990 = "urn:ietf:params:xml:ns:dmarc-2.0"

// maxSpan is the longest period that is taken for a day: some reporters run over
// by seconds, and a day of local time has up to 25 hours.
const maxSpan = 26 * time.Hour

// set stores the text of a value element.
func (p *parser) set(f field, text []byte) {
	b := p.clean(f, text)
	if p.seen&f.bit() != 0 && !f.def().repeats {
		if len(b) > 0 {
			p.note(RepeatedValue, f.path(), b)
		}
		return
	}
	p.seen |= f.bit()
	switch {
	case f < fDomain:
		p.setMetadata(f, b)
	case f < fSourceIP:
		p.setPolicy(f, b)
	case f < fDKIMDomain:
		p.setRow(f, b)
	default:
		p.setAuth(f, b)
	}
}

func (p *parser) textOf(b []byte) Text { return Text{p.intern(b), p.lang} }

// str is the text, noted if it has to be there and is not.
func (p *parser) str(f field, b []byte) string {
	if len(b) == 0 && f.def().required {
		p.absent(EmptyValue, f)
	}
	return p.intern(b)
}

func (p *parser) setMetadata(f field, b []byte) {
	m := &p.report.Metadata
	switch f {
	case fVersion:
		p.report.Version = p.intern(b)
	case fOrgName:
		m.OrgName = p.intern(b)
	case fEmail:
		m.Email = p.str(f, b)
	case fExtra:
		m.ExtraContact = p.textOf(b)
	case fReportID:
		if len(b) > 2 && b[0] == '<' && b[len(b)-1] == '>' {
			b = bytes.TrimSpace(b[1 : len(b)-1])
		}
		m.ReportID = p.str(f, b)
	case fBegin:
		m.Begin = p.instant(f, b)
	case fEnd:
		m.End = p.instant(f, b)
	case fError:
		if len(m.Errors) == maxErrors {
			p.note(TooMany, f.path(), nil)
		} else if len(b) > 0 {
			m.Errors = append(m.Errors, p.textOf(b))
		}
	case fGenerator:
		m.Generator = p.intern(b)
		p.only9990 = true
	}
}

func (p *parser) setPolicy(f field, b []byte) {
	pub := p.policy
	switch f {
	case fDomain:
		pub.Domain = p.domain(f, b)
	case fP:
		pub.P = word(p, f, &policyWords, b)
	case fSP:
		pub.SP = word(p, f, &policyWords, b)
	case fNP:
		pub.NP = word(p, f, &policyWords, b)
		p.only9990 = true
	case fADKIM:
		pub.ADKIM = word(p, f, &modeWords, b)
	case fASPF:
		pub.ASPF = word(p, f, &modeWords, b)
	case fDiscovery:
		pub.Discovery = word(p, f, &discoveryWords, b)
		p.only9990 = true
	case fFO:
		pub.FO = p.intern(b)
	case fPct:
		pub.Pct = p.intern(b)
	case fTesting:
		pub.Testing = word(p, f, &testingWords, b)
		p.only9990 = true
	}
}

func (p *parser) setRow(f field, b []byte) {
	rec := &p.rec
	switch f {
	case fSourceIP:
		p.address(f, b)
	case fCount:
		rec.Count = p.count(f, b)
	case fDisposition:
		rec.Evaluated.Disposition = word(p, f, &dispositionWords, b)
	case fEvalDKIM:
		rec.Evaluated.DKIM = word(p, f, &alignedWords, b)
	case fEvalSPF:
		rec.Evaluated.SPF = word(p, f, &alignedWords, b)
	case fReasonType:
		rec.Evaluated.Reasons[len(rec.Evaluated.Reasons)-1].Type = word(p, f, &overrideWords, b)
	case fComment:
		rec.Evaluated.Reasons[len(rec.Evaluated.Reasons)-1].Comment = p.textOf(b)
	case fHeaderFrom:
		rec.Identifiers.HeaderFrom = p.domain(f, b)
	case fEnvelopeFrom:
		rec.Identifiers.EnvelopeFrom = p.domain(f, b)
		rec.Identifiers.NullEnvelope = len(b) == 0
	case fEnvelopeTo:
		rec.Identifiers.EnvelopeTo = p.domain(f, b)
	}
}

func (p *parser) setAuth(f field, b []byte) {
	switch f {
	case fDKIMDomain, fSelector, fDKIMResult, fDKIMHuman:
		d := &p.rec.DKIM[len(p.rec.DKIM)-1]
		switch f {
		case fDKIMDomain:
			d.Domain = p.domain(f, b)
		case fSelector:
			d.Selector = p.intern(b)
		case fDKIMResult:
			d.Result = word(p, f, &dkimWords, b)
		default:
			d.Human = p.textOf(b)
		}
	default:
		s := &p.rec.SPF[len(p.rec.SPF)-1]
		switch f {
		case fSPFDomain:
			s.Domain = p.domain(f, b)
		case fScope:
			s.Scope = word(p, f, &scopeWords, b)
		case fSPFResult:
			s.Result = word(p, f, &spfWords, b)
		default:
			s.Human = p.textOf(b)
		}
	}
}

// domain reads a domain, out of an address if need be.
func (p *parser) domain(f field, b []byte) string {
	plain := true
	for _, c := range b {
		if c >= 'A' && c <= 'Z' || c == '@' || c == '<' || c == '>' || c == ' ' || c == '"' {
			plain = false
			break
		}
	}
	if plain && (len(b) == 0 || b[len(b)-1] != '.') {
		return p.str(f, b)
	}
	d := b
	if i := bytes.LastIndexByte(d, '@'); i >= 0 {
		d = d[i+1:]
	}
	d = bytes.Trim(d, " \t\r\n<>\"'")
	if len(d) != len(b) {
		p.note(DomainForm, f.path(), b)
	}
	if len(d) > 1 {
		d = bytes.TrimSuffix(d, []byte("."))
	}
	return p.str(f, bytes.ToLower(d))
}
