package trace

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/message"
	"golang.org/x/net/publicsuffix"
)

// Options tell whose fields are facts. With the zero value it is the fields of the
// host that wrote the topmost one, and of those behind it as far as can be seen.
type Options struct {
	// Hosts are the receiver's hosts: names, and domains with all that is below
	// them. Fields by them count from the top down to the first of another.
	Hosts []string
	// Nets are addresses inside the receiver's net, besides private ones: a mail
	// that came from there was inside already.
	Nets []netip.Prefix
	// Border is the number of the border hop in Hops, counted from 1, for those who
	// know it. 0: it is looked for.
	Border int
}

// Path is the way of a mail.
type Path struct {
	Hops []Hop `json:"hops,omitempty"` // as in the mail: the last step first

	// Border is the index in Hops of the field by which the receiver took the mail
	// from outside; -1 if there is none. Hops below it are claims.
	Border    int    `json:"border"`
	BorderWhy string `json:"border_why,omitempty"` // one of the Why words

	Client   Client   `json:"client"`
	MailFrom MailFrom `json:"mail_from"`

	// First and Last are the oldest and the newest date that count: those of the
	// lowest hop with a date, and of the topmost.
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	// Total is Last minus First, and Slowest the index of the hop with the longest
	// Delay; -1 if there is none.
	Total   time.Duration `json:"total"`
	Slowest int           `json:"slowest"`
	// Dropped are fields above MaxHops.
	Dropped int `json:"dropped,omitempty"`
}

// Client is the host that handed the mail to the receiver: what SPF is about.
type Client struct {
	IP   netip.Addr `json:"ip,omitzero"` // not valid if it is unknown
	Helo string     `json:"helo,omitempty"`
	Name string     `json:"name,omitempty"` // by reverse DNS, as the receiver says
	// Inside is true if the mail did not come from another host in this step: it
	// was handed over locally, from a private address, or by somebody who logged in.
	Inside bool `json:"inside,omitempty"`
}

// MailFrom is the envelope sender, without brackets.
type MailFrom struct {
	Address string `json:"address,omitempty"`
	Null    bool   `json:"null,omitempty"` // the null reverse-path <>, as of a bounce
	// Source is "return-path", "received" or "received-spf", and empty if the
	// envelope sender is not known.
	Source string `json:"source,omitempty"`
	// Trusted is true if the field is one that the receiver wrote.
	Trusted bool `json:"trusted,omitempty"`
}

// Words of Path.BorderWhy.
const (
	WhyGiven   = "given"    // by Options.Border
	WhyHosts   = "hosts"    // the lowest of the fields by Options.Hosts
	WhyTopmost = "topmost"  // the topmost field, with a peer that is not inside
	WhyInside  = "inside"   // below fields whose peers are inside the receiver's net
	WhyNoPeer  = "no-peer"  // the fields ended without a peer from outside
	WhyNoTrust = "no-trust" // the topmost field is not by one of Options.Hosts
)

// Read reads the Received fields of a header, and those that tell the envelope
// sender.
func Read(h *message.Header, opt Options) Path {
	p := Path{Border: -1, Slowest: -1}
	for _, f := range h.Fields {
		if !f.Is("Received") {
			continue
		}
		if len(p.Hops) == MaxHops {
			p.Dropped++
			continue
		}
		hop := Parse(f.Value)
		hop.Field = f.Index
		p.Hops = append(p.Hops, hop)
	}
	p.time()
	p.findBorder(opt)
	p.client(opt)
	p.mailFrom(h)
	return p
}

// BorderField is the place of the border's field in the header, -1 if there is none.
// Fields above it were written by the receiver.
func (p *Path) BorderField() int {
	if p.Border < 0 {
		return -1
	}
	return p.Hops[p.Border].Field
}

// time computes the delays.
func (p *Path) time() {
	below := -1 // the last hop with a date
	for i := len(p.Hops) - 1; i >= 0; i-- {
		h := &p.Hops[i]
		if h.Date.IsZero() {
			continue
		}
		if below < 0 {
			p.First = h.Date
		} else {
			h.Delay = h.Date.Sub(p.Hops[below].Date)
			switch {
			case h.Delay >= 0:
				h.Timing = Delayed
				if p.Slowest < 0 || h.Delay > p.Hops[p.Slowest].Delay {
					p.Slowest = i
				}
			case h.Delay >= -MaxSkew:
				h.Timing = Skew
			default:
				h.Timing = Backwards
			}
		}
		p.Last = h.Date
		below = i
	}
	p.Total = p.Last.Sub(p.First)
}

// findBorder looks for the lowest field that is the receiver's own.
func (p *Path) findBorder(opt Options) {
	if len(p.Hops) == 0 {
		return
	}
	if opt.Border > 0 && opt.Border <= len(p.Hops) {
		p.Border, p.BorderWhy = opt.Border-1, WhyGiven
		return
	}
	if len(opt.Hosts) > 0 && !matches(p.Hops[0].By, opt.Hosts) && p.Hops[0].By != "" && !isLocalName(p.Hops[0].By) {
		p.BorderWhy = WhyNoTrust
		return
	}
	for i := range p.Hops {
		h := &p.Hops[i]
		p.Border = i
		switch {
		case i > 0:
			p.BorderWhy = WhyInside
		default:
			p.BorderWhy = WhyTopmost
		}
		if i+1 == len(p.Hops) {
			if !outside(h, opt) {
				p.BorderWhy = WhyNoPeer
			}
			break
		}
		if !p.goesOn(i, opt) {
			break
		}
	}
	if len(opt.Hosts) > 0 {
		p.BorderWhy = WhyHosts
	}
}

// goesOn reports whether the field below hop i is the receiver's own too: whether
// hop i took the mail from inside. A peer from outside could have written anything
// below, so its word for where it was never counts.
func (p *Path) goesOn(i int, opt Options) bool {
	h, next := &p.Hops[i], &p.Hops[i+1]
	if (h.Protocol.Auth || h.User != "") && h.Protocol.Name != "LMTP" && !h.Peer.IsLoopback() {
		return false // a user's own program handed it in
	}
	if len(opt.Hosts) > 0 {
		if next.By != "" && !matches(next.By, opt.Hosts) && !isLocalName(next.By) {
			return false
		}
		return !outside(h, opt) || h.PeerName != "" && matches(h.PeerName, opt.Hosts)
	}
	if !outside(h, opt) {
		return true
	}
	// The name by reverse DNS is in the domain of the host that wrote this field.
	org := organisation(h.By)
	return org != "" && h.PeerName != "" && organisation(h.PeerName) == org && organisation(next.By) == org
}

// outside reports whether a hop has a peer that is in no way inside.
func outside(h *Hop, opt Options) bool {
	if !h.Peer.IsValid() || h.Claimed {
		// Without a peer only what is surely local is inside: a host that hides
		// where mail came from would let the fields of strangers in.
		if h.Software == "gmail" || h.Software == "qmail" && h.From == "" || h.Protocol.Name == "LMTP" || h.From == "" && h.ByAddr.IsPrivate() {
			return false
		}
		return h.By == "" || h.Protocol.Remote && !isLocalName(h.Helo)
	}
	if h.Peer.IsPrivate() || h.Peer.IsLoopback() || h.Peer.IsLinkLocalUnicast() || sharedNet.Contains(h.Peer) {
		return false
	}
	if (strings.HasSuffix(h.By, ".outlook.com") || strings.HasSuffix(h.By, ".outlook.office365.com")) && microsoftNet.Contains(h.Peer) {
		return false
	}
	return !slices.ContainsFunc(opt.Nets, func(n netip.Prefix) bool { return n.Contains(h.Peer) })
}

var (
	sharedNet = netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	// microsoftNet is the net that Exchange Online uses between its own hosts.
	microsoftNet = netip.MustParsePrefix("2603:1000::/24")
)

// isLocalName reports whether a host calls itself by a name that is none: the host
// itself, or one without a domain.
func isLocalName(s string) bool {
	s = strings.ToLower(s)
	return s == "localhost" || strings.HasPrefix(s, "localhost.") || s != "" && !strings.ContainsAny(s, ".:[")
}

// matches reports whether a host is one of a list, or below one.
func matches(host string, list []string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for _, l := range list {
		l = strings.ToLower(strings.Trim(l, "."))
		if l != "" && (host == l || strings.HasSuffix(host, "."+l)) {
			return true
		}
	}
	return false
}

// organisation is the registered domain of a host, empty if it has none.
func organisation(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, ok := address(host); ok || host == "" {
		return ""
	}
	org, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return ""
	}
	return org
}

// client takes the peer of the border.
func (p *Path) client(opt Options) {
	if p.Border < 0 {
		return
	}
	h := &p.Hops[p.Border]
	p.Client = Client{IP: h.Peer, Helo: h.Helo, Name: h.PeerName}
	if h.Claimed {
		p.Client.IP = netip.Addr{}
	}
	p.Client.Inside = h.Protocol.Auth || h.User != "" || !outside(h, opt)
}

// mailFrom looks for the envelope sender: RFC 5321, Section 4.4, the final server
// writes Return-Path at the top.
func (p *Path) mailFrom(h *message.Header) {
	border := p.BorderField()
	for _, f := range h.All("Return-Path") {
		trusted := border >= 0 && f.Index < border
		a, null, ok := path(f.Value)
		if ok && (trusted || p.MailFrom.Source == "") {
			p.MailFrom = MailFrom{a, null, "return-path", trusted}
		}
		if trusted {
			return
		}
	}
	if p.Border >= 0 {
		if hop := p.Hops[p.Border]; hop.EnvelopeFrom != "" || hop.NullSender {
			p.MailFrom = MailFrom{hop.EnvelopeFrom, hop.NullSender, "received", true}
			return
		}
	}
	for _, f := range h.All("Received-SPF") {
		if p.MailFrom.Source != "" {
			return
		}
		if v, ok := keyValue(f.Value, "envelope-from"); ok {
			a, null, _ := path(v)
			p.MailFrom = MailFrom{a, null, "received-spf", border >= 0 && f.Index < border}
		}
	}
}

// path reads a reverse-path.
func path(v string) (address string, null, ok bool) {
	v = strings.TrimSpace(v)
	if v == "" {
		return "", false, false
	}
	if strings.HasPrefix(v, "<>") {
		return "", true, true
	}
	a, _ := message.ParseAddress(v)
	if a.IsZero() {
		return "", false, false
	}
	if a.Domain == "" {
		return a.Local, false, true
	}
	return a.String(), false, true
}

// keyValue finds key=value in the value of a Received-SPF field (RFC 7208, Section
// 9.1).
func keyValue(v, key string) (string, bool) {
	lower := strings.ToLower(v)
	i := strings.Index(lower, key+"=")
	if i < 0 {
		return "", false
	}
	rest := v[i+len(key)+1:]
	if strings.HasPrefix(rest, `"`) {
		val, _, _ := strings.Cut(rest[1:], `"`)
		return val, true
	}
	if j := strings.IndexAny(rest, "; \t)"); j >= 0 {
		rest = rest[:j]
	}
	return rest, true
}
