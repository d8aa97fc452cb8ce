package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/tlsrpt"
)

var tlsrptRules = []*audit.Rule{&tlsrptMultiple, &tlsrptInvalid, &tlsrptMissing}

// tlsrptRecords are the texts that reporters take for records.
func tlsrptRecords(s *facts.Snapshot) []tlsrpt.Found {
	var out []tlsrpt.Found
	for _, f := range s.Transport.TLSRPT.Found {
		if f.TLSRPT {
			out = append(out, f)
		}
	}
	return out
}

func tlsrptSubject(s *facts.Snapshot) audit.Subject { return audit.TXT(s.Transport.TLSRPT.Name) }

// meantTLSRPT reports a text that was meant as a record and that reporters discard.
func meantTLSRPT(f tlsrpt.Found) bool {
	for _, p := range f.Record.Problems {
		switch p.Kind {
		case tlsrpt.Case, tlsrpt.NotFirst, tlsrpt.Quoted:
			return true
		}
	}
	return false
}

const noReports = "No reports on TLS arrive, so a certificate that expired on one of several mail hosts is noticed late. Mail itself is not touched."
