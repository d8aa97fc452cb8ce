package diagnose

import "strings"

// findCode looks for the codes of a reply and returns where they begin and end in
// s; begin is -1 when there is none. A number counts as a basic code only where a
// reply begins, or beside an enhanced code: sizes, times and parts of addresses
// look alike.
func (r *reply) findCode(s string) (begin, end int) {
	low := lower(s)
	for i := 0; i+3 <= len(s); i++ {
		if i > 0 && !boundary(s[i-1]) {
			continue
		}
		if basic, next := basicAt(s, i); basic != "" {
			// 220, 221, 354 and the like belong to the session, not to the mail.
			if basic[0] == '2' && basic[1] != '5' && next < len(s) {
				continue
			}
			enh, after := enhancedAfter(s, next)
			if enh != "" && !sameKind(basic, enh) {
				// 550 192.0.2.1 is no enhanced code, 550 4.7.1 is a wrong one.
				if !enhancedClass(enh) {
					enh = ""
				}
			}
			if enh != "" || i == 0 || announced(low[:i]) {
				r.code, r.enhanced = basic, enh
				if enh == "" {
					after = next
				}
				return i, after
			}
		}
	}
	for i := 0; i+5 <= len(s); i++ {
		if i > 0 && !boundary(s[i-1]) {
			continue
		}
		enh, after := enhancedAt(s, i)
		if enh == "" || !enhancedClass(enh) || i > 0 && i < len(s)-len(enh) && looksLikeVersion(low[:i]) {
			continue
		}
		r.enhanced = enh
		// "5.1.1 550 User unknown" and "5.1.1 (550 …" have it the other way round.
		j := after
		for j < len(s) && strings.IndexByte(" (-:<>,", s[j]) >= 0 {
			j++
		}
		if basic, next := basicAt(s, j); basic != "" && basic[0] == enh[0] {
			r.code = basic
			if inner, a := enhancedAfter(s, next); inner != "" {
				r.enhanced, next = inner, a
			}
			return i, next
		}
		return i, after
	}
	return -1, 0
}

// boundary tells whether a code may begin after c.
func boundary(c byte) bool { return strings.IndexByte(" \t\"'(<[:;,#>=|-_", c) >= 0 }

// basicAt reads a basic code at i: 2yz, 4yz or 5yz with y up to 7 (RFC 5321,
// Section 4.2.1, knows y up to 5; receivers use more), followed by an end, a space,
// a hyphen or a mark.
func basicAt(s string, i int) (code string, end int) {
	if i+3 > len(s) {
		return "", 0
	}
	c := s[i : i+3]
	if c[0] != '2' && c[0] != '4' && c[0] != '5' || !isDigit(c[1]) || c[1] > '7' || !isDigit(c[2]) {
		return "", 0
	}
	if i+3 < len(s) && strings.IndexByte(" -\t:;,#)\"'<>(_]", s[i+3]) < 0 {
		if s[i+3] != '.' || i+4 < len(s) && isDigit(s[i+4]) {
			return "", 0
		}
	}
	return c, i + 3
}

// enhancedAfter reads an enhanced code behind a basic one.
func enhancedAfter(s string, i int) (code string, end int) {
	for n := 0; i < len(s) && n < 5 && strings.IndexByte(" -#(:;,<>\"'_[", s[i]) >= 0; n++ {
		i++
	}
	return enhancedAt(s, i)
}

// enhancedAt reads an enhanced code at i (RFC 3463, Section 2: class, subject and
// detail of up to three digits), without leading zeros.
func enhancedAt(s string, i int) (code string, end int) {
	if i < len(s) && s[i] == '#' {
		i++
	}
	j := i
	for part := range 3 {
		k := j
		for k < len(s) && k-j < 4 && isDigit(s[k]) {
			k++
		}
		switch n := k - j; {
		case n == 0 || n > 3, part == 0 && n != 1, n > 1 && s[j] == '0' && part != 2:
			return "", 0
		}
		j = k
		if part < 2 {
			if j >= len(s) || s[j] != '.' {
				return "", 0
			}
			j++
		}
	}
	if j < len(s) && (isDigit(s[j]) || isLetter(s[j]) || s[j] == '.' && j+1 < len(s) && isDigit(s[j+1])) {
		return "", 0
	}
	if c := s[i]; c != '2' && c != '4' && c != '5' {
		return "", 0
	}
	return s[i:j], j
}

// enhancedClass tells whether the code has a subject that RFC 3463, Section 3,
// knows.
func enhancedClass(e string) bool { return len(e) > 3 && e[2] >= '0' && e[2] <= '7' && e[3] == '.' }

// sameKind tells whether the two codes are of one class.
func sameKind(basic, enhanced string) bool {
	return basic == "" || enhanced == "" || basic[0] == enhanced[0]
}

// announced tells whether words before a number say that a reply follows.
func announced(low string) bool {
	if len(low) > maxAnnounce {
		low = low[len(low)-maxAnnounce:]
	}
	colon := strings.HasSuffix(strings.TrimRight(low, " "), ":")
	low = strings.TrimRight(low, " \"'(<[-:;,#>=|_")
	if low == "" || colon && strings.Contains(low, "smtp error from") {
		return true
	}
	if len(low) > 60 {
		low = low[len(low)-60:]
	}
	for _, w := range announcers {
		if strings.HasSuffix(low, w) {
			return true
		}
	}
	// "after RCPT TO:<user@example.org>: 550 …"
	if i := strings.LastIndexByte(low, ' '); i >= 0 && strings.Contains(low[i:], "@") {
		return true
	}
	// "mx.example.org: 550 …", "[192.0.2.1]: 550 …"
	last := low[strings.LastIndexByte(low, ' ')+1:]
	return validHost(strings.Trim(last, "[]()<>.")) || addrOf(strings.Trim(last, "[]()<>")) != ""
}

// maxAnnounce bounds how far back the words before a number are read.
const maxAnnounce = 300

var announcers = []string{
	"said", "says", "replied", "responded", "response", "reply", "error", "error code", "code", "status", "returned",
	"refused to talk to me", "smtp", "stat", "failed", "rejected", "reject", "was", "data", "rcpt", "command",
	"reason", "message", "result", "dsn", "smtp error", "diagnostic-code", "with", "deferred", "bounced", "initial connection",
	"end of data", "mail", "ehlo", "helo", "connect", "greeting", "banner", "protocol error", "unavailable", "undeliverable", "server", "host",
	"failure", "permanent", "temporary", "log",
}

// looksLikeVersion tells whether the words before dotted numbers say that they are
// a version and no status.
func looksLikeVersion(low string) bool {
	if len(low) > maxAnnounce {
		low = low[len(low)-maxAnnounce:]
	}
	low = strings.TrimRight(low, " v/")
	for _, w := range []string{"version", "exim", "postfix", "sendmail", "tls", "release", "exchange", "smtp server", "mailer"} {
		if strings.HasSuffix(low, w) {
			return true
		}
	}
	return strings.HasSuffix(low, "x-mailer:")
}

// dropRepeated removes the codes that stand again at the head of every line of a
// long reply.
func dropRepeated(s, code, enhanced string) string {
	if code == "" {
		return s
	}
	for _, old := range []string{" " + code + "-" + enhanced + " ", " " + code + " " + enhanced + " ", " " + code + "-", " " + code + " "} {
		if enhanced == "" && strings.HasSuffix(old, "  ") || !strings.Contains(s, old) {
			continue
		}
		s = strings.ReplaceAll(s, old, " ")
	}
	for _, old := range []string{code + "-" + enhanced, code + " " + enhanced} {
		if enhanced != "" {
			s = strings.TrimSpace(strings.TrimSuffix(s, old))
		}
	}
	return s
}

// wrapper tells whether the words before a code only announce it.
func wrapper(head string) bool {
	if len(head) < 4 {
		return true
	}
	low := lower(head)
	// Cisco and Amazon name the status before they quote: "5.1.0 - Unknown address
	// error 550-'5.7.1 …'".
	if e, _ := enhancedAt(low, 0); e != "" && strings.Contains(low, " - ") {
		return true
	}
	if validHost(head) || strings.Contains(low, "smtp error from") || strings.Contains(low, " said") || strings.Contains(low, "response") {
		return true
	}
	return !strings.ContainsAny(head, " ") || len(strings.Fields(head)) < 3
}
