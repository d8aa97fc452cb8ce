//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/client"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

const workers = 64

// questions are those of every name of the zone, of the places below it where
// mail has its records, and of names that nobody made.
func questions(z *zonetest.Zone) []resolve.Question {
	seen := map[resolve.Question]bool{}
	var out []resolve.Question
	ask := func(n resolve.Name, types ...resolve.Type) {
		if n.IsZero() { // above the root
			return
		}
		for _, t := range types {
			if q := (resolve.Question{Name: n, Type: t}); !seen[q] {
				seen[q] = true
				out = append(out, q)
			}
		}
	}
	for _, n := range z.Names() {
		if n.First() == "*" { // asked for below, as everybody does
			n = n.Parent()
		}
		ask(n, resolve.TypeTXT, resolve.TypeMX, resolve.TypeA, resolve.TypeAAAA)
		ask(n.Parent(), resolve.TypeTXT, resolve.TypeMX)
		for _, labels := range []string{"_dmarc", "_domainkey", "selector1._domainkey", "nobody-made-this", "a.b.nobody-made-this"} {
			if below, err := n.Below(labels); err == nil {
				ask(below, resolve.TypeTXT)
			}
		}
	}
	return out
}

// form is what must be equal in two answers to one question. A recursive
// resolver counts TTLs down and sends no SOA with a record, so they can be left
// out.
func form(a resolve.Answer, err error, exact bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v", resolve.StateOf(err), resolve.ReasonOf(err))
	if !errors.Is(err, resolve.ErrAliasLoop) { // servers stop in it at different places
		for _, c := range a.Chain {
			fmt.Fprintf(&b, "\n  %s -> %s", c.Name, c.Target)
			if exact {
				fmt.Fprintf(&b, " %d", c.TTL)
			}
		}
		fmt.Fprintf(&b, "\n  %s", a.RCode)
	}
	var records []string
	for _, r := range a.Records {
		if !exact {
			r.TTL = 0
		}
		records = append(records, r.String())
	}
	slices.Sort(records)
	for _, r := range records {
		b.WriteString("\n  " + r)
	}
	if exact && a.SOA != nil {
		b.WriteString("\n  negative: " + a.SOA.String())
	}
	return b.String()
}

// compare asks both all questions and reports where they differ.
func compare(t *testing.T, z *zonetest.Zone, c *client.Client, list []resolve.Question, exact bool) {
	t.Helper()
	work := make(chan resolve.Question)
	var mu sync.Mutex
	states, differ := map[string]int{}, 0
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for q := range work {
				za, zerr := z.Resolve(t.Context(), q)
				ca, cerr := c.Resolve(t.Context(), q)
				want, got := form(za, zerr, exact), form(ca, cerr, exact)
				mu.Lock()
				states[fmt.Sprint(resolve.ReasonOf(zerr))]++
				if want != got {
					if differ++; differ <= 20 {
						t.Errorf("%s:\nzonetest: %s\nserver: %s\nerror: %v", q, want, got, cerr)
					}
				}
				mu.Unlock()
			}
		})
	}
	for _, q := range list {
		work <- q
	}
	close(work)
	wg.Wait()
	if differ > 20 {
		t.Errorf("%d of %d answers differ in all", differ, len(list))
	}
	t.Logf("%d questions, by outcome: %v; %s", len(list), states, c.Stats())
}

func newClient(t *testing.T, opt client.Options) *client.Client {
	t.Helper()
	c, err := client.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestDifferential asks real servers and zonetest the same.
func TestDifferential(t *testing.T) {
	for _, zone := range []struct {
		name string
		text func(*testing.T) string
	}{{"semantics", semantics}, {"captured", world}} {
		name := zone.name
		for _, kind := range []serverKind{nsd, knot} {
			t.Run(name+"/"+kind.program, func(t *testing.T) {
				text := zone.text(t)
				addr := kind.start(t, text)
				z := parse(t, text)
				for _, transport := range []string{"udp", "tcp"} {
					t.Run(transport, func(t *testing.T) {
						c := newClient(t, client.Options{Servers: []string{transport + "://" + addr}})
						compare(t, z, c, questions(z), true)
					})
				}
			})
		}
		t.Run(name+"/unbound", func(t *testing.T) {
			text := zone.text(t)
			z := parse(t, text)
			addr := unbound(nsd.start(t, text)).start(t, "")
			c := newClient(t, client.Options{Servers: []string{addr}})
			list := slices.DeleteFunc(questions(z), func(q resolve.Question) bool {
				a, err := z.Resolve(t.Context(), q)
				// Unbound has its own limit on aliases, and SERVFAIL for what is beyond it.
				return errors.Is(err, resolve.ErrAliasLoop) || len(a.Chain) > 8
			})
			compare(t, z, c, list, false)
		})
	}
}

// TestSizes asks for answers around each limit of a UDP message.
func TestSizes(t *testing.T) {
	for _, kind := range []serverKind{nsd, knot} {
		t.Run(kind.program, func(t *testing.T) {
			addr := kind.start(t, semantics(t))
			tests := []struct {
				name      string
				joined    int
				transport resolve.Transport
			}{
				{"size500", 500, resolve.UDP},
				{"size1200", 1200, resolve.TCP}, // with its name and overhead more than 1232 octets
				{"size1300", 1300, resolve.TCP},
				{"size4000", 4000, resolve.TCP},
				{"size5000", 5000, resolve.TCP},
				{"size30000", 30000, resolve.TCP},
				{"size60000", 60000, resolve.TCP},
				{"many", 40 * len("record 00 of a set that is long because it has many"), resolve.TCP},
			}
			for _, tt := range tests {
				t.Run(tt.name, func(t *testing.T) {
					c := newClient(t, client.Options{Servers: []string{addr}})
					a, err := c.Resolve(t.Context(), resolve.Question{Name: resolve.MustName(tt.name + ".lab.test"), Type: resolve.TypeTXT})
					if err != nil {
						t.Fatal(err)
					}
					n := 0
					for _, r := range a.TXT() {
						n += len(r.Joined())
					}
					if n != tt.joined || a.Transport != tt.transport || a.Truncated != (tt.transport == resolve.TCP) {
						t.Errorf("%d octets of text over %s, truncated %v; want %d over %s", n, a.Transport, a.Truncated, tt.joined, tt.transport)
					}
					if tt.transport == resolve.UDP && a.Size <= 512 {
						t.Errorf("a message of %d octets does not need EDNS (RFC 6891, Section 6.2.5)", a.Size)
					}
				})
			}
		})
	}
}

// TestNegative pins what absence looks like on a real server.
func TestNegative(t *testing.T) {
	c := newClient(t, client.Options{Servers: []string{nsd.start(t, semantics(t))}})
	tests := []struct {
		name string
		typ  resolve.Type
		want error // nil: present
	}{
		{"lab.test", resolve.TypeTXT, nil},
		{"nothing.lab.test", resolve.TypeTXT, resolve.ErrNXDomain},
		{"mx.lab.test", resolve.TypeTXT, resolve.ErrNoData},
		{"b.ent.lab.test", resolve.TypeTXT, resolve.ErrNoData}, // RFC 8020, Section 2: an empty non-terminal exists
		{"x.b.ent.lab.test", resolve.TypeTXT, resolve.ErrNXDomain},
		{"any.wild.lab.test", resolve.TypeTXT, nil},
		{"any.wild.lab.test", resolve.TypeMX, resolve.ErrNoData},
		{"held.wild.lab.test", resolve.TypeTXT, resolve.ErrNoData}, // RFC 4592, Section 2.2.1: the wildcard is for names that do not exist
		{"node.wild.lab.test", resolve.TypeTXT, resolve.ErrNoData}, // nor does it cover an empty non-terminal
		{"x.node.wild.lab.test", resolve.TypeTXT, resolve.ErrNXDomain},
		{"any.walias.lab.test", resolve.TypeA, nil},
		{"gone.lab.test", resolve.TypeTXT, resolve.ErrNXDomain},
		{"other.lab.test", resolve.TypeTXT, resolve.ErrNoData},
		{"loop1.lab.test", resolve.TypeTXT, resolve.ErrAliasLoop},
		{"self.lab.test", resolve.TypeTXT, resolve.ErrAliasLoop},
		{"far0.lab.test", resolve.TypeTXT, resolve.ErrAliasLoop}, // 14 aliases are more than MaxChain
		{"www.old.lab.test", resolve.TypeTXT, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.typ.String(), func(t *testing.T) {
			a, err := c.Resolve(context.Background(), resolve.Question{Name: resolve.MustName(tt.name), Type: tt.typ})
			if resolve.ReasonOf(err) != tt.want {
				t.Errorf("got %v, want %v; %+v", err, tt.want, a)
			}
		})
	}
}
