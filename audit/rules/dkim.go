package rules

import (
	"fmt"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/dkim"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/resolve"
)

var dkimRules = []*audit.Rule{
	&dkimMissing, &dkimSelectorMissing, &dkimMultiple, &dkimUnreadable, &dkimRevoked, &dkimWeakKey, &dkimTestFlag, &dkimDangling,
	&dkimWildcard, &dkimNotForMail, &dkimPrivateKey, &dkimEd25519Only, &dkimFlaws, &dkimMisplaced, &dkimSharedKey,
	&dkimOldKey, &dkimLargeAnswer, &dkimDelegated, &dkimObsoletePolicy, &dkimKeyShared,
}

// selectorSubject is the TXT record of a selector.
func selectorSubject(k dkim.Result) audit.Subject {
	return audit.Subject{Name: k.Name, Type: resolve.TypeTXT}
}

// eachKey calls f for the key record of every selector that has exactly one;
// several records at a selector are a fault of their own.
func eachKey(c *audit.Case, f func(k dkim.Result, r dkim.Record)) {
	if gone(c) {
		return
	}
	n := 0
	for _, k := range c.Facts.DKIM.Results {
		if k.State == resolve.Unavailable {
			c.Unknown("the key of selector %s is unknown: %v", k.Selector, k.Err)
			continue
		}
		if len(k.Texts) == 1 && len(k.Records) == 1 && !k.Wildcard {
			n++
			f(k, k.Records[0])
		}
	}
	if n == 0 {
		c.NotApplicable("no selector with one key record is known")
	}
}

// problem finds the first problem of a record of one of the kinds.
func problem(r dkim.Record, kinds ...dkim.Kind) (dkim.Problem, bool) {
	for _, p := range r.Problems {
		for _, k := range kinds {
			if p.Kind == k {
				return p, true
			}
		}
	}
	return dkim.Problem{}, false
}

// sends reports whether the domain is known, or not known not, to send.
func sends(s *facts.Snapshot) bool { return s.Kind == facts.Sends || s.Kind == facts.Undecided }

// replaceKey edits the one key record of a selector.
func replaceKey(s *facts.Snapshot, f audit.Finding, edit func(dkim.Record) (dkim.Record, bool), why string) []fix.Edit {
	for _, k := range s.DKIM.Results {
		if k.Name != f.Subject.Name || len(k.Records) != 1 || !k.Target.IsZero() {
			continue
		}
		n, ok := edit(k.Records[0])
		if !ok {
			return nil
		}
		return []fix.Edit{{Name: k.Name, Type: resolve.TypeTXT, Op: fix.ReplaceRecord, Record: k.Records[0].Text, Value: n.String(), Why: why}}
	}
	return nil
}

// quoteShort shows a piece of foreign text.
func quoteShort(text string) string {
	const limit = 60
	if len(text) > limit {
		return fmt.Sprintf("%q…", text[:limit])
	}
	return fmt.Sprintf("%q", text)
}
