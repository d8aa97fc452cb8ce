package spf

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Selection is what the TXT records of a name hold in the way of SPF.
type Selection struct {
	Records []string   // the SPF records; exactly one is right, more are permerror
	Near    []NearMiss // what looks like SPF and is none
}

// NearMiss is a TXT record that was meant to be an SPF record and is not read
// as one by anybody.
type NearMiss struct {
	Text       string
	Reason     string
	Suggestion string // how the record should begin or read; empty if not clear
}

// Select picks the SPF records among the joined texts of the TXT records of a
// name (RFC 7208, Section 4.5).
func Select(txts []string) Selection {
	var s Selection
	for _, t := range txts {
		if isRecord(t) {
			s.Records = append(s.Records, t)
		} else if m, found := nearMiss(t); found {
			m.Suggestion = repaired(m.Suggestion)
			s.Near = append(s.Near, m)
		}
	}
	return s
}

// selectAnswer is Select for the evaluator: the record and how many there are.
func selectAnswer(rs []resolve.Record) (text string, n int) {
	for i := range rs {
		d, isTXT := rs[i].Data.(resolve.TXT)
		if !isTXT || len(d.Strings) == 0 {
			continue
		}
		s := d.Strings[0]
		if len(d.Strings) > 1 {
			// RFC 7208, Section 3.3: strings are joined with nothing between them.
			if len(s) >= len(version) && !fold(s[:len(version)], version) {
				continue
			}
			s = d.Joined()
		}
		if isRecord(s) {
			text = s
			n++
		}
	}
	return text, n
}

// nearMiss finds records that a publisher surely takes for SPF.
func nearMiss(text string) (NearMiss, bool) {
	m := NearMiss{Text: text}
	const maxHead = 32 // what comes before the version in a near miss is short
	head := text[:min(len(text), maxHead)]
	low := lower(head)
	switch {
	case strings.HasPrefix(low, "spf2.0/"):
		m.Reason = "a Sender ID record (RFC 4406), which nobody reads any more"
		return m, true
	case strings.HasPrefix(low, "spf1 ") || strings.HasPrefix(low, "spf1="):
		m.Reason = `"v=" is missing before "spf1"`
		m.Suggestion = version + " " + strings.TrimLeft(text[5:], " ")
		return m, true
	case strings.HasPrefix(low, version):
		return afterVersion(m, text[len(version):])
	}
	at := strings.Index(low, version)
	if at > 0 && onlyNoise(text[:at]) {
		switch {
		case strings.HasPrefix(text, "\ufeff"):
			m.Reason = "a byte order mark stands before the version"
		case strings.ContainsAny(text[:at], "\"'") || !isASCII(text[:at]):
			m.Reason = "the text begins with a quotation mark or another stray character"
		default:
			m.Reason = "white space stands before the version"
		}
		rest := strings.TrimRight(text[at:], " \t\r\n\"'")
		if isRecord(rest) {
			m.Suggestion = rest
		} else if n, found := afterVersion(NearMiss{}, rest[len(version):]); found {
			m.Suggestion = n.Suggestion
		}
		return m, true
	}
	return spelled(m, text)
}

// afterVersion judges what follows "v=spf1" directly.
func afterVersion(m NearMiss, rest string) (NearMiss, bool) {
	if rest == "" || rest[0] == ' ' {
		return m, false
	}
	c := rest[0]
	switch {
	case c >= '0' && c <= '9' || c == '.':
		m.Reason = "the version is not 1"
		return m, true
	case c == ';' || c == ',' || c == ':':
		m.Reason = "a punctuation mark follows the version, where a space belongs"
		rest = rest[1:]
	case c == '\t' || c == '\r' || c == '\n':
		m.Reason = "white space that is no space follows the version"
		rest = rest[1:]
	case c >= 0x80:
		m.Reason = "a character that is no space follows the version"
		rest = strings.TrimLeftFunc(rest, func(r rune) bool { return r >= 0x80 })
	default:
		m.Reason = "the space after the version is missing"
	}
	m.Suggestion = strings.TrimRight(version+" "+strings.TrimLeft(rest, " "), " ")
	return m, true
}

// onlyNoise reports whether s, found before a version, is nothing but blanks,
// quotes and invisible characters.
func onlyNoise(s string) bool {
	for _, r := range s {
		if r > ' ' && r < 0x7f && r != '"' && r != '\'' && r != '\\' && r != '(' {
			return false
		}
	}
	return true
}

// spelled finds other spellings of the version: "v = spf1", "v=spf 1", "spf=v1".
func spelled(m NearMiss, text string) (NearMiss, bool) {
	first, n := text, 0
	for n < len(first) && n < 16 && first[n] != ':' {
		n++
	}
	squeezed := lower(strings.ReplaceAll(first[:n], " ", ""))
	for _, wrong := range []string{version, "v:spf1", "v-spf1", "v=spf", "v=sfp1", "v=fps1", "v=psf1", "v=spfl", "v=spfi", "vspf1", "spf=v1", "s=spf1", "v=sp1", "=spf1", "v==spf1"} {
		if !strings.HasPrefix(squeezed, wrong) {
			continue
		}
		m.Reason = `the version is not written "v=spf1"`
		if rest, found := strings.CutPrefix(lower(text[:min(len(text), 16)]), wrong+" "); found {
			m.Suggestion = version + " " + text[len(text[:min(len(text), 16)])-len(rest):]
		}
		return m, true
	}
	return m, false
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lower folds ASCII only and keeps the length, whatever the octets are.
func lower(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			b := []byte(s)
			for k := i; k < len(b); k++ {
				if b[k] >= 'A' && b[k] <= 'Z' {
					b[k] |= 0x20
				}
			}
			return string(b)
		}
	}
	return s
}
