package insight

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mailcheck-go/mailcheck/dmarc/aggregate"
	"github.com/mailcheck-go/mailcheck/fix"
	"github.com/mailcheck-go/mailcheck/providers"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// Fix is one thing to do about a source.
type Fix struct {
	// Where it is done: "dns", "provider" or "host".
	Where string `json:"where"`
	Text  string `json:"text"`
	// Edits are there if the record was read and the change leaves no choice.
	Edits []fix.Edit `json:"edits,omitempty"`
}

// Places of a Fix.
const (
	inDNS      = "dns"
	atProvider = "provider"
	atHost     = "host"
)

// maxFixHosts bounds the addresses that one fix adds to a record: more are a
// network to be named by a person.
const maxFixHosts = 4

// fixes says what makes the mail of a source pass. Mail that is not the owner's
// needs none.
func (q Query) fixes(c *collector, g *group, s *Source, parts map[Class]*Part) []Fix {
	out := []Fix{}
	own := parts[Own]
	oneLeg := own == nil && s.Class == Passing && s.Messages > 0 && (s.DKIM == 0 || s.SPF == 0)
	if p := parts[Spoofing]; p != nil && p.Messages > p.Failing {
		out = append(out, Fix{Where: inDNS, Text: fmt.Sprintf("take its address out of the SPF record of %s: 'mailcheck reports evidence' and 'mailcheck spf narrow' propose the record", g.domain)})
	}
	if own == nil && !oneLeg {
		return out
	}
	if oneLeg && s.DKIM > 0 && g.id.provider.AlignedSPF == providers.Impossible {
		return out // DKIM is all that can be had, and it is there
	}
	for _, key := range brokenKeys(g) {
		out = append(out, q.keyFix(key))
	}
	if s.DKIM < s.Messages-forwarded(parts) || s.DKIM == 0 {
		if f, ok := q.signFix(g, s); ok && len(out) == 0 {
			out = append(out, f)
		}
	}
	if s.SPF == 0 || own != nil && s.SPF < s.Messages {
		out = append(out, q.spfFix(g)...)
	}
	return out
}

func forwarded(parts map[Class]*Part) (n int64) {
	for _, c := range []Class{Forwarding, List, Spoofing, Unknown} {
		if p := parts[c]; p != nil {
			n += p.Messages
		}
	}
	return n
}

// brokenKeys are those of the owner's that failed from the owner's sources and
// never passed from them.
func brokenKeys(g *group) []string {
	var broken, fine []string
	for _, h := range g.hosts {
		for _, k := range h.kinds {
			if k.spf || k.foreignSPF == "" || g.authorized || sends(g.id.provider) {
				broken = add(broken, maxKeys, k.broken)
			}
			fine = add(fine, maxAuthors, k.keys...)
		}
	}
	return slices.DeleteFunc(broken, func(k string) bool { return slices.Contains(fine, k) })
}

func (q Query) keyFix(key string) Fix {
	r, asked := q.Live.key(key)
	switch {
	case !asked:
		return Fix{Where: inDNS, Text: fmt.Sprintf("signatures with the key at %s fail: check that it is published and is the one that the sender signs with", key)}
	case r.State == resolve.Absent && r.Dangling:
		return Fix{Where: atProvider, Text: fmt.Sprintf("the alias at %s leads to %s, where there is no key: switch DKIM on at the provider", key, r.Target)}
	case r.State == resolve.Absent:
		return Fix{Where: inDNS, Text: fmt.Sprintf("there is no key at %s: publish the one that the sender signs with", key)}
	case r.State == resolve.Unavailable:
		return Fix{Where: inDNS, Text: fmt.Sprintf("signatures with the key at %s fail, and whether it is published is unknown: the lookup failed", key)}
	case !r.Usable():
		return Fix{Where: inDNS, Text: fmt.Sprintf("the record at %s is not a key that verifiers can use: publish it anew", key)}
	}
	return Fix{Where: atHost, Text: fmt.Sprintf("there is a key at %s, and signatures with it fail: the sender signs with another one, or the mail is changed after it is signed", key)}
}

// signFix asks for signatures in the owner's name.
func (q Query) signFix(g *group, s *Source) (Fix, bool) {
	p := g.id.provider
	if p.ID == "" {
		_, foreign := foreignFrom(g)
		if d := defaultSigner(g); d != "" && foreign && !g.authorized && !g.id.own {
			return Fix{Where: atProvider, Text: fmt.Sprintf("%shave its mail signed with DKIM for %s, in the settings of the service that sends it; it is signed by %s, which is not aligned", g.ifOurs(), g.domain, d)}, true
		}
		if g.id.by == ByNetwork && !g.id.own && !g.authorized && g.label == nil {
			return Fix{Where: atHost, Text: fmt.Sprintf("find out what sends from %s; if it is yours, sign its mail with DKIM for %s", s.Name, g.domain)}, true
		}
		return Fix{Where: atHost, Text: fmt.Sprintf("sign the mail of %s with DKIM for %s ('mailcheck dkim setup' configures common servers)", s.Name, g.domain)}, true
	}
	if p.AlignedDKIM == providers.Impossible {
		return Fix{}, false
	}
	text := fmt.Sprintf("set up DKIM for %s at %s, in its settings of the sending domain", g.domain, p.Name)
	var names []string
	var typ resolve.Type // the first in the catalogue is today's way, others are older
	for _, x := range p.Selectors {
		if x.Name != "" && !strings.Contains(x.Name, "{") && (typ == 0 || typ == x.Type) {
			names = append(names, x.Name+"._domainkey."+g.domain)
			typ = x.Type
		}
	}
	if len(names) > 0 {
		text += fmt.Sprintf("; it usually asks for %s records at %s", typ, strings.Join(names[:min(len(names), 4)], ", "))
	}
	if d := defaultSigner(g); d != "" {
		text += fmt.Sprintf(". Its mail is signed by %s, which is not aligned", d)
	}
	return Fix{Where: atProvider, Text: text}, true
}

// spokenFor tells whether the owner said whose a source is, or its names do.
func (g *group) spokenFor() bool { return g.label != nil || g.id.own }

// ifOurs begins advice about a source that nobody has spoken for.
func (g *group) ifOurs() string {
	if g.spokenFor() {
		return ""
	}
	return "if it is yours, "
}

// foreignFrom lists what the mail without an aligned pass of SPF has in MAIL FROM
// that is not the owner's, and tells whether that is all that is known of it.
func foreignFrom(g *group) (list []string, only bool) {
	only = true
	for _, h := range g.hosts {
		for _, k := range h.kinds {
			if !k.spf {
				list = add(list, maxKeys, k.foreignFrom...)
			}
			only = only && k.ownDomain == ""
		}
	}
	return list, only && len(list) > 0
}

// notAsked says why an entry in the owner's record would do nothing.
func notAsked(g *group, foreign []string) string {
	const shown = 3
	text := strings.Join(foreign[:min(len(foreign), shown)], ", ")
	if len(foreign) > shown {
		text += " and others"
	}
	// RFC 7208, Section 2.4: the record asked is that of the domain in MAIL FROM.
	return fmt.Sprintf("its MAIL FROM is %s, so the SPF record of %s is not asked", text, g.domain)
}

func defaultSigner(g *group) string {
	for _, h := range g.hosts {
		for _, k := range h.kinds {
			if !k.dkim && k.foreignSig != "" {
				return k.foreignSig
			}
		}
	}
	return ""
}

// spfFix asks for an aligned MAIL FROM that the record authorizes.
func (q Query) spfFix(g *group) []Fix {
	p := g.id.provider
	if p.ID != "" && !g.id.own {
		switch p.AlignedSPF {
		case providers.Impossible:
			return []Fix{{Where: atProvider, Text: fmt.Sprintf("SPF cannot be aligned at %s, which uses a MAIL FROM of its own: an include would only cost lookups, DKIM has to do it", p.Name)}}
		case providers.WithCustomReturn:
			return []Fix{{Where: atProvider, Text: fmt.Sprintf("for SPF as well, set up a return path (bounce domain) below %s at %s; an include in the record of %s does not align", g.domain, p.Name, g.domain)}}
		case providers.Possible:
			if foreign, only := foreignFrom(g); only {
				return []Fix{{Where: atProvider, Text: fmt.Sprintf("for SPF as well, have %s send with a MAIL FROM at %s: %s, and an entry in it does not help", p.Name, g.domain, notAsked(g, foreign))}}
			}
			if len(p.Includes) > 0 {
				return q.includeFix(g, p)
			}
			return []Fix{{Where: inDNS, Text: fmt.Sprintf("add to the SPF record of %s what %s asks for", g.domain, p.Name)}}
		}
		return nil
	}
	return q.hostFix(g)
}

func (q Query) includeFix(g *group, p providers.Provider) []Fix {
	live := q.Live.of(g.domain)
	target := p.Includes[0]
	f := Fix{Where: inDNS, Text: fmt.Sprintf("authorize %s in the SPF record of %s: include:%s", p.Name, g.domain, target)}
	switch {
	case live == nil:
		f.Text += ", if it is not there yet"
	case live.names(p.ID):
		return []Fix{{Where: atProvider, Text: fmt.Sprintf("the SPF record of %s includes %s already: its mail has to leave with a MAIL FROM at %s", g.domain, p.Name, g.domain)}}
	case live.spf.State == resolve.Unavailable:
		f.Text += "; whether it is there is unknown, as the lookup failed"
	case live.record() != "":
		f.Edits = []fix.Edit{live.insert("include:"+target.String(), p.Name+" sends for the domain")}
	}
	return []Fix{f}
}

// hostFix adds the addresses of one's own hosts.
func (q Query) hostFix(g *group) []Fix {
	live := q.Live.of(g.domain)
	var missing []netip.Addr
	envelope := ""
	for _, h := range g.hosts {
		if ok, _ := live.authorizes(h.addr); ok || !h.addr.IsValid() {
			continue
		}
		// An address in the record helps only mail for which the record is asked.
		if slices.ContainsFunc(h.kinds, func(k *kind) bool {
			return !k.spf && k.spfOwn != aggregate.Pass && (k.ownDomain != "" || len(k.foreignFrom) == 0)
		}) && !h.spfPassed() {
			missing = append(missing, h.addr)
		}
		for _, k := range h.kinds {
			envelope = cmp.Or(envelope, k.ownDomain)
		}
	}
	var out []Fix
	if foreign, only := foreignFrom(g); len(foreign) > 0 {
		what := "it"
		if !only {
			what = "the part of it that has another"
		}
		out = []Fix{{Where: atProvider, Text: fmt.Sprintf("%sfor SPF as well, give %s a MAIL FROM below %s (custom return path, bounce domain): %s, and an address in that record does not help", g.ifOurs(), what, g.domain, notAsked(g, foreign))}}
	}
	if len(missing) == 0 {
		return out
	}
	var terms []string
	for _, a := range missing[:min(len(missing), maxFixHosts)] {
		if a.Is4() {
			terms = append(terms, "ip4:"+a.String())
		} else {
			terms = append(terms, "ip6:"+a.String())
		}
	}
	list := strings.Join(terms, " ")
	// What the reports do not tell stands in the advice as a condition.
	var when []string
	if !g.spokenFor() {
		when = append(when, "these hosts are yours")
	}
	if envelope == "" {
		when = append(when, "they send with a MAIL FROM at "+g.domain+", which the reports do not tell")
	}
	f := Fix{Where: inDNS, Text: fmt.Sprintf("authorize these hosts in the SPF record of %s: %s", cmp.Or(envelope, g.domain), list)}
	if len(when) > 0 {
		f.Text = fmt.Sprintf("if %s, authorize them in the SPF record of %s: %s", strings.Join(when, " and "), cmp.Or(envelope, g.domain), list)
	}
	if more := len(missing) - len(terms); more > 0 {
		f.Text += fmt.Sprintf(" and %d more", more)
	}
	if live.record() != "" && len(missing) <= maxFixHosts && envelope == g.domain && (g.id.own || g.authorized || g.label != nil) {
		for _, t := range terms {
			f.Edits = append(f.Edits, live.insert(t, "a host of one's own that sends"))
		}
	}
	return append([]Fix{f}, out...)
}

// insert is the edit that adds a term to the SPF record.
func (v *liveDomain) insert(term, why string) fix.Edit {
	return fix.Edit{Name: v.name, Type: resolve.TypeTXT, Op: fix.SPFInsertTerm, Record: v.record(), Value: term, Why: why}
}
