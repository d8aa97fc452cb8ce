package trace

import (
	"net/netip"
	"strings"
)

// from reads the sending host. What the peer says of itself and what the receiving
// host knows of it stand in places that differ by system:
//
//	from HELO (NAME [ADDR])           Postfix, sendmail, Gmail; NAME is "unknown" if there is none
//	from HELO ([ADDR])                Postfix without name
//	from NAME ([ADDR] helo=HELO)      Exim; from [ADDR] (helo=HELO) without name
//	from NAME (HELO HELO) (ADDR)      qmail
//	from HELO (ADDR)                  Exchange, iCloud
//	from NAME [ADDR]                  some
//	from HELO (EHLO HELO) ([ADDR])    others
//	from NAME (ADDR)                  others
//
// A literal in the place of HELO is the peer's word: [ADDR] there counts only if
// nothing is in parentheses, and is marked as claimed then. A peer can have
// parentheses in that word as well, so that of several comments with an address the
// last one counts.
func (h *Hop) from(c clause) {
	h.From = c.text()
	name := ""
	if len(c.words) > 0 {
		name = c.words[0]
	}
	var said string // behind helo= or HELO
	helo := ""
	for _, text := range c.comments {
		if s, ok := heloOf(text); ok {
			said = s
		}
		if a, port, rdns, ok := peerOf(text); ok {
			if h.Peer.IsValid() && h.Peer != a {
				h.note(PeerUnsure)
			}
			h.Peer, h.PeerPort, h.PeerName, h.Unresolved = a, port, "", false
			h.setName(rdns)
		}
	}
	// Words behind the first: "from NAME [ADDR]", and exim's "(helo=X)" form where
	// the first word is the address.
	second, secondPort, hasSecond := netip.Addr{}, 0, false
	if len(c.words) > 1 {
		second, secondPort, hasSecond = addressPort(c.words[1])
	}
	first, firstPort, firstIs := addressPort(name)
	switch {
	case h.Peer.IsValid():
		if hasSecond && second != h.Peer {
			h.note(PeerUnsure)
		}
	case hasSecond:
		h.Peer, h.PeerPort = second, secondPort
	case firstIs && said != "":
		// exim: from [192.0.2.1] (helo=name): here the address is what it saw.
		h.Peer, h.PeerPort = first, firstPort
	case firstIs:
		h.Peer, h.PeerPort, h.Claimed = first, firstPort, true
	}
	switch {
	case said != "":
		helo = said
		if !firstIs && h.PeerName == "" && !h.Unresolved {
			h.setName(name) // exim and qmail put the name they found first
		}
	default:
		helo = name
	}
	h.Helo = strings.Trim(helo, "<>,")
}

// setName takes the name that reverse DNS gave.
func (h *Hop) setName(name string) {
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "<>,"), "."))
	switch name {
	case "":
		return
	case "unknown", "unverified", "may", "no-reverse-dns", "noptr", "[unknown]":
		h.Unresolved = true
		return
	}
	if !hostname(name) {
		return
	}
	h.PeerName = name
}

func hostname(s string) bool {
	if len(s) > 255 || s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c >= 0x80) {
			return false
		}
	}
	if _, ok := address(s); ok {
		return false
	}
	return true
}

// heloOf finds the name that a comment gives as that of HELO.
func heloOf(text string) (string, bool) {
	words := strings.Fields(text)
	for i, w := range words {
		lower := strings.ToLower(w)
		for _, p := range []string{"helo=", "ehlo=", "helo:"} {
			if strings.HasPrefix(lower, p) {
				if v := w[len(p):]; v != "" {
					return strings.Trim(v, "<>,;()"), true
				}
			}
		}
		if (lower == "helo" || lower == "ehlo" || lower == "lhlo") && i+1 < len(words) && i == 0 {
			return strings.Trim(words[i+1], "<>,;()"), true
		}
	}
	return "", false
}

// peerOf finds the address of the peer, and the name before it, in a comment.
func peerOf(text string) (a netip.Addr, port int, name string, ok bool) {
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ").Replace(text))
	for i, w := range words {
		lower := strings.ToLower(w)
		if strings.HasPrefix(lower, "helo=") || strings.HasPrefix(lower, "ehlo=") || strings.HasPrefix(lower, "envelope-") ||
			lower == "helo" || lower == "ehlo" || lower == "lhlo" {
			break // the peer's word, which may hold anything
		}
		before := ""
		if j := strings.IndexByte(w, '['); j > 0 { // name[192.0.2.1], user@[192.0.2.1]
			before, w = w[:j], w[j:]
			if k := strings.LastIndexByte(before, '@'); k >= 0 {
				before = before[k+1:]
			}
		} else if j := strings.LastIndexByte(w, '@'); j >= 0 { // qmail: user@192.0.2.1
			w = w[j+1:]
		}
		if w, cut := strings.CutPrefix(lower, "port="); cut && ok {
			port = number(w)
			continue
		}
		if ok {
			continue
		}
		if a, port, ok = addressPort(w); ok {
			if before == "" && i > 0 {
				before = words[i-1]
			}
			name = before
		}
	}
	return a, port, name, ok
}

// invoked reads what qmail writes for itself: (qmail 42 invoked from network).
func (h *Hop) invoked(c clause) {
	for _, text := range c.comments {
		if strings.HasPrefix(text, "qmail ") || strings.Contains(text, " invoked ") {
			h.Software = "qmail"
		}
	}
}
