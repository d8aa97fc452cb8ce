package facts

import (
	"errors"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Fact is one thing known, or not. Value means nothing unless State is Present.
type Fact[T any] struct {
	State resolve.State
	Value T
	Err   error            // why it is Absent or Unavailable
	Trace []resolve.Answer // what shows it
}

// Set is a set of facts that a rule needs.
type Set uint32

// The facts.
const (
	Existence    Set = 1 << iota // does the domain exist
	MX                           // its MX records
	MXHosts                      // the addresses of the MX hosts
	SPF                          // its SPF record
	SPFTree                      // all that the SPF record includes
	DMARC                        // the DMARC policy that applies
	DMARCReports                 // the destinations of its reports
	DKIM                         // the keys under the selectors asked
	Senders                      // PTR and SPF result of the given addresses
	STS                          // its MTA-STS record
	STSPolicy                    // its MTA-STS policy, if one was asked for
	TLSRPT                       // its TLS-RPT record
	TLSA                         // the TLSA records of the MX hosts
	MailHosts                    // what the mail hosts show, if they were talked to
	NameServers                  // the name servers of the zone, if they were asked
	DNSSEC                       // DNSSEC validation, if it was made
	Zone                         // the zone around the mail records
	Logo                         // its BIMI record, and what that leads to
	BlockLists                   // block lists, if they were asked

	lastFact = BlockLists
)

// Network are the facts that need more than questions to a resolver.
const Network = STSPolicy | MailHosts | NameServers | DNSSEC | Logo

var setNames = []string{"the domain itself", "MX", "addresses of the MX hosts", "SPF record",
	"the records that SPF includes", "DMARC policy", "DMARC report destinations", "DKIM keys", "sending addresses",
	"MTA-STS record", "MTA-STS policy", "TLS-RPT record", "TLSA records", "mail hosts", "name servers", "DNSSEC validation", "the zone", "BIMI record", "block lists"}

// String lists the facts in words.
func (s Set) String() string {
	var out []string
	for i, n := range setNames {
		if s&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return strings.Join(out, ", ")
}

// Missing tells which of the needed facts are unavailable; the error is the
// cause of the first.
func (s *Snapshot) Missing(need Set) (Set, error) {
	var missing Set
	var cause error
	for bit := Existence; bit <= lastFact; bit <<= 1 {
		if need&bit == 0 {
			continue
		}
		if err, ok := s.gaps[bit]; ok {
			missing |= bit
			if cause == nil {
				cause = err
			}
		}
	}
	return missing, cause
}

// gap notes that a fact is unavailable.
func (s *Snapshot) gap(bit Set, err error) {
	if err == nil {
		err = errors.New("unavailable")
	}
	if _, ok := s.gaps[bit]; !ok {
		s.gaps[bit] = err
	}
}
