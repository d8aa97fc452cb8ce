package spf_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf"
)

func analyze(t *testing.T, r resolve.Resolver, domain string) spf.Analysis {
	t.Helper()
	a, err := spf.Analyze(t.Context(), r, resolve.MustName(domain), spf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func problems(ps []spf.Problem) (out []string) {
	for i := range ps {
		out = append(out, ps[i].Error())
	}
	return out
}

// RFC 7208, Section 4.5: what a name can have in place of one record.
func TestAnalyzeState(t *testing.T) {
	z := newZone().txt("none.example", "hello").txt("near.example", "v=spf1;a -all")
	z.txt("two.example", "v=spf1 -all").txt("two.example", "v=spf1 mx -all")
	z.txt("bad.example", "v=spf1 mx foo ip4:192.0.2.1 -all").mx("bad.example", "h.example").addr("h.example", "192.0.2.9")
	z.timeout("time.example", resolve.TypeTXT)
	a := analyze(t, z, "nx.example")
	if a.State != resolve.Absent || !errors.Is(a.Err, resolve.ErrNXDomain) || !a.Complete || a.Root != nil {
		t.Errorf("%+v", a)
	}
	a = analyze(t, z, "none.example")
	if a.State != resolve.Absent || a.Err != nil || !a.Complete || a.LongestTXT != 5 {
		t.Errorf("%+v", a)
	}
	a = analyze(t, z, "near.example")
	if a.State != resolve.Absent || len(a.Near) != 1 || a.Near[0].Suggestion != "v=spf1 a -all" {
		t.Errorf("%+v", a)
	}
	a = analyze(t, z, "time.example")
	if a.State != resolve.Unavailable || !errors.Is(a.Err, resolve.ErrTimeout) || a.Complete || len(a.Unknown) != 1 || len(a.Problems) != 0 {
		t.Errorf("%+v", a)
	}
	a = analyze(t, z, "two.example")
	if a.State != resolve.Present || len(a.Records) != 2 || a.Root != nil || !errors.Is(&a.Problems[0], spf.ErrMultiple) {
		t.Errorf("%+v", a)
	}
	a = analyze(t, z, "bad.example")
	if a.State != resolve.Present || a.Lookups != 1 || a.IPv4Count != 2 || len(a.Root.Syntax) != 1 || a.Problems[0].Term != 1 || !errors.Is(&a.Problems[0], spf.ErrSyntax) {
		t.Errorf("%+v", a)
	}
}

// TestAnalyzeCounts has one of each way to count (RFC 7208, Section 4.6.4).
func TestAnalyzeCounts(t *testing.T) {
	z := newZone().addr("w.example", "192.0.2.1", "2001:db8::1").addr("w4.example", "192.0.2.2").mx("m.example", "w.example", "w4.example", "gone.example")
	z.txt("i.example", "v=spf1 a:w.example -all").txt("loop.example", "v=spf1 include:back.example -all").txt("back.example", "v=spf1 redirect=loop.example")
	z.txt("spfless.example", "x").timeout("time.example", resolve.TypeTXT).timeout("atime.example", resolve.TypeA).addr("atime.example", "2001:db8::2")
	for record, want := range map[string]struct {
		lookups, voids int
		problems       []error
		unknown        int
		complete       bool
	}{
		"ip4:192.0.2.0/24 ip6:2001:db8::/32 exp=x.example all": {0, 0, nil, 0, true},
		"a:w.example mx:m.example ptr exists:w.example -all":   {4, 1, nil, 0, false},
		"a:w4.example -all": {1, 0, nil, 0, true}, // no AAAA beside an A is no void
		"a:gone.example mx:gone.example exists:gone.example -all":        {3, 3, []error{spf.ErrTooManyVoids}, 0, true},
		"include:i.example include:i.example -all":                       {4, 0, nil, 0, true}, // a repeated include counts again
		"-all include:i.example a:w.example":                             {0, 0, nil, 0, true}, // Section 5.1
		"redirect=i.example -all":                                        {0, 0, nil, 0, true}, // Section 6.1
		"redirect=i.example":                                             {2, 0, nil, 0, true},
		"include:spfless.example -all":                                   {1, 0, []error{spf.ErrNoRecord}, 0, true},
		"include:gone.example -all":                                      {1, 1, []error{spf.ErrNoRecord}, 0, true},
		"redirect=spfless.example":                                       {1, 0, []error{spf.ErrNoRecord}, 0, true},
		"include:loop.example -all":                                      {3, 0, []error{spf.ErrLoop}, 0, true},
		"include:d.example -all":                                         {1, 0, []error{spf.ErrLoop}, 0, true},
		"include:time.example a:atime.example -all":                      {2, 0, nil, 2, false},
		"include:%{i}.x.example exists:%{l}.x.example -all":              {2, 0, nil, 0, false},
		"include:%{d1r}.%{d}.x.example -all":                             {1, 1, []error{spf.ErrNoRecord}, 0, true}, // the domain is known
		"exists:%{p}.x.example ptr:x.example exists:%{P}.y.example -all": {4, 0, nil, 0, false},                     // p counts once
		"a:x..example include:a..b.example -all":                         {2, 0, []error{spf.ErrTarget}, 0, true},
		strings.Repeat("a:w.example ", 11) + "-all":                      {11, 0, []error{spf.ErrTooManyLookups}, 0, true},
	} {
		z := *z
		z.records = cloneRecords(z.records)
		z.txt("d.example", "v=spf1 "+record)
		a := analyze(t, &z, "d.example")
		if a.Lookups != want.lookups || a.Voids != want.voids || len(a.Unknown) != want.unknown || a.Complete != want.complete || len(a.Problems) != len(want.problems) {
			t.Errorf("%s: %d lookups, %d voids, problems %q, unknown %q, complete %v", record, a.Lookups, a.Voids, problems(a.Problems), problems(a.Unknown), a.Complete)
			continue
		}
		for i, err := range want.problems {
			if !errors.Is(&a.Problems[i], err) {
				t.Errorf("%s: %v, want %v", record, &a.Problems[i], err)
			}
		}
	}
}

func cloneRecords(m map[resolve.Question][]resolve.Record) map[resolve.Question][]resolve.Record {
	out := make(map[resolve.Question][]resolve.Record, len(m))
	for k, v := range m {
		out[k] = slices.Clone(v)
	}
	return out
}

func TestAnalyzeTree(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 redirect=r.example ip4:192.0.2.0/24 include:i.example ~include:j.example")
	z.txt("i.example", "v=spf1 ip4:192.0.2.128/25 a:w.example/30 -ip4:10.0.0.0/8 ip6:2001:db8::/32 include:k.example ~all")
	z.txt("j.example", "v=spf1 ip4:172.16.0.0/12 -all").txt("k.example", "v=spf1 ip6:2001:db8:1::/48 -all").txt("r.example", "v=spf1 mx:m.example ?all")
	z.addr("w.example", "198.51.100.1", "2001:db9::1").mx("m.example", "b.example", "a.example").addr("a.example", "203.0.113.1").addr("b.example", "203.0.113.2")
	a := analyze(t, z, "d.example")
	if a.Lookups != 6 || a.All != '?' || !a.Complete || a.Break != nil || len(a.Problems) != 0 {
		t.Errorf("%d %q %v %q", a.Lookups, a.All, a.Complete, problems(a.Problems))
	}
	if a.IPv4Count != 256+4+2 || fmt.Sprint(a.IPv4) != "[192.0.2.0/24 198.51.100.0/30 203.0.113.1/32 203.0.113.2/32]" {
		t.Errorf("%d %v", a.IPv4Count, a.IPv4)
	}
	if fmt.Sprint(a.IPv6) != "[2001:db8::/32 2001:db9::1/128]" || a.Widest == nil || a.Widest.Text != "ip6:2001:db8::/32" && a.Widest.Text != "ip4:192.0.2.0/24" {
		t.Errorf("%v %+v", a.IPv6, a.Widest)
	}
	root := a.Root
	if len(root.Terms) != 4 || root.Terms[0].Running != 6 || root.Terms[2].Lookups != 3 || root.Terms[2].Running != 3 || root.Terms[3].Running != 4 {
		t.Errorf("%+v", root.Terms)
	}
	child := root.Terms[2].Child
	if child == nil || child.Via != "include:i.example" || child.Depth != 1 || child.Lookups != 2 || child.Terms[1].Target != name("w.example") || len(child.Terms[1].Answers) != 2 {
		t.Errorf("%+v", child)
	}
	if hosts := root.Terms[0].Child.Terms[0].Hosts; !slices.Equal(hosts, []resolve.Name{name("b.example"), name("a.example")}) {
		t.Error(hosts)
	}
}

// TestAnalyzeBreak finds the eleventh lookup, and who gets that far.
func TestAnalyzeBreak(t *testing.T) {
	z := newZone().addr("w.example", "192.0.2.1").txt("i.example", "v=spf1 "+strings.Repeat("exists:no.example ", 9)+"-all")
	z.txt("d.example", "v=spf1 ip4:192.0.2.9 include:i.example a:w.example mx -all").txt("e.example", "v=spf1 include:i.example a:w.example mx -all")
	z.mx("d.example", "w.example").mx("e.example", "w.example")
	a := analyze(t, z, "d.example")
	if a.Break == nil || a.Break.Every || a.Break.Domain != name("d.example") || a.Break.Term != 2 || a.Break.Root != 2 || a.Break.Text != "a:w.example" {
		t.Fatalf("%+v", a.Break)
	}
	if a.Lookups != 12 || a.Root.Terms[a.Break.Term].Running != 11 {
		t.Errorf("%d %+v", a.Lookups, a.Break)
	}
	if a = analyze(t, z, "e.example"); a.Break == nil || !a.Break.Every {
		t.Errorf("%+v", a.Break)
	}
}

func TestAnalyzeOpen(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 include:i.example -all").txt("i.example", "v=spf1 +all")
	a := analyze(t, z, "d.example")
	if a.IPv4Count != 1<<32 || a.IPv4Share != 1 || a.All != '-' || a.Widest == nil || a.Widest.Text != "+all" || a.Widest.Root != 0 {
		t.Errorf("%+v", a)
	}
}

// TestAnalyzeSpeed: the time goes with the depth of the tree.
func TestAnalyzeSpeed(t *testing.T) {
	z := benchZone()
	z.delay = 20 * time.Millisecond
	var asked atomic.Int32
	r := resolve.Observe(z, func(resolve.Answer, error) { asked.Add(1) })
	start := time.Now()
	a := analyze(t, r, "tree.example")
	if d := time.Since(start); d > 8*z.delay {
		t.Errorf("took %v", d)
	}
	if a.Lookups != 7 || int(asked.Load()) != 8 || len(a.Questions) != 8 {
		t.Errorf("%d lookups, %d questions", a.Lookups, asked.Load())
	}
}

// TestAnalyzeAgrees: what an evaluation counts when nothing matches is the worst case.
func TestAnalyzeAgrees(t *testing.T) {
	z := benchZone()
	res := check(t, z, "203.0.113.77", "u@tree.example")
	if a := analyze(t, z, "tree.example"); a.Lookups != res.Lookups || a.Voids != res.Voids {
		t.Errorf("%d and %d lookups, %d and %d voids", a.Lookups, res.Lookups, a.Voids, res.Voids)
	}
}

// TestRealWorld compares with numbers counted by hand over public records.
func TestRealWorld(t *testing.T) {
	var text strings.Builder
	for _, f := range []string{"realworld.zone", "realworld-broken.zone"} {
		b, err := os.ReadFile("../../shared/corpus/dns/" + f)
		if err != nil {
			t.Skip("the real-world zones are not here: ", err)
		}
		text.Write(b)
		text.WriteByte('\n')
	}
	z, err := zonetest.Parse(text.String(), zonetest.Options{World: true})
	if err != nil {
		t.Fatal(err)
	}
	wrong := regexp.MustCompile(`(?m)^; WRONG: ([^:\s]+): (.*)$`)
	lookups := regexp.MustCompile(`^(\d+) lookup terms`)
	counted := 0
	for _, m := range wrong.FindAllStringSubmatch(text.String(), -1) {
		n, what := resolve.MustName(m[1]), m[2]
		a, err := spf.Analyze(t.Context(), z, n, spf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		has := func(want error) bool {
			return slices.ContainsFunc(a.Problems, func(p spf.Problem) bool { return errors.Is(&p, want) })
		}
		sees := func(kinds ...spf.ObservationKind) bool {
			return a.Root != nil && slices.ContainsFunc(a.Root.Record.Lint(), func(o spf.Observation) bool { return slices.Contains(kinds, o.Kind) })
		}
		bad := has(spf.ErrSyntax) || sees(spf.LikelyMistake, spf.OddTarget)
		good := true
		switch {
		case lookups.MatchString(what):
			want, _ := strconv.Atoi(lookups.FindStringSubmatch(what)[1])
			good = a.Lookups == want && has(spf.ErrTooManyLookups) && a.Break != nil
			counted++
		case strings.Contains(what, "already being evaluated"):
			good = has(spf.ErrLoop)
		case strings.Contains(what, "occurs twice"):
			good = sees(spf.LikelyMistake)
		case strings.Contains(what, "is not exactly"):
			good = len(a.Near) > 0
		case strings.Contains(what, "more than one \"all\""):
			good = sees(spf.SecondAll) || bad
		case strings.Contains(what, "are never reached"):
			good = sees(spf.AfterAll, spf.SecondAll, spf.LikelyMistake) || bad
		case strings.Contains(what, "default result neutral"):
			good = sees(spf.NoEnd)
		case strings.Contains(what, "redirect= is ignored"):
			good = sees(spf.RedirectIgnored) || bad
		case strings.Contains(what, "lets every host pass"):
			good = sees(spf.PassAll)
		case strings.Contains(what, "uses ptr"):
			good = sees(spf.UsesPTR)
		case strings.Contains(what, "had no SPF record"):
			good = has(spf.ErrNoRecord)
		case strings.Contains(what, "two SPF records"):
			good = has(spf.ErrMultiple)
		case strings.Contains(what, "non-ASCII"):
			good = has(spf.ErrSyntax) || len(a.Near) > 0
		case strings.Contains(what, "syntax error"), strings.Contains(what, "reads as"), strings.Contains(what, "argument"), strings.Contains(what, "address where"):
			good = bad
		default:
			continue
		}
		if !good {
			t.Errorf("%s: %s\n%q\n%d lookups, %q", n, what, a.Records, a.Lookups, problems(a.Problems))
		}
	}
	if counted < 20 {
		t.Errorf("%d counts compared", counted)
	}
}

func TestNets(t *testing.T) {
	z := newZone().txt("d.example", "v=spf1 ip4:0.0.0.0/1 ip4:128.0.0.0/1 ip4:10.0.0.1 -all").txt("e.example", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.2/31 ip4:255.255.255.255 ip6:::/0 ip6:::1 -all")
	if a := analyze(t, z, "d.example"); a.IPv4Count != 1<<32 || !slices.Equal(a.IPv4, []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}) {
		t.Error(a.IPv4Count, a.IPv4)
	}
	if a := analyze(t, z, "e.example"); a.IPv4Count != 4 || fmt.Sprint(a.IPv4) != "[192.0.2.1/32 192.0.2.2/31 255.255.255.255/32]" || fmt.Sprint(a.IPv6) != "[::/0]" {
		t.Error(a.IPv4Count, a.IPv4, a.IPv6)
	}
}
