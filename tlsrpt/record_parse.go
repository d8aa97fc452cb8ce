package tlsrpt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const recordWSP = " \t" // RFC 5234, Appendix B.1

// ParseRecord reads the text of one TXT record, its strings already joined. The
// error is a *[RecordError]: [ErrNotRecord] when reporters discard the text,
// [ErrRecord] when they take it for a record that cannot be used. The Record holds
// what could be read in all cases, and all its problems, not only the first.
func ParseRecord(text string) (Record, error) {
	r := Record{text: text}
	if len(text) > maxRecord {
		// The text is no longer kept, so a Record never holds more than a TXT record can.
		r.text = text[:maxRecord]
		r.problem(TooLong, Ignored, "", maxRecord, fmt.Sprintf("%d octets are more than a TXT record holds", len(text)), "")
		return r, &RecordError{In: text[:maxRecordQuote+1], Reason: ErrNotRecord, Problem: r.Problems[0]}
	}
	r.split()
	// RFC 8460, Section 3: a TXT record that does not begin so is discarded.
	isRecord := strings.HasPrefix(text, recordStart)
	start := 0
	if !isRecord {
		r.Problems = append([]Problem{r.judgeStart()}, r.Problems...)
		start = 1 // stays first: it decides
	}
	seen := map[string]bool{}
	for i := range r.Fields {
		r.readField(i, seen)
	}
	if !seen["rua"] {
		r.problem(Missing, Ignored, "rua", len(text), "rua is missing, so nobody sends reports", r.guessRUA())
	}
	slices.SortStableFunc(r.Problems[start:], func(a, b Problem) int { return cmp.Compare(a.Offset, b.Offset) })
	for _, p := range r.Problems {
		if p.Effect != Ignored {
			continue
		}
		reason := ErrRecord
		if !isRecord {
			reason = ErrNotRecord
		}
		return r, &RecordError{In: text[:min(len(text), maxRecordQuote+1)], Reason: reason, Problem: p}
	}
	return r, nil
}

func (r *Record) problem(kind, effect, field string, offset int, message, suggestion string) {
	if len(r.Problems) < maxProblems || kind == Missing || effect == Ignored && len(r.Problems) < 2*maxProblems {
		r.Problems = append(r.Problems, Problem{kind, effect, field, offset, message, suggestion})
	}
}

// split cuts the text at its semicolons.
func (r *Record) split() {
	for at, rest, last := 0, r.text, false; !last; {
		seg, after, found := strings.Cut(rest, ";")
		last = !found
		body := strings.Trim(seg, recordWSP)
		switch {
		case body == "" && last:
			// RFC 8460, Section 3: one separator may end the record, white space around it.
		case body == "":
			r.problem(Junk, AtRisk, "", at, "two semicolons without a field between them: strict reporters ignore the record", "")
		case len(r.Fields) == maxFields:
			r.problem(TooLong, AtRisk, "", at, fmt.Sprintf("only the first %d fields are read", maxFields), "")
			return
		default:
			f := Field{Value: body, Offset: at + len(seg) - len(strings.TrimLeft(seg, recordWSP)), Raw: seg, start: at}
			if name, value, found := strings.Cut(body, "="); found && strings.Trim(name, recordWSP) != "" {
				f.Name, f.Value = strings.TrimRight(name, recordWSP), strings.TrimLeft(value, recordWSP)
			}
			r.Fields = append(r.Fields, f)
			if last && strings.TrimRight(seg, recordWSP) != seg {
				r.problem(Space, AtRisk, f.Name, at+len(strings.TrimRight(seg, recordWSP)), "white space ends the record: strict reporters ignore it", "")
			}
		}
		at += len(seg) + 1
		rest = after
	}
}

// judgeStart tells why the text is no TLS-RPT record.
func (r *Record) judgeStart() Problem {
	p := Problem{Kind: Missing, Effect: Ignored, Field: "v", Message: "it does not start with v=TLSRPTv1; and is discarded"}
	trimmed := strings.TrimLeft(r.text, recordWSP+"\r\n")
	inner := strings.Trim(trimmed, "\"'\u201c\u201d ")
	first, rest, found := strings.Cut(r.text, ";")
	squeezed := strings.NewReplacer(" ", "", "\t", "").Replace(first)
	switch {
	case strings.HasPrefix(inner, recordStart) && inner != trimmed:
		p.Kind, p.Message, p.Suggestion = Quoted, "quotation marks are part of the text, so reporters discard it", inner
	case strings.HasPrefix(trimmed, recordStart):
		p.Kind, p.Message, p.Suggestion = Space, "white space stands before v=TLSRPTv1; so reporters discard it", trimmed
	case squeezed == recordVersion && !found:
		p.Kind, p.Message = Junk, "v=TLSRPTv1 is not followed by a semicolon, so reporters discard it"
	case squeezed == recordVersion:
		// RFC 8460, Section 3: the grammar allows white space before the semicolon, the
		// rule for discarding does not.
		p.Kind, p.Message, p.Suggestion = Space, "white space stands before the semicolon or around the = of v=TLSRPTv1; so reporters discard it", recordStart+rest
	case strings.EqualFold(squeezed, recordVersion):
		p.Kind, p.Message = Case, "the version is case-sensitive: v=TLSRPTv1 is needed, so reporters discard it"
		if found {
			p.Suggestion = recordStart + rest
		}
	case strings.HasPrefix(strings.ToLower(squeezed), "v=tls"):
		p.Kind, p.Message = Invalid, fmt.Sprintf("%s is not the version TLSRPTv1, so reporters discard the record", quoteRecord(squeezed[2:]))
		if fields, cut := strings.CutPrefix(r.text, recordVersion+" "); cut {
			p.Message = "v=TLSRPTv1 is not followed by a semicolon, so reporters discard it"
			p.Suggestion = recordStart + " " + strings.TrimLeft(fields, recordWSP)
		}
	default:
		for _, f := range r.Fields {
			if f.Name == "v" && "v="+f.Value == recordVersion {
				p.Kind, p.Offset, p.Message = NotFirst, f.Offset, "v=TLSRPTv1 is not the first field, so reporters discard the record"
				p.Suggestion = strings.TrimRight(recordStart+" "+strings.Trim(r.text[:f.start]+r.text[f.start+len(f.Raw):], recordWSP+";"), recordWSP)
			}
		}
	}
	return p
}

// readField takes the meaning of one field.
func (r *Record) readField(i int, seen map[string]bool) {
	f := r.Fields[i]
	if at := badRecordOctet(f.Raw); at >= 0 {
		r.problem(BadCharacter, Ignored, f.Name, f.start+at, "a character outside printable ASCII: reporters ignore the record", "")
	}
	switch {
	case f.Name == "":
		suggestion := ""
		if len(f.Value) < maxRecordQuote && strings.Contains(f.Value, "@") {
			suggestion = guessPlace(strings.TrimLeft(strings.TrimPrefix(f.Value, "rua"), ": "))
		}
		r.problem(Junk, Ignored, "", f.Offset, fmt.Sprintf("%s is no field: it has no name and value, so reporters ignore the record", quoteRecord(f.Value)), suggestion)
		return
	case f.Name == "v" && !seen["v"]:
		seen["v"] = true
		return // judged by the start of the record
	case seen[f.Name]:
		// RFC 8460 does not say what a second one means; RFC 8461, Section 3.2, which has
		// the same grammar, lets the first one count.
		r.problem(Duplicate, AtRisk, f.Name, f.Offset, fmt.Sprintf("field %s is given more than once: the first one counts, or the record is ignored", quoteRecord(f.Name)), "")
		return
	}
	seen[f.Name] = true
	if body := strings.Trim(f.Raw, recordWSP); body != f.Name+"="+f.Value {
		r.problem(Space, AtRisk, f.Name, f.Offset+len(f.Name), fmt.Sprintf("white space around the = of %s: strict reporters ignore the record", quoteRecord(f.Name)), f.Name+"="+f.Value)
	}
	switch {
	case f.Name == "rua":
		r.readRUA(f)
	case !isFieldName(f.Name):
		r.problem(Invalid, AtRisk, f.Name, f.Offset, fmt.Sprintf("%s is no field name: strict reporters ignore the record", quoteRecord(f.Name)), "")
	case strings.EqualFold(f.Name, "rua"):
		r.problem(Case, Harmless, f.Name, f.Offset, fmt.Sprintf("field %s is in upper case, so it is not known and ignored", quoteRecord(f.Name)), "rua="+f.Value)
	case f.Value == "" || strings.ContainsAny(f.Value, "= "):
		r.problem(Invalid, AtRisk, f.Name, f.Offset, fmt.Sprintf("%s is no value for %s: strict reporters ignore the record", quoteRecord(f.Value), quoteRecord(f.Name)), "")
	default:
		// RFC 8460, Section 3: unknown fields are ignored.
		r.problem(Unknown, Harmless, f.Name, f.Offset, fmt.Sprintf("field %s is not known, so it is ignored", quoteRecord(f.Name)), "")
	}
}

// readRUA reads the list of places.
func (r *Record) readRUA(f Field) {
	at, rest, more := f.valueOffset(), f.Value, true
	for more {
		var entry string
		entry, rest, more = strings.Cut(rest, ",")
		if len(r.RUA) == maxURIs {
			r.problem(TooLong, AtRisk, "rua", at, fmt.Sprintf("only the first %d places are read", maxURIs), "")
			break
		}
		offset := at + len(entry) - len(strings.TrimLeft(entry, recordWSP))
		at += len(entry) + 1
		u, p := parsePlace(strings.Trim(entry, recordWSP))
		u.Offset = offset
		if p.Kind != "" {
			r.problem(p.Kind, AtRisk, "rua", offset, p.Message, p.Suggestion)
		}
		r.RUA = append(r.RUA, u)
	}
	if !slices.ContainsFunc(r.RUA, func(u URI) bool { return u.Valid }) {
		r.problem(Invalid, Ignored, "rua", f.Offset, "rua has no place that can be used, so nobody sends reports", "")
	}
}

// guessRUA is a field that seems to be meant as rua.
func (r *Record) guessRUA() string {
	for _, f := range r.Fields {
		if low := strings.ToLower(f.Name); low == "rua" && f.Name != "rua" || low == "ruf" || low == "ruas" {
			return "rua=" + f.Value
		}
	}
	return ""
}

// valueOffset is the offset of the field's value in the text.
func (f Field) valueOffset() int {
	eq := strings.IndexByte(f.Raw, '=') + 1
	rest := f.Raw[eq:]
	return f.start + eq + len(rest) - len(strings.TrimLeft(rest, recordWSP))
}

// isFieldName reports whether the text can name a field (RFC 8460, Section 3).
func isFieldName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && (i == 0 || strings.IndexByte("_-.", s[i]) < 0) {
			return false
		}
	}
	return s != "" && len(s) <= maxFieldName
}

func badRecordOctet(s string) int {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\t' {
			return i
		}
	}
	return -1
}
