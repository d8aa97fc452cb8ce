package dkim

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/mailcheck-go/mailcheck/resolve"
)

// MaxSelectors bounds the selectors that one [Discover] asks for. The given ones
// come first, then the candidates, then the common ones.
const MaxSelectors = 128

// inFlight bounds the questions that Discover has open at a time.
const inFlight = 32

// Options says where [Discover] looks. The zero value only asks whether the
// domain can have selectors at all.
type Options struct {
	Selectors  []string // selectors known from a message or a person
	Candidates []string // guesses from the domain's providers
	Common     bool     // try a list of common selectors too, about 30 queries

	// Random makes a label that nobody uses. Nil means 26 random letters and digits.
	Random func() string
}

// Conclusion is what a discovery proves.
type Conclusion string

// The conclusions. NoKeys is as good as the name server: a few deny names that
// have others below them, against RFC 8020, so it is "likely none" until a
// selector is known. The zero value is no conclusion.
const (
	KeyFound    Conclusion = "found"   // there is a key record
	NoKeys      Conclusion = "none"    // nothing exists below _domainkey, says the name server
	KeysUnknown Conclusion = "unknown" // none of the selectors tried; others may exist
)

// Discovery is the result of [Discover].
type Discovery struct {
	Conclusion Conclusion

	// Results lists every given selector, in order, and of the guessed ones those
	// at which something exists that a wildcard does not explain.
	Results []Result

	// Domainkey is the answer for _domainkey itself. Absent with
	// [resolve.ErrNXDomain] means that nothing is below it (RFC 8020), absent with
	// [resolve.ErrNoData] that something is, on a server that follows RFC 4592,
	// Section 2.2.2.
	Domainkey Result
	// Lying says that a selector exists although _domainkey is said not to: the
	// server breaks RFC 8020, and its NXDOMAIN proves nothing.
	Lying bool

	// Random is the answer for a random selector; its Name is zero when none was
	// asked for. If it exists, a wildcard answers for selectors never set up.
	Random Result

	Tried      int      // selectors asked for, the random one not counted
	Skipped    int      // selectors not asked for: over the limit, or guesses where nothing can exist or nothing answers
	Unanswered []string // guesses without an answer, absent or not
}

// Wildcard reports whether selectors that nobody set up exist.
func (d Discovery) Wildcard() bool { return d.Random.Exists() }

// Discover finds the selectors of a domain, as far as that is possible.
//
// It takes at most two rounds. The first asks for _domainkey and all given
// selectors at once. When _domainkey does not exist, and no given selector
// contradicts that, the guesses cannot exist either (RFC 8020) and are not asked
// for. Otherwise the second round asks for the guesses, and for a random selector
// to see whether a wildcard answers. Given selectors alone need no random one,
// unless one of them answers with something that is no key. So the cost is
// 1 query + 1 for each given selector, and 1 + 1 for each guess if selectors can
// exist. A caller that has to wait for its candidates can ask a caching resolver
// for TXT at _domainkey before: the first round is then free.
//
// Selectors that are none become results with a *[SelectorError] when given, and
// are passed over when guessed.
func Discover(ctx context.Context, r resolve.Resolver, domain resolve.Name, opts Options) Discovery {
	var d Discovery
	seen := make(map[resolve.Name]bool)
	given := d.plan(domain, opts.Selectors, true, seen)
	guesses := d.plan(domain, opts.Candidates, false, seen)
	if opts.Common {
		guesses = append(guesses, d.plan(domain, common, false, seen)...)
	}

	var probe []Result
	if name, err := domain.Below(domainkey); err == nil {
		probe = []Result{{Name: name}}
	} else {
		d.Domainkey.Err = err
	}
	all(ctx, r, append(pointers(probe), pointers(given)...))
	if len(probe) == 1 {
		d.Domainkey = probe[0]
	}
	d.Tried = asked(given)

	answered, odd := false, false
	for _, g := range given {
		answered = answered || g.Exists()
		odd = odd || g.Exists() && (!g.Usable() || g.Several())
	}
	nothingBelow := d.denied()
	d.Lying = nothingBelow && answered
	if nothingBelow && !answered || d.silent() && !answered {
		d.Skipped += len(guesses)
		guesses = nil
	}
	if len(guesses) > 0 || odd {
		d.guess(ctx, r, domain, guesses, opts.Random)
		d.Tried += len(guesses)
	}
	d.settle(given, guesses)
	return d
}

// denied reports NXDOMAIN for _domainkey itself. RFC 8020, Section 2: nothing
// exists below such a name. At the end of a CNAME chain it speaks of another name.
func (d *Discovery) denied() bool {
	return errors.Is(d.Domainkey.Err, resolve.ErrNXDomain) && d.Domainkey.Target.IsZero()
}

// silent reports that the server of the domain gave no answer, so that guessing
// would only wait for more of it.
func (d *Discovery) silent() bool {
	switch resolve.ReasonOf(d.Domainkey.Err) {
	case resolve.ErrTimeout, resolve.ErrNetwork, resolve.ErrCanceled:
		return true
	}
	return false
}

// guess is the second round.
func (d *Discovery) guess(ctx context.Context, r resolve.Resolver, domain resolve.Name, guesses []Result, random func() string) {
	if random == nil {
		random = rand.Text
	}
	round := pointers(guesses)
	if name, err := KeyName(domain, random()); err == nil {
		d.Random.Name = name
		round = append(round, &d.Random)
	}
	all(ctx, r, round)
	d.Random.Selector = d.Random.Name.First()
}

// settle sorts the results and draws the conclusion.
func (d *Discovery) settle(given, guesses []Result) {
	d.Conclusion = KeysUnknown
	if d.denied() && !d.Lying {
		d.Conclusion = NoKeys
	}
	for _, g := range slices.Concat(given, guesses) {
		g.Wildcard = sameAnswer(g, d.Random)
		if !g.Given {
			if g.State == resolve.Unavailable {
				d.Unanswered = append(d.Unanswered, g.Selector)
			}
			if !g.Exists() || g.Wildcard {
				continue
			}
			d.Lying = d.Lying || d.denied()
		}
		d.Results = append(d.Results, g)
		// A given selector is found even when a wildcard answers for it: that key is
		// what verifiers get.
		if len(g.Records) > 0 {
			d.Conclusion = KeyFound
		}
	}
	if d.Conclusion == NoKeys && slices.ContainsFunc(given, func(g Result) bool { return g.State == resolve.Unavailable }) {
		d.Conclusion = KeysUnknown
	}
}

// sameAnswer reports whether the selector got what the random selector got.
func sameAnswer(a, random Result) bool {
	if !random.Exists() || !a.Exists() || a.State != random.State || a.Target != random.Target {
		return false
	}
	x, y := slices.Sorted(slices.Values(a.Texts)), slices.Sorted(slices.Values(random.Texts))
	return slices.Equal(x, y)
}

// plan makes the results to fill: each selector once, MaxSelectors in all.
func (d *Discovery) plan(domain resolve.Name, selectors []string, given bool, seen map[resolve.Name]bool) []Result {
	var out []Result
	for i, s := range selectors {
		if len(seen) >= MaxSelectors || len(out) >= MaxSelectors {
			d.Skipped += len(selectors) - i
			break
		}
		name, err := KeyName(domain, s)
		switch {
		case err != nil && given:
			out = append(out, Result{Selector: s, Given: true, Err: err})
		case err != nil || seen[name]:
		default:
			seen[name] = true
			out = append(out, Result{Selector: strings.TrimSpace(s), Name: name, Given: given})
		}
	}
	return out
}

func asked(rs []Result) int {
	n := 0
	for _, r := range rs {
		if !r.Name.IsZero() {
			n++
		}
	}
	return n
}

func pointers(rs []Result) []*Result {
	out := make([]*Result, len(rs))
	for i := range rs {
		out[i] = &rs[i]
	}
	return out
}

// all fills the results that have a name, at most inFlight at a time.
func all(ctx context.Context, r resolve.Resolver, todo []*Result) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, inFlight)
	for _, t := range todo {
		if t.Name.IsZero() {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			res := ask(ctx, r, t.Name)
			res.Selector, res.Given = t.Selector, t.Given
			*t = res
		})
	}
	wg.Wait()
}

// common lists selectors that software proposes by default or that many senders
// share. It is a heuristic: a hit says nothing about who signs.
var common = []string{
	"default", "dkim", "dkim1", "dkim2", "mail", "mx", "smtp", "email", "key1", "key2",
	"selector", "selector1", "selector2", "google", "s1", "s2", "k1", "k2", "k3",
	"sig1", "fm1", "fm2", "fm3", "protonmail", "mandrill", "mailjet", "zoho", "dk", "rsa", "ed25519",
}
