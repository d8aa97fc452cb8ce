package dmarc

import (
	"strings"
)

// Class is what a TXT record found at a _dmarc name, or elsewhere, is.
type Class string

// The classes. All but ClassRecord and ClassOther tell of a likely mistake.
const (
	ClassRecord  Class = "dmarc"        // starts with v=DMARC1
	ClassCase    Class = "wrong-case"   // a record but for the case of its version
	ClassQuoted  Class = "quoted"       // a record with quotation marks as part of it
	ClassLeading Class = "leading-text" // a record behind other text
	ClassTags    Class = "no-version"   // tags of DMARC without a version, or with a wrong one
	ClassSPF     Class = "spf"          // an SPF or Sender ID record
	ClassDKIM    Class = "dkim"         // a DKIM key
	ClassBlank   Class = "blank"        // nothing, or only white space
	ClassOther   Class = "other"        // has nothing to do with DMARC
)

// Classify tells what a TXT record is, seen from DMARC. It reads the start of
// the text and looks for v=DMARC1 in the rest.
func Classify(text string) Class {
	text = text[:min(len(text), maxRecord)]
	trimmed := strings.TrimSpace(text)
	low := strings.ToLower(trimmed)
	switch {
	case trimmed == "":
		return ClassBlank
	case isRecord(text):
		return ClassRecord
	case hasVersion(low, "spf1", ""), strings.HasPrefix(low, "spf2.0/"):
		return ClassSPF
	case hasVersion(low, "dkim1", ";"):
		return ClassDKIM
	}
	if inner, quoted := unquote(trimmed); quoted && findVersion(inner) == 0 {
		return ClassQuoted
	}
	switch first, _, _ := strings.Cut(text, ";"); {
	case isVersionTag(first, strings.EqualFold):
		if strings.Trim(first, wsp) == strings.TrimRight(first, wsp) {
			return ClassCase
		}
		return ClassLeading
	case findVersion(text) > 0:
		return ClassLeading
	}
	return classifyTags(text, low)
}

// hasVersion reports whether the text starts with v=version, with white space or
// one of stop behind it if it goes on.
func hasVersion(low, version, stop string) bool {
	name, rest, found := strings.Cut(low, "=")
	if !found || strings.TrimRight(name, wsp) != "v" {
		return false
	}
	rest, found = strings.CutPrefix(strings.TrimLeft(rest, wsp), version)
	return found && (rest == "" || strings.ContainsAny(rest[:1], wsp+stop))
}

// classifyTags recognizes DMARC by tags that no other record has.
func classifyTags(text, low string) Class {
	if strings.HasPrefix(low, "v=dmarc") || hasVersion(low, "dmarc1", "") {
		return ClassTags
	}
	dkim, tags := false, 0
	for seg := range strings.SplitSeq(text, ";") {
		if tags++; tags > maxTags {
			break
		}
		name, value, _ := strings.Cut(strings.Trim(seg, wsp), "=")
		value = strings.ToLower(strings.TrimLeft(value, wsp))
		switch name = strings.TrimRight(name, wsp); name {
		case "rua", "ruf":
			if strings.HasPrefix(value, mailto) || strings.Contains(value, "@") {
				return ClassTags
			}
		case "p", "sp", "np":
			if Policy(value) == None || Policy(value).Strength() > 0 {
				return ClassTags
			}
			if name == "p" && len(value) > 60 {
				dkim = true
			}
		case "k":
			dkim = dkim || value == "rsa" || value == "ed25519"
		}
	}
	if dkim {
		return ClassDKIM
	}
	return ClassOther
}

// isRecord reports whether a receiver takes the text for a DMARC record.
func isRecord(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	// RFC 9989, Section 4.8: nothing stands before the version, not even white space.
	return strings.TrimLeft(first, wsp) == first && isVersionTag(first, func(a, b string) bool { return a == b })
}

// isVersionTag reports whether the segment is v=DMARC1 with the value compared
// by same. The literal "v" is case-insensitive in the grammar, the value is not
// (RFC 9989, Section 4.8).
func isVersionTag(seg string, same func(a, b string) bool) bool {
	name, value, found := strings.Cut(strings.Trim(seg, wsp), "=")
	return found && strings.EqualFold(strings.TrimRight(name, wsp), "v") && same(strings.TrimLeft(value, wsp), "DMARC1")
}

// findVersion is the offset of a version tag anywhere in the text, -1 if none.
func findVersion(text string) int {
	low := strings.ToLower(text)
	if len(low) != len(text) {
		return -1 // lower case of another length: not ASCII, offsets would be wrong
	}
	for from := 0; ; {
		at := strings.Index(low[from:], "dmarc1")
		if at < 0 {
			return -1
		}
		at += from
		before := strings.TrimRight(low[:at], wsp)
		if head, found := strings.CutSuffix(before, "="); found {
			head = strings.TrimRight(head, wsp)
			if strings.HasSuffix(head, "v") && !letterBefore(head) {
				return len(head) - 1
			}
		}
		from = at + len("dmarc1")
	}
}

// letterBefore reports whether the last octet of head continues a word.
func letterBefore(head string) bool {
	if len(head) < 2 {
		return false
	}
	c := head[len(head)-2]
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}

// unquote takes quotation marks off both ends, or off the start alone.
func unquote(s string) (string, bool) {
	for _, q := range []string{`\"`, `"`, `'`, "\u201c", "\u201d"} {
		if inner, found := strings.CutPrefix(s, q); found {
			for _, e := range []string{`\"`, `"`, `'`, "\u201d", "\u201c"} {
				if cut, found := strings.CutSuffix(inner, e); found {
					return strings.Trim(cut, wsp), true
				}
			}
			return strings.Trim(inner, wsp), true
		}
	}
	return s, false
}

// version judges the start of the record. A problem means that receivers ignore
// all of it (RFC 9989, Section 4.7).
func (r *Record) version() *Problem {
	if isRecord(r.text) {
		return nil
	}
	trimmed := strings.TrimSpace(r.text)
	if trimmed == "" {
		return &Problem{Kind: VersionMissing, Message: "the record is blank, v=DMARC1 is needed at its start"}
	}
	if inner, quoted := unquote(trimmed); quoted {
		if findVersion(inner) != 0 {
			inner = ""
		}
		return &Problem{Kind: Quoted, Message: "the quotation marks are part of the record, so receivers ignore it", Suggestion: inner}
	}
	if len(r.Tags) > 0 && strings.EqualFold(r.Tags[0].Name, "v") {
		return r.wrongVersion(r.Tags[0])
	}
	for _, t := range r.Tags {
		if t.Name == "v" && strings.EqualFold(t.Value, "DMARC1") {
			return &Problem{Kind: VersionNotFirst, Tag: "v", Offset: t.Offset, Message: "v=DMARC1 is not the first tag, so receivers ignore the record", Suggestion: versionFirst(r.text, t)}
		}
	}
	if at := findVersion(r.text); at > 0 {
		inner := strings.TrimRight(r.text[at:], "\"' \t")
		return &Problem{Kind: LeadingText, Offset: 0, Message: "text stands before v=DMARC1, so receivers ignore the record", Suggestion: inner}
	}
	p := &Problem{Kind: VersionMissing, Message: "there is no v=DMARC1 at its start, so receivers ignore it"}
	if Classify(r.text) == ClassTags {
		p.Suggestion = "v=DMARC1; " + trimmed
	}
	return p
}

// wrongVersion is the problem of a first tag v that is not v=DMARC1, or that
// stands behind white space.
func (r *Record) wrongVersion(t Tag) *Problem {
	const good = "DMARC1"
	p := &Problem{Kind: VersionInvalid, Tag: t.Name, Offset: t.valueOffset(), Message: clip(t.Value) + " is not the version DMARC1, so receivers ignore the record"}
	rest, after := "", r.text[t.start+len(t.Raw):]
	if len(t.Value) >= len(good) {
		rest = t.Value[len(good):]
	}
	switch {
	case t.Value == good:
		return &Problem{Kind: LeadingText, Message: "white space or a semicolon stands before v=DMARC1, so receivers ignore the record", Suggestion: strings.TrimRight(r.text[t.Offset:], wsp)}
	case strings.EqualFold(t.Value, good):
		p.Kind, p.Suggestion = VersionCase, "v="+good+after
		p.Message = clip(t.Value) + " is not DMARC1 in capitals, so receivers ignore the record"
	case strings.HasSuffix(t.Value, `\`) && strings.EqualFold(strings.TrimRight(t.Value, `\`), good):
		p.Suggestion = "v=" + good + strings.ReplaceAll(after, `\;`, ";")
	case strings.HasPrefix(t.Value, good) && strings.Contains(rest, "="):
		p.Suggestion = "v=" + good + "; " + strings.TrimLeft(rest, wsp+",:.") + after
	case strings.Contains(strings.ToLower(t.Value), "dmarc") && len(t.Value) <= maxGuess:
		p.Suggestion = "v=" + good + after
	}
	return p
}

// versionFirst moves the tag to the front.
func versionFirst(text string, t Tag) string {
	rest := text[:t.start-1] + text[t.start+len(t.Raw):]
	return "v=DMARC1; " + strings.Trim(rest, wsp)
}
