package receive

import (
	"fmt"
	"strings"

	"github.com/mailcheck-go/mailcheck/message"
	"github.com/mailcheck-go/mailcheck/message/trace"
)

// Forwarding says whether a host between sender and receiver sent the mail on. SPF
// is then about that host, and its failure says nothing about the sender's record.
type Forwarding struct {
	Seen     bool     `json:"seen"`
	Evidence []string `json:"evidence,omitempty"` // in our words, foreign text quoted
	// By is the host that sent it on, if that can be told: the client at the border.
	By string `json:"by,omitempty"`
}

// forwardFields are what forwarders write (RFC 5322, Section 3.6.6, and customs).
var forwardFields = []string{"X-Forwarded-To", "X-Forwarded-For", "X-Forwarded-Encrypted", "Resent-From", "Resent-To", "X-Forwarding-Service", "X-Forward-Email-Sender"}

func forwarding(h *message.Header, p *trace.Path, opt Options) Forwarding {
	var f Forwarding
	note := func(format string, args ...any) { f.Evidence = append(f.Evidence, fmt.Sprintf(format, args...)) }
	for _, name := range forwardFields {
		if v, ok := h.Get(name); ok {
			note("%s: %.80q", name, v)
		}
	}
	// A mail that its author gave to an MX host has no Received field below the one
	// by which that host took it. Those inside the receiver are above the border.
	if opt.Direct && p.Border >= 0 && p.Border < len(p.Hops)-1 {
		note("%d more host(s) took the mail before the receiver did", len(p.Hops)-1-p.Border)
	}
	if v := p.MailFrom; opt.MailFrom != "" && v.Trusted && !v.Null && v.Address != "" && !strings.EqualFold(v.Address, opt.MailFrom) {
		note("the envelope sender became %.80q", v.Address)
	}
	if domain := domainOf(opt.To); domain != "" {
		for _, name := range []string{"Delivered-To", "X-Original-To", "Envelope-To"} {
			for _, x := range h.All(name) {
				a, ok := message.ParseAddress(x.Value)
				if ok && a.Domain != "" && !strings.EqualFold(a.Domain, domain) && p.BorderField() > x.Index {
					note("%s is %.80q", name, x.Value)
				}
			}
		}
	}
	if f.Seen = len(f.Evidence) > 0; f.Seen {
		f.By = p.Client.Name
		if f.By == "" && p.Client.IP.IsValid() {
			f.By = p.Client.IP.String()
		}
	}
	return f
}

func domainOf(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[i+1:]
	}
	return ""
}
