package dane

import (
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const maxChain = 32 // certificates of a chain that are looked at

// Verdict is what a sender that follows DANE makes of a host (RFC 7672, Section
// 2.2).
type Verdict string

// The verdicts.
const (
	Authenticated   Verdict = "authenticated"   // a record matches: mail goes out
	Failed          Verdict = "failed"          // no usable record matches: the sender keeps the mail
	Unauthenticated Verdict = "unauthenticated" // no record is usable: TLS is a must, with any certificate
	NotApplicable   Verdict = "not-applicable"  // no records, or not secure: TLS if it is offered
	Broken          Verdict = "broken"          // DNSSEC fails: the sender keeps the mail
	Undetermined    Verdict = "undetermined"    // not found out: see Result.IfSecure
)

// Outcome is what became of one record.
type Outcome string

// The outcomes.
const (
	Match      Outcome = "match"
	Mismatch   Outcome = "mismatch"    // no certificate that counts has this data
	Unusable   Outcome = "unusable"    // see Record.Unusable
	Outranked  Outcome = "outranked"   // not looked at, as the same comes with a stronger digest
	ChainFails Outcome = "chain-fails" // the issuer is there, and did not issue the server's certificate
	NameFails  Outcome = "name-fails"  // the issuer is right, the name is not
	Expired    Outcome = "expired"     // the issuer is right, a certificate is expired or not valid yet
)

// RecordResult is one record held against a chain.
type RecordResult struct {
	Record  Record
	Outcome Outcome
	Depth   int    // of the certificate with this data in the chain, 0 the server's own; -1 if none has
	Why     string // in words
}

// Result is the outcome of [Verify].
type Result struct {
	Verdict  Verdict
	IfSecure Verdict // what it would be if DNSSEC proved the records
	Matched  int     // index of the first record that matches, -1 if none does
	Records  []RecordResult
	Why      string // in words

	// Facts of the server's certificate that usage 3 does not look at.
	Expired      bool // or not valid yet
	NameMismatch bool
}

// Verify holds the records of a host against the chain it presented, its own
// certificate first. names are those that a certificate under usage 2 may be for:
// the TLSA base domain, and the domain of the mail if its MX records are secure
// (RFC 7672, Section 3.2.2). An empty chain stands for a host without STARTTLS.
func Verify(set Set, chain []*x509.Certificate, names []resolve.Name, now time.Time) Result {
	res := Result{Matched: -1}
	chain = chain[:min(len(chain), maxChain)]
	if len(chain) > 0 {
		res.Expired = outside(chain[0], now)
		res.NameMismatch = len(names) > 0 && !covers(chain[0], names)
	}
	usable := 0
	strongest := strongestDigests(set.Records)
	for i, r := range set.Records {
		rr := RecordResult{Record: r, Depth: -1}
		switch why := r.Unusable(); {
		case why != "":
			rr.Outcome, rr.Why = Unusable, why
		case r.Matching != Full && r.Matching < strongest[kind{r.Usage, r.Selector}]:
			// RFC 7671, Section 9: only the strongest digest counts.
			usable++
			rr.Outcome = Outranked
			rr.Depth = findDepth(r, chain)
			rr.Why = fmt.Sprintf("a %s digest stands beside it and counts alone", strongest[kind{r.Usage, r.Selector}])
		case r.Usage == DANEEE:
			usable++
			rr.endEntity(chain)
		default:
			usable++
			rr.anchor(chain, names, now)
		}
		if rr.Outcome == Match && res.Matched < 0 {
			res.Matched = i
		}
		res.Records = append(res.Records, rr)
	}
	res.judge(set, usable, len(chain) > 0)
	return res
}

// judge chooses the verdict.
func (res *Result) judge(set Set, usable int, tls bool) {
	switch {
	case len(res.Records) == 0:
		res.IfSecure, res.Why = NotApplicable, "there are no TLSA records"
	case usable == 0 && tls:
		res.IfSecure, res.Why = Unauthenticated, "no TLSA record is usable: TLS is needed, and any certificate will do"
	case !tls:
		res.IfSecure, res.Why = Failed, "the host offers no TLS, which its TLSA records demand"
	case res.Matched >= 0:
		res.IfSecure, res.Why = Authenticated, "a TLSA record matches"
	default:
		res.IfSecure, res.Why = Failed, "no TLSA record matches the certificate"
	}
	res.Verdict = res.IfSecure
	known := len(res.Records) > 0 || set.State == resolve.Absent
	switch {
	case set.Security == Bogus:
		res.Verdict, res.Why = Broken, "DNSSEC validation fails, so senders that follow DANE keep the mail"
	case set.Security == Insecure:
		res.Verdict, res.Why = NotApplicable, "unusable without DNSSEC, so senders do as if there were no TLSA records"
		if len(res.Records) == 0 {
			res.Why = "there is no DNSSEC, so there is no DANE"
		}
	case !known:
		res.Verdict, res.IfSecure, res.Why = Undetermined, Undetermined, "whether there are TLSA records is unknown"
	case len(res.Records) == 0:
		// Without records there is nothing to prove.
	case set.Security == Indeterminate:
		res.Verdict, res.Why = Undetermined, "whether DNSSEC proves the TLSA records is unknown; if it does, "+res.Why
	}
}

type kind struct {
	Usage    Usage
	Selector Selector
}

// strongestDigests finds the strongest digest of each sort of record. A higher
// number is the stronger one of those that are known.
func strongestDigests(records []Record) map[kind]Matching {
	out := map[kind]Matching{}
	for _, r := range records {
		if k := (kind{r.Usage, r.Selector}); r.Unusable() == "" {
			out[k] = max(out[k], r.Matching)
		}
	}
	return out
}

// endEntity compares with the server's own certificate (RFC 7672, Section 3.1.1):
// its names and dates do not count.
func (rr *RecordResult) endEntity(chain []*x509.Certificate) {
	rr.Depth = findDepth(rr.Record, chain)
	switch {
	case rr.Depth == 0:
		rr.Outcome, rr.Why = Match, "it is the server's certificate"
		if rr.Record.Selector == SPKI {
			rr.Why = "it is the key of the server's certificate"
		}
	case rr.Depth > 0:
		rr.Outcome, rr.Why = Mismatch, fmt.Sprintf("it is an issuer, certificate %d of the chain: usage 2 was probably meant", rr.Depth)
	case len(chain) == 0:
		rr.Outcome, rr.Why = Mismatch, "no certificate was presented"
	default:
		rr.Outcome, rr.Why = Mismatch, "it is not the server's certificate"
		if rr.Record.Selector == SPKI {
			rr.Why = "it is not the key of the server's certificate"
		}
	}
}

func findDepth(r Record, chain []*x509.Certificate) int {
	for i, c := range chain {
		if r.matches(c) {
			return i
		}
	}
	return -1
}

// outside reports whether a certificate is expired or not valid yet.
func outside(c *x509.Certificate, now time.Time) bool {
	return now.Before(c.NotBefore) || now.After(c.NotAfter)
}

// covers reports whether a certificate is for one of the names (RFC 7672, Section
// 3.2.3): its DNS names count, and its common name only if it has none.
func covers(c *x509.Certificate, names []resolve.Name) bool {
	have := c.DNSNames
	if len(have) == 0 && c.Subject.CommonName != "" {
		have = []string{c.Subject.CommonName}
	}
	for _, h := range have {
		rest, wildcard := strings.CutPrefix(h, "*.")
		n, err := resolve.NameFromText(rest)
		if err != nil {
			continue
		}
		for _, name := range names {
			// RFC 7672, Section 3.2.3: a wildcard is the whole first label and stands for one.
			if !wildcard && n == name || wildcard && name.Parent() == n {
				return true
			}
		}
	}
	return false
}
