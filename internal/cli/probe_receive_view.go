package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/internal/safe"
	"github.com/mailcheck-go/mailcheck/message/trace"
	"github.com/mailcheck-go/mailcheck/probe/judge"
	"github.com/mailcheck-go/mailcheck/probe/receive"
)

// receiveView is the document of schema mailcheck.probe-receive/1.
type receiveView struct {
	Schema    string            `json:"schema,omitempty"`
	Status    string            `json:"status,omitempty"`
	Why       string            `json:"why,omitempty"`
	Outcome   string            `json:"outcome"`
	Token     string            `json:"token"`
	Folder    *receive.Folder   `json:"folder"`
	Placement nullable          `json:"placement"`
	Void      bool              `json:"void"`
	VoidWhy   nullable          `json:"void_why"`
	Contra    nullable          `json:"contradiction"`
	Copies    int               `json:"copies"`
	DelayMS   *int64            `json:"delay_ms"` // null if it could not be told
	Skew      bool              `json:"skew"`
	Client    trace.Client      `json:"client"`
	Hops      []hopView         `json:"hops"`
	Forwarded receiveForwarded  `json:"forwarded"`
	Receiver  nullable          `json:"receiver"` // its authserv-id, if it was believed
	Results   []methodView      `json:"receiver_results"`
	Ours      *verdictsView     `json:"our_results"`
	Differs   []probeDifference `json:"differences"`
	Bounce    *receiveBounce    `json:"bounce"`
	Arrived   nullable          `json:"arrived"`
}

type hopView struct {
	From    nullable `json:"from"`
	By      nullable `json:"by"`
	With    nullable `json:"with"`
	TLS     string   `json:"tls"` // "used" or "unknown"
	Date    nullable `json:"date"`
	DelayMS int64    `json:"delay_ms"`
	Timing  string   `json:"timing"`  // delay, skew, backwards or unknown
	Trusted bool     `json:"trusted"` // written by the receiver
}

type receiveForwarded struct {
	Seen     bool     `json:"seen"`
	By       nullable `json:"by"`
	Evidence []string `json:"evidence"`
}

type probeDifference struct {
	Method string   `json:"method"`
	Domain nullable `json:"domain"`
	Ours   nullable `json:"ours"`
	Theirs nullable `json:"theirs"`
	Why    string   `json:"why"`
}

type receiveBounce struct {
	Recipient  string   `json:"recipient"`
	Status     nullable `json:"status"`
	Diagnostic nullable `json:"diagnostic"`
}

func viewReceive(r receive.Result, v *judge.Verdicts, differs []receive.Difference) *receiveView {
	out := &receiveView{
		Outcome: string(r.Outcome), Token: r.Token, Placement: nullable(r.Placement), Void: r.Void, VoidWhy: nullable(r.VoidWhy),
		Contra: nullable(r.Contradiction), Copies: r.Copies, Skew: r.Skew, Client: r.Trace.Client, Hops: []hopView{},
		Forwarded: receiveForwarded{r.Forwarded.Seen, nullable(r.Forwarded.By), shown(r.Forwarded.Evidence)},
		Receiver:  nullable(r.Auth.Receiver), Results: []methodView{}, Differs: viewProbeDifferences(differs), Arrived: timeOrNull(r.Arrived),
	}
	out.Client.Helo, out.Client.Name = safe.Text(out.Client.Helo), safe.Text(out.Client.Name)
	if f := r.Folder; f != nil {
		out.Folder = &receive.Folder{Name: safe.Text(f.Name), Role: f.Role, By: f.By}
	}
	if r.DelayKnown {
		out.DelayMS = &r.DelayMS
	}
	for i, h := range r.Trace.Hops {
		tls := "unknown" // a field that says nothing of TLS proves nothing
		if h.TLS.Used {
			tls = "used"
		}
		out.Hops = append(out.Hops, hopView{nullable(h.Helo), nullable(h.By), nullable(h.With), tls, timeOrNull(h.Date), h.Delay.Milliseconds(),
			cmp.Or(string(h.Timing), "unknown"), r.Trace.Border >= 0 && i <= r.Trace.Border})
	}
	for _, x := range r.Auth.Trusted() {
		out.Results = append(out.Results, methodView{x.Value, nullable(x.Domain()), nullable(x.Method)})
	}
	if v != nil {
		out.Ours = viewVerdicts(*v)
	}
	if b := r.Bounce; b != nil && len(b.Recipients) > 0 && r.Outcome == receive.Bounced {
		x := b.Recipients[0]
		out.Bounce = &receiveBounce{safe.Text(x.Address()), nullable(x.Status), nullable(x.Diagnostic)}
	}
	return out
}

func viewProbeDifferences(list []receive.Difference) []probeDifference {
	out := []probeDifference{}
	for _, d := range list {
		out = append(out, probeDifference{d.Method, nullable(d.Domain), nullable(d.Ours), nullable(d.Theirs), safe.Text(d.Why)})
	}
	return out
}

func (v *receiveView) text(p *sheet) {
	if v.Bounce != nil {
		p.field("Bounce", "%s: %s %s", v.Bounce.Recipient, dash(v.Bounce.Status), dash(v.Bounce.Diagnostic))
	}
	if v.Outcome != string(receive.Arrived) {
		return
	}
	if v.Folder != nil {
		p.field("Folder", "%s (%s, by %s)", v.Folder.Name, v.Folder.Role, v.Folder.By)
	}
	if v.Void {
		p.field("Void", "%s", v.VoidWhy)
	}
	if v.Contra != "" {
		p.field("Filter", "%s", v.Contra)
	}
	if v.DelayMS != nil {
		d := (time.Duration(*v.DelayMS) * time.Millisecond).String()
		if v.Skew {
			d += " (the clocks differ)"
		}
		p.field("Delay", "%s", d)
	}
	if v.Forwarded.Seen {
		p.field("Forwarded", "by %s: %s", dash(v.Forwarded.By), strings.Join(v.Forwarded.Evidence, "; "))
	}
	for i, h := range v.Hops {
		mark := "claimed"
		if h.Trusted {
			mark = "receiver"
		}
		p.item("hop %d (%s): %s to %s, %s, TLS %s, %s", len(v.Hops)-i, mark, dash(h.From), dash(h.By), dash(h.With), h.TLS, h.took())
	}
	p.head("Our verdict")
	if v.Ours != nil {
		v.Ours.text(p)
		if v.Forwarded.Seen && v.Ours.SPF.Result != "pass" && v.Ours.DMARC.Result == "pass" {
			p.item("SPF is about the host that forwarded the mail; DKIM survived, so DMARC passes")
		}
	}
	p.head("The receiver's verdict")
	if len(v.Results) == 0 {
		p.item("none that can be believed")
	}
	for _, r := range v.Results {
		p.item("%s=%s %s", r.Why, r.Result, dash(r.Domain))
	}
	differencesText(p, v.Differs)
}

func differencesText(p *sheet, list []probeDifference) {
	if len(list) == 0 {
		return
	}
	p.head("Differences")
	for _, d := range list {
		p.item("%s %s: ours %s, the receiver's %s: %s", d.Method, dash(d.Domain), dash(d.Ours), dash(d.Theirs), d.Why)
	}
}

func (h hopView) took() string {
	switch d := time.Duration(h.DelayMS) * time.Millisecond; h.Timing {
	case string(trace.Delayed):
		return fmt.Sprintf("after %v", d)
	case string(trace.Skew), string(trace.Backwards):
		return fmt.Sprintf("%v: the clocks differ", d)
	}
	return "time unknown"
}
