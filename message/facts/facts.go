package facts

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mailcheck-go/mailcheck/message"
)

// Facts are what the header of a mail says about itself (RFC 5322, Section 3.6),
// as far as receivers, filters and mail programs look at it. They judge nothing.
type Facts struct {
	Author message.Author `json:"author"`
	// Missing are fields that a mail has to have (From, Date), or that receivers
	// expect (Message-ID, To, Subject), and this one has not.
	Missing []string `json:"missing,omitempty"`
	// Repeated are fields that may be there once and are there more often.
	Repeated []Repeat `json:"repeated,omitempty"`
	// Empty are fields without a value that have to have one.
	Empty []string `json:"empty,omitempty"`

	Date      DateFact      `json:"date"`
	MessageID MessageIDFact `json:"message_id"`

	Subject     string            `json:"subject,omitempty"` // decoded: foreign text
	To          message.Addresses `json:"to"`
	Cc          message.Addresses `json:"cc"`
	ReplyTo     message.Addresses `json:"reply_to"`
	Sender      message.Addresses `json:"sender"`
	MIMEVersion string            `json:"mime_version,omitempty"`

	// EightBit are the fields with octets above 127 that are written as they are,
	// with a mark for those that are no UTF-8 (which RFC 6532 does not allow
	// either).
	EightBit []EightBitField `json:"eight_bit,omitempty"`
	// NeedsSMTPUTF8 is true if the header can only be sent with SMTPUTF8 (RFC 6531,
	// Section 3): a field or an address in it is not ASCII.
	NeedsSMTPUTF8 bool `json:"needs_smtputf8"`

	// ReplyAlone is true for a subject that begins with Re: in a mail that has
	// neither In-Reply-To nor References.
	ReplyAlone bool `json:"reply_alone"`
	// NoReply is true if the author's or the reply address is one that takes no
	// mail, by its name.
	NoReply bool `json:"no_reply"`
	// AddressInName holds an address that the display name of the author shows
	// although it is not the author's.
	AddressInName string `json:"address_in_name,omitempty"`
	// EmptyNames are the fields whose first address has an empty display name, "".
	EmptyNames []string `json:"empty_names,omitempty"`
	// Placeholders are fields that hold a variable of a template.
	Placeholders []string `json:"placeholders,omitempty"`

	Precedence    string `json:"precedence,omitempty"`
	AutoSubmitted string `json:"auto_submitted,omitempty"` // RFC 3834, Section 5; without parameters, in lower case
	FeedbackID    string `json:"feedback_id,omitempty"`
	ListID        string `json:"list_id,omitempty"` // RFC 2919
	Mailer        string `json:"mailer,omitempty"`  // X-Mailer or User-Agent
	Bulk          bool   `json:"bulk"`              // a list, or precedence bulk: mail to many

	Unsubscribe Unsubscribe `json:"unsubscribe"`
	TLSRequired string      `json:"tls_required,omitempty"` // RFC 8689, Section 5
}

// Repeat is a field that is there more than once.
type Repeat struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// EightBitField is a field with octets above 127.
type EightBitField struct {
	Name string `json:"name"`
	At   int64  `json:"at"` // offset of the field
	UTF8 bool   `json:"utf8"`
}

// DateFact is the Date field.
type DateFact struct {
	Raw     string    `json:"raw,omitempty"`
	Time    time.Time `json:"time,omitzero"`     // zero if there is none that can be read
	Problem string    `json:"problem,omitempty"` // "missing", "unreadable" or "form": readable against the letter
	// Off is how far the date is from the time that was given to Facts, positive
	// if it is later; 0 if one of them is not known.
	Off time.Duration `json:"off"`
}

// MessageIDFact is the Message-ID field.
type MessageIDFact struct {
	Raw     string `json:"raw,omitempty"`
	ID      string `json:"id,omitempty"` // without brackets
	Domain  string `json:"domain,omitempty"`
	Problem string `json:"problem,omitempty"` // "missing", "no-brackets", "no-domain", "form"
}

// once are the fields that may be there once (RFC 5322, Section 3.6; RFC 2045;
// RFC 8058, Section 3.1).
var once = []string{
	"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Date", "Message-ID", "In-Reply-To", "References", "Subject",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id",
	"Return-Path",
}

// Read reads the header. The time is when the mail arrived, for the distance of its
// Date; zero if that is not known.
func Read(m *message.Message, arrived time.Time) Facts {
	h := &m.Header
	f := Facts{Author: m.Author(), Unsubscribe: unsubscribe(h), Subject: message.DecodeWords(get(h, "Subject"))}
	f.count(h)
	f.Date = dateFact(h, arrived)
	f.MessageID = messageID(h)
	f.To, f.Cc = f.addresses(h, "To"), f.addresses(h, "Cc")
	f.ReplyTo, f.Sender = f.addresses(h, "Reply-To"), f.addresses(h, "Sender")
	f.addresses(h, "From")
	f.eightBit(h)

	f.MIMEVersion = strings.TrimSpace(message.StripComments(get(h, "MIME-Version")))
	f.Precedence = strings.ToLower(get(h, "Precedence"))
	auto, _, _ := strings.Cut(message.StripComments(get(h, "Auto-Submitted")), ";")
	f.AutoSubmitted = strings.ToLower(strings.TrimSpace(auto))
	f.FeedbackID, f.ListID = get(h, "Feedback-ID"), get(h, "List-Id")
	f.TLSRequired = get(h, "TLS-Required")
	if f.Mailer = get(h, "X-Mailer"); f.Mailer == "" {
		f.Mailer = get(h, "User-Agent")
	}
	f.Bulk = f.ListID != "" || f.Unsubscribe.Fields > 0 || f.Precedence == "bulk" || f.Precedence == "list"
	f.ReplyAlone = isReply(f.Subject) && get(h, "In-Reply-To") == "" && get(h, "References") == ""
	f.names()
	for _, x := range h.Fields {
		for _, name := range []string{"Subject", "From", "To", "Reply-To", "List-Unsubscribe"} {
			if x.Is(name) && IsPlaceholder(x.Text()) {
				f.Placeholders = append(f.Placeholders, name)
			}
		}
	}
	return f
}

func (f *Facts) count(h *message.Header) {
	for _, name := range once {
		if n := len(h.All(name)); n > 1 {
			f.Repeated = append(f.Repeated, Repeat{name, n})
		}
	}
	for _, name := range []string{"From", "Date", "Message-ID", "Subject"} {
		v, ok := h.Get(name)
		if !ok {
			f.Missing = append(f.Missing, name)
		} else if v == "" {
			f.Empty = append(f.Empty, name)
		}
	}
	// RFC 5322, Section 3.6: no recipient field is required, but mail without any
	// is what lists of victims get.
	recipients := false
	for _, name := range []string{"To", "Cc", "Bcc"} {
		v, ok := h.Get(name)
		recipients = recipients || ok
		if ok && v == "" && name != "Bcc" {
			f.Empty = append(f.Empty, name)
		}
	}
	if !recipients {
		f.Missing = append(f.Missing, "To")
	}
}

func (f *Facts) addresses(h *message.Header, name string) message.Addresses {
	var all message.Addresses
	for _, x := range h.All(name) {
		a := message.ParseAddresses(x.Value)
		if strings.HasPrefix(x.Value, `"" <`) || strings.HasPrefix(x.Value, `""<`) {
			f.EmptyNames = append(f.EmptyNames, name)
		}
		for i := range a.Problems {
			a.Problems[i].At = x.Start
		}
		if len(all.List) < maxAddresses {
			all.List = append(all.List, a.List...)
		}
		if len(all.Problems) < 20 {
			all.Problems = append(all.Problems, a.Problems...)
		}
		if len(all.Groups) < maxAddresses {
			all.Groups = append(all.Groups, a.Groups...)
		}
	}
	for _, a := range all.List {
		f.NeedsSMTPUTF8 = f.NeedsSMTPUTF8 || !isASCII(a.Local)
	}
	return all
}

func (f *Facts) eightBit(h *message.Header) {
	for _, x := range h.Fields {
		if isASCII(x.Raw) {
			continue
		}
		f.NeedsSMTPUTF8 = true
		if len(f.EightBit) < 50 {
			f.EightBit = append(f.EightBit, EightBitField{x.Name, x.Start, utf8.ValidString(x.Raw)})
		}
	}
}

// names looks at the display names.
func (f *Facts) names() {
	for _, a := range f.Author.Addresses {
		f.NoReply = f.NoReply || noReply(a.Local)
		for _, word := range strings.FieldsFunc(a.Name, func(r rune) bool { return strings.ContainsRune(" \t<>()\"',;:[]", r) }) {
			if other, ok := message.ParseAddress(word); ok && !strings.EqualFold(other.String(), a.String()) && f.AddressInName == "" {
				f.AddressInName = other.String()
			}
		}
	}
	for _, a := range f.ReplyTo.List {
		f.NoReply = f.NoReply || noReply(a.Local)
	}
}

func noReply(local string) bool {
	s := strings.NewReplacer("-", "", "_", "", ".", "", "+", "").Replace(strings.ToLower(local))
	return strings.HasPrefix(s, "noreply") || strings.HasPrefix(s, "donotreply") || strings.HasPrefix(s, "dontreply") || strings.HasSuffix(s, "noreply")
}

func isReply(subject string) bool {
	s := strings.ToLower(strings.TrimSpace(subject))
	for _, p := range []string{"re:", "re :", "aw:", "sv:", "antw:", "odp:", "vs:", "rif:"} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func dateFact(h *message.Header, arrived time.Time) DateFact {
	raw, ok := h.Get("Date")
	d := DateFact{Raw: raw}
	if !ok {
		d.Problem = "missing"
		return d
	}
	t, strict, ok := message.ParseDate(raw)
	switch {
	case !ok:
		d.Problem = "unreadable"
		return d
	case !strict:
		d.Problem = "form"
	}
	d.Time = t
	if !arrived.IsZero() {
		d.Off = t.Sub(arrived)
	}
	return d
}

// messageID looks at the Message-ID (RFC 5322, Section 3.6.4).
func messageID(h *message.Header) MessageIDFact {
	raw, ok := h.Get("Message-ID")
	f := MessageIDFact{Raw: raw}
	if !ok || raw == "" {
		f.Problem = "missing"
		return f
	}
	s := strings.TrimSpace(message.StripComments(raw))
	if !strings.HasPrefix(s, "<") || !strings.HasSuffix(s, ">") {
		f.Problem = "no-brackets"
	}
	f.ID = strings.Trim(s, "<>")
	i := strings.LastIndexByte(f.ID, '@')
	switch {
	case i < 0 || i == len(f.ID)-1:
		if f.Problem == "" {
			f.Problem = "no-domain"
		}
	default:
		f.Domain = f.ID[i+1:]
	}
	if f.Problem == "" && (i == 0 || strings.ContainsAny(f.ID, " \t<>") || !isASCII(f.ID) || strings.Count(f.ID, "@") > 1 && !strings.Contains(f.ID, `"`)) {
		f.Problem = "form"
	}
	return f
}

const maxAddresses = 1000 // of one kind

// get is the value of a field, empty if there is none.
func get(h *message.Header, name string) string {
	v, _ := h.Get(name)
	return v
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
