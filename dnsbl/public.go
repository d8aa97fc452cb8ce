package dnsbl

import "net/netip"

// publicResolvers are well-known resolvers that anybody may ask. Operators of lists
// see all their users as one, and most do not answer them.
var publicResolvers = []struct {
	name     string
	prefixes []netip.Prefix
}{
	{"Google", prefixes("8.8.8.0/24", "8.8.4.0/24", "2001:4860:4860::/48")},
	{"Cloudflare", prefixes("1.1.1.0/24", "1.0.0.0/24", "2606:4700:4700::/48")},
	{"Quad9", prefixes("9.9.9.0/24", "149.112.112.0/24", "149.112.121.0/24", "2620:fe::/48")},
	{"OpenDNS", prefixes("208.67.222.0/24", "208.67.220.0/24", "2620:119:35::/48", "2620:119:53::/48")},
	{"AdGuard", prefixes("94.140.14.0/24", "94.140.15.0/24", "2a10:50c0::/32")},
	{"CleanBrowsing", prefixes("185.228.168.0/24", "185.228.169.0/24", "2a0d:2a00:1::/48", "2a0d:2a00:2::/48")},
	{"Verisign", prefixes("64.6.64.0/24", "64.6.65.0/24")},
	{"Level 3", prefixes("4.2.2.0/24", "209.244.0.0/24")},
	{"Control D", prefixes("76.76.2.0/24", "76.76.10.0/24", "2606:1a40::/32")},
	{"DNS4EU", prefixes("86.54.11.0/24", "2a13:1001::/32")},
	{"DNS.SB", prefixes("185.222.222.0/24", "45.11.45.0/24")},
	{"AliDNS", prefixes("223.5.5.0/24", "223.6.6.0/24", "2400:3200::/32")},
	{"DNSPod", prefixes("119.29.29.0/24", "119.28.28.0/24")},
	{"Yandex", prefixes("77.88.8.0/24", "2a02:6b8::feed:0/112")},
	{"Hurricane Electric", prefixes("74.82.42.42/32", "2001:470:20::2/128")},
	{"Comodo", prefixes("8.26.56.0/24", "8.20.247.0/24")},
}

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// PublicResolver names the operator of a well-known public resolver; ok is false
// for other addresses, of which nothing is known.
func PublicResolver(addr netip.Addr) (operator string, ok bool) {
	addr = addr.WithZone("").Unmap()
	for _, r := range publicResolvers {
		for _, p := range r.prefixes {
			if p.Contains(addr) {
				return r.name, true
			}
		}
	}
	return "", false
}
