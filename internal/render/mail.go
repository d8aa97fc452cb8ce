package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/mail"
	"github.com/mailcheck-go/mailcheck/internal/safe"
)

// The text of the head of a report of a mail. All strings are safe already.

// mail says what the mail is, what is known of its way, and what its authentication
// is worth: our verdicts first, the receiver's beside them.
func (p *textPrinter) mail(m *mail.Summary) {
	line := func(label, text string) {
		if text != "" {
			p.para(2, 2+labelWidth, p.ink.dim, label, text)
		}
	}
	from := strings.Join(m.From, ", ")
	if m.Subject != "" {
		from += ", \"" + shorten(m.Subject, 60) + "\""
	}
	line("from", from)
	if m.Report != "" {
		line("report", "this is a report of a mail system ("+m.Report+"): mailcheck diagnose reads it")
	}
	line("client", clientLine(m))
	line("way", wayLine(m))
	if f := m.Forwarding; f.Kind != "" {
		line("sent on", forwardLine(f))
	}
	if f := m.Filter; f.Placement != "" {
		text := f.Placement + ", says " + f.Source
		if f.Void {
			text += "; void: " + f.VoidWhy
		}
		line("put into", text)
	}
	p.authentication(&m.Authentication)
}

func clientLine(m *mail.Summary) string {
	c := m.Client
	if c.Inside {
		return "none: handed in on the receiver's own system"
	}
	if c.IP == "" {
		return "unknown: give --ip, --helo and --mail-from"
	}
	s := c.IP
	if len(c.PTR) > 0 {
		s += " (" + strings.Join(c.PTR, ", ") + ")"
	}
	if c.Helo != "" {
		s += ", EHLO " + c.Helo
	}
	if m.MailFrom != "" {
		s += ", MAIL FROM " + m.MailFrom
	} else {
		s += ", MAIL FROM unknown: give --mail-from"
	}
	return s
}

func wayLine(m *mail.Summary) string {
	if len(m.Trace) == 0 {
		return ""
	}
	s := fmt.Sprintf("%s in %v", plural(len(m.Trace), "hop"), time.Duration(m.Transit)*time.Second)
	for i := range m.Trace {
		h := &m.Trace[i]
		if !h.Border {
			continue
		}
		s += "; taken by " + h.By
		if h.TLS != "" {
			s += " over TLS " + strings.TrimSuffix(h.TLS, " ")
		}
	}
	if i := m.Slowest; i >= 0 && i < len(m.Trace) && m.Trace[i].Delay >= 10 {
		s += fmt.Sprintf("; slowest: %v before %s", time.Duration(m.Trace[i].Delay)*time.Second, m.Trace[i].By)
	}
	return s
}

func forwardLine(f mail.ForwardSummary) string {
	s := map[string]string{"forwarder": "by a forwarder", "list": "by a mailing list"}[f.Kind]
	if f.By != "" {
		s += ", " + f.By
	}
	if f.Origin != "" {
		s += ", from " + f.Origin
	}
	return s + ": " + strings.Join(f.Evidence, "; ")
}

// known are the flags that tell an audit of the author's domain what the mail shows.
func known(m *mail.Summary) string {
	s := ""
	for i := range m.Authentication.DKIM {
		c := &m.Authentication.DKIM[i]
		if c.Aligned == "yes" && c.Selector != "" && typable(c.Selector) {
			s += " --selector " + c.Selector
			break
		}
	}
	if m.Client.IP != "" && m.Forwarding.Kind == "" {
		s += " --ip " + m.Client.IP
	}
	return s
}

// checksOf lists the checks in the order in which they are shown.
func checksOf(a *mail.Authentication) []*mail.Check {
	out := []*mail.Check{&a.SPF.Check}
	for i := range a.DKIM {
		out = append(out, &a.DKIM[i].Check)
	}
	return append(out, &a.ARC.Check, &a.DMARC.Check)
}

// said is what the receiver says of a check, or that it says nothing.
func said(c *mail.Check, receiver string) string {
	for _, x := range c.Claims {
		if x.Trusted {
			return receiver + " says " + x.Value
		}
	}
	return ""
}

func (p *textPrinter) authentication(a *mail.Authentication) {
	text := "our own verdicts"
	if a.Receiver != "" {
		text += ", beside those of " + a.Receiver
	} else {
		text += "; no Authentication-Results in the mail can be believed"
	}
	p.heading(p.ink.strong, "AUTHENTICATION", text)
	for _, c := range checksOf(a) {
		if c.Method == "" || c.Method == "arc" && c.Ours == "none" && len(c.Claims) == 0 && !p.opt.Verbose {
			continue
		}
		ink := p.ink.dim
		switch c.Ours {
		case "pass":
			ink = p.ink.good
		case "none", mail.Unchecked:
		default:
			ink = p.ink.risk
		}
		line := c.Ours
		if c.Domain != "" {
			line += "  " + c.Domain
		}
		if c.Selector != "" {
			line += " (" + c.Selector + ")"
		}
		switch c.Aligned {
		case "yes":
			line += ", aligned with From"
		case "no":
			line += ", not aligned with From"
		}
		if s := said(c, a.Receiver); s != "" {
			line += "; " + s
		}
		p.para(2, 9, ink, fmt.Sprintf("%-6s", strings.ToUpper(c.Method)), line)
		if c.Why != "" && (c.Ours != "pass" || p.opt.Verbose) {
			p.para(9, 9, p.ink.dim, "", c.Why)
		}
		if d := c.Difference; d != nil {
			p.para(9, 9, p.ink.risk, "", fmt.Sprintf("why they differ (%s): %s", d.Cause, d.Text))
		}
		if p.opt.Verbose {
			p.claims(c)
		}
	}
}

// claims lists what others say of a check, and whether they are believed.
func (p *textPrinter) claims(c *mail.Check) {
	for _, x := range c.Claims {
		word := "claimed"
		if x.Trusted {
			word = "believed"
		}
		text := x.By + ": " + x.Value
		if x.Detail != "" {
			text += " (" + x.Detail + ")"
		}
		p.para(9, 11, p.ink.dim, "", word+" ("+x.Trust+"): "+text)
	}
}

// mail is the head of a report of a mail, as a table.
func (p *markdownPrinter) mail(m *mail.Summary) {
	p.printf("\nFrom %s; client %s.\n", safe.Markdown(strings.Join(m.From, ", ")), safe.Markdown(clientLine(m)))
	if m.Forwarding.Kind != "" {
		p.printf("Sent on %s.\n", safe.Markdown(forwardLine(m.Forwarding)))
	}
	p.printf("\n| Check | Domain | Ours | Receiver | Why |\n|---|---|---|---|---|\n")
	for _, c := range checksOf(&m.Authentication) {
		theirs, why := "", c.Why
		for _, x := range c.Claims {
			if x.Trusted && theirs == "" {
				theirs = x.Value
			}
		}
		if c.Difference != nil {
			why = strings.TrimPrefix(why+"; they differ: "+c.Difference.Text, "; ")
		}
		p.printf("| %s | %s | %s | %s | %s |\n", strings.ToUpper(c.Method), safe.Markdown(c.Domain), safe.Markdown(c.Ours), safe.Markdown(theirs), safe.Markdown(why))
	}
}
