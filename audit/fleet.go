package audit

import (
	"sync"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// KeyShared is the rule that [Fleet] reports.
const KeyShared ID = "DKIM020"

// Fleet finds what only several domains together show: a DKIM key that serves
// more than one of them. The zero value is ready; it is safe for concurrent use.
type Fleet struct {
	mu    sync.Mutex
	waits map[resolve.Name][]fleetKey // gathered, not yet reported
	first map[string]fleetKey         // by the hash of the key
}

// fleetKey is where a key stands.
type fleetKey struct {
	domain, name resolve.Name
	hash         string
}

// Note remembers the keys of a snapshot. It is called when the snapshot is there.
func (f *Fleet) Note(s *facts.Snapshot) {
	var keys []fleetKey
	for _, k := range s.DKIM.Results {
		// A key behind an alias is a provider's, who may use it for all customers.
		if len(k.Records) == 1 && k.Records[0].Usable() && k.Target.IsZero() && !k.Wildcard {
			keys = append(keys, fleetKey{s.Domain, k.Name, k.Records[0].Key.SHA256})
		}
	}
	if len(keys) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.waits == nil {
		f.waits = map[resolve.Name][]fleetKey{}
	}
	f.waits[s.Domain] = keys
}

// Report adds findings to a report for keys that stand in an earlier report of
// the run too. It is called in the order of the reports, so that a run always
// says the same.
func (f *Fleet) Report(r *Report, rules []Rule, opt Options) {
	f.mu.Lock()
	defer f.mu.Unlock()
	keys := f.waits[r.Domain]
	delete(f.waits, r.Domain)
	if f.first == nil {
		f.first = map[string]fleetKey{}
	}
	for _, k := range keys {
		o, ok := f.first[k.hash]
		switch {
		case !ok:
			f.first[k.hash] = k
		case o.domain != k.domain:
			r.add(rules, opt, KeyShared, TXT(k.name), "the key at "+k.name.String()+" is also that of "+o.domain.String()+", at "+o.name.String())
		}
	}
	sortFindings(r.Findings)
}

// add appends a finding that the engine itself makes, if its rule is chosen.
func (r *Report) add(rules []Rule, opt Options, id ID, at Subject, message string) {
	for i := range rules {
		if rules[i].ID != id || !Selected(&rules[i], opt.Only, opt.Skip) {
			continue
		}
		f := engineFinding(&rules[i], at, message)
		if opt.Suppressor != nil {
			opt.Suppressor.mark(&f, r.Domain, r.Started)
		}
		r.Findings = append(r.Findings, f)
	}
}
