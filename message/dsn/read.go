package dsn

import (
	"bytes"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
)

// Read tells what a mail reports. It never fails: a mail that reports nothing has
// the kind None.
func Read(m *message.Message) Report {
	if head := bytes.TrimLeft(m.Bytes(), " \t\r\n"); len(head) > 0 && (head[0] == '{' || head[0] == '[') {
		if event, ok := ReadEvent(head); ok {
			return event
		}
	}
	r := Report{}
	root := m.Root
	reportType := ""
	if root.Type == "multipart/report" {
		reportType = strings.ToLower(root.Params["report-type"])
	}
	r.Addressee = addressee(&m.Header)
	switch {
	case reportType == "disposition-notification" || m.Find("message/disposition-notification") != nil || m.Find("message/global-disposition-notification") != nil:
		r.disposition(m)
		return r
	case reportType == "feedback-report" || m.Find("message/feedback-report") != nil:
		r.feedback(m)
		return r
	}
	text := newTexts(m)
	r.Text = cutAt(text.human, MaxText)
	if body := strings.TrimSpace(text.human); strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
		// Sendmail folds long lines of text with "!".
		if event, ok := ReadEvent([]byte(strings.ReplaceAll(body, "!\n ", ""))); ok {
			event.Addressee, event.Text = r.Addressee, r.Text
			return event
		}
	}
	part := statusPart(m)
	if part != nil {
		r.standard(m, part, text)
		return r
	}
	if text.embedded != "" && m.Root.Type == "multipart/report" {
		// The boundaries are gone, and the fields stand in the text.
		r.note(NoStatusPart)
		r.Form, r.Confidence = FormStandard, Likely
		r.Evidence = append(r.Evidence, "delivery-status")
		r.status([]byte(text.embedded))
		r.finish(m, text)
		return r
	}
	r.fromText(m, text)
	return r
}

func addressee(h *message.Header) string {
	v, _ := h.Get("To")
	if list := message.ParseAddresses(v); len(list.List) > 0 {
		return list.List[0].String()
	}
	return ""
}

func cutAt(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

// statusPart finds the machine-readable part (RFC 3464, Section 2; RFC 6533,
// Section 4). One under a wrong type counts if it begins as such a part does.
func statusPart(m *message.Message) *message.Part {
	for _, t := range []string{"message/delivery-status", "message/global-delivery-status", "message/xdelivery-status"} {
		if p := m.Find(t); p != nil {
			return p
		}
	}
	if m.Root.Type != "multipart/report" && m.Root.Type != "multipart/mixed" {
		return nil
	}
	for p := range m.Root.Walk(false) {
		if len(p.Parts) > 0 || p == m.Root {
			continue
		}
		head, _ := p.Content(4 << 10)
		lower := strings.ToLower(string(head))
		if strings.Contains(lower, "final-recipient:") && strings.Contains(lower, "action:") && strings.HasPrefix(strings.TrimLeft(lower, " \r\n\t"), "reporting-mta:") {
			return p
		}
	}
	return nil
}

// standard reads a delivery status notification.
func (r *Report) standard(m *message.Message, part *message.Part, text texts) {
	r.Form, r.Confidence = FormStandard, Certain
	if strings.HasPrefix(part.Type, "message/global") {
		r.Form = FormGlobal
	}
	r.Evidence = append(r.Evidence, "delivery-status")
	data, whole := part.Content(maxStatus)
	if !whole {
		r.note(TooMany)
	}
	r.status(data)
	r.finish(m, text)
}

// finish adds to what the fields say what the rest of the mail does.
func (r *Report) finish(m *message.Message, text texts) {
	r.findOriginal(m, text)
	r.System = system(m, text.human)
	if len(r.Recipients) == 0 {
		// A machine-readable part without anything to read: the text is left.
		r.note(NoRecipient)
		r.Form = FormText
		r.readText(m, text)
		return
	}
	for i := range r.Recipients {
		x := &r.Recipients[i]
		if x.Final.Address == "" && x.Original.Address == "" && len(r.Recipients) == 1 {
			if found := findRecipients(m, r, text); len(found) == 1 {
				x.Final = Address{Type: "rfc822", Address: found[0].address}
				x.Problems = addWord(x.Problems, RecipientGuess)
			}
		}
		if x.Reply.IsZero() {
			x.Reply = replyFor(text, x, len(r.Recipients))
		}
		if x.Kind == Unclear && x.Action == "" {
			x.fromWords(text.kind)
		}
	}
	r.settle()
}

// fromWords decides a recipient without action by the text for people.
func (x *Recipient) fromWords(k Kind) {
	class := byte(0)
	if x.Status != "" {
		class = x.Status[0]
	}
	switch {
	case k == Failed && class != '2', k == Delayed && class != '2' && class != '5', k == Delivered && class != '4' && class != '5':
		x.Kind, x.Confidence = k, Possible
	case k == None && x.Reply.Class() == 5:
		x.Kind, x.Confidence = Failed, Likely
	}
}

// replyFor looks in the text for what was said of a recipient.
func replyFor(t texts, x *Recipient, recipients int) Reply {
	for _, a := range []string{x.Final.Address, x.Original.Address} {
		if a == "" {
			continue
		}
		if block := t.block(a); block != "" {
			if reply, ok := ParseReply(block); ok && x.fits(reply) {
				return reply
			}
		}
	}
	if recipients == 1 && x.Diagnostic == "" {
		if reply, ok := ParseReply(t.human); ok && x.fits(reply) {
			return reply
		}
	}
	return Reply{}
}

// fits reports whether a reply in the text can be the one that the fields are about.
func (x *Recipient) fits(r Reply) bool {
	if x.Status != "" {
		return r.Class() == int(x.Status[0]-'0')
	}
	return r.Class() >= 4
}

// settle makes the verdict of the mail out of those of its recipients.
func (r *Report) settle() {
	order := map[Kind]int{Failed: 6, Unclear: 5, Delayed: 4, Expanded: 3, Relayed: 2, Delivered: 1}
	for _, x := range r.Recipients {
		if order[x.Kind] > order[r.Kind] {
			r.Kind, r.Confidence = x.Kind, x.Confidence
		}
	}
}

// disposition reads a receipt (RFC 8098).
func (r *Report) disposition(m *message.Message) {
	r.Kind, r.Confidence, r.Form = Disposition, Certain, FormStandard
	r.Feedback = &FeedbackFacts{}
	for _, t := range []string{"message/disposition-notification", "message/global-disposition-notification"} {
		if p := m.Find(t); p != nil {
			data, _ := p.Content(maxStatus)
			for _, g := range groups(data) {
				if v, ok := get(g, "Disposition"); ok {
					_, what, _ := strings.Cut(v, ";")
					r.Feedback.Disposition = strings.ToLower(strings.TrimSpace(what))
				}
				for _, name := range []string{"Original-Recipient", "Final-Recipient"} {
					if v, ok := get(g, name); ok {
						r.Feedback.Recipient = address(v).Address
					}
				}
				r.Fields = append(r.Fields, g...)
			}
		}
	}
	r.findOriginal(m, newTexts(m))
}

// feedback reads the head of an abuse report (RFC 5965); package dmarc/failure
// reads all of it.
func (r *Report) feedback(m *message.Message) {
	r.Kind, r.Confidence, r.Form = Feedback, Certain, FormStandard
	r.Feedback = &FeedbackFacts{}
	if p := m.Find("message/feedback-report"); p != nil {
		data, _ := p.Content(maxStatus)
		for _, g := range groups(data) {
			if v, ok := get(g, "Feedback-Type"); ok {
				r.Feedback.Type = strings.ToLower(v)
			}
			if v, ok := get(g, "Original-Rcpt-To"); ok {
				r.Feedback.Recipient = address(v).Address
			}
			r.Fields = append(r.Fields, g...)
		}
	} else {
		r.note(NoStatusPart)
	}
	r.findOriginal(m, newTexts(m))
}

// findOriginal looks for the mail that was sent back.
func (r *Report) findOriginal(m *message.Message, t texts) {
	for p := range m.Root.Walk(false) {
		switch {
		case p.IsMessage() && len(p.Parts) > 0:
			r.Original = newOriginal("message", p.Parts[0].Header)
			r.Original.Part = p.Parts[0]
			r.Original.Whole = p.Parts[0].End > p.Parts[0].Body
			return
		case p.Type == "text/rfc822-headers" || p.Type == "text/rfc822-header" || p.Type == "message/rfc822-headers" || p.Type == "message/global-headers":
			data, _ := p.Content(message.MaxHeader)
			r.Original = newOriginal("headers", message.ParseHeader(data, message.Options{}))
			r.Original.Part = p
			return
		}
	}
	if t.original != "" {
		h := message.ParseHeader([]byte(t.original), message.Options{})
		if len(h.Fields) > 0 {
			r.Original = newOriginal("text", h)
			r.Original.Whole = int(h.End) < len(strings.TrimSpace(t.original))
		}
	}
}

func newOriginal(source string, h message.Header) *Original {
	o := &Original{Source: source, Header: h}
	get := func(name string) string {
		v, _ := h.Get(name)
		return v
	}
	first := func(name string) string {
		if list := message.ParseAddresses(get(name)); len(list.List) > 0 {
			return list.List[0].String()
		}
		return ""
	}
	o.From, o.To = first("From"), first("To")
	o.Subject = message.DecodeWords(get("Subject"))
	o.MessageID = strings.Trim(get("Message-ID"), "<> ")
	if t, _, ok := message.ParseDate(get("Date")); ok {
		o.Date = t
	}
	return o
}
