// Package rdns finds the names of addresses by reverse DNS (RFC 1035, Section 3.5)
// and remembers them in an archive of reports.
//
// Reports name senders by address alone. A name tells an operator whose host it
// is, but a large archive has hundreds of thousands of addresses, most of them
// without a name: peers that look them up while they read reports stand still for
// hours. So names are asked for afterwards, by who wants them, the busiest
// addresses first, a bounded number at a time, and each answer is kept.
//
// For most uses, call [Fill] with the addresses in order of importance.
//
// Anybody can publish any name for an address. A name counts only if it leads back
// to the address.
package rdns

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailcheck-go/mailcheck/reports/archive"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Defaults and limits.
const (
	DefaultMax     = 1000                // addresses asked for in one call
	DefaultWorkers = 16                  // at a time
	DefaultAge     = 30 * 24 * time.Hour // that an answer is good for
	retryAfter     = 24 * time.Hour      // what was unavailable is asked for again
	maxNames       = 5                   // PTR records of one address that are confirmed
)

// Cache is the part of an archive that remembers names.
type Cache interface {
	Names(ctx context.Context, addrs []netip.Addr) ([]archive.Name, error)
	PutNames(ctx context.Context, names []archive.Name) error
}

// Options tune Fill. The zero value is fine but for Now.
type Options struct {
	Max     int
	Workers int
	Age     time.Duration
	// Now is when answers come; zero makes every remembered answer good.
	Now time.Time
}

// Result tells what Fill did.
type Result struct {
	Known       int `json:"known"` // remembered from before
	Asked       int `json:"asked"`
	Named       int `json:"named"`       // of Asked, with a confirmed name
	Unavailable int `json:"unavailable"` // of Asked, without an answer
	Left        int `json:"left"`        // over Max
}

// Fill asks for the names of the addresses that the cache does not know, and
// remembers the answers, also those that there is none. When ctx ends, what was
// found by then is kept, and the error is ctx's.
func Fill(ctx context.Context, r resolve.Resolver, cache Cache, addrs []netip.Addr, opt Options) (Result, error) {
	var out Result
	todo, err := unknown(ctx, cache, addrs, opt, &out)
	if err != nil {
		return out, err
	}
	limit := opt.Max
	if limit <= 0 {
		limit = DefaultMax
	}
	if out.Left = len(todo) - limit; out.Left > 0 {
		todo = todo[:limit]
	} else {
		out.Left = 0
	}
	found := make([]archive.Name, len(todo))
	var wg sync.WaitGroup
	next := make(chan int)
	workers := opt.Workers
	if workers <= 0 {
		workers = DefaultWorkers
	}
	for range min(workers, len(todo)) {
		wg.Go(func() {
			for i := range next {
				found[i] = Lookup(ctx, r, todo[i])
				found[i].At = opt.Now
			}
		})
	}
	sent := 0
send:
	for i := range todo {
		select {
		case next <- i:
			sent++
		case <-ctx.Done():
			break send
		}
	}
	close(next)
	wg.Wait()
	var keep []archive.Name
	for _, n := range found[:sent] {
		out.Asked++
		switch {
		case n.State == resolve.Unavailable.String():
			out.Unavailable++
			if ctx.Err() != nil {
				continue // it was not the name server's fault
			}
		case len(n.Names) > 0:
			out.Named++
		}
		keep = append(keep, n)
	}
	if len(keep) > 0 {
		// What was found is kept even though the caller has no time left.
		if err := cache.PutNames(context.WithoutCancel(ctx), keep); err != nil {
			return out, err
		}
	}
	return out, ctx.Err()
}

// unknown gives the addresses to ask for, each once.
func unknown(ctx context.Context, cache Cache, addrs []netip.Addr, opt Options, out *Result) ([]netip.Addr, error) {
	var list []netip.Addr
	seen := map[netip.Addr]bool{}
	for _, a := range addrs {
		if a = a.Unmap().WithZone(""); a.IsValid() && !seen[a] {
			seen[a] = true
			list = append(list, a)
		}
	}
	have, err := cache.Names(ctx, list)
	if err != nil {
		return nil, err
	}
	age := opt.Age
	if age <= 0 {
		age = DefaultAge
	}
	good := map[netip.Addr]bool{}
	for _, n := range have {
		keep := age
		if n.State == resolve.Unavailable.String() {
			keep = min(keep, retryAfter)
		}
		if opt.Now.IsZero() || opt.Now.Sub(n.At) < keep {
			good[n.Addr.Unmap()] = true
			out.Known++
		}
	}
	return slices.DeleteFunc(list, func(a netip.Addr) bool { return good[a] }), nil
}

// Lookup asks for the names of one address and confirms them. State is absent if
// there is no PTR record or none of its names leads back, and unavailable if a
// lookup failed that could have shown one.
func Lookup(ctx context.Context, r resolve.Resolver, addr netip.Addr) archive.Name {
	out := archive.Name{Addr: addr, State: resolve.Absent.String()}
	ans, err := r.Resolve(ctx, resolve.Question{Name: reverse(addr), Type: resolve.TypePTR})
	if err != nil {
		out.State = resolve.StateOf(err).String()
		return out
	}
	typ := resolve.TypeA
	if addr.Is6() {
		typ = resolve.TypeAAAA
	}
	open := false
	hosts := ans.Hosts()
	for _, h := range hosts[:min(len(hosts), maxNames)] {
		back, err := r.Resolve(ctx, resolve.Question{Name: h.Name, Type: typ})
		if err != nil {
			open = open || resolve.StateOf(err) == resolve.Unavailable
			continue
		}
		for _, a := range back.Addrs() {
			if a.Addr == addr {
				out.Names = append(out.Names, h.Name.String())
				break
			}
		}
	}
	switch {
	case len(out.Names) > 0:
		out.State = resolve.Present.String()
	case open:
		out.State = resolve.Unavailable.String()
	}
	return out
}

// reverse is the name that the PTR records of an address are at (RFC 1035, Section
// 3.5; RFC 3596, Section 2.5).
func reverse(a netip.Addr) resolve.Name {
	var b strings.Builder
	if a.Is4() {
		v := a.As4()
		b.WriteString(netip.AddrFrom4([4]byte{v[3], v[2], v[1], v[0]}).String() + ".in-addr.arpa")
	} else {
		const hex = "0123456789abcdef"
		v := a.As16()
		for i := len(v) - 1; i >= 0; i-- {
			b.Write([]byte{hex[v[i]&15], '.', hex[v[i]>>4], '.'})
		}
		b.WriteString("ip6.arpa")
	}
	return resolve.MustName(b.String())
}
