package dsn

import (
	"strconv"
	"strings"
)

// Reply is what a server said (RFC 5321, Section 4.2).
type Reply struct {
	Code     int    `json:"code,omitempty"`     // 550; 0 if there is none
	Enhanced string `json:"enhanced,omitempty"` // 5.1.1
	Text     string `json:"text,omitempty"`     // from the code on, lines joined by a space: foreign text
}

// IsZero reports whether there is no reply.
func (r Reply) IsZero() bool { return r.Code == 0 && r.Enhanced == "" }

// Class is the first digit of the reply, 5 for a permanent failure, or of its
// enhanced code; 0 if there is none.
func (r Reply) Class() int {
	if r.Code > 0 {
		return r.Code / 100
	}
	if r.Enhanced != "" {
		return int(r.Enhanced[0] - '0')
	}
	return 0
}

// ParseReply finds the first reply in a text, such as a diagnostic code, a line of
// a log or what somebody copied, and reports whether there is one. A reply of
// several lines is joined.
func ParseReply(text string) (Reply, bool) {
	if len(text) > maxScan {
		text = text[:maxScan]
	}
	flat := joinLines(text)
	at, code := findCode(flat)
	// An enhanced code alone counts too, as in "(#5.1.1)".
	eat, enhanced := findEnhanced(flat, 0)
	switch {
	case at < 0 && enhanced == "":
		return Reply{}, false
	case at < 0:
		return Reply{Enhanced: enhanced, Text: cutText(flat[eat:])}, true
	}
	r := Reply{Code: code, Text: cutText(flat[at:])}
	// The enhanced code of a reply stands directly behind its code (RFC 2034,
	// Section 4); elsewhere it counts if it is of the same class.
	if enhanced != "" {
		if _, near := findEnhanced(flat[:min(len(flat), at+40)], at); near != "" {
			enhanced = near
		}
		if int(enhanced[0]-'0') == code/100 {
			r.Enhanced = enhanced
		}
	}
	return r, true
}

func cutText(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxDiagnostic {
		s = s[:maxDiagnostic]
	}
	return s
}

// joinLines joins lines by a space and takes "550-" at the head of a line away if
// the line before had the same code.
func joinLines(text string) string {
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
	var b strings.Builder
	open := "" // code of a reply that goes on
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if l == "" {
			open = ""
			continue
		}
		if open != "" && strings.HasPrefix(l, open) {
			goesOn := len(l) > 3 && l[3] == '-'
			l = strings.TrimLeft(l[3:], "- ")
			if !goesOn {
				open = ""
			}
		} else if len(l) > 3 && isCode(l[:3]) && l[3] == '-' {
			open = l[:3]
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(l)
	}
	return b.String()
}

// isCode reports whether s is the code of a reply that can end a delivery (RFC
// 5321, Section 4.2.1: the second digit is at most 5).
func isCode(s string) bool {
	return len(s) == 3 && (s[0] == '2' || s[0] == '4' || s[0] == '5') && s[1] >= '0' && s[1] <= '5' && s[2] >= '0' && s[2] <= '9'
}

// findCode finds the first code of a failure, and otherwise the first of a success.
func findCode(s string) (at, code int) {
	ok := -1
	for i := 0; i+3 <= len(s); i++ {
		if !isCode(s[i:i+3]) || !codeAt(s, i) {
			continue
		}
		n, _ := strconv.Atoi(s[i : i+3])
		if n >= 400 {
			return i, n
		}
		// 2xx: only with an enhanced code, as numbers such as 250 are common.
		if ok < 0 && strings.HasPrefix(s[i+3:], " 2.") {
			ok = i
		}
	}
	if ok >= 0 {
		n, _ := strconv.Atoi(s[ok : ok+3])
		return ok, n
	}
	return -1, 0
}

// codeAt reports whether three digits stand as the code of a reply does: not inside
// a word, a number or an address, and with a text behind.
func codeAt(s string, i int) bool {
	if i > 0 {
		switch c := s[i-1]; {
		case c == ' ' || c == '\t' || c == '(' || c == '[' || c == '<' || c == '"' || c == '\'' || c == '#' || c == ';' || c == ':' || c == '=' || c == ',':
		default:
			return false
		}
		// "port 465", "size 552", "line 450": a word that a number belongs to.
		before := strings.ToLower(s[max(0, i-12):i])
		for _, w := range []string{"port ", "size ", "size=", "line ", "ttl=", "uid ", "pid ", "after ", " to ", "pref=", "number ", "port=", "prio "} {
			if strings.HasSuffix(before, w) {
				return false
			}
		}
		// A time: 12:450 is none, and 10:55:421 neither.
		if s[i-1] == ':' && i > 1 && s[i-2] >= '0' && s[i-2] <= '9' {
			return false
		}
	}
	rest := s[i+3:]
	if rest == "" {
		return i == 0 || s[i-1] == ' ' || s[i-1] == '#'
	}
	switch rest[0] {
	case ' ', '-':
		next := strings.TrimLeft(rest, " -")
		if next == "" {
			return true
		}
		lower := strings.ToLower(next)
		for _, unit := range []string{"bytes", "octets", "kb", "mb", "messages", "seconds", "hours", "minutes", "days", "recipients"} {
			if strings.HasPrefix(lower, unit) {
				return false
			}
		}
		c := next[0]
		// A digit behind has to be an enhanced code or the code again.
		if c >= '0' && c <= '9' {
			_, e := findEnhanced(next[:min(len(next), 12)], 0)
			return e != "" || len(next) > 3 && isCode(next[:3]) && (next[3] == ' ' || next[3] == '-')
		}
		return true
	case ',', ':', ')', ';', '.', '\'', '"', ']', '>':
		return len(rest) == 1 || rest[1] < '0' || rest[1] > '9'
	}
	return false
}

// findEnhanced finds the first enhanced status code from an offset on (RFC 3463,
// Section 2).
func findEnhanced(s string, from int) (int, string) {
	for i := from; i+5 <= len(s); i++ {
		if c := s[i]; c != '2' && c != '4' && c != '5' || s[i+1] != '.' {
			continue
		}
		if i > 0 {
			if c := s[i-1]; c >= '0' && c <= '9' || c == '.' || c == '-' && i > 1 && (s[i-2] < '0' || s[i-2] > '9') || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/' || c == '_' {
				continue
			}
		}
		j := i + 2
		subject := digits(s, j)
		if subject == 0 || subject > 3 || j+subject >= len(s) || s[j+subject] != '.' {
			continue
		}
		j += subject + 1
		detail := digits(s, j)
		if detail == 0 || detail > 3 {
			continue
		}
		j += detail
		if j+1 < len(s) && s[j] == '.' && s[j+1] >= '0' && s[j+1] <= '9' || j < len(s) && (s[j] == '/' || s[j] == '_' || s[j] >= 'a' && s[j] <= 'z') {
			continue // an address, a version or the like
		}
		return i, s[i:j]
	}
	return -1, ""
}

func digits(s string, i int) (n int) {
	for i+n < len(s) && s[i+n] >= '0' && s[i+n] <= '9' {
		n++
	}
	return n
}
