package verdict

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
)

// Options are the settings of [Read].
type Options struct {
	// Trace is the way of the mail, nil for what trace.Read says of the header.
	Trace *trace.Path
}

// Report is what the filters wrote. A part is nil if the mail has none of its
// fields.
type Report struct {
	Microsoft    *Microsoft    `json:"microsoft,omitempty"`
	ICloud       *ICloud       `json:"icloud,omitempty"`
	Fastmail     *Fastmail     `json:"fastmail,omitempty"`
	Proton       *Proton       `json:"proton,omitempty"`
	Yahoo        *Yahoo        `json:"yahoo,omitempty"`
	Rspamd       *Rspamd       `json:"rspamd,omitempty"`
	SpamAssassin *SpamAssassin `json:"spamassassin,omitempty"`

	// Placement is where the mail was put or was to be put, by the field that says
	// it most directly, or Unknown.
	Placement Placement `json:"placement"`
	Source    string    `json:"source,omitempty"` // the field that says so
	// Void is true if a rule of the recipient or of its organisation overruled the
	// filter: the placement says nothing about other mailboxes.
	Void    bool    `json:"void,omitempty"`
	VoidWhy string  `json:"void_why,omitempty"` // the words that say so, such as "SCL -1"
	Fields  []Field `json:"fields,omitempty"`   // all fields that were read
}

// Field is a field of a filter.
type Field struct {
	Index int    `json:"index"` // place in the header
	Name  string `json:"name"`
	Value string `json:"value"` // unfolded
	// Above is true if the field is above the receiver's border, where a sender
	// cannot write. Many receivers write below it and remove what senders wrote.
	Above bool `json:"above"`
}

// Placement is where a mail was put.
type Placement string

// Placements.
const (
	Unknown Placement = ""
	Inbox   Placement = "inbox"
	Spam    Placement = "spam"
	Phish   Placement = "phishing" // a spam folder, or less
	Blocked Placement = "quarantine"
)

// Number is a number in a field, which may be absent.
type Number struct {
	Value float64 `json:"value"`
	Known bool    `json:"known"`
}

// Pair is one part of a list of keys and values, kept as written.
type Pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Test is one rule that a filter applied.
type Test struct {
	Name  string  `json:"name"`
	Score float64 `json:"score"`
	Known bool    `json:"known"` // Score was given
	Args  string  `json:"args,omitempty"`
}

// Limits.
const (
	MaxTests = 500
	maxPairs = 200
	maxValue = 64 << 10
)

// reader collects the report.
type reader struct {
	h      *message.Header
	border int
	out    Report
}

// Read reads the fields of all filters known here.
func Read(h *message.Header, opt Options) Report {
	t := opt.Trace
	if t == nil {
		p := trace.Read(h, trace.Options{})
		t = &p
	}
	r := &reader{h: h, border: t.BorderField()}
	r.microsoft()
	r.icloud()
	r.fastmail()
	r.proton()
	r.yahoo()
	r.rspamd()
	r.spamAssassin()
	r.place()
	slices.SortStableFunc(r.out.Fields, func(a, b Field) int { return cmp.Compare(a.Index, b.Index) })
	r.out.Fields = slices.CompactFunc(r.out.Fields, func(a, b Field) bool { return a.Index == b.Index })
	return r.out
}

// get is the first field of a name; it is kept in the report.
func (r *reader) get(name string) (string, bool) {
	for _, f := range r.h.Fields {
		if !f.Is(name) {
			continue
		}
		v := f.Value
		if len(v) > maxValue {
			v = v[:maxValue]
		}
		r.out.Fields = append(r.out.Fields, Field{f.Index, f.Name, v, f.Index < r.border})
		return v, true
	}
	return "", false
}

// pairs reads "K:V;K:V;" (Microsoft) or "k=v, k=v".
func pairs(v string, sep, eq string) []Pair {
	var out []Pair
	for _, item := range strings.Split(v, sep) {
		k, val, ok := strings.Cut(item, eq)
		if k = strings.TrimSpace(k); k == "" || !ok {
			continue
		}
		if len(out) == maxPairs {
			break
		}
		out = append(out, Pair{k, strings.TrimSpace(val)})
	}
	return out
}

func find(list []Pair, key string) string {
	for _, p := range list {
		if strings.EqualFold(p.Key, key) {
			return p.Value
		}
	}
	return ""
}

// number reads the number at the head of a text.
func number(s string) Number {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] == '.' || end == 0 && (s[end] == '-' || s[end] == '+')) {
		end++
	}
	f, err := strconv.ParseFloat(s[:end], 64)
	if err != nil || end > 20 {
		return Number{}
	}
	return Number{f, true}
}

// settle takes the first placement that a field says; later ones are weaker.
func (r *reader) settle(p Placement, source string) {
	if p != Unknown && r.out.Placement == Unknown {
		r.out.Placement, r.out.Source = p, source
	}
}

func (r *reader) void(why string) {
	if !r.out.Void {
		r.out.Void, r.out.VoidWhy = true, why
	}
}

// place settles the placement: fields that name a folder stand before scores.
func (r *reader) place() {
	o := &r.out
	if m := o.Microsoft; m != nil {
		r.settle(m.Placement, "X-Microsoft-Antispam-Mailbox-Delivery")
		r.settle(m.filtered(), "X-Forefront-Antispam-Report")
		if why := m.void(); why != "" {
			r.void(why)
		}
	}
	if a := o.ICloud; a != nil {
		r.settle(a.Placement, "X-Apple-MoveToFolder")
	}
	if p := o.Proton; p != nil {
		r.settle(p.Placement, "X-Pm-Spam-Action")
	}
	if y := o.Yahoo; y != nil && y.Folder != "" {
		r.settle(folder(y.Folder), "X-YMail-Folder")
	}
	if f := o.Fastmail; f != nil {
		r.settle(f.placement(), "X-Spam-score")
	}
	if s := o.Rspamd; s != nil {
		r.settle(s.placement(), "X-Spamd-Result")
	}
	if s := o.SpamAssassin; s != nil {
		r.settle(s.Placement, "X-Spam-Status")
	}
}

// folder sorts the names of folders.
func folder(name string) Placement {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "inbox":
		return Inbox
	case "junk", "spam", "bulk", "junk email", "junk e-mail", "bulk mail":
		return Spam
	}
	return Unknown
}
