package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
)

// file is what is about to be published, world what is in DNS now.
const (
	file = `$ORIGIN example.org.
@ 3600 IN SOA ns1 hostmaster 1 2 3 4 300
@ 3600 IN NS ns1
@ 3600 IN TXT "new"
out 3600 IN CNAME target.example.net.
loop 3600 IN CNAME back.example.net.
sub 3600 IN NS ns.example.net.
`
	world = `
example.org. 3600 IN TXT "old"
example.org. 3600 IN MX 10 old.example.org.
sub.example.org. 3600 IN TXT "delegated"
target.example.net. 3600 IN TXT "target"
example.net. 3600 IN TXT "net"
in.example.net. 3600 IN CNAME example.org.
back.example.net. 3600 IN CNAME loop.example.org.
`
)

func TestOverlay(t *testing.T) {
	z, err := zonetest.Parse(file, zonetest.Options{File: "new.zone"})
	if err != nil {
		t.Fatal(err)
	}
	both := resolve.Overlay{Zone: z, Next: zonetest.MustParse(world)}
	alone := resolve.Overlay{Zone: z}
	for _, tt := range []struct {
		name   string
		r      resolve.Resolver
		q      string
		typ    resolve.Type
		want   string // joined text, if present
		reason error
		chain  int
	}{
		{"the file replaces the world", both, "example.org", resolve.TypeTXT, "new", nil, 0},
		{"what the file lacks does not exist", both, "example.org", resolve.TypeMX, "", resolve.ErrNoData, 0},
		{"nor below it", both, "x.example.org", resolve.TypeTXT, "", resolve.ErrNXDomain, 0},
		{"other names come from the world", both, "example.net", resolve.TypeTXT, "net", nil, 0},
		{"a delegated name too", both, "sub.example.org", resolve.TypeTXT, "delegated", nil, 0},
		{"an alias leaves the file", both, "out.example.org", resolve.TypeTXT, "target", nil, 1},
		{"an alias enters the file", both, "in.example.net", resolve.TypeTXT, "new", nil, 1},
		{"a loop through both", both, "loop.example.org", resolve.TypeTXT, "", resolve.ErrAliasLoop, 2},
		{"offline", alone, "example.net", resolve.TypeTXT, "", resolve.ErrOffline, 0},
		{"an alias leaves, offline", alone, "out.example.org", resolve.TypeTXT, "", resolve.ErrOffline, 1},
		{"a delegated name, offline", alone, "sub.example.org", resolve.TypeTXT, "", resolve.ErrOffline, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := resolve.Question{Name: resolve.MustName(tt.q), Type: tt.typ}
			a, err := tt.r.Resolve(context.Background(), q)
			if resolve.ReasonOf(err) != tt.reason {
				t.Fatalf("err = %v, want %v", err, tt.reason)
			}
			if e, ok := errors.AsType[*resolve.Error](err); ok && e.Question != q {
				t.Errorf("the error speaks of %v", e.Question)
			}
			got := ""
			for _, x := range a.TXT() {
				got += x.Joined()
			}
			if got != tt.want || len(a.Chain) != tt.chain || a.Question != q {
				t.Errorf("got %q with chain %v for %v", got, a.Chain, a.Question)
			}
		})
	}
}

func TestErrorClasses(t *testing.T) {
	for reason, want := range map[error]struct {
		absent, temporary bool
		state             resolve.State
	}{
		resolve.ErrNXDomain: {true, false, resolve.Absent}, resolve.ErrNoData: {true, false, resolve.Absent},
		resolve.ErrServFail: {false, true, resolve.Unavailable}, resolve.ErrRefused: {false, true, resolve.Unavailable},
		resolve.ErrTimeout: {false, true, resolve.Unavailable}, resolve.ErrNetwork: {false, true, resolve.Unavailable},
		resolve.ErrMalformed: {false, true, resolve.Unavailable}, resolve.ErrAliasLoop: {false, false, resolve.Unavailable},
		resolve.ErrReferral: {false, true, resolve.Unavailable}, resolve.ErrOffline: {false, true, resolve.Unavailable},
		resolve.ErrCanceled: {false, true, resolve.Unavailable},
	} {
		err := fmt.Errorf("wrapped: %w", &resolve.Error{Reason: reason, Err: context.Canceled})
		if errors.Is(err, resolve.ErrAbsent) != want.absent || errors.Is(err, resolve.ErrTemporary) != want.temporary ||
			!errors.Is(err, reason) || !errors.Is(err, context.Canceled) || resolve.StateOf(err) != want.state {
			t.Errorf("%v: absent %v, temporary %v, state %v", reason, errors.Is(err, resolve.ErrAbsent), errors.Is(err, resolve.ErrTemporary), resolve.StateOf(err))
		}
	}
	if resolve.StateOf(errors.New("anything else")) != resolve.Unavailable || resolve.StateOf(nil) != resolve.Present {
		t.Error("an unknown error is no proof of absence")
	}
}

func TestTXT(t *testing.T) {
	d := resolve.TXT{Strings: []string{`a"b\`, "\x00\xff\n", ""}}
	if got, want := d.String(), `"a\"b\\" "\000\255\010" ""`; got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
	if d.Joined() != "a\"b\\\x00\xff\n" || d.WireLen() != 10 {
		t.Errorf("Joined = %q, WireLen = %d", d.Joined(), d.WireLen())
	}
	long := make([]byte, 600)
	if s := resolve.SplitTXT(string(long)).Strings; len(s) != 3 || len(s[0]) != 255 || len(s[2]) != 90 {
		t.Errorf("split into %d", len(s))
	}
	if s := resolve.SplitTXT("").Strings; len(s) != 1 {
		t.Errorf("an empty text is one empty string, not %d", len(s))
	}
}

func TestWordsRoundTrip(t *testing.T) {
	for _, typ := range []resolve.Type{resolve.TypeTXT, resolve.TypeMX, resolve.TypeTLSA, 65280} {
		var back resolve.Type
		if b, err := typ.MarshalText(); err != nil || back.UnmarshalText(b) != nil || back != typ {
			t.Errorf("%v → %v", typ, back)
		}
	}
	var typ resolve.Type
	if typ.UnmarshalText([]byte("NONSENSE")) == nil || typ.UnmarshalText([]byte("TYPE70000")) == nil {
		t.Error("nonsense is a type")
	}
	for _, s := range []resolve.State{resolve.Unavailable, resolve.Absent, resolve.Present} {
		var back resolve.State
		if b, _ := s.MarshalText(); back.UnmarshalText(b) != nil || back != s {
			t.Errorf("%v → %v", s, back)
		}
	}
	if resolve.RCode(23).String() != "RCODE23" || resolve.NXDomain.String() != "NXDOMAIN" {
		t.Error("rcode words")
	}
}

func TestObserve(t *testing.T) {
	n := 0
	r := resolve.Observe(resolve.Offline, func(_ resolve.Answer, err error) {
		if errors.Is(err, resolve.ErrOffline) {
			n++
		}
	})
	if _, err := r.Resolve(context.Background(), resolve.Question{Name: resolve.Root, Type: resolve.TypeNS}); err == nil || n != 1 {
		t.Errorf("seen %d times, err %v", n, err)
	}
}

// What a person typed becomes a name, or an error with a hint.
func ExampleParseName() {
	n, _ := resolve.ParseName("Bücher.Example.")
	fmt.Println(n, n.Unicode())
	_, err := resolve.ParseName("https://www.example.org/contact")
	e, _ := errors.AsType[*resolve.NameError](err)
	fmt.Println(e.Reason + "; " + e.Hint)
	// Output:
	// xn--bcher-kva.example bücher.example
	// it is a URL; did you mean www.example.org
}

// An answer ends in one of three states.
func ExampleResolver() {
	var r resolve.Resolver = zonetest.MustParse(`example.org. 3600 IN TXT "v=spf1 -all"`)
	for _, name := range []string{"example.org", "example.net"} {
		a, err := r.Resolve(context.Background(), resolve.Question{Name: resolve.MustName(name), Type: resolve.TypeTXT})
		fmt.Println(name, resolve.StateOf(err), len(a.TXT()), errors.Is(err, resolve.ErrNXDomain))
	}
	// Output:
	// example.org present 1 false
	// example.net absent 0 true
}
