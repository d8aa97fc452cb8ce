package dmarc

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const wsp = " \t" // RFC 5234, Appendix B.1

// Parse reads the text of one TXT record, its strings already joined. The error
// is a *[ParseError] when receivers ignore the text as a whole: it does not
// start with v=DMARC1, or is longer than a TXT record can be. The Record holds
// what could be read in both cases, and all its problems, not only the first.
func Parse(text string) (Record, error) {
	r := Record{text: text, PSD: "u", FO: "0", Percent: 100}
	if len(text) > maxRecord {
		// The text is no longer kept, so a Record never holds more than a TXT record can.
		r.text = text[:maxRecord]
		p := Problem{Kind: TooLong, Offset: maxRecord, Message: fmt.Sprintf("%d octets are more than a TXT record holds", len(text))}
		r.Problems = []Problem{p}
		return r, &ParseError{In: head(text), Problem: p}
	}
	r.split()
	fatal := r.version()
	if fatal != nil && (fatal.Kind == Quoted || fatal.Kind == LeadingText) && fatal.Suggestion != "" && len(fatal.Suggestion) < len(text) {
		return r.within(*fatal)
	}
	if fatal != nil {
		r.Problems = append(r.Problems, *fatal)
	}
	seen := map[string]bool{}
	for i := range r.Tags {
		r.readTag(i, seen)
	}
	if fatal == nil {
		r.order()
	}
	slices.SortStableFunc(r.Problems, func(a, b Problem) int { return cmp.Compare(a.Offset, b.Offset) })
	if fatal != nil {
		return r, &ParseError{In: head(text), Problem: *fatal}
	}
	return r, nil
}

// within reads the record that other text surrounds, which is the suggestion, in
// its place: quotation marks would make nonsense of the first and last tag.
func (r Record) within(fatal Problem) (Record, error) {
	inner, _ := Parse(fatal.Suggestion)
	at := strings.Index(r.text, fatal.Suggestion)
	for i := range inner.Tags {
		inner.Tags[i].Offset += at
		inner.Tags[i].start += at
	}
	for _, list := range [][]URI{inner.RUA, inner.RUF} {
		for i := range list {
			list[i].Offset += at
		}
	}
	for i := range inner.Problems {
		inner.Problems[i].Offset += at
	}
	inner.Problems = append([]Problem{fatal}, inner.Problems...)
	inner.text = r.text
	return inner, &ParseError{In: head(r.text), Problem: fatal}
}

// head keeps as much of the text as an error shows.
func head(s string) string { return s[:min(len(s), maxQuoted+1)] }

// split cuts the text at its semicolons.
func (r *Record) split() {
	for at, rest, last := 0, r.text, false; !last; {
		seg, after, found := strings.Cut(rest, ";")
		last = !found
		body := strings.Trim(seg, wsp)
		offset := at + len(seg) - len(strings.TrimLeft(seg, wsp))
		switch {
		case body == "" && last:
			// RFC 9989, Section 4.8: one separator may end the record.
		case body == "":
			r.problem(Junk, "", at, "two semicolons without a tag between them", "")
		case len(r.Tags) == maxTags:
			r.problem(TooLong, "", at, fmt.Sprintf("only the first %d tags are read", maxTags), "")
			return
		default:
			r.Tags = append(r.Tags, makeTag(seg, body, offset, at))
		}
		if len(r.Problems) >= maxTags {
			return
		}
		at += len(seg) + 1
		rest = after
	}
}

func makeTag(seg, body string, offset, start int) Tag {
	name, value, found := strings.Cut(body, "=")
	name = strings.TrimRight(name, wsp)
	if !found || name == "" {
		return Tag{Value: body, Offset: offset, Raw: seg, start: start}
	}
	return Tag{Name: name, Value: strings.TrimLeft(value, wsp), Offset: offset, Raw: seg, start: start}
}

// valueOffset is the offset of the tag's value in the text.
func (t Tag) valueOffset() int {
	if t.Name == "" {
		return t.Offset
	}
	eq := t.start + strings.IndexByte(t.Raw, '=') + 1
	rest := t.Raw[eq-t.start:]
	return eq + len(rest) - len(strings.TrimLeft(rest, wsp))
}

func (r *Record) problem(k Kind, tag string, offset int, message, suggestion string) {
	r.Problems = append(r.Problems, Problem{Kind: k, Tag: tag, Offset: offset, Message: message, Suggestion: suggestion})
}

// readTag takes the meaning of one tag.
func (r *Record) readTag(i int, seen map[string]bool) {
	t := r.Tags[i]
	if at := strings.IndexFunc(t.Raw, func(c rune) bool { return (c < ' ' || c > '~') && c != '\t' }); at >= 0 {
		// RFC 9989, Section 4.8: values are printable ASCII.
		r.problem(BadCharacter, t.Name, t.start+at, fmt.Sprintf("%s has a character outside printable ASCII: %s", clip(t.label()), firstQuoted(t.Raw[at:])), "")
	}
	switch {
	case t.Name == "":
		r.problem(Junk, "", t.Offset, fmt.Sprintf("%s is not a tag: it has no \"=\"", clip(t.Value)), r.guessJunk(i))
		return
	case i > 0 && t.Name == "v" && !seen["v"], i == 0 && strings.EqualFold(t.Name, "v"):
		seen["v"] = true
		if t.Name != "v" {
			r.tagCase(t)
		}
		return // judged by version
	case seen[t.Name]:
		// RFC 6376, Section 3.2: a tag given twice makes the tag list invalid. RFC
		// 9989 does not repeat that, so receivers differ.
		r.problem(DuplicateTag, t.Name, t.Offset, fmt.Sprintf("tag %s is given more than once: some receivers ignore the whole record, others take one of the copies", clip(t.Name)), "")
		return
	}
	seen[t.Name] = true
	known := isKnown(t.Name)
	switch {
	case !known && isKnown(strings.ToLower(t.Name)):
		r.tagCase(t)
		return
	case !known:
		r.unknown(t)
		return
	case t.Value == "":
		// RFC 9989, Section 4.8: a value has at least one character.
		r.problem(EmptyValue, t.Name, t.Offset, fmt.Sprintf("tag %s has no value", clip(t.Name)), "")
	}
	r.readValue(t)
}

func (t Tag) label() string {
	if t.Name != "" {
		return t.Name
	}
	return t.Value
}

func firstQuoted(s string) string {
	_, size := utf8.DecodeRuneInString(s) // one octet if it is not UTF-8
	return strconv.QuoteToASCII(s[:size])
}

func (r *Record) tagCase(t Tag) {
	// RFC 6376, Section 3.2: tag names are case-sensitive.
	r.problem(TagCase, t.Name, t.Offset, fmt.Sprintf("tag %s is in upper case: tag names are case-sensitive, so receivers may ignore it", clip(t.Name)), strings.ToLower(t.Name))
}

func (r *Record) unknown(t Tag) {
	// RFC 9989, Section 4.7: unknown tags are ignored.
	r.problem(UnknownTag, t.Name, t.Offset, fmt.Sprintf("tag %s is not known, so it is ignored", clip(t.Name)), guessTag(t))
}

// order judges the presence and the place of p.
func (r *Record) order() {
	for i, t := range r.Tags {
		if t.Name != "p" {
			continue
		}
		if i != 1 {
			// RFC 7489, Section 6.4 put p second; RFC 9989 lets it stand anywhere.
			r.problem(PolicyNotSecond, "p", t.Offset, "p does not follow v: some receivers that follow RFC 7489 need it there", "")
		}
		return
	}
	message := "p is missing, so p=none counts"
	if !anyValid(r.RUA) {
		message += ", and as there is no usable rua, a receiver may skip DMARC altogether"
	}
	suggestion := ""
	for _, t := range r.Tags {
		if strings.EqualFold(t.Name, "p") {
			suggestion = "p=" + t.Value
		}
	}
	r.problem(PolicyMissing, "", len(r.text), message, suggestion)
}
