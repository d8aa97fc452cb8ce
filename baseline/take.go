package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit/facts"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// Schema names the version of the JSON form of a [Baseline].
const Schema = "mailcheck.baseline/1"

// MaxFile bounds a baseline that is read, in octets.
const MaxFile = 16 << 20

// ErrFile matches the errors of a file that is no baseline.
var ErrFile = errors.New("baseline: not a usable baseline")

// Baseline is what a domain published at one moment. Values are foreign text.
type Baseline struct {
	Schema    string       `json:"schema"`
	Domain    resolve.Name `json:"domain"`
	At        time.Time    `json:"at"`
	Source    string       `json:"source"`
	Selectors []string     `json:"selectors"` // that were asked for and exist
	Addresses []netip.Addr `json:"addresses"` // that mail is sent from
	Facets    []Facet      `json:"facets"`
}

// Facet is one thing that was known or not.
type Facet struct {
	Kind  Kind   `json:"kind"`
	Key   string `json:"key,omitempty"` // which one of its kind: a selector, a host, an address
	State string `json:"state"`         // resolve.State as text: present, absent or unavailable
	// Values is what it means, in a form that does not depend on order, TTL or
	// white space. Text is what was published.
	Values []string `json:"values,omitempty"`
	Text   []string `json:"text,omitempty"`
	Error  string   `json:"error,omitempty"`
	// ID is the id of the MTA-STS record that was published when the policy was
	// fetched: senders fetch it again only when that changes.
	ID string `json:"id,omitempty"`
}

// Kind is the kind of a facet.
type Kind string

// Kinds.
const (
	NS      Kind = "ns"
	MX      Kind = "mx"
	Address Kind = "mx-address" // of the MX host Key
	SPF     Kind = "spf"        // the record
	SPFAll  Kind = "spf-all"    // what all others get
	SPFNets Kind = "spf-networks"
	SPFOf   Kind = "spf-result" // for the sending address Key
	DMARC   Kind = "dmarc"      // the record that applies
	Policy  Kind = "dmarc-policy"
	Reports Kind = "dmarc-reports"
	DKIM    Kind = "dkim" // the key of the selector Key
	TLSRPT  Kind = "tls-rpt"
	MTASTS  Kind = "mta-sts"
	STS     Kind = "mta-sts-policy"
	PTR     Kind = "ptr"         // of the sending address Key
	Forward Kind = "ptr-forward" // whether a name of it leads back
)

// Options of [Take].
type Options struct {
	Facts  facts.Options // selectors and addresses to look at
	Source string        // who was asked, in words
	// Policy says how to fetch the MTA-STS policy; nil: it is left out.
	Policy *mtasts.Options
}

// Take reads what a domain publishes now. It fails with the context's error
// alone; what could not be read is a facet that says so.
func Take(ctx context.Context, r resolve.Resolver, domain resolve.Name, opt Options) (*Baseline, error) {
	opt.Facts.GivenOnly = true // what is remembered does not hang on an inference
	s := facts.Gather(ctx, r, domain, opt.Facts)
	b := &Baseline{Schema: Schema, Domain: domain, At: s.At.UTC().Truncate(time.Second), Source: opt.Source,
		Selectors: []string{}, Addresses: append([]netip.Addr{}, opt.Facts.Addresses...)}
	b.mx(s)
	b.spf(s)
	b.dmarc(s)
	for _, k := range s.DKIM.Results {
		if !k.Exists() && !k.Given && k.State != resolve.Unavailable {
			continue
		}
		if k.Exists() {
			b.Selectors = append(b.Selectors, k.Selector)
		}
		f := Facet{Kind: DKIM, Key: strings.ToLower(k.Selector), State: k.State.String(), Text: k.Texts, Error: text(k.Err)}
		for _, rec := range k.Records {
			f.Values = append(f.Values, keyValue(rec.Key.Type, rec.Key.SHA256, rec.Key.Revoked))
		}
		b.add(f)
	}
	for _, x := range s.Senders {
		b.sender(x)
	}
	for _, q := range []struct {
		kind   Kind
		prefix string
		typ    resolve.Type
	}{{NS, "", resolve.TypeNS}, {TLSRPT, "_smtp._tls", resolve.TypeTXT}, {MTASTS, "_mta-sts", resolve.TypeTXT}} {
		b.plain(ctx, r, q.kind, q.prefix, q.typ)
	}
	b.policy(ctx, r, s.Transport.STS, opt.Policy)
	return b, context.Cause(ctx)
}

// Facet finds what is remembered of a kind; nil if nothing is.
func (b *Baseline) Facet(kind Kind, key string) *Facet {
	for i := range b.Facets {
		if f := &b.Facets[i]; f.Kind == kind && f.Key == key {
			return f
		}
	}
	return nil
}

func keyValue(typ, sum string, revoked bool) string {
	if revoked {
		return "revoked"
	}
	return typ + " " + sum
}

func (b *Baseline) add(f Facet) {
	slices.Sort(f.Values)
	f.Values = slices.Compact(f.Values)
	b.Facets = append(b.Facets, f)
}

func text(err error) string {
	if err == nil || resolve.StateOf(err) == resolve.Absent {
		return ""
	}
	return err.Error()
}

func (b *Baseline) mx(s *facts.Snapshot) {
	f := Facet{Kind: MX, State: s.MX.State.String(), Error: text(s.MX.Err)}
	for _, x := range s.MX.Value.Exchanges {
		f.Values = append(f.Values, fmt.Sprintf("%d %s", x.Preference, x.Host))
	}
	b.add(f)
	for _, x := range s.MX.Value.Exchanges {
		if x.Null || s.MX.State != resolve.Present {
			continue
		}
		a := Facet{Kind: Address, Key: x.Host.String(), State: x.State().String()}
		for _, ip := range x.Addresses() {
			a.Values = append(a.Values, ip.String())
		}
		for _, v := range []facts.Fact[[]netip.Addr]{x.V4, x.V6} {
			if v.State == resolve.Unavailable {
				a.State, a.Error = v.State.String(), text(v.Err)
			}
		}
		b.add(a)
	}
}

func (b *Baseline) spf(s *facts.Snapshot) {
	a := s.SPF
	b.add(Facet{Kind: SPF, State: a.State.String(), Values: normal(a.Records), Text: a.Records, Error: text(a.Err)})
	if a.State != resolve.Present || a.Root == nil {
		return
	}
	all := "neutral, as no all is there"
	if a.All != 0 {
		all = string(rune(a.All)) + "all"
	}
	b.add(Facet{Kind: SPFAll, State: resolve.Present.String(), Values: []string{all}})
	nets := Facet{Kind: SPFNets, State: resolve.Present.String()}
	for _, p := range slices.Concat(a.IPv4, a.IPv6) {
		nets.Values = append(nets.Values, p.String())
	}
	if !a.Complete {
		nets.State = resolve.Unavailable.String()
		nets.Error = "not all that the record includes could be read"
	}
	b.add(nets)
}

// normal takes out what does not matter to a receiver: the case of names and
// the number of spaces.
func normal(records []string) []string {
	var out []string
	for _, r := range records {
		out = append(out, strings.ToLower(strings.Join(strings.Fields(r), " ")))
	}
	return out
}

func (b *Baseline) dmarc(s *facts.Snapshot) {
	p := s.DMARC.Policy
	f := Facet{Kind: DMARC, State: p.State.String(), Error: text(p.Err)}
	if p.State == resolve.Present {
		f.Key, f.Text = p.Domain.String(), []string{p.Record.String()}
		f.Values = normal(f.Text)
	}
	f.Key = ""
	b.add(f)
	if p.State != resolve.Present {
		return
	}
	b.add(Facet{Kind: Policy, State: resolve.Present.String(), Values: []string{string(p.Effective)}})
	r := Facet{Kind: Reports, State: resolve.Absent.String()}
	if t, ok := p.Record.Tag("rua"); ok && strings.TrimSpace(t.Value) != "" {
		r.State = resolve.Present.String()
		for _, u := range strings.Split(t.Value, ",") {
			r.Values = append(r.Values, strings.ToLower(strings.TrimSpace(u)))
		}
	}
	b.add(r)
}

func (b *Baseline) sender(x facts.Sender) {
	key := x.Address.String()
	f := Facet{Kind: PTR, Key: key, State: x.PTR.State.String(), Error: text(x.PTR.Err)}
	for _, n := range x.PTR.Value {
		f.Values = append(f.Values, n.String())
	}
	b.add(f)
	b.add(Facet{Kind: Forward, Key: key, State: x.Confirmed.String(), Error: forwardError(x)})
	r := Facet{Kind: SPFOf, Key: key, State: resolve.Present.String(), Values: []string{string(x.SPF.Status)}}
	if x.SPF.Status == spf.TempError {
		r.State, r.Values, r.Error = resolve.Unavailable.String(), nil, text(x.SPF.Err)
	}
	b.add(r)
}

// forwardError tells why it is not known whether a name of the address leads back.
func forwardError(x facts.Sender) string {
	switch {
	case x.Confirmed != resolve.Unavailable:
		return ""
	case x.PTR.State == resolve.Unavailable:
		return text(x.PTR.Err)
	}
	var names []string
	for _, n := range x.PTR.Value {
		names = append(names, n.String())
	}
	return "the addresses of " + some(names) + " could not be read"
}

func (b *Baseline) plain(ctx context.Context, r resolve.Resolver, kind Kind, prefix string, t resolve.Type) {
	name := b.Domain
	if prefix != "" {
		var err error
		if name, err = b.Domain.Below(prefix); err != nil {
			return // the domain is too long to have such a name
		}
	}
	a, err := r.Resolve(ctx, resolve.Question{Name: name, Type: t})
	f := Facet{Kind: kind, State: resolve.StateOf(err).String(), Error: text(err)}
	if err == nil {
		for _, rec := range a.Records {
			v := rec.Data.String()
			if d, ok := rec.Data.(resolve.TXT); ok {
				v = d.Joined()
			}
			f.Text = append(f.Text, v)
			f.Values = append(f.Values, strings.ToLower(strings.Join(strings.Fields(v), " ")))
		}
	}
	b.add(f)
}

// Encode writes a baseline as JSON.
func (b *Baseline) Encode() ([]byte, error) {
	out, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("baseline: cannot be written: %w", err)
	}
	return append(out, '\n'), nil
}

// Decode reads a baseline.
func Decode(data []byte) (*Baseline, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%w: more than %d octets", ErrFile, MaxFile)
	}
	b := &Baseline{}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if b.Schema != Schema {
		return nil, fmt.Errorf("%w: schema %.40q, want %q", ErrFile, b.Schema, Schema)
	}
	for _, f := range b.Facets {
		var s resolve.State
		if f.Kind == "" || s.UnmarshalText([]byte(f.State)) != nil {
			return nil, fmt.Errorf("%w: facet %.40q has state %.40q", ErrFile, f.Kind, f.State)
		}
	}
	return b, nil
}

// Keep gives now with what could not be read filled in from old, so that a
// failure of today does not make tomorrow forget what was there.
func Keep(old, now *Baseline) *Baseline {
	out := *now
	out.Facets = slices.Clone(now.Facets)
	for i, f := range out.Facets {
		if f.State != resolve.Unavailable.String() {
			continue
		}
		if j := slices.IndexFunc(old.Facets, func(o Facet) bool { return o.Kind == f.Kind && o.Key == f.Key }); j >= 0 {
			out.Facets[i] = old.Facets[j]
		}
	}
	return &out
}
