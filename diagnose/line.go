package diagnose

import (
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/diagnose/cause"
)

// MaxLine bounds a log line, in octets; the rest of a longer one is left out.
// Postfix and Exim write a few KiB at most, syslog daemons cut at 8 KiB or less.
const MaxLine = 64 << 10

// Outcome is what a log line says of a mail.
type Outcome string

// The outcomes. A line that tells of no attempt has none.
const (
	Sent     Outcome = "sent"
	Deferred Outcome = "deferred" // it will be tried again
	Bounced  Outcome = "bounced"
	Expired  Outcome = "expired" // given up after deferrals
	Refused  Outcome = "refused" // this server refused what another one brought
)

// Line is a line of a mail log.
type Line struct {
	Format    string    `json:"format"`              // postfix, exim, sendmail, opensmtpd, qmail, haraka, powermta, kumomta
	Time      time.Time `json:"time"`                // zero if there is none; of year 0 if the line has no year
	QueueID   string    `json:"queue_id,omitempty"`  // or the number of a delivery
	Sender    string    `json:"sender,omitempty"`    // envelope sender
	Recipient string    `json:"recipient,omitempty"` // envelope recipient
	Relay     string    `json:"relay,omitempty"`     // host that was asked
	RelayIP   string    `json:"relay_ip,omitempty"`  // its address
	Client    string    `json:"client,omitempty"`    // address of the host that brought the mail
	Outcome   Outcome   `json:"outcome,omitempty"`   // empty: no attempt
	Result    Result    `json:"result"`              // of an attempt
	parent    string    // another key that knows the sender
	text      string    // what the receiver or the server said
	dsn       string
	local     bool
}

// LogLine reads one line of a mail log. It is false for a line that no known mail
// server wrote; a line that it knows but that tells of no attempt has no outcome.
func LogLine(line string) (Line, bool) {
	l, ok := readLine(line)
	if ok && l.Outcome != "" {
		l.Result = l.judge()
	}
	return l, ok
}

// readLine takes a line apart without judging it.
func readLine(line string) (Line, bool) {
	if len(line) > MaxLine {
		line = line[:MaxLine]
	}
	line = strings.TrimSpace(line)
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = strings.TrimSpace(line[:i])
	}
	if line == "" {
		return Line{}, false
	}
	var l Line
	if line[0] == '{' {
		return l, l.kumomta(line)
	}
	rest := l.prefix(line)
	prog, msg := program(rest)
	switch {
	case l.exim(rest, msg, prog):
	case prog != "" && l.opensmtpd(prog, msg):
	case l.qmail(prog, msg):
	case l.haraka(msg):
	case l.postfix(prog, msg):
	case l.sendmail(prog, msg):
	case l.powermta(line, nil):
	default:
		return Line{}, false
	}
	return l, true
}

// judge diagnoses what the line quotes.
func (l *Line) judge() Result {
	if l.Outcome == Sent {
		rep := reply{code: "250", text: l.text, folded: fold(l.text), server: hostOf(l.Relay), serverIP: l.RelayIP}
		if r := parseReply(l.text); r.code != "" && r.code[0] == '2' {
			rep.code, rep.enhanced, rep.text, rep.folded = r.code, r.enhanced, r.text, r.folded
		}
		if rep.enhanced != "" && rep.enhanced[0] != '2' {
			rep.enhanced = ""
		}
		return judge(rep, "")
	}
	rep := parseReply(l.text)
	if rep.server == "" {
		rep.server = hostOf(l.Relay)
	}
	if rep.serverIP == "" {
		rep.serverIP = l.RelayIP
	}
	if rep.enhanced == "" && l.dsn != "" {
		rep.enhanced, _ = enhancedAt(l.dsn, 0)
	}
	switch l.Outcome {
	case Deferred:
		rep.delayed = true
	case Bounced, Expired:
		rep.failed = true
	}
	res := judge(rep, "")
	if l.Outcome == Expired && (res.Cause == cause.Unknown || res.Confidence == Low) {
		res = judge(reply{text: "message expired", folded: "message expired", failed: true, server: rep.server}, "")
	}
	return res
}

// prefix reads the time and what a log daemon puts in front, and returns the rest.
func (l *Line) prefix(s string) string {
	// A container's name, or the priority of a raw syslog line.
	if i := strings.Index(s, " | "); i > 0 && i < 40 && !strings.Contains(s[:i], "=") {
		s = strings.TrimSpace(s[i+3:])
	}
	if s != "" && s[0] == '<' {
		if i := strings.IndexByte(s, '>'); i > 0 && i < 5 && isDigit(s[1]) {
			s = strings.TrimPrefix(s[i+1:], "1 ")
		}
	}
	if t, rest, ok := stamp(s); ok {
		l.Time = t
		return rest
	}
	return s
}

var months = map[string]time.Month{"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12}

// stamp reads the time at the head of a line: of syslog, ISO 8601 or tai64n.
func stamp(s string) (t time.Time, rest string, ok bool) {
	switch {
	case len(s) >= 15 && s[3] == ' ' && s[6] == ' ' && s[9] == ':' && s[12] == ':':
		m, known := months[s[:3]]
		day, h, mi, sec := number(strings.TrimSpace(s[4:6])), digits2(s[7:]), digits2(s[10:]), digits2(s[13:])
		if !known || day < 1 || day > 31 || h < 0 || mi < 0 || sec < 0 {
			return t, s, false
		}
		return time.Date(0, m, day, h, mi, sec, 0, time.UTC), strings.TrimLeft(s[15:], " "), true
	case len(s) >= 19 && s[4] == '-' && s[7] == '-' && s[13] == ':' && (s[10] == 'T' || s[10] == ' '):
		return isoStamp(s)
	case len(s) > 25 && strings.HasPrefix(s, "@4000000"):
		return tai64(s)
	}
	return t, s, false
}

func digits2(s string) int {
	if len(s) < 2 || !isDigit(s[0]) || !isDigit(s[1]) {
		return -1
	}
	return int(s[0]-'0')*10 + int(s[1]-'0')
}

func isoStamp(s string) (t time.Time, rest string, ok bool) {
	y, mo, d := digits2(s)*100+digits2(s[2:]), digits2(s[5:]), digits2(s[8:])
	h, mi, sec := digits2(s[11:]), digits2(s[14:]), digits2(s[17:])
	if y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || mi < 0 || sec < 0 {
		return t, s, false
	}
	i := 19
	for i < len(s) && (isDigit(s[i]) || s[i] == '.' || s[i] == ',') && i < 32 {
		i++
	}
	offset := 0
	if i < len(s) && s[i] == 'Z' {
		i++
	} else if i+5 <= len(s) && (s[i] == '+' || s[i] == '-') || i+6 <= len(s) && s[i] == ' ' && (s[i+1] == '+' || s[i+1] == '-') && isDigit(s[i+2]) {
		if s[i] == ' ' {
			i++
		}
		hh, next := digits2(s[i+1:]), i+3
		if next < len(s) && s[next] == ':' {
			next++
		}
		if mm := digits2(s[min(next, len(s)):]); hh >= 0 && mm >= 0 {
			offset = hh*3600 + mm*60
			if s[i] == '-' {
				offset = -offset
			}
			i = next + 2
		}
	}
	zone := time.UTC
	if offset != 0 {
		zone = time.FixedZone("", offset)
	}
	return time.Date(y, time.Month(mo), d, h, mi, sec, 0, zone), strings.TrimLeft(s[i:], " "), true
}

// tai64 reads the label of multilog: "@40000000" and 16 digits of seconds since
// 1970 TAI, ten seconds ahead of UTC then, and nanoseconds.
func tai64(s string) (t time.Time, rest string, ok bool) {
	label, rest, ok := strings.Cut(s, " ")
	if !ok || len(label) != 25 {
		return t, s, false
	}
	var sec int64
	for _, c := range []byte(label[9:17]) {
		switch {
		case isDigit(c):
			sec = sec<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			sec = sec<<4 | int64(c-'a'+10)
		default:
			return t, s, false
		}
	}
	return time.Unix(sec-10, 0).UTC(), rest, true
}

// program splits "host program[pid]: message". Without that form the program is
// empty and the message is all of s.
func program(s string) (prog, msg string) {
	i := strings.Index(s, ": ")
	if i < 0 || i > 200 {
		return "", s
	}
	head := s[:i]
	if j := strings.LastIndexByte(head, ' '); j >= 0 {
		if strings.ContainsAny(head[:j], "=<>@\"") {
			return "", s
		}
		head = head[j+1:]
	}
	if j := strings.IndexByte(head, '['); j > 0 {
		if head[len(head)-1] != ']' {
			return "", s
		}
		return head[:j], s[i+2:]
	}
	if strings.Contains(head, "/") && !strings.ContainsAny(head, "@<>=") || head == "qmail" || head == "exim" || head == "smtpd" || head == "sendmail" || head == "sm-mta" || head == "haraka" {
		return head, s[i+2:]
	}
	return "", s
}
