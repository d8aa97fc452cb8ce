package dsn

import (
	"html"
	"regexp"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/message"
)

// texts are what a report says to people, and what follows of the mail it is about.
type texts struct {
	human    string
	lower    string
	original string // header and perhaps body of the original, if they stand in the text
	embedded string // fields of a delivery status, if they stand in the text
	kind     Kind   // by the words of the text
	strong   bool   // the words leave no doubt
}

func newTexts(m *message.Message) texts {
	var b strings.Builder
	plain := false
	for p := range m.Root.Walk(false) {
		plain = plain || p.Type == "text/plain" && len(strings.TrimSpace(string(p.Raw()))) > 0
	}
	for p := range m.Root.Walk(false) {
		if b.Len() >= maxScan || p.Disposition == "attachment" && b.Len() > 0 {
			continue
		}
		switch {
		case p.Type == "text/plain", p.Type == "text/unknown", p.IsMultipart() && len(p.Parts) == 0:
			b.WriteString(p.Text(int64(maxScan - b.Len())))
			b.WriteString("\n")
		case p.Type == "text/html" && !plain:
			b.WriteString(stripTags(p.Text(int64(maxScan - b.Len()))))
			b.WriteString("\n")
		}
	}
	t := texts{}
	t.human, t.original = splitOriginal(b.String())
	if len(t.original) > 0 && strings.TrimSpace(t.human) == "" {
		t.human, t.original = t.original, ""
	}
	t.embedded = embeddedStatus(t.human)
	t.lower = strings.ToLower(strings.Join(strings.Fields(t.human), " "))
	t.kind, t.strong = kindOf(t.lower)
	return t
}

var (
	scripts = compiled(`(?is)<(script|style|head)\b.*?</(script|style|head)>`)
	breaks  = compiled(`(?i)<(br|/p|/div|/tr|/h[1-6]|/li|/td|p|div|tr|table)\b[^>]*>`)
	tags    = compiled(`(?s)<[!/]?[a-zA-Z][^<>]*>|<!--.*?-->`)
)

// compiled puts off the work until a bounce is read: the expressions with letters
// of all scripts take 20 ms, which no other command has to wait for.
func compiled(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

func stripTags(s string) string {
	s = scripts().ReplaceAllString(s, " ")
	s = breaks().ReplaceAllString(s, "\n")
	s = tags().ReplaceAllString(s, "")
	return strings.ReplaceAll(html.UnescapeString(s), "\u00a0", " ")
}

// fieldNames begin the header of a mail in a text.
var fieldNames = map[string]bool{
	"received": true, "return-path": true, "from": true, "to": true, "subject": true, "date": true, "message-id": true,
	"mime-version": true, "content-type": true, "delivered-to": true, "x-mailer": true, "reply-to": true, "sender": true,
	"dkim-signature": true, "content-transfer-encoding": true, "domainkey-signature": true, "x-originating-ip": true,
	"authentication-results": true, "cc": true, "errors-to": true, "precedence": true, "x-original-to": true, "user-agent": true,
	"arc-seal": true, "x-received": true, "x-track": true, "x-rocket-spam": true, "x-yahoofilteredbulk": true, "apparently-to": true,
	"list-id": true, "list-unsubscribe": true, "x-beenthere": true,
}

// splitOriginal cuts a text where the header of the returned mail begins: at a line
// with a field whose followers are fields too.
func splitOriginal(s string) (human, original string) {
	lines := strings.SplitAfter(s, "\n")
	at := 0
	for i, l := range lines {
		if isField(l) && headerAt(lines[i:]) {
			human, original = s[:at], s[at:]
			return trimMarker(human), original
		}
		at += len(l)
	}
	return s, ""
}

func isField(l string) bool {
	l = strings.TrimLeft(l, ">")
	name, _, ok := strings.Cut(l, ":")
	name = strings.ToLower(name)
	return ok && (fieldNames[name] || strings.HasPrefix(name, "x-") && !strings.ContainsAny(name, " \t"))
}

// headerAt reports whether lines are a header: several known fields before an empty
// line, among them one that a bounce would not write in its text.
func headerAt(lines []string) bool {
	known, telling := 0, false
	for i, l := range lines {
		if i > 60 || strings.TrimSpace(l) == "" {
			break
		}
		if l[0] == ' ' || l[0] == '\t' {
			continue
		}
		if !isField(l) {
			if i == 0 {
				return false
			}
			continue
		}
		known++
		switch name, _, _ := strings.Cut(strings.ToLower(strings.TrimLeft(l, ">")), ":"); name {
		case "received", "return-path", "message-id", "mime-version", "content-type", "dkim-signature", "delivered-to":
			telling = true
		}
	}
	return known >= 2 && telling || known >= 3
}

// trimMarker removes the line that announces the original.
func trimMarker(s string) string {
	t := strings.TrimRight(s, " \t\n")
	i := strings.LastIndexByte(t, '\n')
	last := strings.ToLower(t[i+1:])
	for _, w := range []string{"copy of", "original message", "message header", "follow", "returned", "bounced", "unsent"} {
		if strings.Contains(last, w) && len(last) < 120 {
			return t[:i+1]
		}
	}
	return s
}

// embeddedStatus finds the fields of a delivery status in a text.
func embeddedStatus(s string) string {
	lower := strings.ToLower(s)
	if !strings.Contains(lower, "\nfinal-recipient:") || !strings.Contains(lower, "\naction:") {
		return ""
	}
	start := len(s)
	for _, name := range []string{"reporting-mta:", "original-envelope-id:", "original-recipient:", "final-recipient:", "action:"} {
		if i := strings.Index(lower, "\n"+name); i >= 0 {
			start = min(start, i+1)
		}
	}
	return s[start:]
}

// block is what the text says from a line with the address on, up to the next line
// with another one.
func (t texts) block(address string) string {
	lines := strings.Split(t.human, "\n")
	lower := strings.ToLower(address)
	var b strings.Builder
	in := false
	for _, l := range lines {
		if !strings.Contains(l, "@") {
			if in {
				b.WriteString(l + "\n")
			}
			continue
		}
		here := strings.Contains(strings.ToLower(l), lower)
		if in && !here && startsRecipient(l) {
			break
		}
		if in = in || here; in {
			b.WriteString(l + "\n")
		}
		if b.Len() > maxDiagnostic {
			break
		}
	}
	return b.String()
}

const maxLine = 2000 // octets of a line in which addresses are looked for

const addrText = "([A-Za-z0-9!#$%&'*+/=?^_`{|}~.\\-\\x{80}-\\x{10FFFF}]+@(?:[A-Za-z0-9\\x{80}-\\x{10FFFF}](?:[A-Za-z0-9.\\-_\\x{80}-\\x{10FFFF}]*[A-Za-z0-9\\x{80}-\\x{10FFFF}])?|\\[[0-9A-Fa-f.:IPv]+\\]))"

var (
	anyAddress = compiled(addrText)
	// A line that begins with a recipient: <a@b>: text, a@b alone, a@b... text.
	lineAddress = compiled(`^[\s>*"'(\-]*(?:rfc822;\s*)?<?(?i:smtp:|mailto:)?` + addrText + `>?(?:[:;,"')\]]*\s*$|>?\s*(?:\.\.\.|:|;|\(|-|,| on | \[| failed| is not| because))`)
	// A line that names one: To: a@b, undeliverable to a@b, 550 5.1.1 <a@b>...
	namedAddress = compiled(`(?i)(?:^[\s>*-]*(?:to|recipients?|failed recipients?|intended recipient|target mail address|undeliverable address|address|addressee|user|original recipient|email|e-mail|mailbox|rcpt to|was addressed to|envelope to|delivery to|error for)\b[^:@\n]{0,40}:\s*|undeliverable to |your (?:e-?mail |mail |message )?(?:sent )?to |delivering your (?:mail|message) to |delivery (?:failed )?to |(?:mail|message|e-?mail) (?:to|for) |not be delivered to |could not deliver (?:it |your message |mail )?to |unable to deliver (?:it |your message |mail |message )?to |failed to deliver (?:it |your message |mail )?to |rcpt to:? ?|was addressed,? (?:to )?|recipient:? |recipient address |addresses? |user |mailbox )(?:rfc822;)?["'(]?<?(?:mailto:)?` + addrText)
	expanded     = compiled(`(?i)(?:expanded from|generated from|originally addressed to|forwarded from|alias)[:\s]*<?` + addrText)
)

func startsRecipient(l string) bool { return lineAddress().MatchString(l) }

// found is a recipient in a text.
type found struct {
	address, original, text string
	sure                    bool
}

// findRecipients looks for those whom a text is about, the surest places first.
func findRecipients(m *message.Message, r *Report, t texts) []found {
	var list []found
	skip := skipped(m, r)
	add := func(a string, sure bool) {
		a = strings.Trim(a, ".'`\"*")
		key := strings.ToLower(a)
		if a == "" || skip[key] || len(list) >= MaxRecipients || strings.Contains(key, "mailto:") {
			return
		}
		skip[key] = true
		list = append(list, found{address: a, sure: sure})
	}
	// Exim and Gmail name the recipients in a field.
	for _, f := range m.Header.All("X-Failed-Recipients") {
		for _, a := range message.ParseAddresses(f.Text()).List {
			if a.Domain == "" {
				continue
			}
			delete(skip, strings.ToLower(a.String()))
			add(a.String(), true)
		}
	}
	lines := strings.Split(t.human, "\n")
	// First without the addressee himself, then with him.
	for _, own := range []bool{false, true} {
		if len(list) > 0 {
			break
		}
		whole := skip
		if own {
			skip = map[string]bool{}
		}
		for _, l := range lines {
			if match := lineAddress().FindStringSubmatch(l); match != nil && len(l) <= maxLine && !expanded().MatchString(l) {
				add(match[1], true)
			}
		}
		skip = whole
	}
	for _, re := range []*regexp.Regexp{namedAddress(), anyAddress()} {
		if len(list) > 0 {
			break
		}
		for _, l := range lines {
			if !strings.Contains(l, "@") || len(l) > maxLine || expanded().MatchString(l) || contact(l) {
				continue
			}
			for _, match := range re.FindAllStringSubmatch(l, 20) {
				add(match[1], re == namedAddress())
			}
		}
	}
	for i := range list {
		list[i].text = t.block(list[i].address)
		if match := expanded().FindStringSubmatch(list[i].text); match != nil {
			list[i].original = match[1]
		}
	}
	return list
}

// contact reports whether a line tells whom to ask.
func contact(l string) bool {
	l = strings.ToLower(l)
	for _, w := range []string{"contact", "postmaster@", "abuse@", "support@", "questions", "help@", "helpdesk", "mailer-daemon@", "message-id", "id:"} {
		if strings.Contains(l, w) {
			return true
		}
	}
	return false
}

// skipped are addresses that are no recipients: the sender of the original, to whom
// the report went, and the one who wrote the report.
func skipped(m *message.Message, r *Report) map[string]bool {
	skip := map[string]bool{}
	for _, name := range []string{"From", "To", "Delivered-To", "Envelope-To", "Reply-To", "Sender", "Errors-To", "X-BeenThere"} {
		for _, f := range m.Header.All(name) {
			for _, a := range message.ParseAddresses(f.Value).List {
				skip[strings.ToLower(a.String())] = true
			}
		}
	}
	if r.Original != nil && r.Original.From != "" {
		skip[strings.ToLower(r.Original.From)] = true
	}
	return skip
}
