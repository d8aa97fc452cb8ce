package cli

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/setup"
	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// recordView is the document of schema mailcheck.dkim-record/1.
type recordView struct {
	Schema   string    `json:"schema"`
	Source   string    `json:"source"` // dns, text, file or key
	Name     nullable  `json:"name"`
	Domain   nullable  `json:"domain"`
	Selector nullable  `json:"selector"`
	State    string    `json:"state"`
	Error    nullable  `json:"error"`
	CNAME    nullable  `json:"cname"` // where an alias at the name leads
	Provider nullable  `json:"provider"`
	Records  []pubView `json:"records"`
	Other    []string  `json:"other"` // TXT records that are no key records
	Verdict  string    `json:"verdict"`

	result dkim.Result
	parsed []dkim.Record
}

// pubView is one published record.
type pubView struct {
	Text     string        `json:"text"`
	Usable   bool          `json:"usable"`
	Revoked  bool          `json:"revoked"`
	Testing  bool          `json:"testing"`
	Tags     []tagView     `json:"tags"`
	Key      *pubKeyView   `json:"key"` // null if there is none to read
	Problems []problemView `json:"problems"`
	Repaired nullable      `json:"repaired"` // the same key in the form that was meant
	Forms    *formsView    `json:"forms"`    // null if it has no name
}

type tagView struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Offset int    `json:"offset"`
}

type pubKeyView struct {
	Type     string `json:"type"`
	Bits     int    `json:"bits"`
	Form     string `json:"form"`
	Exponent int    `json:"exponent,omitempty"`
	SHA256   string `json:"sha256"`
}

type problemView struct {
	Kind   string   `json:"kind"`
	Effect string   `json:"effect"`
	Tag    nullable `json:"tag"`
	Offset int      `json:"offset"`
	Detail string   `json:"detail"`
	Hint   nullable `json:"hint"`
}

func (v *recordView) fill(name, origin resolve.Name) {
	for _, r := range v.parsed {
		v.Records = append(v.Records, viewRecord(r, name, origin))
	}
	n := len(v.Records) + len(v.Other)
	switch {
	case v.State == "unknown":
		v.Verdict = "unknown"
	case v.result.Dangling:
		v.Verdict = "dangling"
	case v.State == "absent" || n == 0:
		v.Verdict = "missing"
	case n > 1:
		v.Verdict = "several"
	case len(v.Records) == 0:
		v.Verdict = "not-a-key"
	case v.Records[0].Usable:
		v.Verdict = "usable"
	case v.Records[0].Revoked:
		v.Verdict = "revoked"
	default:
		v.Verdict = "unusable"
	}
}

func (v *recordView) status() int {
	switch v.Verdict {
	case "usable":
		return ExitOK
	case "unknown":
		return ExitIncomplete
	}
	return ExitFindings
}

func viewRecord(r dkim.Record, name, origin resolve.Name) pubView {
	v := pubView{Text: safe.Text(r.Text), Usable: r.Usable(), Revoked: r.Key.Revoked && r.Err() == nil, Testing: r.HasFlag("y"), Tags: []tagView{}, Problems: []problemView{}}
	private := false
	for _, p := range r.Problems {
		private = private || p.Kind == dkim.PrivateExposed
		v.Problems = append(v.Problems, problemView{string(p.Kind), string(p.Effect), nullable(p.Tag), p.At, safe.Text(p.Detail), nullable(p.Hint)})
	}
	if private {
		// Whoever published a private key should not find it in a report as well.
		v.Text = "(holds a private key)"
		return v
	}
	for _, t := range r.Tags {
		v.Tags = append(v.Tags, tagView{safe.Text(t.Name), safe.Text(t.Value), t.At})
	}
	if k := r.Key; k.Type != "" {
		v.Key = &pubKeyView{k.Type, k.Bits, string(k.Form), k.Exponent, k.SHA256}
	}
	meant := r
	if fixed, ok := r.Repaired(); ok {
		v.Repaired, meant = nullable(fixed.String()), fixed
	}
	if !name.IsZero() && (meant.Usable() || v.Revoked) {
		f := viewForms(setup.FormsOf(name, origin, meant))
		v.Forms = &f
	}
	return v
}

func (v *recordView) text(s Streams) error {
	p := newSheet(s)
	if v.Name != "" {
		p.field("Name", "%s", v.Name)
	}
	if v.CNAME != "" {
		by := ""
		if v.Provider != "" {
			by = fmt.Sprintf(" (%s)", v.Provider)
		}
		p.field("Alias of", "%s%s", v.CNAME, by)
	}
	switch v.Verdict {
	case "unknown":
		p.field("State", "unknown: %s", v.Error)
	case "missing":
		p.field("State", "there is no TXT record: signatures with this selector fail")
	case "dangling":
		p.field("State", "there is no TXT record at the target: signatures with this selector fail, and the target's owner has to publish the key")
	case "several":
		p.field("State", "%d TXT records at one selector: which of them verifiers take is undefined", len(v.Records)+len(v.Other))
	case "not-a-key":
		p.field("State", "the TXT record is no key record: signatures with this selector fail")
	}
	for _, t := range v.Other {
		p.field("Other text", "%s", t)
	}
	for i, r := range v.Records {
		if i > 0 || len(v.Records) > 1 {
			p.WriteByte('\n')
		}
		r.write(p)
	}
	return p.flush(s.Out)
}

func (r pubView) write(p *sheet) {
	state := "verifiers cannot use it"
	switch {
	case r.Usable && r.Testing:
		state = "verifiers can use it, but t=y says that the domain is testing"
	case r.Usable:
		state = "verifiers can use it"
	case r.Revoked:
		state = "revoked: signatures with this selector fail"
	}
	p.field("Record", "%s", state)
	if r.Key != nil {
		kind := "Ed25519"
		if r.Key.Type == dkim.KeyRSA {
			kind = fmt.Sprintf("RSA, %d bits", r.Key.Bits)
		}
		p.field("Key", "%s, SHA-256 %s", kind, r.Key.SHA256[:min(16, len(r.Key.SHA256))])
	}
	for _, x := range r.Problems {
		tag := ""
		if x.Tag != "" {
			tag = string(x.Tag) + "= "
		}
		p.item("%s: %sat offset %d: %s", x.Effect, tag, x.Offset, x.Detail)
		if x.Hint != "" {
			p.hang("", "", 4, "("+string(x.Hint)+")")
		}
	}
	p.WriteByte('\n')
	p.whole("", r.Text)
	if r.Repaired != "" {
		p.WriteString("\nThe same key, repaired:\n\n")
		p.whole("", string(r.Repaired))
	}
	if r.Forms != nil {
		p.WriteByte('\n')
		p.publish(*r.Forms)
	}
}
