package insight

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// By tells how a source got its name.
type By string

// Ways, the surest first.
const (
	ByLabel      By = "label"       // the owner's word
	BySPF        By = "spf"         // the owner's SPF record authorizes the address
	ByPTR        By = "reverse-dns" // its name, confirmed
	ByReturnPath By = "return-path" // a domain whose SPF passed for the address
	BySignature  By = "signature"   // a domain whose signature passed
	ByNetwork    By = "network"     // nothing else is known
)

// identity is who a host belongs to.
type identity struct {
	key      string // groups hosts
	name     string
	by       By
	provider providers.Provider // ID is empty if none is known
	own      bool               // a host of the owner's
}

// identify finds a name for a host: by what it proved, and else by where it is.
func (q Query) identify(c *collector, h *host) identity {
	org := c.org(h.domain)
	live := q.Live.of(h.domain)
	if ok, inc := live.authorizes(h.addr); ok {
		switch {
		case inc == nil:
			return q.ownHost(c, h, BySPF)
		case inc.known:
			return ofProvider(inc.provider, BySPF)
		}
	}
	for _, n := range h.names {
		if n = clean(n); c.org(n) == org {
			return q.ownHost(c, h, ByPTR)
		}
		if p, ok := providerOf(n, providers.ByPTR); ok {
			return ofProvider(p, ByPTR)
		}
	}
	spf, sig := h.foreign(func(k *kind) string { return k.foreignSPF }), h.foreign(func(k *kind) string { return k.foreignSig })
	for _, d := range spf {
		if p, ok := providerOf(d, providers.ByReturnPath); ok {
			return ofProvider(p, ByReturnPath)
		}
	}
	for _, d := range sig {
		// A signature that passes proves the domain as a confirmed name does.
		for _, find := range finders {
			if p, ok := providerOf(d, find); ok {
				return ofProvider(p, BySignature)
			}
		}
	}
	if p, ok := q.signer(h); ok {
		return ofProvider(p, BySignature)
	}
	for _, n := range h.names {
		o := c.org(clean(n))
		return identity{key: "name:" + o, name: o, by: ByPTR}
	}
	for _, d := range spf {
		o := c.org(d)
		return identity{key: "name:" + o, name: o, by: ByReturnPath}
	}
	if h.spfPassed() {
		return q.ownHost(c, h, ByReturnPath)
	}
	return byNetwork(h)
}

// ownHost is a host that the owner authorized: each network is a source.
func (q Query) ownHost(c *collector, h *host, by By) identity {
	org := c.org(h.domain)
	for _, n := range h.names {
		if n = clean(n); c.org(n) == org {
			return identity{key: "own:" + n, name: n, by: by, own: true}
		}
	}
	id := byNetwork(h)
	if len(h.names) > 0 {
		o := c.org(clean(h.names[0]))
		id = identity{key: "name:" + o, name: o}
	}
	id.key, id.by, id.own = "own:"+id.key, by, true
	return id
}

func byNetwork(h *host) identity {
	if !h.addr.IsValid() {
		return identity{key: "none", name: "no usable address", by: ByNetwork}
	}
	n := network(h.addr).String()
	return identity{key: "net:" + n, name: n, by: ByNetwork}
}

func ofProvider(p providers.Provider, by By) identity {
	return identity{key: "provider:" + p.ID, name: p.Name, by: by, provider: p}
}

// signer finds the provider whose key a passing signature of the owner's has, by
// the target of its CNAME.
func (q Query) signer(h *host) (providers.Provider, bool) {
	if q.Live == nil {
		return providers.Provider{}, false
	}
	for _, k := range h.kinds {
		for _, key := range k.keys {
			if r, ok := q.Live.key(key); ok && !r.Target.IsZero() {
				if p, ok := providers.BySelectorTarget(r.Target); ok {
					return p, true
				}
			}
		}
	}
	return providers.Provider{}, false
}

// finders name the owner of a domain that authenticated.
var finders = []func(resolve.Name) (providers.Provider, bool){providers.ByReturnPath, providers.ByPTR, providers.BySelectorTarget}

func providerOf(name string, find func(resolve.Name) (providers.Provider, bool)) (providers.Provider, bool) {
	n, err := resolve.NameFromText(name)
	if err != nil {
		return providers.Provider{}, false
	}
	return find(n)
}

// foreign lists the other people's domains that passed, the most used first.
func (h *host) foreign(of func(*kind) string) []string {
	sums := map[string]int64{}
	var out []string
	for _, k := range h.kinds {
		if d := of(k); d != "" {
			if sums[d] == 0 {
				out = append(out, d)
			}
			sums[d] += k.counts.Messages + 1
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if sums[a] != sums[b] {
			return int(max(-1, min(1, sums[b]-sums[a])))
		}
		return strings.Compare(a, b)
	})
	return out
}

// spfPassed reports whether SPF passed for a domain of the owner's, aligned.
func (h *host) spfPassed() bool {
	return slices.ContainsFunc(h.kinds, func(k *kind) bool { return k.spf && k.counts.Messages > 0 })
}

func clean(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// private reports addresses that no mail on the Internet comes from (RFC 6890): a
// receiver that reports them saw a relay of its own.
func private(a netip.Addr) bool {
	return a.IsValid() && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast())
}
