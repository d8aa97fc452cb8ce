// Package probe looks at the hosts that take a domain's mail (RFC 5321,
// Section 5; RFC 3207; RFC 8314): can they be reached, what do they say, do they
// offer TLS, and what certificate do they show.
//
// Mail that is late or lost often has its cause here and not in DNS: a host that
// answers on IPv4 only, a certificate for another name, a STARTTLS that breaks
// off. An operator has to know which host, which address, and at which step.
//
// For most uses, call [MX] with a resolver and a domain. [Address] looks at one
// address. What they return is what was seen and no judgement beyond it: whether
// a certificate matters depends on DANE and MTA-STS, which have packages of their
// own, and the chain is there for them ([smtp.Session], [smtp.Chain.DER]).
//
// # Three states
//
// Everything is accepted, refused or unknown. A timeout is unknown. So is all
// behind a network that lets no connection to port 25 out: when nothing answers,
// [Options.Control] names hosts that certainly do, and if they are silent too,
// the path is [Blocked] and no host is blamed. [Paths] finds that out beforehand,
// for a run over many domains. The same holds for IPv6 on a
// machine without it, and for a middlebox that removes STARTTLS.
//
// # Manners
//
// A probe says EHLO, STARTTLS, EHLO and QUIT. It names no sender and no
// recipient, so it can neither send nor guess addresses, and it holds one
// connection to an address at a time. Addresses that are not public are refused
// when they are dialed, unless [Options.Allow] lists them.
package probe
