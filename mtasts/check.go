package mtasts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// Coverage is a policy held against the MX hosts of a domain.
type Coverage struct {
	Hosts     []Host         // in the order given
	Uncovered []resolve.Name // hosts that no pattern matches
	Unused    []Pattern      // patterns that match no host: harmless, perhaps left over

	// Lost says that senders do not deliver to the uncovered hosts: the mode is
	// enforce. With All set that is every host, so no mail from them arrives.
	Lost bool
	All  bool
	Why  string // in words
}

// Host is one MX host and the pattern that covers it.
type Host struct {
	Name    resolve.Name
	Covered bool
	By      Pattern
}

// Check finds the MX hosts that a policy does not cover. For a domain without MX
// records the host is the domain itself (RFC 5321, Section 5.1). A null MX, given
// as the root, is no host.
func Check(p Policy, hosts []resolve.Name) Coverage {
	var c Coverage
	used := make([]bool, len(p.MX))
	for _, name := range hosts {
		if name.IsZero() || name.IsRoot() {
			continue
		}
		h := Host{Name: name}
		for i, m := range p.MX {
			if m.Match(name) {
				used[i] = true
				if !h.Covered {
					h.Covered, h.By = true, m
				}
			}
		}
		if !h.Covered && !slices.Contains(c.Uncovered, name) {
			c.Uncovered = append(c.Uncovered, name)
		}
		c.Hosts = append(c.Hosts, h)
	}
	for i, m := range p.MX {
		if !used[i] && !slices.Contains(c.Unused, m) {
			c.Unused = append(c.Unused, m)
		}
	}
	c.All = len(c.Hosts) > 0 && !slices.ContainsFunc(c.Hosts, func(h Host) bool { return h.Covered })
	// RFC 8461, Section 5: with enforce a host that does not match gets no mail.
	c.Lost = p.Mode == Enforce && len(c.Uncovered) > 0
	c.Why = c.words(p.Mode)
	return c
}

func (c Coverage) words(m Mode) string {
	switch {
	case len(c.Hosts) == 0:
		return "there is no MX host to cover"
	case len(c.Uncovered) == 0:
		return "the policy covers every MX host"
	case m == None:
		return "the mode is none, so senders do not compare the MX hosts"
	case c.Lost && c.All:
		return "the policy covers no MX host, so senders that follow it deliver no mail at all"
	case c.Lost:
		return fmt.Sprintf("the policy does not cover %s, so senders that follow it deliver nothing there", shortList(c.Uncovered))
	}
	return fmt.Sprintf("the policy does not cover %s: with the mode enforce mail would not be delivered there", shortList(c.Uncovered))
}

const maxNamed = 5 // hosts named in a sentence

func shortList(names []resolve.Name) string {
	var s []string
	for _, n := range names[:min(len(names), maxNamed)] {
		s = append(s, n.String())
	}
	if more := len(names) - len(s); more > 0 {
		s = append(s, fmt.Sprintf("%d more", more))
	}
	return strings.Join(s, ", ")
}

// Hash tells policies apart by what they say to senders: the SHA-256, in
// hexadecimal, of mode, max_age and patterns. Line endings, order and unknown keys
// make no difference. Of a policy that cannot be used it is the hash of the text.
func (p Policy) Hash() string {
	text := "text\n" + p.text
	if worst(p.Problems) == nil {
		var mx []string
		for _, m := range p.MX {
			mx = append(mx, m.String())
		}
		slices.Sort(mx)
		text = fmt.Sprintf("policy\n%s\n%d\n%s", p.Mode, p.MaxAge, strings.Join(slices.Compact(mx), "\n"))
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Version is what has to be remembered of a record and its policy to notice a
// change.
type Version struct {
	ID   string // of the record
	Hash string // see [Policy.Hash]
}

// Drift is how a version follows another.
type Drift string

// The drifts.
const (
	Same    Drift = "same"    // nothing changed
	Updated Drift = "updated" // the policy changed and so did the id
	Renewed Drift = "renewed" // only the id changed: senders fetch again for nothing
	Stale   Drift = "stale"   // the policy changed and the id did not: senders keep the old one
)

// DriftOf compares two versions, the earlier one first. Senders fetch a policy again
// when the id has changed (RFC 8461, Section 3.3), so a policy that changes under
// its id reaches them only when theirs expires.
func DriftOf(before, now Version) Drift {
	switch {
	case before == now:
		return Same
	case before.Hash == now.Hash:
		return Renewed
	case before.ID == now.ID:
		return Stale
	}
	return Updated
}
