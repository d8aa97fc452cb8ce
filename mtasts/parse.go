package mtasts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const wsp = " \t" // RFC 5234, Appendix B.1

// Parse reads the text of one TXT record, its strings already joined. The error is
// a *[ParseError]: [ErrNotSTS] when senders discard the text, [ErrRecord] when they
// take it for a record that cannot be read. The Record holds what could be read in
// all cases, and all its problems, not only the first.
func Parse(text string) (Record, error) {
	r := Record{text: text}
	if len(text) > maxRecord {
		// The text is no longer kept, so a Record never holds more than a TXT record can.
		r.text = text[:maxRecord]
		r.problem(TooLong, Ignored, "", maxRecord, fmt.Sprintf("%d octets are more than a TXT record holds", len(text)), "")
		return r, &ParseError{In: head(text), Reason: ErrNotSTS, Problem: r.Problems[0]}
	}
	r.split()
	// RFC 8461, Section 3.1: a TXT record that does not begin so is discarded.
	isRecord := strings.HasPrefix(text, recordStart)
	if !isRecord {
		r.Problems = append([]Problem{r.judgeStart()}, r.Problems...)
	}
	seen := map[string]bool{}
	for i := range r.Fields {
		r.readField(i, seen)
	}
	if !seen["id"] {
		r.problem(Missing, Ignored, "id", len(text), "id is missing, so senders act as if there was no MTA-STS", guessID(r.Fields))
	}
	start := 0
	if !isRecord {
		start = 1 // stays first: it decides
	}
	slices.SortStableFunc(r.Problems[start:], func(a, b Problem) int { return cmp.Compare(a.Offset, b.Offset) })
	p := worst(r.Problems)
	switch {
	case p == nil:
		return r, nil
	case !isRecord:
		return r, &ParseError{In: head(text), Reason: ErrNotSTS, Problem: *p}
	}
	return r, &ParseError{In: head(text), Reason: ErrRecord, Problem: *p}
}

func (r *Record) problem(k Kind, e Effect, field string, offset int, message, suggestion string) {
	r.Problems = keep(r.Problems, Problem{Kind: k, Effect: e, Field: field, Offset: offset, Message: message, Suggestion: suggestion})
}

// keep adds a problem as long as there is room. One that voids the text always
// finds room: a text must not become valid by having too many faults.
func keep(problems []Problem, p Problem) []Problem {
	void := func(p Problem) bool { return p.Effect == Ignored }
	switch {
	case len(problems) < maxProblems || p.Kind == Missing:
		return append(problems, p)
	case void(p) && !slices.ContainsFunc(problems, void):
		problems[len(problems)-1] = p
	}
	return problems
}

// split cuts the text at its semicolons.
func (r *Record) split() {
	for at, rest, last := 0, r.text, false; !last; {
		seg, after, found := strings.Cut(rest, ";")
		last = !found
		body := strings.Trim(seg, wsp)
		switch {
		case body == "" && last:
			// RFC 8461, Section 3.1: one separator may end the record.
		case body == "":
			r.problem(Junk, AtRisk, "", at, "two semicolons without a field between them: strict senders ignore the record", "")
		case len(r.Fields) == maxFields:
			r.problem(TooLong, AtRisk, "", at, fmt.Sprintf("only the first %d fields are read", maxFields), "")
			return
		default:
			offset := at + len(seg) - len(strings.TrimLeft(seg, wsp))
			f := Field{Value: body, Offset: offset, Raw: seg, start: at}
			if name, value, found := strings.Cut(body, "="); found && strings.Trim(name, wsp) != "" {
				f.Name, f.Value = strings.TrimRight(name, wsp), strings.TrimLeft(value, wsp)
			}
			r.Fields = append(r.Fields, f)
			if last && strings.TrimRight(seg, wsp) != seg {
				r.problem(Space, AtRisk, f.Name, at+len(strings.TrimRight(seg, wsp)), "white space ends the record: strict senders ignore it", "")
			}
		}
		at += len(seg) + 1
		rest = after
	}
}

// judgeStart tells why the text is no MTA-STS record.
func (r *Record) judgeStart() Problem {
	p := Problem{Kind: Missing, Effect: Ignored, Field: "v", Message: "it does not start with v=STSv1; and is discarded"}
	trimmed := strings.TrimLeft(r.text, wsp+"\r\n")
	inner := strings.Trim(trimmed, "\"'\u201c\u201d ")
	first, _, found := strings.Cut(r.text, ";")
	squeezed := strings.NewReplacer(" ", "", "\t", "").Replace(first)
	switch {
	case strings.HasPrefix(inner, recordStart) && inner != trimmed:
		p.Kind, p.Suggestion = Quoted, inner
		p.Message = "quotation marks are part of the text, so senders discard it"
	case strings.HasPrefix(trimmed, recordStart):
		p.Kind, p.Message, p.Suggestion = Space, "white space stands before v=STSv1; so senders discard it", trimmed
	case squeezed == "v="+version && !found:
		p.Kind, p.Message = Junk, "v=STSv1 is not followed by a semicolon, so senders discard it"
		if rest := strings.TrimLeft(r.text[len(first):], wsp); rest == "" {
			p.Suggestion = recordStart
		}
	case squeezed == "v="+version:
		// RFC 8461, Section 3.1: the grammar allows white space before the semicolon,
		// the rule for discarding does not (erratum 6285).
		p.Kind, p.Message = Space, "white space stands before the semicolon or around the = of v=STSv1; so senders discard it"
		p.Suggestion = recordStart + r.text[len(first)+1:]
	case strings.EqualFold(squeezed, "v="+version):
		p.Kind, p.Message = Case, "the version is case-sensitive: v=STSv1 is needed, so senders discard it"
		if found {
			p.Suggestion = recordStart + r.text[len(first)+1:]
		}
	case strings.HasPrefix(squeezed, "v=") && strings.HasPrefix(strings.ToLower(squeezed), "v=sts"):
		p.Kind, p.Message = Invalid, fmt.Sprintf("%s is not the version STSv1, so senders discard the record", clip(strings.TrimPrefix(squeezed, "v=")))
		// Fields without a semicolon between them end up in the version.
		if rest, cut := strings.CutPrefix(r.text, "v="+version+" "); cut {
			p.Message = "v=STSv1 is not followed by a semicolon, so senders discard it"
			p.Suggestion = recordStart + " " + strings.TrimLeft(rest, wsp)
		}
	default:
		for _, f := range r.Fields {
			if f.Name == "v" && f.Value == version {
				p.Kind, p.Offset, p.Message = NotFirst, f.Offset, "v=STSv1 is not the first field, so senders discard the record"
				p.Suggestion = strings.TrimRight(recordStart+" "+strings.Trim(r.text[:f.start]+r.text[f.start+len(f.Raw):], wsp+";"), wsp)
			}
		}
	}
	return p
}

// readField takes the meaning of one field.
func (r *Record) readField(i int, seen map[string]bool) {
	f := r.Fields[i]
	if at := badOctet(f.Raw); at >= 0 {
		r.problem(BadCharacter, Ignored, f.Name, f.start+at, fmt.Sprintf("%s has a character outside printable ASCII: senders ignore the record", clip(f.label())), "")
	}
	switch {
	case f.Name == "":
		r.problem(Junk, Ignored, "", f.Offset, fmt.Sprintf("%s is no field: it has no name and value, so senders ignore the record", clip(f.Value)), guessField(f.Value))
		return
	case f.Name == "v" && !seen["v"]:
		seen["v"] = true
		return // judged by the start of the record
	case seen[f.Name]:
		// RFC 8461, Section 3.2: of fields given twice the first counts.
		r.problem(Duplicate, Harmless, f.Name, f.Offset, fmt.Sprintf("field %s is given more than once: the first one counts", clip(f.Name)), "")
		return
	}
	seen[f.Name] = true
	// RFC 8461, Section 3.1: no white space around the "=".
	if body := strings.Trim(f.Raw, wsp); body != f.Name+"="+f.Value {
		r.problem(Space, Ignored, f.Name, f.Offset+len(f.Name), fmt.Sprintf("white space around the = of %s: senders ignore the record", clip(f.Name)), f.Name+"="+f.Value)
	}
	if f.Name == "id" {
		r.readID(f)
		return
	}
	switch {
	case !isName(f.Name):
		r.problem(Invalid, Ignored, f.Name, f.Offset, fmt.Sprintf("%s is no field name: senders ignore the record", clip(f.Name)), "")
	case f.Value == "" || strings.ContainsAny(f.Value, "= "):
		r.problem(Invalid, Ignored, f.Name, f.Offset, fmt.Sprintf("%s is no value for %s: it is empty or has a space or = in it, so senders ignore the record", clip(f.Value), clip(f.Name)), "")
	case strings.EqualFold(f.Name, "id") || strings.EqualFold(f.Name, "v"):
		r.problem(Case, Harmless, f.Name, f.Offset, fmt.Sprintf("field %s is in upper case, so it is not known and ignored", clip(f.Name)), strings.ToLower(f.Name)+"="+f.Value)
	default:
		r.problem(Unknown, Harmless, f.Name, f.Offset, fmt.Sprintf("field %s is not known, so it is ignored", clip(f.Name)), guessField(f.Name+"="+f.Value))
	}
}

func (r *Record) readID(f Field) {
	// RFC 8461, Section 3.1: 1 to 32 letters and digits.
	if isID(f.Value) {
		r.ID = f.Value
		return
	}
	at, why := f.Offset, "is empty"
	if bad := strings.IndexFunc(f.Value, func(c rune) bool { return !isAlnum(c) }); bad >= 0 {
		at, why = f.valueOffset()+bad, "has something else than letters and digits in it"
	} else if f.Value != "" {
		why = fmt.Sprintf("has %d characters, the limit is %d", len(f.Value), maxID)
	}
	r.problem(Invalid, Ignored, "id", at, fmt.Sprintf("the id %s %s, so senders act as if there was no MTA-STS", clip(f.Value), why), cleanID(f.Value))
}

// valueOffset is the offset of the field's value in the text.
func (f Field) valueOffset() int {
	if f.Name == "" {
		return f.Offset
	}
	eq := strings.IndexByte(f.Raw, '=') + 1
	rest := f.Raw[eq:]
	return f.start + eq + len(rest) - len(strings.TrimLeft(rest, wsp))
}

func (f Field) label() string {
	if f.Name != "" {
		return f.Name
	}
	return f.Value
}

// cleanID keeps what an id may have.
func cleanID(s string) string {
	id := strings.Map(func(c rune) rune {
		if isAlnum(c) {
			return c
		}
		return -1
	}, s)
	return id[:min(len(id), maxID)]
}

// guessID makes an id of a field that was meant as one.
func guessID(fields []Field) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, "id") && isID(f.Value) {
			return "id=" + f.Value
		}
	}
	return ""
}

// guessField reads "id:1" and "ids=1" as what they were meant to be.
func guessField(s string) string {
	if len(s) > 2 && strings.EqualFold(s[:2], "id") {
		if value := strings.TrimLeft(s[2:], ": =\t"); isID(value) && len(value) < len(s)-2 {
			return "id=" + value
		}
	}
	return ""
}

func isID(s string) bool {
	return s != "" && len(s) <= maxID && strings.IndexFunc(s, func(c rune) bool { return !isAlnum(c) }) < 0
}

func isAlnum(c rune) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isName reports whether the text can name a field (RFC 8461, Section 3.1).
func isName(s string) bool {
	for i, c := range s {
		if !isAlnum(c) && (i == 0 || !strings.ContainsRune("_-.", c)) {
			return false
		}
	}
	return s != "" && len(s) <= maxName
}

// badOctet is the offset of the first octet outside printable ASCII and tab, -1 if
// there is none.
func badOctet(s string) int {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\t' {
			return i
		}
	}
	return -1
}
