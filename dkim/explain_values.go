package dkim

import (
	"fmt"
	"mime"
	"strings"
)

type variant struct {
	kind   ChangeKind
	value  string
	detail string
}

// variants are the values that a field may have had before a usual change.
func variants(value string, relaxed bool) []variant {
	var out []variant
	add := func(kind ChangeKind, v, detail string) {
		if v != value {
			out = append(out, variant{kind, v, detail})
		}
	}
	body := strings.TrimLeft(value, " \t\r\n")
	flat := strings.NewReplacer("\r\n", "", "\n", "").Replace(value)
	affixes(body, add)
	folding(value, flat, relaxed, add)
	quoting(strings.TrimLeft(flat, " \t"), add)
	encoding(strings.TrimSpace(flat), add)
	add(ChangeCase, strings.ToLower(value), "letters were in lower case when it was signed")
	add(ChangeCase, strings.ReplaceAll(value, "utf-8", "UTF-8"), "the charset was in upper case when it was signed")
	if at := strings.LastIndexByte(value, '@'); at >= 0 {
		add(ChangeCase, value[:at]+strings.ToLower(value[at:]), "the domain was in lower case when it was signed")
	}
	return out
}

// maxWords is how many words at either end of a value are tried as additions.
const maxWords = 16

// affixes takes words away at the beginning and the end.
func affixes(body string, add func(ChangeKind, string, string)) {
	words := 0
	for i := 1; i < len(body) && words < maxWords; i++ {
		// A tag such as "[list]" may stand before a word without white space.
		if strings.IndexByte(" \t\n", body[i-1]) < 0 && strings.IndexByte("]*:)", body[i-1]) < 0 || strings.IndexByte(" \t\r\n", body[i]) >= 0 {
			continue
		}
		words++
		add(ChangePrefix, " "+body[i:], fmt.Sprintf("%+q was put before the value", shorten(body[:i])))
	}
	for i, words := len(body)-1, 0; i > 0 && words < maxWords; i-- {
		if strings.IndexByte(" \t(", body[i]) >= 0 && strings.IndexByte(" \t", body[i-1]) < 0 {
			words++
			add(ChangeSuffix, " "+body[:i], fmt.Sprintf("%+q was put after the value", shorten(body[i:])))
		}
	}
	// "Re: [list] text": the tag is put in after the reply mark.
	if open := strings.IndexByte(body, '['); open > 0 {
		if n := strings.IndexByte(body[open:], ']'); n > 0 {
			tag := body[open : open+n+1]
			add(ChangePrefix, " "+body[:open]+strings.TrimLeft(body[open+n+1:], " \t"), fmt.Sprintf("%+q was put into the value", shorten(tag)))
		}
	}
}

// folding changes line breaks and white space.
func folding(value, flat string, relaxed bool, add func(ChangeKind, string, string)) {
	const detail = "line breaks or white space were changed"
	trim := strings.Trim(flat, " \t")
	for _, v := range []string{
		flat, " " + trim, trim, "\t" + trim, " " + trim + " ",
		strings.ReplaceAll(value, "\r\n\t", "\r\n "), strings.ReplaceAll(value, "\r\n ", "\r\n\t"),
		strings.ReplaceAll(flat, "\t", " "), strings.ReplaceAll(flat, "  ", " "),
		strings.ReplaceAll(flat, ", ", ","), strings.ReplaceAll(flat, ",", ", "), strings.ReplaceAll(flat, "; ", ";"), strings.ReplaceAll(flat, ";", "; "),
		strings.ReplaceAll(flat, ", ", ",\r\n\t"), strings.ReplaceAll(flat, ", ", ",\r\n "),
		strings.ReplaceAll(flat, "; ", ";\r\n\t"), strings.ReplaceAll(flat, "; ", ";\r\n "),
		strings.NewReplacer(" ", "", "\t", "").Replace(flat),
	} {
		add(ChangeFolding, v, detail)
	}
	// A long word broken in two, or one space changed into a line break.
	n := 0
	for i := 1; i+1 < len(trim) && n < 64; i++ {
		if trim[i] != ' ' && trim[i] != '\t' {
			continue
		}
		n++
		add(ChangeFolding, " "+trim[:i]+strings.TrimLeft(trim[i:], " \t"), "white space was put inside a word")
		if !relaxed {
			add(ChangeFolding, " "+trim[:i]+"\r\n"+trim[i:], detail)
			add(ChangeFolding, " "+trim[:i]+"\r\n\t"+trim[i+1:], detail)
		}
	}
}

// quoting changes quotes and brackets.
func quoting(flat string, add func(ChangeKind, string, string)) {
	const detail = "quotes or brackets were changed"
	add(ChangeQuoting, " "+strings.ReplaceAll(flat, `"`, ""), detail)
	add(ChangeQuoting, " "+strings.NewReplacer("<", "", ">", "").Replace(flat), detail)
	add(ChangeQuoting, " <"+strings.TrimSpace(flat)+">", detail)
	if open := strings.LastIndexByte(flat, '<'); open > 0 {
		name := strings.Trim(flat[:open], " \t")
		add(ChangeQuoting, ` "`+name+`" `+flat[open:], detail)
		add(ChangeQuoting, " "+strings.Trim(flat[open:], "<> "), detail)
		add(ChangeQuoting, " "+flat[open:], "a display name was added")
	}
	if eq := strings.IndexByte(flat, '='); eq > 0 && !strings.Contains(flat, `"`) {
		rest, tail, _ := strings.Cut(flat[eq+1:], ";")
		if tail != "" {
			tail = ";" + tail
		}
		add(ChangeQuoting, " "+flat[:eq+1]+`"`+rest+`"`+tail, detail)
	}
}

// encoding decodes and makes encoded words (RFC 2047).
func encoding(flat string, add func(ChangeKind, string, string)) {
	if strings.Contains(flat, "=?") {
		if text, err := new(mime.WordDecoder).DecodeHeader(flat); err == nil {
			add(ChangeEncoding, " "+text, "the value was plain text when it was signed, and was made encoded words")
			flat = text
		}
	}
	for _, charset := range []string{"utf-8", "UTF-8"} {
		for _, e := range []mime.WordEncoder{mime.QEncoding, mime.BEncoding} {
			encoded := e.Encode(charset, flat)
			if encoded == flat {
				continue
			}
			const detail = "encoded words were decoded, or made in another way"
			add(ChangeEncoding, " "+encoded, detail)
			add(ChangeEncoding, " "+strings.NewReplacer("?q?", "?Q?", "?b?", "?B?").Replace(encoded), detail)
		}
	}
}
