package baseline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailcheck-go/mailcheck/audit"
	"github.com/mailcheck-go/mailcheck/mtasts"
	"github.com/mailcheck-go/mailcheck/resolve"
)

// policy remembers what the policy host gives out, with the id that announces it.
func (b *Baseline) policy(ctx context.Context, r resolve.Resolver, d mtasts.Discovery, opt *mtasts.Options) {
	if opt == nil || d.State == resolve.Absent {
		return // without a record nobody asks for the policy
	}
	f := Facet{Kind: STS, State: resolve.Unavailable.String(), ID: d.Record.ID}
	defer func() { b.add(f) }()
	if d.State == resolve.Unavailable {
		f.Error = text(d.Err)
		return
	}
	got := mtasts.Fetch(ctx, r, b.Domain, *opt)
	f.State = got.State.String()
	switch got.State {
	case resolve.Present:
		f.Values = []string{"mode " + string(got.Policy.Mode), "max_age " + strconv.FormatInt(int64(got.Policy.MaxAge/time.Second), 10), "hash " + got.Policy.Hash()}
		for _, m := range got.Policy.MX {
			f.Values = append(f.Values, "mx "+m.String())
		}
		for _, l := range got.Policy.Lines {
			f.Text = append(f.Text, l.Raw)
		}
	case resolve.Unavailable:
		f.Error = got.Why
	}
}

// judgeSTS tells whether senders notice. RFC 8461, Section 3.1 lets the id tell of a
// new policy, and Section 3.3 lets senders fetch it when the id has changed: until
// then, or until max_age has passed, they follow the old one.
func judgeSTS(c *Change, a, b Facet) {
	hash := func(f Facet) string { return valueOf(f, "hash ") }
	was, is := valueOf(a, "mode "), valueOf(b, "mode ")
	drift := mtasts.DriftOf(mtasts.Version{ID: a.ID, Hash: hash(a)}, mtasts.Version{ID: b.ID, Hash: hash(b)})
	if strength(is) < strength(was) {
		c.What, c.Severity, c.Meaning = Weaker, audit.Warning, "the MTA-STS policy is weaker: mode "+was+" became "+is
	}
	if drift == mtasts.Stale {
		c.Severity = audit.Warning
		c.Meaning = fmt.Sprintf("the MTA-STS policy has changed and the id %q of its record has not: senders that know the old one follow it until it expires (%s seconds); publish a new id", b.ID, valueOf(a, "max_age "))
	}
}

func strength(mode string) int {
	return slices.Index([]string{string(mtasts.None), string(mtasts.Testing), string(mtasts.Enforce)}, mode)
}

// valueOf is what follows a word in the values of a facet.
func valueOf(f Facet, word string) string {
	for _, v := range f.Values {
		if text, ok := strings.CutPrefix(v, word); ok {
			return text
		}
	}
	return ""
}
