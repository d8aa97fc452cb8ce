package insight

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf/narrow"
)

// ErrTooMuch is the error of evidence of more hosts than narrow.Parse reads.
var ErrTooMuch = errors.New("insight: more hosts than evidence may have")

// Evidence gives what package spf/narrow narrows an SPF record by: which address
// sent with which MAIL FROM domain, and whether the mail is the owner's.
//
// Legitimate is what passed SPF, and what the owner's sources sent without
// passing. What is forged is not. Mail that was sent on by others and mail that
// nobody can place is left out if SPF did not pass for it: no term of the record
// is used by it. Its messages are the second result.
func (q Query) Evidence(ctx context.Context) (narrow.Evidence, int64, error) {
	var e narrow.Evidence
	a, err := q.sources(ctx, nil)
	if err != nil {
		return e, 0, err
	}
	for _, t := range a.days {
		if t.Reports > 0 || t.Messages > 0 {
			e.Days++
		}
	}
	type id struct {
		ip     netip.Addr
		domain string
		legit  bool
	}
	sums := map[id]uint64{}
	var left int64
	for _, g := range q.groups(a.c) {
		if !q.named(g.id) {
			continue
		}
		for _, h := range g.hosts {
			for _, k := range h.kinds {
				legit, ok := legitimate(k, q.classify(a.c, g, h, k).class)
				if !ok || !h.addr.IsValid() || k.ownDomain == "" {
					left += k.counts.Messages
					continue
				}
				sums[id{h.addr.Unmap().WithZone(""), k.ownDomain, legit}] += uint64(k.counts.Messages)
			}
		}
	}
	for k, n := range sums {
		name, err := resolve.ParseName(k.domain)
		if err != nil {
			left += int64(n)
			continue
		}
		e.Hosts = append(e.Hosts, narrow.Host{IP: k.ip, Domain: name, Count: n, Legitimate: k.legit})
	}
	if len(e.Hosts) > narrow.MaxHosts {
		return narrow.Evidence{}, left, fmt.Errorf("%w: %d of %d; choose fewer domains or days", ErrTooMuch, len(e.Hosts), narrow.MaxHosts)
	}
	slices.SortFunc(e.Hosts, func(x, y narrow.Host) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), x.IP.Compare(y.IP), strings.Compare(x.Domain.String(), y.Domain.String()))
	})
	return e, left, nil
}

// legitimate tells whether mail is the owner's; false if it proves nothing about
// the record.
func legitimate(k *kind, c Class) (legit, ok bool) {
	switch {
	case c == Spoofing:
		return false, true
	case k.spfOwn == aggregate.Pass:
		return true, true
	case c == Own, c == Passing:
		return true, true
	}
	return false, false
}
