package bimi

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Parse reads the text of one TXT record, its strings already joined. The error is a
// *[ParseError]: [ErrNotBIMI] when receivers discard the text, [ErrRecord] when they
// take it for a record that fails. Receivers must not mend anything, so neither does
// Parse. The Record holds what could be read in all cases, and all its problems.
func Parse(text string) (Record, error) {
	r := Record{text: text, Preference: Brand}
	if len(text) > maxRecord {
		r.text = text[:maxRecord]
		r.problem(TooLong, Ignored, "", maxRecord, fmt.Sprintf("%d octets are more than a TXT record holds", len(text)), "")
		return r, &ParseError{In: head(text), Reason: ErrNotBIMI, Problem: r.Problems[0]}
	}
	r.split()
	isRecord := startsRecord(text)
	if !isRecord {
		r.Problems = append([]Problem{r.judgeStart()}, r.Problems...)
	}
	seen := map[string]bool{}
	for i := range r.Tags {
		r.readTag(i, seen)
	}
	r.finish(seen)
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
		return r, &ParseError{In: head(text), Reason: ErrNotBIMI, Problem: *p}
	}
	return r, &ParseError{In: head(text), Reason: ErrRecord, Problem: *p}
}

// startsRecord reports whether receivers take a text for a record: its first tag is
// v= and its value is BIMI1, in that case.
func startsRecord(text string) bool {
	first, _, _ := strings.Cut(text, ";")
	name, value, found := strings.Cut(first, "=")
	return found && strings.TrimRight(name, wsp) == "v" && strings.Trim(value, wsp) == version
}

func (r *Record) problem(k Kind, e Effect, field string, offset int, message, suggestion string) {
	r.Problems = keep(r.Problems, Problem{Kind: k, Effect: e, Field: field, Offset: offset, Message: message, Suggestion: suggestion})
}

// split cuts the text at its semicolons.
func (r *Record) split() {
	for at, rest, last := 0, r.text, false; !last; {
		seg, after, found := strings.Cut(rest, ";")
		last = !found
		body := strings.Trim(seg, fws)
		switch {
		case body == "" && last:
			// RFC 6376, Section 3.2: one semicolon may end the list.
		case body == "":
			r.problem(Junk, AtRisk, "", at, "two semicolons without a tag between them: strict receivers ignore the record", "")
		case len(r.Tags) == maxTags:
			r.problem(TooLong, AtRisk, "", at, fmt.Sprintf("only the first %d tags are read", maxTags), "")
			return
		default:
			t := Tag{Value: body, Offset: at + len(seg) - len(strings.TrimLeft(seg, fws)), Raw: seg, start: at}
			if name, value, found := strings.Cut(body, "="); found && strings.Trim(name, fws) != "" {
				t.Name, t.Value = strings.TrimRight(name, fws), strings.TrimLeft(value, fws)
			}
			r.Tags = append(r.Tags, t)
		}
		at += len(seg) + 1
		rest = after
	}
}

// judgeStart tells why the text is no BIMI record.
func (r *Record) judgeStart() Problem {
	p := Problem{Kind: Missing, Effect: Ignored, Field: "v", Message: "it does not start with v=BIMI1 and is discarded"}
	trimmed := strings.TrimLeft(r.text, fws)
	inner := strings.Trim(trimmed, "\"'\u201c\u201d ")
	first, rest, _ := strings.Cut(r.text, ";")
	squeezed := strings.NewReplacer(" ", "", "\t", "").Replace(first)
	switch {
	case startsRecord(inner) && inner != trimmed && !startsRecord(trimmed):
		p.Kind, p.Suggestion, p.Message = Quoted, inner, "quotation marks are part of the text, so receivers discard it"
	case startsRecord(trimmed):
		p.Kind, p.Suggestion, p.Message = Space, trimmed, "white space stands before v=BIMI1, so receivers discard it"
	case strings.EqualFold(squeezed, "v="+version):
		p.Kind, p.Message = Case, "the version is case-sensitive: v=BIMI1 is needed, so receivers discard it"
		p.Suggestion = "v=" + version + ";" + rest
	case len(squeezed) >= 6 && strings.EqualFold(squeezed[:6], "v=BIMI"):
		p.Kind, p.Message = Invalid, fmt.Sprintf("%s is not the version BIMI1, so receivers discard the record", clip(squeezed[2:]))
	default:
		for _, t := range r.Tags {
			if t.Name == "v" && t.Value == version {
				p.Kind, p.Offset, p.Message = Invalid, t.Offset, "v=BIMI1 is not the first tag, so receivers discard the record"
				p.Suggestion = "v=" + version + "; " + strings.Trim(r.text[:t.start]+strings.TrimPrefix(r.text[t.start+len(t.Raw):], ";"), fws+";")
			}
		}
	}
	return p
}

// readTag takes the meaning of one tag.
func (r *Record) readTag(i int, seen map[string]bool) {
	t := r.Tags[i]
	for k := range len(t.Raw) {
		if c := t.Raw[k]; c >= 0x7f || c < ' ' && !strings.ContainsRune(fws, rune(c)) {
			// RFC 6376, Section 3.2: tag values are printable ASCII.
			r.problem(BadCharacter, Ignored, t.Name, t.start+k, "a character outside printable ASCII: the record is not well-formed", "")
			break
		}
	}
	switch {
	case t.Name == "":
		r.problem(Junk, Ignored, "", t.Offset, fmt.Sprintf("%s is no tag: it has no name and value, so the record is not well-formed", clip(t.Value)), "")
		return
	case seen[t.Name]:
		// RFC 6376, Section 3.2: a tag that is given twice makes the whole list invalid.
		r.problem(Duplicate, Ignored, t.Name, t.Offset, fmt.Sprintf("tag %s is given more than once, so the record is not valid", clip(t.Name)), "")
		return
	}
	seen[t.Name] = true
	switch t.Name {
	case "v": // judged by the start of the record
	case "l":
		r.Location = r.readURL(t, "location of the picture")
		r.judgeSuffix(t)
	case "a":
		r.Evidence = r.readURL(t, "location of the certificate")
	case "avp":
		r.readPreference(t)
	case "lps":
		r.readPrefixes(t)
	default:
		r.unknown(t)
	}
}

func (r *Record) unknown(t Tag) {
	lower := strings.ToLower(t.Name)
	switch {
	case !isTagName(t.Name):
		r.problem(Invalid, Ignored, t.Name, t.Offset, fmt.Sprintf("%s is no tag name, so the record is not well-formed", clip(t.Name)), "")
	case slices.Contains([]string{"v", "l", "a", "avp", "lps"}, lower):
		// RFC 6376, Section 3.2: tag names are case-sensitive.
		r.problem(Case, Harmless, t.Name, t.Offset, fmt.Sprintf("tag %s is in upper case, so it is not known and ignored", clip(t.Name)), lower+"="+t.Value)
	default:
		// Draft, Section "Assertion Record Definition": unknown tags are ignored.
		r.problem(Unknown, Harmless, t.Name, t.Offset, fmt.Sprintf("tag %s is not known, so it is ignored", clip(t.Name)), "")
	}
}

func isTagName(s string) bool {
	for i, c := range s {
		if !isAlnum(c) && (c != '_' || i == 0) || i == 0 && c >= '0' && c <= '9' {
			return false
		}
	}
	return s != ""
}

// readURL takes the one URL of l= or a=.
func (r *Record) readURL(t Tag, what string) string {
	value := t.Value
	if value == "" {
		return ""
	}
	bad := func(why, suggestion string) string {
		r.problem(Invalid, Ignored, t.Name, t.Offset, fmt.Sprintf("the %s, %s, is not valid: %s", what, clip(value), why), suggestion)
		return ""
	}
	switch {
	case strings.Contains(value, ",") && strings.Count(strings.ToLower(value), "://") > 1:
		return bad("there is more than one URL, and only one is allowed", strings.TrimRight(value[:strings.Index(value, ",")], fws))
	case strings.Contains(value, ","):
		// Draft, Section "Assertion Record Definition": commas in a URI are encoded.
		guess := strings.ReplaceAll(value, ",", "%2C")
		if urlProblem(guess) != "" {
			guess = ""
		}
		return bad("a comma has to be written as %2C", guess)
	case strings.ContainsAny(value, fws):
		return bad("there is white space in it", "")
	case !strings.Contains(value, "://") && strings.Contains(value, "."):
		if guess := "https://" + value; urlProblem(guess) == "" {
			return bad("https:// is missing", guess)
		}
	}
	if why := urlProblem(value); why != "" {
		suggestion := ""
		if len(value) > 7 && strings.EqualFold(value[:7], "http://") && urlProblem("https://"+value[7:]) == "" {
			suggestion = "https://" + value[7:]
		}
		return bad(why, suggestion)
	}
	return value
}

// judgeSuffix looks at the ending of the picture's URL.
func (r *Record) judgeSuffix(t Tag) {
	u, err := url.Parse(r.Location)
	if err != nil || r.Location == "" {
		return
	}
	// Draft, Section "Supported Image Formats": another ending is a permanent error.
	switch ext := strings.ToLower(path.Ext(u.Path)); ext {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".ico", ".tif", ".tiff", ".avif", ".heic", ".eps", ".ai", ".pdf":
		r.problem(Format, Ignored, t.Name, t.Offset, fmt.Sprintf("the picture is a %s: only SVG and SVGZ are shown", ext[1:]), "")
	}
}

func (r *Record) readPreference(t Tag) {
	switch p := Preference(t.Value); {
	case p == Brand || p == Personal:
		r.Preference = p
	case strings.EqualFold(t.Value, string(Brand)) || strings.EqualFold(t.Value, string(Personal)):
		r.problem(Case, AtRisk, t.Name, t.Offset, fmt.Sprintf("avp is %s, in the wrong case: it is ignored, or the record fails", clip(t.Value)), "avp="+strings.ToLower(t.Value))
	default:
		// Draft, Section "Assertion Record Definition": ignored, or a failing record.
		r.problem(Invalid, AtRisk, t.Name, t.Offset, fmt.Sprintf("avp is %s, neither brand nor personal: it is ignored, or the record fails", clip(t.Value)), "")
	}
}

func (r *Record) readPrefixes(t Tag) {
	r.LocalParts = true
	if strings.Trim(t.Value, fws) == "" {
		return
	}
	list := strings.Split(t.Value, ",")
	for _, p := range list[:min(len(list), maxPrefixes)] {
		p = strings.Trim(p, fws)
		bad := strings.IndexFunc(p, func(c rune) bool { return !isAlnum(c) && c != '-' }) >= 0
		if p == "" || bad || len(p) > maxPrefix {
			r.problem(Invalid, AtRisk, t.Name, t.Offset, fmt.Sprintf("%s in lps is no prefix: 1 to %d letters, digits and hyphens are needed", clip(p), maxPrefix), "")
			continue
		}
		r.Prefixes = append(r.Prefixes, p)
	}
	if len(r.Prefixes) == 0 {
		r.LocalParts = false // nothing valid is not the same as no limit
	}
}

// finish looks at the record as a whole.
func (r *Record) finish(seen map[string]bool) {
	l, _ := r.Tag("l")
	a, _ := r.Tag("a")
	switch {
	case !seen["l"]:
		r.problem(Missing, Ignored, "l", len(r.text), "l= is missing: the record fails", r.guessLocation())
	case l.Value == "" && a.Value == "":
		r.Declined = true
	case l.Value == "":
		// Draft, Section "Indicator Discovery": without a location there is no picture.
		r.problem(Missing, Ignored, "l", l.Offset, "there is a certificate, but l= is empty: receivers show no logo", "")
	}
}

// guessLocation finds l= written in upper case.
func (r *Record) guessLocation() string {
	if t, ok := r.Tag("L"); ok && t.Value != "" {
		return "l=" + t.Value
	}
	return ""
}
