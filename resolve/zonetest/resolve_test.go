package zonetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

const sample = `
$ORIGIN example.com.
$TTL 600
@        SOA  ns1 hostmaster 7 7200 900 1209600 300
@        NS   ns1
@        MX   10 mail
ns1      A    192.0.2.53
mail     A    192.0.2.25
mail     AAAA 2001:db8::25
www      CNAME mail
a.b.ent  TXT  "deep"
*.wild   TXT  "any"
*.wild   MX   5 mail
x.y.wild TXT  "own"
*.cw     CNAME mail
sub      NS   ns.sub
ns.sub   A    192.0.2.54
sub      DS   1 8 2 0011223344556677889900112233445566778899001122334455667788990011
loop1    CNAME loop2
loop2    CNAME loop1
self     CNAME self
away     CNAME host.example.net.
tosub    CNAME deep.sub
gone     CNAME nowhere
both     CNAME mail
both     TXT  "hidden"
dn       DNAME example.com.
`

func ask(z resolve.Resolver, name string, t resolve.Type) (resolve.Answer, error) {
	return z.Resolve(context.Background(), resolve.Question{Name: resolve.MustName(name), Type: t})
}

func mustParse(t testing.TB, text string, opt Options) *Zone {
	t.Helper()
	z, err := Parse(text, opt)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// brief shows records without owner, TTL and class.
func brief(recs []resolve.Record) string {
	var out []string
	for _, r := range recs {
		out = append(out, r.Data.String())
	}
	return strings.Join(out, ", ")
}

func TestResolve(t *testing.T) {
	z := mustParse(t, sample, Options{File: "db"})
	for _, c := range []struct {
		name  string
		typ   resolve.Type
		want  string // data, if found
		err   error
		chain int
	}{
		{"example.com", resolve.TypeMX, "10 mail.example.com.", nil, 0},
		{"example.com", resolve.TypeNS, "ns1.example.com.", nil, 0},
		{"MAIL.example.com", resolve.TypeA, "192.0.2.25", nil, 0},
		{"example.com", resolve.TypeTXT, "", resolve.ErrNoData, 0},
		{"nope.example.com", resolve.TypeA, "", resolve.ErrNXDomain, 0},
		{"below.mail.example.com", resolve.TypeA, "", resolve.ErrNXDomain, 0},
		// RFC 4592, Section 2.2.2: empty non-terminals exist.
		{"ent.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 0},
		{"b.ent.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 0},
		{"c.ent.example.com", resolve.TypeTXT, "", resolve.ErrNXDomain, 0},
		// RFC 4592, Section 2.2.1 and 3.3.1: the closest encloser decides.
		{"foo.wild.example.com", resolve.TypeTXT, `"any"`, nil, 0},
		{"foo.bar.wild.example.com", resolve.TypeTXT, `"any"`, nil, 0},
		{"foo.wild.example.com", resolve.TypeA, "", resolve.ErrNoData, 0},
		{"*.wild.example.com", resolve.TypeTXT, `"any"`, nil, 0},
		{"wild.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 0},
		{"x.y.wild.example.com", resolve.TypeTXT, `"own"`, nil, 0},
		{"x.y.wild.example.com", resolve.TypeMX, "", resolve.ErrNoData, 0},
		{"y.wild.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 0},
		{"z.y.wild.example.com", resolve.TypeTXT, "", resolve.ErrNXDomain, 0},
		// Aliases.
		{"www.example.com", resolve.TypeA, "192.0.2.25", nil, 1},
		{"www.example.com", resolve.TypeCNAME, "mail.example.com.", nil, 0},
		{"www.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 1},
		{"any.cw.example.com", resolve.TypeAAAA, "2001:db8::25", nil, 1},
		{"gone.example.com", resolve.TypeA, "", resolve.ErrNXDomain, 1},
		{"loop1.example.com", resolve.TypeA, "", resolve.ErrAliasLoop, 2},
		{"self.example.com", resolve.TypeA, "", resolve.ErrAliasLoop, 1},
		{"away.example.com", resolve.TypeA, "", resolve.ErrReferral, 1},
		{"tosub.example.com", resolve.TypeA, "", resolve.ErrReferral, 1},
		{"both.example.com", resolve.TypeTXT, "", resolve.ErrNoData, 1},
		{"mail.dn.example.com", resolve.TypeA, "192.0.2.25", nil, 1},
		{"dn.example.com", resolve.TypeA, "", resolve.ErrNoData, 0},
		// Delegation.
		{"sub.example.com", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"sub.example.com", resolve.TypeNS, "", resolve.ErrReferral, 0},
		{"ns.sub.example.com", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"x.y.sub.example.com", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"sub.example.com", resolve.TypeDS, "1 8 2 0011223344556677889900112233445566778899001122334455667788990011", nil, 0},
		// Elsewhere.
		{"example.net", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"com", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"badexample.com", resolve.TypeA, "", resolve.ErrReferral, 0},
		{"example.com", 255, "", resolve.ErrServFail, 0},
	} {
		t.Run(fmt.Sprintf("%s_%s", c.name, c.typ), func(t *testing.T) {
			a, err := ask(z, c.name, c.typ)
			if resolve.ReasonOf(err) != c.err || brief(a.Records) != c.want || len(a.Chain) != c.chain {
				t.Fatalf("got %q, chain %v, %v; want %q, %d, %v", brief(a.Records), a.Chain, err, c.want, c.chain, c.err)
			}
			if a.Question.Name != resolve.MustName(c.name) || a.Server != "db" && c.typ != 255 {
				t.Errorf("answer %+v", a)
			}
			for _, r := range a.Records {
				if r.Name != a.Owner() || r.Type != c.typ {
					t.Errorf("record %v, owner %v", r, a.Owner())
				}
			}
			if absent := errors.Is(err, resolve.ErrAbsent); absent != (a.SOA != nil) || absent && a.SOA.TTL != 300 {
				t.Errorf("SOA %v", a.SOA) // RFC 2308, Section 3: TTL is the lesser of MINIMUM and TTL.
			}
			if (a.RCode == resolve.NXDomain) != (c.err == resolve.ErrNXDomain) {
				t.Errorf("rcode %v", a.RCode)
			}
		})
	}
}

func TestMaxChain(t *testing.T) {
	var b strings.Builder
	for i := range resolve.MaxChain + 1 {
		fmt.Fprintf(&b, "c%d.example.com. CNAME c%d.example.com.\n", i, i+1)
	}
	fmt.Fprintf(&b, "c%d.example.com. A 192.0.2.1\n", resolve.MaxChain+1)
	z := MustParse(b.String())
	if a, err := ask(z, "c1.example.com", resolve.TypeA); err != nil || len(a.Chain) != resolve.MaxChain {
		t.Errorf("%d aliases: %v", len(a.Chain), err)
	}
	if _, err := ask(z, "c0.example.com", resolve.TypeA); !errors.Is(err, resolve.ErrAliasLoop) {
		t.Errorf("one alias more: %v", err)
	}
}

func TestWorld(t *testing.T) {
	z := MustParse(sample)
	for _, c := range []struct {
		name string
		typ  resolve.Type
		err  error
	}{
		{"example.net", resolve.TypeA, resolve.ErrNXDomain},
		{"com", resolve.TypeA, resolve.ErrNoData},
		{".", resolve.TypeNS, resolve.ErrNoData},
		{"sub.example.com", resolve.TypeNS, nil},
		{"ns.sub.example.com", resolve.TypeA, nil},
		{"x.sub.example.com", resolve.TypeA, resolve.ErrNXDomain},
		{"away.example.com", resolve.TypeA, resolve.ErrNXDomain},
	} {
		if _, err := ask(z, c.name, c.typ); resolve.ReasonOf(err) != c.err {
			t.Errorf("%s %s: %v", c.name, c.typ, err)
		}
		if !z.Holds(resolve.MustName(c.name)) {
			t.Errorf("does not hold %s", c.name)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		opt              Options
		holds, not       string
	}{
		{"SOA", sample, "example.com", Options{}, "a.example.com", "sub.example.com x.sub.example.com example.net com"},
		{"two SOA", "a.example. SOA . . 1 1 1 1 1\nb.a.example. SOA . . 1 1 1 1 1", "a.example b.a.example", Options{}, "x.b.a.example", "example"},
		{"child zone under a delegation", "a.example. SOA . . 1 1 1 1 1\nb.a.example. NS x.\nb.a.example. SOA . . 1 1 1 1 1\nc.b.a.example. TXT x", "a.example b.a.example", Options{}, "c.b.a.example b.a.example", ""},
		{"fragment", `_dmarc.example.com. TXT "v=DMARC1; p=none"`, "_dmarc.example.com", Options{}, "_dmarc.example.com x._dmarc.example.com", "example.com"},
		{"two names", "_dmarc.example.com. TXT x\nmail.example.com. A 192.0.2.1", "_dmarc.example.com mail.example.com", Options{}, "x.mail.example.com", "example.com www.example.com"},
		{"keys of many domains", "s1._domainkey.a.com. TXT x\ns2._domainkey.a.com. TXT x\ns._domainkey.b.co.uk. TXT x", "s._domainkey.b.co.uk s1._domainkey.a.com s2._domainkey.a.com", Options{}, "s1._domainkey.a.com", "s3._domainkey.a.com a.com b.co.uk co.uk"},
		{"$ORIGIN", "$ORIGIN example.com.\n_dmarc TXT x", "example.com", Options{}, "example.com", "com"},
		{"$ORIGIN without dot", "$ORIGIN example.com\n_dmarc TXT x", "example.com", Options{}, "example.com", "com"},
		{"$ORIGIN root", "$ORIGIN .\n_dmarc.example.com TXT x", "_dmarc.example.com", Options{}, "", "example.com"},
		{"$ORIGIN public suffix", "$ORIGIN com.\nexample TXT x", "example.com", Options{}, "example.com", "com other.com"},
		{"second $ORIGIN", "$ORIGIN a.com.\n_dmarc TXT x\n$ORIGIN b.com.\n_dmarc TXT x", "_dmarc.b.com a.com", Options{}, "a.com", "b.com"},
		{"relative $ORIGIN", "$ORIGIN sub\nx TXT x", "sub.example.com", Options{Origin: resolve.MustName("example.com")}, "x.sub.example.com", "example.com"},
		{"option", "_dmarc TXT x", "example.com", Options{Origin: resolve.MustName("example.com")}, "_dmarc.example.com", "com"},
		{"outside of SOA", "a.com. SOA . . 1 1 1 1 1\nmail.b.com. A 192.0.2.1", "a.com mail.b.com", Options{}, "a.com", "b.com"},
		{"root zone", ". SOA . . 1 1 1 1 1\ncom. NS a.gtld.", ".", Options{}, "net", "com a.com"},
		{"wildcard alone", "*.example.com. TXT x", "*.example.com", Options{}, "a.example.com a.b.example.com *.example.com", "example.com com"},
		{"public suffix itself", "com. TXT x", "com", Options{}, "com", "net"},
		{"escapes", "a\\.example.com. TXT x\nb.example.com. TXT x", "a\\.example.com b.example.com", Options{}, "b.example.com", "com example.com"},
		{"empty", "", "", Options{}, "", "com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := mustParse(t, c.text, c.opt)
			if got := strings.Trim(fmt.Sprint(z.Origins()), "[]"); strings.NewReplacer("{", "", "}", "").Replace(got) != c.want {
				t.Errorf("origins %s, want %s", got, c.want)
			}
			for _, n := range strings.Fields(c.holds) {
				if !z.Holds(resolve.MustName(n)) {
					t.Errorf("does not hold %s", n)
				}
			}
			for _, n := range strings.Fields(c.not) {
				if z.Holds(resolve.MustName(n)) {
					t.Errorf("holds %s", n)
				}
				if _, err := ask(z, n, resolve.TypeA); !errors.Is(err, resolve.ErrReferral) {
					t.Errorf("%s: %v", n, err)
				}
			}
		})
	}
}

func TestMerge(t *testing.T) {
	a := mustParse(t, "example.com. SOA a. a. 1 1 1 1 1\nexample.com. TXT a", Options{File: "a"})
	b := mustParse(t, "example.com. SOA b. b. 2 1 1 1 1\nexample.com. TXT b\nexample.com. TXT a", Options{File: "b"})
	c := mustParse(t, "_dmarc.example.com. TXT c\n_dmarc.sub.example.com. TXT d", Options{File: "c"})
	c.Inject(resolve.MustName("x.example.com"), 0, Fault{Drop: true})
	m := Merge(a, b, c)
	if got := m.Origins(); len(got) != 1 || got[0].String() != "example.com" {
		t.Errorf("origins %v", got)
	}
	if got := brief(m.Records(resolve.MustName("example.com"), 0)); got != `a. a. 1 1 1 1 1, "a", "b"` {
		t.Errorf("records %s", got)
	}
	if a, err := ask(m, "_dmarc.example.com", resolve.TypeTXT); err != nil || a.Server != "c" {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := ask(m, "sub.example.com", resolve.TypeTXT); !errors.Is(err, resolve.ErrNoData) {
		t.Errorf("empty non-terminal: %v", err)
	}
	if _, err := ask(m, "x.example.com", resolve.TypeTXT); !errors.Is(err, resolve.ErrNetwork) {
		t.Errorf("fault: %v", err)
	}
	w := strings.Join(m.Warnings(), "\n")
	if !strings.Contains(w, "b:1: two SOA records at {example.com}") && !strings.Contains(w, "b:1: two SOA records at example.com") {
		t.Errorf("warnings:\n%s", w)
	}
	if z := Merge(); z.Holds(resolve.Root) {
		t.Error("no zones hold the root")
	}
	// A fragment of a name that the zone around it delegates stays a zone of its own.
	parent := mustParse(t, "example.com. SOA a. a. 1 1 1 1 1\nsub.example.com. NS x.", Options{})
	if m := Merge(parent, mustParse(t, "_dmarc.sub.example.com. TXT x", Options{})); !m.Holds(resolve.MustName("_dmarc.sub.example.com")) || m.Holds(resolve.MustName("sub.example.com")) {
		t.Errorf("origins %v", m.Origins())
	}
}

func TestReplace(t *testing.T) {
	z := mustParse(t, sample, Options{})
	name := resolve.MustName("_dmarc.example.com")
	rec := []resolve.Record{{TTL: 60, Data: resolve.TXT{Strings: []string{"v=DMARC1; p=none"}}}}
	with := z.Replace(name, resolve.TypeTXT, rec)
	if _, err := ask(z, "_dmarc.example.com", resolve.TypeTXT); !errors.Is(err, resolve.ErrNXDomain) {
		t.Errorf("the old zone changed: %v", err)
	}
	if a, err := ask(with, "_dmarc.example.com", resolve.TypeTXT); err != nil || a.Records[0].Name != name {
		t.Errorf("added: %v, %v", a.Records, err)
	}
	if got := with.Replace(name, resolve.TypeTXT, nil).String(); got != z.String() {
		t.Errorf("added and removed:\n%s", got)
	}
	// An empty non-terminal goes with the last name below it.
	without := z.Replace(resolve.MustName("a.b.ent.example.com"), resolve.TypeTXT, nil)
	if _, err := ask(without, "ent.example.com", resolve.TypeTXT); !errors.Is(err, resolve.ErrNXDomain) {
		t.Errorf("removed: %v", err)
	}
	far := z.Replace(resolve.MustName("example.net"), resolve.TypeTXT, rec)
	if !far.Holds(resolve.MustName("example.net")) || !far.Holds(resolve.MustName("example.com")) {
		t.Error("a name outside is not held")
	}
	first := z.Replace(resolve.MustName("example.com"), resolve.TypeSOA, nil)
	if first.Records(resolve.MustName("example.com"), resolve.TypeSOA) != nil {
		t.Error("SOA is still there")
	}
}

func TestNames(t *testing.T) {
	z := MustParse("b.example. TXT x\na.c.example. TXT y\nb.example. TXT z")
	if got := fmt.Sprint(z.Names()); got != "[a.c.example b.example]" {
		t.Errorf("names %s", got)
	}
	if z.Records(resolve.MustName("none.example"), 0) != nil || z.Records(resolve.MustName("c.example"), 0) != nil {
		t.Error("records at a name without any")
	}
}

func TestFaults(t *testing.T) {
	name := resolve.MustName("mail.example.com")
	for _, c := range []struct {
		fault Fault
		want  error
		rcode resolve.RCode
	}{
		{Fault{RCode: resolve.ServFail}, resolve.ErrServFail, resolve.ServFail},
		{Fault{RCode: resolve.Refused}, resolve.ErrRefused, resolve.Refused},
		{Fault{RCode: resolve.NXDomain}, resolve.ErrNXDomain, resolve.NXDomain},
		{Fault{RCode: resolve.NotImp}, resolve.ErrServFail, resolve.NotImp},
		{Fault{Timeout: true}, resolve.ErrTimeout, 0},
		{Fault{Drop: true}, resolve.ErrNetwork, 0},
		{Fault{Malformed: true}, resolve.ErrMalformed, 0},
		{Fault{Delay: time.Millisecond}, nil, 0},
		{Fault{Truncate: true, WrongID: true}, nil, 0},
		{Fault{}, nil, 0},
	} {
		z := MustParse(sample)
		z.Inject(name, resolve.TypeA, c.fault)
		// The alias leads to the fault as well.
		for _, ask1 := range []string{"mail.example.com", "www.example.com"} {
			a, err := ask(z, ask1, resolve.TypeA)
			if resolve.ReasonOf(err) != c.want || a.RCode != c.rcode {
				t.Errorf("%+v at %s: %v, %v", c.fault, ask1, a.RCode, err)
			}
		}
		if _, err := ask(z, "mail.example.com", resolve.TypeAAAA); err != nil {
			t.Errorf("%+v at another type: %v", c.fault, err)
		}
		z.Inject(name, resolve.TypeA, Fault{})
		if _, err := ask(z, "mail.example.com", resolve.TypeA); err != nil {
			t.Errorf("%+v lasts: %v", c.fault, err)
		}
	}
}

func TestFaultTime(t *testing.T) {
	z := MustParse(sample)
	q := resolve.Question{Name: resolve.MustName("mail.example.com"), Type: resolve.TypeA}
	z.Inject(q.Name, 0, Fault{Timeout: true})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := z.Resolve(ctx, q); !errors.Is(err, resolve.ErrTimeout) || time.Since(start) < 15*time.Millisecond {
		t.Errorf("timeout: %v after %v", err, time.Since(start))
	}
	if _, err := z.Resolve(ctx, q); !errors.Is(err, resolve.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expired: %v", err)
	}
	z.Inject(q.Name, 0, Fault{Delay: time.Hour})
	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	if _, err := z.Resolve(ctx, q); !errors.Is(err, resolve.ErrCanceled) {
		t.Errorf("canceled: %v", err)
	}
	z.Inject(q.Name, 0, Fault{RCode: resolve.ServFail, Times: 2})
	for i := range 4 {
		if _, err := ask(z, "mail.example.com", resolve.TypeA); (err != nil) != (i < 2) {
			t.Errorf("question %d: %v", i, err)
		}
	}
}

func TestClock(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	z := mustParse(t, sample, Options{Clock: func() time.Time { return at }})
	for _, n := range []string{"mail.example.com", "nope.example.com"} {
		if a, _ := ask(z, n, resolve.TypeA); !a.At.Equal(at) || a.Transport != resolve.File || a.Server != "zone" {
			t.Errorf("%s: %+v", n, a)
		}
	}
}

// An overlay follows aliases from the zone to the network and back.
func TestOverlay(t *testing.T) {
	file := mustParse(t, "example.com. SOA . . 1 1 1 1 1\nwww.example.com. CNAME cdn.example.net.\nback.example.com. A 192.0.2.9", Options{})
	network := MustParse("cdn.example.net. CNAME back.example.com.\nback.example.com. A 192.0.2.1")
	a, err := ask(resolve.Overlay{Zone: file, Next: network}, "www.example.com", resolve.TypeA)
	if err != nil || brief(a.Records) != "192.0.2.9" || len(a.Chain) != 2 {
		t.Errorf("%v %v %v", brief(a.Records), a.Chain, err)
	}
}

func TestConcurrency(t *testing.T) {
	z := MustParse(sample)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				if i == 0 {
					z.Inject(resolve.MustName("www.example.com"), 0, Fault{RCode: resolve.RCode(j % 3)})
					z.Replace(resolve.MustName("www.example.com"), resolve.TypeA, nil)
				}
				_, _ = ask(z, "mail.example.com", resolve.TypeA)
				_, _ = ask(z, "www.example.com", resolve.TypeA)
				_, _ = ask(z, "a.wild.example.com", resolve.TypeMX)
				z.Holds(resolve.MustName("nope.example.com"))
				z.Names()
			}
		})
	}
	wg.Wait()
}

func TestNoAllocation(t *testing.T) {
	z := MustParse(sample)
	ctx := context.Background()
	q := resolve.Question{Name: resolve.MustName("a.b.ent.example.com"), Type: resolve.TypeTXT}
	if n := testing.AllocsPerRun(100, func() { _, _ = z.Resolve(ctx, q) }); n != 0 {
		t.Errorf("%v allocations for a TXT record that is there", n)
	}
}

func BenchmarkResolve(b *testing.B) {
	z := MustParse(sample)
	ctx := context.Background()
	for _, n := range []string{"a.b.ent.example.com", "foo.wild.example.com", "nope.example.com"} {
		q := resolve.Question{Name: resolve.MustName(n), Type: resolve.TypeTXT}
		b.Run(n, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = z.Resolve(ctx, q)
			}
		})
	}
}
