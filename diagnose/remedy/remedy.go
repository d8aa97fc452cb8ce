package remedy

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/diagnose"
	"github.com/mailcheck-go/mailcheck/diagnose/cause"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/fix/planner"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Options are what Find needs. Resolver and Rules have to be set.
type Options struct {
	Resolver resolve.Resolver
	Rules    []audit.Rule
	Facts    facts.Options
	Domain   resolve.Name // of the author; zero: the one that the reply names
	IP       netip.Addr   // that sent; not valid: the one that the reply names
}

// Verdict is what the audit says of the cause.
type Verdict string

// Verdicts.
const (
	Confirmed Verdict = "confirmed"  // the records have the defect that the reply is about
	NotFound  Verdict = "not-found"  // the records have no such defect now
	Undecided Verdict = "unknown"    // it could not be read, or the reply names no domain
	NotOurs   Verdict = "not-ours"   // nothing of ours would change it
	NotInDNS  Verdict = "not-in-dns" // what decides is not in the DNS
)

// Advice is a verdict and what to do.
type Advice struct {
	Verdict  Verdict         `json:"verdict"`
	Why      string          `json:"why"`
	Domain   string          `json:"domain,omitempty"`
	IP       string          `json:"ip,omitempty"`
	SPF      string          `json:"spf,omitempty"`  // result for the address: pass, fail, …
	DKIM     string          `json:"dkim,omitempty"` // whether a key was found: found, none, unknown
	DMARC    string          `json:"dmarc,omitempty"`
	Findings []audit.Finding `json:"findings"` // those that the cause is about
	Also     []audit.Finding `json:"also"`     // other errors of what receivers judge a sender by
	Unknown  []string        `json:"unknown"`
	Fix      Fix             `json:"fix"`
}

// Fix is the one thing to do first. Changes are records to publish, if records
// are what repairs it.
type Fix struct {
	Text    string       `json:"text"`
	Changes []fix.Change `json:"changes"`
	Command string       `json:"command,omitempty"`
}

// authentication are the causes that SPF, DKIM and DMARC decide together.
var authentication = []cause.Cause{
	cause.SPFFail, cause.SPFError, cause.DKIMMissing, cause.DKIMFail, cause.DMARCFail, cause.DMARCMissing, cause.NotAligned, cause.Unauthenticated,
}

// judged are the families of rules about what receivers judge a sender by. A
// mail that is let pass today is refused for these tomorrow.
var judged = []string{"SPF", "DKIM", "DMARC", "IP"}

// Find judges the cause by the records as they are now. It fails with the
// context's error alone; what could not be read is in the advice.
func Find(ctx context.Context, r diagnose.Result, opt Options) (Advice, error) {
	a := Advice{Findings: []audit.Finding{}, Also: []audit.Finding{}, Unknown: []string{}, Fix: Fix{Text: r.Advice, Changes: []fix.Change{}}}
	domain, ip := opt.Domain, opt.IP
	if domain.IsZero() && r.Said.Domain != "" {
		domain, _ = resolve.ParseName(r.Said.Domain)
	}
	if !ip.IsValid() && r.Said.IP != "" {
		ip, _ = netip.ParseAddr(r.Said.IP)
		ip = ip.Unmap()
	}
	if ip.IsValid() {
		a.IP = ip.String()
	}
	switch {
	case r.Cause == cause.Delivered:
		a.Verdict, a.Why = NotOurs, "the receiver took the mail"
		return a, nil
	case r.Whose == cause.NotKnown:
		a.Verdict, a.Why = Undecided, "nothing that was said tells the cause"
		return a, nil
	case r.Whose == cause.SenderContent:
		a.Verdict, a.Why = NotInDNS, "the message itself is the cause, not a record"
		return a, nil
	case r.Whose != cause.SendingDomain && r.Whose != cause.SenderHost:
		a.Verdict, a.Why = NotOurs, "records of the sender do not change it"
		return a, nil
	case domain.IsZero():
		a.Verdict, a.Why = Undecided, "the reply names no domain: give --domain to have it audited"
		return a, nil
	}
	a.Domain = domain.String()
	o := opt.Facts
	if ip.IsValid() && !slices.Contains(o.Addresses, ip) {
		o.Addresses = append(slices.Clip(o.Addresses), ip)
	}
	snap := facts.Gather(ctx, opt.Resolver, domain, o)
	if err := context.Cause(ctx); err != nil {
		return a, err
	}
	rep := audit.Run(snap, opt.Rules, audit.Options{})
	a.facts(snap, ip)
	a.pick(r, rep)
	if slices.Contains(authentication, r.Cause) {
		return a, a.authenticate(ctx, r, snap, ip, opt, o)
	}
	a.judge(len(r.Rules) > 0)
	return a, nil
}

// facts puts what decides into words.
func (a *Advice) facts(s *facts.Snapshot, ip netip.Addr) {
	if i := slices.IndexFunc(s.Senders, func(x facts.Sender) bool { return x.Address == ip }); i >= 0 {
		a.SPF = string(s.Senders[i].SPF.Status)
	}
	switch s.DKIM.Conclusion {
	case dkim.KeyFound:
		a.DKIM = "found"
	default:
		a.DKIM = "none found"
	}
	switch p := s.DMARC.Policy; p.State {
	case resolve.Present:
		a.DMARC = string(p.Effective)
	case resolve.Absent:
		a.DMARC = "none published"
	default:
		a.DMARC = "unknown"
	}
}

// pick takes the findings and unknowns of the rules that the cause names.
func (a *Advice) pick(r diagnose.Result, rep audit.Report) {
	for _, f := range rep.Findings {
		if slices.Contains(r.Rules, string(f.Rule)) {
			a.Findings = append(a.Findings, f)
		} else if f.Severity == audit.Error && slices.Contains(judged, strings.TrimRight(string(f.Rule), "0123456789")) {
			a.Also = append(a.Also, f)
		}
	}
	for _, x := range rep.Rules {
		if x.Outcome == audit.Unknown && slices.Contains(r.Rules, string(x.ID)) {
			a.Unknown = append(a.Unknown, string(x.ID)+": "+x.Reason)
		}
	}
}

// judge is the verdict by the findings alone.
func (a *Advice) judge(rules bool) {
	switch {
	case len(a.Findings) > 0:
		f := a.Findings[0]
		a.Verdict, a.Why = Confirmed, string(f.Rule)+": "+f.Message
		if f.Fix != nil {
			a.Fix.Text = f.Fix.Text
			a.Fix.Changes = append(a.Fix.Changes, f.Fix.Changes...)
		}
	case len(a.Unknown) > 0:
		a.Verdict, a.Why = Undecided, a.Unknown[0]
	case !rules:
		a.Verdict, a.Why = NotInDNS, "no record decides it"
	default:
		a.Verdict, a.Why = NotFound, "the records have no such defect now: it may be mended since, or the mail came another way"
		a.again()
	}
}

// again is what is left when the records are right: what the receiver saw is past,
// or was another sender.
func (a *Advice) again() {
	text, ip := "send the mail again; if it is refused again, look in the reply or in the log of the sending server for the address it left from", " --ip ADDRESS"
	if a.IP != "" {
		text, ip = fmt.Sprintf("send the mail again; if it is refused again, it does not leave from %s, or the receiver still has an old answer in its cache: the log of the sending server tells the address", a.IP), " --ip "+a.IP
	}
	a.Fix = Fix{Text: text, Changes: []fix.Change{}, Command: "mailcheck audit " + a.Domain + ip}
}

// authenticate finds which of SPF, DKIM and DMARC is to be mended first.
func (a *Advice) authenticate(ctx context.Context, r diagnose.Result, snap *facts.Snapshot, ip netip.Addr, opt Options, o facts.Options) error {
	ask := planner.Options{Resolver: opt.Resolver, Rules: opt.Rules, Facts: o, Audit: audit.Options{Only: []string{"SPF", "DKIM", "DMARC"}}}
	failing := ip.IsValid() && a.SPF != "" && a.SPF != string(spf.Pass) && a.SPF != string(spf.TempError)
	if failing {
		ask.Answers.Senders = []string{term(ip)}
	}
	res, err := planner.Build(ctx, snap.Domain, ask)
	if stop := context.Cause(ctx); stop != nil {
		return stop
	}
	if err != nil {
		a.Verdict, a.Why = Undecided, err.Error()
		return nil
	}
	concern := map[bool]string{true: "spf-1", false: "dmarc-1"}[r.Cause != cause.DMARCMissing]
	i := slices.IndexFunc(res.Plan.Steps, func(s fix.Step) bool {
		return s.ID == concern && s.Change != nil && s.Gate == nil && (s.Change.Name == snap.Domain || concern == "dmarc-1")
	})
	switch {
	case r.Cause == cause.DMARCMissing && i >= 0:
		a.change(res.Plan.Steps[i], "publish a DMARC policy: nothing changes for mail with p=none, and receivers that ask for a record have one")
		a.Verdict, a.Why = Confirmed, "no DMARC policy applies to "+a.Domain
	case failing && i >= 0 && r.Cause != cause.DKIMFail && r.Cause != cause.DKIMMissing:
		a.change(res.Plan.Steps[i], fmt.Sprintf("let %s pass SPF, if it is yours", a.IP))
		a.Verdict, a.Why = Confirmed, fmt.Sprintf("SPF of %s gives %s for %s", a.Domain, a.SPF, a.IP)
	case a.DKIM == "none found" && a.SPF != string(spf.TempError):
		a.Verdict, a.Why = Confirmed, "no DKIM key of "+a.Domain+" is known, so nothing vouches for its mail once SPF does not"
		if a.SPF == string(spf.Pass) {
			a.Why = fmt.Sprintf("SPF passes for %s, so either MAIL FROM has another domain than From, or the mail was forwarded: only a signature helps, and no DKIM key of %s is known", a.IP, a.Domain)
		}
		a.Fix = Fix{Text: "sign with DKIM: make a key, publish it, and have the server sign", Changes: []fix.Change{},
			Command: a.plan() + " --key-dir keys"}
	case len(a.Findings) > 0 || len(a.Unknown) > 0:
		a.judge(true)
	case a.DKIM == "found":
		a.Verdict, a.Why = NotInDNS, "the records are in order: whether the mail is signed, and by which domain, the mail itself tells"
		a.Fix = Fix{Text: "look at a mail as it was received", Changes: []fix.Change{}, Command: "mailcheck audit message FILE"}
	default:
		a.judge(true)
	}
	return nil
}

func (a *Advice) change(s fix.Step, text string) {
	a.Fix = Fix{Text: text, Changes: []fix.Change{*s.Change}, Command: a.plan()}
}

// plan is the command whose plan has the same change: it has to know the address.
func (a *Advice) plan() string {
	cmd := "mailcheck fix plan " + a.Domain
	if a.IP != "" {
		cmd += " --ip " + a.IP
	}
	return cmd
}

// term is the SPF term of an address.
func term(ip netip.Addr) string {
	if ip.Is4() {
		return "ip4:" + ip.String()
	}
	return "ip6:" + ip.String()
}
