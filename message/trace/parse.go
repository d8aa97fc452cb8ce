package trace

import (
	"net/netip"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/internal/lex"
)

// Parse reads the value of one Received field, unfolded or not. It never fails:
// what could not be read is told in Problems.
func Parse(value string) Hop {
	h := Hop{Raw: strings.TrimSpace(unfold.Replace(value))}
	text := h.Raw
	if len(text) > MaxField {
		text = text[:MaxField]
		h.Raw = text
		h.note(TooLong)
	}
	clauses, date := split(&h, text)
	h.date(date)
	h.clauses(clauses)
	for _, c := range clauses {
		for _, text := range c.comments {
			h.comment(c.name, text)
		}
	}
	h.Protocol = protocol(h.With)
	if h.Protocol.TLS && !h.TLS.Used {
		h.TLS.Used, h.TLS.Evidence = true, "protocol"
	}
	h.software(text)
	if len(h.Comments) > 40 {
		h.Comments = h.Comments[:40]
	}
	return h
}

// clauses reads the clauses, each the first time it is there.
func (h *Hop) clauses(list []clause) {
	seen := map[string]bool{}
	for i, c := range list {
		h.Comments = append(h.Comments, c.comments...)
		if c.name != "" && c.name != "for" && seen[c.name] {
			h.note(Duplicate)
			continue
		}
		if c.name == "from" && seen["by"] {
			h.note(ByFirst)
		}
		seen[c.name] = true
		switch c.name {
		case "from":
			h.from(c)
		case "by":
			h.by(c)
		case "via":
			h.Via = c.text()
		case "with":
			h.With = c.text()
		case "id":
			if len(c.words) > 0 {
				h.ID = strings.Trim(c.words[0], "<>;,")
			}
		case "for":
			for _, w := range c.words {
				if len(h.For) < 50 && strings.Contains(w, "@") {
					h.For = append(h.For, strings.Trim(w, "<>,;"))
				}
			}
		case "tls": // exim: tls TLS_AES_256_GCM_SHA384; Haraka: tls TLS_AES_…
			h.TLS.word(c.words)
		}
		if i == 0 && c.name == "" {
			h.invoked(c)
		}
	}
	if !seen["from"] && !seen["by"] && !seen["with"] && h.Software == "" {
		h.note(NotTrace)
	}
}

var unfold = strings.NewReplacer("\r\n", "", "\r", " ", "\n", " ")

func (h *Hop) note(word string) {
	for _, p := range h.Problems {
		if p == word {
			return
		}
	}
	h.Problems = append(h.Problems, word)
}

// clause is a key word and what stands behind it.
type clause struct {
	name     string // in lower case; empty for what is before the first key word
	words    []string
	comments []string
}

func (c clause) text() string { return strings.Join(c.words, " ") }

var keywords = map[string]bool{"from": true, "by": true, "via": true, "with": true, "id": true, "for": true, "tls": true}

// split cuts a field into its clauses and the date. RFC 5321, Section 4.4: the date
// is behind a semicolon, the last one outside comments and quotes, as some systems
// have others before it.
func split(h *Hop, text string) (list []clause, date string) {
	s := lex.Scanner{In: text}
	cur := clause{}
	add := func() {
		cur.comments = append(cur.comments, s.Take()...)
		if cur.name != "" || len(cur.words) > 0 || len(cur.comments) > 0 {
			list = append(list, cur)
		}
	}
	semicolon := -1
	for len(list) < 100 {
		s.Skip()
		cur.comments = append(cur.comments, s.Take()...)
		if s.Done() {
			break
		}
		switch s.Peek() {
		case ';':
			s.Pos++
			semicolon = s.Pos
			continue
		case '"':
			cur.words = append(cur.words, s.Quoted())
			continue
		}
		w := s.Word(";")
		if w == "" {
			s.Pos++
			continue
		}
		name := strings.ToLower(w)
		if keywords[name] && semicolon < 0 && !(cur.name == name && len(cur.words) == 0) && (name != "tls" || cur.name != "") {
			add()
			cur = clause{name: name}
			continue
		}
		if semicolon >= 0 {
			continue // of the date
		}
		if len(cur.words) < 100 {
			cur.words = append(cur.words, w)
		}
	}
	add()
	if s.Open {
		h.note(OpenEnd)
		// A comment that does not end holds the rest of the field, and perhaps
		// the peer's words first: nothing is taken from it.
		if n := len(list); n > 0 && len(list[n-1].comments) > 0 {
			list[n-1].comments = list[n-1].comments[:len(list[n-1].comments)-1]
		}
	}
	if s.Deep {
		h.note(Deep)
	}
	if semicolon >= 0 {
		date = text[semicolon:]
	}
	return list, date
}

func (h *Hop) date(text string) {
	h.DateText = strings.TrimSpace(text)
	if h.DateText == "" {
		h.note(NoDate)
		return
	}
	t, _, ok := message.ParseDate(h.DateText)
	if !ok {
		// Words may follow the date.
		if words := strings.Fields(h.DateText); len(words) > 6 {
			t, _, ok = message.ParseDate(strings.Join(words[:6], " "))
		}
	}
	if !ok {
		h.note(BadDate)
		return
	}
	h.Date = t
}

// by reads the receiving host.
func (h *Hop) by(c clause) {
	if len(c.words) > 0 {
		h.By = strings.ToLower(strings.Trim(c.words[0], "[]<>,"))
		if a, ok := address(c.words[0]); ok {
			h.ByAddr = a
		}
	}
	for _, text := range c.comments {
		if a, _, ok := firstAddress(text); ok && !h.ByAddr.IsValid() {
			h.ByAddr = a
		}
	}
}

// address reads a word that is an address: 192.0.2.1, [192.0.2.1],
// [IPv6:2001:db8::1], 192.0.2.1:25, [192.0.2.1]:25.
func address(w string) (netip.Addr, bool) {
	a, _, ok := addressPort(w)
	return a, ok
}

func addressPort(w string) (a netip.Addr, port int, ok bool) {
	w = strings.Trim(w, ",;<>()\"'")
	if i := strings.IndexByte(w, '['); i == 0 {
		end := strings.IndexByte(w, ']')
		if end < 0 {
			end = len(w)
		}
		rest := w[min(end+1, len(w)):]
		w = w[1:end]
		if strings.HasPrefix(rest, ":") {
			port = number(rest[1:])
		}
	}
	if len(w) > 64 {
		return a, 0, false
	}
	if len(w) > 5 && strings.EqualFold(w[:5], "ipv6:") {
		w = w[5:] // RFC 5321, Section 4.1.3
	}
	if i := strings.IndexByte(w, '%'); i > 0 {
		w = w[:i]
	}
	a, err := netip.ParseAddr(w)
	if err != nil {
		// 192.0.2.1:4711, and sendmail's 192.0.2.1.4711 is not taken.
		host, p, cut := strings.Cut(w, ":")
		if !cut || strings.Contains(p, ":") {
			return a, 0, false
		}
		if a, err = netip.ParseAddr(host); err != nil || !a.Is4() {
			return netip.Addr{}, 0, false
		}
		port = number(p)
	}
	return a.Unmap(), port, true
}

// number is a port, 0 if it is none.
func number(s string) int {
	n := 0
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' || n > 65535 {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	if n > 65535 {
		return 0
	}
	return n
}

// firstAddress is the first word of a text that is an address.
func firstAddress(text string) (netip.Addr, int, bool) {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t(),;=<>", r) }) {
		if i := strings.IndexByte(w, '['); i > 0 { // name[192.0.2.1], user@[192.0.2.1]
			w = w[i:]
		}
		if a, port, ok := addressPort(w); ok {
			return a, port, true
		}
	}
	return netip.Addr{}, 0, false
}
