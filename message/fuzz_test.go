package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: whatever comes, offsets are inside the mail and in order, fields are
// what stands at their offsets, and reading the header again gives the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"From: a@example.org\r\nSubject: x\r\n\r\nbody",
		"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nA: b\n\nx\n--a--\n",
		"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQpib2R5DQo=\n",
		"A: b\r\rx\r", "From x\nA: b\n\n", "\n\n", " \nA:", "A\x00: b\n\n", "Content-Type: multipart/x; boundary=-\n\n----\n---\n",
		"Content-Type: text/plain; name*0*=utf-8''%41; name*1=b\nContent-Transfer-Encoding: quoted-printable\n\n=41=\n=",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := Parse(data, Options{})
		last := m.Header.Start
		for _, x := range m.Header.Fields {
			if x.Start < last || x.End > m.Size || !strings.HasPrefix(string(data[x.Start:x.End]), x.Name) {
				t.Fatalf("field %q at %d to %d", x.Name, x.Start, x.End)
			}
			if strings.ContainsAny(x.Value, "\n") {
				t.Fatalf("value %q of %q is not unfolded", x.Value, x.Name)
			}
			if !utf8.ValidString(x.Text()) {
				t.Fatalf("text of %q", x.Value)
			}
			last = x.End
		}
		parts := 0
		for p := range m.Root.Walk(true) {
			parts++
			if p.Start > p.Body || p.Body > p.End || int(p.End) > len(p.src.data) {
				t.Fatalf("part %q: %d %d %d", p.Path, p.Start, p.Body, p.End)
			}
			if !utf8.ValidString(p.Text(1 << 16)) {
				t.Fatalf("text of part %q", p.Path)
			}
			if content, _ := p.Content(7); len(content) > 7 {
				t.Fatalf("%d octets", len(content))
			}
		}
		if parts > MaxParts+1 {
			t.Fatalf("%d parts", parts)
		}
		again := ParseHeader(data[m.Header.Start:m.Header.End], Options{})
		if m.Header.Mbox == "" && len(again.Fields) != len(m.Header.Fields) && len(m.Header.Fields) > 0 {
			t.Fatalf("%d fields, then %d", len(m.Header.Fields), len(again.Fields))
		}
		m.Author()
	})
}

// FuzzAddress: an address that is valid prints to what parses to the same address.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"a@example.org", `"a b" <"c d"@example.org>`, "x: a@b.example, (c) d@e.example;", "<@r:a@b>", "a@[IPv6:::1]", `"\\" <"\""@a.b>`, "=?utf-8?Q?=2C?= <a@b.c>", "<<<>>>", "(((", `"`, "ä@ö.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, a := range ParseAddresses(s).List {
			if !validSpec(a) {
				continue
			}
			b, ok := ParseAddress(a.String())
			if b.Local != a.Local || b.Domain != a.Domain {
				t.Fatalf("%q: %+v printed %q, which is %+v (%v)", s, a, a.String(), b, ok)
			}
		}
	})
}

func FuzzDecodeWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?Q?=41?=", "=?iso-2022-jp?B?GyRCJUYlOSVIGyhC?=", "=?=?=?", "a =?utf-8?q?b?= =?utf-8?q?c?= d", "\xff=?x?q?y?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if out := DecodeWords(s); !utf8.ValidString(out) {
			t.Fatalf("%q", out)
		}
	})
}
