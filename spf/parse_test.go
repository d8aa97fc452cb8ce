package spf_test

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/mailcheck-go/mailcheck/spf"
)

func TestParseTerms(t *testing.T) {
	p := netip.MustParsePrefix
	for _, c := range []struct {
		text string
		want spf.Term
	}{
		{"all", spf.Term{Kind: spf.All, Qualifier: '+'}},
		{"-ALL", spf.Term{Kind: spf.All, Qualifier: '-', Explicit: true}},
		{"a", spf.Term{Kind: spf.A, Qualifier: '+', Bits4: 32, Bits6: 128}},
		{"a/24", spf.Term{Kind: spf.A, Qualifier: '+', Bits4: 24, Bits6: 128}},
		{"a//64", spf.Term{Kind: spf.A, Qualifier: '+', Bits4: 32, Bits6: 64}},
		{"~MX/0//0", spf.Term{Kind: spf.MX, Qualifier: '~', Explicit: true, Bits4: 0, Bits6: 0}},
		{"a:x.example/24//64", spf.Term{Kind: spf.A, Qualifier: '+', Domain: "x.example", Bits4: 24, Bits6: 64}},
		{"mx:a/b.example", spf.Term{Kind: spf.MX, Qualifier: '+', Domain: "a/b.example", Bits4: 32, Bits6: 128}},
		{"a:%{d}/24", spf.Term{Kind: spf.A, Qualifier: '+', Domain: "%{d}", Macro: true, Bits4: 24, Bits6: 128}},
		{"a:%{d/}", spf.Term{Kind: spf.A, Qualifier: '+', Domain: "%{d/}", Macro: true, Bits4: 32, Bits6: 128}},
		{"ptr", spf.Term{Kind: spf.PTR, Qualifier: '+'}},
		{"?ptr:X.example.", spf.Term{Kind: spf.PTR, Qualifier: '?', Explicit: true, Domain: "X.example."}},
		{"ip4:192.0.2.1", spf.Term{Kind: spf.IP4, Qualifier: '+', Prefix: p("192.0.2.1/32")}},
		{"IP4:192.0.2.1/24", spf.Term{Kind: spf.IP4, Qualifier: '+', Prefix: p("192.0.2.1/24")}},
		{"ip4:0.0.0.0/0", spf.Term{Kind: spf.IP4, Qualifier: '+', Prefix: p("0.0.0.0/0")}},
		{"+ip6:2001:DB8::1/32", spf.Term{Kind: spf.IP6, Qualifier: '+', Explicit: true, Prefix: p("2001:db8::1/32")}},
		{"ip6:::ffff:192.0.2.1", spf.Term{Kind: spf.IP6, Qualifier: '+', Prefix: netip.PrefixFrom(netip.MustParseAddr("::ffff:192.0.2.1"), 128)}},
		{"include:_spf.x.example", spf.Term{Kind: spf.Include, Qualifier: '+', Domain: "_spf.x.example"}},
		{"exists:%{ir}.%{l1r+-}._spf.%{d2}", spf.Term{Kind: spf.Exists, Qualifier: '+', Domain: "%{ir}.%{l1r+-}._spf.%{d2}", Macro: true}},
		{"exists:x%%", spf.Term{Kind: spf.Exists, Qualifier: '+', Domain: "x%%", Macro: true}},
		{"exists:.example", spf.Term{Kind: spf.Exists, Qualifier: '+', Domain: ".example"}},
		{"a:x.1-2", spf.Term{Kind: spf.A, Qualifier: '+', Domain: "x.1-2", Bits4: 32, Bits6: 128}},
		{"Redirect=x.example", spf.Term{Kind: spf.Redirect, Domain: "x.example"}},
		{"exp=x.%{o}", spf.Term{Kind: spf.Exp, Domain: "x.%{o}", Macro: true}},
		{"ip4=192.0.2.1", spf.Term{Kind: spf.Unknown, Name: "ip4", Domain: "192.0.2.1"}},
		{"Moo.cow-far_out=man:dog/cat", spf.Term{Kind: spf.Unknown, Name: "Moo.cow-far_out", Domain: "man:dog/cat"}},
		{"x=", spf.Term{Kind: spf.Unknown, Name: "x"}},
	} {
		t.Run(c.text, func(t *testing.T) {
			r, err := spf.Parse("v=spf1  " + c.text + " ")
			if err != nil {
				t.Fatal(err)
			}
			c.want.Text, c.want.Offset, c.want.End = c.text, 8, 8+len(c.text)
			if len(r.Terms) != 1 || r.Terms[0] != c.want {
				t.Errorf("%+v\nwant %+v", r.Terms, c.want)
			}
		})
	}
}

// RFC 7208, Section 12.
func TestParseRefuses(t *testing.T) {
	for _, term := range []string{
		"all:x.example", "all/8", "all.", "-", "+", "include", "include:", "include:x", "include:x.example/24", "include:1.2.3.4",
		"a:", "a:/24", "a/", "a/33", "a/024", "a/24/64", "a//129", "a/24//", "a:localhost", "a:x.example:25", "a:x.-example", "a:x.example-", "a:x.123", "a:..",
		"ptr/24", "ptr:", "ip4", "ip4:", "ip4:1.2.3", "ip4:1.2.3.256", "ip4:1.2.3.04", "ip4:1.2.3.4/33", "ip4:1.2.3.4/", "ip4:1.2.3.4/08", "ip4:1.2.3.4//32", "ip4:::1", "ip4:1.2.3.4.5",
		"ip6", "ip6:", "ip6:192.0.2.1", "ip6:fe80::1%eth0", "ip6:::1/129", "ip6:::1//64", "ip6:1:2:3:4:5:6:7", "ip6:::1::",
		"exists", "exists:", "exists:%", "exists:%{", "exists:%{x}", "exists:%{d0}", "exists:%{d}com", "exists:%{d}.", "exists:%{d2rr}", "exists:%{dr2}", "exists:%(d)", "exists:%{d}x",
		"exists:%{c}.x.example", "exists:%{t}", "exp=%{r}.x.example", "x=%{c}", "x=%y", "1x=y", "=y", "x/y=z", "-redirect=x.example", "+x=y",
		"redirect=", "redirect=x", "redirect:x.example", "exp=", "exp=-all", "a\tmx", "a:x.example\x00", "a:\u00e9.example", "x=\u00e9", "foo", "spf.x.example", "mx-all",
	} {
		t.Run(term, func(t *testing.T) {
			text := "v=spf1 a " + term + " -all"
			r, err := spf.Parse(text)
			all, isList := errors.AsType[spf.SyntaxErrors](err)
			if !isList || len(all) != 1 || !errors.Is(err, spf.ErrSyntax) {
				t.Fatalf("error %v", err)
			}
			e := all[0]
			if e.Offset != 9 || e.Term != term || text[e.Offset:e.End] != term || e.Reason == "" {
				t.Errorf("%+v", e)
			}
			if len(r.Terms) != 3 || r.Terms[1].Kind != spf.Invalid || r.Terms[2].Kind != spf.All {
				t.Errorf("the other terms are lost: %+v", r.Terms)
			}
			if r.String() != text {
				t.Errorf("printed %q", r)
			}
		})
	}
}

func TestParseVersion(t *testing.T) {
	for text, good := range map[string]bool{
		"v=spf1": true, "V=SpF1 ": true, "v=spf1  a  ": true,
		"": false, "v=spf": false, "v=spf10": false, "v=spf1;": false, " v=spf1": false, "v=spf1\ta": false, "spf2.0/pra": false,
	} {
		if _, err := spf.Parse(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// RFC 7208, Section 6: redirect and exp at most once each.
func TestParseTwice(t *testing.T) {
	for text, offset := range map[string]int{
		"v=spf1 redirect=a.example redirect=b.example":  26,
		"v=spf1 exp=a.example -all EXP=b.example":       26,
		"v=spf1 redirect=a.example x=1 redirect=a.test": 30,
	} {
		_, err := spf.Parse(text)
		e, found := errors.AsType[*spf.SyntaxError](err)
		if !found || e.Offset != offset {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseCollectsAll(t *testing.T) {
	_, err := spf.Parse("v=spf1 ipv4:192.0.2.1 foo:bar mx include: x.example ~al")
	all, _ := errors.AsType[spf.SyntaxErrors](err)
	var got []string
	for _, e := range all {
		got = append(got, e.Term+" > "+e.Suggestion)
	}
	want := []string{"ipv4:192.0.2.1 > ip4:192.0.2.1", "foo:bar > ", "include: x.example > include:x.example", "~al > ~all"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestSuggestions(t *testing.T) {
	for in, want := range map[string]string{
		"ipv4:192.0.2.1":                    "ip4:192.0.2.1",
		"-ipv6:2001:db8::/32":               "-ip6:2001:db8::/32",
		"ip:192.0.2.1":                      "ip4:192.0.2.1",
		"ip:2001:db8::1":                    "ip6:2001:db8::1",
		"ip:mail.x.example":                 "a:mail.x.example",
		"i4:192.0.2.0/24":                   "ip4:192.0.2.0/24",
		"ipv:192.0.2.1":                     "ip4:192.0.2.1",
		"ip4:2001:db8::1":                   "ip6:2001:db8::1",
		"ip6:192.0.2.1":                     "ip4:192.0.2.1",
		"ip4:mail.x.example":                "a:mail.x.example",
		"192.0.2.1":                         "ip4:192.0.2.1",
		"~192.0.2.0/24":                     "~ip4:192.0.2.0/24",
		"2001:db8::/32":                     "ip6:2001:db8::/32",
		"_spf.x.example":                    "include:_spf.x.example",
		"spf.x.example":                     "include:spf.x.example",
		"include.x.example":                 "include:x.example",
		"mail.x.example":                    "a:mail.x.example",
		"ip4:192.0.2.1~all":                 "ip4:192.0.2.1 ~all",
		"include:x.example~all":             "include:x.example ~all",
		"mxinclude:x.example":               "mx include:x.example",
		"ip4:192.0.2.1+include:x.example":   "ip4:192.0.2.1 +include:x.example",
		"ip4:192.0.2.1ip4:192.0.2.2-all":    "ip4:192.0.2.1 ip4:192.0.2.2 -all",
		"+v=spf1mxaptrip4:192.0.2.0/28-all": "mx a ptr ip4:192.0.2.0/28 -all",
		"~all_spf.x.example":                "~all",
		"~allother-verification=abc":        "~all",
		"-allMS=ms123":                      "-all",
		"~allv=spf1":                        "~all",
		"-all;":                             "-all",
		"mx,":                               "mx",
		"\u201cmx\u201d":                    "mx",
		"\"mx\"":                            "mx",
		"\u2013all":                         "-all",
		"\x96all":                           "-all",
		"include:x.example\u00a0-all":       "include:x.example -all",
		"\u200binclude:x.example":           "include:x.example",
		"a\tmx":                             "a mx",
		"-al":                               "-all",
		"~al":                               "~all",
		"prt":                               "ptr",
		"inlcude:x.example":                 "include:x.example",
		"inculde:x.example":                 "include:x.example",
		"icnlude:x.example":                 "include:x.example",
		"exist:%{i}.x.example":              "exists:%{i}.x.example",
		"aaaa":                              "a",
		"redirect:x.example":                "redirect=x.example",
		"+redirect=x.example":               "redirect=x.example",
		"redirct:x.example":                 "redirect=x.example",
		"ip4:ip4:192.0.2.1":                 "ip4:192.0.2.1",
		"ip4::192.0.2.1/32":                 "ip4:192.0.2.1/32",
		"include:include:x.example":         "",
		"++all":                             "", // a guess must not open the domain to everybody
		"aall":                              "",
		"call":                              "",
		"1.2.3.4~all":                       "ip4:1.2.3.4 ~all",
		"2001:db8::1-all":                   "ip6:2001:db8::1 -all",
		"ip4:192.0.2.1,192.0.2.2":           "ip4:192.0.2.1 ip4:192.0.2.2",
		"+ip4:192.0.2.1:192.0.2.2":          "+ip4:192.0.2.1 +ip4:192.0.2.2",
		"ip4:192.0.2.1:25":                  "ip4:192.0.2.1",
		"ip4:192.0.2.1/29/29":               "ip4:192.0.2.1/29",
		"ip4:192.0.2.0/255.255.255.0":       "ip4:192.0.2.0/24",
		"ip4:192.0.2.0/024":                 "ip4:192.0.2.0/24",
		"ip4:192.0.2.*":                     "ip4:192.0.2.0/24",
		"a:192.0.2.1":                       "ip4:192.0.2.1",
		"-mx:192.0.2.1":                     "-ip4:192.0.2.1",
		"include:192.0.2.1":                 "ip4:192.0.2.1",
		"a:https://x.example/":              "a:x.example",
		"ip4:192.0.2.1192.0.2.2":            "",
		"foo:bar":                           "",
		"ip6:2001:db8:1:2:3:4:5":            "",
		"%{d}.x.example":                    "",
		strings.Repeat("a", 5000) + ":" + "x.example": "",
	} {
		r, err := spf.Parse("v=spf1 " + in)
		e, found := errors.AsType[*spf.SyntaxError](err)
		if !found {
			if want != "" {
				t.Errorf("%q is no error: %+v", in, r.Terms)
			}
			continue
		}
		if e.Suggestion != want {
			t.Errorf("%q: suggestion %q, want %q", in, e.Suggestion, want)
		}
		if want != "" {
			if _, err := spf.Parse("v=spf1 " + want); err != nil {
				t.Errorf("the suggestion %q is wrong itself: %v", want, err)
			}
		}
	}
}

func TestSuggestDrop(t *testing.T) {
	for _, text := range []string{"v=spf1 ip4: ip4: 192.0.2.1 -all", "v=spf1 include: ~all", "v=spf1 mx , -all", "v=spf1 +v=spf1 -all"} {
		_, err := spf.Parse(text)
		e, found := errors.AsType[*spf.SyntaxError](err)
		if !found || !e.Drop || e.Suggestion != "" {
			t.Errorf("%q: %+v", text, e)
		}
	}
}

// TestPrint prints records made by hand.
func TestPrint(t *testing.T) {
	const text = "v=spf1 a mx/24 -a:x.example//64 ip4:192.0.2.1 ?ip6:2001:db8::/32 exists:%{i}.x.example redirect=y.example z=1"
	r, err := spf.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r.Text = ""
	for i := range r.Terms {
		r.Terms[i].Text = ""
	}
	if got := r.String(); got != text {
		t.Errorf("%q", got)
	}
}

func TestErrorText(t *testing.T) {
	_, err := spf.Parse("v=spf1 ipv4:192.0.2.1 \x1b[31m" + strings.Repeat("x", 1000))
	got := err.Error()
	if got != `spf: "ipv4:192.0.2.1" at offset 7: unknown mechanism, expected all, include, a, mx, ptr, ip4, ip6 or exists (did you mean "ip4:192.0.2.1"?), and 1 more` {
		t.Error(got)
	}
	all, _ := errors.AsType[spf.SyntaxErrors](err)
	if s := all[1].Error(); strings.Contains(s, "\x1b") || len(s) > 400 {
		t.Error(s)
	}
}
