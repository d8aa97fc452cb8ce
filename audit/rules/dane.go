package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/dane"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var daneRules = []*audit.Rule{&daneMismatch, &daneLookup, &daneUnusable, &daneInsecure, &danePartial, &daneFull}

// noTLSA notes that no MX host has TLSA records.
func noTLSA(c *audit.Case) bool {
	if noMX(c) {
		return true
	}
	for _, s := range c.Facts.Transport.DANE {
		if s.State == resolve.Present {
			return false
		}
		if s.State == resolve.Unavailable && s.Security != dane.Insecure {
			c.Unknown("the TLSA records of %s are unknown: %v", s.Host, s.Err)
		}
	}
	c.NotApplicable("no MX host has TLSA records")
	return true
}

func tlsaSubject(s dane.Set) audit.Subject {
	return audit.Subject{Name: s.Owner, Type: resolve.TypeTLSA, Term: s.Host.String()}
}

// unproven notes records of which it is unknown whether DNSSEC proves them.
func unproven(c *audit.Case, s dane.Set) bool {
	if s.Security != dane.Indeterminate {
		return false
	}
	if c.Facts.Transport.SecurityAsked {
		c.Unknown("whether DNSSEC proves the TLSA records of %s is unknown", s.Host)
	} else {
		c.Unknown("%s has TLSA records, and DNSSEC was not validated", s.Host)
	}
	return true
}
