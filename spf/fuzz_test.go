package spf_test

import (
	"context"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
	"github.com/mailcheck-go/mailcheck/spf"
)

var seeds = []string{
	"v=spf1",
	"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a mx/24//64 ptr:x.example exists:%{ir}.%{v}._spf.%{d2} include:_spf.x.example ~all",
	"V=SPF1 +A:%{h} -MX:x.example//0 redirect=%{d}.x.example. exp=e.%{o} moo=%{s}%%%_%-",
	"v=spf1 ip4: 192.0.2.1 include:x.example~all ipv4:1.2.3.4,5.6.7.8 \u201cmx\u201d -allv=spf1 redirect=x.example redirect=x.example",
	"v=spf1include:x.example-all", "\ufeffv=spf1 a -all", "v=spf1;a;mx", "v = spf1 a",
}

// FuzzParse: what parses prints the same; what is printed from its parts parses
// to the same parts; suggestions parse; edits keep what they are not about.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := spf.Parse(text)
		if r.String() != text && text != "" {
			t.Fatalf("%q prints as %q", text, r)
		}
		r.Lint()
		spf.Select([]string{text})
		if all, isList := err.(spf.SyntaxErrors); isList {
			for _, e := range all {
				if e.Offset < 0 || e.End < e.Offset || text[e.Offset:e.End] != e.Term {
					t.Fatalf("%q: %+v", text, e)
				}
				if e.Suggestion != "" && !strings.HasPrefix(strings.ToLower(e.Suggestion), "v=spf1") {
					if _, err := spf.Parse("v=spf1 " + e.Suggestion); err != nil && !strings.Contains(err.Error(), "twice") {
						t.Fatalf("%q: suggestion %q: %v", text, e.Suggestion, err)
					}
				}
			}
		}
		if len(r.Terms) > 0 {
			if _, err := r.Repair(); err == nil {
				d, _ := r.Dedupe()
				d.Insert("ip4:192.0.2.1")
				d.SetAll('-')
			}
		}
		if err != nil {
			return
		}
		bare := spf.Record{Terms: append([]spf.Term(nil), r.Terms...)}
		for i := range bare.Terms {
			bare.Terms[i].Text = ""
		}
		again, err := spf.Parse(bare.String())
		if err != nil || len(again.Terms) != len(r.Terms) {
			t.Fatalf("%q prints as %q: %v", text, bare, err)
		}
		for i, got := range again.Terms {
			want := r.Terms[i]
			got.Text, got.Offset, got.End = want.Text, want.Offset, want.End
			got.Explicit = want.Explicit
			if want.Kind == spf.Unknown {
				got.Name = want.Name
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: term %d is %+v, was %+v", text, i, got, want)
			}
		}
	})
}

// hostile answers every question with something made of the fuzzer's text.
func hostile(text string) resolve.Func {
	return func(_ context.Context, q resolve.Question) (resolve.Answer, error) {
		a := resolve.Answer{Question: q}
		add := func(d resolve.Data) {
			a.Records = append(a.Records, resolve.Record{Name: q.Name, Type: q.Type, Data: d})
		}
		switch q.Type {
		case resolve.TypeTXT:
			add(resolve.TXT{Strings: []string{text}})
		case resolve.TypeMX:
			for i := range 12 {
				n, err := resolve.NameFromText(text[:min(len(text), i*3)] + "x.example")
				if err == nil {
					add(resolve.MX{Preference: uint16(i), Host: n})
				}
			}
		case resolve.TypePTR:
			add(resolve.Host{Name: q.Name})
			add(resolve.Host{Name: resolve.MustName("x.example")})
		case resolve.TypeA:
			add(resolve.Addr{Addr: netip.MustParseAddr("192.0.2.1")})
		}
		switch len(q.Name.String()) % 4 {
		case 0:
			return a, nil
		case 1:
			if q.Type == resolve.TypeTXT {
				return a, nil
			}
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrNXDomain, Question: q}
		case 2:
			if q.Type == resolve.TypeTXT {
				return a, nil
			}
			return resolve.Answer{Question: q}, &resolve.Error{Reason: resolve.ErrNoData, Question: q}
		}
		if len(a.Records) == 0 {
			return a, &resolve.Error{Reason: resolve.ErrTimeout, Question: q}
		}
		return a, nil
	}
}

// FuzzCheck: whatever the DNS says, an evaluation and an analysis end soon, keep
// the limits, and agree on what a sender that nothing matches gets.
func FuzzCheck(f *testing.F) {
	for _, s := range append(seeds, "v=spf1 include:x.example include:%{d}.x.example redirect=%{l}.%{d}", "v=spf1 exp=%{d} -all %{c}", "%{c} %{t} %{r}") {
		f.Add(s, "user@x.example", "mail.x.example")
	}
	cache := spf.NewCache(64)
	f.Fuzz(func(t *testing.T, text, from, helo string) {
		r := hostile(text)
		start := time.Now()
		for _, ip := range []string{"192.0.2.1", "2001:db8::1"} {
			args := spf.Args{IP: netip.MustParseAddr(ip), MailFrom: from, Helo: helo}
			res := spf.Check(t.Context(), r, args, spf.Options{Trace: true, Serial: true})
			if res.Lookups > spf.MaxLookups+1 || res.Voids > spf.MaxVoids+1 {
				t.Fatalf("%d lookups, %d voids", res.Lookups, res.Voids)
			}
			if (res.Status == spf.PermError || res.Status == spf.TempError) != (res.Err != nil && res.Status != spf.None) {
				t.Fatalf("%s with %v", res.Status, res.Err)
			}
			for _, b := range []byte(res.Explanation) {
				if b < ' ' || b > '~' {
					t.Fatalf("explanation %q", res.Explanation)
				}
			}
			again := spf.Check(t.Context(), r, args, spf.Options{Cache: cache})
			if again.Status != res.Status || again.Lookups != res.Lookups {
				t.Fatalf("cached %+v, not %+v", again, res)
			}
		}
		a, err := spf.Analyze(t.Context(), r, resolve.MustName("x.example"), spf.Options{})
		if err != nil || len(a.Questions) > 400 {
			t.Fatal(err, len(a.Questions))
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Fatalf("took %v", d)
		}
	})
}
