package authres

import (
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"golang.org/x/net/publicsuffix"
)

// Options say whose fields are believed. The zero value takes the receiver from the
// topmost Received fields.
type Options struct {
	// ServIDs are the authserv-ids of the receiver. A field with one of them counts
	// if the receiver wrote it: above the border, or as the first one below it.
	// Without any, an identity counts if it is in the domain of the border's host,
	// and below the border only if it is one that [Stamps] knows.
	ServIDs []string
	// Trace is the way of the mail, nil for what trace.Read says of the header.
	Trace *trace.Path
}

// Report is what a mail says about its authentication.
type Report struct {
	Fields []Field `json:"fields,omitempty"` // from the top
	ARC    []Set   `json:"arc,omitempty"`    // by instance, the highest first
	// Receiver is the identity that was believed, empty if no field was.
	Receiver string `json:"receiver,omitempty"`
	Dropped  int    `json:"dropped,omitempty"` // fields above MaxFields
}

// MaxFields is the number of fields of one mail that are read.
const MaxFields = 100

// Field is one Authentication-Results field of a mail.
type Field struct {
	Index   int     `json:"index"` // place in the header
	Name    string  `json:"name"`  // Authentication-Results, or a form of a provider
	Raw     string  `json:"raw"`   // unfolded
	Results Results `json:"results"`
	Error   string  `json:"error,omitempty"` // why nothing was read; it quotes foreign text
	Trusted bool    `json:"trusted"`
	Why     Why     `json:"why"`
}

// Why says why a field is believed, or is not. The words are stable.
type Why string

// Reasons.
const (
	AboveBorder   Why = "above-border"   // trusted: the receiver's identity, above its Received field
	BelowBorder   Why = "below-border"   // trusted: directly below, by a receiver that stamps there
	Unproven      Why = "unproven"       // the receiver's identity where a sender can write too: perhaps forged
	OtherIdentity Why = "other-identity" // another identity than the receiver's
	NoIdentity    Why = "no-identity"    // no authserv-id, by a receiver that gives one
	NoBorder      Why = "no-border"      // no Received field tells where the receiver's begin
	Unreadable    Why = "unreadable"     // see Error
)

// Trusted are the results that can be believed, field by field from the top.
func (r *Report) Trusted() []Result { return r.results(true) }

// Claimed are all other results: anybody may have written them.
func (r *Report) Claimed() []Result { return r.results(false) }

func (r *Report) results(trusted bool) []Result {
	var out []Result
	for _, f := range r.Fields {
		if f.Trusted == trusted {
			out = append(out, f.Results.Results...)
		}
	}
	return out
}

// Stamps are the authserv-ids of receivers that write their field directly below
// their Received field, on all mail. Google does.
func Stamps() []string { return []string{"mx.google.com"} }

// Read reads all fields of a header and says which to believe.
func Read(h *message.Header, opt Options) Report {
	t := opt.Trace
	if t == nil {
		p := trace.Read(h, trace.Options{})
		t = &p
	}
	var r Report
	for _, f := range h.Fields {
		if !f.Is("Authentication-Results") && !f.Is("X-ME-Authentication-Results") {
			continue
		}
		if len(r.Fields) == MaxFields {
			r.Dropped++
			continue
		}
		x := Field{Index: f.Index, Name: f.Name, Raw: f.Value}
		var err error
		if x.Results, err = Parse(f.Value); err != nil {
			x.Error, x.Why = err.Error(), Unreadable
		}
		r.Fields = append(r.Fields, x)
	}
	j := judge{h: h, path: t, opt: opt}
	for i := range r.Fields {
		f := &r.Fields[i]
		if f.Why == Unreadable {
			j.stamped = j.stamped || j.below(f.Index)
			continue
		}
		f.Why = j.why(f)
		f.Trusted = f.Why == AboveBorder || f.Why == BelowBorder
		if f.Trusted && r.Receiver == "" {
			if r.Receiver = f.Results.ServID; r.Receiver == "" {
				r.Receiver = t.Hops[t.Border].By
			}
		}
	}
	r.ARC = readARC(h)
	return r
}

type judge struct {
	h       *message.Header
	path    *trace.Path
	opt     Options
	stamped bool // the field directly below the border was seen
}

// why applies the boundary to one field.
func (j *judge) why(f *Field) Why {
	if j.path.Border < 0 {
		return NoBorder
	}
	hop := &j.path.Hops[j.path.Border]
	id := strings.ToLower(f.Results.ServID)
	known := j.known(id, hop)
	if f.Index < hop.Field {
		switch {
		case known:
			return AboveBorder
		case id == "":
			return NoIdentity
		}
		return OtherIdentity
	}
	if id == "" {
		return NoIdentity
	}
	if !known {
		return OtherIdentity
	}
	if !j.stamped && j.below(f.Index) && (len(j.opt.ServIDs) > 0 || contains(Stamps(), id)) {
		j.stamped = true // the next one with this identity is not the receiver's
		return BelowBorder
	}
	return Unproven
}

// below reports whether nothing but trace fields is between the border's Received
// field and the one of this index.
func (j *judge) below(index int) bool {
	border := j.path.BorderField()
	if border < 0 || index < border {
		return false
	}
	for _, f := range j.h.Fields[border+1 : index] {
		switch strings.ToLower(f.Name) {
		case "received-spf", "authentication-results", "x-received-authentication-results", "x-google-smtp-source":
		default:
			return false
		}
	}
	return true
}

// known reports whether an identity is the receiver's.
func (j *judge) known(id string, hop *trace.Hop) bool {
	if len(j.opt.ServIDs) > 0 {
		return contains(j.opt.ServIDs, id)
	}
	// Outlook writes no identity at all; the host tells then.
	if id == "" {
		return strings.HasSuffix(hop.By, ".outlook.com")
	}
	for _, h := range j.path.Hops[:j.path.Border+1] {
		if h.By == id {
			return true
		}
	}
	org := organisation(hop.By)
	return org != "" && organisation(id) == org
}

func contains(list []string, id string) bool {
	for _, l := range list {
		if strings.EqualFold(l, id) {
			return true
		}
	}
	return false
}

// organisation is the registered domain of a host, empty if it has none. Names of
// one company under several domains are not joined.
func organisation(host string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(strings.TrimSuffix(host, ".")))
	if err != nil {
		return ""
	}
	return org
}
