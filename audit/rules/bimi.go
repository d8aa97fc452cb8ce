package rules

import (
	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/bimi"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var bimiRules = []*audit.Rule{&bimiInvalid, &bimiNotEligible, &bimiPicture, &bimiEvidence}

var bimiDraft = audit.Ref{Title: "Brand Indicators for Message Identification (draft)", URL: "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/"}

// noLogo notes that the domain has no BIMI record, or declines.
func noLogo(c *audit.Case) bool {
	if gone(c) {
		return true
	}
	b := &c.Facts.Brand
	switch {
	case !b.Asked:
		c.NotApplicable("BIMI was not asked for")
	case b.Record.State != resolve.Present:
		c.NotApplicable("there is no BIMI record that is valid")
	case b.Record.Declined():
		c.NotApplicable("the domain declines BIMI")
	default:
		return false
	}
	return true
}

func bimiSubject(c *audit.Case) audit.Subject {
	d := &c.Facts.Brand.Record
	at, selector := d.Found, d.Selector
	if at.IsZero() {
		at = c.Facts.Domain
	}
	if selector == "" {
		selector = bimi.DefaultSelector
	}
	n, err := bimi.RecordName(at, selector)
	if err != nil {
		n = at
	}
	return audit.TXT(n)
}

const noLogoShown = "No receiver shows the logo. Delivery is not touched."
