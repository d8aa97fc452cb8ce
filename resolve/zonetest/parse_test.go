package zonetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailcheck-go/mailcheck/resolve"
)

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"include", "a.example. TXT x\n$INCLUDE /etc/passwd\n", `zone:2:1: directive is not supported, only $ORIGIN and $TTL are: "$INCLUDE"`},
		{"include in parentheses", "(\n$include /etc/passwd\n)", `zone:2:1: directive is not supported, only $ORIGIN and $TTL are: "$include"`},
		{"include with a return in it", "$INC\rLUDE /etc/passwd\n", `zone:1:1: directive is not supported, only $ORIGIN and $TTL are: "$INCLUDE"`},
		{"include with parentheses in it", "$INC()LUDE /etc/passwd\n", `zone:1:1: directive is not supported, only $ORIGIN and $TTL are: "$INC"`},
		{"generate", "$GENERATE 1-65535 a$ A 192.0.2.1\n", `zone:1:1: directive is not supported, only $ORIGIN and $TTL are: "$GENERATE"`},
		{"type", "a.example. 300 IN FOO x\n", `zone:1:19: unknown RR type: "FOO"`},
		{"address", "a.example. TXT ok\n  b.example. A 1.2.3\n", `zone:2:3: neither a record type, a class nor a TTL: "b.example."`},
		{"address 2", "a.example. TXT ok\nb.example. A 1.2.3\n", `zone:2:14: bad A A: "1.2.3"`},
		{"name", "a.example. MX 10 x..y\n", `zone:1:18: bad MX Mx: "x..y"`},
		{"owner", "a..example. A 192.0.2.1\n", `zone:1:1: bad owner name: "a..example."`},
		{"number", "a.example. MX ten mail\n", `zone:1:15: bad MX Pref: "ten"`},
		{"no data", "x.example. A 192.0.2.1\na.example. TXT\n", `zone:2:1: TXT: no data: "a.example."`},
		{"no data, SRV", "a.example. SRV\n", `zone:1:1: SRV: no data: "a.example."`},
		{"string", "a.example. TXT \"ok\" \"open\nb.example. TXT \"x\"\n", `zone:1:21: string is not closed on its line: "\"open"`},
		{"string at the end", "a.example. TXT \"open", `zone:1:16: string is not closed on its line: "\"open"`},
		{"parenthesis", "a.example. SOA a. b. (\n1 2 3 4 5\nb.example. TXT x\n", `zone:3:1: garbage after rdata (inside the parenthesis of line 1): "b.example."`},
		{"parenthesis alone", "\n (", `zone:2:2: parenthesis is not closed: "("`},
		{"octet", "a.example. TXT \"\\300\"\n", `zone:1:1: TXT: escape \300 is no octet: "a.example."`},
		{"trailing", "a.example. A 192.0.2.1 junk\n", `zone:1:24: garbage after rdata: "junk"`},
		{"label", strings.Repeat("a", 64) + ".example. A 192.0.2.1\n", `zone:1:1: bad owner name: "` + strings.Repeat("a", 64)},
		{"origin", "$ORIGIN a..b.\n", `zone:1:9: bad origin name: "a..b."`},
		{"long word", "a.example. TXT x\n\na.example. TXT " + strings.Repeat("x", maxEntry), `zone:3:1: entry is too long`},
		{"many words", "a.example. NSEC b. " + strings.Repeat("A ", maxWords), `zone:1:1: entry is too long`},
		{"many strings", "a.example. TXT " + strings.Repeat(`"" `, maxStrings+1), `zone:1:1: entry is too long`},
		{"more than a message", "a.example. TXT " + strings.Repeat(`"" `, maxStrings), `zone:1:1: TXT: more than 65535 octets of data: "a.example."`},
		{"ttl", "$TTL never\n", `zone:1:6: no value of $TTL: "never"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			z, err := Parse(c.text, Options{})
			var p *ParseError
			if !errors.As(err, &p) {
				t.Fatalf("got %v, %v", z, err)
			}
			if !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
	if _, err := Parse("x", Options{File: "my.zone"}); err == nil || !strings.HasPrefix(err.Error(), "my.zone:1:") {
		t.Errorf("file name: %v", err)
	}
	if _, err := Parse(strings.Repeat("\n", MaxText+1), Options{}); err == nil {
		t.Error("no limit on the text")
	}
	defer func() {
		if recover() == nil {
			t.Error("MustParse does not panic")
		}
	}()
	MustParse("x")
}

// A parenthesis and a line end inside of one separate words, indented or not.
func TestParentheses(t *testing.T) {
	const want = "example.com. 3600 IN SOA a. b. 1 2 3 4 5\nexample.com. 3600 IN TXT \"x\" \"y\"\n"
	for _, text := range []string{
		"example.com. SOA a. b.(\n1\n2;two\n3\n\n4 ;four (\n5)\nexample.com. TXT (x\ny)",
		"example.com.(SOA a. b. 1 2 3 4 5)\r\n\tTXT(x\r\ny\r\n)",
		"example.com. SOA ( a. b. ) 1 ( 2 ( 3 ) 4\n) 5 \n TXT x(\"y\")",
	} {
		if z := mustParse(t, text, Options{}); z.String() != want {
			t.Errorf("%q\n%s", text, z)
		}
	}
}

func TestParseForms(t *testing.T) {
	text := `; comment with "quotes and ( parens
$ORIGIN example.com.
$TTL 1h
@	IN	SOA	ns1 hostmaster.example.com. (
		1 ; serial "
		2 3
		4 5 )
	NS	ns1
	300 IN MX 10 mail ; "not a string
ns1 IN 60 A 192.0.2.1
a\;b TXT bare word\ with\ space "quo;ted (x" ""
long TXT ( "one "
   "two" )
boechout@gemeente.freshservice.com. TXT x
Up.CASE TXT x
`
	z := mustParse(t, text+"last TXT end", Options{})
	if len(z.Warnings()) > 0 {
		t.Errorf("warnings %q", z.Warnings())
	}
	want := `example.com. 3600 IN SOA ns1.example.com. hostmaster.example.com. 1 2 3 4 5
example.com. 3600 IN NS ns1.example.com.
example.com. 300 IN MX 10 mail.example.com.
ns1.example.com. 60 IN A 192.0.2.1
a\;b.example.com. 3600 IN TXT "bare" "word with space" "quo;ted (x" ""
long.example.com. 3600 IN TXT "one " "two"
boechout\@gemeente.freshservice.com. 3600 IN TXT "x"
up.case.example.com. 3600 IN TXT "x"
last.example.com. 3600 IN TXT "end"
`
	if z.String() != want {
		t.Errorf("got\n%s", z)
	}
	if crlf := mustParse(t, strings.ReplaceAll(text, "\n", "\r\n")+"last TXT end", Options{}); crlf.String() != want {
		t.Errorf("CRLF:\n%s", crlf)
	}
}

// Strings keep every octet, however it is written.
func TestOctets(t *testing.T) {
	var escaped, raw strings.Builder
	for i := range 256 {
		fmt.Fprintf(&escaped, "\\%03d", i)
		raw.WriteByte(byte(i))
		if i == 127 {
			escaped.WriteString(`" "`)
		}
	}
	z := MustParse(`x.example. TXT "` + escaped.String() + `"` + "\ny.example. TXT \"a\\\"b\\\\c\\;d\xff\"")
	a, err := ask(z, "x.example", resolve.TypeTXT)
	if err != nil || a.TXT()[0].Joined() != raw.String() || len(a.TXT()[0].Strings) != 2 {
		t.Errorf("%q, %v", a.TXT(), err)
	}
	a, err = ask(z, "y.example", resolve.TypeTXT)
	if err != nil || a.TXT()[0].Joined() != "a\"b\\c;d\xff" {
		t.Errorf("%q, %v", a.TXT(), err)
	}
	again := MustParse(z.String())
	if !reflect.DeepEqual(again.Records(resolve.MustName("x.example"), 0), z.Records(resolve.MustName("x.example"), 0)) {
		t.Errorf("printed and read: %s", again)
	}
}

func TestWarnings(t *testing.T) {
	z := mustParse(t, `$ORIGIN example.com.
@ SOA a b 1 1 1 1 1
@ SOA a b 2 1 1 1 1
x TXT "a"
x TXT "a"
c CNAME x
c CNAME y
c TXT "beside"
t 60 A 192.0.2.1
t 61 A 192.0.2.2
mail.example.com A 192.0.2.1
v CH TXT "other class"
l TXT "`+strings.Repeat("x", 256)+`"
`, Options{File: "f"})
	want := []string{
		"f:11: the name mail.example.com.example.com ends in its origin twice: a final dot is missing",
		"f:12: class CH is not IN: the record is left out",
		"f:13: a string of 256 octets, the limit is 255: it was split",
		"f:3: two SOA records at example.com: the first is used",
		"f:5: duplicate TXT record at x.example.com",
		"f:7: two CNAME records at c.example.com: the first is used",
		"f:10: A records at t.example.com differ in TTL",
		"f:6: CNAME and other data at c.example.com: the CNAME is the answer",
	}
	if got := z.Warnings(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := len(mustParse(t, strings.Repeat("a.example. TXT x\n", 3000), Options{}).Warnings()); n != maxWarn {
		t.Errorf("%d warnings kept", n)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.zone"), filepath.Join(dir, "b.zone")
	for name, text := range map[string]string{a: "a.example. TXT a\n", b: "b.example. TXT b\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	z, err := Load(a, b)
	if err != nil || len(z.Names()) != 2 {
		t.Fatalf("%v, %v", z, err)
	}
	if got, err := ask(z, "b.example", resolve.TypeTXT); err != nil || got.Server != b {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := Load(); err == nil {
		t.Error("no file is no error")
	}
	if _, err := Load(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if err := os.WriteFile(b, []byte("b.example. TXT"), 0o600); err != nil {
		t.Fatal(err)
	}
	var p *ParseError
	if _, err := Load(a, b); !errors.As(err, &p) || p.File != b || p.Line != 1 {
		t.Errorf("broken file: %v", err)
	}
}

func TestCorpus(t *testing.T) {
	const dir = "../../../shared/corpus/dns/"
	files := []string{dir + "realworld.zone", dir + "realworld-broken.zone"}
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Skipf("the collection of real records is not here: %v", err)
		}
	}
	for _, set := range [][]string{files[:1], files[1:], files} {
		start := time.Now()
		z, err := Load(set...)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%v: %d records, %d names, %d warnings in %v", len(set), len(z.records), len(z.Names()), len(z.Warnings()), time.Since(start))
		for _, n := range z.Names() {
			for _, r := range z.Records(n, resolve.TypeTXT) {
				a, err := z.Resolve(context.Background(), resolve.Question{Name: n, Type: resolve.TypeTXT})
				if err != nil && !errors.Is(err, resolve.ErrReferral) || err == nil && a.Records[0].Type != r.Type {
					t.Errorf("%s: %v", n, err)
				}
			}
		}
		for _, w := range z.Warnings()[:min(5, len(z.Warnings()))] {
			t.Log(w)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		sample, "", "\\", "(", ")", "\"", "$", "$ORIGIN", "$ORIGIN @", "$TTL 1w2d", "a TXT \\", "a TXT \"\\\"",
		"a.example. LOC 52 22 23 N 4 53 32 E -2m 0m 10000m 10m", "a TYPE16 \\# 4 03616263", "a TYPE65280 \\# 0",
		"@ 1 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1", "* TXT x\n*.* CNAME *", "a NSEC b A TYPE1", "a\\000.b TXT \\000",
		"a APL 1:192.0.2.0/24", "a NAPTR 1 1 \"\" \"\" \"\" .", "a IPSECKEY 1 1 1 192.0.2.1 AA==", "a SVCB 0 b",
		"$ORIGIN a.b.\n(\n$INCLUDE x\n)", "a DNAME b\nb.a CNAME c.a", "a CAA 0 issue \"x\\\"y\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		z, err := Parse(text, Options{World: len(text)%2 == 0})
		if err != nil {
			var p *ParseError
			if !errors.As(err, &p) || p.Line < 1 || p.Column < 1 {
				t.Fatalf("%#v", err)
			}
			return
		}
		raw := false
		for _, s := range z.records {
			_, odd := s.Data.(resolve.Raw)
			raw = raw || odd
		}
		if again, err := Parse(z.String(), Options{}); !raw && (err != nil || again.String() != z.String()) {
			t.Fatalf("%v\n%s\n%s", err, z, again)
		}
		for _, n := range z.Names() {
			for _, typ := range []resolve.Type{resolve.TypeTXT, resolve.TypeA, resolve.TypeNS} {
				a, err := z.Resolve(context.Background(), resolve.Question{Name: n, Type: typ})
				if (err == nil) != (len(a.Records) > 0) {
					t.Fatalf("%s: %v, %v", n, a, err)
				}
			}
			if below, err := n.Below("x"); err == nil {
				_, _ = z.Resolve(context.Background(), resolve.Question{Name: below, Type: resolve.TypeMX})
			}
		}
	})
}
