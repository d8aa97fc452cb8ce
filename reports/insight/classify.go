package insight

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/providers"
)

// Thresholds of the classes. They are ours.
const (
	// A forger sends a burst; what comes from one address for longer, seen by
	// several receivers, may be a server that was forgotten.
	steadyDays      = 7
	steadyReporters = 3
	// A forwarder is seen by those it forwards to.
	forwardReporters = 5
)

// group is the hosts of one policy domain that share a name.
type group struct {
	domain string
	id     identity
	hosts  []*host

	messages   int64
	authorized bool // SPF passes for the owner, by what was seen or by what is published
	signed     bool // mail left it with a signature of the owner's that held
	label      *Label
}

// nearKey is a network in which a host of the owner's is.
type nearKey struct {
	domain string
	net    netip.Prefix
}

// groups names the hosts and puts them together.
func (q Query) groups(c *collector) []*group {
	at := map[[2]string]*group{}
	var out []*group
	hosts := c.sorted()
	c.near, c.used = map[nearKey]bool{}, map[*Label]bool{}
	for _, h := range hosts {
		if ok, _ := q.Live.of(h.domain).authorizes(h.addr); (ok || h.spfPassed()) && h.addr.IsValid() {
			c.near[nearKey{h.domain, network(h.addr)}] = true
		}
	}
	for _, h := range hosts {
		id := q.identify(c, h)
		label := q.label(h, id)
		c.used[label] = true
		if label != nil && label.Class == Spoofing {
			id.key += ":spoofing" // a part of a source can be somebody else's
		}
		g := at[[2]string{h.domain, id.key}]
		if g == nil {
			g = &group{domain: h.domain, id: id, label: label}
			at[[2]string{h.domain, id.key}] = g
			out = append(out, g)
		}
		g.hosts = append(g.hosts, h)
		g.messages += h.counts.Messages
		if ok, _ := q.Live.of(h.domain).authorizes(h.addr); ok || h.spfPassed() {
			g.authorized = true
		}
		for _, k := range h.kinds {
			if k.dkim && !plainForward(k) {
				g.signed = true
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *group) int { return cmp.Compare(b.messages, a.messages) })
	return out
}

// unmatched lists the labels that fit no host.
func (q Query) unmatched(c *collector) []string {
	out := []string{}
	for i := range q.Labels {
		if !c.used[&q.Labels[i]] {
			out = append(out, q.Labels[i].Source)
		}
	}
	return out
}

// label finds the owner's word on a host: of several the most exact, an address
// before its network and that before a name, and else the first.
func (q Query) label(h *host, id identity) (best *Label) {
	exact := -1
	for i := range q.Labels {
		l := &q.Labels[i]
		if l.Domain != "" && l.Domain != h.domain {
			continue
		}
		bits := -1
		if strings.EqualFold(l.Source, id.name) || id.provider.ID != "" && strings.EqualFold(l.Source, id.provider.ID) {
			bits = 0
		}
		if p, err := netip.ParsePrefix(l.Source); err == nil && p.Contains(h.addr) {
			bits = p.Bits()
		}
		if a, err := netip.ParseAddr(l.Source); err == nil && a.Unmap() == h.addr {
			bits = a.Unmap().BitLen()
		}
		if bits > exact {
			best, exact = l, bits
		}
	}
	return best
}

// plainForward reports whether mail came as it does through a host that passes it
// on unchanged: our signature holds, and MAIL FROM is still ours, from an address
// that is not.
func plainForward(k *kind) bool {
	if k.spf || !k.dkim {
		return false
	}
	switch k.spfOwn {
	case aggregate.Fail, aggregate.SoftFail, aggregate.Neutral:
		return true
	}
	return false
}

// classify says what the mail of one kind is. The order is that of how much each
// fact proves.
func (q Query) classify(c *collector, g *group, h *host, k *kind) verdict {
	if k.spf && !k.dkim && g.label != nil && g.label.Class == Spoofing {
		return say(Spoofing, High, "you said so of "+g.label.Source, "SPF passes all the same: your record authorizes the address, and no policy stops this mail")
	}
	if k.spf {
		return say(Passing, High, "SPF passes, aligned")
	}
	if k.dkim {
		return classifySigned(g, h, k)
	}
	if g.label != nil {
		cl := g.label.Class
		if cl == Passing {
			cl = Own
		}
		return say(cl, High, "you said so of "+g.label.Source)
	}
	if v, ok := byReason(k); ok {
		return v
	}
	if private(h.addr) {
		return say(Unknown, Low, "the address is not one of the Internet: the receiver saw a relay of its own")
	}
	if v, ok := q.classifyOwn(c, g, h, k); ok {
		return v
	}
	if v, ok := classifyBroken(c, g, k); ok {
		return v
	}
	return classifyForeign(g, h, k)
}

// classifySigned is about mail that passed by its signature alone.
func classifySigned(g *group, h *host, k *kind) verdict {
	if !plainForward(k) || g.id.own || g.label != nil {
		return say(Passing, High, "the signature passes, aligned")
	}
	why := []string{fmt.Sprintf("your signature holds, and SPF says %s for %s: this address is not yours", k.spfOwn, k.ownDomain)}
	switch {
	case k.list || k.forward || k.arc:
		return say(Forwarding, High, append(why, "the receiver saw it as forwarded")...)
	case forwards(g.id.provider):
		return say(Forwarding, High, append(why, g.id.name+" forwards mail")...)
	case g.authorized:
		return say(Passing, Medium, "the signature passes; SPF passes for other mail of this source")
	case len(k.reporters) >= forwardReporters:
		return say(Passing, Low, why[0], fmt.Sprintf("%d receivers saw it, which is many for a forwarder: it may be a server of yours that the SPF record does not have", len(k.reporters)))
	}
	return say(Forwarding, Medium, why...)
}

// forwards reports whether a provider's hosts pass on other people's mail.
func forwards(p providers.Provider) bool {
	switch p.Kind {
	case providers.Forwarder, providers.Mailbox, providers.Gateway, providers.Hosting:
		return true
	}
	return false
}

// sends reports whether a provider sends for customers and does nothing else.
func sends(p providers.Provider) bool {
	switch p.Kind {
	case providers.Transactional, providers.Marketing, providers.CRM, providers.Helpdesk:
		return true
	}
	return false
}

// byReason takes the receiver's word.
func byReason(k *kind) (verdict, bool) {
	who := "a receiver"
	if len(k.reporters) > 0 {
		who = k.reporters[0]
	}
	switch {
	case k.list:
		return say(List, High, who+" says that a mailing list sent it"), true
	case k.forward:
		return say(Forwarding, High, who+" says that it was forwarded"), true
	case k.arc && listHost(k.foreignSPF):
		return say(List, High, who+" says arc=pass: it passed before it was sent on by "+k.foreignSPF), true
	case k.arc:
		return say(Forwarding, High, who+" says arc=pass: it passed before it was sent on (RFC 8617)"), true
	}
	return verdict{}, false
}

// classifyOwn finds mail that the owner's sources sent without passing.
func (q Query) classifyOwn(c *collector, g *group, h *host, k *kind) (verdict, bool) {
	p := g.id.provider
	foreign := k.foreignSPF != "" && !providersDomain(p, k.foreignSPF)
	if d := tenantOf(k.foreignSig); d != "" && d == strings.ReplaceAll(k.authorOr(g.domain), ".", "-") {
		return say(Own, High, fmt.Sprintf("signed by %s, which is how Google Workspace signs for a customer that has not set DKIM up", k.foreignSig)), true
	}
	var why []string
	for _, n := range h.names {
		if c.org(clean(n)) == c.org(g.domain) {
			why = append(why, "the host is named "+clean(n))
			break
		}
	}
	if ok, inc := q.Live.of(g.domain).authorizes(h.addr); ok {
		if inc != nil {
			why = append(why, fmt.Sprintf("your SPF record authorizes the address, by include:%s", inc.target))
		} else {
			why = append(why, "your SPF record authorizes the address")
		}
	} else if h.spfPassed() {
		why = append(why, "SPF passes for other mail from the address")
	}
	if len(why) > 0 && !(foreign && forwards(p)) {
		return say(Own, High, why...), true
	}
	// Another customer of a provider that the owner uses as well is not the owner.
	if (g.authorized || g.signed) && !foreign && p.ID != "" {
		return say(Own, Medium, "other mail of "+g.id.name+" passes for you"), true
	}
	if (g.authorized || g.signed) && p.ID == "" && g.id.by != ByNetwork && !foreign {
		return say(Own, Medium, "other mail of "+g.id.name+" passes for you"), true
	}
	if sends(p) && k.broken == "" {
		return say(Own, Low, g.id.name+" sends for its customers: somebody of yours may use it and have set nothing up"), true
	}
	if sends(p) {
		return say(Own, Medium, g.id.name+" sends for its customers, and signed for you with a key that failed"), true
	}
	if h.addr.IsValid() && !foreign && p.ID == "" && c.near[nearKey{g.domain, network(h.addr)}] {
		return say(Own, Low, "it is beside a host that sends for you, in "+network(h.addr).String()), true
	}
	return verdict{}, false
}

// classifyBroken is about mail with a signature of the owner's that does not hold
// any more, from an address that is not the owner's.
func classifyBroken(c *collector, g *group, k *kind) (verdict, bool) {
	if k.broken == "" {
		return verdict{}, false
	}
	known := c.ours[k.broken] > 0
	sure, why := Low, []string{fmt.Sprintf("it has a signature of yours that does not hold (%s)", k.broken)}
	if known {
		sure = Medium
		why = append(why, "the same key passes elsewhere: the mail was signed by you and changed on its way")
	}
	if k.foreignSPF == "" {
		if forwards(g.id.provider) {
			return say(Forwarding, sure, append(why, g.id.name+" forwards mail")...), true
		}
		if known {
			return say(Forwarding, Low, why...), true
		}
		return say(Unknown, Low, append(why, "anybody can write such a signature")...), true
	}
	why = append(why, "it was sent on by "+k.foreignSPF+", for which SPF passes")
	if listHost(k.foreignSPF) || slices.ContainsFunc(g.hosts, func(h *host) bool { return slices.ContainsFunc(h.names, listHost) }) {
		return say(List, sure, append(why, "lists change what they send on, and use names like that")...), true
	}
	return say(Forwarding, sure, why...), true
}

// classifyForeign is about mail that nothing ties to the owner.
func classifyForeign(g *group, h *host, k *kind) verdict {
	days := int(k.last.Sub(k.first)/(24*time.Hour)) + 1
	switch {
	case k.empty:
		return say(Unknown, Low, "the report gives no result of SPF or DKIM")
	case listHost(k.foreignSPF):
		return say(List, Low, "it was sent by "+k.foreignSPF+", a name as lists use it, without a signature of yours")
	case g.id.provider.ID != "" && forwards(g.id.provider) && k.foreignSPF != "":
		return say(Forwarding, Low, fmt.Sprintf("%s sent it on for %s, without a signature of yours", g.id.name, k.foreignSPF))
	case g.id.provider.Kind == providers.Forwarder || g.id.provider.Kind == providers.Gateway:
		return say(Forwarding, Low, g.id.name+" passes on other people's mail; there is no signature of yours")
	case k.foreignSPF != "" && k.foreignSig != "":
		return say(Unknown, Low, fmt.Sprintf("it is authenticated, but for %s and %s: a service that sends for you, or a forger who does not hide", k.foreignSPF, k.foreignSig))
	case k.spfOwn == aggregate.TempError || k.spfOwn == aggregate.PermError:
		return say(Unknown, Low, fmt.Sprintf("SPF of %s could not be evaluated (%s), and there is no signature", k.ownDomain, k.spfOwn))
	case !h.addr.IsValid():
		return say(Unknown, Low, "the report gives no usable address")
	case days >= steadyDays && len(k.reporters) >= steadyReporters && k.foreignSPF == "":
		return say(Unknown, Low, fmt.Sprintf("it comes from one address for %d days and is seen by %d receivers: a server of yours that no record names, or a patient forger", days, len(k.reporters)))
	}
	why := []string{"no signature of yours"}
	switch {
	case k.spfOwn != "" && k.spfOwn != aggregate.ResultNone:
		why = append(why, fmt.Sprintf("SPF says %s for %s: the address is not yours", k.spfOwn, k.ownDomain))
	case k.foreignSPF != "":
		why = append(why, "MAIL FROM is "+k.foreignSPF)
	}
	why = append(why, "nothing from this source ever passed for you")
	if len(h.names) > 0 {
		why = append(why, "its name is "+clean(h.names[0]))
	}
	if k.spfOwn == aggregate.Fail && k.foreignSPF == "" && len(h.names) > 0 {
		return say(Spoofing, High, why...)
	}
	return say(Spoofing, Medium, why...)
}

func (k *kind) authorOr(domain string) string {
	if k.author != "" {
		return k.author
	}
	return domain
}

// providersDomain reports whether a domain is one that a provider uses for all of
// its customers, so that it says nothing about whose mail it is.
func providersDomain(p providers.Provider, domain string) bool {
	if p.ID == "" {
		return false
	}
	for _, find := range finders {
		if x, ok := providerOf(domain, find); ok && (x.ID == p.ID || x.Via == p.ID || p.Via == x.ID) {
			return true
		}
	}
	return false
}

// tenantOf reads the customer out of the domain that Google Workspace signs with
// by default: "example-org.20230601.gappssmtp.com".
func tenantOf(domain string) string {
	if !strings.HasSuffix(domain, ".gappssmtp.com") {
		return ""
	}
	first, _, _ := strings.Cut(domain, ".")
	return first
}

// listWords are labels that the hosts of mailing lists have.
var listWords = []string{"list", "lists", "listserv", "mailman", "lyris", "sympa", "majordomo", "googlegroups", "groups", "discuss"}

// listHost reports whether a name is one that mailing lists use.
func listHost(name string) bool {
	for label := range strings.SplitSeq(clean(name), ".") {
		if slices.Contains(listWords, label) || strings.HasPrefix(label, "mailman") {
			return true
		}
	}
	return false
}
