package diagnose

import (
	"strings"
)

// reply is a reply taken apart.
type reply struct {
	code     string // "550"
	enhanced string // "5.7.26"
	text     string // one line, without codes
	folded   string // text as the catalogue is matched: lower case, single spaces
	server   string // the host that said it, if the text tells
	serverIP string
	stage    string
	delayed  bool // an outer source says: will be tried again
	failed   bool // an outer source says: given up
}

// class is the first digit that counts, 0 if there is no code.
func (r *reply) class() byte {
	if r.code != "" {
		return r.code[0]
	}
	if r.enhanced != "" {
		return r.enhanced[0]
	}
	return 0
}

// temporary decides whether the mail is tried again: the outer source first, then
// the basic code, on which sending servers act (RFC 5321, Section 4.2.1), then the
// enhanced one, then what the wording suggests.
func (r *reply) temporary(wording bool) bool {
	switch c := r.class(); {
	case r.delayed:
		return true
	case r.failed:
		return false
	case c == '4':
		return true
	case c == '5' || c == '2':
		return false
	}
	return wording
}

// silent reports that neither a code nor an outer source tells whether the mail is
// tried again.
func (r *reply) silent() bool { return r.class() == 0 && !r.failed && !r.delayed }

// parseReply takes a text apart. It never fails: what is not recognized stays text.
func parseReply(s string) reply {
	var r reply
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	s = clean(s)
	s = r.unwrap(s)
	at, end := r.findCode(s)
	if strings.Contains(lower(s[:max(at, 0)]), "sasl authentication failed") {
		// It is this server's own login that failed: these words count too.
		r.text = s
	} else if at < 0 {
		r.text = s
	} else {
		// What stands in front of the code is a wrapper, but its words may be the
		// only ones.
		head := strings.Trim(strings.TrimSpace(s[:at]), "<>:;,-\"'( ")
		tail := strings.TrimLeft(s[end:], " -:;,")
		r.text = dropRepeated(tail, r.code, r.enhanced)
		if len(r.text) < 4 || !wrapper(head) {
			r.text = strings.TrimSpace(head + " " + r.text)
		}
	}
	r.stripStage()
	r.text = strings.Trim(r.text, " \"'")
	r.folded = fold(r.text)
	return r
}

// clean makes one line of printable text: line ends and controls become spaces,
// continuation lines are joined.
func clean(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		// The two octets that an escaped line end has in quoted logs.
		if c == '\\' && i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'r') && (i+2 == len(s) || !isLetter(s[i+2])) {
			c, i = ' ', i+1
		}
		if c <= ' ' || c == 0x7f {
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		}
		b.WriteByte(c)
		space = false
	}
	out := strings.TrimSpace(b.String())
	for len(out) > 1 && (out[0] == '"' || out[0] == '\'' || out[0] == '`' || out[0] == '>') {
		q := out[0]
		out = strings.TrimSpace(out[1:])
		if out != "" && q != '>' && out[len(out)-1] == q {
			out = strings.TrimSpace(out[:len(out)-1])
		}
	}
	return out
}

// fold is s as the catalogue is matched: ASCII lower case, plain apostrophes and
// quotes, single spaces.
func fold(s string) string {
	s = quotes.Replace(s)
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' || c < ' ' || c == ' ' && i+1 < len(s) && s[i+1] == ' ' {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSpace(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c < ' ':
			c = ' '
		}
		if c == ' ' && (len(b) == 0 || b[len(b)-1] == ' ') {
			continue
		}
		b = append(b, c)
	}
	return strings.TrimSpace(string(b))
}

var quotes = strings.NewReplacer("\u2019", "'", "\u2018", "'", "\u201c", `"`, "\u201d", `"`, "\u00a0", " ", "\u2013", "-", "&#39;", "'", "&quot;", `"`)

// unwrap removes what mail servers put around a reply, and keeps who spoke.
func (r *reply) unwrap(s string) string {
	s = trimType(s)
	low := fold(s)
	if len(low) != len(s) { // foreign spaces or quotes: positions differ
		s = quotes.Replace(s)
		if low = lower(s); len(low) != len(s) {
			return s
		}
	}
	for _, w := range wrappers {
		i := strings.Index(low, w.after)
		if i < 0 || i > maxWrapper {
			continue
		}
		head := s[:i]
		if strings.Contains(low[:i], "authentication failed") {
			return s // of this server's own login: the words count
		}
		if w.host {
			r.hostIn(head)
		}
		r.stageIn(low[:i+len(w.after)])
		s = strings.TrimSpace(s[i+len(w.after):])
		return trimParen(s)
	}
	return s
}

// maxWrapper bounds how far into a text a wrapper may reach.
const maxWrapper = 400

// wrappers are what sending servers say before they quote the receiver.
var wrappers = []struct {
	after string
	host  bool // the receiver's name stands before
}{
	{" said: ", true}, {" says: ", true}, {" refused to talk to me: ", true}, {" replied: ", true}, {" responded: ", true},
	{" responded with: ", true}, {"remote host said: ", true}, {"giving up on ", false},
	{"remote-mta response: ", true}, {"the response from the remote server was: ", true},
	{"the response was: ", true}, {"the error that the other server returned was: ", true},
	{"remote server returned ", true}, {"remote server returned: ", true}, {"server response: ", false},
}

// trimParen removes the bracket that closes a wrapped reply.
func trimParen(s string) string {
	for strings.HasPrefix(s, "'") || strings.HasPrefix(s, `"`) {
		s = s[1:]
	}
	if strings.HasSuffix(s, ")") && strings.Count(s, ")") > strings.Count(s, "(") {
		s = s[:len(s)-1]
	}
	return strings.TrimRight(s, `"`)
}

// trimType removes the type of a field of a notification: "smtp; 550 …", "dns;
// mx.example.org" (RFC 3464, Section 2.1.2).
func trimType(s string) string {
	s = strings.TrimSpace(s)
	for range 2 {
		t, rest, ok := strings.Cut(s, ";")
		if !ok || len(t) > 20 || strings.ContainsAny(t, " .:@[(") && !strings.HasPrefix(t, "x-") {
			return s
		}
		switch fold(t) {
		case "smtp", "dns", "x-unix", "x-postfix", "x-local", "rfc822", "utf-8", "x-exim", "lmtp", "local", "x-qmail", "x-sendmail", "unix", "dsn":
			s = strings.TrimSpace(rest)
		default:
			if !strings.HasPrefix(fold(t), "x-") {
				return s
			}
			s = strings.TrimSpace(rest)
		}
	}
	return s
}

// hostIn finds the receiver in the words before its reply.
func (r *reply) hostIn(head string) {
	if len(head) > maxWrapper {
		head = head[len(head)-maxWrapper:]
	}
	low := lower(head)
	i := strings.LastIndex(low, "host ")
	if i >= 0 {
		head = head[i+len("host "):]
	} else if i = strings.LastIndex(low, "server "); i >= 0 {
		head = head[i+len("server "):]
	}
	for _, w := range strings.Fields(head) {
		name, rest, _ := strings.Cut(w, "[")
		name = strings.Trim(name, ".:,;()<>'\"")
		if validHost(name) && r.server == "" {
			r.server = lower(name)
		}
		if ip := addrOf(rest); ip != "" {
			r.serverIP = ip
		}
		if r.server != "" {
			return
		}
	}
}

// hostOf is the host of a Remote-MTA field or a log's relay, in lower case.
func hostOf(s string) string {
	s = trimType(s)
	if i := strings.IndexAny(s, "[ (:"); i >= 0 {
		s = s[:i]
	}
	s = lower(strings.Trim(s, ".<>\"'"))
	if !validHost(s) {
		return ""
	}
	return s
}

// validHost tells whether s looks like a domain name with a dot.
func validHost(s string) bool {
	if len(s) < 4 || len(s) > 253 || !strings.Contains(s, ".") {
		return false
	}
	digits := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isLetter(c) && !isDigit(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
		if c == '.' && (i == 0 || i == len(s)-1 || s[i-1] == '.') {
			return false
		}
		digits = digits && (isDigit(c) || c == '.')
	}
	return !digits && isLetter(s[len(s)-1])
}

func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; c >= 'A' && c <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
