package spf_test

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

// zone is a resolver in memory. It knows names by question; a name without
// records exists if another type has some.
type zone struct {
	records map[resolve.Question][]resolve.Record
	names   map[resolve.Name]bool
	fail    map[resolve.Question]error // a zero Type fails every type without records
	delay   time.Duration
}

func newZone() *zone {
	return &zone{records: map[resolve.Question][]resolve.Record{}, names: map[resolve.Name]bool{}, fail: map[resolve.Question]error{}}
}

func name(s string) resolve.Name {
	n, err := resolve.NameFromText(s)
	if err != nil {
		panic(err)
	}
	return n
}

func (z *zone) add(owner string, t resolve.Type, d resolve.Data) *zone {
	n := name(owner)
	q := resolve.Question{Name: n, Type: t}
	z.records[q] = append(z.records[q], resolve.Record{Name: n, Type: t, TTL: 3600, Data: d})
	z.names[n] = true
	return z
}

func (z *zone) txt(owner string, strs ...string) *zone {
	return z.add(owner, resolve.TypeTXT, resolve.TXT{Strings: strs})
}

func (z *zone) addr(owner string, addrs ...string) *zone {
	for _, s := range addrs {
		a := netip.MustParseAddr(s)
		t := resolve.TypeA
		if a.Is6() {
			t = resolve.TypeAAAA
		}
		z.add(owner, t, resolve.Addr{Addr: a})
	}
	return z
}

func (z *zone) mx(owner string, hosts ...string) *zone {
	for i, h := range hosts {
		z.add(owner, resolve.TypeMX, resolve.MX{Preference: uint16(10 * i), Host: name(h)})
	}
	return z
}

func (z *zone) timeout(owner string, t resolve.Type) *zone {
	z.fail[resolve.Question{Name: name(owner), Type: t}] = resolve.ErrTimeout
	return z
}

func (z *zone) Resolve(ctx context.Context, q resolve.Question) (resolve.Answer, error) {
	if z.delay > 0 {
		select {
		case <-time.After(z.delay):
		case <-ctx.Done():
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrTimeout, Question: q, Err: ctx.Err()}
		}
	}
	a := resolve.Answer{Question: q}
	at := q
	for range resolve.MaxChain {
		if rs := z.records[at]; len(rs) > 0 {
			a.Records = rs
			return a, nil
		}
		alias := z.records[resolve.Question{Name: at.Name, Type: resolve.TypeCNAME}]
		if len(alias) == 0 {
			break
		}
		to := alias[0].Data.(resolve.Host).Name
		a.Chain = append(a.Chain, resolve.Alias{Name: at.Name, Target: to})
		if to == at.Name {
			return a, &resolve.Error{Reason: resolve.ErrAliasLoop, Question: q}
		}
		at.Name = to
	}
	for _, k := range []resolve.Question{at, {Name: at.Name}} {
		if err := z.fail[k]; err != nil {
			return a, &resolve.Error{Reason: err, Question: q}
		}
	}
	if z.names[at.Name] {
		return a, &resolve.Error{Reason: resolve.ErrNoData, Question: q}
	}
	a.RCode = resolve.NXDomain
	return a, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
}

type suiteCase struct {
	Helo, Host, Mailfrom string
	Result               any
	Explanation          string
}

type suiteDoc struct {
	Description string
	Tests       map[string]suiteCase
	Zonedata    map[string][]yaml.Node
}

// suiteZone builds a zone as the suite describes it: SPF records answer TXT
// questions too, unless the name has TXT records of its own.
func suiteZone(t *testing.T, data map[string][]yaml.Node) *zone {
	z := newZone()
	for owner, entries := range data {
		var own, spf [][]string
		for _, e := range entries {
			if e.Kind == yaml.ScalarNode {
				if e.Value != "TIMEOUT" {
					t.Fatalf("zone entry %q", e.Value)
				}
				z.fail[resolve.Question{Name: name(owner)}] = resolve.ErrTimeout
				continue
			}
			kind, v := e.Content[0].Value, e.Content[1]
			host := func(s string) resolve.Name {
				if s == "" || s == "." {
					return resolve.Root
				}
				return name(s)
			}
			switch kind {
			case "TXT", "SPF":
				var strs []string
				if v.Kind == yaml.ScalarNode {
					strs = []string{latin1(v.Value)}
				} else {
					for _, s := range v.Content {
						strs = append(strs, latin1(s.Value))
					}
				}
				if kind == "TXT" {
					own = append(own, strs)
				} else {
					spf = append(spf, strs)
				}
			case "A", "AAAA":
				z.addr(owner, v.Value)
			case "MX":
				z.add(owner, resolve.TypeMX, resolve.MX{Preference: uint16(len(v.Content[0].Value)*100 + int(v.Content[0].Value[0])), Host: host(v.Content[1].Value)})
			case "PTR":
				z.add(owner, resolve.TypePTR, resolve.Host{Name: host(v.Value)})
			case "CNAME":
				z.add(owner, resolve.TypeCNAME, resolve.Host{Name: host(v.Value)})
			default:
				t.Fatalf("zone type %q", kind)
			}
		}
		if own == nil {
			own = spf
		}
		for _, strs := range own {
			if len(strs) == 1 && strs[0] == "NONE" {
				z.names[name(owner)] = true
				continue
			}
			z.txt(owner, strs...)
		}
	}
	return z
}

// latin1 undoes the UTF-8 that YAML makes of "\x80".
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		b = append(b, byte(r))
	}
	return string(b)
}

// TestSuite runs the public test suite of the SPF project for RFC 7208.
func TestSuite(t *testing.T) {
	f, err := os.Open("../../shared/corpus/spf/rfc7208-tests.yml")
	if err != nil {
		t.Skip("the RFC 7208 test suite is not here: ", err)
	}
	defer f.Close()
	total := 0
	cache := spf.NewCache(0)
	for d := yaml.NewDecoder(f); ; {
		var doc suiteDoc
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		z := suiteZone(t, doc.Zonedata)
		slow := *z
		slow.delay = 2 * time.Millisecond
		for id, c := range doc.Tests {
			total++
			t.Run(id, func(t *testing.T) {
				args := spf.Args{IP: netip.MustParseAddr(c.Host), Helo: c.Helo, MailFrom: c.Mailfrom}
				want := c.Result
				if l, isList := want.([]any); isList {
					want = l[0]
				}
				res := spf.Check(t.Context(), z, args, spf.Options{Trace: true})
				if string(res.Status) != want {
					t.Errorf("%s, want %v: %v", res.Status, c.Result, res.Err)
				}
				explanation := c.Explanation
				if explanation == "DEFAULT" {
					explanation = ""
				}
				if c.Explanation != "" && res.Explanation != explanation {
					t.Errorf("explanation %q, want %q", res.Explanation, explanation)
				}
				for mode, other := range map[string]spf.Result{
					"cached":  spf.Check(t.Context(), z, args, spf.Options{Cache: cache}),
					"ahead":   spf.Check(t.Context(), &slow, args, spf.Options{}),
					"serial":  spf.Check(t.Context(), z, args, spf.Options{Serial: true}),
					"pronged": spf.Check(t.Context(), &slow, args, spf.Options{Cache: cache}),
				} {
					if other.Status != res.Status || other.Lookups != res.Lookups || other.Voids != res.Voids || other.Term != res.Term || other.Explanation != res.Explanation {
						t.Errorf("%s: %+v, want as %+v", mode, other, res)
					}
				}
			})
		}
	}
	if total != 203 {
		t.Errorf("%d tests, want 203", total)
	}
}

var _ = strings.ToLower
