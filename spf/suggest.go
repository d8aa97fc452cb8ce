package spf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxSuggestions = 40   // a record with more errors than this needs more than advice
	maxGuessed     = 255  // octets of a term that is worth guessing about
	maxPieces      = 12   // terms glued into one
	maxCuts        = 2000 // places tried to cut a term
)

// explainFaults turns the faults of a record into errors. An error may cover two
// terms, when a space stands where none belongs.
func explainFaults(r Record, faults []fault) SyntaxErrors {
	var out SyntaxErrors
	for i := 0; i < len(faults); i++ {
		if faults[i] == ok {
			continue
		}
		t := r.Terms[i]
		e := &SyntaxError{Record: r.Text, Offset: t.Offset, End: t.End, Term: t.Text}
		e.Reason, e.Expected = describe(t.Text, faults[i])
		if _, body := cutQualifier(t.Text); faults[i] != badTwice {
			if _, rest := splitAll(body); rest != "" && isASCII(rest) && rest[0] > ' ' {
				e.Reason, e.Expected = `text stands directly after "all"`, "a space or the end of the record"
			}
		}
		if len(out) < maxSuggestions && len(t.Text) <= maxGuessed && faults[i] != badTwice {
			next := ""
			if i+1 < len(faults) && faults[i+1] != ok {
				next = r.Terms[i+1].Text
			}
			if next != "" && valid(t.Text+next) {
				i++
				e.End, e.Term = r.Terms[i].End, r.Text[t.Offset:r.Terms[i].End]
				e.Reason, e.Expected, e.Suggestion = "a space in the middle of a term", "", t.Text+next
			} else {
				e.Suggestion, e.Drop = suggest(t.Text, maxPieces)
			}
			if passesAll(e.Suggestion) {
				e.Suggestion = "" // a guess must not open the domain to everybody
			}
		}
		if faults[i] == badTwice {
			e.Drop = sameAsFirst(r, i)
		}
		out = append(out, e)
	}
	return out
}

// passesAll reports whether a guess holds an all that lets every host pass.
func passesAll(guess string) bool {
	for t := range strings.FieldsSeq(guess) {
		if fold(t, "all") || fold(t, "+all") {
			return true
		}
	}
	return false
}

// sameAsFirst reports whether a second redirect or exp only repeats the first.
func sameAsFirst(r Record, i int) bool {
	low := lower(r.Terms[i].Text)
	for _, t := range r.Terms[:i] {
		if lower(t.Text) == low {
			return true
		}
	}
	return false
}

// describe says what is wrong with a term and what is expected instead.
func describe(term string, f fault) (reason, expected string) {
	for i := range len(term) {
		switch c := term[i]; {
		case c == '\t':
			return "a TAB, which separates nothing", "a space between terms"
		case c < ' ' || c == 0x7f:
			return fmt.Sprintf("control character 0x%02X", c), "printable ASCII"
		case c >= 0x80:
			return "a character outside ASCII", "printable ASCII"
		}
	}
	switch f {
	case badMechanism:
		return "unknown mechanism", "all, include, a, mx, ptr, ip4, ip6 or exists"
	case badNoArgument:
		return "the mechanism needs an argument", `":" and what it applies to`
	case badArgument:
		return "the mechanism takes no such argument", "its bare name"
	case badEmpty:
		return "nothing follows the colon or equals sign", "a domain name or network directly after it"
	case badIP4:
		return "not an IPv4 network", "four numbers from 0 to 255 and an optional /0 to /32"
	case badIP6:
		return "not an IPv6 network", "an IPv6 address and an optional /0 to /128"
	case badPrefix:
		return "not a prefix length", "/0 to /32 for IPv4 or //0 to //128 for IPv6, without leading zeros"
	case badDomain:
		return "not a domain name", "at least two labels, the last one not a number, or a macro at the end"
	case badChar:
		return "a character that is not allowed", "printable ASCII"
	case badMacro:
		return "broken macro", `%{letter}, %%, %_ or %-`
	case badMacroLetter:
		return "the macros c, r and t are for explanations only", "s, l, o, d, i, p, h or v"
	case badName:
		return "not a modifier", "a name that begins with a letter before the equals sign"
	case badQualified:
		return "a modifier takes no qualifier", "name=value, or a mechanism with a colon"
	case badTwice:
		return "the modifier is there twice", "at most one redirect and one exp"
	}
	return "syntax error", ""
}

// valid reports whether a text is one term that fits the grammar.
func valid(term string) bool {
	if term == "" || strings.IndexByte(term, ' ') >= 0 {
		return false
	}
	_, f := scanTerm(term, 0)
	return f == ok
}

// directive is valid for a mechanism or a known modifier.
func directive(term string) bool {
	if term == "" || strings.IndexByte(term, ' ') >= 0 {
		return false
	}
	o, f := scanTerm(term, 0)
	return f == ok && o.kind != opUnknown
}

// suggest guesses what a faulty term was meant to be: one or more terms. drop
// says that it carries nothing. pieces bounds the terms it may fall into.
func suggest(term string, pieces int) (s string, drop bool) {
	if pieces <= 0 || term == "" {
		return "", false
	}
	if clean := cleaned(term); clean != term {
		return several(strings.Fields(clean), pieces-1)
	}
	q, body := cutQualifier(term)
	if fold(body, version) || body == "" || strings.Trim(term, ".,;:\"'/|&") == "" {
		return "", true
	}
	if name, found := strings.CutSuffix(body, ":"); found && mechanism(name) != opNone {
		return "", true // the mechanism has nothing to apply to
	}
	if _, value, found := strings.Cut(body, "="); found && (value == "" || fold(value, version)) {
		return "", true // a modifier without a value, or with the beginning of another record as one
	}
	for _, guess := range []func(q, body string) string{
		bareAddress, wrongName, doubled, listed, glued, netmask, wrongArgument, misspelled, bareHost, strayText,
	} {
		if s := guess(q, body); s != "" {
			return s, false
		}
	}
	return "", false
}

// several joins the suggestions for some terms.
func several(terms []string, pieces int) (string, bool) {
	var out []string
	for i, t := range terms {
		if i > maxPieces {
			return "", false
		}
		if directive(t) {
			out = append(out, t)
			continue
		}
		if valid(t) {
			continue // a modifier nobody knows, such as the text of another record
		}
		s, drop := suggest(t, pieces)
		if s == "" && !drop {
			return "", false
		}
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " "), len(out) == 0
}

func cutQualifier(term string) (q, body string) {
	if term != "" && strings.IndexByte("+-~?", term[0]) >= 0 {
		return term[:1], term[1:]
	}
	return "", term
}

// typography maps what word processors and mail programs make of ASCII.
var typography = strings.NewReplacer(
	"\u201c", "", "\u201d", "", "\u201e", "", "\u2018", "", "\u2019", "", "\u00ab", "", "\u00bb", "",
	"\u2013", "-", "\u2014", "-", "\u2212", "-", "\u2010", "-", "\u2011", "-", "\u02dc", "~", "\u223c", "~", "\uff5e", "~",
	"\u00a0", " ", "\u2002", " ", "\u2003", " ", "\u2009", " ", "\u202f", " ", "\u3000", " ",
	"\u200b", "", "\u200c", "", "\u200d", "", "\u2060", "", "\ufeff", "", "\u00ad", "",
	"\uff1a", ":", "\uff0f", "/", "\uff1d", "=", "\uff0e", ".",
	"\t", " ", "\r", " ", "\n", " ", "\\", "",
)

// windows1252 is the same for text that is not UTF-8.
var windows1252 = map[byte]string{0x96: "-", 0x97: "-", 0x98: "~", 0xa0: " ", 0xad: "-"}

// cleaned takes typographic characters, quotes and separators of other formats
// off a term. The result may be several terms.
func cleaned(term string) string {
	s := term
	if utf8.ValidString(s) {
		s = typography.Replace(s)
	} else {
		var b strings.Builder
		for i := range len(s) {
			if s[i] < 0x80 {
				b.WriteByte(s[i])
			} else {
				b.WriteString(windows1252[s[i]])
			}
		}
		s = b.String()
	}
	ascii := make([]byte, 0, len(s))
	for _, c := range []byte(s) {
		if c >= ' ' && c < 0x7f {
			ascii = append(ascii, c)
		}
	}
	s = strings.Trim(string(ascii), "\"'`;,")
	return strings.TrimRight(s, ".;,")
}
