package flatten_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/resolve/zonetest"
	"github.com/mailcheck-go/mailcheck/spf"
	"github.com/mailcheck-go/mailcheck/spf/flatten"
	"github.com/mailcheck-go/mailcheck/spf/set"
)

const world = `
example.org. 60 IN TXT "v=spf1 ip4:192.0.2.1 include:_spf.vendor.example ~include:soft.example include:macro.example include:one.example -all"
_spf.vendor.example. 60 IN TXT "v=spf1 -ip4:198.51.100.128/25 include:_a.vendor.example include:_b.vendor.example ~ip4:203.0.113.7 redirect=_r.vendor.example"
_a.vendor.example. 60 IN TXT "v=spf1 ip4:198.51.100.0/24 ip4:198.51.101.0/24 ~all"
_b.vendor.example. 60 IN TXT "v=spf1 ip6:2001:db8:4000::/36 a:out.vendor.example ?all"
_r.vendor.example. 60 IN TXT "v=spf1 ip4:203.0.113.0/28 ip6:2c0f:fb50:4864::/56"
out.vendor.example. 60 IN A 192.0.2.99
soft.example. 60 IN TXT "v=spf1 include:soft2.example -all"
soft2.example. 60 IN TXT "v=spf1 ip4:192.0.2.64/28 -all"
macro.example. 60 IN TXT "v=spf1 include:macro2.example exists:%{i}._spf.macro.example include:macro3.example ip4:192.0.2.128/30 -all"
macro2.example. 60 IN TXT "v=spf1 ip4:192.0.2.132/30 -all"
macro3.example. 60 IN TXT "v=spf1 include:macro4.example exists:%{i}.%{d} -all"
macro4.example. 60 IN TXT "v=spf1 ip4:192.0.2.200 -all"
one.example. 60 IN TXT "v=spf1 ip4:192.0.2.250 -all"
own.example. 60 IN TXT "v=spf1 include:own2.example -all"
own2.example. 60 IN TXT "v=spf1 include:macro2.example exists:%{i}.%{d} -all"
wide.example. 60 IN TXT "v=spf1 include:own3.example -all"
own3.example. 60 IN TXT "v=spf1 include:macro2.example ptr -all"
broken.example. 60 IN TXT "v=spf1 include:lost.example -all"
lost.example. 60 IN TXT "v=spf1 include:nothing.example ip4:192.0.2.1 -all"
down.example. 60 IN TXT "v=spf1 include:down2.example -all"
down2.example. 60 IN TXT "v=spf1 include:dead.example ip4:192.0.2.1 -all"
`

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func zone() *zonetest.Zone {
	z := zonetest.MustParse(world)
	z.Inject(resolve.MustName("dead.example"), 0, zonetest.Fault{RCode: resolve.ServFail})
	return z
}

func names(words ...string) (out []resolve.Name) {
	for _, w := range words {
		out = append(out, resolve.MustName(w))
	}
	return out
}

func TestMake(t *testing.T) {
	opt := flatten.Options{Now: now, Label: func(n resolve.Name) string {
		if n.Within(resolve.MustName("vendor.example")) {
			return "Vendor"
		}
		return ""
	}}
	p, err := flatten.Make(t.Context(), zone(), resolve.MustName("example.org"), names("_spf.vendor.example", "soft.example", "macro.example"), opt)
	if err != nil {
		t.Fatal(err)
	}
	if want := "v=spf1 ip4:192.0.2.1 include:_spf-vendor.example.org ~include:_spf-soft-example.example.org include:_spf-macro-example.example.org include:one.example -all"; p.New != want {
		t.Errorf("new record %s", p.New)
	}
	want := []string{
		// What the include refuses before it passes is left out; what a redirect leads to is in.
		"_spf-vendor.example.org v=spf1 ip4:192.0.2.99 ip4:198.51.100.0/25 ip4:198.51.101.0/24 ip4:203.0.113.0/30 ip4:203.0.113.4/31 ip4:203.0.113.6 ip4:203.0.113.8/29 ip6:2001:db8:4000::/36 ip6:2c0f:fb50:4864::/56 -all",
		"_spf-soft-example.example.org v=spf1 ip4:192.0.2.64/28 -all",
		// exists keeps its macros; an include whose macros name itself stays an include.
		"_spf-macro-example.example.org v=spf1 ip4:192.0.2.128/29 ip4:192.0.2.200 exists:%{i}._spf.macro.example include:macro3.example -all",
	}
	var got []string
	for _, r := range p.Records {
		got = append(got, r.Name.String()+" "+r.Text)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("records\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.After >= p.Before || len(p.Repaired) == 0 && p.Before > spf.MaxLookups {
		t.Errorf("%d lookups, before %d, repaired %v", p.After, p.Before, p.Repaired)
	}
	if h := p.Includes[0].Hosts; len(h) != 1 || h[0] != "a:out.vendor.example" {
		t.Errorf("hosts %v", h)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		domain, include string
		want            error
	}{
		{"example.org", "nobody.example", flatten.ErrNotIncluded},
		{"example.org", "one.example", flatten.ErrNoGain},
		{"own.example", "own2.example", flatten.ErrOwnName},
		{"wide.example", "own3.example", flatten.ErrOwnName},
		{"broken.example", "lost.example", flatten.ErrBroken},
		{"down.example", "down2.example", flatten.ErrUnknown},
		{"dead.example", "x.example", flatten.ErrUnknown},
		{"nothing.example", "x.example", flatten.ErrBroken},
	} {
		if _, err := flatten.Make(t.Context(), zone(), resolve.MustName(c.domain), names(c.include), flatten.Options{Now: now}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.include, err, c.want)
		}
	}
}

// TestSplit packs many networks into several records and proves them.
func TestSplit(t *testing.T) {
	z := zone()
	var a, b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&a, " ip4:10.%d.0.0/17", i)
		fmt.Fprintf(&b, " ip6:2001:db8:%x::/49", i)
	}
	z = zonetest.Merge(z, zonetest.MustParse(fmt.Sprintf(`
big.example. 60 IN TXT "v=spf1 include:x1.example -all"
x1.example. 60 IN TXT "v=spf1 include:x2.example include:x3.example include:x4.example include:x5.example -all"
x2.example. 60 IN TXT %s
x3.example. 60 IN TXT %s
x4.example. 60 IN TXT "v=spf1 ip4:192.0.2.1 -all"
x5.example. 60 IN TXT "v=spf1 ip4:192.0.2.3 -all"
`, resolve.SplitTXT("v=spf1"+a.String()), resolve.SplitTXT("v=spf1"+b.String()))))
	p, err := flatten.Make(t.Context(), z, resolve.MustName("big.example"), names("x1.example"), flatten.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Records) < 2 || p.After != len(p.Records) {
		t.Errorf("%d records, %d lookups", len(p.Records), p.After)
	}
	for _, r := range p.Records {
		if len(r.Text) > flatten.MaxText {
			t.Errorf("%d octets", len(r.Text))
		}
	}
	if _, err := flatten.Make(t.Context(), z, resolve.MustName("big.example"), names("x1.example"), flatten.Options{Now: now, MaxText: 200}); !errors.Is(err, flatten.ErrTooLarge) {
		t.Error(err)
	}
	text, err := p.Lock().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flatten.ParseLock(text); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	domain := resolve.MustName("example.org")
	z := zone()
	p, err := flatten.Make(t.Context(), z, domain, names("_spf.vendor.example", "macro.example"), flatten.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := p.Lock().Marshal()
	l, err := flatten.ParseLock(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := l.Marshal(); string(again) != string(text) {
		t.Error("a lock is not the same after reading it")
	}
	for _, change := range [][2]string{{"198.51.101.0/24", "198.51.0.0/16"}, {"ip4:198.51.100.0/25", "ip4:0.0.0.0/0"}, {"lock/1", "lock/2"}, {"\"terms\"", "\"turns\""}, {"exists:%{i}._spf", "exists:%{i}.x"}} {
		if _, err := flatten.ParseLock([]byte(strings.Replace(string(text), change[0], change[1], 1))); !errors.Is(err, flatten.ErrLock) {
			t.Errorf("%v: %v", change, err)
		}
	}
	for age, stale := range map[time.Duration]bool{0: false, 29 * 24 * time.Hour: false, 31 * 24 * time.Hour: true, -2 * time.Hour: true} {
		if err := l.Fresh(flatten.Options{Now: now.Add(age)}); errors.Is(err, flatten.ErrStale) != stale {
			t.Errorf("after %v: %v", age, err)
		}
	}

	ds := flatten.Compare(t.Context(), z, l)
	if ds[0].Moved() || ds[1].Moved() || ds[0].Published != resolve.Absent {
		t.Errorf("%+v", ds)
	}
	records := map[resolve.Name]string{}
	for _, r := range p.Records {
		records[r.Name] = r.Text
	}
	records[resolve.MustName("_a.vendor.example")] = "v=spf1 ip4:198.51.101.0/24 ip4:192.0.2.0/29 -all"
	records[resolve.MustName("macro.example")] = "v=spf1 include:macro2.example exists:%{i}._spf2.macro.example include:macro3.example ip4:192.0.2.128/30 -all"
	ds = flatten.Compare(t.Context(), set.WithRecords(z, records), l)
	if d := ds[0]; !d.Moved() || d.Added.String() != "192.0.2.0/29" || d.Removed.String() != "198.51.100.0/25" || d.Published != resolve.Present {
		t.Errorf("%+v", d)
	}
	if d := ds[1]; strings.Join(d.TermsAdded, " ") != "exists:%{i}._spf2.macro.example" || strings.Join(d.TermsRemoved, " ") != "exists:%{i}._spf.macro.example" {
		t.Errorf("%+v", d)
	}
	z.Inject(resolve.MustName("_a.vendor.example"), 0, zonetest.Fault{RCode: resolve.ServFail})
	records = map[resolve.Name]string{resolve.MustName("macro.example"): "v=spf1 include:nothing.example"}
	ds = flatten.Compare(t.Context(), set.WithRecords(z, records), l)
	if ds[0].State != resolve.Unavailable || ds[0].Moved() {
		t.Errorf("a failed lookup is no drift: %+v", ds[0])
	}
	if ds[1].State != resolve.Absent || !ds[1].Moved() {
		t.Errorf("a broken include is drift: %+v", ds[1])
	}
}

// FuzzMake flattens whatever bytes make up and checks that nothing changes.
func FuzzMake(f *testing.F) {
	f.Add("4n 4z -", "~4a i2 ?4b", "4c 6d x1 +")
	f.Add("i2 i3", "-4b 6a 4c", "4a p ~")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var text strings.Builder
		text.WriteString("example.org. 60 IN TXT \"v=spf1 ip4:192.0.2.77 include:n1.example ?ip4:192.0.2.0/28 ~all\"\n")
		for i, w := range []string{"i2 i3 " + a, b, c} {
			fmt.Fprintf(&text, "n%d.example. 60 IN TXT %q\n", i+1, "v=spf1 "+strings.Join(terms(w), " "))
		}
		z := zonetest.MustParse(text.String())
		domain := resolve.MustName("example.org")
		p, err := flatten.Make(t.Context(), z, domain, names("n1.example"), flatten.Options{Now: now})
		if err != nil {
			if errors.Is(err, flatten.ErrUnknown) {
				t.Fatal(err)
			}
			return
		}
		overlay := map[resolve.Name]string{domain: p.New}
		for _, r := range p.Records {
			overlay[r.Name] = r.Text
		}
		before, _ := set.Resolve(t.Context(), z, domain, spf.Options{})
		after, _ := set.Resolve(t.Context(), set.WithRecords(z, overlay), domain, spf.Options{})
		for _, d := range set.Diff(before, after) {
			if !d.Repairs() {
				t.Errorf("%s: %s, now %s", d.Set, d.Old, d.New)
			}
		}
		for i := range 256 { // and as a receiver sees it
			args := spf.Args{IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), MailFrom: "x@example.org"}
			x, y := spf.Check(t.Context(), z, args, spf.Options{Serial: true}), spf.Check(t.Context(), set.WithRecords(z, overlay), args, spf.Options{Serial: true})
			if x.Status != y.Status && x.Status != spf.PermError {
				t.Errorf("%s: %s, now %s", args.IP, x.Status, y.Status)
			}
		}
	})
}

func terms(text string) (out []string) {
	for w := range strings.FieldsSeq(text) {
		q := ""
		if strings.IndexByte("+-~?", w[0]) >= 0 {
			q, w = w[:1], w[1:]
		}
		n := byte(0)
		if len(w) > 1 {
			n = w[1]
		}
		switch {
		case w == "":
			out = append(out, q+"all")
		case w[0] == '4':
			out = append(out, fmt.Sprintf("%sip4:192.0.2.%d/%d", q, n, 24+n%9))
		case w[0] == '6':
			out = append(out, fmt.Sprintf("%sip6:2001:db8::%x/%d", q, n, 112+n%17))
		case w[0] == 'i':
			out = append(out, fmt.Sprintf("%sinclude:n%d.example", q, n%4))
		case w[0] == 'x':
			out = append(out, fmt.Sprintf("%sexists:%%{i}.n%d.example", q, n%4))
		case w[0] == 'p':
			out = append(out, q+"ptr:n.example")
		}
		if len(out) == 10 {
			break
		}
	}
	return out
}
