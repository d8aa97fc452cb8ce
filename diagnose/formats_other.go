package diagnose

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// qmail reads the lines of qmail-send. Spaces of the reason are underscores there.
func (l *Line) qmail(prog, msg string) bool {
	if prog == "qmail" {
		if _, rest, ok := strings.Cut(msg, " "); ok && isDigit(msg[0]) {
			msg = rest // seconds since 1970
		}
	} else if prog != "" {
		return false
	}
	switch {
	case strings.HasPrefix(msg, "delivery "):
		n, rest, ok := strings.Cut(msg[len("delivery "):], ": ")
		if !ok || !allDigits(n) {
			return false
		}
		what, text, _ := strings.Cut(rest, ":")
		switch what {
		case "success":
			l.Outcome = Sent
		case "failure":
			l.Outcome = Bounced
		case "deferral":
			l.Outcome = Deferred
		default:
			return false
		}
		l.QueueID, l.text = "delivery "+n, strings.TrimSpace(strings.ReplaceAll(text, "_", " "))
		if ip := addrOf(l.text); ip != "" {
			l.RelayIP = ip
		}
	case strings.HasPrefix(msg, "starting delivery "):
		f := strings.Fields(msg)
		if len(f) < 8 {
			return false
		}
		l.QueueID, l.parent, l.Recipient = "delivery "+strings.TrimSuffix(f[2], ":"), "msg "+f[4], f[7]
	case strings.HasPrefix(msg, "info msg "):
		f := strings.Fields(msg)
		if len(f) < 7 {
			return false
		}
		l.QueueID, l.Sender = "msg "+strings.TrimSuffix(f[2], ":"), field(msg, "from ")
	case strings.HasPrefix(msg, "new msg "), strings.HasPrefix(msg, "end msg "), strings.HasPrefix(msg, "status: local "):
	default:
		return false
	}
	l.Format = "qmail"
	return true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// haraka reads `[NOTICE] [UUID] [outbound] delivered file=… host=… ip=… response="…"`.
func (l *Line) haraka(msg string) bool {
	if !strings.HasPrefix(msg, "[") || !strings.Contains(msg, " delivered file=") {
		return false
	}
	l.Format, l.Outcome = "haraka", Sent
	l.Relay, l.RelayIP, l.text = lower(field(msg, "host=")), addrOf(field(msg, "ip=")), field(msg, "response=")
	if f := strings.SplitN(msg, "[", 4); len(f) == 4 {
		l.QueueID = strings.TrimSuffix(strings.TrimSpace(f[2]), "]")
	}
	return true
}

// powermtaFields are the first columns of PowerMTA's accounting file.
var powermtaFields = []string{"type", "timeLogged", "timeQueued", "orig", "rcpt", "orcpt", "dsnAction", "dsnStatus", "dsnDiag", "dsnMta", "bounceCat"}

// powermta reads a record of the accounting file; header is its first line, or nil
// for the usual columns.
func (l *Line) powermta(line string, header []string) bool {
	i := strings.IndexByte(line, ',')
	if i < 1 || i > 4 {
		return line != "" && i == 0
	}
	if header == nil {
		header = powermtaFields
	}
	switch line[:i] {
	case "d":
		l.Outcome = Sent
	case "b", "rb":
		l.Outcome = Bounced
	case "t", "tq":
		l.Outcome = Deferred
	case "type":
		l.Format, l.Outcome = "powermta", ""
		return strings.HasPrefix(line, "type,timeLogged,")
	default:
		return false
	}
	cols := csvFields(line, 64)
	if len(cols) < 9 {
		return false
	}
	for i, name := range header {
		if i >= len(cols) {
			break
		}
		switch v := cols[i]; name {
		case "timeLogged":
			if t, _, ok := stamp(v); ok {
				l.Time = t
			} else {
				return false
			}
		case "orig":
			l.Sender = v
		case "rcpt":
			l.Recipient = v
		case "dsnStatus":
			l.dsn = v
		case "dsnDiag":
			l.text = v
		case "dsnMta":
			l.Relay = hostOf(v)
			if _, a, ok := strings.Cut(v, "("); ok {
				l.RelayIP = addrOf(a)
			}
		}
	}
	l.Format = "powermta"
	if l.text == "" {
		l.text = l.dsn
	}
	return true
}

// csvFields splits a line at commas outside of quotes, into at most n fields.
func csvFields(s string, n int) []string {
	var out []string
	for len(out) < n {
		if strings.HasPrefix(s, `"`) {
			var b strings.Builder
			i := 1
			for ; i < len(s); i++ {
				if s[i] != '"' {
					b.WriteByte(s[i])
				} else if i+1 < len(s) && s[i+1] == '"' {
					b.WriteByte('"')
					i++
				} else {
					break
				}
			}
			out = append(out, b.String())
			_, rest, ok := strings.Cut(s[min(i, len(s)):], ",")
			if !ok {
				break
			}
			s = rest
			continue
		}
		v, rest, ok := strings.Cut(s, ",")
		out = append(out, v)
		if !ok {
			break
		}
		s = rest
	}
	return out
}

// kumomta reads a record of KumoMTA's JSON log.
func (l *Line) kumomta(line string) bool {
	var rec struct {
		Type      string          `json:"type"`
		ID        string          `json:"id"`
		Sender    string          `json:"sender"`
		Recipient json.RawMessage `json:"recipient"`
		Peer      struct {
			Name string `json:"name"`
			Addr string `json:"addr"`
		} `json:"peer_address"`
		Response struct {
			Code     int `json:"code"`
			Enhanced *struct {
				Class, Subject, Detail int
			} `json:"enhanced_code"`
			Content string `json:"content"`
		} `json:"response"`
		Timestamp int64 `json:"timestamp"`
	}
	if json.Unmarshal([]byte(line), &rec) != nil || rec.Type == "" {
		return false
	}
	switch rec.Type {
	case "Delivery":
		l.Outcome = Sent
	case "Bounce", "AdminBounce":
		l.Outcome = Bounced
	case "TransientFailure":
		l.Outcome = Deferred
	case "Expiration":
		l.Outcome = Expired
	case "Reception", "Rejection", "Feedback", "OOB":
	default:
		return false
	}
	l.Format, l.QueueID, l.Sender = "kumomta", rec.ID, rec.Sender
	var one string
	var many []string
	if json.Unmarshal(rec.Recipient, &one) == nil {
		l.Recipient = one
	} else if json.Unmarshal(rec.Recipient, &many) == nil && len(many) > 0 {
		l.Recipient = many[0]
	}
	l.Relay, l.RelayIP = lower(strings.TrimSuffix(rec.Peer.Name, ".")), addrOf(rec.Peer.Addr)
	if rec.Timestamp > 0 {
		l.Time = time.Unix(rec.Timestamp, 0).UTC()
	}
	l.text = rec.Response.Content
	if c := rec.Response.Code; c >= 200 && c < 600 {
		code := strconv.Itoa(c)
		if e := rec.Response.Enhanced; e != nil {
			code += " " + strconv.Itoa(e.Class) + "." + strconv.Itoa(e.Subject) + "." + strconv.Itoa(e.Detail)
		}
		l.text = code + " " + l.text
	}
	return true
}
