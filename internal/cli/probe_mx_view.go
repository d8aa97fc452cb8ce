package cli

import (
	"fmt"
	"time"

	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/probe"
	"github.com/mailcheck-go/mailcheck/probe/cert"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// probeMXView is the document of schema mailcheck.probe-mx/1.
type probeMXView struct {
	Schema    string        `json:"schema"`
	Domain    resolve.Name  `json:"domain"`
	Resolver  string        `json:"resolver"`
	MX        string        `json:"mx"` // present, absent or unknown
	Error     string        `json:"error,omitempty"`
	NullMX    bool          `json:"null_mx"`
	Paths     []probe.Path  `json:"paths"`
	STS       stsView       `json:"mta_sts"`
	Hosts     []mxHostView  `json:"hosts"`
	Skipped   int           `json:"skipped"` // hosts beyond the limit
	At        time.Time     `json:"at"`
	ElapsedMS int64         `json:"elapsed_ms"`
	policy    mtasts.Policy // with mode empty if senders get none
}

// stsView is the MTA-STS policy as senders get it.
type stsView struct {
	Record string      `json:"record"` // present, absent or unknown
	Policy string      `json:"policy"` // present, absent, unknown, or not-asked
	Mode   mtasts.Mode `json:"mode,omitempty"`
	Why    string      `json:"why,omitempty"`
}

type mxHostView struct {
	Preference uint16        `json:"preference"`
	Host       resolve.Name  `json:"host"`
	V4         resolve.State `json:"v4"`
	V6         resolve.State `json:"v6"`
	Error      string        `json:"error,omitempty"`
	STS        string        `json:"mta_sts"` // covered, uncovered or no-policy
	TLSA       tlsaView      `json:"tlsa"`
	Unknown    []string      `json:"unknown"` // what could not be seen, in words
	Attempts   []attemptView `json:"attempts"`
	Skipped    int           `json:"skipped"`

	mode mtasts.Mode
}

// tlsaView is the TLSA records of a host.
type tlsaView struct {
	State    string        `json:"state"` // present, absent or unknown
	Security dane.Security `json:"security"`
	Owner    string        `json:"owner"`
	Records  []dane.Record `json:"records"`
	Why      string        `json:"why"`
}

type attemptView struct {
	probe.Attempt
	Authority string    `json:"authority"` // do senders that go by authorities accept the certificate: good, bad, unknown, or none without a certificate
	DANE      *daneSeen `json:"dane,omitempty"`
	STS       string    `json:"mta_sts"`  // pass, fail, unknown or no-policy
	Problems  []string  `json:"problems"` // for which mail is not delivered, or not by all, in words
}

// daneSeen is the certificate held against the TLSA records.
type daneSeen struct {
	Verdict  dane.Verdict `json:"verdict"`
	IfSecure dane.Verdict `json:"if_secure,omitempty"`
	Matched  int          `json:"matched"`
	Why      string       `json:"why"`
}

func viewProbeMX(r probe.Result, sts mtasts.Discovery, policy *mtasts.Fetched) probeMXView {
	v := probeMXView{Schema: "mailcheck.probe-mx/1", Domain: r.Domain, MX: stateWord(r.MX), Error: r.Error, NullMX: r.NullMX, Paths: r.Paths,
		STS: stsView{Record: stateWord(sts.State), Policy: "not-asked", Why: sts.Why}, Hosts: []mxHostView{}, Skipped: r.Skipped, At: r.At, ElapsedMS: r.ElapsedMS}
	if r.MX != resolve.Unavailable && r.MX != resolve.Absent {
		v.Error = ""
	}
	if v.Paths == nil {
		v.Paths = []probe.Path{}
	}
	if policy != nil {
		v.STS.Policy, v.STS.Why = stateWord(policy.State), policy.Why
		if policy.State == resolve.Present {
			v.STS.Mode, v.policy = policy.Policy.Mode, policy.Policy
		}
	}
	for _, x := range r.Exchanges {
		h := mxHostView{Preference: x.Preference, Host: x.Host, V4: x.V4, V6: x.V6, Error: x.Error, STS: "no-policy",
			Unknown: []string{}, Attempts: []attemptView{}, Skipped: x.Skipped}
		if m := v.policy.Mode; m == mtasts.Enforce || m == mtasts.Testing {
			h.mode, h.STS = m, "uncovered"
			for _, p := range v.policy.MX {
				if p.Match(x.Host) {
					h.STS = "covered"
				}
			}
		}
		for _, a := range x.Attempts {
			h.Attempts = append(h.Attempts, attemptView{Attempt: a, Authority: "none", STS: "no-policy", Problems: []string{}})
		}
		v.Hosts = append(v.Hosts, h)
	}
	return v
}

// judge adds what DANE and MTA-STS make of the conversations.
func (h *mxHostView) judge(set dane.Set, domain resolve.Name, now time.Time) {
	h.TLSA = tlsaView{State: stateWord(set.State), Security: set.Security, Owner: set.Owner.String(), Records: set.Records, Why: set.Why}
	if h.TLSA.Records == nil {
		h.TLSA.Records = []dane.Record{}
	}
	for i := range h.Attempts {
		a := &h.Attempts[i]
		if a.Certificate != nil {
			a.Authority = a.Certificate.OK().String()
		}
		if a.Connect == probe.Refused {
			a.problem("connections are refused")
			continue
		}
		if a.Greeting == probe.Refused {
			a.problem("senders are turned away: %v", a.Failure)
			continue
		}
		if a.Greeting == probe.Unknown || a.STARTTLS == resolve.Unavailable && !a.ImplicitTLS {
			h.unknown(a)
			continue
		}
		if a.Secure == probe.Refused && (a.STARTTLS == resolve.Present || a.ImplicitTLS) {
			a.problem("TLS does not come about: %v", a.Failure)
		}
		if a.Secure == probe.Unknown && a.STARTTLS == resolve.Present {
			h.unknown(a)
		}
		h.dane(a, set, domain, now)
		h.sts(a)
	}
}

func (h *mxHostView) unknown(a *attemptView) {
	why := "it did not get that far"
	if a.Failure != nil {
		why = a.Failure.Error()
	}
	h.Unknown = append(h.Unknown, fmt.Sprintf("%s: %s", a.Address, why))
}

func (a *attemptView) problem(format string, args ...any) {
	a.Problems = append(a.Problems, fmt.Sprintf(format, args...))
}

func (h *mxHostView) dane(a *attemptView, set dane.Set, domain resolve.Name, now time.Time) {
	if set.State == resolve.Absent && set.Security != dane.Bogus {
		return
	}
	d := &daneSeen{Matched: -1}
	a.DANE = d
	if set.State == resolve.Unavailable {
		d.Verdict, d.Why = dane.Undetermined, set.Why
		if set.Security == dane.Insecure {
			d.Verdict = dane.NotApplicable
		} else {
			h.Unknown = append(h.Unknown, "the TLSA records: "+set.Why)
		}
		return
	}
	res := dane.Verify(set, chainOf(a.Attempt), []resolve.Name{set.Base, domain}, now)
	d.Verdict, d.Matched, d.Why = res.Verdict, res.Matched, res.Why
	switch res.Verdict {
	case dane.Failed, dane.Broken:
		a.problem("DANE fails: %s", res.Why)
	case dane.Undetermined:
		d.IfSecure = res.IfSecure
		h.Unknown = append(h.Unknown, "whether DNSSEC proves the TLSA records")
	}
}

func (h *mxHostView) sts(a *attemptView) {
	if h.STS == "no-policy" {
		return
	}
	a.STS = "unknown"
	switch {
	case h.STS == "uncovered":
		a.STS = "fail"
		if h.mode == mtasts.Enforce {
			a.problem("the MTA-STS policy is in enforce mode and does not name the host")
		}
	case a.STARTTLS == resolve.Absent, a.Secure == probe.Refused, a.Certificate != nil && a.Certificate.OK() == cert.Bad, oldTLS(a.Attempt):
		a.STS = "fail"
		if h.mode == mtasts.Enforce {
			a.problem("the MTA-STS policy is in enforce mode and the host does not fulfil it")
		}
	case a.Certificate != nil && a.Certificate.OK() == cert.Good && a.Secure == probe.Accepted:
		a.STS = "pass"
	}
}

// oldTLS reports a version below what RFC 8461, Section 4.2 asks for.
func oldTLS(a probe.Attempt) bool {
	return a.TLS != nil && (a.TLS.Version == "TLS 1.0" || a.TLS.Version == "TLS 1.1")
}
