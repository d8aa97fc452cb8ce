package dsn

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/message"
)

// groups cuts a delivery status into its groups of fields (RFC 3464, Section 2.1),
// which empty lines separate, one or more. A group with a second recipient in it
// has lost an empty line, and is cut there.
func groups(data []byte) [][]StatusField {
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	var out [][]StatusField
	var cur []StatusField
	flush := func() {
		if len(cur) > 0 {
			out = append(out, cur)
			cur = nil
		}
	}
	total := 0
	for len(data) > 0 && len(out) < MaxRecipients+1 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		text := strings.TrimRight(string(line), " \t")
		switch name, value, ok := strings.Cut(text, ":"); {
		case text == "":
			flush()
		case text[0] == ' ' || text[0] == '\t':
			if len(cur) > 0 {
				if last := &cur[len(cur)-1]; len(last.Value) < maxDiagnostic {
					last.Value = strings.TrimSpace(last.Value + " " + strings.TrimSpace(text))
				}
			}
		case ok && name != "" && !strings.ContainsAny(strings.TrimSpace(name), " \t"):
			name = strings.TrimSpace(name)
			if starts(name) && has(cur, name) || ofRecipient(name) && len(cur) > 0 && has(cur, "Reporting-MTA") && strings.EqualFold(name, "Final-Recipient") && !hasRecipient(cur) {
				flush()
			}
			if total++; total > maxFields*20 {
				break
			}
			if len(cur) < maxFields {
				cur = append(cur, StatusField{name, strings.TrimSpace(value)})
			}
		case len(cur) > 0:
			// A line without a name: some systems do not fold the diagnostic text.
			if last := &cur[len(cur)-1]; strings.EqualFold(last.Name, "Diagnostic-Code") && len(last.Value) < maxDiagnostic {
				last.Value += " " + strings.TrimSpace(text)
			}
		}
	}
	flush()
	return out
}

// starts reports whether a second field of that name begins another recipient.
func starts(name string) bool {
	return strings.EqualFold(name, "Final-Recipient") || strings.EqualFold(name, "Action")
}

var recipientFields = []string{
	"Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date",
	"Will-Retry-Until", "Final-Log-ID", "Localized-Diagnostic",
}

func ofRecipient(name string) bool {
	for _, f := range recipientFields {
		if strings.EqualFold(f, name) {
			return true
		}
	}
	return false
}

func hasRecipient(g []StatusField) bool {
	return has(g, "Final-Recipient") || has(g, "Original-Recipient")
}

func has(g []StatusField, name string) bool {
	_, ok := get(g, name)
	return ok
}

func get(g []StatusField, name string) (string, bool) {
	for _, f := range g {
		if strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

// status reads the machine-readable part.
func (r *Report) status(data []byte) {
	if len(data) > maxStatus {
		data = data[:maxStatus]
		r.note(TooMany)
	}
	list := groups(data)
	first := true
	for _, g := range list {
		recipient := hasRecipient(g) || has(g, "Action") && !has(g, "Reporting-MTA")
		if first && !recipient {
			r.perMessage(g)
		} else if first {
			r.note(NoPerMessage)
			if has(g, "Reporting-MTA") {
				r.perMessage(g)
			}
		}
		first = false
		switch {
		case !recipient:
		case len(r.Recipients) >= MaxRecipients:
			r.note(TooMany)
		default:
			r.Recipients = append(r.Recipients, r.recipient(g))
		}
	}
}

func (r *Report) perMessage(g []StatusField) {
	for _, f := range g {
		if ofRecipient(f.Name) {
			continue
		}
		r.Fields = append(r.Fields, f)
		switch strings.ToLower(f.Name) {
		case "reporting-mta":
			_, r.ReportingMTA = typed(f.Value)
		case "received-from-mta":
			_, r.ReceivedFromMTA = typed(f.Value)
		case "dsn-gateway":
			_, r.Gateway = typed(f.Value)
		case "original-envelope-id":
			r.EnvelopeID = f.Value
		case "arrival-date":
			if t, _, ok := message.ParseDate(f.Value); ok {
				r.Arrival = t
			}
		}
	}
}

// typed cuts "dns; mx.example.org".
func typed(v string) (kind, value string) {
	kind, value, ok := strings.Cut(v, ";")
	if !ok {
		return "", strings.TrimSpace(v)
	}
	return strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(value)
}

func (r *Report) recipient(g []StatusField) Recipient {
	x := Recipient{Fields: g, Confidence: Certain}
	for _, f := range g {
		switch strings.ToLower(f.Name) {
		case "final-recipient":
			x.Final = address(f.Value)
		case "original-recipient":
			x.Original = address(f.Value)
		case "action":
			x.Action = strings.ToLower(word(f.Value))
		case "status":
			x.status(f.Value)
		case "remote-mta":
			_, x.RemoteMTA = typed(f.Value)
		case "diagnostic-code":
			if x.Diagnostic == "" {
				x.DiagType, x.Diagnostic = typed(f.Value)
				if strings.ContainsAny(x.DiagType, " \t.") {
					x.DiagType, x.Diagnostic = "", f.Value // a text with a semicolon, and no type
				}
			}
		case "last-attempt-date":
			if t, _, ok := message.ParseDate(f.Value); ok {
				x.LastTry = t
			}
		case "will-retry-until":
			if t, _, ok := message.ParseDate(f.Value); ok {
				x.RetryUntil = t
			}
		}
	}
	if x.Diagnostic != "" {
		x.Reply, _ = ParseReply(x.Diagnostic)
	}
	if x.Final.Address == "" && x.Original.Address == "" {
		x.Problems = addWord(x.Problems, NoRecipient)
	}
	x.kind()
	return x
}

// word is the first word of a value, without comments.
func word(v string) string {
	v, _, _ = strings.Cut(v, "(")
	v = strings.TrimSpace(v)
	if i := strings.IndexAny(v, " \t;,"); i > 0 {
		v = v[:i]
	}
	return v
}

// status reads the Status field: a code, and perhaps a comment.
func (x *Recipient) status(v string) {
	if at, code := findEnhanced(v, 0); at >= 0 {
		x.Status = code
		return
	}
	x.Problems = addWord(x.Problems, BadStatus)
}

// kind settles what happened. RFC 3464, Section 2.3.3: the action says it; the
// status of a failure is of class 4 or 5, that of a success of class 2.
func (x *Recipient) kind() {
	class := byte(0)
	if x.Status != "" {
		class = x.Status[0]
	} else {
		x.Problems = addWord(x.Problems, MissingStatus)
	}
	switch x.Action {
	case "failed", "failure", "fail", "undeliverable", "failed.", "expired":
		x.Kind = Failed
		if class == '2' {
			x.contradiction(5)
		}
	case "delayed", "delay", "deferred":
		x.Kind = Delayed
		if class == '2' {
			x.contradiction(4)
		}
	case "delivered", "deliverable": // the second is Postfix's, when it was asked about an address
		x.Kind = Delivered
	case "relayed":
		x.Kind = Relayed
	case "expanded":
		x.Kind = Expanded
	default:
		if x.Action == "" {
			x.Problems = addWord(x.Problems, MissingAction)
		} else {
			x.Problems = addWord(x.Problems, UnknownAction)
		}
		x.Confidence = Likely
		switch class {
		case '5':
			x.Kind = Failed
		case '4':
			x.Kind = Unclear // late, or given up after being late
		case '2':
			x.Kind = Delivered
		default:
			x.Kind = Unclear
		}
	}
	if (x.Kind == Delivered || x.Kind == Relayed || x.Kind == Expanded) && (class == '4' || class == '5') {
		x.Kind, x.Confidence = Unclear, Possible
		x.Problems = addWord(x.Problems, Contradiction)
	}
}

// contradiction is for a failure or delay with the status of a success: the reply
// of the server decides, and without one nothing does.
func (x *Recipient) contradiction(class int) {
	x.Problems = addWord(x.Problems, Contradiction)
	if c := x.Reply.Class(); c == 4 || c == 5 || c == class {
		x.Confidence = Likely
		return
	}
	x.Kind, x.Confidence = Unclear, Possible
}

// address reads the address of a recipient field: rfc822; <user@example.org>.
func address(v string) Address {
	kind, text := typed(v)
	if strings.Contains(kind, "@") {
		kind, text = "", v // no type, and a semicolon somewhere
	}
	a := Address{Type: kind, Address: text}
	if a.Type == "" && strings.Contains(text, "@") {
		a.Type = "rfc822"
	}
	s := text
	if i := strings.IndexByte(s, '<'); i >= 0 {
		if j := strings.LastIndexByte(s, '>'); j > i {
			s = s[i+1 : j]
		}
	}
	s = strings.TrimSpace(s)
	// A comment or a name behind the address.
	if i := strings.IndexAny(s, " \t"); i > 0 && !strings.HasPrefix(s, `"`) && strings.Contains(s[:i], "@") {
		s = s[:i]
	}
	s = strings.Trim(s, "<>,;")
	switch {
	case a.Type == "utf-8":
		s = unescapeUTF8(s)
	case !strings.Contains(s, "@"):
		// RFC 3461, Section 4: xtext. Decoded only where it makes an address, as
		// a plus is common in local-parts.
		if d, ok := unxtext(s); ok && strings.Contains(d, "@") {
			s = d
		}
	}
	a.Address = s
	if s != text {
		a.Raw = text
	}
	return a
}

// unxtext decodes xtext (RFC 3461, Section 4).
func unxtext(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '+' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) || !upperHex(s[i+1]) || !upperHex(s[i+2]) {
			return "", false
		}
		c := hexVal(s[i+1])<<4 | hexVal(s[i+2])
		if c < ' ' || c == 0x7f {
			return "", false
		}
		b.WriteByte(c)
		i += 2
	}
	return b.String(), true
}

func upperHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

func hexVal(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'A' + 10
}

// unescapeUTF8 decodes \x{HEX} of utf-8-addr-xtext and unitext (RFC 6533, Section
// 3).
func unescapeUTF8(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.Index(s, `\x{`)
		if i < 0 {
			break
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 4 || end > 9 {
			b.WriteString(s[:i+3])
			s = s[i+3:]
			continue
		}
		var r rune
		ok := true
		for _, c := range []byte(strings.ToUpper(s[i+3 : i+end])) {
			ok = ok && upperHex(c)
			r = r<<4 | rune(hexVal(c))
		}
		b.WriteString(s[:i])
		if ok && utf8.ValidRune(r) && r >= ' ' && r != 0x7f {
			b.WriteRune(r)
		} else {
			b.WriteString(s[i : i+end+1])
		}
		s = s[i+end+1:]
	}
	b.WriteString(s)
	return b.String()
}
