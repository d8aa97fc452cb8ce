package mail

import (
	"net/netip"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Summary is what reports show of a mail beside the findings. It is plain data with
// text of the mail in it: escape before showing.
type Summary struct {
	File      string    `json:"file"`
	Size      int64     `json:"size"`
	From      []string  `json:"from"`
	Subject   string    `json:"subject"`
	MessageID string    `json:"message_id"`
	Date      time.Time `json:"date,omitzero"`
	Arrived   time.Time `json:"arrived,omitzero"` // by the receiver's clock; signatures are judged at that time
	Bulk      bool      `json:"bulk"`
	Report    string    `json:"report,omitempty"` // the mail is a bounce or the like: the kind of package dsn

	Client         ClientSummary  `json:"client"`
	MailFrom       string         `json:"mail_from"` // "<>" for the null sender, empty if it is not known
	MailFromSource string         `json:"mail_from_source"`
	Authentication Authentication `json:"authentication"`
	Forwarding     ForwardSummary `json:"forwarding"`
	Trace          []HopSummary   `json:"trace"` // the last step first
	// Transit is from the first date to the last, by the clocks of the hops, in seconds.
	Transit int64 `json:"transit_seconds"`
	Slowest int   `json:"slowest_hop"` // index of the hop with the longest delay, -1 without one

	Filter      FilterSummary `json:"filter"`
	Unsubscribe Unsubscribe   `json:"unsubscribe"`
}

// ClientSummary is the host that handed the mail over.
type ClientSummary struct {
	IP   string `json:"ip"`
	Helo string `json:"helo"`
	// PTR lists the names that lead back to the address, and PTRVerdict is the result of
	// iprev: pass, fail, temperror, permerror, or empty if it was not asked.
	PTR        []string `json:"ptr"`
	PTRVerdict string   `json:"ptr_verdict"`
	Source     string   `json:"source"` // "given", "trace" or empty
	Inside     bool     `json:"inside"`
}

// Authentication is our own verdicts beside the receiver's.
type Authentication struct {
	Receiver string       `json:"receiver"` // the authserv-id that is believed; empty if none is
	SPF      SPFSummary   `json:"spf"`
	DKIM     []DKIMCheck  `json:"dkim"`
	ARC      ARCSummary   `json:"arc"`
	DMARC    DMARCSummary `json:"dmarc"`
}

// SPFSummary is our result of SPF.
type SPFSummary struct {
	Check
	Identity string `json:"identity"`
	Term     string `json:"term"`
	Lookups  int    `json:"lookups"`
	Voids    int    `json:"voids"`
}

// DKIMCheck is our result for one signature.
type DKIMCheck struct {
	Check
	Reason    string   `json:"reason,omitempty"`
	Change    string   `json:"change,omitempty"` // the kind of change that explains a failure
	Field     string   `json:"changed_field,omitempty"`
	Algorithm string   `json:"algorithm,omitempty"`
	KeyBits   int      `json:"key_bits,omitempty"`
	Signed    []string `json:"signed_headers,omitempty"`
}

// ARCSummary is our result for the chain.
type ARCSummary struct {
	Check
	Reason    string   `json:"reason,omitempty"`
	Sealers   []string `json:"sealers"` // by instance
	ChangedBy string   `json:"changed_by,omitempty"`
}

// DMARCSummary is our result of DMARC.
type DMARCSummary struct {
	Check
	PolicyDomain string `json:"policy_domain"`
	Policy       string `json:"policy"` // that applies; empty if none does
	Disposition  string `json:"disposition"`
}

// ForwardSummary is what is known of forwarding.
type ForwardSummary struct {
	Kind     string   `json:"kind"` // "", "forwarder" or "list"
	By       string   `json:"by"`
	Evidence []string `json:"evidence"`
	Origin   string   `json:"origin"` // the address that the author's domain permits, if one is on the way
}

// HopSummary is one Received field.
type HopSummary struct {
	By      string    `json:"by"`
	Helo    string    `json:"helo"`
	Peer    string    `json:"peer"` // address
	With    string    `json:"with"`
	TLS     string    `json:"tls"` // "1.3 TLS_AES_256_GCM_SHA384", "used", or empty: the field does not say
	Date    time.Time `json:"date,omitzero"`
	Delay   int64     `json:"delay_seconds"` // since the hop below
	Timing  string    `json:"timing"`        // what Delay is: "delay", "skew", "backwards" or empty
	Border  bool      `json:"border"`        // the receiver took the mail here
	Trusted bool      `json:"trusted"`       // at or above the border: the receiver's word
}

// FilterSummary is what the receiver's filter wrote.
type FilterSummary struct {
	Placement string `json:"placement"` // "inbox", "spam", "phishing", "quarantine" or empty: nothing says it
	Source    string `json:"source"`
	Void      bool   `json:"void"` // a rule of the mailbox overruled the filter
	VoidWhy   string `json:"void_why,omitempty"`
}

// Unsubscribe is what the mail offers to those who want no more of it.
type Unsubscribe struct {
	Offered  bool   `json:"offered"`   // List-Unsubscribe is there
	OneClick bool   `json:"one_click"` // both fields have the form of RFC 8058
	SignedBy string `json:"signed_by"` // the domain whose signature covers both and verifies
	Aligned  bool   `json:"aligned"`
	Link     bool   `json:"link"` // the body has a link
}

// Summary makes the plain data of a report.
func (f *Facts) Summary() Summary {
	s := Summary{
		File: f.Name, Size: f.Message.Size, From: []string{}, Subject: f.Header.Subject, MessageID: f.Header.MessageID.ID,
		Date: f.Header.Date.Time, Arrived: f.Arrived, Bulk: f.Bulk, Report: string(f.Report),
		MailFrom: f.Envelope.Address, MailFromSource: f.Envelope.Source,
	}
	if f.Envelope.Null {
		s.MailFrom = "<>"
	}
	for i, a := range f.Header.Author.Addresses {
		if i == maxClaims {
			break
		}
		s.From = append(s.From, a.String())
	}
	s.Client = f.clientSummary()
	s.Authentication = f.authentication()
	s.Forwarding = ForwardSummary{Kind: string(f.Forwarding.Kind), By: f.Forwarding.By, Evidence: append([]string{}, f.Forwarding.Evidence...)}
	if o := f.Forwarding.Origin; o != nil {
		s.Forwarding.Origin = o.IP.String()
	}
	s.Trace, s.Transit, s.Slowest = f.hops(), int64(f.Trace.Total/time.Second), f.Trace.Slowest
	s.Filter = FilterSummary{string(f.Filters.Placement), f.Filters.Source, f.Filters.Void, f.Filters.VoidWhy}
	u := f.Header.Unsubscribe
	s.Unsubscribe = Unsubscribe{Offered: u.Fields > 0, OneClick: u.OneClick, Aligned: f.OneClick.Aligned, Link: f.Content.UnsubscribeLink}
	if i := f.OneClick.Signature; i >= 0 {
		s.Unsubscribe.SignedBy = f.DKIM.Signatures[i].Domain
	}
	return s
}

func addr(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

func (f *Facts) clientSummary() ClientSummary {
	c := ClientSummary{IP: addr(f.Client.IP), Helo: f.Client.Helo, PTR: []string{}, PTRVerdict: string(f.PTR.Verdict), Inside: f.Client.Inside}
	switch {
	case f.Client.Given:
		c.Source = "given"
	case f.Client.IP.IsValid():
		c.Source = "trace"
	}
	for _, n := range f.PTR.ConfirmedNames() {
		c.PTR = append(c.PTR, n.String())
	}
	return c
}

func (f *Facts) authentication() Authentication {
	a := Authentication{Receiver: f.Claims.Receiver, DKIM: []DKIMCheck{}}
	for _, c := range f.Checks {
		switch c.Method {
		case "spf":
			a.SPF = SPFSummary{Check: c, Identity: f.SPF.Identity, Term: f.SPF.Result.InnerTerm, Lookups: f.SPF.Result.Lookups, Voids: f.SPF.Result.Voids}
		case "dkim":
			x := DKIMCheck{Check: c}
			if i := len(a.DKIM); i < len(f.DKIM.Signatures) {
				x.fill(&f.DKIM.Signatures[i])
			}
			a.DKIM = append(a.DKIM, x)
		case "arc":
			a.ARC = ARCSummary{Check: c, Reason: string(f.ARC.Reason), ChangedBy: f.ARC.ChangedBy, Sealers: []string{}}
			for _, s := range f.ARC.Sets {
				a.ARC.Sealers = append(a.ARC.Sealers, s.Seal.Domain)
			}
		case "dmarc":
			a.DMARC = DMARCSummary{Check: c, PolicyDomain: f.DMARC.Now.Policy.Domain.String(), Disposition: string(f.DMARC.Now.Disposition)}
			if f.DMARC.Now.Policy.State == resolve.Present {
				a.DMARC.Policy = string(f.DMARC.Now.Policy.Effective)
			}
		}
	}
	return a
}

func (x *DKIMCheck) fill(s *dkim.Signature) {
	x.Reason, x.Algorithm, x.KeyBits, x.Signed = string(s.Reason), s.Algorithm, s.KeyBits, s.SignedHeaders
	if s.Change != nil {
		x.Change, x.Field = string(s.Change.Kind), s.Change.Field
	}
}

func (f *Facts) hops() []HopSummary {
	out := []HopSummary{}
	for i := range f.Trace.Hops {
		h := &f.Trace.Hops[i]
		out = append(out, HopSummary{
			By: h.By, Helo: h.Helo, Peer: addr(h.Peer), With: h.With, TLS: tlsWords(h.TLS), Date: h.Date,
			Delay: int64(h.Delay / time.Second), Timing: string(h.Timing), Border: i == f.Trace.Border, Trusted: f.Trace.Border >= 0 && i <= f.Trace.Border,
		})
	}
	return out
}

func tlsWords(t trace.TLS) string {
	if !t.Used {
		return ""
	}
	if s := strings.TrimSpace(t.Version + " " + t.Cipher); s != "" {
		return s
	}
	return "used"
}
