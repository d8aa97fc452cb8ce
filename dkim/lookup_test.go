package dkim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

var org = resolve.MustName("example.org")

// zone is a zone of example.org, in which @RSA@ and @ED@ are good records.
func zone(t testing.TB, text string) *zonetest.Zone {
	t.Helper()
	text = strings.NewReplacer("@RSA@", resolve.SplitTXT("v=DKIM1; k=rsa; p="+spki(t, fakeRSA(2048))).String(),
		"@ED@", `"v=DKIM1; k=ed25519; p=`+edRaw()+`"`).Replace(text)
	return zonetest.MustParse("$ORIGIN example.org.\n@ 3600 IN SOA ns hostmaster 1 7200 900 1209600 300\n@ 3600 IN NS ns\n" + text + "\n")
}

func TestKeyName(t *testing.T) {
	tests := []struct{ in, want, hint string }{
		{"s1", "s1._domainkey.example.org", ""},
		{"S1", "s1._domainkey.example.org", ""},
		{"march2005.reykjavik", "march2005.reykjavik._domainkey.example.org", ""}, // RFC 6376, Section 3.1
		{"aweber_key_a", "aweber_key_a._domainkey.example.org", ""},
		{"20230601", "20230601._domainkey.example.org", ""},
		{" s1 ", "s1._domainkey.example.org", ""},
		{"schlüssel", "xn--schlssel-95a._domainkey.example.org", ""}, // RFC 8616, Section 5
		{"", "", ""},
		{"s1._domainkey", "", "s1"},
		{"a.b._domainkey.example.org", "", "a.b"},
		{"d=example.org; s=s1; h=from", "", "s1"},
		{"s1.", "", "s1"},
		{"a..b", "", ""},
		{".a", "", ""},
		{"a b", "", ""},
		{"a@b", "", ""},
		{"*", "", ""},
		{"a\nb", "", ""},
		{strings.Repeat("a", 64), "", ""},
		{strings.Repeat("a.", 120) + "a", "", ""},
		{strings.Repeat("a", 5000), "", ""},
		{"\xff", "", ""},
	}
	for _, tt := range tests {
		n, err := KeyName(org, tt.in)
		if n.String() != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("%q: %s, %v; want %s", tt.in, n, err, tt.want)
		}
		if e, ok := errors.AsType[*SelectorError](err); err != nil && (!ok || e.Hint != tt.hint || !errors.Is(err, ErrSelector)) {
			t.Errorf("%q: %#v, want hint %q", tt.in, err, tt.hint)
		}
	}
	if _, err := KeyName(resolve.Name{}, "s1"); err == nil {
		t.Error("a selector of no domain has a name")
	}
}

func TestLookup(t *testing.T) {
	z := zone(t, `
good._domainkey TXT @RSA@
ed._domainkey TXT @ED@
a.b._domainkey TXT @RSA@
two._domainkey TXT @RSA@
two._domainkey TXT @ED@
mixed._domainkey TXT @RSA@
mixed._domainkey TXT "v=spf1 -all"
spf._domainkey TXT "v=spf1 -all"
empty._domainkey TXT ""
revoked._domainkey TXT "v=DKIM1; p="
bad._domainkey TXT "v=DKIM1; p=*"
addr._domainkey A 192.0.2.1
alias._domainkey CNAME key.provider.example.
gone._domainkey CNAME nothing.provider.example.
flat._domainkey CNAME www.provider.example.
slow._domainkey TXT @RSA@
key.provider.example. TXT @RSA@
www.provider.example. A 192.0.2.1
`)
	z.Inject(resolve.MustName("slow._domainkey.example.org"), 0, zonetest.Fault{Timeout: true})
	z.Inject(resolve.MustName("fail._domainkey.example.org"), 0, zonetest.Fault{RCode: resolve.ServFail})
	type want struct {
		state                                     resolve.State
		texts, records                            int
		usable, several, notKey, dangling, exists bool
		target                                    string
	}
	present, absent := resolve.Present, resolve.Absent
	for selector, w := range map[string]want{
		"good":    {state: present, texts: 1, records: 1, usable: true, exists: true},
		"ed":      {state: present, texts: 1, records: 1, usable: true, exists: true},
		"a.b":     {state: present, texts: 1, records: 1, usable: true, exists: true},
		"two":     {state: present, texts: 2, records: 2, usable: true, several: true, exists: true},
		"mixed":   {state: present, texts: 2, records: 1, usable: true, several: true, exists: true},
		"spf":     {state: present, texts: 1, notKey: true, exists: true},
		"empty":   {state: present, texts: 1, records: 1, exists: true},
		"revoked": {state: present, texts: 1, records: 1, exists: true},
		"bad":     {state: present, texts: 1, records: 1, exists: true},
		"addr":    {state: absent},
		"none":    {state: absent},
		"alias":   {state: present, texts: 1, records: 1, usable: true, exists: true, target: "key.provider.example"},
		"gone":    {state: absent, dangling: true, exists: true, target: "nothing.provider.example"},
		"flat":    {state: absent, dangling: true, exists: true, target: "www.provider.example"},
		"slow":    {},
		"fail":    {},
		"no good": {},
	} {
		r := Lookup(t.Context(), z, org, selector)
		got := want{r.State, len(r.Texts), len(r.Records), r.Usable(), r.Several(), r.NotKey(), r.Dangling, r.Exists(), r.Target.String()}
		if got != w {
			t.Errorf("%s: got %+v\nwant %+v", selector, got, w)
		}
		if r.Selector != selector || !r.Given || (r.Err == nil) != (r.State == present) || r.State != resolve.StateOf(r.Err) {
			t.Errorf("%s: %q, %v, %v", selector, r.Selector, r.State, r.Err)
		}
	}
}

func TestLookupManyTexts(t *testing.T) {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "s._domainkey TXT \"v=DKIM1; n=%d; p=\"\n", i)
	}
	if r := Lookup(t.Context(), zone(t, b.String()), org, "s"); len(r.Texts) != MaxTexts || len(r.Records) != MaxTexts {
		t.Errorf("%d texts read", len(r.Texts))
	}
}

// counter notes the questions that are asked.
type counter struct {
	mu    sync.Mutex
	asked []string
}

func (c *counter) over(r resolve.Resolver) resolve.Resolver {
	return resolve.Observe(r, func(a resolve.Answer, _ error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked = append(c.asked, strings.TrimSuffix(a.Question.Name.String(), ".example.org"))
	})
}

func (c *counter) sorted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.asked)
	return c.asked
}

func TestDiscover(t *testing.T) {
	tests := []struct {
		name       string
		zone       string
		faults     map[string]zonetest.Fault
		opts       Options
		conclusion Conclusion
		results    []string // selectors
		asked      []string // labels below example.org, sorted
		check      func(*testing.T, Discovery)
	}{
		{
			name: "RFC 8020: nothing below _domainkey", zone: `www A 192.0.2.1`,
			opts: Options{Candidates: []string{"s1", "s2"}, Common: true}, conclusion: NoKeys,
			asked: []string{"_domainkey"},
			check: func(t *testing.T, d Discovery) {
				if d.Tried != 0 || d.Skipped < 20 || d.Wildcard() || d.Lying {
					t.Errorf("%+v", d)
				}
			},
		}, {
			name: "given selectors are asked in the first round", zone: `www A 192.0.2.1`,
			opts: Options{Selectors: []string{"g1", "g2", "G1"}, Candidates: []string{"s1"}}, conclusion: NoKeys,
			results: []string{"g1", "g2"}, asked: []string{"_domainkey", "g1._domainkey", "g2._domainkey"},
		}, {
			name: "candidates below an empty non-terminal", zone: "s1._domainkey TXT @RSA@\ns3._domainkey TXT @ED@",
			opts: Options{Candidates: []string{"s1", "s2"}}, conclusion: KeyFound,
			results: []string{"s1"}, asked: []string{"_domainkey", "random._domainkey", "s1._domainkey", "s2._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !errors.Is(d.Domainkey.Err, resolve.ErrNoData) || d.Tried != 2 || d.Random.State != resolve.Absent {
					t.Errorf("%+v", d)
				}
			},
		}, {
			name: "finding nothing is unknown", zone: "other._domainkey TXT @RSA@",
			opts: Options{Candidates: []string{"s1"}}, conclusion: KeysUnknown,
			asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
		}, {
			name: "the zero options ask once", zone: "other._domainkey TXT @RSA@",
			conclusion: KeysUnknown, asked: []string{"_domainkey"},
		}, {
			name: "a given key needs no random selector", zone: "g._domainkey TXT @RSA@",
			opts: Options{Selectors: []string{"g"}}, conclusion: KeyFound,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey"},
		}, {
			name: "wildcard TXT of the domain", zone: `* TXT "v=spf1 -all"`,
			opts: Options{Selectors: []string{"g"}, Candidates: []string{"s1"}}, conclusion: KeysUnknown,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey", "random._domainkey", "s1._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !d.Wildcard() || !d.Results[0].Wildcard || !d.Results[0].NotKey() || d.Domainkey.State != resolve.Present {
					t.Errorf("%+v", d)
				}
			},
		}, {
			name: "odd answer for a given selector alone", zone: `*._domainkey TXT "parked"`,
			opts: Options{Selectors: []string{"g"}}, conclusion: KeysUnknown,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey", "random._domainkey"},
		}, {
			name: "wildcard key, and one selector of its own", zone: "*._domainkey TXT @ED@\ns2._domainkey TXT @RSA@",
			opts: Options{Candidates: []string{"s1", "s2"}}, conclusion: KeyFound,
			results: []string{"s2"}, asked: []string{"_domainkey", "random._domainkey", "s1._domainkey", "s2._domainkey"},
		}, {
			name: "wildcard key for a given selector is what verifiers get", zone: "*._domainkey TXT @ED@",
			opts: Options{Selectors: []string{"g"}, Candidates: []string{"s1"}}, conclusion: KeyFound,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey", "random._domainkey", "s1._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !d.Results[0].Wildcard || !d.Results[0].Usable() {
					t.Errorf("%+v", d.Results)
				}
			},
		}, {
			name: "wildcard CNAME", zone: "* CNAME parking.example.net.",
			opts: Options{Candidates: []string{"s1"}}, conclusion: KeysUnknown,
			asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !d.Wildcard() || len(d.Results) != 0 {
					t.Errorf("%+v", d)
				}
			},
		}, {
			name: "dangling CNAME is listed and no key", zone: "selector2._domainkey CNAME x.onmicrosoft.com.",
			opts: Options{Candidates: []string{"selector2"}}, conclusion: KeysUnknown,
			results: []string{"selector2"}, asked: []string{"_domainkey", "random._domainkey", "selector2._domainkey"},
		}, {
			name: "_domainkey is an alias to nothing: RFC 8020 speaks of the target", zone: "_domainkey CNAME nothing.example.net.\ns1._domainkey TXT @RSA@",
			opts: Options{Candidates: []string{"s1"}}, conclusion: KeyFound,
			results: []string{"s1"}, asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
		}, {
			name: "server denies empty non-terminals", zone: "g._domainkey TXT @RSA@\ns1._domainkey TXT @ED@",
			faults: map[string]zonetest.Fault{"_domainkey": {RCode: resolve.NXDomain}},
			opts:   Options{Selectors: []string{"g"}, Candidates: []string{"s1"}}, conclusion: KeyFound,
			results: []string{"g", "s1"}, asked: []string{"_domainkey", "g._domainkey", "random._domainkey", "s1._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !d.Lying {
					t.Error("the contradiction is not told")
				}
			},
		}, {
			name: "server fails at _domainkey", zone: "s1._domainkey TXT @RSA@",
			faults: map[string]zonetest.Fault{"_domainkey": {RCode: resolve.ServFail}},
			opts:   Options{Candidates: []string{"s1"}}, conclusion: KeyFound,
			results: []string{"s1"}, asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
		}, {
			name: "server is silent", zone: "s1._domainkey TXT @RSA@",
			faults: map[string]zonetest.Fault{"_domainkey": {Timeout: true}, "g._domainkey": {Timeout: true}},
			opts:   Options{Selectors: []string{"g"}, Candidates: []string{"s1"}}, conclusion: KeysUnknown,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if d.Skipped != 1 || d.Results[0].State != resolve.Unavailable {
					t.Errorf("%+v", d)
				}
			},
		}, {
			name: "a given selector without answer leaves it open", zone: "www A 192.0.2.1",
			faults: map[string]zonetest.Fault{"g._domainkey": {RCode: resolve.ServFail}},
			opts:   Options{Selectors: []string{"g"}}, conclusion: KeysUnknown,
			results: []string{"g"}, asked: []string{"_domainkey", "g._domainkey"},
		}, {
			name: "candidate without answer", zone: "other._domainkey TXT @RSA@",
			faults: map[string]zonetest.Fault{"s1._domainkey": {Timeout: true}},
			opts:   Options{Candidates: []string{"s1"}}, conclusion: KeysUnknown,
			asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !slices.Equal(d.Unanswered, []string{"s1"}) {
					t.Errorf("%q", d.Unanswered)
				}
			},
		}, {
			name: "selectors that are none", zone: "other._domainkey TXT @RSA@",
			opts: Options{Selectors: []string{"a b"}, Candidates: []string{"c d"}}, conclusion: KeysUnknown,
			results: []string{"a b"}, asked: []string{"_domainkey"},
			check: func(t *testing.T, d Discovery) {
				if !errors.Is(d.Results[0].Err, ErrSelector) || d.Tried != 0 {
					t.Errorf("%+v", d.Results)
				}
			},
		}, {
			name: "revoked key is found", zone: `s1._domainkey TXT "v=DKIM1; p="`,
			opts: Options{Candidates: []string{"s1"}}, conclusion: KeyFound,
			results: []string{"s1"}, asked: []string{"_domainkey", "random._domainkey", "s1._domainkey"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z := zone(t, tt.zone)
			for label, f := range tt.faults {
				z.Inject(resolve.MustName(label+".example.org"), 0, f)
			}
			var c counter
			tt.opts.Random = func() string { return "random" }
			d := Discover(t.Context(), c.over(z), org, tt.opts)
			if d.Conclusion != tt.conclusion {
				t.Errorf("conclusion %s, want %s", d.Conclusion, tt.conclusion)
			}
			var got []string
			for _, r := range d.Results {
				got = append(got, r.Selector)
			}
			if !slices.Equal(got, tt.results) {
				t.Errorf("results %q, want %q", got, tt.results)
			}
			if asked := c.sorted(); !slices.Equal(asked, tt.asked) {
				t.Errorf("asked %q, want %q", asked, tt.asked)
			}
			if tt.check != nil && !t.Failed() {
				tt.check(t, d)
			}
		})
	}
}

func TestDiscoverLimits(t *testing.T) {
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	z := zone(t, "other._domainkey TXT @RSA@")
	var c counter
	d := Discover(t.Context(), c.over(z), org, Options{Selectors: many, Candidates: many[500:], Common: true})
	if d.Tried != MaxSelectors || d.Skipped < 1000-MaxSelectors || len(c.asked) != MaxSelectors+1 || len(d.Results) != MaxSelectors {
		t.Errorf("%d tried, %d asked", d.Tried, len(c.asked))
	}
	c.asked = nil
	d = Discover(t.Context(), c.over(z), org, Options{Candidates: many[:3]})
	if len(c.asked) != 5 || d.Random.Name.NumLabels() != 4 || len(d.Random.Selector) < 20 {
		t.Errorf("asked %q", c.asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d := Discover(ctx, resolve.Offline, org, Options{Selectors: []string{"a"}}); d.Conclusion != KeysUnknown || d.Results[0].State != resolve.Unavailable {
		t.Errorf("offline: %+v", d)
	}
	if d := Discover(t.Context(), z, resolve.Name{}, Options{Selectors: []string{"a"}, Common: true}); d.Conclusion != KeysUnknown || d.Domainkey.Err == nil {
		t.Errorf("no domain: %+v", d)
	}
	long := resolve.MustName(strings.Repeat("abcdefg.", 31) + "abcd")
	if d := Discover(t.Context(), z, long, Options{Common: true}); d.Conclusion != KeysUnknown {
		t.Errorf("no room below the domain: %+v", d)
	}
}

func TestCommon(t *testing.T) {
	for i, s := range common {
		if _, err := KeyName(org, s); err != nil || slices.Contains(common[:i], s) {
			t.Errorf("%q: %v, or listed twice", s, err)
		}
	}
}

// TestDiscoverRounds: all questions of a round are open at the same time.
func TestDiscoverRounds(t *testing.T) {
	z := zone(t, "g1._domainkey TXT @RSA@")
	var mu sync.Mutex
	waiting, full := 0, make(chan struct{})
	r := resolve.Func(func(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
		mu.Lock()
		if waiting++; waiting == 3 { // _domainkey, g1, g2; then random, s1, s2
			waiting = 0
			close(full)
			full = make(chan struct{})
			mu.Unlock()
			return z.Resolve(ctx, q)
		}
		wait := full
		mu.Unlock()
		select {
		case <-wait:
			return z.Resolve(ctx, q)
		case <-time.After(5 * time.Second):
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
		}
	})
	d := Discover(t.Context(), r, org, Options{Selectors: []string{"g1", "g2"}, Candidates: []string{"s1", "s2"}})
	if d.Conclusion != KeyFound || len(d.Unanswered) > 0 || d.Domainkey.State != resolve.Absent {
		t.Errorf("%+v", d)
	}
}
