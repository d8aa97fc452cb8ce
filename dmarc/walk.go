package dmarc

import (
	"context"
	"fmt"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxQueries is the number of names that one tree walk asks at most (RFC 9989,
// Section 4.10).
const MaxQueries = 8

const (
	label = "_dmarc" // RFC 9989, Section 4.1

	// Limits for a hostile answer.
	maxRecords = 6000 // TXT records looked at: more than a message of 64 KB holds
	maxKept    = 20   // texts kept as evidence
)

// Step is one name of a tree walk (RFC 9989, Section 4.10).
type Step struct {
	Domain resolve.Name   // the domain whose record is sought
	Name   resolve.Name   // the name asked, _dmarc below it
	State  resolve.State  // of TXT records at Name, whatever they are
	Answer resolve.Answer // evidence, CNAMEs among it
	Err    error          // why State is not Present

	Record  Record     // the record, if Usable
	Usable  bool       // there is exactly one DMARC record
	Several []string   // the first 20 DMARC records, when there are several and all are discarded
	Misses  []NearMiss // the first 20 TXT records that are no DMARC record

	Stops  bool   // its psd tag ended the walk
	Chosen bool   // its record is the one that applies to the domain walked from
	Note   string // in words, what came of asking

	count int // DMARC records at Name
}

// NearMiss is a TXT record at a _dmarc name that is no DMARC record.
type NearMiss struct {
	Text  string // foreign text
	Class Class
}

// walkDomains lists the domains that a tree walk from start asks, at most
// MaxQueries (RFC 9989, Section 4.10, steps 1, 3, 4 and 7).
func walkDomains(start resolve.Name) []resolve.Name {
	if start.IsZero() || start.IsRoot() {
		return nil
	}
	list := []resolve.Name{start}
	target := start.Parent()
	if start.NumLabels() > MaxQueries {
		target = start.Suffix(MaxQueries - 1)
	}
	for ; !target.IsRoot(); target = target.Parent() {
		list = append(list, target)
	}
	return list
}

// walk asks all the domains of the walk at once and keeps the steps that the
// algorithm takes: up to the first record with psd=y or psd=n. A step past that
// is dropped, whatever became of its query.
func walk(ctx context.Context, r resolve.Resolver, start resolve.Name) []Step {
	domains := walkDomains(start)
	steps := make([]Step, len(domains))
	var wg sync.WaitGroup
	for i, d := range domains {
		wg.Go(func() { steps[i] = ask(ctx, r, d) })
	}
	wg.Wait()
	for i := range steps {
		if psd := steps[i].Record.PSD; steps[i].Usable && (psd == "y" || psd == "n") {
			// RFC 9989, Section 4.10, steps 2 and 6: psd=y and psd=n end the walk.
			steps[i].Stops = true
			steps[i].Note += fmt.Sprintf("; psd=%s ends the walk", psd)
			return steps[:i+1]
		}
	}
	return steps
}

// ask looks for the record of one domain (RFC 9989, Section 4.10, steps 1 and 2).
func ask(ctx context.Context, r resolve.Resolver, domain resolve.Name) Step {
	s := Step{Domain: domain}
	name, err := domain.Below(label)
	if err != nil {
		// No name, no query, no record: receivers cannot ask it either.
		s.State, s.Err, s.Note = resolve.Absent, err, "the name is too long to have a record"
		return s
	}
	s.Name = name
	s.Answer, s.Err = r.Resolve(ctx, resolve.Question{Name: name, Type: resolve.TypeTXT})
	s.State = resolve.StateOf(s.Err)
	switch s.State {
	case resolve.Absent:
		s.Note = "no record"
	case resolve.Unavailable:
		s.Note = fmt.Sprintf("unknown: %v", resolve.ReasonOf(s.Err))
	default:
		s.sort()
	}
	if n := len(s.Answer.Chain); n > 0 {
		s.Note += fmt.Sprintf(" (alias of %s)", s.Answer.Owner())
	}
	return s
}

// sort keeps the DMARC records of the answer apart from the rest.
func (s *Step) sort() {
	var texts []string
	for i, t := range s.Answer.TXT() {
		if i == maxRecords {
			break
		}
		text := t.Joined()
		if c := Classify(text); c != ClassRecord {
			if len(s.Misses) < maxKept {
				s.Misses = append(s.Misses, NearMiss{text, c})
			}
			continue
		}
		if s.count++; s.count <= maxKept {
			texts = append(texts, text)
		}
	}
	switch s.count {
	case 0:
		s.Note = "TXT records, but none for DMARC"
	case 1:
		s.Record, _ = Parse(texts[0]) // a text of ClassRecord has no error but its length, which no answer has
		s.Usable, s.Note = true, "a record"
	default:
		// RFC 9989, Section 4.10, steps 2 and 6: of several records none counts.
		s.Several = texts
		s.Note = fmt.Sprintf("%d records, so all are discarded", s.count)
	}
}

// Organization is the organizational domain of a name.
type Organization struct {
	State  resolve.State // Present, or Unavailable when a lookup failed that could change it
	Domain resolve.Name  // zero if unavailable
	Err    error         // the failure
	Steps  []Step        // the names asked, in the order of the walk
	Why    string        // in words
}

// OrganizationalDomain finds the organizational domain of a name by a tree walk
// of its own (RFC 9989, Section 4.10.2). Two names belong to the same
// organization, and are aligned when relaxed, if it is the same for both.
func OrganizationalDomain(ctx context.Context, r resolve.Resolver, name resolve.Name) Organization {
	if name.IsZero() || name.IsRoot() {
		return Organization{Err: errNoDomain, Why: errNoDomain.Error()}
	}
	return selectOrganization(name, walk(ctx, r, name))
}

// selectOrganization reads the steps of a walk that began at start.
func selectOrganization(start resolve.Name, steps []Step) Organization {
	o := Organization{Steps: steps}
	for i := range steps {
		if steps[i].State == resolve.Unavailable {
			o.Err = steps[i].Err
			o.Why = fmt.Sprintf("the record of %s could not be read", steps[i].Domain)
			return o
		}
	}
	o.State, o.Domain, o.Why = resolve.Present, start, "no record was found on the way up, so the name stands for itself"
	for i := range steps {
		s := &steps[i]
		if !s.Usable {
			continue
		}
		// RFC 9989, Section 4.10.2: psd=n settles it; psd=y, but not at the start,
		// means one label below; otherwise the fewest labels win. The walk goes from
		// the longest name to the shortest, so later steps overwrite earlier ones.
		switch {
		case s.Record.PSD == "n":
			o.Domain, o.Why = s.Domain, fmt.Sprintf("%s says psd=n", s.Domain)
			return o
		case s.Record.PSD == "y" && s.Domain != start:
			o.Domain = start.Suffix(s.Domain.NumLabels() + 1)
			o.Why = fmt.Sprintf("%s says psd=y, so the domain one label below it counts", s.Domain)
			return o
		}
		o.Domain, o.Why = s.Domain, fmt.Sprintf("%s is the shortest name with a record", s.Domain)
	}
	return o
}
