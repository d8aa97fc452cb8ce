package diagnose

import "strings"

// field reads "key=value" or "key=<value>" of a comma separated line; key has its
// sign.
func field(s, key string) string {
	for at := 0; ; {
		i := strings.Index(s[at:], key)
		if i < 0 {
			return ""
		}
		i += at
		at = i + len(key)
		if i > 0 && s[i-1] != ' ' && s[i-1] != ',' {
			continue
		}
		v := s[at:]
		if strings.HasPrefix(v, "<") {
			if j := strings.IndexByte(v, '>'); j >= 0 {
				return v[1:j]
			}
		}
		if strings.HasPrefix(v, `"`) {
			if j := strings.IndexByte(v[1:], '"'); j >= 0 {
				return v[1 : j+1]
			}
		}
		if j := strings.IndexAny(v, ", "); j >= 0 {
			v = v[:j]
		}
		return v
	}
}

// queueID reads "ABC123: " at the head of a message.
func queueID(s string) (id, rest string, ok bool) {
	i := strings.Index(s, ": ")
	if i < 4 || i > 40 {
		return "", s, false
	}
	for j := range i {
		if c := s[j]; !isDigit(c) && !isLetter(c) && c != '-' {
			return "", s, false
		}
	}
	return s[:i], s[i+2:], true
}

// postfix reads the lines of Postfix:
//
//	ABC: to=<a@b>, relay=host[ip]:25, delay=1, dsn=5.1.1, status=bounced (text)
func (l *Line) postfix(prog, msg string) bool {
	daemon := prog
	if i := strings.LastIndexByte(prog, '/'); i >= 0 {
		daemon = prog[i+1:]
	}
	if i := strings.Index(msg, "reject: "); i >= 0 && i < 40 && (daemon == "smtpd" || daemon == "postscreen" || daemon == "cleanup" || prog == "") {
		return l.refusal(msg[i+len("reject: "):])
	}
	id, rest, ok := queueID(msg)
	if !ok {
		return strings.Contains(prog, "postfix")
	}
	i := strings.Index(rest, "status=")
	if i < 0 || i > 0 && rest[i-1] != ' ' {
		switch {
		case strings.HasPrefix(rest, "client="):
			l.Client = inBrackets(rest)
		case strings.HasPrefix(rest, "from=<") && strings.Contains(rest, "nrcpt="):
			l.Sender = field(rest, "from=")
		case strings.HasPrefix(rest, "uid=") && strings.Contains(rest, "from=<"):
			l.Sender = field(rest, "from=")
		default:
			if !strings.Contains(prog, "postfix") {
				return false
			}
		}
		l.Format, l.QueueID = "postfix", id
		return true
	}
	head, status := rest[:i], rest[i+len("status="):]
	word, text, _ := strings.Cut(status, " ")
	word = strings.TrimSuffix(word, ",")
	if strings.HasPrefix(text, "(") {
		if text = text[1:]; strings.HasSuffix(text, ")") {
			text = text[:len(text)-1]
		}
	}
	switch word {
	case "sent":
		l.Outcome = Sent
	case "deferred", "SOFTBOUNCE":
		l.Outcome = Deferred
	case "bounced":
		l.Outcome = Bounced
	case "expired", "force-expired":
		l.Outcome = Expired
		text = "message expired"
	case "deliverable", "undeliverable":
		// Answers to address probes: no mail was there.
	default:
		return false
	}
	l.Format, l.QueueID, l.text, l.dsn = "postfix", id, text, field(head, "dsn=")
	l.Recipient, l.Sender = field(head, "to="), field(head, "from=")
	l.relay(field(head, "relay="))
	return true
}

// relay reads "host[ip]:25" and "none".
func (l *Line) relay(s string) {
	if s == "none" || s == "local" || s == "virtual" || s == "" {
		l.local = true
		return
	}
	l.RelayIP = inBrackets(s)
	if i := strings.IndexByte(s, '['); i >= 0 {
		s = s[:i]
	}
	l.Relay = lower(strings.TrimSuffix(s, "."))
}

// inBrackets is the first address in brackets.
func inBrackets(s string) string {
	i := strings.IndexByte(s, '[')
	if i < 0 {
		return ""
	}
	return addrOf(s[i+1:])
}

// refusal reads what this server told a client:
//
//	RCPT from host[ip]: 554 5.7.1 text; from=<a> to=<b> proto=ESMTP helo=<c>
func (l *Line) refusal(s string) bool {
	l.Format, l.Outcome = "postfix", Refused
	if i := strings.Index(s, "; from=<"); i >= 0 {
		tail := s[i+2:]
		l.Sender, l.Recipient = field(tail, "from="), field(tail, "to=")
		s = s[:i]
	}
	if i := strings.Index(s, " from "); i >= 0 {
		l.Client = inBrackets(s[i:])
	}
	if i := strings.Index(s, "]:"); i >= 0 {
		s = s[i+2:]
		if j := strings.IndexByte(s, ':'); j >= 0 && j < 7 && !strings.Contains(s[:j], " ") { // the client's port
			s = s[j+1:]
		}
	}
	l.text = strings.TrimSpace(s)
	return true
}

// exim reads the lines of Exim's main log:
//
//	1abcde-000abc-AB ** a@b R=router T=transport H=host [ip]: text
func (l *Line) exim(rest, msg, prog string) bool {
	s := rest
	if prog == "exim" || prog == "exim4" {
		s = msg
		if t, r, ok := stamp(s); ok {
			l.Time, s = t, r
		}
	}
	if len(s) > 2 && s[0] == '[' { // the process, with log_selector +pid
		if i := strings.Index(s, "] "); i > 0 && i < 12 && number(s[1:i]) > 0 {
			s = s[i+2:]
		}
	}
	id, tail, ok := strings.Cut(s, " ")
	if ok && eximID(id) {
		return l.eximEvent(id, tail)
	}
	if i := strings.Index(s, " rejected "); i >= 0 && strings.Contains(s[:i], "H=") && (strings.Contains(s[i:], "RCPT") || strings.Contains(s[i:], "MAIL") || strings.Contains(s[i:], "DATA") || strings.Contains(s[i:], "connection") || strings.Contains(s[i:], "EHLO")) {
		l.Format, l.Outcome = "exim", Refused
		l.Client, l.Sender = inBrackets(s), field(s[:i], "F=")
		if j := strings.Index(s[i:], ": "); j >= 0 {
			l.text = s[i+j+2:]
		}
		if j := strings.Index(s[i:], "RCPT <"); j >= 0 {
			l.Recipient, _, _ = strings.Cut(s[i+j+6:], ">")
		}
		return true
	}
	return prog == "exim" || prog == "exim4"
}

// eximID tells whether s is a message ID: 6-6-2 characters, since 4.97 6-11-4.
func eximID(s string) bool {
	switch {
	case len(s) == 16 && s[6] == '-' && s[13] == '-':
	case len(s) == 23 && s[6] == '-' && s[18] == '-':
	default:
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) && !isLetter(s[i]) && s[i] != '-' {
			return false
		}
	}
	return true
}

func (l *Line) eximEvent(id, s string) bool {
	l.Format, l.QueueID = "exim", id
	mark, rest, _ := strings.Cut(s, " ")
	switch mark {
	case "=>", "->", ">>":
		l.Outcome = Sent
	case "**":
		l.Outcome = Bounced
	case "==":
		l.Outcome = Deferred
	case "<=":
		l.Sender, _, _ = strings.Cut(rest, " ")
		if l.Sender == "<>" {
			l.Sender = ""
		}
		if i := strings.Index(rest, " H="); i >= 0 {
			l.Client = inBrackets(rest[i:])
		}
		return true
	default: // Completed, Frozen, *>, warnings
		return true
	}
	l.Recipient, _, _ = strings.Cut(rest, " ")
	// "user <user@example.org>" has the address behind the local part.
	if i := strings.IndexByte(rest, '<'); i >= 0 && i == len(l.Recipient)+1 && !strings.Contains(l.Recipient, "@") {
		l.Recipient, _, _ = strings.Cut(rest[i+1:], ">")
	}
	l.Recipient = strings.TrimSuffix(l.Recipient, ":")
	l.Sender = field(rest, "F=")
	if i := strings.Index(rest, " H="); i >= 0 {
		h := rest[i+3:]
		l.RelayIP = inBrackets(h)
		h, _, _ = strings.Cut(h, " ")
		l.Relay = lower(strings.Trim(h, ":()[]"))
	}
	if l.Outcome == Sent {
		if i := strings.Index(rest, ` C="`); i >= 0 {
			l.text = strings.TrimSuffix(rest[i+4:], `"`)
			l.text, _, _ = strings.Cut(l.text, `" `)
		}
		return true
	}
	l.text = eximText(rest)
	return true
}

// eximText finds the reason in a line of a failure: behind "defer (-44):" or behind
// the last of the fields R= T= H=.
func eximText(s string) string {
	if i := strings.Index(s, "defer ("); i >= 0 {
		if j := strings.Index(s[i:], "): "); j >= 0 {
			return s[i+j+3:]
		}
		if j := strings.Index(s[i:], ")"); j >= 0 { // "defer (110): …" without text
			return s[i+j+1:]
		}
	}
	i := strings.Index(s, ": ")
	if i < 0 {
		return ""
	}
	return s[i+2:]
}

// sendmail reads "QID: to=<a@b>, …, relay=host. [ip], dsn=5.1.1, stat=text".
func (l *Line) sendmail(prog, msg string) bool {
	id, rest, ok := queueID(msg)
	if !ok {
		return prog == "sendmail" || prog == "sm-mta"
	}
	if i := strings.Index(rest, "reject="); i >= 0 && strings.Contains(rest, "ruleset=") {
		l.Format, l.QueueID, l.Outcome, l.text = "sendmail", id, Refused, rest[i+len("reject="):]
		l.Client = inBrackets(rest)
		return true
	}
	i := strings.Index(rest, "stat=")
	if i < 0 {
		if strings.HasPrefix(rest, "from=") {
			l.Format, l.QueueID, l.Sender = "sendmail", id, field(rest, "from=")
			if j := strings.Index(rest, "relay="); j >= 0 {
				l.Client = inBrackets(rest[j:])
			}
			return true
		}
		return prog == "sendmail" || prog == "sm-mta" || prog == "sm-msp-queue"
	}
	if !strings.HasPrefix(rest, "to=") {
		return false
	}
	head, stat := rest[:i], rest[i+len("stat="):]
	l.Format, l.QueueID, l.Recipient, l.dsn, l.text = "sendmail", id, strings.Trim(field(head, "to="), "<>"), field(head, "dsn="), stat
	if j := strings.Index(head, "relay="); j >= 0 {
		l.RelayIP = inBrackets(head[j:])
		l.Relay = lower(strings.TrimSuffix(field(head[j:], "relay="), "."))
	}
	switch low := lower(stat); {
	case strings.HasPrefix(low, "sent"):
		l.Outcome = Sent
	case strings.HasPrefix(low, "deferred"), strings.HasPrefix(low, "queued"), strings.HasPrefix(l.dsn, "4"):
		l.Outcome = Deferred
		l.text = strings.TrimPrefix(strings.TrimPrefix(stat, "Deferred"), ": ")
	case strings.HasPrefix(l.dsn, "2"):
		l.Outcome = Sent
	default:
		l.Outcome = Bounced
	}
	return true
}

// opensmtpd reads "sid mta delivery evpid=… to=<a@b> relay="ip (host)"
// result="PermFail" stat="550 …"".
func (l *Line) opensmtpd(prog, msg string) bool {
	i := strings.Index(msg, "result=\"")
	if prog != "smtpd" || i < 0 || !strings.Contains(msg[:i], "delivery") {
		return false
	}
	switch field(msg[i:], "result=") {
	case "Ok":
		l.Outcome = Sent
	case "PermFail":
		l.Outcome = Bounced
	case "TempFail":
		l.Outcome = Deferred
	default:
		return false
	}
	l.Format, l.QueueID = "opensmtpd", field(msg, "evpid=")
	l.Sender, l.Recipient = field(msg, "from="), field(msg, "to=")
	relay := field(msg, "relay=")
	l.RelayIP = addrOf(relay)
	if _, h, ok := strings.Cut(relay, "("); ok {
		l.Relay = lower(strings.TrimSuffix(h, ")"))
	}
	l.text = field(msg[i:], "stat=")
	return true
}
