package diagnose

import (
	"net/netip"
	"strings"
)

// saidBy collects what the receiver put into words.
func saidBy(r *reply) Said {
	s := Said{Server: r.server, Stage: r.stage}
	low := lower(r.text)
	if len(low) != len(r.text) {
		return s
	}
	s.URL = urlIn(r.text)
	s.IP = clientIn(r.text, r.serverIP)
	s.Domain = domainIn(low, r.server)
	s.SPF, s.DKIM, s.DMARC = verdictIn(r.folded, "spf"), verdictIn(r.folded, "dkim"), verdictIn(r.folded, "dmarc")
	s.List = listIn(low)
	s.ID = idIn(r.text)
	return s
}

// maxToken bounds a word that is kept: a host name, an address or a URL.
const maxToken = 512

// urlIn finds the first http address, without what the sentence puts behind it.
func urlIn(s string) string {
	low := lower(s)
	i := strings.Index(low, "http://")
	if j := strings.Index(low, "https://"); j >= 0 && (i < 0 || j < i) {
		i = j
	}
	if i < 0 {
		return ""
	}
	u := s[i:]
	if j := strings.IndexAny(u, " <>\"'[]{}|\\^`"); j >= 0 {
		u = u[:j]
	}
	u = strings.TrimRight(u, ".,;:!?")
	if strings.HasSuffix(u, ")") && !strings.Contains(u, "(") {
		u = strings.TrimRight(u, ").,;")
	}
	if len(u) > maxToken || len(u) < len("http://a.b") {
		return ""
	}
	return u
}

// addrOf reads an IP address at the head of s, with or without "IPv6:".
func addrOf(s string) string {
	if len(s) >= 5 && lower(s[:5]) == "ipv6:" {
		s = s[5:]
	}
	i := 0
	for i < len(s) && i < 46 && (isDigit(s[i]) || s[i] == '.' || s[i] == ':' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'f') {
		i++
	}
	word := strings.TrimRight(s[:i], ".:")
	if len(word) < 3 || !strings.ContainsAny(word, ".:") {
		return ""
	}
	a, err := netip.ParseAddr(word)
	if err != nil {
		// "192.0.2.1:25" and "192.0.2.1:24706".
		ap, err := netip.ParseAddrPort(word)
		if err != nil {
			return ""
		}
		a = ap.Addr()
	}
	return a.Unmap().String()
}

// clientIn finds the address of the client: the first address in the text that is
// not the receiver's own.
func clientIn(s, server string) string {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isDigit(c) && (c|0x20 < 'a' || c|0x20 > 'f') && c != ':' {
			continue
		}
		if i > 0 && (isLetter(s[i-1]) || isDigit(s[i-1]) || s[i-1] == '.' || s[i-1] == '-' && i > 1 && s[i-2] != ' ' || s[i-1] == ':' && i > 1 && isDigit(s[i-2])) {
			continue
		}
		a := addrOf(s[i:])
		if a == "" {
			continue
		}
		// Yahoo ends its replies in an internal number of four parts.
		if a != server && !strings.HasPrefix(a, "4.16.") && !strings.HasPrefix(a, "127.") && a != "::" && !partOfName(s[i:]) {
			return a
		}
		i += len(a) - 1
	}
	return ""
}

// partOfName tells whether the digits go on as a host name: 192.0.2.1.rev.example.
func partOfName(s string) bool {
	s = cut(s, maxToken)
	n := 0
	for n < len(s) && (isDigit(s[n]) || s[n] == '.') {
		n++
	}
	return n < len(s) && n > 0 && (isLetter(s[n]) || s[n] == '-' && n+1 < len(s) && isLetter(s[n+1])) && !strings.Contains(s[:min(n+6, len(s))], ":")
}

// domainBefore are the words before the sender's domain.
var domainBefore = []string{
	"mail from domain ", "mailfrom domain ", "sending domain ", "sender domain ", "from domain ", "from: domain ", "domain of ", "the domain ",
	"unauthenticated email from ", "spf ", "administrator of ", "rejected due to ", "dmarc policy for ", "dmarc policy of ", "policy of ",
	"header.from=", "smtp.mailfrom=", "d=", "sender address ", "from <", "sender ", "domain ", "envelope from ", "mail from:<", "from=<", "refused mail from <", "reject mail from ", "failed for ", "behalf of ", "sender: ",
}

// domainIn finds the sender's domain behind words that announce it.
func domainIn(low, server string) string {
	for _, before := range domainBefore {
		for at := 0; ; {
			i := strings.Index(low[at:], before)
			if i < 0 {
				break
			}
			i += at
			at = i + len(before)
			if i > 0 && (isLetter(low[i-1]) || isDigit(low[i-1]) || low[i-1] == '.' || low[i-1] == '&' || low[i-1] == '?') {
				continue
			}
			word, _, _ := strings.Cut(strings.TrimLeft(cut(low[at:], maxToken), "[<('\"`:@ "), " ")
			if d := domainOf(word); d != "" && d != server {
				return d
			}
		}
	}
	return ""
}

// domainOf reads a word as a domain or as an address with one.
func domainOf(word string) string {
	if len(word) > maxToken || strings.Contains(word, "/") || strings.Contains(word, "=") && !strings.Contains(word, "@") {
		return ""
	}
	word = strings.TrimSuffix(strings.Trim(word, "[]<>()'\"`.,;:*!?"), "'s")
	if i := strings.IndexAny(word, ">])'\"|,;:"); i >= 0 {
		word = word[:i]
	}
	if i := strings.LastIndexByte(word, '@'); i >= 0 {
		word = word[i+1:]
	}
	word = strings.Trim(word, "[]<>()'\"`.,;:")
	if !validHost(word) {
		return ""
	}
	return word
}

// verdictIn reads "spf=fail", "SPF [d] with ip: [a] = did not pass" and "Spf= Fail"
// of a folded text.
func verdictIn(text, method string) string {
	for at := 0; ; {
		i := strings.Index(text[at:], method)
		if i < 0 {
			return ""
		}
		i += at
		at = i + len(method)
		if i > 0 && (isLetter(text[i-1]) || text[i-1] == '.' || text[i-1] == '/' || text[i-1] == '_') {
			continue
		}
		rest := cut(text[at:], 120)
		// A method's verdict ends where the next one begins.
		for _, m := range []string{"spf", "dkim", "dmarc"} {
			if j := strings.Index(rest, m); j >= 0 {
				rest = rest[:j]
			}
		}
		// "SPF [d] with ip: [a] = did not pass" has the sign far behind, "dkim: pass"
		// close by.
		j := strings.IndexByte(rest, '=')
		if j < 0 && strings.HasPrefix(rest, ":") {
			j = 0
		}
		if j < 0 {
			continue
		}
		if v := verdictWord(strings.TrimLeft(rest[j+1:], " ([")); v != "" {
			return v
		}
	}
}

// verdictWord maps a receiver's word to that of RFC 8601.
func verdictWord(s string) string {
	for _, v := range verdicts {
		if strings.HasPrefix(s, v.word) {
			return v.is
		}
	}
	return ""
}

var verdicts = []struct{ word, is string }{
	{"did not pass", "fail"}, {"didn't pass", "fail"}, {"pass", "pass"}, {"softfail", "softfail"}, {"soft fail", "softfail"}, {"hardfail", "fail"},
	{"hard fail", "fail"}, {"fail", "fail"}, {"neutral", "neutral"}, {"none", "none"}, {"temperror", "temperror"}, {"permerror", "permerror"},
	{"policy", "policy"}, {"bestguesspass", "none"}, {"missing", "none"}, {"invalid", "fail"},
}

// lists are blocklists by what replies call them.
var lists = []struct{ word, name string }{
	{"zen.spamhaus", "zen.spamhaus.org"}, {"dbl.spamhaus", "dbl.spamhaus.org"}, {"spamhaus dbl", "dbl.spamhaus.org"}, {"spamhaus sbl", "sbl.spamhaus.org"},
	{"spamhaus xbl", "xbl.spamhaus.org"}, {"spamhaus pbl", "pbl.spamhaus.org"}, {"spamhaus css", "css.spamhaus.org"}, {"spamhaus", "spamhaus.org"},
	{"bl.spamcop.net", "bl.spamcop.net"}, {"spamcop", "bl.spamcop.net"}, {"b.barracudacentral.org", "b.barracudacentral.org"},
	{"barracuda reputation", "b.barracudacentral.org"}, {"barracudanetworks.com/reputation", "b.barracudacentral.org"}, {"cloudmark", "csi.cloudmark.com"}, {"ipcheck.proofpoint", "ipcheck.proofpoint.com"},
	{"support.proofpoint.com/dnsbl", "ipcheck.proofpoint.com"},
	{"invaluement", "invaluement"}, {"surriel", "psbl.surriel.com"}, {"uceprotect", "uceprotect.net"}, {"sorbs", "sorbs.net"}, {"abuseat.org", "cbl.abuseat.org"},
	{"mailspike", "mailspike.net"}, {"surbl", "surbl.org"}, {"uribl", "uribl.com"}, {"spfbl", "spfbl.net"}, {"nixspam", "ix.dnsbl.manitu.net"}, {"manitu", "ix.dnsbl.manitu.net"},
	{"senderbase", "senderbase.org"}, {"abusix", "abusix.com"}, {"backscatterer", "backscatterer.org"}, {"truncate.gbudb", "truncate.gbudb.net"}, {"0spam", "0spam.org"}, {"hostkarma", "hostkarma.junkemailfilter.com"}, {"trendmicro", "trendmicro.com"}, {"csi.mimecast", "mimecast.org"}, {"dnsbl:attrbl", "att"},
}

// listBefore are the words before the zone of a list.
var listBefore = []string{"blocked using ", "blocked by ", "rejected using ", "listed in ", "listed by ", "listed at ", "listed on ", "found in ", "found on ", "rbl: ", "dnsbl: ", "blacklisted at ", "blacklisted by ", "blacklisted in ", "blocklisted by ", "in dns bl ", "rbl at ", "in rbl ", "according to "}

// listIn finds the blocklist that the receiver names.
func listIn(low string) string {
	for _, before := range listBefore {
		i := strings.Index(low, before)
		if i < 0 {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(low[i+len(before):], "the "), " ")
		if d := domainOf(word); d != "" && !strings.Contains(word, "@") && (strings.Count(d, ".") > 1 || strings.Contains(d, "bl")) {
			return d
		}
	}
	for _, l := range lists {
		if strings.Contains(low, l.word) {
			return l.name
		}
	}
	return ""
}

// idBefore are the words before the number of a session or case.
var idBefore = []string{"queued as ", "session-id: ", "session id: ", "session id ", "message-id ", "reference id: ", "reference: ", "ref: ", "ref id: ", "case id: ", "incident id: ", "ticket: ", "code: ", "transaction id: ", "error id: ", "id: ", "id="}

// idIn finds what to quote to the receiver's postmaster.
func idIn(s string) string {
	low := lower(s)
	if i := strings.LastIndex(low, " - gsmtp"); i > 0 {
		w := word(s[strings.LastIndexByte(s[:i], ' ')+1 : i])
		if strings.Contains(w, "://") { // the address of the help page, with no ID behind it
			return ""
		}
		return w
	}
	// Microsoft: "[NAME.prod.outlook.com 2026-01-01T00:00:00.000Z NUMBER]", Mimecast:
	// "[id.eu123]" at the end.
	if n := len(s); n > 0 && s[n-1] == ']' {
		if i := strings.LastIndexByte(s, '['); i >= 0 && n-i > 10 && n-i < 200 && addrOf(s[i+1:]) == "" {
			if id := s[i+1 : n-1]; strings.ContainsAny(id, "0123456789") || strings.Contains(id, ".outlook.com") {
				return id
			}
		}
	}
	for _, before := range idBefore {
		i := strings.Index(low, before)
		if i < 0 || i > 0 && isLetter(low[i-1]) {
			continue
		}
		w, _, _ := strings.Cut(s[i+len(before):], " ")
		if w = word(strings.Trim(w, "<>[](),;\"'.")); len(w) >= 5 && strings.ContainsAny(w, "0123456789") && !strings.ContainsAny(w, "=&/") {
			return w
		}
	}
	return ""
}

func word(s string) string {
	if len(s) > 200 || strings.ContainsAny(s, " ") {
		return ""
	}
	return s
}

// stages are where in the session a reply came, by the words of sending servers.
var stages = []struct{ words, stage string }{
	{"in reply to end of data", "end of DATA"}, {"end of data", "end of DATA"}, {"in reply to data command", "DATA"}, {"in reply to rcpt to", "RCPT TO"},
	{"in reply to mail from", "MAIL FROM"}, {"in reply to ehlo", "EHLO"}, {"in reply to helo", "EHLO"}, {"in reply to starttls", "STARTTLS"},
	{"in reply to auth", "AUTH"}, {"in reply to bdat", "end of DATA"}, {"after pipelined rcpt to", "RCPT TO"}, {"after pipelined mail from", "MAIL FROM"},
	{"after rcpt to", "RCPT TO"}, {"after mail from", "MAIL FROM"}, {"after initial connection", "connect"}, {"after helo", "EHLO"}, {"after ehlo", "EHLO"},
	{"after pipelined end of data", "end of DATA"}, {"after starttls", "STARTTLS"}, {"after data", "DATA"}, {"refused to talk to me", "connect"}, {"while sending rcpt to", "RCPT TO"},
	{"while sending mail from", "MAIL FROM"}, {"while receiving the initial server greeting", "connect"}, {"while sending end of data", "end of DATA"}, {"while performing the ehlo handshake", "EHLO"},
}

func (r *reply) stageIn(low string) {
	for _, s := range stages {
		if strings.Contains(low, s.words) {
			r.stage = s.stage
			return
		}
	}
}

// stripStage removes "(in reply to RCPT TO command)" from the end of the text.
func (r *reply) stripStage() {
	low := lower(r.text)
	i := strings.LastIndex(low, "(in reply to ")
	if i < 0 || len(low) != len(r.text) {
		if r.stage == "" && len(low) < 2048 {
			r.stageIn(low)
		}
		return
	}
	r.stageIn(low[i:])
	end := strings.IndexByte(r.text[i:], ')')
	if end < 0 {
		r.text = strings.TrimSpace(r.text[:i])
		return
	}
	r.text = strings.TrimSpace(r.text[:i] + r.text[i+end+1:])
}
