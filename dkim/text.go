package dkim

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// foreign reports text that is no key record and never was meant as one.
func (p *parser) foreign() bool {
	text := strings.TrimLeft(p.r.Text, "\" \t\r\n")
	if strings.HasPrefix(text, "v=DKIM1") || strings.HasPrefix(text, "k=") || strings.HasPrefix(text, "p=") {
		return false
	}
	for _, other := range []struct{ prefix, what string }{
		{"v=spf1", "an SPF record"}, {"v=dmarc1", "a DMARC record"}, {"v=stsv1", "an MTA-STS record"},
		{"v=tlsrptv1", "a TLSRPT record"}, {"v=bimi1", "a BIMI record"}, {"o=", "a DomainKeys policy"},
		{"spf2.0", "a Sender ID record"}, {"dkim=", "an ADSP record"},
	} {
		if len(text) >= len(other.prefix) && strings.EqualFold(text[:len(other.prefix)], other.prefix) {
			p.add(NotKey, 0, "", "it is "+other.what, "publish the key at this name; other records belong elsewhere")
			return true
		}
	}
	if strings.Contains(text, "-----BEGIN") && !strings.Contains(text, "p=") {
		p.pem(strings.Index(p.r.Text, "-----BEGIN"), "", text)
		return true
	}
	// A key record has v=, k= or p= in some case; without any of them it is other
	// text, such as the answer of a wildcard.
	lower := strings.ToLower(strip(text))
	for part := range strings.SplitSeq(lower, ";") {
		part = strings.TrimLeft(part, "\\\"'\u201c\u201d")
		if strings.HasPrefix(part, "v=dkim") || strings.HasPrefix(part, "k=") || strings.HasPrefix(part, "p=") {
			return false
		}
	}
	if strings.Contains(lower, "dkim") && strings.Contains(lower, "p=") {
		return false
	}
	p.add(NotKey, 0, "", fmt.Sprintf("it has neither v=DKIM1 nor a key: %+q", shorten(p.r.Text)), "look for a wildcard record, or publish the key at this name")
	return true
}

// pem reports a PEM block where a key should be.
func (p *parser) pem(at int, tag, text string) {
	if strings.Contains(text, "PRIVATE KEY") {
		p.add(PrivateExposed, at, tag, "a private key in PEM form is published", hintPrivate)
		return
	}
	p.add(BadBase64, at, tag, "a PEM block with its BEGIN line is published", "publish p= with the base64 lines between BEGIN and END, joined")
}

const hintPrivate = "make a new key pair under a new selector, stop signing with this one and remove the record: anyone can sign with it"

// mangled reports what editors do to a whole record: escapes and quotes.
func (p *parser) mangled() {
	text := p.r.Text
	if at := strings.Index(text, `\;`); at >= 0 {
		p.bad = true
		p.add(Backslash, at, "", `the text holds "\;"`, `publish ";" without the backslash: it is an escape of zone files that this editor does not take away`)
	} else if at := strings.IndexByte(text, '\\'); at >= 0 {
		p.add(Backslash, at, "", fmt.Sprintf("the text holds a backslash: %+q", excerpt(text, at)), "publish the text without zone file escapes")
		p.bad = true
	}
	if at := strings.IndexByte(text, '"'); at >= 0 && !p.inNotes(at) {
		p.bad = true
		p.add(Quotes, at, "", "quotes are part of the text", "publish the text without quotes: the DNS editor adds them itself")
	}
	if at := strings.IndexAny(text, "\r\n"); at >= 0 {
		p.add(BadCharacter, at, "", "a line break is part of the text", "publish the text as one line")
	}
	if at, r := nonASCII(text); at >= 0 {
		p.bad = true
		p.nonASCII(at, r)
	}
}

// inNotes reports whether the offset is in n=, which may hold quotes.
func (p *parser) inNotes(at int) bool {
	part := p.r.Text[strings.LastIndexByte(p.r.Text[:at], ';')+1 : at]
	return strings.HasPrefix(strip(part), "n=")
}

func (p *parser) nonASCII(at int, r rune) {
	switch r {
	case '\u201c', '\u201d', '\u201e', '\u2018', '\u2019', '\u00ab', '\u00bb':
		p.add(Quotes, at, "", fmt.Sprintf("typographic quote %+q", r), "a word processor changed the text: copy it again from the source")
	case utf8.RuneError:
		p.add(BadCharacter, at, "", fmt.Sprintf("octet %#02x", p.r.Text[at]), "a record holds printable ASCII only: copy it again from the source")
	default:
		p.add(BadCharacter, at, "", fmt.Sprintf("character %+q", r), "a record holds printable ASCII only: copy it again from the source, remove invisible characters")
	}
}

// nonASCII finds the first octet that no tag list may hold (RFC 6376, Section 3.2).
func nonASCII(s string) (int, rune) {
	for i, r := range s {
		if r > '~' || r < ' ' && !isSpace(byte(r)) {
			return i, r
		}
	}
	return -1, 0
}

const space = " \t\r\n"

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// isName checks a tag name (RFC 6376, Section 3.2).
func isName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || s[i] != '_' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return s != ""
}

// blank reports text of nothing but white space.
func blank(s string) bool {
	for i := range len(s) {
		if !isSpace(s[i]) {
			return false
		}
	}
	return true
}

// strip takes all white space out, which base64 in a tag may hold (RFC 6376,
// Section 3.2, "FWS").
func strip(s string) string {
	if !strings.ContainsAny(s, space) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && isSpace(byte(r)) {
			return -1
		}
		return r
	}, s)
}

// collapse makes every run of white space one space.
func collapse(s string) string {
	if !strings.ContainsAny(s, "\t\r\n") && !strings.Contains(s, "  ") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < 0x80 && isSpace(byte(r)) }), " ")
}

// shorten cuts foreign text for a message.
func shorten(s string) string {
	const limit = 60
	if len(s) <= limit {
		return s
	}
	return s[:limit] + "..."
}

// excerpt is the text around an offset.
func excerpt(s string, at int) string {
	return s[max(0, at-4):min(len(s), at+12)]
}
