package mail

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/dkim/arc"
	"github.com/mailcheck-go/mailcheck/dmarc"
	"github.com/mailcheck-go/mailcheck/message/authres"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Unchecked is the word for a verdict of ours that there is none of.
const Unchecked = "unknown"

// Check is one verdict of ours beside what the mail says of it. The words are those of
// RFC 8601. Text of the mail is as it was written.
type Check struct {
	Method   string `json:"method"`             // spf, dkim, arc or dmarc
	Domain   string `json:"domain,omitempty"`   // that it is about
	Selector string `json:"selector,omitempty"` // of a signature
	Ours     string `json:"ours"`               // or "unknown"
	Why      string `json:"why,omitempty"`      // in words
	// Aligned is "yes", "no" or "unknown", for what can make DMARC pass.
	Aligned string  `json:"aligned,omitempty"`
	Claims  []Claim `json:"claims,omitempty"`
	// Difference is set if a receiver that is believed says something else.
	Difference *Difference `json:"difference,omitempty"`
}

// Claim is what the mail says a system found.
type Claim struct {
	By      string `json:"by"` // the authserv-id, or who sealed it
	Value   string `json:"value"`
	Domain  string `json:"domain,omitempty"`
	Detail  string `json:"detail,omitempty"` // reason and comments, shortened: foreign text
	Trusted bool   `json:"trusted"`
	Trust   string `json:"trust"` // why it is believed or not: a word of authres.Why, or "sealed"

	result authres.Result
}

// Difference is why a receiver's verdict is not ours.
type Difference struct {
	Theirs string `json:"theirs"`
	Cause  Cause  `json:"cause"`
	Text   string `json:"text"`
}

// Cause is the likely reason of a difference. The words are stable.
type Cause string

// Causes.
const (
	OtherDomain    Cause = "other-domain"     // the receiver judged another domain or identity
	OtherClient    Cause = "other-client"     // the receiver judged another address
	RecordChanged  Cause = "record-changed"   // what DNS says was probably changed since
	KeyGone        Cause = "key-gone"         // the key was withdrawn since: rotated
	KeyReplaced    Cause = "key-replaced"     // another key stands under the selector now
	AlteredSince   Cause = "altered-since"    // the mail was changed after the receiver verified it
	FooterSince    Cause = "footer-since"     // text was added to the body after that
	Clock          Cause = "clock"            // the two judge at different times, or by different clocks
	ReceiverDNS    Cause = "receiver-dns"     // the receiver's lookup failed
	OurDNS         Cause = "our-dns"          // ours failed
	ReceiverPolicy Cause = "receiver-policy"  // a rule of the receiver's own, or of ours: weak keys, SHA-1, limits
	Override       Cause = "override"         // the receiver overruled DMARC: a forwarder it trusts, ARC
	Follows        Cause = "follows"          // it follows from a difference above
	Guessed        Cause = "guessed"          // the receiver guesses without a record
	ARCTrust       Cause = "arc-not-verified" // the receiver did not look, or stopped at another point of the chain
	Unexplained    Cause = "unexplained"
)

// PassedThere reports whether a receiver that is believed says pass where we do not,
// for a reason that lies after its check: the mail or the records have changed since.
func (c *Check) PassedThere() bool {
	if c.Difference == nil || c.Difference.Theirs != "pass" {
		return false
	}
	switch c.Difference.Cause {
	case KeyGone, KeyReplaced, RecordChanged, AlteredSince, FooterSince, Clock, Follows:
		return true
	}
	return false
}

// Limits of what is shown of a claim.
const (
	maxClaims = 20
	maxDetail = 200
)

// compare puts our verdicts beside the receiver's.
func (f *Facts) compare() {
	claims := f.claims()
	f.Checks = append(f.Checks, f.spfCheck(claims))
	f.Checks = append(f.Checks, f.dkimChecks(claims)...)
	f.Checks = append(f.Checks, f.arcCheck(claims), f.dmarcCheck(claims))
}

// claims lists all that is said of the authentication, what is believed first.
func (f *Facts) claims() []Claim {
	var out []Claim
	for _, field := range f.Claims.Fields {
		for _, r := range field.Results.Results {
			by := field.Results.ServID
			if by == "" {
				by = "(no authserv-id)"
			}
			out = append(out, Claim{By: by, Value: r.Value, Domain: r.Domain(), Detail: detail(r), Trusted: field.Trusted, Trust: string(field.Why), result: r})
		}
	}
	for _, s := range f.Claims.ARC {
		for _, r := range s.Results.Results {
			by := fmt.Sprintf("ARC %d, %s", s.Instance, s.Seal.Domain)
			out = append(out, Claim{By: by, Value: r.Value, Domain: r.Domain(), Detail: detail(r), Trust: "sealed", result: r})
		}
	}
	slices.SortStableFunc(out, func(a, b Claim) int {
		switch {
		case a.Trusted == b.Trusted:
			return 0
		case a.Trusted:
			return -1
		}
		return 1
	})
	return out
}

func detail(r authres.Result) string {
	parts := slices.Clone(r.Comments)
	if r.Reason != "" {
		parts = append([]string{r.Reason}, parts...)
	}
	s := strings.Join(parts, "; ")
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail], "") + "..."
	}
	return s
}

// pick takes the claims of a method that ok accepts.
func pick(claims []Claim, method string, ok func(authres.Result) bool) []Claim {
	var out []Claim
	for _, c := range claims {
		if c.result.Method == method && ok(c.result) && len(out) < maxClaims {
			out = append(out, c)
		}
	}
	return out
}

func always(authres.Result) bool { return true }

// differ sets the difference to the first claim that is believed; none if one of those
// agrees.
func (c *Check) differ(explain func(Claim) (Cause, string)) {
	var other *Claim
	for i := range c.Claims {
		x := &c.Claims[i]
		if !x.Trusted {
			continue
		}
		if x.Value == c.Ours {
			return
		}
		if other == nil {
			other = x
		}
	}
	if other == nil || c.Ours == Unchecked {
		return
	}
	cause, text := explain(*other)
	c.Difference = &Difference{Theirs: other.Value, Cause: cause, Text: text}
}

func (f *Facts) aligned(method string, d resolve.Name) string {
	a := f.Alignment(method, d)
	switch {
	case a == nil:
		return ""
	case a.Result != "pass":
		return ""
	}
	return map[resolve.State]string{resolve.Present: "yes", resolve.Absent: "no", resolve.Unavailable: "unknown"}[a.State]
}

func (f *Facts) spfCheck(claims []Claim) Check {
	c := Check{Method: "spf", Ours: Unchecked, Why: f.SPF.Reason, Claims: pick(claims, "spf", always)}
	if f.SPF.Checked {
		r := f.SPF.Result
		c.Ours, c.Domain, c.Why = string(r.Status), r.Domain.String(), f.spfWhy()
		c.Aligned = f.aligned("spf", r.Domain)
	} else {
		c.Domain = f.Envelope.Domain.String()
	}
	c.differ(f.explainSPF)
	return c
}

// spfWhy is our result of SPF in words.
func (f *Facts) spfWhy() string {
	r := f.SPF.Result
	ip := f.Client.IP
	who := fmt.Sprintf("the %s domain %s", map[string]string{"mailfrom": "MAIL FROM", "helo": "HELO"}[f.SPF.Identity], r.Domain)
	switch {
	case r.Err != nil:
		return r.Err.Error()
	case r.Term == "":
		return fmt.Sprintf("no term of the record of %s is about %s", r.Domain, ip)
	case r.InnerRecord != r.Record || r.InnerTerm != r.Term:
		return fmt.Sprintf("%s: %s is matched by %s of %s, by way of %s", who, ip, r.InnerTerm, r.InnerRecord, r.Term)
	}
	return fmt.Sprintf("%s: %s is matched by %s", who, ip, r.Term)
}

func (f *Facts) dkimChecks(claims []Claim) []Check {
	var out []Check
	used := map[string]bool{}
	for i := range f.DKIM.Signatures {
		s := &f.DKIM.Signatures[i]
		d, _ := resolve.ParseName(s.Domain)
		c := Check{Method: "dkim", Domain: s.Domain, Selector: s.Selector, Ours: string(s.Status), Why: s.Explanation, Aligned: f.aligned("dkim", d)}
		if s.Status == dkim.Pass && c.Why == "" {
			c.Why = "the signature verifies"
		}
		c.Claims = pick(claims, "dkim", func(r authres.Result) bool {
			sel := r.Prop("header", "s")
			return strings.EqualFold(r.Domain(), s.Domain) && (sel == "" || strings.EqualFold(sel, s.Selector))
		})
		used[strings.ToLower(s.Domain)] = true
		c.differ(func(x Claim) (Cause, string) { return f.explainDKIM(s, x) })
		out = append(out, c)
	}
	// What is claimed of signatures that the mail does not have (any more).
	for _, x := range pick(claims, "dkim", always) {
		if d := strings.ToLower(x.Domain); d == "" || used[d] || x.Value == "none" || !x.Trusted {
			continue
		} else {
			used[d] = true
		}
		c := Check{Method: "dkim", Domain: x.Domain, Ours: string(dkim.None), Why: "the mail has no signature of this domain", Claims: []Claim{x}}
		c.differ(func(Claim) (Cause, string) {
			return AlteredSince, "the signature that the receiver judged is not in the mail any more: it was taken out after the mail had come in"
		})
		out = append(out, c)
	}
	if len(out) == 0 {
		c := Check{Method: "dkim", Ours: string(f.DKIM.Status()), Why: "the mail has no DKIM signature", Claims: pick(claims, "dkim", always)}
		if f.VerifyErr != nil {
			c.Ours, c.Why = Unchecked, f.VerifyErr.Error()
		}
		out = append(out, c)
	}
	return out
}

func (f *Facts) arcCheck(claims []Claim) Check {
	c := Check{Method: "arc", Domain: f.ARC.Sealer, Ours: string(f.ARC.Status), Why: f.ARC.Explanation, Claims: pick(claims, "arc", always)}
	if f.VerifyErr != nil {
		c.Ours, c.Why = Unchecked, f.VerifyErr.Error()
	} else if f.ARC.Status == arc.None {
		c.Why = "the mail has no ARC sets"
	}
	c.differ(f.explainARC)
	return c
}

func (f *Facts) dmarcCheck(claims []Claim) Check {
	v := f.DMARC.Now
	c := Check{Method: "dmarc", Domain: f.DMARC.Author.String(), Ours: string(v.Result), Why: v.Why, Claims: pick(claims, "dmarc", always)}
	if f.Undecided != "" {
		c.Ours, c.Why = Unchecked, f.Undecided
	}
	if c.Ours == string(dmarc.ResultFail) {
		c.Why += "; the policy asks for: " + string(v.Disposition)
	}
	c.differ(f.explainDMARC)
	return c
}
