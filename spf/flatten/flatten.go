package flatten

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

// Limits of what is written.
const (
	// MaxText is the longest record written unless Options say otherwise. With the
	// name and the header the answer stays below 1232 octets, which receivers take
	// over UDP.
	MaxText = 1000
	// MaxParts bounds the records of one include.
	MaxParts = 8
	// MaxAge is how old a lock may be unless Options say otherwise.
	MaxAge = 30 * 24 * time.Hour
)

// Reasons to refuse.
var (
	ErrNotIncluded = errors.New("flatten: the record does not include the name")
	ErrBroken      = errors.New("flatten: the include is broken")
	ErrUnknown     = errors.New("flatten: a lookup failed, so what the include passes is not known")
	ErrOwnName     = errors.New("flatten: the include has macros of its own name")
	ErrTooLarge    = errors.New("flatten: the include has too many networks")
	ErrNoGain      = errors.New("flatten: no lookup would be saved")
	ErrDiffers     = errors.New("flatten: the new records do not give the same results")
	ErrStale       = errors.New("flatten: the lock is too old")
	ErrLock        = errors.New("flatten: not a usable lock")
)

// Options are settings of Make and Lock.Fresh. But for Now, the zero value is usable.
type Options struct {
	Now time.Time // the time written to and compared with the lock; must be set

	MaxText int           // octets of one record; 0: MaxText
	MaxAge  time.Duration // of a lock; 0: MaxAge

	// Label names the part of an include in its own names: "acme" gives
	// _spf-acme.example.org. Nil, or an empty result: made of the include's name.
	Label func(include resolve.Name) string
}

// Plan is what Make proposes. It is proven: for every address and sender the new
// records give the result of the old one, or one where the old one had none.
type Plan struct {
	Domain resolve.Name
	Old    string // the record of the domain
	New    string // the record that is to replace it

	Before, After int // lookups, worst case
	Includes      []Include
	Records       []Record // to publish before New, in this order

	// Repaired are the addresses for which the old record was permerror and the
	// new one is not. Nothing else differs.
	Repaired []set.Difference
}

// Record is a TXT record to publish.
type Record struct {
	Name resolve.Name `json:"name"`
	Text string       `json:"text"`
}

// Make flattens the named includes of the domain's record.
func Make(ctx context.Context, r resolve.Resolver, domain resolve.Name, includes []resolve.Name, opt Options) (Plan, error) {
	p := Plan{Domain: domain}
	before, err := set.Resolve(ctx, r, domain, spf.Options{})
	if err != nil {
		return p, err
	}
	root := before.Analysis.Root
	if root == nil || len(root.Syntax) > 0 {
		if before.Analysis.State == resolve.Unavailable {
			return p, fmt.Errorf("%w: %w", ErrUnknown, before.Analysis.Err)
		}
		return p, fmt.Errorf("%w: %s has no usable SPF record", ErrBroken, domain)
	}
	p.Old, p.Before = root.Text, before.Analysis.Lookups
	next := root.Record
	overlay := make(map[resolve.Name]string)
	for _, name := range includes {
		i := slices.IndexFunc(root.Terms, func(t spf.TermInfo) bool {
			return root.Record.Terms[t.Index].Kind == spf.Include && t.Target == name && !t.Ignored
		})
		if i < 0 {
			return p, fmt.Errorf("%w: include:%s in the record of %s", ErrNotIncluded, name, domain)
		}
		inc, records, err := copyInclude(ctx, r, domain, root.Terms[i], opt)
		if err != nil {
			return p, err
		}
		if cost := len(records) + len(inc.Terms); inc.Cost <= cost { // each kept term needs one
			return p, fmt.Errorf("%w: include:%s needs %d, its copy %d", ErrNoGain, name, inc.Cost, cost)
		}
		term := root.Record.Terms[i]
		at := slices.IndexFunc(next.Terms, func(t spf.Term) bool { return t.Text == term.Text })
		q := ""
		if term.Explicit {
			q = term.Qualifier.String()
		}
		if next, err = next.Replace(at, q+"include:"+inc.Name.String()); err != nil {
			return p, err
		}
		for _, x := range records {
			if _, twice := overlay[x.Name]; twice {
				return p, fmt.Errorf("%w: two includes have the name %s; name them apart with a label", ErrLock, x.Name)
			}
			overlay[x.Name] = x.Text
		}
		p.Includes, p.Records = append(p.Includes, inc), append(p.Records, records...)
	}
	p.New = next.Text
	overlay[domain] = p.New
	return p, p.prove(ctx, set.WithRecords(r, overlay), before)
}

// prove compares the result of every address.
func (p *Plan) prove(ctx context.Context, next resolve.Resolver, before set.Map) error {
	after, err := set.Resolve(ctx, next, p.Domain, spf.Options{})
	if err != nil {
		return err
	}
	p.After = after.Analysis.Lookups
	for _, m := range []set.Map{before, after} {
		if len(m.Unknown) > 0 {
			return fmt.Errorf("%w: %w", ErrUnknown, m.Unknown[0])
		}
		if m.Truncated {
			return fmt.Errorf("%w: the tree is too large to be followed", ErrUnknown)
		}
	}
	for _, d := range set.Diff(before, after) {
		if !d.Repairs() {
			return fmt.Errorf("%w: %s: %s, and now %s", ErrDiffers, d.Set, d.Old, d.New)
		}
		p.Repaired = append(p.Repaired, d)
	}
	return nil
}

// copyInclude makes the records that take the place of one include.
func copyInclude(ctx context.Context, r resolve.Resolver, domain resolve.Name, info spf.TermInfo, opt Options) (Include, []Record, error) {
	inc := Include{Include: info.Target, Time: opt.Now.UTC().Truncate(time.Second), Cost: info.Lookups}
	if err := inc.read(ctx, r); err != nil {
		return inc, nil, err
	}
	label := ""
	if opt.Label != nil {
		label = opt.Label(info.Target)
	}
	var err error
	if inc.Name, err = domain.Below("_spf-" + tidy(label, info.Target)); err != nil {
		return inc, nil, err
	}
	inc.Records, err = write(inc, domain, opt)
	return inc, inc.Records, err
}

// read takes down what the include passes now.
func (inc *Include) read(ctx context.Context, r resolve.Resolver) error {
	m, err := set.Resolve(ctx, r, inc.Include, spf.Options{})
	if err != nil {
		return err
	}
	a := m.Analysis
	switch {
	case len(m.Unknown) > 0:
		return fmt.Errorf("%w: include:%s: %w", ErrUnknown, inc.Include, m.Unknown[0])
	case m.Truncated:
		return fmt.Errorf("%w: include:%s: the tree is too large to be followed", ErrUnknown, inc.Include)
	case a.Root == nil:
		return fmt.Errorf("%w: include:%s: %w", ErrBroken, inc.Include, spf.ErrNoRecord)
	case len(a.Problems) > 0:
		return fmt.Errorf("%w: include:%s: %w", ErrBroken, inc.Include, &a.Problems[0])
	}
	if inc.Terms, err = kept(a.Root, nil); err != nil {
		return err
	}
	pass := m.With(spf.Pass)
	inc.Networks = pass.Prefixes()
	inc.Hosts = hosts(a.Root, nil)
	inc.Sources = sources(a.Root, nil)
	inc.Hash = inc.hash()
	return nil
}

// kept lists the terms that cannot be copied, as they are to stand in the copy:
// those that depend on the sender. The others are in the networks. Where such a
// term stands in a nested include whose qualifiers, or whose own name, matter,
// that include is kept as a whole.
func kept(n *spf.Node, out []string) ([]string, error) {
	for i := range n.Terms {
		t, info := n.Record.Terms[i], &n.Terms[i]
		switch {
		case info.Ignored || t.IsModifier() && t.Kind != spf.Redirect:
		case info.Unevaluated:
			if t.Kind == spf.Redirect || t.Domain == "" || names(t.Domain) {
				return nil, fmt.Errorf("%w: %s in the record of %s", ErrOwnName, t.Text, n.Domain)
			}
			// A result other than pass is no match of an include. The term then only
			// takes senders away from what follows, which the proof has to settle.
			if t.Qualifier == '+' && !slices.Contains(out, t.Text) {
				out = append(out, t.Text)
			}
		case info.Child != nil && (t.Kind == spf.Redirect || t.Qualifier == '+'):
			inner, err := kept(info.Child, nil)
			if err != nil && t.Kind == spf.Include {
				inner, err = []string{t.Text}, nil // it keeps its own name
			}
			if err != nil {
				return nil, err
			}
			for _, x := range inner {
				if !slices.Contains(out, x) {
					out = append(out, x)
				}
			}
		}
	}
	return out, nil
}

// names reports whether a domain-spec has macros of the name the record stands
// at: d, and p, which prefers names below it.
func names(spec string) bool {
	low := strings.ToLower(strings.ReplaceAll(spec, "%%", ""))
	return strings.Contains(low, "%{d") || strings.Contains(low, "%{p")
}

// hosts lists the terms whose addresses are copied although they may depend on
// who asks.
func hosts(n *spf.Node, out []string) []string {
	for i := range n.Terms {
		t, info := n.Record.Terms[i], &n.Terms[i]
		if (t.Kind == spf.A || t.Kind == spf.MX) && !info.Ignored && !info.Unevaluated {
			out = append(out, t.Text)
		}
		if info.Child != nil {
			out = hosts(info.Child, out)
		}
	}
	return out
}

func sources(n *spf.Node, out []Record) []Record {
	if !n.Repeated {
		out = append(out, Record{n.Domain, n.Text})
	}
	for i := range n.Terms {
		if c := n.Terms[i].Child; c != nil && !n.Terms[i].Ignored {
			out = sources(c, out)
		}
	}
	return out
}
